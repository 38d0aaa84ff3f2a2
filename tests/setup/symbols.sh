#!/bin/sh
# The libraries define for others only what their headers declare: nng, inner
# names, and what librpcrt-admin has generated for itself stay inside, so that
# programs may bring their own.
set -u
lib=${BUILD:-build}/release/lib
failed=0

# only LIBRARY PATTERN: nothing but symbols like that, and some of them.
only() {
    for file in "$lib/$1.a" "$lib/$1.so"; do
        case $file in *.so) dynamic=-D ;; *) dynamic= ;; esac
        # shellcheck disable=SC2086 # no word if empty
        names=$(nm $dynamic -g --defined-only "$file" | awk 'NF == 3 { print $3 }')
        strange=$(echo "$names" | grep -Ev "$2")
        if [ -z "$names" ] || [ -n "$strange" ]; then
            echo "$file defines, beside $2:" "$strange"
            failed=1
        fi
    done
}

only librpcrt '^rpcrt_[a-z]'
only librpcrt-admin '^rpcrt_(health|reflection)_[a-z]'
exit "$failed"
