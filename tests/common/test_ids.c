/*
 * Ids, idempotency keys and page tokens.
 */
#include "common/ids.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(ids, differ_and_are_hexadecimal)
{
    char a[COMMON_ID_SIZE];
    char b[COMMON_ID_SIZE];

    common_id_make(a);
    common_id_make(b);
    cr_expect_str_neq(a, b);
    cr_expect(common_id_ok(a));
    a[31] = 'G';
    cr_expect_not(common_id_ok(a));
    a[31] = 'A';
    cr_expect_not(common_id_ok(a));
    b[31] = '\0';
    cr_expect_not(common_id_ok(b));
    cr_expect_not(common_id_ok(""));
    cr_expect_not(common_id_ok("0123456789abcdef0123456789abcdef0"));
}

Test(ids, clocks_go_forward)
{
    int64_t start_ms = common_monotonic_ms();

    cr_expect_geq(common_monotonic_ms(), start_ms);
    /* 2020-01-01, and the year 3000. */
    cr_expect_gt(common_now_ms(), INT64_C(1577836800000));
    cr_expect_lt(common_now_ms(), INT64_C(32503680000000));
}

Test(idempotency_keys, are_1_to_64_printable_characters)
{
    char key[COMMON_IDEMPOTENCY_KEY_MAX + 2];

    memset(key, 'k', sizeof(key));
    key[COMMON_IDEMPOTENCY_KEY_MAX + 1] = '\0';
    cr_expect_not(common_idempotency_key_ok(key));
    key[COMMON_IDEMPOTENCY_KEY_MAX] = '\0';
    cr_expect(common_idempotency_key_ok(key));
    cr_expect(common_idempotency_key_ok("a key ~"));
    cr_expect_not(common_idempotency_key_ok(""));
    cr_expect_not(common_idempotency_key_ok("a\nb"));
    cr_expect_not(common_idempotency_key_ok("a\x7f"));
    cr_expect_not(common_idempotency_key_ok("\xc3\xa4"));
}

/* -- page tokens ----------------------------------------------------------- */

static char token[COMMON_PAGE_TOKEN_SIZE];
static char text[COMMON_PAGE_TOKEN_SIZE];

Test(page_tokens, are_read_as_they_were_made)
{
    cr_assert(common_page_token_make("cats", "pet/17", token));
    cr_expect(common_page_token_read("cats", token, text, sizeof(text)));
    cr_expect_str_eq(text, "pet/17");
    cr_assert(common_page_token_make("", "", token));
    cr_expect(common_page_token_read("", token, text, sizeof(text)));
    cr_expect_str_eq(text, "");
}

Test(page_tokens, belong_to_what_was_asked_for)
{
    cr_assert(common_page_token_make("cats", "pet/17", token));
    cr_expect_not(common_page_token_read("dogs", token, text, sizeof(text)));
    cr_expect_not(common_page_token_read("cat", token, text, sizeof(text)));
    cr_assert(common_page_token_make("cat", "spet/17", token));
    cr_expect_not(common_page_token_read("cats", token, text, sizeof(text)));
}

Test(page_tokens, that_were_changed_are_refused)
{
    size_t i;
    size_t size;

    cr_assert(common_page_token_make("cats", "pet/17", token));
    size = strlen(token);
    for (i = 0; i < size; i++) {
        char kept = token[i];

        token[i] = kept == 'A' ? 'B' : 'A';
        cr_expect_not(common_page_token_read("cats", token, text, sizeof(text)),
                      "character %zu", i);
        token[i] = kept;
    }
    for (i = size; i-- > 0;) {
        token[i] = '\0';
        cr_expect_not(common_page_token_read("cats", token, text, sizeof(text)),
                      "%zu characters", i);
    }
    cr_expect_not(common_page_token_read("cats", "no token!", text, 9));
}

Test(page_tokens, have_a_size)
{
    char longest[COMMON_PAGE_TOKEN_SIZE];
    size_t n;

    memset(longest, 'x', sizeof(longest));
    for (n = sizeof(longest) - 1;; n--) {
        longest[n] = '\0';
        if (common_page_token_make("cats", longest, token)) {
            break;
        }
    }
    cr_expect_gt(n, 350);
    cr_expect_lt(strlen(token), sizeof(token));
    cr_expect(common_page_token_read("cats", token, text, sizeof(text)));
    cr_expect_str_eq(text, longest);
    cr_expect_not(common_page_token_read("cats", token, text, n));
    cr_expect(common_page_token_read("cats", token, text, n + 1));
    memset(token, 'A', sizeof(token) - 1);
    cr_expect_not(common_page_token_read("cats", token, text, sizeof(text)));
}
