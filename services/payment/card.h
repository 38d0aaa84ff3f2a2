/*
 * What can be told from a card number and an expiry alone: whether they are
 * well-formed, and the scheme. Nothing here knows whether a card exists.
 */
#ifndef PAYMENT_CARD_H
#define PAYMENT_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAY_DIGITS_MIN 12u
#define PAY_DIGITS_MAX 19u
#define PAY_LAST4_SIZE 5u

struct pay_number {
    char digits[PAY_DIGITS_MAX + 1]; /* wipe it: pay_number_wipe() */
    size_t n_digits;
    const char *scheme; /* "visa"; static */
    char last4[PAY_LAST4_SIZE];
};

/* Read a number; blanks and hyphens between the digits are passed over. False:
 * it is none, and nothing is left in *ret_number. */
bool pay_number_read(const char *text, struct pay_number *ret_number);

/* Overwrite what must not stay in memory. */
void pay_number_wipe(struct pay_number *number);

/* Whether the last digit is the check digit of those before (ISO/IEC 7812-1,
 * Luhn). It finds every wrong digit, and all neighbours in the wrong order but
 * 0 and 9. */
bool pay_luhn_ok(const char *digits, size_t n_digits);

/* The scheme of a number that begins like this and is so long; NULL: none that
 * is taken. */
const char *pay_scheme_find(const char *digits, size_t n_digits);

/* Months 1 to 12 of the years 2000 to 2099. */
bool pay_expiry_ok(uint32_t month, uint32_t year);

/* Whether the month, that is well-formed, is over: in UTC, at now_ms since
 * 1970. */
bool pay_expiry_over(uint32_t month, uint32_t year, int64_t now_ms);

#endif
