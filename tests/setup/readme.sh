#!/bin/sh
# Do what the README tells newcomers to do: take the files of its examples out of
# the page, build them against an installed rpcrt, run the commands, and compare
# what they print with what the page says.
#   sh tests/setup/readme.sh PREFIX
# PREFIX is where `make install` put rpcrt.
set -eu

prefix=$(cd "$1" && pwd)
readme=$(cd "$(dirname "$0")/../.." && pwd)/README.md
dir=$(mktemp -d)
server=
finish() {
    code=$?
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$dir"
    exit "$code"
}
trap finish EXIT
cd "$dir"

# A file is the block behind a paragraph that ends in a colon, and in `its name`
# before it; or that begins with `its name`, and a comma.
awk '
    /^```/ && inside { inside = 0; close(name); name = ""; next }
    /^```/ && name != "" { inside = 1; next }
    inside { print > name; next }
    /`[a-zA-Z.]*`:$/ { name = $NF; gsub(/[`:]/, "", name) }
    /^`[a-zA-Z.]*`, / { named = $1; gsub(/[`,]/, "", named) }
    /^$/ { named = "" }
    named != "" && /:$/ { name = named }
    /^## / { name = "" }
    /^## Build/ { exit }
' "$readme"
for file in hello.proto server.c client.c Makefile many.c json.c; do
    [ -s "$file" ] || { echo "readme: no $file in $readme" >&2; exit 1; }
done

PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
CFLAGS="-Wall -Wextra -Werror" make all many json >make.log 2>&1 || {
    cat make.log >&2
    exit 1
}
./server &
server=$!
tries=0
until [ -S hello.socket ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { echo "readme: the server does not come up" >&2; exit 1; }
    sleep 0.05
done

# The sessions on the page, but for what is not printed by the clients.
awk '
    /^\$ make( many| json)?$/ { on = 1 }
    /^```/ { on = 0 }
    on && !/^\$ (make( many| json)?|\.\/server &)$/ { print }
' "$readme" >expected
{
    echo '$ ./client Ada'
    ./client Ada 2>&1
    echo '$ ./client'
    ./client 2>&1 || true
    echo '$ ./many'
    ./many 2>&1
    for field in name nmae; do
        echo "\$ ./json '{ \"$field\" : \"Ada\" }'"
        ./json "{ \"$field\" : \"Ada\" }" 2>&1 || true
    done
} >got
diff -u expected got
kill "$server"
wait "$server"
server=
echo "readme: the examples build, run and print what they should"
