"""Holds the C library's list of names, its headers, the core's errors and the built library against each other, and its
ABI against the description kept in the repository.

  check_abi.py ROOT LIBRARY            check
  check_abi.py ROOT LIBRARY --write    write tests/c/libhirenow.abi and tests/c/values.txt anew, after a change that
                                       only adds; any other is refused. For a new major version remove them first.

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

import abi_rules

root, library = sys.argv[1:3]
kept = os.path.join(root, "tests/c/libhirenow.abi")
kept_values = os.path.join(root, "tests/c/values.txt")
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

# The list of calls has every function, or says why not.
faultily = read("tests/c/every_call_table.h")
played = set(re.findall(r'^    \{"(\w+)", c_\w+, ', faultily, re.M))
left_out = re.findall(r'^    \{"([\w*]+)", "', faultily, re.M)
for name in (name.removeprefix("hirenow_") for name in listed):
    if name not in played and not any(fnmatch.fnmatchcase(name, pattern) for pattern in left_out):
        faults.append(f"names: {name} is neither called nor left out in tests/c/every_call_table.h")
for name in played:
    if "hirenow_" + name not in listed:
        faults.append(f"names: {name} of tests/c/every_call_table.h is no function")

# The errors: numbers stand once in the core, and the C header repeats them.
core = dict(re.findall(r"^  (\w+) = (\d+),", re.search(r"enum class errc.*?^};", read("include/hirenow/error.hpp"), re.S | re.M)[0], re.M))
in_c = dict(re.findall(r"^  HIRENOW_(\w+) = (\d+)", re.search(r"HIRENOW_OK = 0,(.*?)^};", headers, re.S | re.M)[1], re.M))
compare("errors", {f"{k} = {v}" for k, v in core.items()}, {f"{k.lower()} = {v}" for k, v in in_c.items()}, "error.hpp", "c/basics.h")

# The structs: one that may grow begins with its size and has an _INIT macro, and the library knows its first version.
for name, first in re.findall(r"^typedef struct (hirenow_\w+) \{\n  (.*?);", headers, re.M):
    grows = first == "size_t struct_size"
    comment = re.search(r"/\*((?:(?!\*/).)*)\*/\ntypedef struct " + name + " ", headers, re.S)
    if grows and not re.search(rf"#define {name.upper()}_INIT[ \\\n]+\{{sizeof\({name}\)", headers):
        faults.append(f"structs: {name} has no {name.upper()}_INIT")
    if not grows and "Never grows" not in comment[1]:
        faults.append(f"structs: {name} has no struct_size, and does not say that it never grows")
    if grows and name not in ("hirenow_owner_row", "hirenow_dispatch_event"):  # which only the library makes
        if f"HIRENOW_STRUCT({name}, " not in read("src/c/structs.hpp"):
            faults.append(f"structs: {name} is not in src/c/structs.hpp")

# What can fail says why: its last argument takes the error. A reply keeps its own.
for name, arguments in re.findall(r"^HIRENOW_API hirenow_status (\w+)(\([^;]*\));", headers, re.M):
    is_accessor = name.endswith("_status")
    if not is_accessor and not name.startswith("hirenow_reply_") and not arguments.endswith("hirenow_error **error)"):
        faults.append(f"names: {name} can fail and takes no hirenow_error **")

# The lists of numbers: those of the core, by name and in its order. NOTIFY_ and VALUE_ alone have no enumeration there.
twins = {
    "STATE": "interview_state", "OUTCOME": "outcome", "VERDICT": "verdict@token.hpp", "OVERTIME": "overtime", "ROLE": "role",
    "FACT": "fact_kind", "MESSAGE": "message_kind", "MESSAGE_STATE": "message_state", "KEY": "key_algorithm",
    "EVENT": "event", "AUTHORITY": "authority", "DELIVERY": "delivery_outcome", "SETTLE": "verdict@store.hpp",
    "SMTP": "smtp_security", "DURABILITY": "sqlite_durability", "TRANSACTION": "host_transaction", "DIALECT": "host_dialect",
    "WAIVER": "waiver_state", "RUNNING_WAITS": "running_waits",
}
folders = ("include/hirenow/", "include/hirenow/adapters/")
core_headers = {path: read(path) for folder in folders for path in (folder + p for p in os.listdir(os.path.join(root, folder))) if path.endswith(".hpp")}

# Every struct is handed over with sizes that are none.
tried = read("tests/c/bad_input.h") + read("tests/c/wrong_sizes.h")
compare("sizes that are none", re.findall(r"^HIRENOW_STRUCT\((\w+, \w+),", read("src/c/structs.hpp"), re.M),
        re.findall(r"WRONG_SIZES?\((hirenow_\w+, \w+),", tried), "src/c/structs.hpp", "the tests")


def enumerators(body):
    values = {}
    following = 0
    for word in re.sub(r"//.*", "", re.sub(r"/\*.*?\*/", "", body, flags=re.S)).split(","):
        name, _, value = (part.strip() for part in word.partition("="))
        if name:
            values[name] = following = int(value) if value else following
            following += 1
    return values


blocks = [enumerators(body) for body in re.findall(r"^enum \{(.*?)\};", headers, re.S | re.M)]
for values in blocks[1:]:  # the first holds the statuses, which were compared above
    prefix = next(iter(values)).split("_")[1]
    if prefix == "MESSAGE" and "HIRENOW_MESSAGE_STATE_QUEUED" in values:
        prefix = "MESSAGE_STATE"
    if prefix == "RUNNING":
        prefix = "RUNNING_WAITS"
    if prefix in ("NOTIFY", "VALUE"):
        continue
    enum, _, file = twins.pop(prefix, "none@").partition("@")
    bodies_found = [m for path, text in core_headers.items() if path.endswith(file) for m in re.findall(rf"enum class {enum}\b[^{{;]*\{{(.*?)\}};", text, re.S)]
    if len(bodies_found) != 1:
        faults.append(f"values: HIRENOW_{prefix}_ has no enumeration in the core")
        continue
    ours = {  # what C++ cannot call void is void_attempt there
        f"HIRENOW_{prefix}_{name.removesuffix('_attempt').upper()} = {value}"
        for name, value in enumerators(bodies_found[0]).items()
    }
    given = {f"{n} = {v}" for n, v in values.items() if not n.endswith("_COUNT") and v >= 0}
    compare("values", ours, given, enum, "the headers")
for prefix in twins:
    faults.append(f"values: the headers have no HIRENOW_{prefix}_")

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


def numbers(folder, name, change=lambda header: header):
    """Every enumerator and every macro that is a number, as the compiler has them."""
    text = "".join(change(read("include/hirenow/c/" + part)) for part in parts)
    names = re.findall(r"^#define (HIRENOW_\w+) [-(0-9I]", text, re.M)
    names += [n for body in re.findall(r"^enum \{(.*?)\};", text, re.S | re.M) for n in re.findall(r"(HIRENOW_\w+) =", body)]
    source, built = os.path.join(folder, name + "-values.c"), os.path.join(folder, name + "-values")
    with open(source, "w", encoding="utf-8") as file:
        file.write('#include <stdio.h>\n#include "hirenow/c/adapters.h"\nint main(void) {\n')
        file.writelines(f'  printf("{n} %lld\\n", (long long){n});\n' for n in names if not n.startswith("HIRENOW_VERSION_"))
        file.write("  return 0;\n}\n")
    done = run("cc", "-std=c99", "-I", os.path.join(folder, name), source, "-o", built)
    if done.returncode != 0:
        faults.append(done.stderr.strip())
    return {line.split()[0]: int(line.split()[1]) for line in run(built).stdout.splitlines()}


def write_values(values):
    with open(kept_values, "w", encoding="utf-8") as file:
        file.writelines(f"{name} {value}\n" for name, value in values.items())


def planted(what, old, new, seen):
    """Changes the headers: the rules must say so, or nothing where the change may be made."""
    changed = []

    def change(header):
        changed.append(old in header)
        return header.replace(old, new)

    path = describe(folder, what, change)
    found = abi_rules.growth_faults(described, abi_rules.Description(path))
    found += abi_rules.layout_faults(abi_rules.Description(path)) + abi_rules.value_faults(values, numbers(folder, what, change))
    if not any(changed) or (bool(found) if seen is None else not any(seen in one for one in found)):
        faults.append(f"planted: {what} was judged wrongly: {found}")
    return path


with tempfile.TemporaryDirectory() as folder:
    now = describe(folder, "now")
    described = abi_rules.Description(now)
    values = numbers(folder, "now")
    faults += [f"ABI: {fault}" for fault in abi_rules.layout_faults(described)]
    broken = []
    if os.path.exists(kept):
        broken += abi_rules.growth_faults(abi_rules.Description(kept), described)
    old_values = {}
    if os.path.exists(kept_values):
        with open(kept_values, encoding="utf-8") as file:
            old_values = {line.split()[0]: int(line.split()[1]) for line in file}
        broken += abi_rules.value_faults(old_values, values)
    faults += [f"ABI: {fault}" for fault in broken]
    if "--write" in sys.argv[3:] and not broken:
        shutil.copy(now, kept)
        write_values(values)
    elif values != old_values:
        faults.append("the numbers differ from tests/c/values.txt: " + str(sorted(set(values.items()) ^ set(old_values.items()))))
    done = run("abidiff", "--no-added-syms", kept, now)
    if done.returncode != 0:
        faults.append("the ABI differs from tests/c/libhirenow.abi:\n" + done.stdout + done.stderr)
    # What the rules must see, and what they must let pass.
    field = "  const char *tenant;\n  uint32_t roles;\n"
    in_front = planted("a field in front of another", field, "  int32_t planted;\n" + field, "hirenow_actor")
    planted("a field in the padding", field, field + "  uint32_t planted;\n", "padding")
    planted("a field at the end", field, field + "  const char *planted;\n", None)
    end = "  const char *tenant;\n  const char *link_base;\n"
    planted("a field of a struct without a size", end, end + "  int64_t planted;\n", "never grows")
    planted("a row by value", "  const hirenow_interview_row *after;", "  hirenow_interview_row after;", "by value")
    planted("another number", "HIRENOW_NOTIFY_NONE = 3", "HIRENOW_NOTIFY_NONE = 4", "HIRENOW_NOTIFY_NONE was 3")
    planted("another type", "int32_t *outcome, hirenow_reply *reply);", "int64_t *outcome, hirenow_reply *reply);", "send")
    # That abidiff sees them, too.
    done = run("abidiff", kept, in_front)
    if done.returncode & 4 == 0 or "planted" not in done.stdout:
        faults.append("a planted break of the ABI was not seen")

print(f"{len(declared)} functions, {len(in_c)} errors")
for fault in faults:
    print("FAULT", fault)
sys.exit(1 if faults else 0)
