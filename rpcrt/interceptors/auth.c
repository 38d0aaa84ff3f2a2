/*
 * Bearer tokens of rpcrt/auth.h.
 */
#include <rpcrt/auth.h>

#include <string.h>
#include <strings.h>

#define SCHEME "Bearer "

/* Of the slot that keeps the identity. */
static const char identity_key;

struct identity {
    const void *value;
};

const char *
rpcrt_ctx_token(const struct rpcrt_ctx *ctx, size_t *ret_size)
{
    size_t size = 0;
    const char *value = rpcrt_ctx_metadata(ctx, "authorization", &size);
    size_t before = sizeof SCHEME - 1;

    if (value == NULL || size <= before ||
        strncasecmp(value, SCHEME, before) != 0) {
        return NULL;
    }
    *ret_size = size - before;
    return value + before;
}

const void *
rpcrt_ctx_identity(struct rpcrt_ctx *ctx)
{
    const struct identity *identity = rpcrt_ctx_slot(ctx, &identity_key, 0);

    return identity == NULL ? NULL : identity->value;
}

static bool
is_open(const struct rpcrt_auth *auth, const char *method)
{
    const char *const *open = auth->open;

    for (; open != NULL && *open != NULL; open++) {
        size_t size = strlen(*open);

        if (size > 0 && strncmp(method, *open, size) == 0 &&
            (method[size] == '\0' || (*open)[size - 1] == '/')) {
            return true;
        }
    }
    return false;
}

static enum rpcrt_code
begin(void *arg, struct rpcrt_ctx *ctx)
{
    const struct rpcrt_auth *auth = arg;
    struct identity *identity;
    const void *value = NULL;
    const char *token;
    size_t size = 0;
    enum rpcrt_code code;

    if (is_open(auth, rpcrt_ctx_method(ctx))) {
        return RPCRT_OK;
    }
    token = rpcrt_ctx_token(ctx, &size);
    if (token == NULL) {
        return rpcrt_ctx_fail(
            ctx, RPCRT_UNAUTHENTICATED,
            "no token: send metadata \"authorization: Bearer TOKEN\"");
    }
    code = auth->fn(auth->arg, ctx, token, size, &value);
    if (code != RPCRT_OK) {
        return code;
    }
    identity = rpcrt_ctx_slot(ctx, &identity_key, sizeof *identity);
    if (identity == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    identity->value = value;
    return RPCRT_OK;
}

struct rpcrt_server_interceptor
rpcrt_auth_server(struct rpcrt_auth *auth)
{
    return (struct rpcrt_server_interceptor){.begin = begin, .arg = auth};
}
