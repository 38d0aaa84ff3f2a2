#!/bin/sh
# Check that #includes go one way:
#   services, clients -> generated code -> rpcrt -> libraries
# and that what does no I/O includes nothing to do it with. A program's own
# list of what it may include is in the Makefile (-I); this names the trespass.
#   sh tests/setup/layers.sh [TREE]
set -u
cd "${1:-.}" || exit 2

# Every include of the project as "file<TAB>line<TAB>header".
includes() {
    find "$@" -name '*.[ch]' -exec awk '
        match($0, /^[ \t]*#[ \t]*include[ \t]*[<"][^>"]*[>"]/) {
            header = substr($0, RSTART, RLENGTH)
            gsub(/^[^<"]*[<"]|[>"]$/, "", header)
            print FILENAME "\t" FNR "\t" header
        }' {} + 2>/dev/null
}

# refuse FOLDERS HEADERS WHY: no file of the folders includes such a header
# (an extended regular expression, matched from its start).
found=$(mktemp)
trap 'rm -f "$found"' EXIT
refuse() {
    # shellcheck disable=SC2086 # folders are words
    includes $1 | awk -F'\t' -v headers="^($2)" -v why="$3" '
        $3 ~ headers { print $1 ":" $2 ": includes " $3 ": " why }' >>"$found"
}

sockets='sys/socket|sys/un\.h|netinet/|arpa/|netdb'
waits='poll\.h|sys/(e?poll|select|ioctl)'
files='unistd|fcntl|sys/(mman|stat|file|wait)|dirent|lmdb'
threads='pthread|threads\.h|semaphore|signal\.h|time\.h|sys/time'

# The libraries that only the transport may know.
refuse "rpcrt/include rpcrt/core rpcrt/wire rpcrt/client rpcrt/server codegen \
        services clients" 'nng/|mbedtls/|nghttp2/|uv\.h|openssl/' \
    'only rpcrt/transport/ knows this library'
find rpcrt -maxdepth 1 -name '*.c' -exec echo '{}: belongs in a folder' \; >>"$found"
for transport in rpcrt/transport/*/; do
    if [ "$transport" != rpcrt/transport/nng/ ]; then
        refuse "$transport" 'nng/|mbedtls/' \
            'only rpcrt/transport/nng/ knows this library'
    fi
done

# Upwards, or sideways.
refuse rpcrt '(\.\./)*(services|clients|codegen|tests|kv/|payment/|petstore/)' \
    'rpcrt knows no service and no client'
refuse "rpcrt/include" '[^/]*$|core/|wire/|client/|server/|transport/' \
    'public headers include public headers' # the C library's are taken out below
refuse "rpcrt/core rpcrt/wire" '(rpcrt/)?(client|server|transport|actor)/' \
    'core/ and wire/ know nothing above them'
refuse "rpcrt/core" '(rpcrt/)?wire/' 'core/ knows nothing above it'
refuse "rpcrt/admin" '(\.\./)*(rpcrt/)?(core|wire|client|server|transport|actor)/' \
    'admin/ is written on the public headers and generated code'
refuse "rpcrt/core rpcrt/wire rpcrt/client rpcrt/server rpcrt/transport" \
    '.*\.(pb-c|rpc|client|server)\.h$|(rpcrt/)?admin/|rpcrt/(health|reflection)\.h' \
    'librpcrt holds no generated code, and does not know who uses it'
refuse "rpcrt/transport" '(rpcrt/)?(client|server|actor)/' \
    'a transport serves whoever is above it'
refuse "rpcrt/client" '(rpcrt/)?(server|transport/nng)/' \
    'client/ knows neither server/ nor the transports behind link.h'
refuse "rpcrt/server" '(rpcrt/)?(client|transport/nng)/' \
    'server/ knows neither client/ nor the transports behind link.h'
refuse "rpcrt/interceptors" '(rpcrt/)?(client|server|wire|transport)/' \
    'interceptors stand on the public API'
refuse codegen '(\.\./)*(rpcrt|services|clients)/' \
    'the plugin stands on protobuf-c alone'
refuse "services clients" '(\.\./)*(rpcrt/)?(core|wire|client|server|transport|actor)/' \
    "not one of rpcrt's public headers"
refuse clients '(\.\./)*services/' 'a client knows only the interface'
refuse clients '.*\.server\.h$' 'a client needs no server code'
for service in services/*/; do
    name=$(basename "$service")
    if [ "$name" = common ]; then
        continue
    fi
    for other in services/*/; do
        other=$(basename "$other")
        if [ "$other" != "$name" ]; then
            refuse "services/$other" "(\\.\\./)+$name/|services/$name/" \
                'a service knows no other service'
            refuse "services/$other" "$name/[^/]*\\.h\$" \
                'a service knows no other service'
        fi
    done
done

# What does no I/O.
refuse "rpcrt/core rpcrt/wire" "$sockets|$waits|$files" 'core/ and wire/ do no I/O'
refuse "rpcrt/wire" "$threads" 'wire/ has no threads and no clock'
refuse "rpcrt/client rpcrt/server" "$sockets" 'sockets belong to rpcrt/transport/'

# <stdint.h> and the like are no trespass of the public headers.
grep -Ev '/include/.* includes (std[a-z]*|inttypes)\.h: public' "$found" | sort -u >"$found.1"
mv "$found.1" "$found"
if [ -s "$found" ]; then
    cat "$found"
    exit 1
fi
