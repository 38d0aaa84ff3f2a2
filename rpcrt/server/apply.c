/*
 * From the bytes of a message to what they mean for calls. A message has been
 * put in order before it comes here; an error of this file ends the session,
 * what concerns one call only ends that call.
 */
#include "server/session.h"

#include "core/alloc.h"
#include "server/stream.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NO_MEMORY "the server has no memory"

static enum rpcrt_code
end_session(struct rpcrt__error *ret_error)
{
    return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                            "refusals that nobody reads, or no memory");
}

static struct rpcrt_ctx *
find_call(const struct rpcrt__session *session, uint64_t id)
{
    struct rpcrt__idnode *node = rpcrt__idmap_find(&session->calls, id);

    return node == NULL ? NULL : RPCRT__ELEMENT(node, struct rpcrt_ctx, by_id);
}

/* -- session --------------------------------------------------------------- */

static enum rpcrt_code
on_hello(struct rpcrt__session *session, const struct rpcrt__frame *frame,
         struct rpcrt__error *ret_error)
{
    uint8_t payload[RPCRT__HELLO_SIZE];
    struct rpcrt__hello hello;

    rpcrt__get_hello(frame, &hello);
    if (session->state != RPCRT__SESSION_NEW) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: second HELLO");
    }
    /* The arithmetic of credits began with the most that a client can have. */
    if (hello.contexts < 2 || hello.contexts > RPCRT_CONTEXTS_MAX) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: %" PRIu32 " contexts, 2 to %u are "
                                "possible",
                                hello.contexts, RPCRT_CONTEXTS_MAX);
    }
    if (session->surplus) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "the server has %u connections and takes no "
                                "more",
                                session->server->options.sessions_max);
    }
    if (session->credits.keep >= hello.contexts) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: keep %u with %" PRIu32 " contexts",
                                session->credits.keep, hello.contexts);
    }
    session->credits.contexts = hello.contexts;
    session->requests.window = hello.contexts;
    session->message_size_max = hello.message_size_max;
    session->stream_window = hello.stream_window;
    session->state = RPCRT__SESSION_UP;
    hello.message_size_max =
        (uint32_t)session->server->options.message_size_max;
    hello.stream_window = session->server->options.stream_window;
    hello.instance = session->server->instance;
    (void)rpcrt__put_hello(payload, &hello);
    if (!rpcrt__session_control(session, RPCRT__FRAME_HELLO, 0, 0, 0, payload,
                                sizeof payload)) {
        return end_session(ret_error);
    }
    /* Who comes while the server drains missed what the others were told. */
    return !atomic_load(&session->server->draining) ||
                   rpcrt__session_put_goaway(session)
               ? RPCRT_OK
               : end_session(ret_error);
}

static enum rpcrt_code
on_method(struct rpcrt__session *session, const struct rpcrt__frame *frame,
          struct rpcrt__error *ret_error)
{
    const char *path = (const char *)frame->payload;
    struct rpcrt__numbered *numbered;

    if (frame->aux > session->n_methods ||
        frame->aux >= RPCRT_METHODS_PER_SESSION_MAX) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: method number %u is not the next",
                                frame->aux);
    }
    if (session->methods == NULL) {
        session->methods = rpcrt__calloc(RPCRT_METHODS_PER_SESSION_MAX,
                                         sizeof session->methods[0]);
    }
    if (session->methods == NULL) {
        return end_session(ret_error);
    }
    numbered = &session->methods[frame->aux];
    rpcrt__free(numbered->path);
    numbered->path = NULL;
    numbered->served = rpcrt__server_find(session->server, path, frame->size);
    if (numbered->served == NULL) {
        numbered->path = rpcrt__calloc(1, frame->size + 1u);
        if (numbered->path == NULL) {
            return end_session(ret_error);
        }
        memcpy(numbered->path, path, frame->size);
    }
    if (frame->aux == session->n_methods) {
        session->n_methods++;
    }
    return RPCRT_OK;
}

/* -- calls ----------------------------------------------------------------- */

/* Whether the method is one for such a call. */
static enum rpcrt_code
check_method(const struct rpcrt__session *session,
             const struct rpcrt__frame *frame, struct rpcrt__error *why)
{
    const struct rpcrt__numbered *numbered = &session->methods[frame->aux];
    const struct rpcrt_method *method;
    bool streams = (frame->flags & RPCRT__END) == 0;

    if (numbered->served == NULL) {
        return rpcrt__error_set(why, RPCRT_UNIMPLEMENTED,
                                "the server has no method %s", numbered->path);
    }
    method = numbered->served->method;
    if (streams != ((method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0)) {
        return rpcrt__error_set(why, RPCRT_UNIMPLEMENTED,
                                streams ? "%s takes one message, not a stream"
                                        : "%s takes a stream of messages",
                                method->path);
    }
    return RPCRT_OK;
}

/* Why a call can't be taken; writes a text and returns its code. */
static enum rpcrt_code
check_limits(const struct rpcrt__session *session,
             const struct rpcrt__frame *frame,
             const struct rpcrt__call_open *open, struct rpcrt__error *why)
{
    const struct rpcrt_server *server = session->server;
    const struct rpcrt_server_options *options = &server->options;

    if (open->message_size > options->message_size_max) {
        return rpcrt__error_set(
            why, RPCRT_RESOURCE_EXHAUSTED,
            "%s: request of %" PRIu32 " bytes, the server "
            "takes %zu",
            session->methods[frame->aux].served->method->path,
            open->message_size, options->message_size_max);
    }
    if (session->n_live >= options->session_calls_max) {
        return rpcrt__error_set(why, RPCRT_RESOURCE_EXHAUSTED,
                                "%u calls of this connection are in flight, "
                                "the server takes no more",
                                options->session_calls_max);
    }
    if (atomic_load(&server->n_calls) >= options->server_calls_max) {
        return rpcrt__error_set(why, RPCRT_RESOURCE_EXHAUSTED,
                                "%u calls are in flight, the server takes no "
                                "more",
                                options->server_calls_max);
    }
    if (rpcrt__overload_is_full(server, session->methods[frame->aux].served)) {
        return rpcrt__error_set(why, RPCRT_RESOURCE_EXHAUSTED,
                                "%u calls wait for their turn, the server "
                                "takes no more",
                                options->queue_calls_max);
    }
    if (open->message_size + open->metadata_size + session->bytes >
        options->session_bytes_max) {
        return rpcrt__error_set(why, RPCRT_RESOURCE_EXHAUSTED,
                                "requests and replies of this connection fill "
                                "%zu bytes, the server takes no more",
                                options->session_bytes_max);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
open_stream(struct rpcrt_ctx *ctx, struct rpcrt__error *why)
{
    uint32_t streams_max = ctx->server->options.streams_max;

    if (rpcrt__ctx_streams(ctx) &&
        atomic_load(&ctx->server->n_streams) >= streams_max) {
        return rpcrt__error_set(why, RPCRT_RESOURCE_EXHAUSTED,
                                "%" PRIu32 " streams are being handled, the "
                                "server takes no more",
                                streams_max);
    }
    return rpcrt__stream_new(ctx) == RPCRT_OK
               ? RPCRT_OK
               : rpcrt__error_set(why, RPCRT_RESOURCE_EXHAUSTED, NO_MEMORY);
}

/* Fill a context from the frame; what it lacks of the request comes later. */
static enum rpcrt_code
open_call(struct rpcrt_ctx *ctx, const struct rpcrt__call_open *open,
          struct rpcrt__error *why)
{
    enum rpcrt_code code =
        rpcrt__metadata_decode(&ctx->metadata, open->metadata,
                               open->metadata_size, open->n_metadata, why);

    if (code != RPCRT_OK) {
        return code;
    }
    ctx->request = rpcrt__arena_alloc(&ctx->arena, open->message_size);
    if (ctx->request == NULL) {
        return rpcrt__error_set(why, RPCRT_RESOURCE_EXHAUSTED,
                                NO_MEMORY " for a request of %" PRIu32 " bytes",
                                open->message_size);
    }
    if (open->data_size > 0) {
        memcpy(ctx->request, open->data, open->data_size);
    }
    ctx->request_got = open->data_size;
    ctx->request_size = open->message_size;
    ctx->started_ns = 0;
    ctx->parent.deadline_ns = RPCRT__NEVER;
    ctx->complete_by_ns = RPCRT__NEVER;
    if (open->timeout_ms != 0 || ctx->server->options.call_log != NULL ||
        ctx->server->chain.n_items > 0 ||
        ctx->request_got < ctx->request_size) {
        ctx->started_ns = rpcrt__now_ns();
        ctx->parent.deadline_ns =
            rpcrt__deadline_ns(ctx->started_ns, open->timeout_ms);
    }
    if (ctx->request_got < ctx->request_size) {
        ctx->complete_by_ns =
            rpcrt__deadline_ns(ctx->started_ns, RPCRT_STALL_TIMEOUT_MS);
    }
    ctx->charged = open->message_size + open->metadata_size;
    return open_stream(ctx, why);
}

static void
begin_handling(struct rpcrt_ctx *ctx, struct rpcrt__list *ready)
{
    ctx->handled = false;
    ctx->complete_by_ns = RPCRT__NEVER;
    rpcrt__list_append(ready, &ctx->task.node);
}

/* The call is the session's from here on. */
static void
admit(struct rpcrt__session *session, struct rpcrt_ctx *ctx, uint64_t id,
      struct rpcrt__list *ready)
{
    uint64_t due_ns = rpcrt__ctx_due_ns(ctx);

    rpcrt__idmap_add(&session->calls, &ctx->by_id, id);
    rpcrt__list_append(&session->live, &ctx->live);
    session->n_live++;
    session->bytes += ctx->charged;
    atomic_fetch_add(&session->server->counters.calls_started, 1);
    if (due_ns != RPCRT__NEVER) {
        rpcrt__server_wake(session->server, due_ns);
    }
    if (ctx->request_got == ctx->request_size) {
        begin_handling(ctx, ready);
    }
}

static enum rpcrt_code
on_call(struct rpcrt__session *session, const struct rpcrt__frame *frame,
        struct rpcrt__list *ready, struct rpcrt__ctx_notices *notices,
        struct rpcrt__error *ret_error)
{
    struct rpcrt__call_open open;
    struct rpcrt__error why;
    struct rpcrt_ctx *ctx;
    enum rpcrt_code code;

    if (frame->call != session->last_call + 1 ||
        frame->aux >= session->n_methods) {
        return rpcrt__error_set(
            ret_error, RPCRT_INVALID_ARGUMENT,
            "protocol: call %" PRIu64 " after %" PRIu64 ", method %u of %zu",
            frame->call, session->last_call, frame->aux, session->n_methods);
    }
    session->last_call = frame->call;
    rpcrt__get_call_open(frame, &open);
    code = check_method(session, frame, &why);
    if (atomic_load(&session->server->draining)) {
        code = rpcrt__error_set(&why, RPCRT_UNAVAILABLE,
                                "the server is shutting down");
    }
    if (code == RPCRT_OK) {
        code = check_limits(session, frame, &open, &why);
    }
    if (code == RPCRT_OK) {
        ctx = rpcrt__ctx_take(session);
        if (ctx == NULL) {
            code = rpcrt__error_set(&why, RPCRT_RESOURCE_EXHAUSTED, NO_MEMORY);
        } else {
            ctx->served = session->methods[frame->aux].served;
            code = open_call(ctx, &open, &why);
            if (code == RPCRT_OK) {
                admit(session, ctx, frame->call, ready);
                return RPCRT_OK;
            }
            rpcrt__list_append(&notices->recycle, &ctx->pooled);
        }
    }
    atomic_fetch_add(&session->server->counters.calls_refused, 1);
    return rpcrt__session_refuse(session, frame->call, RPCRT__REFUSED, code,
                                 why.text)
               ? RPCRT_OK
               : end_session(ret_error);
}

static enum rpcrt_code
on_data(struct rpcrt__session *session, const struct rpcrt__frame *frame,
        struct rpcrt__list *ready, struct rpcrt__ctx_notices *notices,
        struct rpcrt__error *ret_error)
{
    struct rpcrt_ctx *ctx = find_call(session, frame->call);

    if (ctx == NULL) {
        return RPCRT_OK; /* the call was refused, or is over */
    }
    if (rpcrt__ctx_client_streams(ctx)) {
        return rpcrt__stream_data(ctx->stream, frame, notices, ret_error);
    }
    if (frame->flags != 0) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: a stream for call %" PRIu64
                                ", which has one request",
                                frame->call);
    }
    if (frame->size == 0) {
        return RPCRT_OK;
    }
    if (frame->size > ctx->request_size - ctx->request_got) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: request of call %" PRIu64
                                " is longer than announced",
                                frame->call);
    }
    memcpy(ctx->request + ctx->request_got, frame->payload, frame->size);
    ctx->request_got += frame->size;
    if (ctx->request_got == ctx->request_size) {
        begin_handling(ctx, ready);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
on_window(struct rpcrt__session *session, const struct rpcrt__frame *frame,
          struct rpcrt__error *ret_error)
{
    struct rpcrt_ctx *ctx = find_call(session, frame->call);

    if (ctx == NULL) {
        return RPCRT_OK; /* as above */
    }
    if (!rpcrt__ctx_server_streams(ctx)) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: WINDOW for call %" PRIu64
                                ", which has one reply",
                                frame->call);
    }
    return rpcrt__stream_grant(ctx->stream, rpcrt__get_u32(frame->payload),
                               ret_error);
}

static enum rpcrt_code
on_frame(struct rpcrt__session *session, const struct rpcrt__frame *frame,
         struct rpcrt__list *ready, struct rpcrt__ctx_notices *notices,
         struct rpcrt__error *ret_error)
{
    struct rpcrt_ctx *ctx;

    if (session->state == RPCRT__SESSION_NEW &&
        frame->type != RPCRT__FRAME_HELLO) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: the client did not begin with "
                                "HELLO");
    }
    switch (frame->type) {
    case RPCRT__FRAME_HELLO:
        return on_hello(session, frame, ret_error);
    case RPCRT__FRAME_METHOD:
        return on_method(session, frame, ret_error);
    case RPCRT__FRAME_CALL:
        return on_call(session, frame, ready, notices, ret_error);
    case RPCRT__FRAME_DATA:
        return on_data(session, frame, ready, notices, ret_error);
    case RPCRT__FRAME_WINDOW:
        return on_window(session, frame, ret_error);
    case RPCRT__FRAME_CANCEL:
        ctx = find_call(session, frame->call);
        if (ctx != NULL) {
            rpcrt__ctx_release(ctx, true, notices);
        }
        return RPCRT_OK;
    case RPCRT__FRAME_PING:
        return rpcrt__session_control(session, RPCRT__FRAME_PONG, 0, 0, 0,
                                      frame->payload, frame->size)
                   ? RPCRT_OK
                   : end_session(ret_error);
    default: /* PONG: that it came is all that counts */
        return RPCRT_OK;
    }
}

enum rpcrt_code
rpcrt__session_apply(struct rpcrt__session *session, const uint8_t *bytes,
                     size_t size, struct rpcrt__list *ready,
                     struct rpcrt__ctx_notices *notices,
                     struct rpcrt__error *ret_error)
{
    size_t at = RPCRT__HEADER_SIZE;
    struct rpcrt__frame frame;
    enum rpcrt_code code = RPCRT_OK;

    while (code == RPCRT_OK && rpcrt__next_frame(bytes, size, &at, &frame)) {
        code = on_frame(session, &frame, ready, notices, ret_error);
    }
    return code;
}
