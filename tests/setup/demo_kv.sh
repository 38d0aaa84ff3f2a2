#!/bin/sh
# Show the key-value server and its client at work, over ipc, tcp and tls.
#   sh tests/setup/demo_kv.sh PROGRAMS
# PROGRAMS is the folder of kvd and kvctl. Everything happens in a temporary
# folder, on free ports of 127.0.0.1, and is gone afterwards. Ends with 0 if
# every step went as it should.
set -eu

PATH=$(cd "$1" && pwd):$PATH
here=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
chmod 700 "$dir"
# shellcheck source=tests/setup/show.sh
. "$here/setup/show.sh"

finish() {
    last=$?
    if [ "$last" -ne 0 ]; then
        echo
        echo "demo: failed; the server's log:" >&2
        tail -n 20 "$dir/kvd.log" >&2 || true
    fi
    daemon_stop kvd TERM
    rm -rf "$dir"
    exit "$last"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Start kvd; sets ipc, tcp and tls.
start_kvd() {
    set -- kvd --data data --tokens tokens \
        --listen ipc://kv.sock --listen tcp://127.0.0.1:0 \
        --listen tls+tcp://127.0.0.1:0 --tls-cert certs/server.pem \
        --tls-key certs/server.key --tls-ca certs/ca.pem
    say_command "$@"
    daemon_start 3 "$@"
    cat kvd.out
    for address in $addresses; do
        case $address in
        ipc://*) ipc=$address ;;
        tcp://*) tcp=$address ;;
        tls+tcp://*) tls=$address ;;
        esac
    done
}

cd "$dir"
sh "$here/support/certs.sh" certs

heading 'Tokens: two shops, kept apart'
: >tokens
for shop in red blue; do
    say_command kvctl token new "$shop"
    kvctl token new "$shop" >made
    sed -n 1p made >"$shop.token"
    sed -n 2p made | tee -a tokens
done

heading 'A server, on a socket file, on TCP and on TLS'
start_kvd

heading 'ipc: put, get, range'
export KVCTL_ADDRESS="$ipc" KVCTL_TOKEN_FILE=red.token
show kvctl put pet/1 'a red cat'
show kvctl put pet/2 'a grey parrot'
show_value kvctl get pet/1
show kvctl range --prefix pet/
show kvctl --json range --prefix pet/ --limit 1
expect 'a red cat' "$(kvctl get pet/1)"

heading 'tcp: transactions - only the first buyer gets the cat'
export KVCTL_ADDRESS="$tcp"
for buyer in ann bob; do
    show kvctl txn --if 'version sold/1 = 0' --then "put sold/1 $buyer" \
        --else 'get sold/1'
done
expect ann "$(kvctl get sold/1)"

heading 'tls: store and load - whoever knows the key may read the value'
export KVCTL_ADDRESS="$tls" KVCTL_TLS_CA=certs/ca.pem \
    KVCTL_TLS_CERT=certs/client.pem KVCTL_TLS_KEY=certs/client.key
say_command kvctl store 'a picture of the cat'
key=$(kvctl store 'a picture of the cat')
echo "$key"
show_value kvctl --token-file blue.token load "$key"
expect 'a picture of the cat' "$(kvctl load "$key")"

heading 'Refused: the other shop, a wrong token, wrong certificates'
say_command kvctl --token-file blue.token range
expect '' "$(kvctl --token-file blue.token range)"
echo '(nothing: blue sees no key of red)'
echo 'an invented token' >wrong.token
show_refused 16 kvctl --token-file wrong.token get pet/1
show_refused 14 kvctl --tls-ca certs/test/other-ca.pem get pet/1
show_refused 14 kvctl --tls-cert certs/test/other-client.pem \
    --tls-key certs/test/other-client.key get pet/1

heading 'kill -9: what was acknowledged is still there'
export KVCTL_ADDRESS="$ipc"
unset KVCTL_TLS_CA KVCTL_TLS_CERT KVCTL_TLS_KEY
i=0
while [ "$i" -lt 20 ]; do
    kvctl put "order/$i" "paid $i" >/dev/null
    i=$((i + 1))
done
echo "20 orders put, each acknowledged"
echo "\$ kill -9 $(cat kvd.pid)    # kvd"
daemon_stop kvd KILL
show_refused 14 kvctl --timeout 1s get pet/1
start_kvd
export KVCTL_ADDRESS="$tcp"
expect 20 "$(kvctl range --prefix order/ --keys-only | wc -l)"
show_value kvctl get order/19
show_value kvctl get sold/1
show_value kvctl load "$key"
show kvctl status
expect 'paid 19' "$(kvctl get order/19)"
expect ann "$(kvctl get sold/1)"
expect 'a picture of the cat' "$(kvctl load "$key")"

heading 'SIGTERM: finish what runs, then end'
daemon_stop kvd TERM
expect 0 "$code"
echo "kvd ended with exit code $code"
printf '\nAll went as it should.\n'
