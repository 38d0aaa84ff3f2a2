/*
 * What the user of a streaming call does between its start and its end: send,
 * receive, close, finish. Starting is in use.c, frames are in compose.c and
 * receive.c.
 */
#include "client/stream.h"

#include "core/alloc.h"
#include "core/wait.h"
#include "wire/guard.h"

static bool
sends(const struct rpcrt_call *call)
{
    return call->streaming &&
           (call->method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0;
}

static bool
receives(const struct rpcrt_call *call)
{
    return call->streaming &&
           (call->method->flags & RPCRT_METHOD_SERVER_STREAMING) != 0;
}

/* End the use for a reason of this side, unless it is over. */
static void
fail(struct rpcrt_call *call, const struct rpcrt__error *error)
{
    struct rpcrt_channel *channel = call->channel;
    struct rpcrt__delivery delivery;

    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&channel->lock);
    if (call->state != RPCRT__CALL_IDLE) {
        rpcrt__call_fail(call, error->code, RPCRT_ORIGIN_LOCAL, &delivery,
                         "%s: %s", call->method->path, error->text);
    }
    rpcrt__channel_unlock(channel, &delivery);
}

/* -- sending --------------------------------------------------------------- */

static struct rpcrt__piece *
pack(const ProtobufCMessage *message, struct rpcrt__error *ret_error)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    struct rpcrt__piece *piece = NULL;

    if (size <= UINT32_MAX / 2) {
        piece = rpcrt__piece_new((uint32_t)size);
    }
    if (piece == NULL) {
        (void)rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                               "no memory for a message of %zu bytes", size);
    } else {
        (void)protobuf_c_message_pack(message, piece->bytes);
    }
    return piece;
}

/* Wait until a message may be queued; false if none will be. [locked] */
static bool
wait_for_room(struct rpcrt_call *call)
{
    struct rpcrt__call_stream *stream = call->stream;

    while (call->state != RPCRT__CALL_IDLE && !stream->out.closed &&
           rpcrt__outflow_room(&stream->out) == 0) {
        (void)pthread_cond_wait(&stream->writable, &call->channel->lock);
    }
    return call->state != RPCRT__CALL_IDLE && !stream->out.closed;
}

/* Whether who is to take a message, and who has configured the channel, allow
 * its size. [locked] */
static bool
check_size(const struct rpcrt_call *call, uint32_t size,
           struct rpcrt__error *ret_error)
{
    if (size > call->request_size_max) {
        (void)rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                               "message of %u bytes, the service config allows "
                               "%u",
                               (unsigned)size,
                               (unsigned)call->request_size_max);
        return false;
    }
    if (call->connection != NULL && size > call->connection->message_size_max) {
        (void)rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                               "message of %u bytes, the server takes %u",
                               (unsigned)size,
                               (unsigned)call->connection->message_size_max);
        return false;
    }
    return true;
}

bool
rpcrt_call_send(struct rpcrt_call *call, const ProtobufCMessage *message)
{
    struct rpcrt_channel *channel = call->channel;
    struct rpcrt__error error = {.code = RPCRT_OK};
    struct rpcrt__piece *piece;
    bool taken;

    if (!sends(call)) {
        return false;
    }
    piece = pack(message, &error);
    if (piece == NULL) {
        fail(call, &error);
        return false;
    }
    pthread_mutex_lock(&channel->lock);
    taken = wait_for_room(call) && check_size(call, piece->size, &error);
    if (taken) {
        rpcrt__outflow_add(&call->stream->out, piece);
        rpcrt__call_stream_schedule(call);
    }
    rpcrt__channel_release(channel);
    if (!taken) {
        rpcrt__free(piece);
    }
    if (error.code != RPCRT_OK) {
        fail(call, &error);
    }
    return taken;
}

void
rpcrt_call_close_send(struct rpcrt_call *call)
{
    struct rpcrt_channel *channel = call->channel;

    if (!sends(call)) {
        return;
    }
    pthread_mutex_lock(&channel->lock);
    if (call->state != RPCRT__CALL_IDLE && !call->stream->out.closed) {
        call->stream->out.closed = true;
        rpcrt__call_stream_schedule(call);
    }
    rpcrt__channel_release(channel);
}

size_t
rpcrt_call_room(struct rpcrt_call *call)
{
    size_t room = 0;

    pthread_mutex_lock(&call->channel->lock);
    if (sends(call) && call->state != RPCRT__CALL_IDLE) {
        room = rpcrt__outflow_room(&call->stream->out);
    }
    pthread_mutex_unlock(&call->channel->lock);
    return room;
}

/* -- receiving ------------------------------------------------------------- */

/* Unpack into memory that lasts until the next message is taken. */
static const ProtobufCMessage *
unpack(struct rpcrt_call *call, const struct rpcrt__piece *piece,
       struct rpcrt__error *ret_error)
{
    const ProtobufCMessageDescriptor *type = call->method->reply;
    struct rpcrt__arena *arena = &call->stream->arena;
    struct rpcrt__error error;
    const ProtobufCMessage *message;

    rpcrt__arena_reset(arena);
    if (rpcrt__guard_check(type, piece->bytes, piece->size, &error) !=
        RPCRT_OK) {
        (void)rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                               "message can't be read: %s", error.text);
        return NULL;
    }
    message = protobuf_c_message_unpack(type, &arena->allocator, piece->size,
                                        piece->bytes);
    if (message == NULL) {
        (void)rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                               "a message of %u bytes does not fit into the "
                               "call's memory",
                               (unsigned)piece->size);
    }
    return message;
}

/* A message came that can't be taken: nothing behind it can be either, and
 * whatever the server said of the call, it did not end well. */
static void
fail_to_read(struct rpcrt_call *call, const struct rpcrt__error *error)
{
    struct rpcrt_channel *channel = call->channel;

    fail(call, error);
    (void)rpcrt__call_wait_over(call, RPCRT__NEVER);
    pthread_mutex_lock(&channel->lock);
    rpcrt__inflow_fini(&call->stream->in);
    pthread_mutex_unlock(&channel->lock);
    if (call->outcome.code == RPCRT_OK) {
        call->origin = RPCRT_ORIGIN_LOCAL;
        (void)rpcrt__error_set(&call->outcome, error->code, "%s: %s",
                               call->method->path, error->text);
    }
}

/* Whether x_next() would not wait. [locked] */
static bool
is_readable(const struct rpcrt_call *call)
{
    return call->state == RPCRT__CALL_IDLE ||
           !rpcrt__list_empty(&call->stream->in.pieces);
}

/* The next message as it came; NULL if there are no more. */
static struct rpcrt__piece *
take(struct rpcrt_call *call)
{
    struct rpcrt_channel *channel = call->channel;
    struct rpcrt__call_stream *stream = call->stream;
    struct rpcrt__piece *piece;

    pthread_mutex_lock(&channel->lock);
    while (!is_readable(call)) {
        (void)pthread_cond_wait(&stream->readable, &channel->lock);
    }
    piece = rpcrt__inflow_take(&stream->in);
    rpcrt__call_stream_schedule(call);
    rpcrt__channel_release(channel);
    return piece;
}

bool
rpcrt_call_next(struct rpcrt_call *call, const ProtobufCMessage **ret_message)
{
    struct rpcrt__error error;
    const ProtobufCMessage *message;
    struct rpcrt__piece *piece;

    if (!receives(call)) {
        return false;
    }
    piece = take(call);
    if (piece == NULL) {
        return false;
    }
    message = unpack(call, piece, &error);
    rpcrt__free(piece);
    if (message == NULL) {
        fail_to_read(call, &error);
        return false;
    }
    *ret_message = message;
    return true;
}

/* -- waiting --------------------------------------------------------------- */

/* Wait for what `settled` says, woken as if for a message. */
static enum rpcrt_code
wait_until(struct rpcrt_call *call, int timeout_ms,
           bool (*settled)(const struct rpcrt_call *call))
{
    struct rpcrt_channel *channel = call->channel;
    uint64_t end_ns = rpcrt__wait_end_ns(timeout_ms);
    bool in_time = true;
    bool over;

    pthread_mutex_lock(&channel->lock);
    while (!settled(call) && in_time) {
        in_time =
            rpcrt__cond_wait(&call->stream->readable, &channel->lock, end_ns);
    }
    over = settled(call);
    pthread_mutex_unlock(&channel->lock);
    return over ? RPCRT_OK : RPCRT_DEADLINE_EXCEEDED;
}

enum rpcrt_code
rpcrt_call_wait_next(struct rpcrt_call *call, int timeout_ms)
{
    return receives(call) ? wait_until(call, timeout_ms, is_readable)
                          : rpcrt_call_wait(call, timeout_ms);
}

/* Headers come before anything else that the server says. [locked] */
static bool
has_headers(const struct rpcrt_call *call)
{
    return call->state == RPCRT__CALL_IDLE || call->headers_came ||
           call->reply_open;
}

enum rpcrt_code
rpcrt_call_wait_headers(struct rpcrt_call *call, int timeout_ms)
{
    return call->streaming ? wait_until(call, timeout_ms, has_headers)
                           : rpcrt_call_wait(call, timeout_ms);
}

void
rpcrt_call_on_event(struct rpcrt_call *call, rpcrt_event_fn *fn, void *arg)
{
    struct rpcrt_channel *channel = call->channel;

    pthread_mutex_lock(&channel->lock);
    rpcrt__channel_drop_events(channel, call);
    call->on_event = fn;
    call->event_arg = arg;
    pthread_mutex_unlock(&channel->lock);
}

/* -- the end --------------------------------------------------------------- */

/* Drop what came, and what comes, without stopping who sends it. */
static void
drop_messages(struct rpcrt_call *call)
{
    struct rpcrt__call_stream *stream = call->stream;
    struct rpcrt__piece *piece;

    pthread_mutex_lock(&call->channel->lock);
    stream->dropping = true;
    while ((piece = rpcrt__inflow_take(&stream->in)) != NULL) {
        rpcrt__free(piece);
    }
    rpcrt__call_stream_schedule(call);
    rpcrt__channel_release(call->channel);
}

enum rpcrt_code
rpcrt_call_finish(struct rpcrt_call *call, const ProtobufCMessage **ret_reply)
{
    rpcrt_call_close_send(call);
    if (receives(call)) {
        drop_messages(call);
    }
    (void)rpcrt__call_wait_over(call, RPCRT__NEVER);
    if (call->streaming) {
        rpcrt__arena_reset(&call->stream->arena);
    }
    if (ret_reply != NULL && !receives(call)) {
        return rpcrt_call_take(call, ret_reply);
    }
    return call->outcome.code;
}
