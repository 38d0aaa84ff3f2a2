/*
 * Token files: what a service gets of a line, how long a token is good, and
 * what is refused, without telling what stands there.
 */
#include "common/tokens.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 2027-01-31, its first second and the one behind its last. */
#define DAY_S INT64_C(1801353600)
#define DAY_AFTER_S (DAY_S + 86400)

struct access {
    char words[64]; /* "merchant red|read-only" */
};

static struct common_tokens *tokens;
static struct common_error error;
static char path[64];

static const char *
line_read(const struct common_token_line *line, void *ret_access)
{
    struct access *access = ret_access;
    size_t i;

    cr_assert_eq(access->words[0], '\0');
    for (i = 0; i < line->n_words; i++) {
        (void)strcat(strcat(access->words, line->words[i]), " ");
    }
    for (i = 0; i < line->n_options; i++) {
        (void)strcat(strcat(access->words, "|"), line->options[i]);
    }
    return strcmp(line->words[0], "nobody") == 0 ? "there is no such word"
                                                 : NULL;
}

static void
hash_write(FILE *file, const char *token)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char digits[2 * sizeof(hash) + 1];

    (void)crypto_hash_sha256(hash, (const uint8_t *)token, strlen(token));
    (void)sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
    cr_assert_geq(fputs(digits, file), 0);
}

/* A file with this text; "%a" stands for the hash of "a", and so on. */
static void
file_write(const char *text)
{
    FILE *file;
    int fd;

    (void)snprintf(path, sizeof(path), "/tmp/rpcrt-tokens-XXXXXX");
    fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    file = fdopen(fd, "w");
    cr_assert_not_null(file);
    for (; *text != '\0'; text++) {
        if (text[0] == '%') {
            char token[2] = {*++text, '\0'};

            hash_write(file, token);
        } else {
            cr_assert_neq(fputc(*text, file), EOF);
        }
    }
    cr_assert_eq(fclose(file), 0);
}

static enum rpcrt_code
load(const char *text)
{
    enum rpcrt_code code;

    file_write(text);
    error = (struct common_error){.text = ""};
    code = common_tokens_load(path, line_read, sizeof(struct access), &error,
                              &tokens);
    cr_assert_eq(unlink(path), 0);
    return code;
}

/* What a token opens at a time; or what it is. */
static const char *
opens(const char *token, int64_t now_s)
{
    const void *access = NULL;

    switch (common_tokens_find(tokens, token, strlen(token), now_s, &access)) {
    case COMMON_TOKEN_KNOWN:
        return ((const struct access *)access)->words;
    case COMMON_TOKEN_EXPIRED:
        return "expired";
    default:
        return "unknown";
    }
}

static void
end(void)
{
    common_tokens_free(tokens);
}

TestSuite(token_files, .fini = end);

Test(token_files, give_the_words_around_the_hash)
{
    cr_assert_eq(
        load("# comment\n\n \t\nmerchant red %a\noperator\t%b  x y\r\n"),
        RPCRT_OK, "%s", error.text);
    cr_expect_str_eq(opens("a", 0), "merchant red ");
    cr_expect_str_eq(opens("b", 0), "operator |x|y");
    cr_expect_str_eq(opens("c", 0), "unknown");
    cr_expect_str_eq(opens("", 0), "unknown");
}

Test(token_files, let_a_token_expire_after_its_day)
{
    cr_assert_eq(load("merchant red %a until=2027-01-31\n"
                      "merchant red %b x until=2024-02-29"),
                 RPCRT_OK, "%s", error.text);
    cr_expect_str_eq(opens("a", 0), "merchant red ");
    cr_expect_str_eq(opens("a", DAY_AFTER_S - 1), "merchant red ");
    cr_expect_str_eq(opens("a", DAY_AFTER_S), "expired");
    cr_expect_str_eq(opens("b", INT64_C(1709251199)), "merchant red |x");
    cr_expect_str_eq(opens("b", INT64_C(1709251200)), "expired");
}

Test(token_files, have_each_token_once)
{
    cr_expect_eq(load("old %a until=2027-01-30\nother %b\nnew %a\n"),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, ":3: an earlier line"), "%s",
                       error.text);
}

Test(token_files, that_open_nothing_are_refused)
{
    cr_expect_eq(load(""), RPCRT_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, path), "%s", error.text);
    cr_expect_eq(load("# merchant red %a\n\n"), RPCRT_INVALID_ARGUMENT);
}

Test(token_files, that_are_no_text_are_refused, .timeout = 20)
{
    static const char bytes[] = "merchant red\0";
    FILE *file;

    cr_expect_eq(common_tokens_load("/dev/zero", line_read,
                                    sizeof(struct access), &error, &tokens),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, "/dev/zero:1:"), "%s", error.text);
    file_write("merchant red %a ");
    file = fopen(path, "a");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, sizeof(bytes), 1, file), 1);
    cr_assert_eq(fclose(file), 0);
    cr_expect_eq(common_tokens_load(path, line_read, sizeof(struct access),
                                    &error, &tokens),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(unlink(path), 0);
}

Test(token_files, refuse_what_is_no_line_without_telling_it)
{
    static const char *const bad[] = {
        "merchant secret",
        "%a",
        "merchant %a until=2027-02-29",
        "merchant %a until=2027-13-01",
        "merchant %a until=2027-00-10",
        "merchant %a until=2027-01-00",
        "merchant %a until=27-01-31",
        "merchant %a until=2027-01-31x",
        "merchant %a until=2027-1-031",
        "merchant %a until=",
        "merchant %a until=1969-12-31",
        "merchant %a until=2027-01-31 until=2028-01-31",
        "nobody secret %a",
        "1 2 3 4 secret %a",
        "merchant %a 1 2 3 4 secret"};
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[128];
        char where[80];

        (void)snprintf(text, sizeof(text), "# first\n%s\n", bad[i]);
        cr_expect_eq(load(text), RPCRT_INVALID_ARGUMENT, "%s", bad[i]);
        (void)snprintf(where, sizeof(where), "%s:2: ", path);
        cr_expect_eq(strncmp(error.text, where, strlen(where)), 0, "%s",
                     error.text);
        cr_expect_null(strstr(error.text, "secret"), "%s", error.text);
    }
}

/* -- a token to be sent ---------------------------------------------------- */

static enum rpcrt_code
read_token(const char *text, char *ret_token, size_t size)
{
    enum rpcrt_code code;

    file_write(text);
    code = common_token_read(path, ret_token, size, &error);
    cr_assert_eq(unlink(path), 0);
    return code;
}

Test(sent_tokens, are_the_first_line_of_their_file)
{
    char token[9];

    cr_assert_eq(read_token("12345678\r\nmore\n", token, 9), RPCRT_OK);
    cr_expect_str_eq(token, "12345678");
    cr_assert_eq(read_token("1234", token, 9), RPCRT_OK);
    cr_expect_str_eq(token, "1234");
}

Test(sent_tokens, that_are_none_are_refused_by_file)
{
    char token[9];

    cr_expect_eq(read_token("", token, 9), RPCRT_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, path));
    cr_expect_eq(read_token("\ntoken\n", token, 9), RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(read_token("123456789\n", token, 9), RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(read_token("12\xc3\xa9\n", token, 9), RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(common_token_read("/nowhere/x", token, 9, &error),
                 RPCRT_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "/nowhere/x"));
}
