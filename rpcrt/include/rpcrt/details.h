/*
 * Details of a failure that programs can read: google.rpc.Status with a
 * google.rpc.ErrorInfo, as gRPC services send them.
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

RPCRT_END_DECLS

#endif
