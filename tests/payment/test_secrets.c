/*
 * The file of secrets, the HMACs made with it, and the file of tokens.
 */
#include "payment/access.h"
#include "payment/secrets.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIGITS                                                                 \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static char path[64];

static void
file_begin(void)
{
    int fd;

    (void)snprintf(path, sizeof(path), "/tmp/rpcrt-secrets-XXXXXX");
    fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void)close(fd);
}

static void
file_end(void)
{
    (void)unlink(path);
}

TestSuite(secrets, .init = file_begin, .fini = file_end, .timeout = 20);
TestSuite(access, .init = file_begin, .fini = file_end, .timeout = 20);

static void
file_write(const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static struct pay_secrets *
load(const char *text)
{
    struct pay_secrets *secrets = NULL;
    struct common_error error = {.text = ""};

    file_write(text);
    cr_assert_eq(pay_secrets_load(path, &error, &secrets), RPCRT_OK, "%s",
                 error.text);
    return secrets;
}

Test(secrets, are_read_in_the_order_of_the_file)
{
    struct pay_secrets *secrets =
        load("# comment\n\n  new-2 " OTHER "\t\r\nold " DIGITS DIGITS "\n");
    size_t i = 9;

    cr_assert_eq(pay_secrets_count(secrets), 2);
    cr_expect_str_eq(pay_secrets_id(secrets, 0), "new-2");
    cr_expect(pay_secrets_find(secrets, "old", &i));
    cr_expect_eq(i, 1);
    cr_expect_not(pay_secrets_find(secrets, "ol", &i));
    pay_secrets_free(secrets);
}

Test(secrets, refuse_a_file_that_is_wrong_and_tell_nothing_of_it)
{
    static const char *const wrong[] = {
        "",
        "# only a comment\n",
        "one\n",
        DIGITS "\n",
        "one 0011\n",
        "one " DIGITS "0\n",
        "one " DIGITS "gg\n",
        "one " DIGITS " " OTHER "\n",
        "one " DIGITS "\none " OTHER "\n",
        "UPPER " DIGITS "\n",
        "a/b " DIGITS "\n",
        "an-id-that-has-more-than-32-characters " DIGITS "\n",
        "one " DIGITS DIGITS DIGITS DIGITS DIGITS "\n",
        "one " DIGITS DIGITS DIGITS DIGITS DIGITS DIGITS DIGITS DIGITS "\n",
    };
    struct pay_secrets *secrets = NULL;
    size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct common_error error = {.text = ""};

        file_write(wrong[i]);
        cr_expect_eq(pay_secrets_load(path, &error, &secrets),
                     RPCRT_INVALID_ARGUMENT, "%s", wrong[i]);
        cr_expect_not_null(strstr(error.text, path), "%s", error.text);
        cr_expect_null(strstr(error.text, "0001"), "%s", error.text);
        cr_expect_null(secrets);
    }
}

Test(secrets, refuse_a_file_that_is_no_text_or_has_no_end)
{
    static const char bytes[] = "one " DIGITS "\n\0two";
    struct pay_secrets *secrets = NULL;
    struct common_error error = {.text = ""};
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, sizeof(bytes) - 1, 1, file), 1);
    cr_assert_eq(fclose(file), 0);
    cr_expect_eq(pay_secrets_load(path, &error, &secrets),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(pay_secrets_load("/dev/zero", &error, &secrets),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_null(secrets);
}

Test(secrets, name_a_file_that_is_missing)
{
    struct pay_secrets *secrets = NULL;
    struct common_error error = {.text = ""};

    (void)unlink(path);
    cr_expect_eq(pay_secrets_load(path, &error, &secrets),
                 RPCRT_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, path), "%s", error.text);
}

static void
mac_of(const struct pay_secrets *secrets, size_t i, const char *purpose,
       const char *first, const char *second, uint8_t ret_mac[PAY_MAC_SIZE])
{
    struct pay_mac mac;

    pay_mac_begin(&mac, secrets, i, purpose);
    pay_mac_text(&mac, first);
    pay_mac_text(&mac, second);
    pay_mac_end(&mac, ret_mac);
}

Test(secrets, make_other_hmacs_for_whatever_is_other)
{
    static const struct {
        size_t secret;
        const char *texts[3];
    } cases[] = {
        {0, {"card", "ab", "c"}}, {1, {"card", "ab", "c"}},
        {0, {"card", "a", "bc"}}, {0, {"card", "abc", NULL}},
        {0, {"car", "dab", "c"}}, {0, {"card", "", "abc"}},
        {0, {"card", "ab", "d"}},
    };
    enum { N = sizeof(cases) / sizeof(cases[0]) };
    struct pay_secrets *secrets = load("one " DIGITS "\ntwo " OTHER "\n");
    uint8_t macs[N][PAY_MAC_SIZE];
    uint8_t again[PAY_MAC_SIZE];
    size_t i;
    size_t j;

    for (i = 0; i < N; i++) {
        mac_of(secrets, cases[i].secret, cases[i].texts[0], cases[i].texts[1],
               cases[i].texts[2], macs[i]);
        mac_of(secrets, cases[i].secret, cases[i].texts[0], cases[i].texts[1],
               cases[i].texts[2], again);
        cr_expect_arr_eq(macs[i], again, sizeof(again));
        for (j = 0; j < i; j++) {
            cr_expect_arr_neq(macs[i], macs[j], sizeof(again), "%zu, %zu", i,
                              j);
        }
    }
    pay_secrets_free(secrets);
}

/* HMAC-SHA256 with that secret over the purpose and the text, each behind its
 * length in eight bytes, the lowest first; by another program:
 *   printf '\4\0\0\0\0\0\0\0card\4\0\0\0\0\0\0\0text' |
 *       openssl dgst -sha256 -mac HMAC -macopt hexkey:0001...1f */
Test(secrets, make_the_hmac_that_everybody_makes)
{
    static const char expected[] =
        "ba21dbe481e30d418b6555994a370e465629160e71f514be5b7cc52aae4d98b6";
    struct pay_secrets *secrets = load("one " DIGITS "\n");
    struct pay_mac mac;
    uint8_t bytes[PAY_MAC_SIZE];
    char digits[PAY_MAC_DIGITS_SIZE];

    pay_mac_begin(&mac, secrets, 0, "card");
    pay_mac_text(&mac, "text");
    pay_mac_end(&mac, bytes);
    (void)sodium_bin2hex(digits, sizeof(digits), bytes, sizeof(bytes));
    cr_expect_str_eq(digits, expected);
    pay_secrets_free(secrets);
}

/* -- tokens ---------------------------------------------------------------- */

Test(access, knows_operators_and_merchants)
{
    struct common_tokens *access = NULL;
    struct common_error error = {.text = ""};
    const void *found = NULL;
    const struct pay_access *who;

    /* SHA-256 of "password". */
    file_write("merchant red-1 5e884898da28047151d0e56f8dc6292773603d0d6aabbdd6"
               "2a11ef721d1542d8 until=2030-01-31\n");
    cr_assert_eq(pay_access_load(path, &error, &access), RPCRT_OK, "%s",
                 error.text);
    cr_assert_eq(common_tokens_find(access, "password", 8, 1800000000, &found),
                 COMMON_TOKEN_KNOWN);
    who = found;
    cr_expect_eq(who->role, PAY_MERCHANT);
    cr_expect_str_eq(who->name, "red-1");
    common_tokens_free(access);
}

Test(access, refuses_lines_that_open_nothing)
{
    static const char *const wrong[] = {
        "customer red", "merchant",          "red",
        "merchant a/b", "merchant red blue", "operator a%b"};
    struct common_tokens *access = NULL;
    char text[256];
    size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct common_error error = {.text = ""};

        (void)snprintf(text, sizeof(text), "%s " DIGITS "\n", wrong[i]);
        file_write(text);
        cr_expect_eq(pay_access_load(path, &error, &access),
                     RPCRT_INVALID_ARGUMENT, "%s", wrong[i]);
        cr_expect_not_null(strstr(error.text, ":1:"), "%s", error.text);
    }
    file_write("merchant red " DIGITS " read-only\n");
    cr_expect_eq(
        pay_access_load(path, &(struct common_error){.text = ""}, &access),
        RPCRT_INVALID_ARGUMENT);
}
