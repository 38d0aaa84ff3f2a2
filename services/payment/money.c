/*
 * Amounts: see money.h.
 */
#include "payment/money.h"
#include "common/currency.h"

bool
pay_minor_ok(int64_t minor)
{
    return minor > 0 && minor <= PAY_MINOR_MAX;
}

Payment__V1__Reason
pay_money_check(const Payment__V1__Money *money)
{
    if (money == NULL || !pay_minor_ok(money->minor)) {
        return PAYMENT__V1__REASON__AMOUNT_INVALID;
    }
    return common_currency_ok(money->currency)
               ? PAYMENT__V1__REASON__REASON_UNSPECIFIED
               : PAYMENT__V1__REASON__CURRENCY_INVALID;
}

bool
pay_minor_add(int64_t a, int64_t b, int64_t *ret_sum)
{
    if (a > INT64_MAX - b) {
        return false;
    }
    *ret_sum = a + b;
    return true;
}
