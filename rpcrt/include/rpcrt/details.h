/*
 * Details of a failure that programs can read: google.rpc.Status with what
 * google/rpc/error_details.proto calls ErrorInfo (why), RetryInfo (when to try
 * again) and BadRequest (which fields are wrong), as gRPC services send them.
 *
 *   return rpcrt_ctx_refuse(ctx, RPCRT_FAILED_PRECONDITION, "payment.v1",
 *                           "INSUFFICIENT_FUNDS", "the card has not enough");
 *
 *   struct rpcrt_error_info info;
 *   if (rpcrt_call_error_info(call, &info) &&
 *       strcmp(info.reason, "INSUFFICIENT_FUNDS") == 0)
 */
#ifndef RPCRT_DETAILS_H
#define RPCRT_DETAILS_H

#include <rpcrt/call.h>
#include <rpcrt/ctx.h>

RPCRT_BEGIN_DECLS

#define RPCRT_REASON_SIZE_MAX 63u
#define RPCRT_DOMAIN_SIZE_MAX 127u
#define RPCRT_INFO_ENTRIES_MAX 8u
#define RPCRT_INFO_VALUE_SIZE_MAX 127u
#define RPCRT_VIOLATION_FIELD_MAX 127u
#define RPCRT_VIOLATION_TEXT_MAX 255u

/* -- servers --------------------------------------------------------------- */

/**
 * Fail with an ErrorInfo; the text is that of rpcrt_ctx_fail().
 *
 * domain   who defines the reason: "payment.v1"
 * reason   "INSUFFICIENT_FUNDS"
 * Returns  code. Without memory for the details they are left out.
 */
RPCRT_API enum rpcrt_code
rpcrt_ctx_refuse(struct rpcrt_ctx *ctx, enum rpcrt_code code,
                 const char *domain, const char *reason, const char *format,
                 ...) RPCRT_PRINTF(5, 6);

/** Put a name and a value into the ErrorInfo of the rpcrt_ctx_refuse() before.
 * What is too long, no UTF-8 or one too many is left out. */
RPCRT_API void rpcrt_ctx_refuse_with(struct rpcrt_ctx *ctx, const char *name,
                                     const char *value);

/**
 * Fail and say when it may be worth another attempt; the text is that of
 * rpcrt_ctx_fail().
 *
 * Returns  code. Without memory for the details they are left out.
 */
RPCRT_API enum rpcrt_code
rpcrt_ctx_refuse_retry_after(struct rpcrt_ctx *ctx, enum rpcrt_code code,
                             uint64_t delay_ms, const char *format, ...)
    RPCRT_PRINTF(4, 5);

/** Add that to the failure before, of rpcrt_ctx_fail() or one of those here; or
 * change it. Left out above RPCRT_DETAILS_SIZE_MAX or without memory. */
RPCRT_API void rpcrt_ctx_add_retry_info(struct rpcrt_ctx *ctx,
                                        uint64_t delay_ms);

/**
 * Add to the failure before that a field of the request is wrong: one more
 * violation of its BadRequest.
 *
 *   code = rpcrt_ctx_fail(ctx, RPCRT_INVALID_ARGUMENT, "bad address");
 *   rpcrt_ctx_add_violation(ctx, "address.zip", "%d digits, not 5", n);
 *
 * field    path of the field, with dots; cut if it is too long, as the text is
 * Left out above RPCRT_DETAILS_SIZE_MAX or without memory.
 */
RPCRT_API void rpcrt_ctx_add_violation(struct rpcrt_ctx *ctx, const char *field,
                                       const char *format, ...)
    RPCRT_PRINTF(3, 4);

/* -- clients --------------------------------------------------------------- */

/** An ErrorInfo; what is longer than fits is cut. */
struct rpcrt_error_info {
    char reason[RPCRT_REASON_SIZE_MAX + 1];
    char domain[RPCRT_DOMAIN_SIZE_MAX + 1];
    size_t n_entries;
    struct {
        char name[RPCRT_REASON_SIZE_MAX + 1];
        char value[RPCRT_INFO_VALUE_SIZE_MAX + 1];
    } entries[RPCRT_INFO_ENTRIES_MAX];
};

/** The first ErrorInfo among the details of the call's outcome; false if there
 * is none, or the details are not well-formed. */
RPCRT_API bool rpcrt_call_error_info(const struct rpcrt_call *call,
                                     struct rpcrt_error_info *ret_info);

/** The value of an entry; NULL if it is absent. */
RPCRT_API const char *rpcrt_error_info_get(const struct rpcrt_error_info *info,
                                           const char *name);

/** How long to wait before another attempt, in the RetryInfo of the call's
 * outcome; false if it has none that makes sense. */
RPCRT_API bool rpcrt_call_retry_info(const struct rpcrt_call *call,
                                     uint64_t *ret_delay_ms);

/** A field of the request that is wrong; what is longer than fits is cut. */
struct rpcrt_violation {
    char field[RPCRT_VIOLATION_FIELD_MAX + 1];
    char text[RPCRT_VIOLATION_TEXT_MAX + 1];
};

/** The violations in the BadRequest of the call's outcome: the first n_items
 * are copied. Returns how many there are; 0 also if the details are not
 * well-formed. */
RPCRT_API size_t rpcrt_call_violations(const struct rpcrt_call *call,
                                       struct rpcrt_violation *ret_items,
                                       size_t n_items);

RPCRT_END_DECLS

#endif
