/*
 * The interceptors of a server: see intercept.h.
 */
#include "server/ctx.h"

enum rpcrt_code
rpcrt_server_add_interceptor(struct rpcrt_server *server,
                             const struct rpcrt_server_interceptor *interceptor)
{
    struct rpcrt__server_chain *chain = &server->chain;
    struct rpcrt__error error;

    if (server->listening) {
        (void)rpcrt__error_set(&error, RPCRT_FAILED_PRECONDITION,
                               "server: interceptors are added before it "
                               "listens");
        return rpcrt__last_error_set(&error);
    }
    if (chain->n_items == RPCRT_INTERCEPTORS_MAX) {
        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                               "server: more than %u interceptors",
                               RPCRT_INTERCEPTORS_MAX);
        return rpcrt__last_error_set(&error);
    }
    chain->items[chain->n_items++] = *interceptor;
    return RPCRT_OK;
}

void *
rpcrt_ctx_slot(struct rpcrt_ctx *ctx, const void *key, size_t size)
{
    return rpcrt__slots_get(&ctx->slots, &ctx->arena, key, size);
}

enum rpcrt_code
rpcrt__ctx_begin_chain(struct rpcrt_ctx *ctx)
{
    const struct rpcrt__server_chain *chain = &ctx->server->chain;

    while (ctx->n_begun < chain->n_items) {
        const struct rpcrt_server_interceptor *item =
            &chain->items[ctx->n_begun];
        enum rpcrt_code code =
            item->begin == NULL ? RPCRT_OK : item->begin(item->arg, ctx);

        if (code != RPCRT_OK) {
            ctx->refused = true;
            return code == RPCRT_LATER ? RPCRT_INTERNAL : code;
        }
        ctx->n_begun++;
    }
    return RPCRT_OK;
}

void
rpcrt__ctx_end_chain(struct rpcrt_ctx *ctx,
                     const struct rpcrt_call_record *record)
{
    while (ctx->n_begun > 0) {
        const struct rpcrt_server_interceptor *item =
            &ctx->server->chain.items[--ctx->n_begun];

        if (item->end != NULL) {
            item->end(item->arg, ctx, record);
        }
    }
}
