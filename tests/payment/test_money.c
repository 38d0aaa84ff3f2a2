/*
 * Amounts and currencies.
 */
#include "common/currency.h"
#include "payment/money.h"

#include <criterion/criterion.h>

Test(money, is_from_1_to_10_to_the_15)
{
    cr_expect(pay_minor_ok(1));
    cr_expect(pay_minor_ok(INT64_C(1000000000000000)));
    cr_expect_not(pay_minor_ok(0));
    cr_expect_not(pay_minor_ok(-1));
    cr_expect_not(pay_minor_ok(INT64_C(1000000000000001)));
    cr_expect_not(pay_minor_ok(INT64_MAX));
    cr_expect_not(pay_minor_ok(INT64_MIN));
}

Test(money, has_a_currency_of_iso_4217)
{
    static const char *const right[] = {"EUR", "USD", "JPY",
                                        "AED", "ZWG", "KWD"};
    static const char *const wrong[] = {"",     "eur", "EU",  "EURO",
                                        "EUR ", "XXX", "XTS", "AAA",
                                        "ZZZ",  "123", "HRK", "XAU"};
    size_t i;

    for (i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        cr_expect(common_currency_ok(right[i]), "%s", right[i]);
    }
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_not(common_currency_ok(wrong[i]), "%s", wrong[i]);
    }
}

/* Every code of three letters is looked up: a table out of order loses some. */
Test(money, knows_as_many_currencies_as_there_are)
{
    char code[4] = "AAA";
    unsigned n = 0;

    for (code[0] = 'A'; code[0] <= 'Z'; code[0]++) {
        for (code[1] = 'A'; code[1] <= 'Z'; code[1]++) {
            for (code[2] = 'A'; code[2] <= 'Z'; code[2]++) {
                n += common_currency_ok(code) ? 1 : 0;
            }
        }
    }
    cr_expect_eq(n, 155, "%u", n);
}

Test(money, tells_what_is_wrong_with_it)
{
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;

    cr_expect_eq(pay_money_check(NULL), PAYMENT__V1__REASON__AMOUNT_INVALID);
    cr_expect_eq(pay_money_check(&money), PAYMENT__V1__REASON__AMOUNT_INVALID);
    money.minor = 1;
    cr_expect_eq(pay_money_check(&money),
                 PAYMENT__V1__REASON__CURRENCY_INVALID);
    money.currency = "EUR";
    cr_expect_eq(pay_money_check(&money),
                 PAYMENT__V1__REASON__REASON_UNSPECIFIED);
}

Test(money, does_not_overflow)
{
    int64_t sum = 7;

    cr_expect(pay_minor_add(INT64_MAX - 1, 1, &sum));
    cr_expect_eq(sum, INT64_MAX);
    sum = 7;
    cr_expect_not(pay_minor_add(INT64_MAX, 1, &sum));
    cr_expect_not(pay_minor_add(1, INT64_MAX, &sum));
    cr_expect_eq(sum, 7);
}
