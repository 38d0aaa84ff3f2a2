#!/bin/sh
# Install what was built, or take it away again.
#   sh tests/setup/install.sh OUTPUT GENERATED DESTDIR PREFIX VERSION CLIENTS
#   sh tests/setup/install.sh --undo DESTDIR PREFIX CLIENTS
# CLIENTS are the services whose client libraries are there: "kv payment".
# A service's headers go to include/rpcrt-SERVICE/, its options to include/.
set -eu

if [ "$1" = --undo ]; then
    root=$2$3
    rm -rf "$root/include/rpcrt"
    rm -f "$root"/lib/librpcrt.a "$root"/lib/librpcrt.so* \
        "$root"/lib/librpcrt-admin.* "$root"/lib/pkgconfig/rpcrt-admin.pc \
        "$root/lib/pkgconfig/rpcrt.pc" "$root/bin/protoc-gen-rpcrt" \
        "$root/share/bash-completion/completions/rpcctl"
    for tool in clients/*ctl.c; do
        rm -f "$root/bin/$(basename "$tool" .c)"
    done
    for name in $4; do
        rm -rf "$root/include/rpcrt-$name"
        rm -f "$root/lib/librpcrt-$name".* \
            "$root/lib/pkgconfig/rpcrt-$name.pc" \
            "$root/bin/${name}d"
    done
    exit 0
fi

out=$1
generated=$2
prefix=$4
root=$3$4
version=$5
clients=$6

install -d "$root/bin" "$root/include/rpcrt/v1" "$root/lib/pkgconfig"
install "$out"/bin/* "$root/bin"
install -d "$root/share/bash-completion/completions"
"$out/bin/rpcctl" completion bash \
    >"$root/share/bash-completion/completions/rpcctl"
install -m 644 rpcrt/include/rpcrt/*.h "$root/include/rpcrt"
install -m 644 idl/rpcrt/v1/options.proto "$root/include/rpcrt/v1"
install -m 644 "$out"/lib/*.a "$root/lib"
for library in "$out"/lib/*.so.*.*; do
    install -m 644 "$library" "$root/lib"
done
for link in "$out"/lib/*.so "$out"/lib/*.so.0; do
    cp -P "$link" "$root/lib"
done

cat >"$root/lib/pkgconfig/rpcrt.pc" <<END
prefix=$prefix
plugin=\${prefix}/bin/protoc-gen-rpcrt
protodir=\${prefix}/include
Name: rpcrt
Description: RPC for plain C
Version: $version
Requires: libprotobuf-c
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lrpcrt
Libs.private: -lmbedtls -lmbedx509 -lmbedcrypto -pthread
END

cat >"$root/lib/pkgconfig/rpcrt-admin.pc" <<END
prefix=$prefix
Name: rpcrt-admin
Description: Health and reflection for servers made with rpcrt
Version: $version
Requires: rpcrt
Libs: -L\${prefix}/lib -lrpcrt-admin
END

for name in $clients; do
    (cd "$generated" && find "$name" -name '*.h' ! -name '*.server.h') |
        while read -r header; do
            install -D -m 644 "$generated/$header" \
                "$root/include/rpcrt-$name/$header"
        done
    cat >"$root/lib/pkgconfig/rpcrt-$name.pc" <<END
prefix=$prefix
Name: rpcrt-$name
Description: Generated client library of the service $name
Version: $version
Requires: rpcrt
Cflags: -I\${prefix}/include/rpcrt-$name
Libs: -L\${prefix}/lib -lrpcrt-$name
END
done
