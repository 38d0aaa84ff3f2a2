/*
 * Spans of rpcrt/trace.h. What a trace is and how it travels, core/trace.c and
 * either side know.
 */
#include <rpcrt/trace.h>

#include <string.h>
#include <time.h>

static int64_t
now_us(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A span of its own; the id of a new trace, which is random, says whether it is
 * sampled. */
static struct rpcrt_trace
span_begin(const struct rpcrt_tracer *tracer, const struct rpcrt_trace *parent)
{
    struct rpcrt_trace trace;
    uint64_t chance;

    rpcrt_trace_begin(parent, &trace);
    if (parent == NULL) {
        memcpy(&chance, trace.trace_id, sizeof chance);
        if (tracer->sample_one_in <= 1 || chance % tracer->sample_one_in == 0) {
            trace.flags |= RPCRT_TRACE_SAMPLED;
        }
    }
    return trace;
}

static bool
is_told(const struct rpcrt_tracer *tracer, const struct rpcrt_trace *trace)
{
    return tracer->fn != NULL && (trace->flags & RPCRT_TRACE_SAMPLED) != 0;
}

/* -- servers --------------------------------------------------------------- */

static enum rpcrt_code
begin_served(void *arg, struct rpcrt_ctx *ctx)
{
    struct rpcrt_trace parent;
    struct rpcrt_trace own;

    own = span_begin(arg, rpcrt_ctx_trace(ctx, &parent) ? &parent : NULL);
    return rpcrt_ctx_set_trace(ctx, &own);
}

static void
end_served(void *arg, struct rpcrt_ctx *ctx,
           const struct rpcrt_call_record *record)
{
    const struct rpcrt_tracer *tracer = arg;
    struct rpcrt_span span = {.method = record->method,
                              .server = true,
                              .duration_us = record->duration_us,
                              .code = record->code,
                              .message = record->message};

    if (rpcrt_ctx_trace(ctx, &span.trace) && is_told(tracer, &span.trace)) {
        span.start_us = now_us() - (int64_t)record->duration_us;
        tracer->fn(tracer->arg, &span);
    }
}

struct rpcrt_server_interceptor
rpcrt_tracer_server(struct rpcrt_tracer *tracer)
{
    return (struct rpcrt_server_interceptor){
        .begin = begin_served, .end = end_served, .arg = tracer};
}

/* -- clients --------------------------------------------------------------- */

static enum rpcrt_code
begin_called(void *arg, struct rpcrt_call *call, const char *method)
{
    struct rpcrt_trace parent;
    struct rpcrt_trace own;

    (void)method;
    own = span_begin(arg, rpcrt_call_trace(call, &parent) ? &parent : NULL);
    rpcrt_call_set_span(call, &own);
    return RPCRT_OK;
}

static void
end_called(void *arg, struct rpcrt_call *call, const char *method)
{
    const struct rpcrt_tracer *tracer = arg;
    struct rpcrt_span span = {.method = method,
                              .duration_us = rpcrt_call_duration_us(call),
                              .code = rpcrt_call_code(call),
                              .message = rpcrt_call_message(call)};

    if (rpcrt_call_span(call, &span.trace) && is_told(tracer, &span.trace)) {
        span.start_us = now_us() - (int64_t)span.duration_us;
        tracer->fn(tracer->arg, &span);
    }
}

struct rpcrt_client_interceptor
rpcrt_tracer_client(struct rpcrt_tracer *tracer)
{
    return (struct rpcrt_client_interceptor){
        .begin = begin_called, .end = end_called, .arg = tracer};
}
