/*
 * Arrays of bytes into the memory of calls and out of it.
 */
#include "server/answer.h"

#include "core/alloc.h"
#include "server/session.h"
#include <string.h>

size_t
rpcrt__answer_size(const struct rpcrt__answer *answer)
{
    return (size_t)answer->reply_size + answer->status_size +
           answer->headers_size;
}

struct rpcrt__answer
rpcrt__answer_get(struct rpcrt_ctx *ctx)
{
    struct rpcrt__answer answer = {.code = ctx->outcome.code,
                                   .origin = ctx->origin};
    uint8_t *headers = NULL;

    if (ctx->headers.n_entries > 0) {
        headers = rpcrt__arena_alloc(&ctx->arena, ctx->headers.encoded_size);
    }
    if (headers != NULL) {
        rpcrt__metadata_encode(&ctx->headers, headers);
        answer.headers = headers;
        answer.headers_size = (uint32_t)ctx->headers.encoded_size;
        answer.n_headers = (uint16_t)ctx->headers.n_entries;
    }
    if (answer.code == RPCRT_OK) {
        answer.reply = ctx->out;
        answer.reply_size = ctx->out_size;
    }
    if (ctx->status != NULL) {
        answer.status = ctx->status;
        answer.status_size = ctx->status_size;
    }
    return answer;
}

static const uint8_t *
put(uint8_t **at, const uint8_t *bytes, size_t size)
{
    uint8_t *start = *at;

    if (bytes == NULL) {
        return NULL;
    }
    memcpy(start, bytes, size);
    *at += size;
    return start;
}

uint8_t *
rpcrt__answer_copy(const struct rpcrt__answer *answer, size_t size_max,
                   struct rpcrt__answer *ret_copy)
{
    size_t size = rpcrt__answer_size(answer);
    uint8_t *block = size > size_max ? NULL : rpcrt__alloc(size);
    uint8_t *at = block;

    if (block != NULL) {
        *ret_copy = *answer;
        ret_copy->reply = put(&at, answer->reply, answer->reply_size);
        ret_copy->status = put(&at, answer->status, answer->status_size);
        ret_copy->headers = put(&at, answer->headers, answer->headers_size);
    }
    return block;
}

const char *
rpcrt__answer_put(const struct rpcrt__answer *answer, struct rpcrt_ctx *ctx)
{
    struct rpcrt__error error;

    if (answer->reply_size > ctx->session->message_size_max) {
        return "the reply is larger than the client takes";
    }
    if (answer->reply != NULL) {
        ctx->out =
            rpcrt__arena_copy(&ctx->arena, answer->reply, answer->reply_size);
    }
    if (answer->status != NULL) {
        ctx->status =
            rpcrt__arena_copy(&ctx->arena, answer->status, answer->status_size);
    }
    if ((answer->reply != NULL && ctx->out == NULL) ||
        (answer->status != NULL && ctx->status == NULL) ||
        (answer->headers != NULL &&
         rpcrt__metadata_decode(&ctx->headers, answer->headers,
                                answer->headers_size, answer->n_headers,
                                &error) != RPCRT_OK)) {
        ctx->status = NULL;
        return "no memory for the answer";
    }
    ctx->out_size = answer->reply_size;
    ctx->status_size = answer->status_size;
    ctx->outcome.code = answer->code;
    ctx->origin = answer->origin;
    return NULL;
}
