/*
 * Amounts: whole minor units of a currency.
 */
#ifndef PAYMENT_MONEY_H
#define PAYMENT_MONEY_H

#include "payment/v1/payment.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/* The most that an amount or an owner's balance can be. */
#define PAY_MINOR_MAX INT64_C(1000000000000000)

/* Above zero, at most PAY_MINOR_MAX. */
bool pay_minor_ok(int64_t minor);

/* REASON_UNSPECIFIED if an amount can be moved, else what is wrong. NULL is no
 * amount. */
Payment__V1__Reason pay_money_check(const Payment__V1__Money *money);

/* a + b; false, and nothing written, if it does not fit. Neither is below
 * zero. */
bool pay_minor_add(int64_t a, int64_t b, int64_t *ret_sum);

#endif
