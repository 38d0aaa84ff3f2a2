#!/bin/sh
# What `make check` runs beside `make test`. Each step counts as one test, the
# tests under TSan as many as they are. The last line is "N passed, N failed".
set -u
make=${MAKE:-make}
jobs=-j${JOBS:-1}
case ${MAKEFLAGS:-} in *-j*) jobs= ;; esac
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

# step NAME COMMAND...
step() {
    name=$1
    shift
    if "$@" >"$log" 2>&1; then
        result=ok
        passed=$((passed + 1))
    else
        result=FAILED
        failed=$((failed + 1))
        cat "$log"
    fi
    printf '%-32s %s\n' "$name" "$result"
}

scripts() {
    find . .ci/install .ci/run \( -path ./build -o -path ./.git \) -prune -o \
        -type f \( -name '*.sh' -o -path '.ci/*' \) -exec shellcheck -s sh {} +
}

# shellcheck disable=SC2086 # no word if empty
{
    step 'layers' $make --no-print-directory layers
    step 'format' $make --no-print-directory format-check
    step 'shell scripts' scripts
    step 'release build without warnings' \
        $make --no-print-directory $jobs WERROR=1 VARIANT=release all
    step 'headers' $make --no-print-directory WERROR=1 headers
    step 'library size' sh tests/setup/size.sh
    step 'library symbols' sh tests/setup/symbols.sh
    step 'clang-tidy and clang warnings' \
        $make --no-print-directory $jobs WERROR=1 VARIANT=release tidy
}

echo 'Tests under ThreadSanitizer:'
# shellcheck disable=SC2086
$make --no-print-directory $jobs WERROR=1 VARIANT=tsan run-tests 2>&1 | tee "$log"
sum=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" |
    tail -n 1)
if [ -n "$sum" ]; then
    passed=$((passed + ${sum% *}))
    failed=$((failed + ${sum#* }))
else
    failed=$((failed + 1))
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
