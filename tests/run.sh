#!/usr/bin/env bash
# Builds hirenow and passes every test: debug, with clang; the optimised library and the Python module, built from its
# source distribution, with gcc; ASan and UBSan; the concurrent tests under TSan; and a short run of every fuzzer.
# Installs what is missing first (see support/install_dependencies.sh).
#
#   tests/run.sh                every test
#   tests/run.sh --quick        the debug build and its tests alone
#   tests/run.sh --python       the Python module and its tests alone
#   tests/run.sh --browser      the back end of examples/ats_server, through a browser, alone
#   tests/run.sh --bench        the benchmarks instead, in a release build
#   tests/run.sh --mutants      defects planted in the evaluation of policies, which the specs must find (a minute)
#   tests/run.sh --campaigns    the campaigns in full instead: thousands of kills, a million messages; from ten minutes to
#                               an hour
#   tests/run.sh --no-install   install nothing
#
# JOBS: how many compilers and tests run at once. FUZZ_SECONDS: how long each fuzzer runs (30). PYTHON: the interpreter
# that the module is built for and tested with (/usr/bin/python3, to which Debian's packages belong).
# The last line says how many passed, failed and were skipped; the exit status is 0 only if none failed.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=0 python=0 browser=0 bench=0 mutants=0 campaigns=0 install=1
for argument in "$@"; do
  case $argument in
    --quick) quick=1 ;;
    --python) python=1 ;;
    --browser) browser=1 ;;
    --bench) bench=1 ;;
    --mutants) mutants=1 ;;
    --campaigns) campaigns=1 ;;
    --no-install) install=0 ;;
    *)
      sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
      exit 2
      ;;
  esac
done

# A compiler with Boost.JSON and a sanitizer takes up to 1.5 GB.
memory_gb=$(awk '/^MemTotal/ { print int($2 / 1048576) }' /proc/meminfo)
jobs=$((memory_gb * 2 / 3 < $(nproc) ? memory_gb * 2 / 3 : $(nproc)))
jobs=${JOBS:-$((jobs < 1 ? 1 : jobs))}
fuzz_seconds=${FUZZ_SECONDS:-30}
export NINJA_STATUS='[%f/%t %es] ' CTEST_PARALLEL_LEVEL=$jobs

passed=0 failed=0 skipped=0 ahead='' beside=''
stage='' stage_start=0
timings=()

end_stage() {
  [ -n "$stage" ] || return 0
  timings+=("$(printf '%5d s  %s' $((SECONDS - stage_start)) "$stage")")
  stage=''
}
begin_stage() {
  end_stage
  stage=$1 stage_start=$SECONDS
  printf '\n==> %s (%d min %02d s so far)\n' "$stage" $((SECONDS / 60)) $((SECONDS % 60))
}
report() {
  local status=$?
  if ((status != 0)) && [ -n "$stage" ]; then
    printf '\nFAILED: %s\n' "$stage"
    ((failed > 0)) || failed=1
  fi
  end_stage
  local group
  for group in $ahead $beside; do kill -- "-$group" 2>/dev/null || true; done
  printf '\n'
  printf '%s\n' "${timings[@]}"
  printf '%d passed, %d failed%s\n' "$passed" "$failed" "$( ((skipped == 0)) || printf ', %d skipped' "$skipped")"
  if ((failed > 0 && status == 0)); then exit 1; fi
}
trap report EXIT

configure_and_build() { # <preset> [prefix of the build's command]...
  local preset=$1
  shift
  mkdir -p build
  cmake --preset "$preset" >"build/$preset.configure.log" 2>&1 || {
    cat "build/$preset.configure.log"
    return 1
  }
  "$@" cmake --build --preset "$preset" -j "$jobs"
}

# Tests wait for disks, servers and browsers more than they calculate. So the next builds, and the fuzzers, go on beside
# them, at the lowest priority, where there is memory for both.
go_ahead() { # <preset>..., of which the last holds the fuzzers
  rm -f build/built-ahead-* build/fuzz/*.log build/fuzz/*.status
  ((memory_gb >= 7)) || return 0
  set -m # in a process group of its own, which can be ended
  (
    for preset in "$@"; do
      configure_and_build "$preset" nice -n 19 >"build/$preset.build.log" 2>&1 || exit
      touch "build/built-ahead-$preset"
    done
    headers_alone nice -n 19 >build/headers.log 2>&1 || exit
    touch build/built-ahead-headers
    run_fuzzers nice -n 10 # more than the builds: -timeout counts by the clock
  ) &
  ahead=$!
  set +m
}

wait_for_what_is_ahead() { # <preset>, or headers; says each ten seconds how far that is
  local log=build/$1.build.log waited=0
  [ "$1" != headers ] || log=build/headers.log
  while [ -n "$ahead" ] && kill -0 "$ahead" 2>/dev/null && [ ! -e "build/built-ahead-$1" ]; do
    if ((waited++ % 10 == 0)); then tail -n 1 "$log" 2>/dev/null || true; fi
    sleep 1
  done
}

build() { # <preset>
  begin_stage "$1: build"
  wait_for_what_is_ahead "$1"
  # What was built ahead is up to date; what could not be says why now.
  configure_and_build "$1"
}

run_tests() { # <preset>
  begin_stage "$1: tests"
  ctest --preset "$1" 2>&1 | tee "build/$1/ctest.log" || true
  count_tests "$1"
}

# An interpreter and a browser keep one core busy. So the tests of what was built ahead run on the other, one at a time.
begin_tests() { # <preset>...
  rm -f build/tested-beside-*
  [ -n "$ahead" ] || return 0
  set -m
  (
    for preset in "$@"; do
      wait_for_what_is_ahead "$preset" >/dev/null
      [ -e "build/built-ahead-$preset" ] || exit
      ctest --preset "$preset" -j 1 >"build/$preset/ctest.log" 2>&1 || true
      touch "build/tested-beside-$preset"
    done
  ) &
  beside=$!
  set +m
}

finish_tests() { # <preset>; those that were begun, else all of them now
  wait_for_what_is_ahead "$1"
  if [ ! -e "build/built-ahead-$1" ]; then
    build "$1"
    run_tests "$1"
    return
  fi
  begin_stage "$1: tests"
  local log=build/$1/ctest.log waited=0
  while kill -0 "$beside" 2>/dev/null && [ ! -e "build/tested-beside-$1" ]; do
    if ((waited++ % 10 == 0)); then tail -n 1 "$log" 2>/dev/null || true; fi
    sleep 1
  done
  if [ ! -e "build/tested-beside-$1" ]; then
    echo "they ended early"
    return 1
  fi
  cat "$log"
  count_tests "$1"
}

count_tests() { # <preset>
  local log=build/$1/ctest.log summary
  # "97% tests passed, 3 tests failed out of 100"
  summary=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$log")
  local bad=${summary% *} all=${summary#* } left
  if [ -z "$summary" ] || ((all == 0)); then
    echo "no test ran"
    return 1
  fi
  left=$(grep -cF '***Skipped' "$log" || true)
  passed=$((passed + all - bad - left)) failed=$((failed + bad)) skipped=$((skipped + left))
}

headers_alone() { # [prefix of the command]...: every public header, compiled alone
  "$@" cmake --build build/dev -j "$jobs" --target hirenow_headers_alone
}

headers() {
  begin_stage "headers: each alone"
  wait_for_what_is_ahead headers
  headers_alone
  passed=$((passed + 1))
}

run_fuzzers() { # [prefix of each command]..., all at once
  local fuzzer name
  for fuzzer in build/fuzz/tests/*_fuzz; do
    name=$(basename "$fuzzer")
    mkdir -p "build/fuzz/corpus/$name"
    (
      # What was found stays in the build; the seeds in the repository are only read.
      status=0
      "$@" "$fuzzer" -max_total_time="$fuzz_seconds" -timeout=10 -print_final_stats=1 -artifact_prefix="build/fuzz/$name-" \
        "build/fuzz/corpus/$name" $(seeds_of "$name") >"build/fuzz/$name.log" 2>&1 || status=$?
      echo "$status" >"build/fuzz/$name.status"
    ) &
  done
  wait
}

fuzz() {
  begin_stage "fuzz: $fuzz_seconds s each"
  # How each fared stands in its .status; one that has none failed.
  if [ -n "$ahead" ]; then wait "$ahead" || true; else run_fuzzers; fi
  local fuzzer name
  for fuzzer in build/fuzz/tests/*_fuzz; do
    name=$(basename "$fuzzer")
    printf '%s ' "$name"
    if [ "$(cat "build/fuzz/$name.status")" = 0 ]; then
      passed=$((passed + 1))
      sed -n 's/^stat::number_of_executed_units: */inputs: /p' "build/fuzz/$name.log"
    else
      failed=$((failed + 1))
      echo FAILED
      tail -n 40 "build/fuzz/$name.log"
    fi
  done
}
seeds_of() { if [ -d "tests/fuzz/corpus/$1" ]; then echo "tests/fuzz/corpus/$1"; fi; }

python_venv() { # sets `python`: an interpreter with all that the module's tests need
  local venv=build/python
  [ -x "$venv/bin/python" ] || "${PYTHON:-/usr/bin/python3}" -m venv "$venv"
  python=$PWD/$venv/bin/python
  "$python" -m pip install --quiet --upgrade "pip>=23" "build>=1" --requirement bindings/python/tests/requirements.txt
}

check_c_library() { # <folder of an optimised build>
  local library
  library=$(readlink -f "$1/libhirenow.so")
  if python3 tests/c/check_library.py "$library" "${library##*.so.}" --most 3000000; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
}

python_module() {
  local dist=build/python-dist out=build/python-wheel log=build/python-tests.log python
  begin_stage "python: build"
  rm -rf "$dist" "$out"
  python_venv
  "$python" -m build --sdist --outdir "$dist" .
  CMAKE_BUILD_PARALLEL_LEVEL=$jobs "$python" -m pip wheel --no-deps --wheel-dir "$dist" \
    --config-settings=build-dir="$PWD/$out" --config-settings=cmake.define.HIRENOW_PYTHON_WARNINGS=ON \
    "$dist"/hirenow-*.tar.gz
  check_c_library "$out/hirenow"
  "$python" -m pip install --quiet --force-reinstall --no-deps "$dist"/hirenow-*.whl

  begin_stage "python: types"
  local check
  for check in "mypy --strict --package hirenow" \
    "mypy.stubtest hirenow --mypy-config-file pyproject.toml --allowlist bindings/python/tests/stubtest_allowlist.txt"; do
    if "$python" -m $check; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done

  begin_stage "python: tests"
  run_pytest "$log" bindings/python/tests

  local database
  for database in sqlite postgresql; do
    begin_stage "django: tests with $database"
    HIRENOW_TEST_DATABASE=$database run_pytest "build/django-$database-tests.log" -c examples/django_ats/pytest.ini \
      --rootdir examples/django_ats examples/django_ats/tests
  done
}

run_pytest() { # <log> <argument of pytest>...
  local log=$1 summary good bad
  shift
  timeout --signal=ABRT 600 "$python" -X faulthandler -m pytest -q -o cache_dir="$PWD/build/pytest_cache" "$@" 2>&1 | tee "$log" || true
  # "3 failed, 969 passed, 1 error in 2.10s"
  summary=$(tail -n 1 "$log")
  counted() { grep -oE "[0-9]+ $1" <<<"$summary" | awk '{ n += $1 } END { print n + 0 }' || true; }
  good=$(counted passed) bad=$(counted '(failed|errors?)')
  skipped=$((skipped + $(counted skipped)))
  if ((good + bad == 0)); then
    echo "no test ran"
    return 1
  fi
  passed=$((passed + good)) failed=$((failed + bad))
}

browser_tests() { # examples/ats_server in headless Chromium; renews docs/screenshots (SCREENSHOTS: another folder)
  local venv=build/browser python
  [ -x build/dev/examples/ats_server/ats_server ] || build dev
  begin_stage "browser: tests"
  [ -x "$venv/bin/python" ] || "${PYTHON:-/usr/bin/python3}" -m venv "$venv"
  python=$PWD/$venv/bin/python
  "$python" -m pip install --quiet --upgrade --requirement tests/ats_server/requirements.txt
  ATS_SERVER=build/dev/examples/ats_server/ats_server ATS_SCREENSHOTS=${SCREENSHOTS:-docs/screenshots} \
    run_pytest build/browser-tests.log tests/ats_server
}

browser_load() { # two hundred applicants and twenty recruiters, beside a bare Beast handler
  build demo
  begin_stage "browser: load"
  if python3 tests/ats_server/load.py build/demo/examples/ats_server/ats_server; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
}

python_bench() { # the module beside the same in C++
  local out=build/python-bench site=build/python-bench/site python
  begin_stage "python: speed"
  python_venv
  "$python" -m pip install --quiet "pybind11>=3"
  cmake -S bindings/python -B "$out" -G Ninja -D CMAKE_BUILD_TYPE=Release -D HIRENOW_PYTHON_BENCH=ON \
    -D Python_EXECUTABLE="$python" -D pybind11_DIR="$("$python" -m pybind11 --cmakedir)" >"$out.configure.log" 2>&1 || {
    cat "$out.configure.log"
    return 1
  }
  cmake --build "$out" -j "$jobs" --target _hirenow hirenow_python_peer
  rm -rf "$site"
  cmake --install "$out" --prefix "$site" >/dev/null
  cp bindings/python/hirenow/*.py "$site/hirenow/"
  if PYTHONPATH=$site BENCH_FOLDER=$out "$python" bindings/python/bench/speed.py "$out/hirenow_python_peer"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
}

if ((install)); then
  begin_stage dependencies
  if ((bench)); then tests/support/install_dependencies.sh tests bench; else tests/support/install_dependencies.sh tests; fi
fi

if ((bench)); then
  build release
  for program in build/release/tests/*_bench; do
    begin_stage "$(basename "$program")"
    if "$program"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  begin_stage "libhirenow.so: size"
  check_c_library build/release
  python_bench
  browser_load
  end_stage
  exit
fi

if ((browser)); then
  build dev
  browser_tests
  end_stage
  exit
fi

if ((campaigns)); then
  build dev
  for campaign in kills stops cuts zombies crowd backlog; do
    begin_stage "campaign: $campaign"
    if tests/support/postgres.sh run build/dev/tests/campaigns --full "$campaign"; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
    fi
  done
  end_stage
  exit
fi

if ((python)); then
  python_module
  end_stage
  exit
fi

if ((mutants)); then
  begin_stage "defects planted in policies"
  if "${PYTHON:-/usr/bin/python3}" tests/tools/policy_mutants.py . build/mutants; then passed=1; else failed=1; fi
  end_stage
  exit
fi

build dev
if ((quick)); then
  run_tests dev
  headers
  end_stage
  exit
fi
go_ahead asan tsan fuzz
run_tests dev
begin_tests asan tsan
browser_tests
python_module
finish_tests asan
finish_tests tsan
headers
build fuzz
fuzz
end_stage
