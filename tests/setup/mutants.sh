#!/bin/sh
# Prove that the purchase tests would notice: break one step of the sale on
# purpose, build the daemons, and see the tests fail.
#   sh tests/setup/mutants.sh BUILD TESTS [MUTANT...]
# BUILD is a build folder with sanitizers' variant asan, TESTS the test program
# of tests/purchase. Everything happens in BUILD/mutants. Ends with "N caught,
# M missed"; the exit code tells.
# shellcheck disable=SC2016 # expressions are perl's
set -u

build=$(cd "$1" && pwd)
tests=$2
shift 2
wanted=" $* "
tree=$build/mutants
caught=0
missed=0

# The tree as it is, with what was built of it, in $tree.
renew() {
    for folder in Makefile codegen idl rpcrt services clients tests .ci; do
        rm -rf "${tree:?}/$folder"
        cp -rp "$folder" "$tree/$folder"
    done
}

make_daemons() {
    make -C "$tree" --no-print-directory BUILD=build VARIANT=asan \
        build/asan/bin/paymentd build/asan/bin/petstored >"$tree/log" 2>&1
}

# mutant NAME FILE PERL: in FILE the expression must change something.
mutant() {
    if [ "$wanted" != '  ' ] && [ "${wanted#* "$1" }" = "$wanted" ]; then
        return
    fi
    cp -p "$2" "$tree/$2"
    perl -0pi -e "$3" "$tree/$2"
    if cmp -s "$2" "$tree/$2"; then
        echo "$1: the expression fits nothing in $2" >&2
        missed=$((missed + 1))
        return
    fi
    if ! make_daemons; then
        cat "$tree/log" >&2
        missed=$((missed + 1))
    elif PAYMENTD=$tree/build/asan/bin/paymentd \
        PETSTORED=$tree/build/asan/bin/petstored BUILD=$build \
        timeout -k 10 900 "$tests" >"$tree/log" 2>&1; then
        printf '%-28s missed\n' "$1"
        missed=$((missed + 1))
    else
        why=$(sed 's/\x1b\[[0-9;]*m//g' "$tree/log" |
            sed -n 's/^.*\.c:[0-9]*: Assertion Failed.*//; s/^\[----\]   *//p' |
            sed -n 1,3p | tr '\n' ' ' | cut -c1-90)
        printf '%-28s caught  %s\n' "$1" "$why"
        caught=$((caught + 1))
    fi
    cp -p "$2" "$tree/$2"
    touch "$tree/$2"
}

done_without() { # CALL: an answer nobody gave
    printf '%s' "s/$1\\(saga\\);\\n        break;/saga->answer = (struct shop_answer)\
{.kind = SHOP_ANSWER_DONE, .payment_id = \"\", .card_last4 = \"\"};\\n        break;/"
}

mkdir -p "$tree/build"
renew
if [ ! -d "$tree/build/asan" ]; then
    cp -rp "$build/gen" "$build/host" "$build/asan" "$tree/build/" 2>/dev/null
fi

saga=services/petstore/saga.c
record=services/petstore/saga_record.c
state=services/petstore/order_state.c

mutant pays-without-capture "$saga" "$(done_without ask_capture)"
mutant cancels-without-void "$saga" "$(done_without ask_void)"
mutant gives-back-nothing "$saga" "$(done_without ask_refund)"
mutant cancels-what-is-decided "$saga" \
    's/(shop_saga_step.*?)if \(shop_saga_state\(saga\) == STATE\(AUTHORIZING\) && saga->card == NULL\) \{\n        return shop_saga_give_up\(saga\);/$1if (saga->card == NULL \&\& shop_saga_state(saga) <= STATE(CAPTURING)) {\n        return follow(saga, SHOP_EVENT_REFUSED);/s'
mutant keeps-cancelled-pets "$state" \
    's/(case STATE\(CANCELLED\):\n    case STATE\(REFUNDED\):\n        return PETSTORE__V1__PET_STATUS__)AVAILABLE/$1SOLD/'
mutant forgets-open-orders "$record" \
    's/common_put\(saga->work, open_key, NULL\);/common_delete(saga->work, open_key);/'
mutant expects-no-pet "$record" \
    's/    common_expect\(saga->work, record\);\n//'
mutant voids-nothing-in-advance services/payment/void.c \
    's/    pay_once_put\(&job->call, &job->authorize, id\);\n//'
mutant books-one-side services/payment/books.c \
    's/debit->debits_posted = debits;//'

echo "$caught caught, $missed missed"
[ "$missed" -eq 0 ] && [ "$caught" -gt 0 ]
