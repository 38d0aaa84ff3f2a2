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

# The same, for a command that must be refused.
show_refused() {
    say_command "$@"
    code=0
    "$@" 2>&1 || code=$?
    if [ "$code" -eq 0 ]; then
        echo "demo: this should have been refused" >&2
        exit 1
    fi
    echo "(exit code $code)"
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
    set -- kvd --data "$dir/data" --tokens "$dir/tokens" \
        --listen "ipc://$dir/kv.sock" --listen tcp://127.0.0.1:0 \
        --listen tls+tcp://127.0.0.1:0 --tls-cert "$certs/server.pem" \
        --tls-key "$certs/server.key" --tls-ca "$certs/ca.pem"
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
certs=$dir/certs
sh "$here/support/certs.sh" "$certs"

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
export KVCTL_ADDRESS="$ipc" KVCTL_TOKEN_FILE="$dir/red.token"

heading 'ipc: put, get, range'
show kvctl put pet/1 'a red cat'
show kvctl put pet/2 'a grey parrot'
show kvctl get pet/1
show kvctl range --prefix pet/
expect 'a red cat' "$(kvctl get pet/1)"
