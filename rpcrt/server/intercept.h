/*
 * The interceptors of a server, run around its handlers.
 */
#ifndef RPCRT_SERVER_INTERCEPT_H
#define RPCRT_SERVER_INTERCEPT_H

#include <rpcrt/interceptor.h>
#include <stdbool.h>

/* Fixed once the server listens. */
struct rpcrt__server_chain {
    struct rpcrt_server_interceptor items[RPCRT_INTERCEPTORS_MAX];
    unsigned n_items;
};

/* Begin those of a call's server; what is not OK is the call's outcome, and it
 * is refused. */
enum rpcrt_code rpcrt__ctx_begin_chain(struct rpcrt_ctx *ctx);

/* End those that have begun. */
void rpcrt__ctx_end_chain(struct rpcrt_ctx *ctx,
                          const struct rpcrt_call_record *record);

#endif
