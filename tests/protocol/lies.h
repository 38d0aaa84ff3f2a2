/*
 * Servers that answer the first call of each second connection by a lie, and
 * all others honestly, with "tofu".
 */
#ifndef TESTS_PROTOCOL_LIES_H
#define TESTS_PROTOCOL_LIES_H

#include "protocol/peer.h"

/* A reply to one call of Echo, as a lie has it. */
struct exchange {
    uint64_t session;
    uint64_t call;
    uint64_t seq; /* that is due */
};

struct lie {
    const char *name;
    void (*tell)(const struct exchange *exchange, struct bytes *message);
};

/* Payload "tofu", and its size before it. */
#define REPLY "\x06\0\0\0\x0a\x04tofu"
#define REPLY_SIZE 10u

/* The first call of each second connection hears a lie, the rest the truth. */
struct plan {
    const struct lie *lie;
    atomic_uint n_lies;
};

/* A script for a host whose argument is a plan. */
void lie_once(struct host *host, int fd);

/* Answer one message's first call, if there is one; false if the client has
 * left. */
bool lie_answer(int fd, uint32_t request, const struct bytes *message,
                struct exchange *exchange,
                void (*tell)(const struct exchange *, struct bytes *));

/* Parts of lies: the header; the header and a frame of the call; the truth. */
void lie_begin(const struct exchange *exchange, struct bytes *message);
void lie_frame(const struct exchange *exchange, struct bytes *message,
               uint8_t type, uint8_t flags, const void *payload, size_t size);
void lie_not(const struct exchange *exchange, struct bytes *message);

/* A call hears the truth; fails the test if not. `what` names the case. */
void expect_tofu(struct rpcrt_call *call, const char *what);

#endif
