# shellcheck shell=sh disable=SC2154
# The three processes of a pet shop, in the folder that a script has gone to
# (read with ".", after show.sh): files of secrets, and starting and stopping.
# All listen on free ports of 127.0.0.1, with TLS.

# Certificates, tokens, secrets and cards. The first card has plenty, the
# second next to nothing, the third is no card at all: its last digit is wrong.
three_files() {
    umask 077
    sh "$here/support/certs.sh" certs
    for space in payment shop; do
        kvctl token new "$space" >made
        sed -n 1p made >"kv-$space.token"
        sed -n 2p made >>kvd.tokens
    done
    for who in operator/owner merchant/petshop; do
        payctl token new "${who%/*}" "${who#*/}" >made
        sed -n 1p made >"${who%/*}.token"
        sed -n 2p made >>paymentd.tokens
    done
    rm made
    payctl secret new first >paymentd.secrets
    echo 'sam keeper-of-the-keys' >staff
    echo 'keeper-of-the-keys' >sam.password
    echo 'correct horse battery' >ann.password
    echo 'staple and paperclip' >bob.password
    echo 4111111111111111 >ann.card
    echo 5555555555554444 >poor.card
    echo 4111111111111112 >wrong.card
}

start_kvd() {
    daemon_start 1 kvd --data kv --tokens kvd.tokens --log-calls \
        --listen tls+tcp://127.0.0.1:0 --tls-cert certs/server.pem \
        --tls-key certs/server.key --tls-ca certs/ca.pem
    kv=$addresses
}

start_paymentd() {
    daemon_start 1 paymentd --tokens paymentd.tokens \
        --secrets paymentd.secrets --log-calls \
        --listen tls+tcp://127.0.0.1:0 --tls-cert certs/payment/server.pem \
        --tls-key certs/payment/server.key --tls-ca certs/payment/ca.pem \
        --kv "$kv" --kv-token-file kv-payment.token --kv-tls-ca certs/ca.pem \
        --kv-tls-cert certs/client.pem --kv-tls-key certs/client.key
    payment=$addresses
}

# petstored, to whom no customer shows a certificate.
start_petstored() {
    daemon_start 1 petstored --staff staff --log-calls \
        --rescue-after-ms 1000 \
        --listen tls+tcp://127.0.0.1:0 --tls-cert certs/server.pem \
        --tls-key certs/server.key \
        --kv "$kv" --kv-token-file kv-shop.token --kv-tls-ca certs/ca.pem \
        --kv-tls-cert certs/client.pem --kv-tls-key certs/client.key \
        --payment "$payment" --payment-token-file merchant.token \
        --payment-tls-ca certs/payment/ca.pem \
        --payment-tls-cert certs/payment/shop.pem \
        --payment-tls-key certs/payment/shop.key
    shop=$addresses
}

# Start all, and tell the command-line tools of them.
start_three() {
    start_kvd
    start_paymentd
    start_petstored
    export PETCTL_ADDRESS="$shop" PETCTL_TLS_CA="$PWD/certs/ca.pem"
    export PAYCTL_ADDRESS="$payment" PAYCTL_TOKEN_FILE="$PWD/operator.token" \
        PAYCTL_TLS_CA="$PWD/certs/payment/ca.pem" \
        PAYCTL_TLS_CERT="$PWD/certs/payment/operator.pem" \
        PAYCTL_TLS_KEY="$PWD/certs/payment/operator.key"
}

# End all, the one that needs the others first; expects that each ends well.
stop_three() {
    for name in petstored paymentd kvd; do
        daemon_stop "$name" TERM
        echo "$name ended with exit code $code"
        expect 0 "$code"
    done
}
