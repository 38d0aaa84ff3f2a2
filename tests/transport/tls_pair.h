/*
 * A server link that echoes and a client link, over TLS, and what they were
 * told: for the tests of TLS. Certificates come from tests/support/certs.sh.
 */
#ifndef TESTS_TRANSPORT_TLS_PAIR_H
#define TESTS_TRANSPORT_TLS_PAIR_H

#include "transport/link.h"
#include <pthread.h>

#define TLS_PAIR_PATIENCE_MS 20000

/* The path of a file that certs.sh makes; the folder is made if need be. In
 * memory that is used again after 16 calls. */
const char *tls_cert(const char *name);

/* "test/other" means test/other.pem and test/other.key; NULL: none. */
struct rpcrt_tls tls_files(const char *ca, const char *own);

struct tls_pair {
    struct rpcrt__tls_identity *server_tls;
    struct rpcrt__server_link *server;
    char address[RPCRT_ADDRESS_SIZE]; /* of the server */

    pthread_mutex_t lock; /* of what was told */
    pthread_cond_t change;
    unsigned n_warnings;
    char warning[RPCRT_TEXT_SIZE]; /* the last */
    unsigned n_peers;
    char peer_address[RPCRT_ADDRESS_SIZE];
    char peer_name[256]; /* "" for none */
    unsigned n_replies;
    size_t reply_size;
    uint8_t reply_sum; /* of all bytes, to compare */
    unsigned n_down;
};

/* A client of a pair; several may be there at once. */
struct tls_client {
    struct rpcrt__tls_identity *tls;
    struct rpcrt__client_link *link;
    struct rpcrt__error error;
};

/* Listen on 127.0.0.1; without certificates if tls is NULL. */
void tls_pair_start(struct tls_pair *pair, const struct rpcrt_tls *tls);
void tls_pair_stop(struct tls_pair *pair);

/* Dial, and keep the link if that succeeds. */
enum rpcrt_code tls_client_dial(struct tls_client *client,
                                struct tls_pair *pair, const char *address,
                                const struct rpcrt_tls *tls,
                                const char *server_name);
void tls_client_stop(struct tls_client *client);

/* Send a message of a size on a slot, wait for its echo, compare. */
void tls_client_echo(struct tls_client *client, struct tls_pair *pair,
                     unsigned slot, size_t size);

/* Wait until a counter of the pair is so much; false if it takes too long. */
bool tls_pair_await(struct tls_pair *pair, const unsigned *counter,
                    unsigned value);

#endif
