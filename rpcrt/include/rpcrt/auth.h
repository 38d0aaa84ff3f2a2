/*
 * An interceptor that lets in who has a token: metadata "authorization: Bearer
 * TOKEN", the scheme of RFC 6750. What a token opens a function of the server's
 * owner decides; handlers then see the identity that it found.
 */
#ifndef RPCRT_AUTH_H
#define RPCRT_AUTH_H

#include <rpcrt/interceptor.h>

RPCRT_BEGIN_DECLS

/**
 * Look a token up; on the handler's thread, several at once.
 *
 * token         ends with a zero byte; compare it in constant time, or by hash
 * ret_identity  what rpcrt_ctx_identity() shows to handlers; it must outlive
 *               the call
 * Returns       OK, or a code with the text of rpcrt_ctx_fail(): say
 *               UNAUTHENTICATED for a token that is unknown, PERMISSION_DENIED
 *               for one that does not open this method.
 */
typedef enum rpcrt_code rpcrt_token_fn(void *arg, struct rpcrt_ctx *ctx,
                                       const char *token, size_t size,
                                       const void **ret_identity);

struct rpcrt_auth {
    rpcrt_token_fn *fn;
    void *arg;
    /* Methods that anybody may call, or with a "/" at the end whole services:
     * {"/grpc.health.v1.Health/", NULL}; NULL: none. */
    const char *const *open;
};

/** Refuses with UNAUTHENTICATED who sends no token. auth must outlive the
 * server. */
RPCRT_API struct rpcrt_server_interceptor
rpcrt_auth_server(struct rpcrt_auth *auth);

/** Who makes the call; NULL for what anybody may call. */
RPCRT_API const void *rpcrt_ctx_identity(struct rpcrt_ctx *ctx);

/** The token of a call; NULL if it has none. */
RPCRT_API const char *rpcrt_ctx_token(const struct rpcrt_ctx *ctx,
                                      size_t *ret_size);

RPCRT_END_DECLS

#endif
