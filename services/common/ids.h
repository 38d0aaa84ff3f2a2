/*
 * Ids that are made up, clocks, rules for idempotency keys, and page tokens.
 */
#ifndef SERVICES_COMMON_IDS_H
#define SERVICES_COMMON_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 128 random bits as lower-case hexadecimal digits, and an end. */
#define COMMON_ID_SIZE 33u
void common_id_make(char ret_id[COMMON_ID_SIZE]);
bool common_id_ok(const char *id);

/* Wall clock, in milliseconds since 1970-01-01T00:00Z; for records. */
int64_t common_now_ms(void);
/* A clock that is never set, in milliseconds; for waiting. */
int64_t common_monotonic_ms(void);

/* An idempotency key: 1 to 64 printable ASCII characters. */
#define COMMON_IDEMPOTENCY_KEY_MAX 64u
bool common_idempotency_key_ok(const char *key);

/* A page token: text as base64url behind a check value over it and a scope
 * (what the request asks for), so that a token of another request, or one cut
 * off, is noticed. It is no secret and no proof of anything. */
#define COMMON_PAGE_TOKEN_SIZE 512u
bool common_page_token_make(const char *scope, const char *text,
                            char ret_token[COMMON_PAGE_TOKEN_SIZE]);
bool common_page_token_read(const char *scope, const char *token,
                            char *ret_text, size_t size);

#endif
