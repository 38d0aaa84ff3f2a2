/*
 * Tokens of operators and merchants: see access.h.
 */
#include "payment/access.h"

#include <rpcrt/auth.h>
#include <stdio.h>
#include <string.h>

bool
pay_name_ok(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    return length >= 1 && length <= PAY_NAME_MAX && name[length] == '\0';
}

static const char *
line_read(const struct common_token_line *line, void *access)
{
    struct pay_access *self = access;

    if (line->n_words != 2 || line->n_options != 0) {
        return "expected 'operator' or 'merchant', a name and a hash";
    }
    if (strcmp(line->words[0], "operator") == 0) {
        self->role = PAY_OPERATOR;
    } else if (strcmp(line->words[0], "merchant") == 0) {
        self->role = PAY_MERCHANT;
    } else {
        return "the first word is neither 'operator' nor 'merchant'";
    }
    if (!pay_name_ok(line->words[1])) {
        return "a name has 1 to 63 letters, digits, '-', '_' or '.'";
    }
    (void)snprintf(self->name, sizeof(self->name), "%s", line->words[1]);
    return NULL;
}

enum rpcrt_code
pay_access_load(const char *path, struct common_error *ret_error,
                struct common_tokens **ret_access)
{
    return common_tokens_load(path, line_read, sizeof(struct pay_access),
                              ret_error, ret_access);
}

enum rpcrt_code
pay_access_find(struct rpcrt_ctx *ctx, unsigned roles,
                const struct pay_access **ret_access)
{
    const struct pay_access *access = rpcrt_ctx_identity(ctx);

    if (((unsigned)access->role & roles) == 0) {
        return rpcrt_ctx_fail(ctx, RPCRT_PERMISSION_DENIED,
                              "%s's token does not permit this method",
                              access->role == PAY_OPERATOR ? "an operator"
                                                           : "a merchant");
    }
    *ret_access = access;
    return RPCRT_OK;
}
