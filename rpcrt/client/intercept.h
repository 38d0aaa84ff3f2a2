/*
 * The interceptors of a channel, run around each use of its calls.
 */
#ifndef RPCRT_CLIENT_INTERCEPT_H
#define RPCRT_CLIENT_INTERCEPT_H

#include <rpcrt/interceptor.h>

/* Fixed before the first call. */
struct rpcrt__client_chain {
    struct rpcrt_client_interceptor items[RPCRT_INTERCEPTORS_MAX];
    unsigned n_items;
};

/* A use starts, and has been reset: begin those of the channel; what is not OK
 * is the outcome. */
void rpcrt__call_begin_chain(struct rpcrt_call *call);

/* A use is over: end those that have begun. Without a lock. */
void rpcrt__call_end_chain(struct rpcrt_call *call);

#endif
