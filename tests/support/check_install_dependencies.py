"""What install_dependencies.sh does on machines that are not this one: check_install_dependencies.py SCRIPT.

It runs in a folder of its own: the paths under /etc and /usr/sbin in the script are moved there, and PATH has fake
package tools that write down what they were asked, and the plain tools that the script needs, and nothing else."""

import os
import shutil
import subprocess
import sys
import tempfile

script = open(sys.argv[1], encoding="utf-8").read()
faults = []

FAKES = {
    "id": 'echo "$HIRENOW_UID"',
    "dpkg-query": r"""
for package; do :; done
sed -n "s/^$package=/installed /p" "$ROOT/installed"
""",
    "dpkg": '[ "${2%%.*}" -lt "$4" ]',  # --compare-versions VERSION lt MAJOR
    "apt-get": r"""
words=$*
case $words in
  indextargets*) cat "$ROOT/lists" ;;
  *update)
    echo update >>"$ROOT/log"
    if [ -e "$ROOT/carries" ] && ls "$ROOT"/etc/apt/sources.list.d/hirenow-backports.* >/dev/null 2>&1; then
      cat "$ROOT/carries" >>"$ROOT/lists"
    fi ;;
  *install*)
    echo "${words#*--no-remove }" >>"$ROOT/log"
    [ -x "$ROOT/usr/sbin/policy-rc.d" ] || echo "servers would start" >>"$ROOT/log"
    for package in ${words#*--no-remove }; do echo "${package%/*}=3.7.0" >>"$ROOT/installed"; done ;;
esac
""",
    "c++": "while read -r _; do :; done; [ -e \"$ROOT/has-headers\" ]",
    "sudo": 'echo "sudo $1" >>"$ROOT/log"; exec "$@"',
}
PLAIN = ("bash", "sh", "sed", "grep", "awk", "env", "tee", "rm", "chmod", "cat", "ls")


class Machine:
    """A machine to run the script on."""

    def __init__(self, os_release='ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', uid=0, sudo=False, apt=True):
        self.root = tempfile.mkdtemp()
        self.uid = uid
        for folder in ("etc/apt/sources.list.d", "usr/sbin", "bin"):
            os.makedirs(os.path.join(self.root, folder))
        for name, body in FAKES.items():
            if (name == "sudo" and not sudo) or (name == "apt-get" and not apt):
                continue
            self.write("bin/" + name, "#!/bin/bash\n" + body + "\n", 0o755)
        for name in PLAIN:
            os.symlink(shutil.which(name), os.path.join(self.root, "bin", name))
        for name in ("installed", "log", "lists"):
            self.write(name, "")
        self.write("etc/os-release", os_release)
        moved = script.replace("/etc/", self.root + "/etc/").replace("/usr/sbin/", self.root + "/usr/sbin/")
        moved = moved.replace("/usr/lib/postgresql/", self.root + "/usr/lib/postgresql/")
        self.write("script", moved, 0o755)

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def sources(self, name, text, position):
        """A file of apt's sources in which `position` is Debian's own."""
        self.write("etc/apt/" + name, text)
        at = f"{self.path('etc/apt/' + name)}:{position}"
        self.write("lists", f"cdrom:[x]|stable|bookworm|Debian|main|{at}\n"
                            f"http://other.example/|stable|bookworm|Other|main|{at}\n"
                            f"http://mirror.example/debian|stable|bookworm|Debian|main|{at}\n")
        self.write("carries", f"http://mirror.example/debian|b|bookworm-backports|Debian Backports|main|{at}\n")

    def run(self, *arguments):
        self.write("log", "")
        done = subprocess.run([self.path("bin/bash"), self.path("script"), *arguments], capture_output=True, text=True,
                              env={"PATH": self.path("bin"), "ROOT": self.root, "HIRENOW_UID": str(self.uid)})
        self.said, self.log = done.stdout + done.stderr, self.read("log").splitlines()
        return done.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)


def expect(what, got, due):
    if got != due:
        faults.append(f"{what}: {got!r}, and not {due!r}")


def expect_in(what, part, text):
    if part not in text:
        faults.append(f"{what}: {part!r} is not in {text!r}")


# Who may install nothing is told what is missing, and nothing is touched.
with Machine(uid=1000) as m:
    m.write("installed", "cmake=3.25\n")
    expect("without rights", m.run(), 1)
    expect_in("without rights", "neither root nor sudo", m.said)
    expect_in("without rights", "have these installed: ninja-build g++ libssl-dev", m.said)
    expect("without rights: asked of apt", m.log, [])
with Machine(uid=1000, sudo=True) as m:
    expect("with sudo", m.run(), 0)
    expect("with sudo: first", m.log[0], "sudo env")
    expect("with sudo: without policy", "servers would start" in m.log, False)

# The one-line form. Options of the entry, such as its key, are kept; what another origin has is not taken.
with Machine() as m:
    m.sources("sources.list", "# a comment\ndeb http://other.example/ bookworm main\n"
              "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib\n", 3)
    expect("one line", m.run("tests"), 0)
    written = "etc/apt/sources.list.d/hirenow-backports.list"
    expect("one line: written", m.read(written),
           "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm-backports main\n")
    expect("one line: read twice", m.log[:2], ["update", "update"])
    expect_in("one line: installed", " catch2/bookworm-backports clang-19 ", m.log[2])
    expect_in("one line: installed", "libboost1.81-dev", m.log[2])
    expect("one line: more", m.log[3:], [])
    expect("one line: policy left behind", os.path.exists(m.path("usr/sbin/policy-rc.d")), False)
    # Again: there is nothing to do, and nobody's rights are asked for.
    m.uid = 1000
    expect("again", m.run("tests"), 0)
    expect_in("again", "packages are installed", m.said)
    expect("again: asked of apt", m.log, [])
    expect("again, with more", (m.run("tests", "bench"), "libbenchmark-dev" in m.said), (1, True))
    # Catch2 2 is not enough.
    m.write("installed", m.read("installed").replace("catch2=3.7.0", "catch2=2.13.8"))
    expect("an old Catch2", (m.run("tests"), "missing: catch2\n" in m.said), (1, True))
with Machine() as m:
    m.sources("sources.list", "deb\thttp://mirror.example/debian bookworm main\n", 1)
    expect("no options", m.run("tests"), 0)
    expect("no options: written", m.read("etc/apt/sources.list.d/hirenow-backports.list"),
           "deb http://mirror.example/debian bookworm-backports main\n")
    # A policy of somebody's stays.
    m.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n", 0o755)
    m.write("installed", "")
    expect("a policy of another", (m.run(), m.read("usr/sbin/policy-rc.d")), (0, "#!/bin/sh\nexit 0\n"))

# The form of deb822: the second stanza, with a key inside.
with Machine() as m:
    m.sources("sources.list.d/debian.sources", "Types: deb\nURIs: http://other.example/\nSuites: bookworm\n"
              "Components: main\n\n# Debian's own\nTypes: deb deb-src\nURIs: http://mirror.example/debian\n"
              "Suites: bookworm bookworm-updates\nComponents: main\n contrib\nEnabled: yes\n"
              "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n# in between\nArchitectures: amd64\n\n"
              "Types: deb\nURIs: http://third.example/\nSuites: x\nComponents: main\nSigned-By: /third.gpg\n", 2)
    expect("stanzas", m.run("tests"), 0)
    expect("stanzas: written", m.read("etc/apt/sources.list.d/hirenow-backports.sources"),
           "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\n"
           "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\nArchitectures: amd64\n")
    expect_in("stanzas: installed", "catch2/bookworm-backports", m.log[-1])

# Backports that are there already are used; a mirror without them leaves nothing behind.
with Machine() as m:
    m.sources("sources.list", "deb http://mirror.example/debian bookworm main\n", 1)
    m.write("lists", m.read("lists") + m.read("carries"))
    expect("there already", m.run("tests"), 0)
    expect("there already: written", os.listdir(m.path("etc/apt/sources.list.d")), [])
    expect_in("there already: installed", "catch2/bookworm-backports", m.log[-1])
with Machine() as m:
    m.sources("sources.list", "deb http://mirror.example/debian bookworm main\n", 1)
    os.remove(m.path("carries"))
    expect("not carried", m.run("tests"), 1)
    expect_in("not carried", "does not carry bookworm-backports", m.said)
    expect("not carried: written", os.listdir(m.path("etc/apt/sources.list.d")), [])
with Machine() as m:
    expect("no mirror", m.run("tests"), 1)
    expect_in("no mirror", "apt knows no mirror of Debian bookworm", m.said)

# Later releases have it themselves; earlier ones are refused.
with Machine('ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n') as m:
    expect("Debian 13", m.run("tests"), 0)
    expect_in("Debian 13: installed", " catch2 ", m.log[-1])
    expect_in("Debian 13: installed", "libboost-dev libboost-json-dev", m.log[-1])
    expect("Debian 13: written", os.listdir(m.path("etc/apt/sources.list.d")), [])
with Machine('ID=debian\nVERSION_ID="11"\n') as m:
    expect("Debian 11", (m.run(), "too old" in m.said), (1, True))

# Elsewhere it looks, names what is missing, and installs nothing.
for apt in (True, False):
    with Machine("ID=unknown\n", apt=apt) as m:
        expect("unknown", m.run("tests", "bench"), 1)
        for part in ("this is not Debian", "CMake 3.25", "OpenSSL 3", "SQLite 3.40", "Catch2 3", "Redis", "Google Benchmark"):
            expect_in("unknown", part, m.said)
        expect("unknown: asked of apt", m.log, [])
        m.write("has-headers", "")
        expect("unknown, with headers", m.run(), 1)
        expect("unknown, with headers", "OpenSSL" in m.said, False)
        for name in ("cmake", "ninja", "pg_config"):
            m.write("bin/" + name, "#!/bin/sh\n", 0o755)
        expect("unknown, complete", (m.run(), "nothing is missing" in m.said), (0, True))
with Machine() as m:
    expect("an argument", (m.run("everything"), "unknown argument 'everything'" in m.said), (1, True))

for fault in faults:
    print("FAULT", fault)
print("the dependencies' installer:", "faulty" if faults else "good")
sys.exit(1 if faults else 0)
