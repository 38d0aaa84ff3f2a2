/*
 * The trace that uses of a call are a part of, and how it gets into their
 * metadata.
 */
#include "client/call.h"

#include "core/alloc.h"
#include <string.h>

static const char parent_key[] = "traceparent";
static const char state_key[] = "tracestate";

enum rpcrt_code
rpcrt_call_set_trace(struct rpcrt_call *call, const struct rpcrt_trace *trace)
{
    char *state = NULL;

    if (trace != NULL && trace->state != NULL) {
        state = rpcrt__strdup(trace->state);
        if (state == NULL) {
            return RPCRT_RESOURCE_EXHAUSTED;
        }
    }
    rpcrt__free(call->trace_state);
    call->trace_state = state;
    call->traced = trace != NULL;
    if (trace != NULL) {
        call->trace = *trace;
        call->trace.state = state;
    }
    return RPCRT_OK;
}

bool
rpcrt_call_trace(const struct rpcrt_call *call, struct rpcrt_trace *ret_trace)
{
    if (call->traced) {
        *ret_trace = call->trace;
        return true;
    }
    return call->parent != NULL && rpcrt_ctx_trace(call->parent, ret_trace);
}

void
rpcrt_call_set_span(struct rpcrt_call *call, const struct rpcrt_trace *trace)
{
    call->span = *trace;
    call->has_span = true;
}

bool
rpcrt_call_span(const struct rpcrt_call *call, struct rpcrt_trace *ret_trace)
{
    if (call->has_span) {
        *ret_trace = call->span;
    }
    return call->has_span;
}

/* Its own span, or what it is a part of. */
static bool
find_trace(struct rpcrt_call *call, struct rpcrt_trace *ret_trace)
{
    if (!call->has_span) {
        return rpcrt_call_trace(call, ret_trace);
    }
    *ret_trace = call->span;
    call->span.state = NULL; /* whose memory may go at any time from here on */
    return true;
}

enum rpcrt_code
rpcrt__call_carry_trace(struct rpcrt_call *call)
{
    struct rpcrt__metadata *metadata = &call->metadata;
    char text[RPCRT_TRACEPARENT_SIZE];
    struct rpcrt_trace trace;
    enum rpcrt_code code;

    if (call->trace_carried) {
        rpcrt__metadata_remove(metadata, parent_key);
        rpcrt__metadata_remove(metadata, state_key);
        call->trace_carried = false;
    }
    /* Most calls have none; and what the caller wrote himself stays. */
    if (!find_trace(call, &trace) ||
        (!call->has_span &&
         rpcrt__metadata_get(metadata, parent_key, NULL) != NULL)) {
        return RPCRT_OK;
    }
    rpcrt_trace_format(&trace, text);
    code = rpcrt__metadata_set(metadata, parent_key, text, strlen(text),
                               &call->outcome);
    if (code == RPCRT_OK && trace.state != NULL) {
        code = rpcrt__metadata_set(metadata, state_key, trace.state,
                                   strlen(trace.state), &call->outcome);
    }
    call->trace_carried = true;
    return code;
}
