/*
 * Writing lines of token files: see tokens.h.
 */
#include "tests/support/tokens.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

void
token_line(const char *words, const char *token, const char *options,
           char *text, size_t size)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char digits[2 * sizeof(hash) + 1];
    size_t used = strlen(text);
    int n;

    (void)crypto_hash_sha256(hash, (const uint8_t *)token, strlen(token));
    (void)sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
    n = snprintf(text + used, size - used, "%s %s %s\n", words, digits,
                 options);
    cr_assert(n > 0 && (size_t)n < size - used);
}
