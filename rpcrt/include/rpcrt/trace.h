/*
 * Traces: which calls belong together through all services, as the W3C's Trace
 * Context says it, in metadata "traceparent" and "tracestate". Also an
 * interceptor that reports a span for each call, for both sides.
 *
 * A call whose parent is set (rpcrt_call_set_parent()) goes on with its
 * parent's trace, also without an interceptor.
 */
#ifndef RPCRT_TRACE_H
#define RPCRT_TRACE_H

#include <rpcrt/interceptor.h>

RPCRT_BEGIN_DECLS

/* Bits of flags. */
#define RPCRT_TRACE_SAMPLED 1u
/* Bytes of metadata "traceparent" with a zero byte; and at most of
 * "tracestate". */
#define RPCRT_TRACEPARENT_SIZE 56u
#define RPCRT_TRACESTATE_SIZE 513u

struct rpcrt_trace {
    uint8_t trace_id[16];
    uint8_t span_id[8];   /* of the span at hand */
    uint8_t parent_id[8]; /* of the span that it is a part of; all zero if it is
                             the first, or that is not known */
    uint8_t flags;
    const char *state; /* what other systems have added; NULL: nothing */
};

/** Read a traceparent; the state is NULL. False if it is malformed: then it
 * counts as absent. */
RPCRT_API bool rpcrt_trace_parse(const char *traceparent,
                                 struct rpcrt_trace *ret_trace);

/** Write a traceparent that makes what receives it a part of the span. */
RPCRT_API void rpcrt_trace_format(const struct rpcrt_trace *trace,
                                  char ret_text[RPCRT_TRACEPARENT_SIZE]);

/** A new span: a part of another one, or with NULL the first of a new trace,
 * without flags. */
RPCRT_API void rpcrt_trace_begin(const struct rpcrt_trace *parent,
                                 struct rpcrt_trace *ret_trace);

/** The span of a served call: the one that rpcrt_ctx_set_trace() was told, else
 * its caller's; false without. The state lives as long as the call. */
RPCRT_API bool rpcrt_ctx_trace(const struct rpcrt_ctx *ctx,
                               struct rpcrt_trace *ret_trace);

/** Give a served call a span of its own, which calls made for it are a part of;
 * copied. For interceptors. OK, or RESOURCE_EXHAUSTED. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_ctx_set_trace(struct rpcrt_ctx *ctx, const struct rpcrt_trace *trace);

/** Make the next uses of a call a part of a span, whatever its parent says;
 * copied. NULL undoes it. OK, or RESOURCE_EXHAUSTED without memory. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_set_trace(struct rpcrt_call *call, const struct rpcrt_trace *trace);

/** The span that uses of a call are a part of: the one that was set, else its
 * parent's; false without. The parent must still be there. */
RPCRT_API bool rpcrt_call_trace(const struct rpcrt_call *call,
                                struct rpcrt_trace *ret_trace);

/** Give the use of a call that begins a span of its own; for begin of an
 * interceptor. The state must be there until the request is sent. */
RPCRT_API void rpcrt_call_set_span(struct rpcrt_call *call,
                                   const struct rpcrt_trace *trace);

/** The span of the last use; false without. The state is NULL. */
RPCRT_API bool rpcrt_call_span(const struct rpcrt_call *call,
                               struct rpcrt_trace *ret_trace);

/* -- reporting ------------------------------------------------------------- */

/** What there is to know about one call on one side. */
struct rpcrt_span {
    const char *method; /* "/kv.v1.Kv/Put" */
    bool server;        /* or the client */
    struct rpcrt_trace trace;
    int64_t start_us; /* since 1970 */
    uint64_t duration_us;
    enum rpcrt_code code;
    const char *message;
};

/** Told of a span when it is over, if its trace is sampled; must not block. */
typedef void rpcrt_span_fn(void *arg, const struct rpcrt_span *span);

struct rpcrt_tracer {
    rpcrt_span_fn *fn; /* NULL: spans are made and passed on, not told */
    void *arg;
    uint32_t sample_one_in; /* of so many traces that begin here one is sampled;
                               0: all of them */
};

/** Interceptors that give each call a span. A trace that comes with a call is
 * continued, else one begins. The tracer must outlive server and channel. */
RPCRT_API struct rpcrt_server_interceptor
rpcrt_tracer_server(struct rpcrt_tracer *tracer);
RPCRT_API struct rpcrt_client_interceptor
rpcrt_tracer_client(struct rpcrt_tracer *tracer);

RPCRT_END_DECLS

#endif
