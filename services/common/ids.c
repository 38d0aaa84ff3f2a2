/*
 * Ids, clocks, keys and page tokens: see ids.h.
 */
#include "common/ids.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

#define CHECK_SIZE 8u
/* What fits a token, as base64url: three bytes in four digits. */
#define PAGE_BYTES_MAX ((COMMON_PAGE_TOKEN_SIZE - 1) / 4 * 3)

/* -- ids and clocks -------------------------------------------------------- */

void
common_id_make(char ret_id[COMMON_ID_SIZE])
{
    uint8_t bytes[(COMMON_ID_SIZE - 1) / 2];

    randombytes_buf(bytes, sizeof(bytes));
    (void)sodium_bin2hex(ret_id, COMMON_ID_SIZE, bytes, sizeof(bytes));
}

bool
common_id_ok(const char *id)
{
    return strlen(id) == COMMON_ID_SIZE - 1 &&
           strspn(id, "0123456789abcdef") == COMMON_ID_SIZE - 1;
}

static int64_t
clock_ms(clockid_t clock)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
common_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t
common_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

bool
common_idempotency_key_ok(const char *key)
{
    size_t size = 0;

    while (key[size] >= 0x20 && key[size] <= 0x7e) {
        if (++size > COMMON_IDEMPOTENCY_KEY_MAX) {
            return false;
        }
    }
    return size > 0 && key[size] == '\0';
}

/* -- page tokens ----------------------------------------------------------- */

/* Scope and text, with the end of the scope between them. */
static void
check_make(const char *scope, const uint8_t *text, size_t size,
           uint8_t ret_check[CHECK_SIZE])
{
    crypto_generichash_state state;
    uint8_t hash[crypto_generichash_BYTES_MIN];

    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    (void)crypto_generichash_update(&state, (const uint8_t *)scope,
                                    strlen(scope) + 1);
    (void)crypto_generichash_update(&state, text, size);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    memcpy(ret_check, hash, CHECK_SIZE);
}

bool
common_page_token_make(const char *scope, const char *text,
                       char ret_token[COMMON_PAGE_TOKEN_SIZE])
{
    uint8_t bytes[PAGE_BYTES_MAX];
    size_t size = strlen(text);

    if (size > sizeof(bytes) - CHECK_SIZE) {
        return false;
    }
    memcpy(bytes + CHECK_SIZE, text, size);
    check_make(scope, bytes + CHECK_SIZE, size, bytes);
    (void)sodium_bin2base64(ret_token, COMMON_PAGE_TOKEN_SIZE, bytes,
                            CHECK_SIZE + size,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return true;
}

bool
common_page_token_read(const char *scope, const char *token, char *ret_text,
                       size_t size)
{
    uint8_t bytes[PAGE_BYTES_MAX];
    uint8_t check[CHECK_SIZE];
    const uint8_t *text = bytes + CHECK_SIZE;
    const char *end = NULL;
    size_t length = 0;

    if (sodium_base642bin(bytes, sizeof(bytes), token, strlen(token), NULL,
                          &length, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        *end != '\0' || length < CHECK_SIZE) {
        return false;
    }
    length -= CHECK_SIZE;
    check_make(scope, text, length, check);
    if (memcmp(check, bytes, CHECK_SIZE) != 0 || length >= size ||
        memchr(text, '\0', length) != NULL) {
        return false;
    }
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
    return true;
}
