#!/usr/bin/env bash
# Installs what building hirenow needs, on Debian; elsewhere names what is missing.
#
#   install_dependencies.sh [demo] [tests] [bench]
#
# Always: compiler, CMake and the libraries. demo: the mail server of the demo. tests: Catch2, clang, the mail server, Redis,
# Chromium, Python's headers and venv.
# bench: Google Benchmark. Does nothing where nothing is missing, and never removes a package.
set -euo pipefail

say() { printf 'dependencies: %s\n' "$*"; }
fail() {
  printf 'dependencies: %s\n' "$@" >&2
  exit 1
}

with_demo=0 with_tests=0 with_bench=0
for argument in "$@"; do
  case $argument in
    demo) with_demo=1 ;;
    tests) with_tests=1 with_demo=1 ;;
    bench) with_bench=1 ;;
    *) fail "unknown argument '$argument'" ;;
  esac
done

# ---- Elsewhere than on Debian: look, and name what is missing --------------------------------------------------------

has_header() { printf '#include <%s>\n' "$1" | "${CXX:-c++}" -std=c++20 -E -x c++ - >/dev/null 2>&1; }

name_what_is_missing() {
  local missing=()
  need_command() { command -v "$1" >/dev/null || missing+=("$2"); }
  need_header() { has_header "$1" || missing+=("$2"); }
  need_command cmake "CMake 3.25 or later"
  need_command ninja "Ninja"
  need_command "${CXX:-c++}" "a C++20 compiler"
  need_header boost/json.hpp "Boost 1.81 or later with Boost.JSON"
  need_header openssl/evp.h "OpenSSL 3"
  need_header sqlite3.h "SQLite 3.40 or later"
  need_header curl/curl.h "libcurl 7.88 or later"
  command -v pg_config >/dev/null || missing+=("libpq 14 or later")
  need_header kainjow/mustache.hpp "Mustache (kainjow)"
  need_header date/tz.h "date (Howard Hinnant)"
  [ -d /usr/share/zoneinfo ] || missing+=("the IANA time zone database")
  if ((with_demo)); then
    python3 -c 'import aiosmtpd' 2>/dev/null || missing+=("aiosmtpd for python3")
  fi
  if ((with_tests)); then
    need_header catch2/catch_test_macros.hpp "Catch2 3"
    need_command clang++-19 "clang++-19 with its sanitizer run-times"
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=("Python 3.9 or later with venv and its headers")
    need_command abidiff "libabigail's tools"
    need_header cjson/cJSON.h "cJSON"
    need_command go "Go 1.19 or later with cgo"
    need_command pkg-config "pkg-config"
    need_command redis-server "Redis"
    [ -n "$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null)" ] || need_command initdb "the PostgreSQL server"
    need_command pgbouncer "PgBouncer"
    need_command chromium "Chromium"
  fi
  if ((with_bench)); then need_header benchmark/benchmark.h "Google Benchmark"; fi
  if ((${#missing[@]})); then
    say "this is not Debian; please install:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
  fi
  say "nothing is missing"
  exit 0
}

ID='' VERSION_ID=0 VERSION_CODENAME=''
# shellcheck source=/dev/null
[ -r /etc/os-release ] && . /etc/os-release
[ "$ID" = debian ] && command -v apt-get >/dev/null || name_what_is_missing
[ "${VERSION_ID:-13}" -ge 12 ] || fail "Debian $VERSION_ID is too old; 12 or later is needed"

# ---- Debian: what is wanted, and what of it is not there ---------------------------------------------------------------

wanted=(cmake ninja-build g++ libssl-dev libsqlite3-dev libcurl4-openssl-dev libpq-dev libkainjow-mustache-dev
  libhowardhinnant-date-dev tzdata)
if [ "${VERSION_ID:-13}" -eq 12 ]; then
  wanted+=(libboost1.81-dev libboost-json1.81-dev)
else
  wanted+=(libboost-dev libboost-json-dev)
fi
if ((with_demo)); then wanted+=(python3-aiosmtpd); fi
if ((with_tests)); then
  wanted+=(catch2 clang-19 libclang-rt-19-dev openssl python3-dev python3-venv abigail-tools golang-go pkg-config
    libcjson-dev postgresql pgbouncer redis-server chromium chromium-headless-shell fonts-dejavu-core)
fi
if ((with_bench)); then wanted+=(libbenchmark-dev); fi

installed_version() {
  { dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null || true; } | sed -n 's/^installed //p'
}

missing=()
for package in "${wanted[@]}"; do
  version=$(installed_version "$package")
  if [ -z "$version" ] || { [ "$package" = catch2 ] && dpkg --compare-versions "$version" lt 3; }; then
    missing+=("$package")
  fi
done
if ((${#missing[@]} == 0)); then
  say "all ${#wanted[@]} packages are installed"
  exit 0
fi
say "missing: ${missing[*]}"

if [ "$(id -u)" -eq 0 ]; then
  as_root() { "$@"; }
elif command -v sudo >/dev/null; then
  say "asking sudo for the right to install them"
  as_root() { sudo "$@"; }
else
  fail "neither root nor sudo; please have these installed: ${missing[*]}"
fi
apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

# ---- Catch2 3 on Debian 12 comes from the backports suite of the mirror this machine already uses -----------------------

# One line per configured package list: URI|suite|codename|origin|component|file:position
package_lists() {
  apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(ORIGIN)|$(COMPONENT)|$(SOURCESENTRY)' \
    'Created-By: Packages'
}

# derived_source <sources file> <position> <URI> <suite>: the entry at that position, for another suite. All it says
# beside that (Signed-By above all) is kept. The position is a stanza in a .sources file, a line in a .list file.
derived_source() {
  local file=$1 position=$2 uri=$3 suite=$4
  if [[ $file == *.sources ]]; then
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$suite"
    # A stanza ends at an empty line; a field goes on in indented lines.
    awk -v wanted="$position" '
      /^#/ { next }
      /^[ \t]*$/ { inside = 0; next }
      !inside { inside = 1; stanza++ }
      stanza != wanted { next }
      /^[^ \t]/ { keep = tolower($0) !~ /^(types|uris|suites|components|enabled):/ }
      keep { print }
    ' "$file"
  else
    local options
    options=$(sed -n "${position}s/^[ \t]*deb[ \t]*\(\[[^]]*\]\).*/\1/p" "$file")
    printf 'deb %s%s %s main\n' "${options:+$options }" "$uri" "$suite"
  fi
}

add_backports() {
  local suite=$VERSION_CODENAME-backports lists uri entry written
  lists=$(package_lists)
  if grep -q "^[^|]*|[^|]*|$suite|" <<<"$lists"; then return; fi
  IFS='|' read -r uri _ _ _ _ entry < <(
    grep -v '^cdrom:' <<<"$lists" | grep "^[^|]*|[^|]*|$VERSION_CODENAME|Debian|main|") ||
    fail "apt knows no mirror of Debian $VERSION_CODENAME from which $suite could be had"
  local file=${entry%:*} position=${entry##*:}
  written=/etc/apt/sources.list.d/hirenow-backports.list
  if [[ $file == *.sources ]]; then written=${written%.list}.sources; fi
  say "adding $suite from the mirror named in $file, as $written"
  derived_source "$file" "$position" "$uri" "$suite" | as_root tee "$written" >/dev/null
  if ! apt_get update || ! package_lists | grep -q "^[^|]*|[^|]*|$suite|"; then
    as_root rm -f "$written"
    fail "the mirror does not carry $suite; Catch2 3 has to be installed by hand"
  fi
}

say "reading the package lists"
apt_get update
for i in "${!missing[@]}"; do
  if [ "${missing[i]}" = catch2 ] && [ "${VERSION_ID:-13}" -eq 12 ]; then
    add_backports
    missing[i]=catch2/$VERSION_CODENAME-backports
  fi
done
# Some packages would start their server at once: the tests start their own, so nothing is left running. Where somebody
# has a policy already, it holds.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  trap 'as_root rm -f "$policy"' EXIT
fi
say "installing ${#missing[@]} packages"
apt_get install --yes --no-install-recommends --no-remove "${missing[@]}"
say "installed"
