"""Checks libhirenow.so as it would be installed: its SONAME, and how large it is.

    check_library.py <libhirenow.so> <version> [--most <bytes>]

The SONAME is libhirenow.so.<major>: programs that were linked go on with every version of that major. With --most the
library is stripped, in a copy, and must not be larger.
"""

import os
import re
import subprocess
import sys
import tempfile


def soname_of(library):
    listed = subprocess.run(["readelf", "--dynamic", "--wide", library], capture_output=True, text=True, check=True)
    found = re.findall(r"\(SONAME\).*\[(.*)\]", listed.stdout)
    return found[0] if len(found) == 1 else None


def stripped_size_of(library):
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "stripped.so")
        subprocess.run(["strip", "--strip-unneeded", "-o", copy, library], check=True)
        return os.path.getsize(copy)


def main(library, version, most=None):
    wrong = []
    wanted, soname = f"libhirenow.so.{version.partition('.')[0]}", soname_of(library)
    print(f"SONAME {soname}")
    if soname != wanted:
        wrong.append(f"the SONAME is {soname}, not {wanted}")
    name = os.path.basename(os.path.realpath(library))
    if name != f"libhirenow.so.{version}":
        wrong.append(f"the file is {name}, not libhirenow.so.{version}")
    if most is not None:
        size = stripped_size_of(library)
        print(f"stripped: {size} bytes, at most {most}: {'met' if size <= most else 'MISSED'}")
        if size > most:
            wrong.append(f"stripped it has {size} bytes, more than {most}")
    for line in wrong:
        print("FAILED:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if len(arguments) == 4 and arguments[2] == "--most":
        sys.exit(main(arguments[0], arguments[1], int(arguments[3])))
    if len(arguments) != 2:
        sys.exit(__doc__)
    sys.exit(main(*arguments))
