/*
 * Inside of a channel: its endpoints, their connections, and calls. One lock
 * guards the channel, its endpoints, its connections and the running part of
 * its calls; functions marked [locked] are called under it.
 *
 * A call that ends goes to a list first and is delivered to its owner when the
 * lock is no longer held.
 */
#ifndef RPCRT_CLIENT_CHANNEL_H
#define RPCRT_CLIENT_CHANNEL_H

#include "client/intercept.h"
#include "client/retry.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/list.h"
#include "core/timer.h"
#include "transport/link.h"
#include <pthread.h>
#include <rpcrt/channel.h>
#include <stdatomic.h>
#include <stdbool.h>

struct rpcrt__connection;
struct rpcrt__endpoint;
struct rpcrt__resolver;

/* Calls that ended together. While it runs, call_free() on another thread can
 * see that a completion is under way. */
struct rpcrt__delivery {
    struct rpcrt__list node;
    struct rpcrt__list ended;
    bool tells; /* a thread of the runtime: it tells events of streams too */
    pthread_t thread;
    _Atomic(struct rpcrt_call *) current;
};

struct rpcrt_channel {
    char *address;
    char *server_name; /* for TLS; NULL: the host of the address */
    struct rpcrt_channel_options options; /* every default filled in */
    struct rpcrt__tls_identity *tls;
    struct rpcrt__client_chain chain;
    struct rpcrt__config *config; /* NULL: none */
    struct rpcrt__timer timer;
    struct rpcrt__resolver *resolver; /* NULL: the list never changes */
    atomic_uint refs; /* its user, and each call: a thread that was waiting when
                         the channel was closed still has to free its call */

    pthread_mutex_t lock;
    pthread_cond_t delivered; /* a batch of deliveries is over */
    bool closing;
    bool closed;                        /* threads and timer have ended */
    struct rpcrt__endpoint **endpoints; /* in the order of the list */
    size_t n_endpoints;
    size_t n_unconnected;              /* of them, without a connection */
    size_t n_ejected;                  /* of them */
    size_t next_endpoint;              /* where the search for one begins */
    uint64_t last_endpoint;            /* the number of the newest */
    struct rpcrt__list removed;        /* endpoints that end; to be joined */
    struct rpcrt__error resolve_error; /* of the last look; OK: none */
    struct rpcrt__list connections;    /* up or draining */
    struct rpcrt__list calls;          /* all that run */
    struct rpcrt__list waiting;        /* calls without a connection */
    struct rpcrt__list attempts_due;
    struct rpcrt__throttle throttle;
    bool unplaced; /* there may be one for them, or dials are needed */
    struct rpcrt__delivery later; /* ended; the timer delivers them */
    struct rpcrt__list deliveries;
    struct rpcrt__list events; /* streams that moved on */
    uint64_t wake_ns;          /* what the timer is set to */
};

void rpcrt__channel_ref(struct rpcrt_channel *channel);
void rpcrt__channel_unref(struct rpcrt_channel *channel);

/* Begin with no calls. */
void rpcrt__delivery_init(struct rpcrt__delivery *delivery);

/* Hand all over from one to the other. [locked] */
void rpcrt__delivery_move(struct rpcrt__delivery *from,
                          struct rpcrt__delivery *to);

/* Have what ended delivered by the timer, for who can't do it on his stack. On
 * a channel that is closed nothing is left but to do it there. [locked] */
void rpcrt__channel_deliver_later(struct rpcrt_channel *channel,
                                  struct rpcrt__delivery *delivery);

/* Place calls that wait if something has changed, unlock the channel, tell the
 * owners of the ended calls, and let connections send what the owners started.
 * [locked; unlocks] */
void rpcrt__channel_unlock(struct rpcrt_channel *channel,
                           struct rpcrt__delivery *delivery);

/* The same for who has ended no call. [locked; unlocks] */
void rpcrt__channel_release(struct rpcrt_channel *channel);

/* A stream moved on: whoever waits for that is woken, or called back, when the
 * channel is unlocked. [locked] */
void rpcrt__channel_add_event(struct rpcrt_channel *channel,
                              struct rpcrt_call *call);

/* Call nobody back any more; on return nobody is being, but on this thread.
 * [locked; unlocks meanwhile] */
void rpcrt__channel_drop_events(struct rpcrt_channel *channel,
                                struct rpcrt_call *call);

/* Let the timer look at the channel no later than that. [locked] */
void rpcrt__channel_wake(struct rpcrt_channel *channel, uint64_t due_ns);

/* Send what can be sent, unless this thread is delivering and will do so when
 * it is through. [locked] */
void rpcrt__channel_pump(struct rpcrt_channel *channel);

/* Whether a completion starts a call that is being freed, or on a channel that
 * is: such a start is not told, it would go on for ever. [locked] */
bool rpcrt__channel_is_over(const struct rpcrt_channel *channel,
                            const struct rpcrt_call *call);

/* A connection was lost or takes no new calls: have it freed, and calls that
 * wait moved to the next. [locked] */
void rpcrt__channel_lost(struct rpcrt_channel *channel,
                         struct rpcrt__connection *connection);

/* Let the resolver look soon, if there is one: something failed, or there is
 * somebody to be joined. [locked] */
void rpcrt__channel_resolve_again(struct rpcrt_channel *channel);

#endif
