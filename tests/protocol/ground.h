/*
 * Where bad clients meet the server: a good client stands beside them, on a
 * connection that it keeps.
 */
#ifndef TESTS_PROTOCOL_GROUND_H
#define TESTS_PROTOCOL_GROUND_H

#include "protocol/peer.h"

/* Contexts of a liar. */
#define K 4u

struct ground {
    struct bed bed;
    struct rpcrt_call *good;
    struct peer liar;
};

void ground_open(struct ground *ground, const char *transport);
void ground_open_with(struct ground *ground, const char *transport,
                      const struct rpcrt_server_options *options);
void ground_close(struct ground *ground);

/* The good client is served, on the connection that it always had; the others
 * have left, and nothing of Count was executed. */
void ground_check(struct ground *ground);

/* A message of the liar brings GOAWAY with that code and some words; he leaves.
 * `what` names the case. */
void expect_goaway(struct peer *liar, enum rpcrt_code code, const char *what,
                   const char *words);

/* A call of Count without a request. */
void add_count(struct bytes *message, uint64_t call);

#endif
