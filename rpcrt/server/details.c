/*
 * Refusals that programs can read: an ErrorInfo among the details of a served
 * call.
 */
#include "server/ctx.h"

#include "core/utf8.h"
#include "wire/details.h"
#include <string.h>

enum rpcrt_code
rpcrt_ctx_refuse(struct rpcrt_ctx *ctx, enum rpcrt_code code,
                 const char *domain, const char *reason, const char *format,
                 ...)
{
    uint8_t bytes[RPCRT__DETAILS_ENCODED_MAX];
    struct rpcrt_error_info info = {.n_entries = 0};
    va_list args;

    va_start(args, format);
    (void)rpcrt__text_format(ctx->outcome.text, sizeof ctx->outcome.text,
                             format, args);
    va_end(args);
    rpcrt__details_text(info.reason, sizeof info.reason, reason);
    rpcrt__details_text(info.domain, sizeof info.domain, domain);
    if (rpcrt_ctx_set_details(
            ctx, bytes,
            rpcrt__details_encode(code, ctx->outcome.text, &info, bytes)) !=
        RPCRT_OK) {
        /* Not those of a failure before. */
        ctx->details = NULL;
        ctx->details_size = 0;
    }
    return code;
}

/* Nothing may make the reader refuse it all. */
static bool
fits(const char *text, size_t size_max)
{
    size_t size = strlen(text);

    return size <= size_max &&
           rpcrt__utf8_valid_size((const uint8_t *)text, size) == size;
}

void
rpcrt_ctx_refuse_with(struct rpcrt_ctx *ctx, const char *name,
                      const char *value)
{
    uint8_t bytes[RPCRT__DETAILS_ENCODED_MAX];
    struct rpcrt_error_info info;
    uint32_t code = 0;

    if (ctx->details == NULL || !fits(name, RPCRT_REASON_SIZE_MAX) ||
        !fits(value, RPCRT_INFO_VALUE_SIZE_MAX) ||
        !rpcrt__details_decode(ctx->details, ctx->details_size, &code, &info) ||
        !rpcrt__details_add(&info, name, value)) {
        return;
    }
    if (rpcrt_ctx_set_details(ctx, bytes,
                              rpcrt__details_encode((enum rpcrt_code)code,
                                                    ctx->outcome.text, &info,
                                                    bytes)) != RPCRT_OK) {
        ctx->details = NULL;
        ctx->details_size = 0;
    }
}
