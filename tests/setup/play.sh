#!/bin/sh
# Run a pet shop of three processes until Ctrl-C, and say what to try.
#   sh tests/setup/play.sh PROGRAMS
# PROGRAMS is the folder of the programs. Everything happens in a temporary
# folder, on free ports of 127.0.0.1, and is gone afterwards.
set -eu

programs=$(cd "$1" && pwd)
PATH=$programs:$PATH
here=$(cd "$(dirname "$0")/.." && pwd)
catalogue=$(cd "$here/.." && pwd)/clients/catalogue.json
dir=$(mktemp -d)
# shellcheck source=tests/setup/show.sh
. "$here/setup/show.sh"
# shellcheck source=tests/setup/three.sh
. "$here/setup/three.sh"

finish() {
    last=$?
    for name in petstored paymentd kvd; do
        daemon_stop "$name" TERM
    done
    rm -rf "$dir"
    exit "$last"
}
trap finish EXIT
trap 'exit 0' INT TERM
cd "$dir"

three_files
start_three
export PETCTL_SESSION_FILE="$dir/session"
petctl login sam --password-file sam.password >/dev/null
petctl import "$catalogue" >/dev/null 2>&1
petctl logout >/dev/null
payctl issue @ann.card --expiry 12/30 --balance 5000.00 --currency EUR >/dev/null
payctl issue @poor.card --expiry 12/30 --balance 5.00 --currency EUR >/dev/null
{
    echo "export PATH='$programs':\"\$PATH\""
    env | sed -n "s/^\(PETCTL_[A-Z_]*\|PAYCTL_[A-Z_]*\)=\(.*\)/export \1='\2'/p"
    cat <<ENVIRONMENT
export KVCTL_ADDRESS='$kv' KVCTL_TOKEN_FILE='$dir/kv-shop.token'
export KVCTL_TLS_CA='$dir/certs/ca.pem'
export KVCTL_TLS_CERT='$dir/certs/client.pem'
export KVCTL_TLS_KEY='$dir/certs/client.key'
ENVIRONMENT
} >environment

cat <<TEXT
A pet shop is open until Ctrl-C. Its folder, with the logs, is
  $dir

In another terminal:
  . $dir/environment

As a customer:
  petctl register ann
  petctl login ann
  petctl list --species cat --max 300.00
  petctl cart add cat-olive
  petctl checkout --card @$dir/ann.card --expiry 12/30
  petctl orders

With a card that has 5 EUR, and one with a wrong digit:
  petctl checkout --card @$dir/poor.card --expiry 12/30
  petctl checkout --card @$dir/wrong.card --expiry 12/30

As staff:
  petctl login sam --password-file $dir/sam.password
  petctl add --species yak --name Yolanda --price 900.00

As the bank, and below everything:
  payctl books
  payctl list --merchant petshop
  kvctl range --prefix order/ --keys-only
TEXT

# Until Ctrl-C, or until one of them ends by itself.
alive=yes
while [ "$alive" = yes ]; do
    sleep 1
    for name in kvd paymentd petstored; do
        if ! kill -0 "$(cat "$name.pid")" 2>/dev/null; then
            alive=no
            printf '\nplay: %s has ended; its log:\n' "$name" >&2
            tail -n 5 "$name.log" >&2
        fi
    done
done
[ "$alive" = yes ]
