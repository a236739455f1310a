#!/usr/bin/env python3
"""Plants defects in the evaluation of retake policies, one after the other: tests/spec/ must find each of them.

    policy_mutants.py ROOT FOLDER

Each is a small change of a header, made in a copy below FOLDER, with which tests/retake_policy_test.cpp is compiled and
run. Takes about half a minute each. A change whose text is no longer there is a fault of this list.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT, FOLDER = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
JUDGEMENT, EVALUATION = "hirenow/detail/retake_judgement.hpp", "hirenow/retake_evaluation.hpp"
CALENDAR, ZONE = "hirenow/policy_calendar.hpp", "hirenow/time_zone.hpp"

MUTANTS = [
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


def main():
    compiler = os.environ.get("CXX", "g++")
    flags = ["-std=c++20", "-w", "-O0", "-DBOOST_JSON_DYN_LINK", "-DUSE_OS_TZDB=1", "-DHAS_STRING_VIEW=1",
             "-DONLY_C_LOCALE=1", f'-DHIRENOW_SOURCE_DIR="{ROOT}"', f"-I{FOLDER / 'include'}", f"-I{ROOT / 'tests'}"]
    libraries = ["-lCatch2Main", "-lCatch2", "-lboost_json", "-lboost_container", "-ldate-tz", "-lcrypto"]
    program = FOLDER / "specs"
    bad = 0

    def specs_pass():
        compiled = subprocess.run([compiler, *flags, str(ROOT / "tests/retake_policy_test.cpp"), "-o", str(program),
                                   *libraries], capture_output=True, text=True)
        if compiled.returncode:
            raise SystemExit(f"it does not compile:\n{compiled.stderr[:2000]}")
        try:
            return subprocess.run([str(program), "[spec]"], capture_output=True, timeout=60).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def fresh_copy():
        shutil.rmtree(FOLDER / "include", ignore_errors=True)
        shutil.copytree(ROOT / "include", FOLDER / "include")

    FOLDER.mkdir(parents=True, exist_ok=True)
    fresh_copy()
    if not specs_pass():
        raise SystemExit("the specs do not even pass without a defect")
    for name, file, sound, defect in MUTANTS:
        fresh_copy()
        path = FOLDER / "include" / file
        text = path.read_text()
        if sound not in text:
            print(f"NOT THERE any more: {name}", flush=True)
            bad += 1
            continue
        path.write_text(text.replace(sound, defect, 1))
        found = not specs_pass()
        bad += not found
        print(f"{'found' if found else 'NOT FOUND'}: {name}", flush=True)
    print(f"{len(MUTANTS)} defects were planted, {len(MUTANTS) - bad} were found")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
