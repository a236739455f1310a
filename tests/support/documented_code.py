#!/usr/bin/env python3
"""Checks that every C++ block in the documentation stands, line for line, in a file that is compiled and run.

    documented_code.py ROOT

Looks at README.md and docs/*.md, and for their blocks in examples/ and in the tests. Indentation counts only within a
block.
"""

import re
import sys
import textwrap
from pathlib import Path


def main():
    root = Path(sys.argv[1])
    sources = [path.read_text().splitlines() for path in sorted([*root.glob("examples/**/*.cpp"), *root.glob("tests/*_test.cpp")])]
    blocks, wrong = 0, 0
    for page in [root / "README.md", *sorted(root.glob("docs/*.md"))]:
        for match in re.finditer(r"^```cpp\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE):
            blocks += 1
            block = match.group(1).rstrip("\n").splitlines()
            if not any(stands_in(block, source) for source in sources):
                wrong += 1
                print(f"{page.name}: this block stands in no example:\n{match.group(1)}")
    print(f"{blocks} blocks of C++, {wrong} that no example has")
    return 1 if wrong or not blocks else 0


def stands_in(block, source):
    wanted = textwrap.dedent("\n".join(block))
    return any(
        textwrap.dedent("\n".join(source[at : at + len(block)])) == wanted
        for at in range(len(source) - len(block) + 1)
    )


if __name__ == "__main__":
    sys.exit(main())
