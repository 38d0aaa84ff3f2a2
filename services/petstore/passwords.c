/*
 * Passwords: see passwords.h.
 */
#include "petstore/passwords.h"
#include "common/gate.h"

#include <errno.h>
#include <rpcrt/ctx.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SHOP_PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES,
               "a hash of libsodium fits");

/* Leaves workers to the calls that need no password. */
#define WAITERS_MAX (SHOP_WORKERS_MAX * 3u / 8u)
/* For the look at what is waited for, were a signal ever missed. */
#define WAIT_MS 1000u

struct shop_passwords {
    unsigned long long passes;
    size_t memory;
    uint32_t jobs_max;
    char nobody[SHOP_PASSWORD_HASH_SIZE]; /* checked for unknown users */
    struct common_gate gate; /* over what follows: a job has ended, or a call
                                was cancelled */
    uint32_t jobs;
    uint32_t waiters;
    uint64_t runs;
};

/* -- open and close -------------------------------------------------------- */

/* A hash that no password is known for. */
static bool
nobody_make(struct shop_passwords *passwords)
{
    char random[32];

    randombytes_buf(random, sizeof(random));
    return crypto_pwhash_str_alg(passwords->nobody, random, sizeof(random),
                                 passwords->passes, passwords->memory,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
}

static bool
options_ok(const struct shop_options *options)
{
    return options->hash_jobs > 0 &&
           options->hash_memory >= crypto_pwhash_argon2id_MEMLIMIT_MIN &&
           options->hash_memory <= crypto_pwhash_argon2id_MEMLIMIT_MAX &&
           options->hash_passes >= crypto_pwhash_argon2id_OPSLIMIT_MIN &&
           options->hash_passes <= crypto_pwhash_argon2id_OPSLIMIT_MAX;
}

enum rpcrt_code
shop_passwords_open(const struct shop_options *options,
                    struct common_error *ret_error,
                    struct shop_passwords **ret_passwords)
{
    struct shop_passwords *passwords;

    if (sodium_init() < 0) {
        return common_error_set(ret_error, RPCRT_INTERNAL,
                                "libsodium can't be used");
    }
    if (!options_ok(options)) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "passwords: argon2id needs at least 1 job, 1 "
                                "pass and %u bytes",
                                (unsigned)crypto_pwhash_argon2id_MEMLIMIT_MIN);
    }
    passwords = calloc(1, sizeof(*passwords));
    if (passwords == NULL || !common_gate_init(&passwords->gate)) {
        free(passwords);
        return common_error_no_memory(ret_error);
    }
    passwords->passes = options->hash_passes;
    passwords->memory = (size_t)options->hash_memory;
    passwords->jobs_max = options->hash_jobs;
    if (!nobody_make(passwords)) {
        shop_passwords_close(passwords);
        return common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "passwords: no memory for argon2id");
    }
    *ret_passwords = passwords;
    return RPCRT_OK;
}

void
shop_passwords_close(struct shop_passwords *passwords)
{
    if (passwords == NULL) {
        return;
    }
    common_gate_fini(&passwords->gate);
    free(passwords);
}

/* -- one job among others -------------------------------------------------- */

static void
wake_all(void *arg)
{
    struct shop_passwords *passwords = arg;

    common_gate_lock(&passwords->gate);
    common_gate_signal(&passwords->gate);
    common_gate_unlock(&passwords->gate);
}

/* Wait until a job may run. [locked] */
static enum rpcrt_code
job_wait(struct shop_passwords *passwords, struct rpcrt_ctx *ctx,
         struct common_error *ret_error)
{
    if (passwords->jobs < passwords->jobs_max) {
        return RPCRT_OK;
    }
    if (passwords->waiters >= WAITERS_MAX) {
        return common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "too many passwords are checked at once: try "
                                "again later");
    }
    passwords->waiters++;
    while (passwords->jobs >= passwords->jobs_max &&
           (ctx == NULL || !rpcrt_ctx_cancelled(ctx))) {
        (void)common_gate_wait(&passwords->gate, WAIT_MS);
    }
    passwords->waiters--;
    if (passwords->jobs < passwords->jobs_max) {
        return RPCRT_OK;
    }
    return rpcrt_ctx_time_left_ms(ctx) == 0
               ? common_error_set(ret_error, RPCRT_DEADLINE_EXCEEDED,
                                  "the deadline passed while other passwords "
                                  "were checked")
               : common_error_set(ret_error, RPCRT_CANCELLED,
                                  "cancelled while other passwords were "
                                  "checked");
}

static enum rpcrt_code
job_begin(struct shop_passwords *passwords, struct rpcrt_ctx *ctx,
          struct common_error *ret_error)
{
    enum rpcrt_code code;

    if (ctx != NULL) {
        rpcrt_ctx_on_cancel(ctx, wake_all, passwords);
    }
    common_gate_lock(&passwords->gate);
    code = job_wait(passwords, ctx, ret_error);
    if (code == RPCRT_OK) {
        passwords->jobs++;
        passwords->runs++;
    }
    common_gate_unlock(&passwords->gate);
    if (ctx != NULL) {
        rpcrt_ctx_on_cancel(ctx, NULL, NULL);
    }
    return code;
}

static void
job_end(struct shop_passwords *passwords)
{
    common_gate_lock(&passwords->gate);
    passwords->jobs--;
    common_gate_signal(&passwords->gate);
    common_gate_unlock(&passwords->gate);
}

/* -- hash and check -------------------------------------------------------- */

static enum rpcrt_code
no_memory(struct common_error *ret_error)
{
    return common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                            "no memory for argon2id: try again later");
}

enum rpcrt_code
shop_password_hash(struct shop_passwords *passwords, struct rpcrt_ctx *ctx,
                   const char *password, struct common_error *ret_error,
                   char ret_hash[SHOP_PASSWORD_HASH_SIZE])
{
    enum rpcrt_code code = job_begin(passwords, ctx, ret_error);

    if (code != RPCRT_OK) {
        return code;
    }
    if (crypto_pwhash_str_alg(ret_hash, password, strlen(password),
                              passwords->passes, passwords->memory,
                              crypto_pwhash_ALG_ARGON2ID13) != 0) {
        code = no_memory(ret_error);
    }
    job_end(passwords);
    return code;
}

/* Whether a hash can be one of libsodium, which reads all its bytes. */
static bool
hash_copy(const char *hash, char ret_hash[SHOP_PASSWORD_HASH_SIZE])
{
    size_t size = strnlen(hash, SHOP_PASSWORD_HASH_SIZE);

    memset(ret_hash, 0, SHOP_PASSWORD_HASH_SIZE);
    memcpy(ret_hash, hash, size);
    return size < SHOP_PASSWORD_HASH_SIZE;
}

enum rpcrt_code
shop_password_check(struct shop_passwords *passwords, struct rpcrt_ctx *ctx,
                    const char *hash, const char *password,
                    struct common_error *ret_error, bool *ret_right,
                    bool *ret_stale)
{
    char copy[SHOP_PASSWORD_HASH_SIZE];
    enum rpcrt_code code;
    bool right;

    if (!hash_copy(hash == NULL ? passwords->nobody : hash, copy)) {
        return common_error_set(ret_error, RPCRT_DATA_LOSS,
                                "the stored password is no hash");
    }
    code = job_begin(passwords, ctx, ret_error);
    if (code != RPCRT_OK) {
        return code;
    }
    errno = 0;
    right = crypto_pwhash_str_verify(copy, password, strlen(password)) == 0;
    if (!right && errno != EINVAL) {
        code = no_memory(ret_error);
    }
    job_end(passwords);
    if (code == RPCRT_OK) {
        *ret_right = right && hash != NULL;
        *ret_stale = *ret_right &&
                     crypto_pwhash_str_needs_rehash(copy, passwords->passes,
                                                    passwords->memory) != 0;
    }
    return code;
}

uint64_t
shop_passwords_runs(struct shop_passwords *passwords)
{
    uint64_t runs;

    common_gate_lock(&passwords->gate);
    runs = passwords->runs;
    common_gate_unlock(&passwords->gate);
    return runs;
}
