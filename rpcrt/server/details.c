/*
 * Refusals that programs can read: ErrorInfo, RetryInfo and BadRequest among
 * the details of a served call.
 */
#include "server/ctx.h"

#include "core/utf8.h"
#include "wire/details.h"
#include <string.h>

/* Text and code of a failure; the details of one before are gone. */
static void RPCRT_PRINTF(3, 0)
    begin(struct rpcrt_ctx *ctx, enum rpcrt_code code, const char *format,
          va_list args)
{
    (void)rpcrt__text_format(ctx->outcome.text, sizeof ctx->outcome.text,
                             format, args);
    ctx->outcome.code = code;
    ctx->origin = RPCRT_ORIGIN_HANDLER;
    ctx->details = NULL;
    ctx->details_size = 0;
}

/* Put one detail among those that are there. What finds no room is left out. */
static void
put(struct rpcrt_ctx *ctx, const char *type, const uint8_t *value, size_t size)
{
    uint8_t begun[RPCRT__DETAILS_ENCODED_MAX];
    uint8_t bytes[RPCRT_DETAILS_SIZE_MAX];
    const uint8_t *status = ctx->details;
    size_t status_size = ctx->details_size;

    if (status == NULL) {
        status = begun;
        status_size =
            rpcrt__details_begin(ctx->outcome.code, ctx->outcome.text, begun);
    }
    size = rpcrt__details_put(status, status_size, type, value, size, bytes,
                              sizeof bytes);
    status = size == 0 ? NULL : rpcrt__arena_copy(&ctx->arena, bytes, size);
    if (status != NULL) {
        ctx->details = status;
        ctx->details_size = size;
    }
}

/* -- why ------------------------------------------------------------------- */

enum rpcrt_code
rpcrt_ctx_refuse(struct rpcrt_ctx *ctx, enum rpcrt_code code,
                 const char *domain, const char *reason, const char *format,
                 ...)
{
    uint8_t value[RPCRT__DETAIL_MAX];
    struct rpcrt_error_info info = {.n_entries = 0};
    va_list args;

    va_start(args, format);
    begin(ctx, code, format, args);
    va_end(args);
    rpcrt__details_text(info.reason, sizeof info.reason, reason);
    rpcrt__details_text(info.domain, sizeof info.domain, domain);
    put(ctx, RPCRT__ERROR_INFO, value, rpcrt__error_info_encode(&info, value));
    return code;
}

/* Nothing may make the reader refuse it all. */
static bool
is_utf8(const char *text)
{
    size_t size = strlen(text);

    return rpcrt__utf8_valid_size((const uint8_t *)text, size) == size;
}

void
rpcrt_ctx_refuse_with(struct rpcrt_ctx *ctx, const char *name,
                      const char *value)
{
    uint8_t bytes[RPCRT__DETAIL_MAX];
    struct rpcrt_error_info info;
    uint32_t code = 0;

    if (ctx->details == NULL || strlen(name) > RPCRT_REASON_SIZE_MAX ||
        strlen(value) > RPCRT_INFO_VALUE_SIZE_MAX || !is_utf8(name) ||
        !is_utf8(value) ||
        !rpcrt__details_decode(ctx->details, ctx->details_size, &code, &info) ||
        !rpcrt__details_add(&info, name, value)) {
        return;
    }
    put(ctx, RPCRT__ERROR_INFO, bytes, rpcrt__error_info_encode(&info, bytes));
}

/* -- when to try again ----------------------------------------------------- */

void
rpcrt_ctx_add_retry_info(struct rpcrt_ctx *ctx, uint64_t delay_ms)
{
    uint8_t value[RPCRT__RETRY_INFO_MAX];

    put(ctx, RPCRT__RETRY_INFO, value,
        rpcrt__retry_info_encode(delay_ms, value));
}

enum rpcrt_code
rpcrt_ctx_refuse_retry_after(struct rpcrt_ctx *ctx, enum rpcrt_code code,
                             uint64_t delay_ms, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    begin(ctx, code, format, args);
    va_end(args);
    rpcrt_ctx_add_retry_info(ctx, delay_ms);
    return code;
}

/* -- what is wrong --------------------------------------------------------- */

void
rpcrt_ctx_add_violation(struct rpcrt_ctx *ctx, const char *field,
                        const char *format, ...)
{
    uint8_t bytes[RPCRT_DETAILS_SIZE_MAX + RPCRT__VIOLATION_MAX];
    char text[RPCRT_VIOLATION_TEXT_MAX + 1];
    struct rpcrt__fields before;
    size_t size = 0;
    va_list args;

    va_start(args, format);
    (void)rpcrt__text_format(text, sizeof text, format, args);
    va_end(args);
    if (!is_utf8(field) || !is_utf8(text)) {
        return;
    }
    if (ctx->details != NULL &&
        rpcrt__details_find(ctx->details, ctx->details_size, RPCRT__BAD_REQUEST,
                            &before)) {
        size = (size_t)(before.end - before.at);
        memcpy(bytes, before.at, size);
    }
    size += rpcrt__violation_encode(field, text, bytes + size);
    put(ctx, RPCRT__BAD_REQUEST, bytes, size);
}
