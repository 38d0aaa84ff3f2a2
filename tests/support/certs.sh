#!/bin/sh
# Makes certificates for development and for tests, on P-256:
#
#   sh tests/support/certs.sh DIR
#
#   DIR/ca.pem                 the authority            (ca.key)
#   DIR/server.pem server.key  for localhost, 127.0.0.1, ::1 and the services
#   DIR/client.pem client.key  common name "dev-client"
#   DIR/payment/               paymentd's own authority (ca.pem, ca.key), its
#                              server.pem, and who may come in: shop.pem, the
#                              client petstored, and operator.pem, payctl
#   DIR/test/                  what must be refused, see below
#
# Does nothing while DIR is complete and good for another week. Keys are
# readable by their owner only. Not for production: the authority's key lies
# beside what it signs.
set -eu

say() {
    printf 'certs: %s\n' "$*" >&2
}

[ $# -eq 1 ] || { say "usage: certs.sh DIR"; exit 2; }
command -v openssl >/dev/null || { say "openssl is not installed"; exit 1; }
umask 077
mkdir -p "$1"
out=$(cd "$1" && pwd)
sum=$(sha256sum <"$0")

up_to_date() {
    [ "$(cat "$out/stamp" 2>/dev/null)" = "$sum" ] &&
        openssl x509 -checkend 604800 -noout -in "$out/server.pem" >/dev/null 2>&1
}

# One at a time: several programs may ask for the same folder.
exec 9>"$out/.lock"
flock 9
if up_to_date; then
    exit 0
fi

new=$out/.new
rm -rf "$new"
mkdir -p "$new/test" "$new/payment" "$new/db"
trap 'rm -rf "$new"' EXIT
cd "$new"

run() {
    if ! "$@" 2>"$new/log" 9>&-; then
        cat "$new/log" >&2
        say "failed: $*"
        exit 1
    fi
}

# Midnight of a day, as `openssl ca` wants it.
day() {
    date -u -d "$1" +%Y%m%d000000Z
}
yesterday=$(day '1 day ago')
next_year=$(day '365 days')

# In place of the machine's own settings.
cat >db/config <<CONFIG
[req]
distinguished_name = any
[ca]
default_ca = own
[own]
database = $new/db/index.txt
new_certs_dir = $new/db
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
CONFIG
export OPENSSL_CONF="$new/db/config"

# key FILE: a private key.
key() {
    run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
        -out "$1.key"
}

# authority FILE NAME: signs itself.
authority() {
    key "$1"
    run openssl req -new -x509 -key "$1.key" -subj "/CN=$2" -days 365 -sha256 \
        -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign,cRLSign -out "$1.pem"
}

# sign BY FILE NAME EXTENSIONS [FROM [UNTIL]]: a certificate for FILE.key,
# extensions separated by ";".
sign() {
    : >db/index.txt
    printf '%s\n' "basicConstraints=critical,CA:FALSE;$4" | tr ';' '\n' \
        >db/extensions
    run openssl req -new -key "$2.key" -subj "/CN=$3" -out db/request
    run openssl ca -batch -notext -extfile db/extensions \
        -cert "$1.pem" -keyfile "$1.key" -startdate "${5:-$yesterday}" \
        -enddate "${6:-$next_year}" -in db/request -out "$2.pem"
}

server='extendedKeyUsage=serverAuth'
client='extendedKeyUsage=clientAuth'
local='subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'
services='DNS:kvd,DNS:paymentd,DNS:petstored'

authority ca 'rpcrt development'
key server
sign ca server kvd "$server;$local,$services"
key client
sign ca client dev-client "$client"

# Nobody reaches paymentd whom its own authority has not signed.
authority payment/ca 'rpcrt development, payment'
key payment/server
sign payment/ca payment/server paymentd "$server;$local,DNS:paymentd"
key payment/shop
sign payment/ca payment/shop petstored "$client"
key payment/operator
sign payment/ca payment/operator payctl "$client"

# The other authority, which nobody here trusts, and what it has signed.
authority test/other-ca 'somebody else'
key test/other-server
sign test/other-ca test/other-server kvd "$server;$local"
key test/other-client
sign test/other-ca test/other-client intruder "$client"

# Out of time.
key test/expired-server
sign ca test/expired-server kvd "$server;$local" 20200101000000Z 20210101000000Z
key test/expired-client
sign ca test/expired-client dev-client "$client" 20200101000000Z 20210101000000Z
key test/future-server
sign ca test/future-server kvd "$server;$local" 20480101000000Z 20490101000000Z
key test/future-client
sign ca test/future-client dev-client "$client" 20480101000000Z 20490101000000Z

# Names: of another host, without addresses, without other names at all, with
# an address written as a name.
key test/elsewhere-server
sign ca test/elsewhere-server elsewhere.example \
    "$server;subjectAltName=DNS:elsewhere.example,IP:192.0.2.7"
key test/dns-server
sign ca test/dns-server kvd "$server;subjectAltName=DNS:localhost"
key test/cn-server
sign ca test/cn-server localhost "$server"
key test/textual-server
sign ca test/textual-server 127.0.0.1 "$server;subjectAltName=DNS:127.0.0.1"

# A name that could forge a line in a log.
key test/newline-client
sign ca test/newline-client "dev
client" "$client"

# Through an intermediate authority; the file has the chain.
key test/middle
sign ca test/middle 'rpcrt middle' 'keyUsage=critical,keyCertSign'
sed 's/CA:FALSE/CA:TRUE/' db/extensions >db/extensions.ca
run openssl ca -batch -notext -extfile db/extensions.ca \
    -cert ca.pem -keyfile ca.key -startdate "$yesterday" -enddate "$next_year" \
    -in db/request -out test/middle.pem
key test/chain-server
sign test/middle test/chain-server kvd "$server;$local"
cat test/middle.pem >>test/chain-server.pem

# With RSA; too short a key for anybody's comfort.
run openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
    -out test/rsa-server.key
sign ca test/rsa-server kvd "$server;$local"
run openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 \
    -out test/weak-server.key
sign ca test/weak-server kvd "$server;$local"

# Files that are not what they should be.
run openssl pkey -in server.key -aes-256-cbc -passout pass:secret \
    -out test/encrypted.key
run openssl ec -in server.key -aes-256-cbc -passout pass:secret \
    -out test/encrypted-old.key
run openssl x509 -in server.pem -outform DER -out test/server.der
printf 'hello\n' >test/text.pem
: >test/empty.pem
{
    cat ca.pem
    printf '%s\n' '-----BEGIN CERTIFICATE-----' 'AAAA' \
        '-----END CERTIFICATE-----'
} >test/broken.pem
cp server.pem test/cert.key
cp server.key test/open.key
chmod 644 test/open.key

rm -rf db log
find . -name '*.pem' -exec chmod 644 {} +
rm -rf "$out/test" "$out/payment" "$out"/*.pem "$out"/*.key
mv test payment ./*.pem ./*.key "$out"
printf '%s\n' "$sum" >"$out/stamp"
