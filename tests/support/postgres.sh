#!/usr/bin/env bash
# A private PostgreSQL for tests: a cluster of its own in a temporary folder, on a socket of its own, with the server's
# default settings for durability.
#
#   postgres.sh start FILE [PID]   starts one, and writes its URL to FILE; it ends with that process, else with the caller
#   postgres.sh stop FILE          ends it
#   postgres.sh run CMD...         runs a command with HIRENOW_TEST_POSTGRES set to the file with the URL
#
# HIRENOW_POSTGRES_IN: the folder to put it into; in memory unless that is said.
# Beside FILE a script FILE.ctl is written: it calls pg_ctl for this cluster (stop, start, restart).
# PostgreSQL does not run as root: root starts it as the user "postgres", whom Debian's package makes.
set -euo pipefail

say() { printf 'postgres: %s\n' "$*" >&2; }

programs() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || found=$(dirname "$(command -v initdb 2>/dev/null || echo /missing/initdb)")
  [ -x "$found/initdb" ] || {
    say "the server is not installed (Debian: postgresql)"
    exit 1
  }
  echo "$found"
}

start() { # <file> <pid to live with>
  local file=$1 lives_with=$2 bin folder port=$((50000 + RANDOM % 10000))
  bin=$(programs)
  # In memory where the machine offers that: what is tested is not the disk.
  folder=$(mktemp -d "${HIRENOW_POSTGRES_IN:-$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)}/hirenow-pg-XXXXXX")
  local as=()
  if [ "$(id -u)" -eq 0 ]; then
    as=(runuser -u postgres --)
    chown postgres "$folder"
  fi
  chmod 755 "$folder"
  mkdir -p "$(dirname "$file")"
  # The password is nobody's: only this machine's users reach the socket.
  (cd / && "${as[@]}" "$bin/initdb" --pgdata="$folder/data" --auth=trust --username=hirenow --encoding=UTF8 \
    --locale=C.UTF-8 >"$file.log" 2>&1) || {
    cat "$file.log" >&2
    rm -rf "$folder"
    exit 1
  }
  cat >"$file.ctl" <<END
#!/bin/sh
cd / && exec ${as[@]} "$bin/pg_ctl" --pgdata="$folder/data" --log="$folder/log" --wait --silent --options="-p $port" "\$@"
END
  chmod 755 "$file.ctl"
  printf "listen_addresses = ''\nunix_socket_directories = '%s'\nport = %s\nmax_connections = 200\n" "$folder" "$port" \
    >>"$folder/data/postgresql.conf"
  "$file.ctl" start >>"$file.log" 2>&1 </dev/null || {
    cat "$file.log" "$folder/log" >&2
    rm -rf "$folder"
    exit 1
  }
  printf 'postgresql://hirenow@/postgres?host=%s&port=%s\n' "$folder" "$port" >"$file"
  printf '%s\n' "$folder" >"$file.folder"
  # Ends the server when whoever wanted it is gone, however that came. By then FILE.ctl may be another cluster's.
  setsid sh -c "while kill -0 $lives_with 2>/dev/null && [ -d '$folder' ]; do sleep 1; done
    cd / && ${as[*]} '$bin/pg_ctl' --pgdata='$folder/data' stop --mode=immediate; rm -rf '$folder'" \
    >/dev/null 2>&1 </dev/null &
}

stop() { # <file>
  [ -f "$1" ] || return 0
  "$1.ctl" stop --mode=immediate >/dev/null 2>&1 || true
  rm -rf "$(cat "$1.folder")"
  rm -f "$1"
}

case ${1:-} in
  start) start "$2" "${3:-$PPID}" ;;
  stop) stop "$2" ;;
  run)
    shift
    file=$(mktemp -d)/url
    start "$file" $$
    status=0
    HIRENOW_TEST_POSTGRES=$file "$@" || status=$?
    stop "$file"
    rm -rf "$(dirname "$file")"
    exit "$status"
    ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
