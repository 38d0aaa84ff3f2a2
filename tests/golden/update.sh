#!/bin/sh
# Write the expected output of the plugin anew; look at the difference before
# keeping it. PLUGIN names the program.
#   PLUGIN=... sh tests/golden/update.sh [CASE...]
# A case is a folder: of in.proto come rpc, client and server files (messages
# are protoc-gen-c's business). The folder bad/ has one .txt for each .proto,
# what protoc says of it.
set -eu
cd "$(dirname "$0")"
case ${PLUGIN:?is not set} in
/*) ;;
*) PLUGIN=$OLDPWD/$PLUGIN ;;
esac
idl=../../idl
include=${PROTO_INCLUDE:-/usr/include}

golden() {
    out=$(mktemp -d)
    protoc -I"$1" -I"$idl" -I"$include" --rpcrt_out="$out" \
        --plugin=protoc-gen-rpcrt="$PLUGIN" in.proto
    rm -f "$1"/in.*.[ch]
    for kind in rpc client server; do
        cp "$out/in.$kind.h" "$out/in.$kind.c" "$1"
    done
    rm -r "$out"
}

bad() {
    out=$(mktemp -d)
    for proto in bad/*.proto; do
        if protoc -Ibad -I"$idl" -I"$include" --rpcrt_out="$out" \
            --plugin=protoc-gen-rpcrt="$PLUGIN" "${proto#bad/}" \
            2>"${proto%.proto}.txt"; then
            echo "$proto was not refused" >&2
            exit 1
        fi
    done
    rm -r "$out"
}

[ $# -gt 0 ] || set -- */
for name in "$@"; do
    case ${name%/} in
    bad) bad ;;
    *) golden "${name%/}" ;;
    esac
done
