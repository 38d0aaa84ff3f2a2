/*
 * The session's side of a stream: frames in, what they cost, and who is woken
 * by them. The handler's side is in stream_use.c.
 */
#include "server/stream.h"

#include "core/alloc.h"
#include "server/session.h"

/* -- making and freeing ---------------------------------------------------- */

enum rpcrt_code
rpcrt__stream_new(struct rpcrt_ctx *ctx)
{
    struct rpcrt_server_options *options = &ctx->server->options;
    struct rpcrt__stream *stream;

    if (!rpcrt__ctx_streams(ctx)) {
        return RPCRT_OK;
    }
    stream = rpcrt__calloc(1, sizeof *stream);
    if (stream == NULL) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    stream->ctx = ctx;
    rpcrt__inflow_init(&stream->in, options->stream_window);
    rpcrt__outflow_init(&stream->out, ctx->session->stream_window,
                        RPCRT_STREAM_QUEUE);
    (void)pthread_cond_init(&stream->changed, NULL);
    rpcrt__arena_init(&stream->arena, options->arena_size_max);
    rpcrt__list_init(&stream->room_task.node);
    stream->room_task.run = rpcrt__ctx_room_task;
    stream->counted = true;
    atomic_fetch_add(&ctx->server->n_streams, 1);
    ctx->stream = stream;
    return RPCRT_OK;
}

void
rpcrt__stream_free(struct rpcrt__stream *stream)
{
    if (stream == NULL) {
        return;
    }
    if (stream->counted) {
        atomic_fetch_sub(&stream->ctx->server->n_streams, 1);
    }
    rpcrt__inflow_fini(&stream->in);
    rpcrt__outflow_fini(&stream->out);
    rpcrt__arena_fini(&stream->arena);
    (void)pthread_cond_destroy(&stream->changed);
    rpcrt__free(stream);
}

/* -- small things ---------------------------------------------------------- */

void
rpcrt__stream_charge(struct rpcrt__stream *stream)
{
    struct rpcrt__session *session = stream->ctx->session;
    size_t bytes = stream->in.buffered + stream->out.queued;

    session->bytes = session->bytes - stream->charged + bytes;
    stream->charged = bytes;
}

static void
wake(struct rpcrt__stream *stream)
{
    if (stream->n_waiting > 0) {
        (void)pthread_cond_broadcast(&stream->changed);
    }
}

/* -- frames ---------------------------------------------------------------- */

/* End a call that is more than the server takes. */
static enum rpcrt_code
end_call(struct rpcrt__stream *stream, const struct rpcrt__error *why,
         struct rpcrt__ctx_notices *notices, struct rpcrt__error *ret_error)
{
    struct rpcrt_ctx *ctx = stream->ctx;

    stream->failure = *why;
    if (!rpcrt__session_refuse(ctx->session, ctx->by_id.id, 0, why->code,
                               why->text)) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "no memory for a refusal");
    }
    rpcrt__ctx_release(ctx, true, notices);
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__stream_data(struct rpcrt__stream *stream,
                   const struct rpcrt__frame *frame,
                   struct rpcrt__ctx_notices *notices,
                   struct rpcrt__error *ret_error)
{
    struct rpcrt_ctx *ctx = stream->ctx;
    struct rpcrt_server_options *options = &ctx->server->options;
    struct rpcrt__error why;
    enum rpcrt_code code;

    if (ctx->handled) {
        return RPCRT_OK; /* the answer is on its way */
    }
    code =
        rpcrt__inflow_data(&stream->in, frame, options->message_size_max, &why);
    if (code == RPCRT_INVALID_ARGUMENT) {
        *ret_error = why;
        return code;
    }
    rpcrt__stream_charge(stream);
    if (code == RPCRT_OK && ctx->session->bytes > options->session_bytes_max) {
        code = rpcrt__error_set(&why, RPCRT_RESOURCE_EXHAUSTED,
                                "%s: messages that wait fill the %zu bytes "
                                "that the server keeps for a connection",
                                ctx->served->method->path,
                                options->session_bytes_max);
    }
    if (code != RPCRT_OK) {
        return end_call(stream, &why, notices, ret_error);
    }
    if (!rpcrt__list_empty(&stream->in.pieces) || stream->in.ended) {
        wake(stream);
    }
    rpcrt__session_refresh(ctx);
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__stream_grant(struct rpcrt__stream *stream, uint32_t bytes,
                    struct rpcrt__error *ret_error)
{
    enum rpcrt_code code = rpcrt__outflow_grant(&stream->out, bytes, ret_error);

    if (code == RPCRT_OK) {
        rpcrt__session_refresh(stream->ctx);
    }
    return code;
}

/* on_room is called by a task: whoever sends may hold a lock of its own that
 * on_room of another stream takes. */
void
rpcrt__stream_drained(struct rpcrt__stream *stream, size_t room)
{
    rpcrt__stream_charge(stream);
    if (room > 0 || rpcrt__outflow_room(&stream->out) == 0) {
        return;
    }
    wake(stream);
    if (stream->on_room.fn == NULL || stream->ctx->handled) {
        return;
    }
    if (stream->on_room.state == RPCRT__NOTICE_NONE) {
        struct rpcrt__list tasks;

        rpcrt__list_init(&tasks);
        rpcrt__list_append(&tasks, &stream->room_task.node);
        stream->on_room.state = RPCRT__NOTICE_PENDING;
        rpcrt__executor_submit(stream->ctx->server->executor, &tasks);
    } else {
        stream->room_again = true;
    }
}

void
rpcrt__stream_close(struct rpcrt__stream *stream)
{
    stream->out.closed = true;
    rpcrt__inflow_fini(&stream->in);
    stream->in.ended = true;
    rpcrt__stream_charge(stream);
}

void
rpcrt__stream_release(struct rpcrt__stream *stream)
{
    const struct rpcrt_ctx *ctx = stream->ctx;

    if (stream->failure.code == RPCRT_OK) {
        bool late = ctx->parent.deadline_ns <= rpcrt__now_ns();

        (void)rpcrt__error_set(
            &stream->failure, late ? RPCRT_DEADLINE_EXCEEDED : RPCRT_CANCELLED,
            late ? "the deadline passed at the server"
                 : "the client has cancelled the call, or is gone");
    }
    rpcrt__inflow_fini(&stream->in);
    rpcrt__outflow_fini(&stream->out);
    rpcrt__stream_charge(stream);
    wake(stream);
}
