/*
 * Who may call: the bearer of a token is an operator or a merchant. Lines of
 * the file: "operator NAME HASH" and "merchant NAME HASH"; see
 * common/tokens.h for the rest.
 */
#ifndef PAYMENT_ACCESS_H
#define PAYMENT_ACCESS_H

#include "common/tokens.h"

#define PAY_NAME_MAX 63u

/* Bits, so that a method can take several. */
enum pay_role { PAY_OPERATOR = 1, PAY_MERCHANT = 2 };

struct pay_access {
    enum pay_role role;
    char name[PAY_NAME_MAX + 1];
};

/* Read the file; as common_tokens_load(). Freed by common_tokens_free(). */
RPCRT_MUST_CHECK enum rpcrt_code
pay_access_load(const char *path, struct common_error *ret_error,
                struct common_tokens **ret_access);

/* 1 to 63 letters, digits, '-', '_' or '.'. */
bool pay_name_ok(const char *name);

/**
 * Who makes a call, which rpcrt_auth has let in.
 *
 * roles    who may
 * Returns  OK, or PERMISSION_DENIED, handed to ctx.
 */
RPCRT_MUST_CHECK enum rpcrt_code
pay_access_find(struct rpcrt_ctx *ctx, unsigned roles,
                const struct pay_access **ret_access);

#endif
