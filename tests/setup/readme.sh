#!/bin/sh
# Do what the README tells newcomers to do: take the files of its first sections
# out of the page, copy tests/examples/ beside them, build all against an installed
# rpcrt, run the commands ("$ ..."), and compare what they print with what the page
# says. Code on the page that is no file must stand in one of tests/examples/.
#   sh tests/setup/readme.sh PREFIX
# PREFIX is where `make install` put rpcrt.
set -eu

prefix=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
readme=$top/README.md
dir=$(mktemp -d)
servers=
finish() {
    code=$?
    # shellcheck disable=SC2086 # several words
    [ -z "$servers" ] || kill $servers 2>/dev/null || true
    rm -rf "$dir"
    exit "$code"
}
trap finish EXIT
cd "$dir"

# A file is the block behind a paragraph that ends in a colon, and in `its name`
# before it; or that begins with `its name`, and a comma. Other C is a part.
awk '
    /^```/ && inside { inside = 0; close(name); name = ""; next }
    /^```c$/ && chapter && name == "" { name = "part" ++parts }
    /^```/ && name != "" { inside = 1; next }
    inside { print > name; next }
    /`[a-zA-Z.]*`:$/ { name = $NF; gsub(/[`:]/, "", name) }
    /^`[a-zA-Z.]*`, / { named = $1; gsub(/[`,]/, "", named) }
    /^$/ { named = "" }
    /^## / { chapter = 1 }
    named != "" && /:$/ { name = named }
    /^## / { name = "" }
    /^## Build/ { exit }
' "$readme"

cp "$top"/tests/examples/*.c .
for part in part*; do
    awk 'FNR == NR { part = part $0 "\n"; next }
         FNR == 1 { file = "" }
         { file = file $0 "\n" }
         index(file, part) { found = 1; exit }
         END { exit !found }' "$part" "$top"/tests/examples/*.c || {
        echo "readme: not in tests/examples/:" >&2
        cat "$part" >&2
        exit 1
    }
done

# The sessions: blocks that begin with a command.
awk '
    /^```/ && inside { inside = 0; next }
    /^```$/ { fresh = 1; next }
    fresh { fresh = 0; inside = /^\$ / }
    inside { print }
    /^## Build/ { exit }
' "$readme" >expected
for file in hello.proto server.c client.c Makefile $(
    sed -n 's/^\$ make //p' expected | tr ' ' '\n' | sed 's/$/.c/'
); do
    [ -s "$file" ] || { echo "readme: no $file in $readme" >&2; exit 1; }
done

# What the make that runs this was told is not for the makes of the page.
unset MAKEFLAGS MFLAGS MAKELEVEL
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
PATH=$prefix/bin:$PATH
export PKG_CONFIG_PATH PATH

server_up() {
    tries=0
    until [ -S "$1" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || { echo "readme: $1 does not come up" >&2; exit 1; }
        sleep 0.05
    done
}

# A server NAME.c listens on the socket that it names.
sed -n 's/^\$ //p' expected >commands
while read -r command <&3; do
    printf '$ %s\n' "$command"
    case $command in
    make*)
        CFLAGS="-Wall -Wextra -Werror" sh -c "$command" >make.log 2>&1 || {
            cat make.log >&2
            exit 1
        }
        ;;
    ./*' &')
        eval "$command"
        servers="$servers $!"
        name=${command%% *}
        server_up "$(sed -n 's|.*ipc://\([a-z.]*\)".*|\1|p' "$name.c")"
        ;;
    *)
        eval "$command" 2>&1 || true
        ;;
    esac
done 3<commands >got
diff -u expected got
# shellcheck disable=SC2086 # several words
kill $servers
# shellcheck disable=SC2086
wait $servers
servers=
echo "readme: the examples build, run and print what they should"
