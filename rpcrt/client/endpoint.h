/*
 * An endpoint: one address of a channel, the connection to it that takes new
 * calls, the thread that makes and frees its connections, and its health. Which
 * endpoint a call goes to is decided in balance.h. All is [locked].
 *
 * What an endpoint is doing, by what is set: nothing (idle), `wanted` or
 * `dialing` (connecting), `current` (ready), or `retry_ns` in the future
 * (backoff: the last attempt failed).
 */
#ifndef RPCRT_CLIENT_ENDPOINT_H
#define RPCRT_CLIENT_ENDPOINT_H

#include "client/channel.h"

struct rpcrt_call;

struct rpcrt__endpoint {
    struct rpcrt__list node; /* in channel->removed */
    struct rpcrt_channel *channel;
    uint64_t number; /* of its channel's endpoints, never used again */
    char *address;
    char *server_name; /* for TLS; NULL: the host of the address */
    bool removed;      /* no longer in the list: ends when its calls have */

    pthread_t thread;
    pthread_cond_t work;
    bool started; /* the thread */
    bool ended;
    bool wanted;                       /* to be dialed */
    struct rpcrt__connection *current; /* takes new calls, or NULL */
    struct rpcrt__connection *dialing; /* not up yet, or NULL */
    uint64_t dial_began_ns;
    uint64_t dial_deadline_ns;
    struct rpcrt__list dead; /* connections for the thread to free */
    unsigned n_connections;  /* that are not freed */

    unsigned n_failures; /* of connections, one after the other */
    uint64_t retry_ns;   /* no attempt before; 0: at once */
    struct rpcrt__error last_error;

    uint64_t n_calls;         /* in flight */
    unsigned n_errors;        /* of calls, one after the other */
    unsigned n_ejections;     /* one after the other */
    uint64_t ejected_ns;      /* 0: not ejected; else no call before */
    struct rpcrt_call *probe; /* decides whether it stays ejected, or NULL */

    uint64_t calls; /* see struct rpcrt_endpoint_stats */
    uint64_t calls_failed;
    uint64_t connects;
    uint64_t connects_failed;
};

/* Make an endpoint, without a thread. server_name may be NULL. NULL without
 * memory. */
struct rpcrt__endpoint *rpcrt__endpoint_new(struct rpcrt_channel *channel,
                                            const char *address,
                                            const char *server_name);

/* Free it; its thread was never started, or has been joined. */
void rpcrt__endpoint_free(struct rpcrt__endpoint *endpoint);

/* Have it connect, which it must have no connection for. */
void rpcrt__endpoint_dial(struct rpcrt__endpoint *endpoint, uint64_t now_ns);

/* End a dial whose time is over; returns when to look again. */
uint64_t rpcrt__endpoint_tick(struct rpcrt__endpoint *endpoint,
                              uint64_t now_ns);

/* Take no new calls, and end when there are no others. It is freed here or goes
 * to channel->removed, from where its thread is to be joined. */
void rpcrt__endpoint_remove(struct rpcrt__endpoint *endpoint);

/* End the dial that runs, if one does, and wake the thread. */
void rpcrt__endpoint_interrupt(struct rpcrt__endpoint *endpoint);

/* A call that is still on its connection ends, with the outcome that it has:
 * eject the endpoint or take it back. */
void rpcrt__endpoint_judge(struct rpcrt__endpoint *endpoint,
                           const struct rpcrt_call *call);

/* Whether it gets calls, for all that is known of its health. */
bool rpcrt__endpoint_is_healthy(const struct rpcrt__endpoint *endpoint,
                                uint64_t now_ns);

#endif
