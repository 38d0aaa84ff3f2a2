#!/bin/sh
# Show a pet shop of three processes at work: a customer buys a pet with a card,
# others are refused, and everything is killed in the middle of a purchase.
#   sh tests/setup/demo.sh PROGRAMS
# PROGRAMS is the folder of the programs. Everything happens in a temporary
# folder, on free ports of 127.0.0.1, and is gone afterwards. Ends with 0 if
# every step went as it should.
set -eu

PATH=$(cd "$1" && pwd):$PATH
here=$(cd "$(dirname "$0")/.." && pwd)
catalogue=$(cd "$here/.." && pwd)/clients/catalogue.json
dir=$(mktemp -d)
# shellcheck source=tests/setup/show.sh
. "$here/setup/show.sh"
# shellcheck source=tests/setup/three.sh
. "$here/setup/three.sh"

finish() {
    last=$?
    if [ "$last" -ne 0 ]; then
        for name in kvd paymentd petstored; do
            printf '\ndemo: failed; the log of %s:\n' "$name" >&2
            tail -n 12 "$dir/$name.log" >&2 || true
        done
    fi
    for name in petstored paymentd kvd; do
        daemon_stop "$name" KILL
    done
    rm -rf "$dir"
    exit "$last"
}
trap finish EXIT
trap 'exit 130' INT TERM
cd "$dir"

# The value of a text member of JSON, the first with that name.
member() {
    grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4
}

# Who sits at the keyboard.
become() {
    export PETCTL_SESSION_FILE="$dir/$1.session"
}

status_of() {
    petctl --json show "$1" | member status
}

milliseconds() {
    date +%s%3N
}

heading 'Secrets: certificates, tokens, and the keys that card numbers go by'
note 'made once; each process gets only those that it needs'
three_files
say_command payctl token new merchant petshop
sed -n '/^merchant/p' paymentd.tokens
note 'the server keeps a hash; the token itself is in merchant.token'

heading 'Three processes: a key-value store, a payment server, a pet shop'
start_three
for name in kvd paymentd petstored; do
    cat "$name.out"
done
note 'paymentd takes only callers with a certificate of its own authority'
show_refused 14 payctl --tls-cert certs/client.pem --tls-key certs/client.key \
    books

heading 'Staff: a catalogue of pets'
become sam
show petctl login sam --password-file sam.password
say_command petctl import catalogue.json
petctl import "$catalogue"
say_command petctl import catalogue.json
petctl import "$catalogue" 2>/dev/null
note 'the same again adds nothing'
n_pets=$(petctl list --all | wc -l)

heading 'The bank: one card with plenty, one with next to nothing'
show payctl issue @ann.card --expiry 12/30 --balance 5000.00 --currency EUR
show payctl issue @poor.card --expiry 12/30 --balance 5.00 --currency EUR

heading 'A customer: register, log in, look around, fill the cart'
become ann
show petctl register ann --password-file ann.password
show petctl login ann --password-file ann.password
show petctl list --species cat --max 300.00 --sort name
show petctl show cat-olive
show petctl cart add cat-olive tortoise-sprint

heading 'Another customer wants the same cat'
become bob
petctl register bob --password-file bob.password
petctl login bob --password-file bob.password
show petctl cart add cat-olive
note 'a cart reserves nothing'

heading 'Paying: a wrong number, a card with too little, the right one'
become ann
show_refused 3 petctl checkout --card @wrong.card --expiry 12/30
order=$(petctl --json orders --limit 1 | member id)
show_refused 9 petctl checkout --card @poor.card --expiry 12/30 --order "$order"
started=$(milliseconds)
show petctl checkout --card @ann.card --expiry 12/30 --order "$order"
takes_ms=$(($(milliseconds) - started))
expect SOLD "$(status_of cat-olive)"

heading 'The other customer is too late'
become bob
show_refused 9 petctl checkout --card @ann.card --expiry 12/30
expect '' "$(petctl --json orders)"
note 'no order, no charge'

heading 'One call id leads through the logs of all three'
call=$(sed -n 's/.*call_id="\([^"]*\)" method="[^"]*Checkout".*code=OK.*/\1/p' \
    petstored.log | tail -n 1)
note "every line of call ${call}"
for name in petstored paymentd kvd; do
    grep -F "call_id=\"$call" "$name.log" | sed 's/.*program=\([a-z]*\).*method="\([^"]*\)".*\(code=[A-Z]*\) us=\([0-9]*\).*/  \1 \2 \3 \4 us/'
done | awk '{ printf "  %-10s %-36s %s %7s us\n", $1, $2, $3, $4 }'

# -- crashes --------------------------------------------------------------------

# Kill everything at a random moment of a purchase: crash ROUND PET
crash() {
    become ann
    petctl cart add "$2" >/dev/null
    set -- "$1" "$2" petctl --timeout 1s checkout --card @ann.card \
        --expiry 12/30 --key "purchase-$1"
    note "round $1: the purchase of $2 begins"
    (shift 2 && say_command "$@")
    pids="$(cat petstored.pid) $(cat paymentd.pid) $(cat kvd.pid)"
    after_ms=$(od -An -N2 -tu2 /dev/urandom)
    after_ms=$((takes_ms / 3 + after_ms % (takes_ms / 2 + 1)))
    after_s=$((after_ms / 1000)).$(printf '%03d' "$((after_ms % 1000))")
    (shift 2 && exec "$@") >client.out 2>&1 &
    client=$!
    sleep "$after_s"
    # shellcheck disable=SC2086 # several words
    kill -KILL $pids
    # shellcheck disable=SC2086 # several words
    say_command kill -KILL $pids
    for name in petstored paymentd kvd; do
        daemon_stop "$name" KILL
    done
    answer='had the receipt already'
    { wait "$client" || answer='got no answer'; } 2>/dev/null
    note "after $after_ms ms all are dead; the customer $answer"
    start_three
    settle
    state=$(petctl --json orders | grep -F "\"$2\"" | member state)
    note "started again, the shop goes on by itself: the order is \
${state:-not there}, the pet $(status_of "$2")"
    case $state-$(status_of "$2") in
    PAID-SOLD | CANCELLED-AVAILABLE | -AVAILABLE) ;;
    *) expect 'an order and a pet that agree' "$state-$(status_of "$2")" ;;
    esac
    note 'the customer asks again, with the same key'
    (shift 2 && "$@" 2>&1) | grep -E '^petctl|TOTAL|PAID' || true
    petctl cart remove "$2" >/dev/null
    echo
}

# Wait until no order has a way to go.
settle() {
    tries=0
    while petctl --json orders | grep -q '"state":"[A-Z]*ING"'; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ]; then
            expect 'orders that come to an end' "$(petctl orders)"
        fi
        sleep 0.1
    done
}

heading 'kill -KILL: all three, in the middle of a purchase'
crash 1 dog-moose
crash 2 parrot-admiral
crash 3 rabbit-hazel

heading 'The books: do money, orders and pets agree?'
show petctl orders
show payctl books
n_paid=$(petctl --json orders | grep -c '"state":"PAID"' || true)
paid=$(petctl --json orders | grep '"state":"PAID"' |
    sed 's/.*"total":{"minor":\([0-9]*\).*/\1/' |
    awk '{ sum += $1 } END { print sum + 0 }')
pets=$(petctl --json orders | grep '"state":"PAID"' | grep -o '"pet_id"' | wc -l)
sold=$(petctl --json list --all --unavailable | grep -c '"status":"SOLD"' || true)
reserved=$(petctl --json list --all --unavailable |
    grep -c '"status":"RESERVED"' || true)
earned=$(payctl --json books | grep '"kind":"MERCHANT"' |
    sed 's/.*"posted":{"minor":\([0-9]*\).*/\1/' |
    awk '{ sum += $1 } END { print sum + 0 }')
captured=$(payctl --json list --merchant petshop | grep -c '"state":"CAPTURED"')
held=$(payctl --json books | sed -n 's/.*"sum":.*"held":\(-*[0-9]*\).*/\1/p')
printf '\n'
row() {
    printf '  %-34s %10s   %-34s %10s\n' "$@"
}
row 'orders that are paid' "$n_paid" 'payments that are captured' "$captured"
row 'cents of these orders' "$paid" 'cents that the shop has' "$earned"
row 'pets of these orders' "$pets" 'pets that are sold' "$sold"
row 'pets still reserved' "$reserved" 'cents still held on cards' "$held"
expect "$n_paid" "$captured"
expect "$paid" "$earned"
expect "$pets" "$sold"
expect '0 0' "$reserved $held"
expect "$n_pets" "$(petctl list --all --unavailable | wc -l)"

heading 'SIGTERM: finish what runs, then end'
stop_three
printf '\nAll went as it should.\n'
