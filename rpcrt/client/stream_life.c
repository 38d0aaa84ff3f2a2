/*
 * A stream as the protocol sees it: made, filled and emptied by frames, ended.
 */
#include "client/stream.h"

#include "core/alloc.h"
#include "core/wait.h"

/* -- making and freeing ---------------------------------------------------- */

static struct rpcrt__call_stream *
stream_new(const struct rpcrt_channel *channel)
{
    struct rpcrt__call_stream *stream = rpcrt__calloc(1, sizeof *stream);

    if (stream == NULL || !rpcrt__cond_init(&stream->readable) ||
        !rpcrt__cond_init(&stream->writable)) {
        rpcrt__free(stream);
        return NULL;
    }
    rpcrt__arena_init(&stream->arena, channel->options.arena_size_max);
    return stream;
}

bool
rpcrt__call_stream_begin(struct rpcrt_call *call)
{
    struct rpcrt__call_stream *stream = call->stream;

    if (stream == NULL) {
        stream = stream_new(call->channel);
        if (stream == NULL) {
            return false;
        }
        call->stream = stream;
    }
    /* The server's window is known when the call goes out. */
    rpcrt__outflow_init(&stream->out, 0, RPCRT_STREAM_QUEUE);
    rpcrt__inflow_init(&stream->in, call->channel->options.stream_window);
    stream->dropping = false;
    call->streaming = true;
    return true;
}

void
rpcrt__call_stream_leave(struct rpcrt_call *call)
{
    if (!call->streaming) {
        return;
    }
    rpcrt_call_cancel(call);
    (void)rpcrt__call_wait_over(call, RPCRT__NEVER);
    rpcrt__inflow_fini(&call->stream->in);
    rpcrt__arena_reset(&call->stream->arena);
    call->streaming = false;
}

void
rpcrt__call_stream_free(struct rpcrt_call *call)
{
    struct rpcrt__call_stream *stream = call->stream;

    if (stream == NULL) {
        return;
    }
    rpcrt__call_stream_leave(call);
    pthread_mutex_lock(&call->channel->lock);
    rpcrt__list_remove(&call->event_node);
    pthread_mutex_unlock(&call->channel->lock);
    rpcrt__arena_fini(&stream->arena);
    (void)pthread_cond_destroy(&stream->writable);
    (void)pthread_cond_destroy(&stream->readable);
    rpcrt__free(stream);
    call->stream = NULL;
}

/* -- frames ---------------------------------------------------------------- */

static bool
sends(const struct rpcrt_call *call)
{
    return (call->method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0;
}

bool
rpcrt__call_stream_has_frames(const struct rpcrt_call *call)
{
    const struct rpcrt__call_stream *stream = call->stream;

    return rpcrt__inflow_owes(&stream->in) ||
           (sends(call) && rpcrt__outflow_ready(&stream->out, true));
}

size_t
rpcrt__call_stream_frames_size(const struct rpcrt_call *call)
{
    /* What a message costs is more than what its frames add to it. */
    return 2 * (size_t)RPCRT__FRAME_SIZE + 4 + call->stream->out.queued;
}

uint8_t *
rpcrt__call_stream_put(struct rpcrt_call *call, uint8_t *at, const uint8_t *end)
{
    struct rpcrt__call_stream *stream = call->stream;
    bool full = rpcrt__outflow_room(&stream->out) == 0;

    if (rpcrt__inflow_owes(&stream->in)) {
        return rpcrt__inflow_put_grant(&stream->in, call->by_id.id, at, end);
    }
    at = rpcrt__outflow_put(&stream->out, call->by_id.id, true, at, end);
    if (full && rpcrt__outflow_room(&stream->out) > 0) {
        stream->writable_due = true;
        rpcrt__channel_add_event(call->channel, call);
    }
    return at;
}

void
rpcrt__call_stream_schedule(struct rpcrt_call *call)
{
    if (call->state == RPCRT__CALL_SENT &&
        rpcrt__call_stream_has_frames(call)) {
        call->state = RPCRT__CALL_SENDING;
        rpcrt__list_append(&call->connection->sending, &call->queue);
    }
}

void
rpcrt__call_stream_wake(struct rpcrt_call *call)
{
    call->stream->readable_due = true;
    rpcrt__channel_add_event(call->channel, call);
}

void
rpcrt__call_stream_signal(struct rpcrt_call *call)
{
    struct rpcrt__call_stream *stream = call->stream;

    if (stream->readable_due) {
        stream->readable_due = false;
        (void)pthread_cond_broadcast(&stream->readable);
    }
    if (stream->writable_due) {
        stream->writable_due = false;
        (void)pthread_cond_broadcast(&stream->writable);
    }
}

enum rpcrt_code
rpcrt__call_stream_data(struct rpcrt_call *call,
                        const struct rpcrt__frame *frame,
                        struct rpcrt__error *ret_error)
{
    struct rpcrt__call_stream *stream = call->stream;
    bool none = rpcrt__list_empty(&stream->in.pieces);
    enum rpcrt_code code =
        rpcrt__inflow_data(&stream->in, frame, call->reply_size_max, ret_error);
    struct rpcrt__piece *piece;

    if (code == RPCRT_OK && stream->dropping) {
        while ((piece = rpcrt__inflow_take(&stream->in)) != NULL) {
            rpcrt__free(piece);
        }
        rpcrt__call_stream_schedule(call);
    } else if (code == RPCRT_OK && none &&
               !rpcrt__list_empty(&stream->in.pieces)) {
        rpcrt__call_stream_wake(call);
    }
    return code;
}

void
rpcrt__call_stream_end(struct rpcrt_call *call)
{
    struct rpcrt__call_stream *stream = call->stream;

    rpcrt__outflow_fini(&stream->out);
    if (call->origin == RPCRT_ORIGIN_LOCAL) {
        rpcrt__inflow_fini(&stream->in);
    }
    stream->writable_due = true;
    rpcrt__call_stream_wake(call);
}
