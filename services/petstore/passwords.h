/*
 * Passwords as argon2id hashes. Hashing takes much memory and time on purpose,
 * so a bounded number runs at once, and a bounded number waits: the other
 * calls of the server go on.
 */
#ifndef PETSTORE_PASSWORDS_H
#define PETSTORE_PASSWORDS_H

#include "petstore/service.h"

#include <stdbool.h>

struct shop_passwords;

/* A hash with its parameters, and an end. */
#define SHOP_PASSWORD_HASH_SIZE 128u

/* Returns OK; INVALID_ARGUMENT for options that libsodium refuses;
 * RESOURCE_EXHAUSTED. Any thread may use it. */
RPCRT_MUST_CHECK enum rpcrt_code
shop_passwords_open(const struct shop_options *options,
                    struct common_error *ret_error,
                    struct shop_passwords **ret_passwords);
void shop_passwords_close(struct shop_passwords *passwords);

/**
 * Hash a new password: one argon2id.
 *
 * ctx      whose deadline and cancellation end the wait for others; NULL: none
 * Returns  OK; RESOURCE_EXHAUSTED if too many wait or there is no memory;
 *          DEADLINE_EXCEEDED, CANCELLED.
 */
RPCRT_MUST_CHECK enum rpcrt_code
shop_password_hash(struct shop_passwords *passwords, struct rpcrt_ctx *ctx,
                   const char *password, struct common_error *ret_error,
                   char ret_hash[SHOP_PASSWORD_HASH_SIZE]);

/**
 * Check a password: one argon2id, whatever comes out.
 *
 * hash       of the user's password; NULL: there is no such user
 * ret_right  whether it is this password
 * ret_stale  whether it should be hashed anew, for other parameters
 * Returns    as above.
 */
RPCRT_MUST_CHECK enum rpcrt_code
shop_password_check(struct shop_passwords *passwords, struct rpcrt_ctx *ctx,
                    const char *hash, const char *password,
                    struct common_error *ret_error, bool *ret_right,
                    bool *ret_stale);

/* How often argon2id ran. */
uint64_t shop_passwords_runs(struct shop_passwords *passwords);

#endif
