#!/usr/bin/env bash
# Builds what it needs and runs a whole interview and its retake: real SQLite file, real mail server on loopback.
#
#   examples/demo.sh                   install what is missing, build, run
#   examples/demo.sh --no-install      build and run
#   examples/demo.sh --program FILE    run this program; build nothing
#   examples/demo.sh [--no-install | --program FILE] --serve [OPTION]...
#                                      serve the pages of examples/ats_server instead, with seeded data and an inbox,
#                                      on http://127.0.0.1:8080; --interviews 100000, --port N, --database postgresql://…
#
# Exits 0 only if every step ended as it should.
set -euo pipefail
cd "$(dirname "$0")/.."

program='' install=1 serve=0
while (($#)); do
  case $1 in
    --no-install) install=0 ;;
    --program) program=$2 install=0 && shift ;;
    --serve)
      serve=1
      shift
      break
      ;;
    *)
      sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
      exit 2
      ;;
  esac
  shift
done

if ((install)); then tests/support/install_dependencies.sh demo; fi
if ((serve)); then
  if [ -z "$program" ]; then
    echo "demo: building (the first time takes a minute or two)"
    cmake --preset demo >/dev/null
    cmake --build --preset demo --target ats_server
    program=build/demo/examples/ats_server/ats_server
  fi
  exec "$program" --data build/ats-data "$@"
fi
if [ -z "$program" ]; then
  echo "demo: building (the first time takes a minute or two)"
  cmake --preset demo >/dev/null
  cmake --build --preset demo --target example_demo
  program=build/demo/examples/demo
fi

# Debian's aiosmtpd belongs to /usr/bin/python3; another python3 may stand before it on the path.
python=/usr/bin/python3
"$python" -c 'import aiosmtpd' 2>/dev/null || python=python3

folder=$(mktemp -d "${TMPDIR:-/tmp}/hirenow-demo.XXXXXX")
mkfifo "$folder/hold"
"$python" tests/smtp_server.py "$folder/mail" --until-eof <"$folder/hold" >"$folder/port" &
server=$!
exec 3>"$folder/hold"
end() {
  exec 3>&-
  wait "$server" 2>/dev/null || true
}
trap end EXIT
for _ in $(seq 100); do
  grep -q '^port ' "$folder/port" && break
  kill -0 "$server" 2>/dev/null || { echo "demo: the mail server did not start" >&2; exit 1; }
  sleep 0.1
done
port=$(sed -n 's/^port //p' "$folder/port")

echo "demo: mail server on 127.0.0.1:$port, mails and database in $folder/mail"
"$program" examples/demo "$port" "$folder/mail" "$python tests/smtp_server.py"
