/*
 * The handler's side of a stream: receive and send, and wait meanwhile.
 */
#include "server/stream.h"

#include "core/alloc.h"
#include "server/session.h"
#include "wire/guard.h"

/* -- between handler and session ------------------------------------------- */

static void
lock(struct rpcrt_ctx *ctx)
{
    pthread_mutex_lock(&ctx->session->lock);
}

static void
unlock(struct rpcrt_ctx *ctx)
{
    pthread_mutex_unlock(&ctx->session->lock);
}

/* Send what there is now, and give up the lock. [locked] */
static void
pump_and_unlock(struct rpcrt_ctx *ctx)
{
    struct rpcrt__ctx_notices notices;

    rpcrt__ctx_notices_init(&notices);
    rpcrt__session_refresh(ctx);
    rpcrt__session_pump(ctx->session, &notices);
    unlock(ctx);
    rpcrt__ctx_notices_run(&notices);
}

/* [locked, given up meanwhile] */
static void
wait_for_change(struct rpcrt__stream *stream)
{
    stream->n_waiting++;
    pthread_cond_wait(&stream->changed, &stream->ctx->session->lock);
    stream->n_waiting--;
}

/* Make a failure the outcome of the call, unless there was one before.
 * [locked] */
static enum rpcrt_code
fail(struct rpcrt__stream *stream, const struct rpcrt__error *why)
{
    if (stream->failure.code == RPCRT_OK) {
        stream->failure = *why;
        (void)pthread_cond_broadcast(&stream->changed);
    }
    return stream->failure.code;
}

static enum rpcrt_code
fail_unlocked(struct rpcrt__stream *stream, const struct rpcrt__error *why)
{
    enum rpcrt_code code;

    lock(stream->ctx);
    code = fail(stream, why);
    unlock(stream->ctx);
    return code;
}

/* -- receiving ------------------------------------------------------------- */

/* Wait for a message; OK and NULL: no more come. */
static enum rpcrt_code
await_piece(struct rpcrt__stream *stream, struct rpcrt__piece **ret_piece)
{
    struct rpcrt_ctx *ctx = stream->ctx;
    enum rpcrt_code code;

    lock(ctx);
    while (stream->failure.code == RPCRT_OK && !stream->in.ended &&
           rpcrt__list_empty(&stream->in.pieces)) {
        wait_for_change(stream);
    }
    code = stream->failure.code;
    if (code != RPCRT_OK) {
        unlock(ctx);
        return code;
    }
    *ret_piece = rpcrt__inflow_take(&stream->in);
    if (*ret_piece == NULL) {
        unlock(ctx);
        return RPCRT_OK;
    }
    stream->received += (*ret_piece)->size;
    rpcrt__stream_charge(stream);
    if (rpcrt__inflow_owes(&stream->in)) {
        pump_and_unlock(ctx);
    } else {
        unlock(ctx);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
unpack(struct rpcrt__stream *stream, const struct rpcrt__piece *piece,
       const ProtobufCMessage **ret_message)
{
    const struct rpcrt_method *method = stream->ctx->served->method;
    struct rpcrt__error why;
    enum rpcrt_code code =
        rpcrt__guard_check(method->request, piece->bytes, piece->size, &why);

    if (code != RPCRT_OK) {
        return fail_unlocked(stream, &why);
    }
    *ret_message = protobuf_c_message_unpack(
        method->request, &stream->arena.allocator, piece->size, piece->bytes);
    if (*ret_message != NULL) {
        return RPCRT_OK;
    }
    (void)rpcrt__error_set(&why, RPCRT_RESOURCE_EXHAUSTED,
                           "%s: a message of %u bytes does not fit into the "
                           "call's memory",
                           method->path, (unsigned)piece->size);
    return fail_unlocked(stream, &why);
}

enum rpcrt_code
rpcrt_ctx_receive(struct rpcrt_ctx *ctx, const ProtobufCMessage **ret_message)
{
    struct rpcrt__stream *stream = ctx->stream;
    const ProtobufCMessage *message = NULL;
    struct rpcrt__piece *piece = NULL;
    enum rpcrt_code code;

    if (!rpcrt__ctx_client_streams(ctx)) {
        return rpcrt_ctx_fail(ctx, RPCRT_FAILED_PRECONDITION,
                              "%s: the client sends no stream",
                              ctx->served->method->path);
    }
    rpcrt__arena_reset(&stream->arena);
    code = await_piece(stream, &piece);
    if (code == RPCRT_OK && piece != NULL) {
        code = unpack(stream, piece, &message);
        rpcrt__free(piece);
    }
    if (code == RPCRT_OK) {
        *ret_message = message;
    }
    return code;
}

/* -- sending --------------------------------------------------------------- */

/* A message as it goes over the wire. */
static enum rpcrt_code
pack(struct rpcrt__stream *stream, const ProtobufCMessage *message,
     struct rpcrt__piece **ret_piece)
{
    struct rpcrt_ctx *ctx = stream->ctx;
    size_t size = protobuf_c_message_get_packed_size(message);
    struct rpcrt__error why;

    if (size > ctx->session->message_size_max) {
        (void)rpcrt__error_set(&why, RPCRT_RESOURCE_EXHAUSTED,
                               "%s: reply of %zu bytes, the client takes %u",
                               ctx->served->method->path, size,
                               (unsigned)ctx->session->message_size_max);
        return fail_unlocked(stream, &why);
    }
    *ret_piece = rpcrt__piece_new((uint32_t)size);
    if (*ret_piece == NULL) {
        (void)rpcrt__error_set(&why, RPCRT_RESOURCE_EXHAUSTED,
                               "%s: no memory for a reply of %zu bytes",
                               ctx->served->method->path, size);
        return fail_unlocked(stream, &why);
    }
    (void)protobuf_c_message_pack(message, (*ret_piece)->bytes);
    return RPCRT_OK;
}

/* Queue a message as soon as there is room. OK: it is the stream's. [locked] */
static enum rpcrt_code
add(struct rpcrt__stream *stream, struct rpcrt__piece *piece)
{
    struct rpcrt_ctx *ctx = stream->ctx;
    size_t bytes_max = ctx->server->options.session_bytes_max;
    struct rpcrt__error why;

    while (stream->failure.code == RPCRT_OK &&
           rpcrt__outflow_room(&stream->out) == 0) {
        wait_for_change(stream);
    }
    if (stream->failure.code != RPCRT_OK) {
        return stream->failure.code;
    }
    if (ctx->session->bytes + piece->size > bytes_max) {
        (void)rpcrt__error_set(&why, RPCRT_RESOURCE_EXHAUSTED,
                               "%s: messages that wait fill the %zu bytes "
                               "that the server keeps for a connection",
                               ctx->served->method->path, bytes_max);
        return fail(stream, &why);
    }
    stream->sent += piece->size;
    rpcrt__outflow_add(&stream->out, piece);
    rpcrt__stream_charge(stream);
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt_ctx_reply(struct rpcrt_ctx *ctx, const ProtobufCMessage *message)
{
    struct rpcrt__piece *piece;
    enum rpcrt_code code;

    if (!rpcrt__ctx_server_streams(ctx)) {
        return rpcrt_ctx_fail(ctx, RPCRT_FAILED_PRECONDITION,
                              "%s: the server sends no stream",
                              ctx->served->method->path);
    }
    code = pack(ctx->stream, message, &piece);
    if (code != RPCRT_OK) {
        return code;
    }
    lock(ctx);
    code = add(ctx->stream, piece);
    if (code != RPCRT_OK) {
        unlock(ctx);
        rpcrt__free(piece);
        return code;
    }
    rpcrt__ctx_close_headers(ctx);
    pump_and_unlock(ctx);
    return RPCRT_OK;
}

/* -- without waiting ------------------------------------------------------- */

size_t
rpcrt_ctx_room(struct rpcrt_ctx *ctx)
{
    struct rpcrt__stream *stream = ctx->stream;
    size_t room = 0;

    if (!rpcrt__ctx_server_streams(ctx)) {
        return 0;
    }
    lock(ctx);
    if (stream->failure.code == RPCRT_OK) {
        room = rpcrt__outflow_room(&stream->out);
    }
    unlock(ctx);
    return room;
}

void
rpcrt_ctx_on_room(struct rpcrt_ctx *ctx, rpcrt_room_fn *fn, void *arg)
{
    struct rpcrt__stream *stream = ctx->stream;

    if (stream == NULL) {
        return;
    }
    lock(ctx);
    rpcrt__notice_await(ctx->session, &stream->on_room);
    stream->on_room.fn = fn;
    stream->on_room.arg = arg;
    unlock(ctx);
}
