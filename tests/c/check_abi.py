"""Holds the C library's list of names, its headers, the core's errors and the built library against each other, and its
ABI against the description kept in the repository.

  check_abi.py ROOT LIBRARY            check
  check_abi.py ROOT LIBRARY --write    write tests/c/libhirenow.abi anew, after a change that only adds

Needs cc, nm (binutils) and abidw, abidiff (abigail-tools).
"""

import fnmatch
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

root, library = sys.argv[1:3]
kept = os.path.join(root, "tests/c/libhirenow.abi")
faults = []


def read(path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def compare(what, one, other, one_name, other_name):
    for name in sorted(set(one) - set(other)):
        faults.append(f"{what}: {name} is in {one_name} and not in {other_name}")
    for name in sorted(set(other) - set(one)):
        faults.append(f"{what}: {name} is in {other_name} and not in {one_name}")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


# The list, the headers, the library, and the test that calls every function.
parts = sorted(os.path.basename(path) for path in glob.glob(os.path.join(root, "include/hirenow/c/*.h")))
headers = "".join(read("include/hirenow/c/" + part) for part in parts)
declared = re.findall(r"^HIRENOW_API [^;(]*?(hirenow_\w+)\(", headers, re.M)
listed = dict(re.findall(r"^(hirenow_\w+) ([0-9.]+)$", read("src/c/symbols.txt"), re.M))
exported = {}
for line in run("nm", "-D", "--defined-only", library).stdout.splitlines():
    name, _, version = line.split()[-1].partition("@@")
    if version:
        exported[name] = version.removeprefix("HIRENOW_")
compare("names", declared, listed, "the headers", "symbols.txt")
compare("names", exported, listed, "the library", "symbols.txt")
for name, version in exported.items():
    if listed.get(name) not in (None, version):
        faults.append(f"names: {name} is of {listed[name]} in symbols.txt and of {version} in the library")
tested = read("tests/c/bad_input.h")
for name in declared:
    if f"{name}(" not in tested:
        faults.append(f"names: {name} is not called in tests/c/bad_input.h")

# The test of failing allocations has every function, or says why not.
faultily = read("tests/c/out_of_memory.c")
played = set(re.findall(r'^    \{"(\w+)", c_\w+, ', faultily, re.M))
left_out = re.findall(r'^    \{"([\w*]+)", "', faultily, re.M)
for name in (name.removeprefix("hirenow_") for name in listed):
    if name not in played and not any(fnmatch.fnmatchcase(name, pattern) for pattern in left_out):
        faults.append(f"names: {name} is neither called nor left out in tests/c/out_of_memory.c")
for name in played:
    if "hirenow_" + name not in listed:
        faults.append(f"names: {name} of tests/c/out_of_memory.c is no function")

# The errors: numbers stand once in the core, and the C header repeats them.
core = dict(re.findall(r"^  (\w+) = (\d+),", re.search(r"enum class errc.*?^};", read("include/hirenow/error.hpp"), re.S | re.M)[0], re.M))
in_c = dict(re.findall(r"^  HIRENOW_(\w+) = (\d+)", re.search(r"HIRENOW_OK = 0,(.*?)^};", headers, re.S | re.M)[1], re.M))
compare("errors", {f"{k} = {v}" for k, v in core.items()}, {f"{k.lower()} = {v}" for k, v in in_c.items()}, "error.hpp", "c/basics.h")

# The ABI: types and signatures as the headers have them, read from functions that do nothing, so that it does not depend
# on how the library was built. That the library has just these functions was compared above.
bodies = re.findall(r"^HIRENOW_API ([^;]+?)(\w+)(\([^;]*\));", re.sub(r"/\*.*?\*/", "", headers, flags=re.S), re.M)


def describe(folder, name, change=lambda header: header):
    include = os.path.join(folder, name, "hirenow/c")
    os.makedirs(include)
    for header in parts:
        with open(os.path.join(include, header), "w", encoding="utf-8") as file:
            file.write(change(read("include/hirenow/c/" + header)))
    source, built, description = (os.path.join(folder, name + end) for end in (".c", ".so", ".abi"))
    with open(source, "w", encoding="utf-8") as file:
        file.write('#include "hirenow/c/adapters.h"\n')
        for kind, function, arguments in bodies:
            file.write(f"{kind}{function}{arguments} {{ {'return 0;' if kind.strip() != 'void' else ''} }}\n")
    commands = (
        ["cc", "-std=c99", "-g", "-w", "-shared", "-fPIC", "-I", os.path.join(folder, name), source, "-o", built],
        ["abidw", "--no-show-locs", "--no-comp-dir-path", "--no-corpus-path", "--short-locs", "--out-file", description, built],
    )
    for command in commands:
        done = run(*command)
        if done.returncode != 0:
            faults.append(" ".join(command) + ": " + done.stderr.strip())
    return description


with tempfile.TemporaryDirectory() as folder:
    now = describe(folder, "now")
    if "--write" in sys.argv[3:]:
        shutil.copy(now, kept)
    done = run("abidiff", "--no-added-syms", kept, now)
    if done.returncode != 0:
        faults.append("the ABI differs from tests/c/libhirenow.abi:\n" + done.stdout + done.stderr)
    # A planted break must be seen: a field that comes before the last one of a struct that callers fill.
    field = "  const char *tenant;\n  uint32_t roles;"
    planted = describe(folder, "planted", lambda h: h.replace(field, "  int32_t planted;\n" + field))
    done = run("abidiff", kept, planted)
    if done.returncode & 4 == 0 or "planted" not in done.stdout:
        faults.append("a planted break of the ABI was not seen")

print(f"{len(declared)} functions, {len(in_c)} errors")
for fault in faults:
    print("FAULT", fault)
sys.exit(1 if faults else 0)
