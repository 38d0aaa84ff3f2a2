/*
 * Both ends of a connection as far as credits go, over the code of
 * wire/credits.h: what is in flight may arrive in any order, calls start, end
 * and are cancelled at any time, and none needs to end. A world is everything
 * at one moment; packed it is a few bytes, in which slots and sequence numbers
 * are counted from where they matter, so that there are finitely many.
 */
#ifndef TESTS_SIM_CREDITS_MODEL_H
#define TESTS_SIM_CREDITS_MODEL_H

#include "wire/credits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTEXTS_MAX 4
#define CALLS_MAX 6

/* A rule to be broken, to see that the model notices. */
enum model_fault {
    FAULT_NONE,
    FAULT_HOLD_ALL,   /* the server keeps every request it gets */
    FAULT_FREE_EARLY, /* a slot is free when its reply comes ahead of turn */
    FAULT_NO_STANDING /* the client never sends an empty message */
};

struct model_rules {
    unsigned contexts;        /* K */
    unsigned n_calls;         /* that can be under way at once */
    bool one_frame_a_message; /* else everything that waits travels along */
    bool from_zero; /* forget where in the reorder buffer the next one goes:
                       fewer worlds */
    enum model_fault fault;
};

/* A message between the ends. */
struct flight {
    void *msg;
    uint64_t seq;
    unsigned slot;
};

struct world {
    struct model_rules rules;
    struct rpcrt__client_credits client;
    struct rpcrt__server_credits server;
    struct rpcrt__reorder requests; /* at the server */
    struct rpcrt__reorder replies;  /* at the client */
    struct flight to_server[CONTEXTS_MAX];
    struct flight to_client[CONTEXTS_MAX];
    unsigned n_to_server;
    unsigned n_to_client;
    unsigned calls_waiting;    /* at the client, to be sent */
    unsigned cancels_waiting;  /* as well */
    unsigned calls_open;       /* at the server, not answered */
    unsigned calls_done;       /* answered, the answers wait for credits */
    unsigned controls_waiting; /* at the server: a ping, a goaway */
    unsigned n_sent;           /* messages sent since it was unpacked */
    const char *fault;         /* what was seen to be wrong; or NULL */
};

enum event_kind {
    /* What happens by itself. */
    EVENT_REQUEST,        /* a request arrives */
    EVENT_REQUEST_INLINE, /* and its calls are answered before the server sends
                           */
    EVENT_REPLY,          /* a reply arrives */
    /* What users do, or do not. */
    EVENT_START,
    EVENT_CANCEL,
    EVENT_FINISH,
    EVENT_CONTROL,
    N_EVENT_KINDS
};

#define EVENT_FIRST_OF_USERS EVENT_START

#define PACKED_SIZE 24

struct packed {
    uint8_t bytes[PACKED_SIZE];
};

/* A connection that has just been made. */
void world_init(struct world *world, const struct model_rules *rules);

void world_pack(const struct world *world, struct packed *ret_packed);
/* Into a world that was unpacked before, or is all zero. */
void world_unpack(struct world *world, const struct model_rules *rules,
                  const struct packed *packed);

/* How many events of a kind can happen now. */
unsigned world_event_count(const struct world *world, enum event_kind kind);

/* Let one happen; sets world->fault if it breaks an invariant. */
void world_event(struct world *world, enum event_kind kind, unsigned which);

/* Whether nothing is in flight. */
bool world_is_quiet(const struct world *world);

/* What is wrong with a quiet world; NULL if nothing is. */
const char *world_quiet_fault(const struct world *world);

#endif
