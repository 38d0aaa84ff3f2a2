/*
 * The secrets of the HMACs: what a card is kept under, and what the parameters
 * of a call are compared by. A file has one or several, each with an id; the
 * first is used for what is new, the others for what was made before.
 *
 *   # id, and at least 64 hexadecimal digits
 *   2026b 0f1e...
 *   2026a 77c2...
 */
#ifndef PAYMENT_SECRETS_H
#define PAYMENT_SECRETS_H

#include "common/store.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>

#define PAY_SECRETS_MAX 16u
#define PAY_SECRET_ID_MAX 32u
#define PAY_SECRET_BYTES_MIN 32u
#define PAY_SECRET_BYTES_MAX 128u
#define PAY_MAC_SIZE 32u
#define PAY_MAC_DIGITS_SIZE 65u

struct pay_secrets;

/**
 * Read a file.
 *
 * Returns  OK; INVALID_ARGUMENT naming file and line of what is wrong (never
 *          what stands there); FAILED_PRECONDITION if it can't be read;
 *          RESOURCE_EXHAUSTED without memory.
 */
RPCRT_MUST_CHECK enum rpcrt_code
pay_secrets_load(const char *path, struct common_error *ret_error,
                 struct pay_secrets **ret_secrets);

/* Overwrite and free. NULL does nothing. */
void pay_secrets_free(struct pay_secrets *secrets);

size_t pay_secrets_count(const struct pay_secrets *secrets);

/* The id of secret i; 0 is the one for new records. */
const char *pay_secrets_id(const struct pay_secrets *secrets, size_t i);

/* The secret with an id; false if the file has none. */
bool pay_secrets_find(const struct pay_secrets *secrets, const char *id,
                      size_t *ret_i);

/* -- those that the data was made with --------------------------------------
 *
 * The store has a record of them. A process that lacks one can't find the cards
 * made with it, and would make a card twice; and another process may enter one
 * at any time. So whoever looks for a card reads this record with it, and
 * whoever writes what depends on the outcome expects it in the commit.
 */

/**
 * Check all, and enter the first of the file before its first use. At the start
 * of the program.
 *
 * Returns  OK; FAILED_PRECONDITION, naming the id, if the file lacks one or has
 *          another under its id; else the failure of the store.
 */
RPCRT_MUST_CHECK enum rpcrt_code
pay_secrets_enter(const struct pay_secrets *secrets, struct common_store *store,
                  struct common_error *ret_error);

/* Read the record with the next common_read_now(). */
void pay_secrets_read(struct common_work *work,
                      struct common_record *ret_record);

/* Whether the file has all of the record that was read: OK, or
 * FAILED_PRECONDITION, naming the id. */
RPCRT_MUST_CHECK enum rpcrt_code
pay_secrets_check(const struct pay_secrets *secrets,
                  const struct common_record *record,
                  struct common_error *ret_error);

/* -- an HMAC, part by part ------------------------------------------------- */

struct pay_mac {
    crypto_auth_hmacsha256_state state;
};

/* Begin with secret i; no HMAC of one purpose is one of another. */
void pay_mac_begin(struct pay_mac *mac, const struct pay_secrets *secrets,
                   size_t i, const char *purpose);

/* Parts know where they end: "ab", "c" is not "a", "bc". NULL is "". */
void pay_mac_text(struct pay_mac *mac, const char *text);
void pay_mac_number(struct pay_mac *mac, int64_t number);

/* Finish, and wipe the state. */
void pay_mac_end(struct pay_mac *mac, uint8_t ret_mac[PAY_MAC_SIZE]);

#endif
