/*
 * What a call was answered, as it is sent, to be given to another call: reply,
 * status with trailers and details, headers.
 */
#ifndef RPCRT_SERVER_ANSWER_H
#define RPCRT_SERVER_ANSWER_H

#include "server/ctx.h"

/* The bytes belong to the call, or are in one block. */
struct rpcrt__answer {
    enum rpcrt_code code;
    enum rpcrt_origin origin;
    const uint8_t *reply;
    uint32_t reply_size;
    const uint8_t *status; /* NULL: none */
    uint32_t status_size;
    const uint8_t *headers; /* NULL: none */
    uint32_t headers_size;
    uint16_t n_headers;
};

size_t rpcrt__answer_size(const struct rpcrt__answer *answer);

/* What a call that is serialized is answered; without memory its headers are
 * left out. Lives as long as the call. */
struct rpcrt__answer rpcrt__answer_get(struct rpcrt_ctx *ctx);

/* Copy all of it into one block, which is returned and to be freed; NULL if it
 * is too large, or without memory. */
uint8_t *rpcrt__answer_copy(const struct rpcrt__answer *answer, size_t size_max,
                            struct rpcrt__answer *ret_copy);

/* Give it to a call of which nothing is serialized. NULL, or why it cannot
 * be. */
const char *rpcrt__answer_put(const struct rpcrt__answer *answer,
                              struct rpcrt_ctx *ctx);

#endif
