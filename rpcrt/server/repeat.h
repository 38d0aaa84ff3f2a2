/*
 * Duplicate suppression: what a server remembers of calls that carry an
 * idempotency key, so that a repeat is not executed. Which are the same is told
 * by the caller, the method and the key; the caller by the name of its verified
 * certificate, else by its "authorization", else all are one.
 *
 * Bounded by count, bytes and time: the oldest are forgotten first. A repeat
 * says how long ago its first attempt was, so one whose key may have been
 * forgotten is refused and not executed again.
 */
#ifndef RPCRT_SERVER_REPEAT_H
#define RPCRT_SERVER_REPEAT_H

#include "core/hash.h"
#include "core/idmap.h"
#include "core/list.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rpcrt__ctx_notices;
struct rpcrt_ctx;
struct rpcrt_server;

struct rpcrt__repeats {
    pthread_mutex_t lock; /* taken before a session's */
    struct rpcrt__hash_key keys[2];
    struct rpcrt__idmap entries;
    struct rpcrt__list running;
    struct rpcrt__list done; /* oldest first */
    size_t n;
    size_t bytes;
    uint64_t forgotten_ns; /* when the youngest that was forgotten began */
    bool closed;
    atomic_bool orphans; /* some may run whose client is gone */
};

void rpcrt__repeats_init(struct rpcrt__repeats *repeats);

/* When no call is in use any more. */
void rpcrt__repeats_fini(struct rpcrt__repeats *repeats);

/* Cancel those that run for nobody and whose time is over; returns when to look
 * again. Under no session's lock. */
uint64_t rpcrt__repeats_tick(struct rpcrt_server *server, uint64_t now_ns,
                             struct rpcrt__ctx_notices *notices);

/* The same for all; no others begin. Without a lock. */
void rpcrt__repeats_close(struct rpcrt_server *server);

/* -- of one call ----------------------------------------------------------- */

/* Whether it goes on when its client is gone, because that may come back for
 * the answer. [session's lock] */
bool rpcrt__repeat_outlives(struct rpcrt_ctx *ctx);

enum rpcrt__repeat_verdict {
    RPCRT__REPEAT_RUN,      /* run the handler */
    RPCRT__REPEAT_ANSWERED, /* answer and status are filled in */
    RPCRT__REPEAT_REFUSED,  /* the outcome says why */
    RPCRT__REPEAT_WAITS     /* it is answered with the one that runs */
};

/* Before the handler of any call. Without a lock. */
enum rpcrt__repeat_verdict rpcrt__repeat_begin(struct rpcrt_ctx *ctx);

/* The answer is serialized: remember it, and answer those who wait for it.
 * Without a lock. */
void rpcrt__repeat_end(struct rpcrt_ctx *ctx);

#endif
