/*
 * Commands of payctl for who runs a server: making tokens and secrets.
 */
#include "payctl.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the server takes. */
#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-_."
#define ID_SIZE_MAX 32u
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" ID_CHARACTERS
#define NAME_SIZE_MAX 63u
#define YEAR_MIN 1970

static bool
word_ok(const char *word, const char *characters, size_t size_max)
{
    size_t length = strspn(word, characters);

    return length > 0 && length <= size_max && word[length] == '\0';
}

/* Whether there is such a day; the characters have been checked. */
static bool
day_exists(const char *date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = (int)strtol(date, NULL, 10);
    int month = (int)strtol(date + 5, NULL, 10);
    int day = (int)strtol(date + 8, NULL, 10);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return year >= YEAR_MIN && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool
date_ok(const char *date)
{
    static const char shape[] = "0000-00-00";
    size_t i;

    if (strlen(date) != strlen(shape)) {
        return false;
    }
    for (i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == '0' ? !isdigit((unsigned char)date[i])
                            : date[i] != shape[i]) {
            return false;
        }
    }
    return day_exists(date);
}

int
payctl_token(struct cli *cli, int argc, char **argv)
{
    uint8_t secret[32];
    uint8_t hash[crypto_hash_sha256_BYTES];
    char token[64];
    char digits[2 * sizeof(hash) + 1];
    const char *until = payctl_options.until;

    (void)argc;
    if (strcmp(argv[0], "new") != 0 || (strcmp(argv[1], "operator") != 0 &&
                                        strcmp(argv[1], "merchant") != 0)) {
        return cli_usage(cli, "usage: %s token new operator|merchant NAME",
                         cli->program);
    }
    if (!word_ok(argv[2], NAME_CHARACTERS, NAME_SIZE_MAX)) {
        return cli_usage(cli,
                         "'%s': a name has 1 to %u letters, digits, '-', "
                         "'_' or '.'",
                         argv[2], NAME_SIZE_MAX);
    }
    if (until != NULL && !date_ok(until)) {
        return cli_usage(cli, "--until %s: expected a day, YYYY-MM-DD", until);
    }
    if (sodium_init() < 0) {
        return cli_fail(cli, "no source of random numbers");
    }
    randombytes_buf(secret, sizeof(secret));
    (void)sodium_bin2base64(token, sizeof(token), secret, sizeof(secret),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    (void)crypto_hash_sha256(hash, (const uint8_t *)token, strlen(token));
    (void)sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
    (void)printf("%s\n%s %s %s%s%s\n", token, argv[1], argv[2], digits,
                 until != NULL ? " until=" : "", until != NULL ? until : "");
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(token, sizeof(token));
    return 0;
}

int
payctl_secret(struct cli *cli, int argc, char **argv)
{
    uint8_t secret[32];
    char digits[2 * sizeof(secret) + 1];

    (void)argc;
    if (strcmp(argv[0], "new") != 0) {
        return cli_usage(cli, "usage: %s secret new ID", cli->program);
    }
    if (!word_ok(argv[1], ID_CHARACTERS, ID_SIZE_MAX)) {
        return cli_usage(cli,
                         "'%s': an id has 1 to %u of a-z, 0-9, '-', '_' and "
                         "'.'",
                         argv[1], ID_SIZE_MAX);
    }
    if (sodium_init() < 0) {
        return cli_fail(cli, "no source of random numbers");
    }
    randombytes_buf(secret, sizeof(secret));
    (void)sodium_bin2hex(digits, sizeof(digits), secret, sizeof(secret));
    (void)printf("%s %s\n", argv[1], digits);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(digits, sizeof(digits));
    return 0;
}
