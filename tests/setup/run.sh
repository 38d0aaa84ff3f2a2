#!/bin/sh
# Run test programs one after the other and sum up.
#   sh tests/setup/run.sh PROGRAM...
# A program is criterion's, or one named fuzz-X, which replays the folder
# tests/fuzz/corpus/X and counts as one test, or NAME=COMMAND, which counts as
# one too. Output is shown when a program fails. The last line is "N passed, N
# failed"; the exit code tells.
#
# With TEST_AGAIN=1 a program that failed without such a report as below is run
# once more, and the line says so: for machines that are shared, where a test may
# miss its time.
#
# A sanitizer's report is a failure wherever it stands: criterion takes no
# notice of what a test's process says while it exits, such as its leaks.
set -u

reports='ERROR: (Address|Leak|Thread|Undefined)[A-Za-z]*Sanitizer'
reports="$reports|WARNING: ThreadSanitizer|: runtime error: "
reports="$reports|crashed during its setup or teardown"
export ASAN_OPTIONS="${ASAN_OPTIONS:-strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
# TSan would sleep a second at the end of each process.
tsan='halt_on_error=1 abort_on_error=1 die_after_fork=0 atexit_sleep_ms=10'
export TSAN_OPTIONS="${TSAN_OPTIONS:-$tsan}"

limit_s=${TEST_TIMEOUT:-600}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

# Sums of criterion's last lines, as "tested passing"; nothing if it has none.
synthesis() {
    sed 's/\x1b\[[0-9;]*m//g' "$log" | awk '
        /Synthesis: Tested: / {
            for (i = 1; i < NF; i++) {
                if ($i == "Tested:") tested += $(i + 1)
                if ($i == "Passing:") passing += $(i + 1)
            }
            seen = 1
        }
        END { if (seen) print tested + 0, passing + 0 }'
}

# Run one program; sets counts, code and bad, the number of failures.
run_program() {
    name=${1##*/}
    case $1 in
    *=*)
        name=${1%%=*}
        timeout -k 10 "$limit_s" sh -c "${1#*=}" >"$log" 2>&1
        code=$?
        counts="1 $((code == 0))"
        ;;
    */fuzz-*)
        timeout -k 10 "$limit_s" "$1" "tests/fuzz/corpus/${name#fuzz-}" \
            >"$log" 2>&1
        code=$?
        counts="1 $((code == 0))"
        ;;
    *)
        timeout -k 10 "$limit_s" "$1" >"$log" 2>&1
        code=$?
        counts=$(synthesis)
        ;;
    esac
    # A program that ended early, or badly without a failing test, is one
    # failure more.
    tested=${counts% *}
    passing=${counts#* }
    bad=$((${tested:-0} - ${passing:-0}))
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
    fi
    if [ "$code" -eq 0 ] && [ -z "$counts" ]; then
        echo "no summary line from $1" >>"$log"
        bad=1
    fi
    if [ "$bad" -eq 0 ] && grep -a -E -q "$reports" "$log"; then
        bad=1
    fi
    if [ "$bad" -ne 0 ]; then
        cat "$log"
    fi
}

for program in "$@"; do
    started=$(date +%s)
    again=
    run_program "$program"
    if [ "$bad" -ne 0 ] && [ "${TEST_AGAIN:-0}" -ne 0 ] &&
        ! grep -a -E -q "$reports" "$log"; then
        again=" (failed $bad at first, see above)"
        run_program "$program"
    fi
    seconds=$(($(date +%s) - started))
    note=
    if [ "$code" -eq 124 ]; then
        note=" (stopped after $limit_s s)"
    fi
    printf '%-20s %4d passed, %d failed  %3d s%s\n' "$name" "${passing:-0}" \
        "$bad" "$seconds" "$note$again"
    passed=$((passed + ${passing:-0}))
    failed=$((failed + bad))
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
