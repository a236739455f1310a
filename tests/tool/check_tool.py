#!/usr/bin/env python3
"""The tool `hirenow policy`: what it prints, what it ends with, and that its pictures are XML.

    check_tool.py ROOT PROGRAM
"""

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

ROOT, PROGRAM = Path(sys.argv[1]), sys.argv[2]
POLICY = str(ROOT / "examples/policies/giac.json")
CASE = {
    "track": "backend <technical> & more",
    "now": "2026-03-20T12:00:00Z",
    "history": [
        {"at": "2026-01-10T09:00:00Z", "outcome": "failed"},
        {"at": "2026-02-20T09:00:00Z", "outcome": "failed"},
        {"at": "2026-03-18T09:00:00Z", "outcome": "failed"},
    ],
    "facts": [{"kind": "purchase", "name": "certification_attempt", "at": "2026-04-02T00:00:00Z"}],
}
faults = []


def check(holds, what):
    if not holds:
        faults.append(what)


def run(*arguments, stdin="", ends=0):
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, text=True, timeout=60)
    check(done.returncode == ends, f"{arguments} ended with {done.returncode}, not {ends}: {done.stderr}")
    return done.stdout + done.stderr


def main():
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder, "case.json")
        case.write_text(json.dumps(CASE))
        svg = Path(folder, "out.svg")

        check("exit status" in run("--help") and "exit status" in run("policy", "explain", "--help"), "no help")
        check(run("--version").startswith("hirenow "), "no version")

        every = sorted(str(p) for p in (ROOT / "examples/policies").glob("*.json"))
        check(run("policy", "check", *every).count(": ok, version ") == len(every) >= 26, "a policy is refused")
        bad = run("policy", "check", POLICY, "-", stdin='{"hirenow_policy": 2, "rules": [{"rule": "none"}]}', ends=1)
        for words in ("ok", "/hirenow_policy", "/version", "/rules/0"):
            check(words in bad, f"check does not name {words}: {bad}")
        run("policy", "check", str(Path(folder, "absent.json")), ends=3)

        table = run("policy", "explain", POLICY, str(case))
        for words in ("wait-30-days", "new-purchase", "cooldown", "prerequisite", "2026-04-17T09:00:00Z"):
            check(words in table, f"explain does not say {words}")
        check("Versuch" in run("policy", "explain", POLICY, str(case), "--language", "de"), "no German")
        answer = json.loads(run("policy", "explain", POLICY, "-", "--json", stdin=json.dumps(CASE)))
        check(answer["allowed"] is False and answer["reason"] == "cooldown", "explain --json has another answer")
        check(answer["eligible_at"] == "2026-04-17T09:00:00Z", "explain --json has another instant")
        rules = {r["id"]: r for r in answer["rules"]}
        check(list(rules) == ["retake_after", "wait-30-days", "new-purchase", "passed"], "rules")
        wait = rules["wait-30-days"]
        told = [wait[m] for m in ("span", "wait_seconds", "counted_from", "since", "until")]
        check(told == ["30 days", 2592000, "attempt", "2026-03-18T09:00:00Z", "2026-04-17T09:00:00Z"], f"wait: {told}")
        check([a["at"] for a in wait["attempts"]] == [a["at"] for a in CASE["history"]], "attempts of the wait")
        check(rules["new-purchase"]["subject"] == "certification_attempt", "the purchase is not named")
        mixed = dict(CASE, history=CASE["history"][::-1])  # numbered by their instant, in whatever order they stand
        table = run("policy", "explain", POLICY, "-", stdin=json.dumps(mixed))
        for words in ("#1       2026-01-10T09:00:00Z", "3: #1-#3", "3 of 3: #1-#3", "1: #3", "SINCE", "UNTIL"):
            check(words in table, f"explain does not say {words}")

        played = json.loads(run("policy", "simulate", POLICY, str(case), "--json", "--svg", str(svg)))
        spans = played["spans"]
        ends = spans[0]["from"], spans[-1]["until"]
        check(played["complete"] and ends == (played["from"], played["until"]), "the ends are others")
        check(all(a["until"] == b["from"] for a, b in zip(spans, spans[1:])), "there are gaps")
        allowed = [(s["from"], s["until"]) for s in spans if s["allowed"]]
        check(allowed[1] == ("2026-02-09T09:00:00Z", "2026-02-20T09:00:00Z"), f"allowed: {allowed}")
        check(allowed[2][0] == "2026-04-17T09:00:00Z", f"allowed: {allowed}")
        forbidden = [s["forbidden_by"] for s in spans if s["from"] == "2026-03-18T09:00:00Z"]
        check(forbidden == [["wait-30-days", "new-purchase"]], f"forbidden by {forbidden}")
        # The very instants of the spans are those of the answers.
        for span in spans:
            at = dict(CASE, now=span["from"], history=[a for a in CASE["history"] if a["at"] <= span["from"]])
            one = json.loads(run("policy", "explain", POLICY, "-", "--json", stdin=json.dumps(at)))
            check(one["allowed"] == span["allowed"] and one["reason"] == span["reason"], f"at {span['from']}")

        # An outcome is known from its decision on: until then the attempt is open, and its wait runs already.
        late = dict(CASE, history=[{"at": "2026-03-01T09:00:00Z", "outcome": "failed", "score": 9,
                                    "decided_at": "2026-03-05T09:00:00Z"}], facts=[])
        spans = json.loads(run("policy", "simulate", POLICY, "-", "--json", stdin=json.dumps(late)))["spans"]
        told = [(s["from"], s["reason"]) for s in spans[1:]]
        check(told == [("2026-03-01T09:00:00Z", "outcome_not_eligible"), ("2026-03-05T09:00:00Z", "cooldown"),
                       ("2026-03-31T09:00:00Z", "ok")], f"a late decision: {told}")

        drawn = xml.etree.ElementTree.parse(svg).getroot()
        check(drawn.tag.endswith("svg") and "backend <technical> & more" in "".join(drawn.itertext()), "the picture")
        circles = [e for e in drawn.iter() if e.tag.endswith("circle")]
        check(len(circles) == 3, f"{len(circles)} attempts are drawn")
        run("policy", "simulate", POLICY, str(case), "--svg", str(Path(folder, "no", "such", "folder.svg")), ends=3)
        short = run("policy", "simulate", POLICY, str(case), "--from", "2026-02-01T00:00:00Z", "--until",
                    "2026-02-12T00:00:00Z")
        check(short.count("\n") == 3 and "yes" in short, f"a named stretch: {short}")

        for wrong in ([], ["what"], ["policy"], ["policy", "what"], ["policy", "check"], ["policy", "explain", POLICY],
                      ["policy", "explain", POLICY, str(case), "--what"],
                      ["policy", "explain", POLICY, str(case), "--language"],
                      ["policy", "explain", POLICY, str(case), "--language", "fr"],
                      ["policy", "simulate", POLICY, str(case), "--from", "yesterday"],
                      ["policy", "simulate", POLICY, str(case), "--until", "1999-01-01T00:00:00Z"]):
            check("--help" in run(*wrong, ends=2), f"{wrong} says nothing of --help")
        for text in ("", "{", "[]", '{"now": 5}', "\xff", '{"now": "2026-01-01T00:00:00Z", "more": 1}'):
            run("policy", "explain", POLICY, "-", stdin=text, ends=1)

    for fault in faults:
        print("FAULT", fault)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
