/*
 * Decimal amounts: what is read is exact, or refused.
 */
#include "money.h"

#include <criterion/criterion.h>

static void
expect_minor(const char *text, const char *currency, int64_t wanted)
{
    int64_t minor = -1;

    cr_assert(money_read(text, currency, &minor), "'%s' %s", text, currency);
    cr_assert_eq(minor, wanted, "'%s' %s: %lld", text, currency,
                 (long long)minor);
}

static void
expect_refused(const char *text, const char *currency)
{
    int64_t minor = 77;

    cr_assert_not(money_read(text, currency, &minor), "'%s' %s", text,
                  currency);
    cr_assert_eq(minor, 77);
}

Test(money, has_the_digits_of_its_currency)
{
    cr_assert_eq(money_exponent("EUR"), 2);
    cr_assert_eq(money_exponent("JPY"), 0);
    cr_assert_eq(money_exponent("KWD"), 3);
    cr_assert_eq(money_exponent("UYW"), 4);
    cr_assert_eq(money_exponent(""), 2);
    cr_assert_eq(money_exponent("P C"), 2);
    cr_assert_eq(money_exponent("KWDX"), 2);
}

Test(money, is_read_exactly)
{
    expect_minor("0", "EUR", 0);
    expect_minor("12", "EUR", 1200);
    expect_minor("12.5", "EUR", 1250);
    expect_minor("12.05", "EUR", 1205);
    expect_minor("0.01", "EUR", 1);
    expect_minor("007", "EUR", 700);
    expect_minor("12", "JPY", 12);
    expect_minor("12.345", "KWD", 12345);
    expect_minor("1.0001", "CLF", 10001);
    expect_minor("10000000000000.00", "EUR", INT64_C(1000000000000000));
    expect_minor("1000000000000000", "JPY", INT64_C(1000000000000000));
}

Test(money, that_is_not_exact_or_too_much_is_refused)
{
    static const char *const texts[] = {"",
                                        ".",
                                        ".5",
                                        "5.",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1,5",
                                        "1.005",
                                        "1e3",
                                        "0x10",
                                        "1.5.",
                                        "1..5",
                                        "inf",
                                        "1\n",
                                        "10000000000000.01",
                                        "99999999999999999999",
                                        "9223372036854775807"};
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect_refused(texts[i], "EUR");
    }
    expect_refused("1.0", "JPY");
    expect_refused("1000000000000001", "JPY");
    expect_refused("1.0001", "KWD");
}

Test(money, is_written_with_all_its_digits)
{
    char text[MONEY_TEXT_SIZE];
    char amount[MONEY_AMOUNT_SIZE];

    money_write(1205, "EUR", text);
    cr_assert_str_eq(text, "12.05");
    money_write(-5, "EUR", text);
    cr_assert_str_eq(text, "-0.05");
    money_write(7, "JPY", text);
    cr_assert_str_eq(text, "7");
    money_write(INT64_MIN, "KWD", text);
    cr_assert_str_eq(text, "-9223372036854775.808");
    money_amount(100, "EUR", amount);
    cr_assert_str_eq(amount, "1.00 EUR");
}

Test(money, that_is_written_is_read_again)
{
    static const char *const currencies[] = {"EUR", "JPY", "KWD", "CLF"};
    char text[MONEY_TEXT_SIZE];
    int64_t minor = 1;
    size_t i;

    for (i = 0; i < 4; i++) {
        for (minor = 1; minor < INT64_C(1000000000000000);
             minor = minor * 3 + 1) {
            money_write(minor, currencies[i], text);
            expect_minor(text, currencies[i], minor);
        }
    }
}
