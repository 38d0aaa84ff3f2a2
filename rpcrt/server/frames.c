/*
 * What one call sends next: headers, grants, messages of its stream, and the
 * end of its answer. send.c puts the frames of all calls into messages.
 */
#include "server/session.h"

#include "server/stream.h"
#include <string.h>

/* Less than this of a large reply is not worth a frame. */
#define CHUNK_MIN 1024u

/* -- what there is --------------------------------------------------------- */

static bool
has_status(const struct rpcrt_ctx *ctx)
{
    return ctx->status != NULL || ctx->outcome.code != RPCRT_OK;
}

/* Of the one reply of a server that does not stream. */
static bool
data_left(const struct rpcrt_ctx *ctx)
{
    return ctx->outcome.code == RPCRT_OK &&
           (!ctx->out_started || ctx->out_sent < ctx->out_size);
}

/* The stream itself says that the call is over, with OK. */
static bool
ends_with_data(const struct rpcrt_ctx *ctx)
{
    return ctx->answered && !has_status(ctx);
}

/* Messages of a stream that wait for its window. */
static bool
is_held_back(const struct rpcrt_ctx *ctx)
{
    const struct rpcrt__outflow *out = &ctx->stream->out;

    return !rpcrt__list_empty(&out->pieces) &&
           !rpcrt__outflow_ready(out, false);
}

bool
rpcrt__ctx_has_frame(const struct rpcrt_ctx *ctx)
{
    const struct rpcrt__stream *stream = ctx->stream;

    if (ctx->headers_state == RPCRT__HEADERS_DUE) {
        return true;
    }
    if (stream == NULL) {
        return ctx->answered;
    }
    return rpcrt__inflow_owes(&stream->in) ||
           rpcrt__outflow_ready(&stream->out, false) ||
           (ctx->answered && !is_held_back(ctx));
}

size_t
rpcrt__ctx_frames_size(const struct rpcrt_ctx *ctx)
{
    size_t rest = ctx->out_size - ctx->out_sent;
    size_t size = (rest / RPCRT_DATA_FRAME_MAX + 2) * RPCRT__FRAME_SIZE + rest +
                  4 + RPCRT__STATUS_SIZE;

    size += ctx->status == NULL ? 0 : ctx->status_size;
    if (ctx->headers_state == RPCRT__HEADERS_DUE) {
        size +=
            RPCRT__FRAME_SIZE + RPCRT__HEADERS_SIZE + ctx->headers.encoded_size;
    }
    if (ctx->stream != NULL) {
        size += RPCRT__FRAME_SIZE + 4;
        /* What a message costs is more than its frames take. */
        size += is_held_back(ctx) ? 0 : ctx->stream->out.queued;
    }
    return size;
}

/* -- writing it ------------------------------------------------------------ */

static uint8_t *
put_headers(struct rpcrt_ctx *ctx, uint8_t *at, const uint8_t *end)
{
    struct rpcrt__headers headers = {.n_metadata =
                                         (uint16_t)ctx->headers.n_entries};
    size_t size = RPCRT__HEADERS_SIZE + ctx->headers.encoded_size;

    if ((size_t)(end - at) < RPCRT__FRAME_SIZE + size) {
        return NULL;
    }
    at = rpcrt__put_frame(at, RPCRT__FRAME_HEADERS, 0, 0, ctx->by_id.id,
                          (uint32_t)size);
    at = rpcrt__put_headers(at, &headers);
    rpcrt__metadata_encode(&ctx->headers, at);
    ctx->headers_state = RPCRT__HEADERS_DONE;
    return at + ctx->headers.encoded_size;
}

/* The next frame of the one reply. */
static uint8_t *
put_data(struct rpcrt_ctx *ctx, uint8_t *at, const uint8_t *end)
{
    uint32_t size = ctx->out_size - ctx->out_sent;
    uint32_t start = ctx->out_started ? 0 : 4;
    size_t room = (size_t)(end - at);
    unsigned flags = ctx->out_started ? 0u : RPCRT__START;

    if (room < RPCRT__FRAME_SIZE + start +
                   (size < CHUNK_MIN ? size : (size_t)CHUNK_MIN)) {
        return NULL;
    }
    room -= RPCRT__FRAME_SIZE + start;
    if (size > RPCRT_DATA_FRAME_MAX) {
        size = RPCRT_DATA_FRAME_MAX;
    }
    if (size > room) {
        size = (uint32_t)room;
    }
    if (ctx->out_sent + size == ctx->out_size && !has_status(ctx)) {
        flags |= RPCRT__END;
    }
    at = rpcrt__put_frame(at, RPCRT__FRAME_DATA, (uint8_t)flags, 0,
                          ctx->by_id.id, start + size);
    if (start > 0) {
        at = rpcrt__put_u32(at, ctx->out_size);
    }
    if (size > 0) {
        memcpy(at, ctx->out + ctx->out_sent, size);
    }
    ctx->out_started = true;
    ctx->out_sent += size;
    return at + size;
}

/* The frame that ends a call with a status. A call that had no memory left for
 * its text ends with the bare code. */
static uint8_t *
put_status(struct rpcrt_ctx *ctx, uint8_t *at, const uint8_t *end)
{
    struct rpcrt__status bare = {.code = (uint8_t)ctx->outcome.code,
                                 .origin = (uint8_t)ctx->origin};
    uint32_t size = ctx->status == NULL ? RPCRT__STATUS_SIZE : ctx->status_size;

    if ((size_t)(end - at) < RPCRT__FRAME_SIZE + size) {
        return NULL;
    }
    at = rpcrt__put_frame(at, RPCRT__FRAME_STATUS,
                          ctx->refused ? RPCRT__REFUSED : 0, 0, ctx->by_id.id,
                          size);
    if (ctx->status == NULL) {
        return rpcrt__put_status(at, &bare);
    }
    memcpy(at, ctx->status, size);
    return at + size;
}

/* The next frame of a server that streams. */
static uint8_t *
put_stream(struct rpcrt_ctx *ctx, uint8_t *at, const uint8_t *end,
           bool *ret_last)
{
    struct rpcrt__outflow *out = &ctx->stream->out;
    bool with_end = ends_with_data(ctx);
    size_t room = rpcrt__outflow_room(out);

    if (!rpcrt__outflow_ready(out, with_end)) {
        *ret_last = true;
        return put_status(ctx, at, end);
    }
    at = rpcrt__outflow_put(out, ctx->by_id.id, with_end, at, end);
    if (at != NULL) {
        *ret_last = out->end_sent;
        rpcrt__stream_drained(ctx->stream, room);
    }
    return at;
}

uint8_t *
rpcrt__ctx_put_frame(struct rpcrt_ctx *ctx, uint8_t *at, const uint8_t *end,
                     bool *ret_last)
{
    struct rpcrt__stream *stream = ctx->stream;

    *ret_last = false;
    if (ctx->headers_state == RPCRT__HEADERS_DUE) {
        return put_headers(ctx, at, end);
    }
    if (stream != NULL && rpcrt__inflow_owes(&stream->in)) {
        return rpcrt__inflow_put_grant(&stream->in, ctx->by_id.id, at, end);
    }
    if (rpcrt__ctx_server_streams(ctx)) {
        return put_stream(ctx, at, end, ret_last);
    }
    if (!data_left(ctx)) {
        *ret_last = true;
        return put_status(ctx, at, end);
    }
    at = put_data(ctx, at, end);
    *ret_last = at != NULL && ends_with_data(ctx) && !data_left(ctx);
    return at;
}
