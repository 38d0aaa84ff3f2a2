#!/bin/sh
# Run clang-tidy on some files; for xargs.
#   sh tests/setup/tidy.sh FLAG... -- FILE...
set -u
failed=0
flags=
while [ "$1" != -- ]; do
    flags="$flags $1"
    shift
done
shift
for file in "$@"; do
    # shellcheck disable=SC2086 # flags are words
    if ! out=$(clang-tidy-14 --quiet "$file" -- $flags 2>&1); then
        printf '%s\n' "$out" | grep -E ' (error|warning): ' ||
            printf '%s\n' "$out"
        failed=1
    fi
done
exit "$failed"
