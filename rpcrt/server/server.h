/*
 * Inside of a server: what all of its sessions share. Locks are taken in the
 * order server, session; the pool's lock under any.
 */
#ifndef RPCRT_SERVER_SERVER_H
#define RPCRT_SERVER_SERVER_H

#include "core/clock.h"
#include "core/error.h"
#include "core/executor.h"
#include "core/idmap.h"
#include "core/list.h"
#include "core/timer.h"
#include "server/intercept.h"
#include "server/repeat.h"
#include "transport/link.h"
#include <pthread.h>
#include <rpcrt/gen.h>
#include <semaphore.h>
#include <stdatomic.h>

/* A method that is served. */
struct rpcrt__served {
    const struct rpcrt_method *method;
    rpcrt_glue_fn *glue;
    const void *table;
    void *self;
    bool may_block;
    atomic_ullong time_ns; /* of its handler, at the least; see overload.c */
};

struct rpcrt__listener {
    char address[RPCRT_ADDRESS_SIZE];
    struct rpcrt__tls_identity *tls;
    struct rpcrt__listener *next;
};

/* What rpcrt_server_on_drain() was given. */
struct rpcrt__drain_hook {
    rpcrt_drain_fn *fn;
    void *arg;
    struct rpcrt__drain_hook *next;
};

/* Counters of struct rpcrt_server_stats. */
struct rpcrt__counters {
    atomic_ullong calls_started;
    atomic_ullong calls_finished;
    atomic_ullong calls_refused;
    atomic_ullong sessions_opened;
    atomic_ullong sessions_closed;
    atomic_ullong sessions_cut;
    atomic_ullong handshakes_failed;
    atomic_ullong messages_received;
    atomic_ullong messages_sent;
    atomic_ullong messages_empty;
    atomic_ullong calls_shed;
};

struct rpcrt_server {
    struct rpcrt_server_options options; /* every default filled in */
    uint64_t instance;
    struct rpcrt__server_link *link;
    struct rpcrt__executor *executor;
    struct rpcrt__overload *overload; /* NULL: nothing is controlled */
    struct rpcrt__timer timer;
    atomic_ullong wake_ns; /* what the timer is set to */
    struct rpcrt__counters counters;
    atomic_bool draining;
    atomic_bool closing;
    atomic_uint n_calls;   /* contexts in use */
    atomic_uint n_streams; /* streaming handlers that run or will */
    struct rpcrt__repeats repeats;

    /* Fixed once it listens; sorted by path. */
    struct rpcrt__served *methods;
    size_t n_methods;
    const struct rpcrt_service **services; /* in the order of adding */
    size_t n_services;
    struct rpcrt__drain_hook *drain_hooks; /* the latest first */
    bool listening;
    struct rpcrt__server_chain chain;
    struct rpcrt__listener *listeners; /* in the order of listening */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* fewer sessions */
    struct rpcrt__idmap by_peer;
    struct rpcrt__list sessions;
    unsigned n_sessions;
    sem_t stop; /* ends rpcrt_server_run() */

    pthread_mutex_t pool_lock;
    pthread_cond_t no_calls; /* n_calls became 0 */
    struct rpcrt__list pool; /* contexts that are not in use */
    unsigned n_pooled;
};

/* NULL if the path is not served. */
struct rpcrt__served *rpcrt__server_find(const struct rpcrt_server *server,
                                         const char *path, size_t size);

/* Write a line to the log, if there is one. */
void rpcrt__server_log(struct rpcrt_server *server, enum rpcrt_log_level level,
                       const char *format, ...) RPCRT_PRINTF(3, 4);

/* Let the timer look no later than that. Under any lock. */
void rpcrt__server_wake(struct rpcrt_server *server, uint64_t due_ns);

/* End all sessions and cancel their calls. */
void rpcrt__server_kill_sessions(struct rpcrt_server *server);

/* Wait until no call is in use any more; false if some still are at that
 * time. */
bool rpcrt__server_await_calls(struct rpcrt_server *server, uint64_t until_ns);

#endif
