#!/bin/sh
# The shared library, nng inside, stays below 400 KB when stripped.
set -u
library=$(echo "${BUILD:-build}"/release/lib/librpcrt.so.*.*)
small=$(mktemp)
trap 'rm -f "$small"' EXIT
strip -o "$small" "$library" || exit 1
size=$(wc -c <"$small")
echo "$library: $size bytes stripped"
[ "$size" -le 400000 ]
