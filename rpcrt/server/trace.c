/*
 * The trace that a served call belongs to.
 */
#include "server/ctx.h"

#include <rpcrt/trace.h>
#include <string.h>

bool
rpcrt_ctx_trace(const struct rpcrt_ctx *ctx, struct rpcrt_trace *ret_trace)
{
    const char *text;
    const char *state;
    size_t size = 0;

    if (ctx->trace != NULL) {
        *ret_trace = *ctx->trace;
        return true;
    }
    text = rpcrt__metadata_get(&ctx->metadata, "traceparent", NULL);
    if (text == NULL || !rpcrt_trace_parse(text, ret_trace)) {
        return false;
    }
    state = rpcrt__metadata_get(&ctx->metadata, "tracestate", &size);
    ret_trace->state = size < RPCRT_TRACESTATE_SIZE ? state : NULL;
    return true;
}

enum rpcrt_code
rpcrt_ctx_set_trace(struct rpcrt_ctx *ctx, const struct rpcrt_trace *trace)
{
    struct rpcrt_trace *own =
        rpcrt__arena_copy(&ctx->arena, trace, sizeof *own);

    if (own != NULL && trace->state != NULL) {
        own->state =
            rpcrt__arena_copy(&ctx->arena, trace->state, strlen(trace->state));
    }
    if (own == NULL || (trace->state != NULL && own->state == NULL)) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    ctx->trace = own;
    return RPCRT_OK;
}
