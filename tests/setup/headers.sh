#!/bin/sh
# Compile each public header, and each generated one, alone: as C11 under the
# project's warnings, and as C++17.
#   sh tests/setup/headers.sh GENERATED 'CC FLAGS'
set -u
generated=$1
compile=$2
failed=0
for header in rpcrt/include/rpcrt/*.h $(find "$generated" -name '*.h' \
    ! -path '*/google/*' | sort); do
    case $header in
    rpcrt/*) name=rpcrt/${header##*/} ;;
    *) name=${header#"$generated"/} ;;
    esac
    printf '#include <%s>\nextern int unused;\n' "$name" |
        $compile -std=c11 -Werror -fsyntax-only -x c - || failed=1
    printf '#include <%s>\nextern int unused;\n' "$name" |
        g++ -std=c++17 -Wall -Wextra -Werror -Irpcrt/include -I"$generated" \
            -fsyntax-only -x c++ - || failed=1
done
exit "$failed"
