/*
 * From a request that is complete to an answer that can be sent: check, unpack,
 * call the handler, serialize.
 */
#include "server/session.h"

#include "server/stream.h"
#include "wire/guard.h"
#include <string.h>

/* -- running --------------------------------------------------------------- */

static enum rpcrt_code
refuse(struct rpcrt_ctx *ctx, enum rpcrt_code code, const char *text)
{
    ctx->origin = RPCRT_ORIGIN_RUNTIME;
    ctx->refused = true;
    return rpcrt__error_set(&ctx->outcome, code, "%s", text);
}

/* The request, unless the client streams. */
static enum rpcrt_code
unpack_request(struct rpcrt_ctx *ctx, ProtobufCMessage **ret_request)
{
    const ProtobufCMessageDescriptor *type = ctx->served->method->request;
    struct rpcrt__error error;
    enum rpcrt_code code;

    *ret_request = NULL;
    if (rpcrt__ctx_client_streams(ctx)) {
        return RPCRT_OK;
    }
    code = rpcrt__guard_check(type, ctx->request, ctx->request_size, &error);
    if (code != RPCRT_OK) {
        return refuse(ctx, code, error.text);
    }
    *ret_request = protobuf_c_message_unpack(type, &ctx->arena.allocator,
                                             ctx->request_size, ctx->request);
    return *ret_request != NULL
               ? RPCRT_OK
               : refuse(ctx, RPCRT_RESOURCE_EXHAUSTED,
                        "the request does not fit into the call's memory");
}

static enum rpcrt_code
call_handler(struct rpcrt_ctx *ctx)
{
    const struct rpcrt__served *served = ctx->served;
    const ProtobufCMessageDescriptor *reply_type = served->method->reply;
    ProtobufCMessage *request;
    enum rpcrt_code code = unpack_request(ctx, &request);

    if (code != RPCRT_OK) {
        return code;
    }
    if (!rpcrt__ctx_server_streams(ctx)) {
        ctx->reply =
            rpcrt__arena_alloc(&ctx->arena, reply_type->sizeof_message);
        if (ctx->reply == NULL) {
            return refuse(ctx, RPCRT_RESOURCE_EXHAUSTED,
                          "the reply does not fit into the call's memory");
        }
        protobuf_c_message_init(reply_type, ctx->reply);
    }
    return served->glue(served->table, served->self, ctx, request, ctx->reply);
}

bool
rpcrt__ctx_run(struct rpcrt_ctx *ctx)
{
    enum rpcrt__repeat_verdict verdict = RPCRT__REPEAT_REFUSED;
    enum rpcrt_code code;

    if (rpcrt_ctx_cancelled(ctx)) {
        code = refuse(ctx, RPCRT_CANCELLED, "cancelled before it was begun");
    } else {
        code = rpcrt__ctx_begin_chain(ctx);
        if (code == RPCRT_OK) {
            verdict = rpcrt__repeat_begin(ctx);
            if (verdict == RPCRT__REPEAT_WAITS) {
                return false; /* it may be answered, and gone, already */
            }
            code = ctx->outcome.code;
        }
    }
    if (verdict == RPCRT__REPEAT_RUN) {
        code = call_handler(ctx);
    }
    if (code == RPCRT_LATER) {
        return false;
    }
    if (verdict == RPCRT__REPEAT_ANSWERED) {
        rpcrt__ctx_serialized(ctx);
    } else {
        rpcrt__ctx_serialize(ctx, code);
    }
    return true;
}

/* Its handler may wait for the client at any time: so it counts against
 * streams_max, not against the workers. */
static void
run_stream(struct rpcrt_ctx *ctx)
{
    struct rpcrt_server *server = ctx->server;

    ctx->stream->counted = false; /* from here on it is this function's */
    rpcrt__executor_leave(server->executor);
    if (rpcrt__ctx_run(ctx)) {
        rpcrt__session_answer(ctx);
    }
    rpcrt__executor_return(server->executor);
    atomic_fetch_sub(&server->n_streams, 1);
}

void
rpcrt__ctx_task(struct rpcrt__task *task)
{
    struct rpcrt_ctx *ctx = RPCRT__ELEMENT(task, struct rpcrt_ctx, task);

    if (ctx->stream != NULL) {
        run_stream(ctx);
    } else if (rpcrt__ctx_run(ctx)) {
        rpcrt__session_answer(ctx);
    }
}

void
rpcrt_ctx_finish(struct rpcrt_ctx *ctx, enum rpcrt_code code)
{
    rpcrt__ctx_serialize(ctx, code);
    rpcrt__session_answer(ctx);
}

/* -- serializing ----------------------------------------------------------- */

/* The payload of a STATUS frame, in the call's memory; if that is used up the
 * text and what came with it is lost, not the code. */
static void
serialize_status(struct rpcrt_ctx *ctx)
{
    struct rpcrt__status status = {
        .code = (uint8_t)ctx->outcome.code,
        .origin = (uint8_t)ctx->origin,
        .n_metadata = (uint16_t)ctx->reply_metadata.n_entries,
        .text_size = (uint32_t)strlen(ctx->outcome.text),
        .metadata_size = (uint32_t)ctx->reply_metadata.encoded_size,
        .details_size = (uint32_t)ctx->details_size};
    size_t size = RPCRT__STATUS_SIZE + status.text_size + status.metadata_size +
                  status.details_size;
    uint8_t *at = rpcrt__arena_alloc(&ctx->arena, size);

    if (at == NULL) {
        return;
    }
    ctx->status = at;
    ctx->status_size = (uint32_t)size;
    at = rpcrt__put_status(at, &status);
    memcpy(at, ctx->outcome.text, status.text_size);
    at += status.text_size;
    rpcrt__metadata_encode(&ctx->reply_metadata, at);
    at += status.metadata_size;
    if (ctx->details_size > 0) {
        memcpy(at, ctx->details, ctx->details_size);
    }
}

static enum rpcrt_code
serialize_reply(struct rpcrt_ctx *ctx)
{
    size_t size = protobuf_c_message_get_packed_size(ctx->reply);
    size_t size_max = ctx->session->message_size_max;

    if (size > size_max) {
        ctx->origin = RPCRT_ORIGIN_RUNTIME;
        return rpcrt__error_set(&ctx->outcome, RPCRT_RESOURCE_EXHAUSTED,
                                "%s: reply of %zu bytes, the client takes %zu",
                                ctx->served->method->path, size, size_max);
    }
    ctx->out = rpcrt__arena_alloc(&ctx->arena, size);
    if (ctx->out == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    ctx->out_size = (uint32_t)protobuf_c_message_pack(ctx->reply, ctx->out);
    return RPCRT_OK;
}

/* Who wants to know is told of the end. */
static void
tell_end(struct rpcrt_ctx *ctx)
{
    struct rpcrt_server_options *options = &ctx->server->options;
    struct rpcrt_call_record record = {
        .method = ctx->served->method->path,
        .peer = ctx->session->address,
        .call_id = rpcrt_ctx_call_id(ctx),
        .code = ctx->outcome.code,
        .message = ctx->outcome.text,
        .duration_us = (rpcrt__now_ns() - ctx->started_ns) / 1000,
        .request_size = ctx->request_size,
        .reply_size = ctx->out_size};

    if (ctx->stream != NULL) {
        record.request_size += ctx->stream->received;
        record.reply_size += ctx->stream->sent;
    }
    rpcrt__ctx_end_chain(ctx, &record);
    if (options->call_log != NULL) {
        options->call_log(options->call_log_arg, &record);
    }
}

/* What went wrong in a stream ends the call, unless the handler has something
 * better to say. */
static enum rpcrt_code
heed_stream(struct rpcrt_ctx *ctx, enum rpcrt_code code)
{
    struct rpcrt__error failure;

    pthread_mutex_lock(&ctx->session->lock);
    failure = ctx->stream->failure;
    pthread_mutex_unlock(&ctx->session->lock);
    if (failure.code != RPCRT_OK &&
        (code == RPCRT_OK ||
         (code == failure.code && ctx->outcome.text[0] == '\0'))) {
        ctx->outcome = failure;
        ctx->origin = RPCRT_ORIGIN_RUNTIME;
        return failure.code;
    }
    return code;
}

void
rpcrt__ctx_serialize(struct rpcrt_ctx *ctx, enum rpcrt_code code)
{
    if (code < RPCRT_OK || code > RPCRT_UNAUTHENTICATED) {
        code = rpcrt__error_set(&ctx->outcome, RPCRT_INTERNAL,
                                "%s: the handler returned %d, which is no "
                                "status code",
                                ctx->served->method->path, (int)code);
    }
    if (ctx->stream != NULL) {
        code = heed_stream(ctx, code);
    }
    if (code == RPCRT_OK) {
        ctx->outcome.text[0] = '\0';
    }
    if (code == RPCRT_OK && ctx->reply != NULL) {
        code = serialize_reply(ctx);
    }
    ctx->outcome.code = code;
    if (code != RPCRT_OK || ctx->reply_metadata.n_entries > 0) {
        serialize_status(ctx);
    }
    if (ctx->repeat != NULL) {
        rpcrt__repeat_end(ctx);
    }
    rpcrt__ctx_serialized(ctx);
}

void
rpcrt__ctx_serialized(struct rpcrt_ctx *ctx)
{
    if (ctx->n_begun > 0 || ctx->server->options.call_log != NULL) {
        tell_end(ctx);
    }
    atomic_fetch_add(&ctx->server->counters.calls_finished, 1);
    if (ctx->governed) {
        rpcrt__overload_done(ctx);
    }
}
