#!/usr/bin/env python3
"""Plants defects in the evaluation of retake policies, one after the other: tests/spec/ must find each of them.

    policy_mutants.py ROOT FOLDER            those of DEFECTS, which a person thought of; all must be found
    policy_mutants.py ROOT FOLDER --every    beside them every place at which an operator, a literal or a statement of
                                             the evaluator can be exchanged; names those that are not found

Each is a small change of a header, made in a copy below FOLDER, with which tests/retake_policy_test.cpp is compiled and
its specs are run: some five seconds each, as many at once as there are processors. Of the exchanges many change nothing
that a case could see, such as where a shortcut is not taken; so what is left of them is for a person to read.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

ROOT, FOLDER = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
EVERY = sys.argv[3:] == ["--every"]
JUDGEMENT, EVALUATION = "hirenow/detail/retake_judgement.hpp", "hirenow/retake_evaluation.hpp"
CALENDAR, ZONE = "hirenow/policy_calendar.hpp", "hirenow/time_zone.hpp"

DEFECTS = [
    ("a wait is over one second late", JUDGEMENT,
     "const bool over = end.over && view.now >= *end.over;", "const bool over = end.over && view.now > *end.over;"),
    ("the first wait repeats, not the last", JUDGEMENT,
     "std::max<std::size_t>(n, 1), wait.after.size())", "std::max<std::size_t>(n, 1), std::size_t{1})"),
    ("a lock-out's count never starts again", JUDGEMENT, "if (n - begin == lockout.after) begin = n;", ""),
    ("an event at the attempt itself is enough", JUDGEMENT,
     "newest->at > counted[require.after - 1].at", "newest->at >= counted[require.after - 1].at"),
    ("the window of the first attempt slides", JUDGEMENT,
     "if (begin == counted.size() || (end && counted[n].at >= *end)) {", "if (begin == counted.size()) {"),
    ("a floor is ignored", JUDGEMENT, "const bool floor_over = !end.has_floor ||", "const bool floor_over = true ||"),
    ("a streak is not broken", EVALUATION, "              begin = size;\n", "              \n"),
    ("tracks without an attribute share a counter", EVALUATION,
     "if (wanted != its || (!wanted && !same_track)) return false;", "if (wanted != its) return false;"),
    ("any_of opens with its last member", EVALUATION, "(group.any ? sooner : later)", "(group.any ? later : sooner)"),
    ("facts to come are not looked for", EVALUATION, "      look_at(f.at);\n", ""),
    ("months are not clamped", CALENDAR, "std::min(date.day(), last)", "date.day()"),
    ("holidays of facts are ignored", CALENDAR, " &&\n           !std::binary_search(more_.begin(), more_.end(), day)", ""),
    ("a midnight that is skipped is not moved", ZONE,
     "std::max(as_utc - ranges_[n].offset, ranges_[n].begin)", "as_utc - ranges_[n].offset"),
    ("a period's end is part of it", JUDGEMENT,
     "if (start && (!end || view.now < *end)) {", "if (start && (!end || view.now <= *end)) {"),
]

# What is exchanged for what, wherever it stands in a line of code.
EXCHANGES = [
    (r" <= ", " < "), (r" < ", " <= "), (r" >= ", " > "), (r" > ", " >= "), (r" == ", " != "), (r" != ", " == "),
    (r" && ", " || "), (r" \|\| ", " && "), (r" \+ ", " - "), (r" - ", " + "), (r"\bstd::min\b", "std::max"),
    (r"\bstd::max\b", "std::min"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"(?<=[(&|= ])!(?=[a-z(*])", ""),
    (r"(?<=[ ({+-])1(?=[ ,;)}])", "2"), (r"(?<=[ ({+-])0(?=[ ,;)}])", "1"), (r"\+\+n\b(?=[;,)])", "n += 2"),
]
STATEMENT = re.compile(r"^(\s+)(?!return\b|const\b|auto\b|using\b|static|std::\w+<|seconds |struct |\w+ \w+ ?[{=]|case\b|"
                       r"default\b|\w+::\w+ \w+;)([A-Za-z_*].*;)$")

def exchanges():
    for file in (JUDGEMENT, EVALUATION, CALENDAR):
        lines = (ROOT / "include" / file).read_text().split("\n")
        begin = next(n for n, line in enumerate(lines) if line.startswith("namespace hirenow"))
        for n in range(begin, len(lines)):
            line, code = lines[n], lines[n].split("//")[0].rstrip()
            if not code.strip() or "#include" in code or "static_assert" in code:
                continue
            changed = [code[:m.start()] + new + code[m.end():] for old, new in EXCHANGES for m in re.finditer(old, code)]
            if STATEMENT.match(code):
                changed.append(STATEMENT.sub(r"\1;", code))
            elif re.match(r"^\s+(if|else|for|while)\b.*\) (?!return)[a-z_].*;$", code) and code.count(";") == 1:
                changed.append(re.sub(r"\) (?!.*\) [a-z_])[a-z_].*;$", ") {}", code))
            for new in changed:
                sound = "\n".join(lines[:n + 1])
                yield f"{Path(file).name}:{n + 1}: {code.strip()}  ->  {new.strip()}", file, (n, line, new)


def apply(text, change):
    if len(change) == 2:
        return text.replace(*change, 1) if change[0] in text else None
    n, line, new = change
    lines = text.split("\n")
    lines[n] = new
    return "\n".join(lines)


class Bench:
    """A folder of its own for each worker, with a copy of the headers."""

    compiler = os.environ.get("CXX", "g++")
    flags = ["-std=c++20", "-w", "-O0", "-DBOOST_JSON_DYN_LINK", "-DUSE_OS_TZDB=1", "-DHAS_STRING_VIEW=1",
             "-DONLY_C_LOCALE=1", "-D_GLIBCXX_ASSERTIONS", f'-DHIRENOW_SOURCE_DIR="{ROOT}"']
    libraries = ["-lCatch2Main", "-lCatch2", "-lboost_json", "-lboost_container", "-ldate-tz", "-lcrypto"]
    kept = threading.local()

    @classmethod
    def precompile(cls):
        header = FOLDER / "first.hpp"
        header.write_text("#include <boost/json.hpp>\n#include <catch2/catch_test_macros.hpp>\n#include <date/tz.h>\n"
                          "#include <openssl/evp.h>\n#include <charconv>\n#include <filesystem>\n#include <fstream>\n")
        subprocess.run([cls.compiler, *cls.flags, "-x", "c++-header", str(header), "-o", f"{header}.gch"], check=True)

    def __init__(self):
        self.folder = FOLDER / threading.current_thread().name
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(ROOT / "include", self.folder / "include")

    def specs_pass(self):
        """True or false, or nothing where it does not even compile."""
        program = self.folder / "specs"
        compiled = subprocess.run(
            [self.compiler, *self.flags, "-include", str(FOLDER / "first.hpp"), f"-I{self.folder / 'include'}",
             f"-I{ROOT / 'tests'}", str(ROOT / "tests/retake_policy_test.cpp"), "-o", str(program), *self.libraries],
            capture_output=True, text=True)
        if compiled.returncode:
            return None
        try:
            return subprocess.run([str(program), "[spec]"], capture_output=True, timeout=30).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def survives(self, file, change):
        path = self.folder / "include" / file
        sound = path.read_text()
        planted = apply(sound, change)
        if planted is None:
            return "gone"
        path.write_text(planted)
        try:
            return self.specs_pass()
        finally:
            path.write_text(sound)


def judge(defect):
    if not hasattr(Bench.kept, "bench"):
        Bench.kept.bench = Bench()
    return defect, Bench.kept.bench.survives(defect[1], defect[2])


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    Bench.precompile()
    if Bench().specs_pass() is not True:
        raise SystemExit("the specs do not even pass without a defect")
    planned = [(name, file, (sound, defect)) for name, file, sound, defect in DEFECTS]
    thought_of = {name for name, _, _ in planned}
    planned += exchanges() if EVERY else []
    found, uncompiled, left, bad = 0, 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for (name, _, _), survived in workers.map(judge, planned):
            found += survived is False
            uncompiled += survived is None
            if survived not in (False, None):
                left += 1
                bad += name in thought_of
                print("NOT THERE any more:" if survived == "gone" else "NOT FOUND:", name, flush=True)
    print(f"{len(planned)} defects: {found} found, {uncompiled} do not compile, {left} not found, "
          f"{bad} of them of the list")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
