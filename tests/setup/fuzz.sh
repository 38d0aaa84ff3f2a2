#!/bin/sh
# Run libFuzzer programs one after the other on their corpora. What they find
# new stays in build/; a crash is kept there too and fails the run.
#   sh tests/setup/fuzz.sh SECONDS PROGRAM...
set -u
seconds=$1
shift
failed=0
for program in "$@"; do
    name=${program##*/}
    work=${program%/*}/found-$name
    mkdir -p "$work"
    echo "fuzz $name for $seconds s"
    if ! "$program" -max_total_time="$seconds" -print_final_stats=1 \
        -rss_limit_mb=2048 -timeout=10 -artifact_prefix="$work/" "$work" \
        "tests/fuzz/corpus/$name" >"$work.log" 2>&1; then
        tail -n 40 "$work.log"
        echo "fuzz $name: FAILED, see $work"
        failed=1
    fi
done
exit "$failed"
