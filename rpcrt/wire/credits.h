/*
 * The arithmetic of credits, without I/O: who may send when, and what is taken
 * in which order. README.md in the folder above has the rules and why.
 *
 * A client has K slots, each of which carries one request at a time. A request
 * that the server has taken, and not answered, is a credit: the right to send
 * one message. Both ends number their messages and take the other's in order
 * only. The caller's lock guards all of it.
 */
#ifndef RPCRT_WIRE_CREDITS_H
#define RPCRT_WIRE_CREDITS_H

#include "core/error.h"
#include <rpcrt/limits.h>
#include <stdbool.h>
#include <stdint.h>

/* A message that came, and the slot it came on. */
struct rpcrt__arrival {
    void *msg;
    unsigned slot;
};

/* What came ahead of its turn: at most `window` messages. */
struct rpcrt__reorder {
    struct rpcrt__arrival waiting[RPCRT_CONTEXTS_MAX];
    uint64_t next_seq;
    unsigned window;
    unsigned n_waiting;
};

void rpcrt__reorder_init(struct rpcrt__reorder *reorder, unsigned window);

/* Put a message in its place. False: a sequence number that was there before
 * or can't be; the session must end. */
RPCRT_MUST_CHECK bool rpcrt__reorder_put(struct rpcrt__reorder *reorder,
                                         uint64_t seq,
                                         struct rpcrt__arrival arrival);

/* Take the next message in order; false if it has not come. */
bool rpcrt__reorder_take(struct rpcrt__reorder *reorder,
                         struct rpcrt__arrival *ret_arrival);

/* Take any, for cleaning up; false if none is left. */
bool rpcrt__reorder_drop(struct rpcrt__reorder *reorder,
                         struct rpcrt__arrival *ret_arrival);

/* -- client ---------------------------------------------------------------- */

struct rpcrt__client_credits {
    unsigned contexts; /* K */
    unsigned n_free;
    uint16_t keep; /* 1 to K - 1, sent with each message */
    bool more;     /* the latest reply taken said so */
    uint64_t next_seq;
    uint16_t free_slots[RPCRT_CONTEXTS_MAX]; /* a stack */
};

void rpcrt__client_credits_init(struct rpcrt__client_credits *credits,
                                unsigned contexts);

/* The server takes fewer contexts than were offered. Nothing may be out. */
void rpcrt__client_credits_shrink(struct rpcrt__client_credits *credits,
                                  unsigned contexts);

/* Whether a message can be sent: a slot is free. */
bool
rpcrt__client_credits_can_send(const struct rpcrt__client_credits *credits);

/* Whether an empty one must be: the server holds no credit and none is on its
 * way to it, or it has more to say than it has credits and may keep more. */
bool
rpcrt__client_credits_must_send(const struct rpcrt__client_credits *credits);

/* Take a slot and a sequence number for a message. */
unsigned rpcrt__client_credits_send(struct rpcrt__client_credits *credits,
                                    uint64_t *ret_seq);

/* A reply was taken in order: its slot is free. `more`: the server has more
 * to say than credits. */
void rpcrt__client_credits_reply(struct rpcrt__client_credits *credits,
                                 unsigned slot, bool more);

/* Frames wait and no slot is free. */
void rpcrt__client_credits_starved(struct rpcrt__client_credits *credits);

/* -- server ---------------------------------------------------------------- */

struct rpcrt__server_credits {
    unsigned contexts; /* K that was agreed on */
    unsigned n_held;
    unsigned oldest; /* index into held */
    uint16_t keep;
    uint64_t next_seq;
    uint16_t held[RPCRT_CONTEXTS_MAX * 2]; /* slots, a ring */
};

void rpcrt__server_credits_init(struct rpcrt__server_credits *credits,
                                unsigned contexts);

/* A request was taken in order. False: a keep that can't be, or more requests
 * than K; the session must end. */
RPCRT_MUST_CHECK bool
rpcrt__server_credits_request(struct rpcrt__server_credits *credits,
                              unsigned slot, uint16_t keep);

/* Whether a message is to be sent now: with what waits, or empty to give a
 * credit back. */
bool
rpcrt__server_credits_must_send(const struct rpcrt__server_credits *credits,
                                bool outbox, bool calls_open);

/* Take the oldest credit and a sequence number for a message. */
unsigned rpcrt__server_credits_send(struct rpcrt__server_credits *credits,
                                    uint64_t *ret_seq);

#endif
