/*
 * Card numbers, schemes and expiries. The numbers are those that the schemes
 * publish for tests.
 */
#include "payment/card.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct sample {
    const char *number;
    const char *scheme;
};

static const struct sample samples[] = {
    {"4111111111111111", "visa"},       {"4012888888881881", "visa"},
    {"4222222222222", "visa"},          {"5555555555554444", "mastercard"},
    {"5105105105105100", "mastercard"}, {"2223003122003222", "mastercard"},
    {"378282246310005", "amex"},        {"371449635398431", "amex"},
    {"6011111111111117", "discover"},   {"6011000990139424", "discover"},
    {"30569309025904", "diners"},       {"38520000023237", "diners"},
    {"3530111333300000", "jcb"},        {"3566002020360505", "jcb"},
    {"6200000000000005", "unionpay"},   {"6759649826438453", "maestro"},
};

#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static bool
is_card(const char *text)
{
    struct pay_number number;
    bool ok = pay_number_read(text, &number);

    return ok;
}

Test(card, takes_the_test_numbers_of_the_schemes)
{
    struct pay_number number;
    size_t i;

    for (i = 0; i < N_SAMPLES; i++) {
        const char *text = samples[i].number;

        cr_assert(pay_number_read(text, &number), "%s", text);
        cr_expect_str_eq(number.digits, text);
        cr_expect_eq(number.n_digits, strlen(text));
        cr_expect_str_eq(number.scheme, samples[i].scheme);
        cr_expect_str_eq(number.last4, text + strlen(text) - 4);
    }
}

Test(card, passes_over_blanks_and_hyphens_between_digits)
{
    struct pay_number number;

    cr_assert(pay_number_read("4111 1111-1111  1111", &number));
    cr_expect_str_eq(number.digits, "4111111111111111");
}

Test(card, refuses_what_is_no_number)
{
    static const char *const wrong[] = {
        "",
        " ",
        "-",
        "4111111111111112",  /* check digit */
        " 4111111111111111", /* begins with a blank */
        "4111111111111111 ", /* ends with one */
        "4111111111111111-",
        "4111.1111.1111.1111",
        "4111111111111111x",
        "x",
        "41111111111", /* 11 digits */
        "00000000000",
        "000000000000", /* no scheme */
        "0000000000000000",
        "9999999999999995",
        "41111111111111111111", /* 20 digits */
        "4111111111111111111111111111111111111111",
        "41111111111111",           /* 14 digits are no Visa */
        "5555555555555557777",      /* 19 digits are no Mastercard */
        "\xd9\xa4\xd9\xa1\xd9\xa1", /* digits, but not ours */
    };
    struct pay_number number;
    struct pay_number before;
    size_t i;

    memset(&before, 7, sizeof(before));
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        number = before;
        cr_expect_not(pay_number_read(wrong[i], &number), "\"%s\"", wrong[i]);
        cr_expect_arr_eq(&number, &before, sizeof(number));
    }
}

Test(luhn, finds_every_single_wrong_digit)
{
    char text[PAY_DIGITS_MAX + 1];
    size_t i;
    size_t at;
    int digit;

    for (i = 0; i < N_SAMPLES; i++) {
        size_t n = strlen(samples[i].number);

        cr_assert(pay_luhn_ok(samples[i].number, n));
        for (at = 0; at < n; at++) {
            for (digit = '0'; digit <= '9'; digit++) {
                (void)snprintf(text, sizeof(text), "%s", samples[i].number);
                text[at] = (char)digit;
                cr_expect_eq(pay_luhn_ok(text, n),
                             digit == samples[i].number[at], "%s", text);
            }
        }
    }
}

/* Swap two digits; true if that makes another number. */
static bool
swap(char *text, size_t at)
{
    char first = text[at];

    text[at] = text[at + 1];
    text[at + 1] = first;
    return text[at] != text[at + 1];
}

Test(luhn, finds_neighbours_in_the_wrong_order_but_0_and_9)
{
    char text[PAY_DIGITS_MAX + 1];
    unsigned n_missed = 0;
    unsigned number;
    size_t at;

    /* All numbers of five digits with their check digits. */
    for (number = 0; number < 100000; number++) {
        char digit = '0';

        do {
            (void)snprintf(text, sizeof(text), "%05u%c", number, digit++);
        } while (!pay_luhn_ok(text, 6));
        for (at = 0; at < 5; at++) {
            bool pair = (text[at] == '0' && text[at + 1] == '9') ||
                        (text[at] == '9' && text[at + 1] == '0');

            if (swap(text, at)) {
                cr_assert_eq(pay_luhn_ok(text, 6), pair, "%s", text);
                n_missed += pair ? 1 : 0;
            }
            (void)swap(text, at);
        }
    }
    cr_expect_gt(n_missed, 0, "09 and 90 are what Luhn misses");
}

Test(card, knows_a_scheme_by_its_first_digits_and_its_length)
{
    static const struct {
        const char *prefix;
        size_t n_digits;
        const char *scheme;
    } cases[] = {
        {"222099", 16, NULL},         {"222100", 16, "mastercard"},
        {"272099", 16, "mastercard"}, {"272100", 16, NULL},
        {"510000", 16, "mastercard"}, {"559999", 16, "mastercard"},
        {"509999", 16, NULL},         {"560000", 16, NULL},
        {"340000", 15, "amex"},       {"340000", 16, NULL},
        {"352799", 16, NULL},         {"352800", 16, "jcb"},
        {"358999", 16, "jcb"},        {"359000", 16, NULL},
        {"400000", 13, "visa"},       {"400000", 16, "visa"},
        {"400000", 19, "visa"},       {"400000", 15, NULL},
        {"601100", 16, "discover"},   {"644000", 16, "discover"},
        {"643999", 16, NULL},         {"650000", 19, "discover"},
        {"620000", 16, "unionpay"},   {"620000", 15, NULL},
        {"501800", 12, "maestro"},    {"501800", 11, NULL},
        {"676399", 19, "maestro"},    {"676399", 20, NULL},
        {"300000", 14, "diners"},     {"300000", 13, NULL},
    };
    char digits[32];
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *scheme;

        (void)snprintf(digits, sizeof(digits), "%s%s", cases[i].prefix,
                       "00000000000000");
        scheme = pay_scheme_find(digits, cases[i].n_digits);
        if (cases[i].scheme == NULL) {
            cr_expect_null(scheme, "%s, %zu digits", cases[i].prefix,
                           cases[i].n_digits);
        } else {
            cr_expect_str_eq(scheme, cases[i].scheme, "%s, %zu digits",
                             cases[i].prefix, cases[i].n_digits);
        }
    }
}

Test(card, wipes_a_number)
{
    static const struct pay_number nothing;
    struct pay_number number;

    cr_assert(pay_number_read("4111111111111111", &number));
    pay_number_wipe(&number);
    cr_expect_arr_eq(&number, &nothing, sizeof(number));
    cr_expect(is_card("4111111111111111"));
}

Test(expiry, has_twelve_months_and_a_hundred_years)
{
    cr_expect(pay_expiry_ok(1, 2000));
    cr_expect(pay_expiry_ok(12, 2099));
    cr_expect_not(pay_expiry_ok(0, 2030));
    cr_expect_not(pay_expiry_ok(13, 2030));
    cr_expect_not(pay_expiry_ok(UINT32_MAX, 2030));
    cr_expect_not(pay_expiry_ok(6, 1999));
    cr_expect_not(pay_expiry_ok(6, 2100));
    cr_expect_not(pay_expiry_ok(6, 30));
}

Test(expiry, lasts_until_the_end_of_the_month)
{
    /* The first moment of the month behind, in seconds, by another calendar:
     * date -u -d 2024-03-01 +%s */
    static const struct {
        uint32_t month;
        uint32_t year;
        int64_t end_s;
    } cases[] = {
        {1, 2000, 949363200},  {2, 2000, 951868800},   {12, 2000, 978307200},
        {2, 2023, 1677628800}, {2, 2024, 1709251200},  {12, 2024, 1735689600},
        {1, 2025, 1738368000}, {11, 2026, 1796083200}, {4, 2030, 1903824000},
        {6, 2050, 2540246400}, {2, 2096, 3981398400},  {12, 2099, 4102444800},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t end_ms = cases[i].end_s * 1000;

        cr_expect_not(
            pay_expiry_over(cases[i].month, cases[i].year, end_ms - 1), "%u/%u",
            cases[i].month, cases[i].year);
        cr_expect(pay_expiry_over(cases[i].month, cases[i].year, end_ms),
                  "%u/%u", cases[i].month, cases[i].year);
    }
}
