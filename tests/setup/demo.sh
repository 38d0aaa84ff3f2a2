#!/bin/sh
# Show the key-value server and its client at work, over ipc, tcp and tls.
#   sh tests/setup/demo.sh PROGRAMS
# PROGRAMS is the folder of kvd and kvctl. Everything happens in a temporary
# folder, on free ports of 127.0.0.1, and is gone afterwards. Ends with 0 if
# every step went as it should.
set -eu

PATH=$(cd "$1" && pwd):$PATH
here=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
chmod 700 "$dir"
kvd_pid=

stop_kvd() {
    if [ -n "$kvd_pid" ]; then
        kill "-$1" "$kvd_pid" 2>/dev/null || true
        wait "$kvd_pid" 2>/dev/null || true
        kvd_pid=
    fi
}
finish() {
    code=$?
    stop_kvd TERM
    if [ "$code" -ne 0 ]; then
        echo
        echo "demo: failed; the server's log:" >&2
        tail -n 20 "$dir/kvd.log" >&2 || true
    fi
    rm -rf "$dir"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

heading() {
    printf '\n== %s\n' "$1"
}

# Say a command as one would type it, and run it.
show() {
    say_command "$@"
    "$@"
}

say_command() {
    printf '$'
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=@+,-]* | '') printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
}

# The same, for one that writes a value and nothing behind it.
show_value() {
    say_command "$@"
    value=$("$@")
    printf '%s\n' "$value"
}

# The same, for a command that must end in a status: show_refused STATUS COMMAND...
show_refused() {
    wanted=$1
    shift
    say_command "$@"
    code=0
    "$@" 2>&1 || code=$?
    expect "$((64 + wanted))" "$code"
    echo "(exit code 64 + $wanted)"
}

expect() {
    if [ "$2" != "$1" ]; then
        echo "demo: expected '$1', got '$2'" >&2
        exit 1
    fi
}

# Start kvd and wait until it says where it listens; sets ipc, tcp and tls.
start_kvd() {
    rm -f "$dir/ready"
    mkfifo "$dir/ready"
    set -- kvd --data data --tokens tokens \
        --listen ipc://kv.sock --listen tcp://127.0.0.1:0 \
        --listen tls+tcp://127.0.0.1:0 --tls-cert certs/server.pem \
        --tls-key certs/server.key --tls-ca certs/ca.pem
    say_command "$@"
    "$@" >"$dir/ready" 2>>"$dir/kvd.log" &
    kvd_pid=$!
    ipc="" tcp="" tls=""
    exec 3<"$dir/ready"
    while [ -z "$ipc" ] || [ -z "$tcp" ] || [ -z "$tls" ]; do
        if ! read -r line <&3; then
            echo 'demo: kvd did not start' >&2
            exit 1
        fi
        echo "$line"
        address=${line##* }
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
echo "\$ kill -9 $kvd_pid    # kvd"
stop_kvd KILL
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
kill -TERM "$kvd_pid"
code=0
wait "$kvd_pid" || code=$?
kvd_pid=
expect 0 "$code"
echo "kvd ended with exit code $code"
printf '\nAll went as it should.\n'
