/*
 * Amounts as people write them, "12.50", and as programs count them, in minor
 * units. No floating point: what is not exact is refused.
 */
#ifndef CLIENTS_MONEY_H
#define CLIENTS_MONEY_H

#include <stdbool.h>
#include <stdint.h>

/* Digits behind the point in a currency of ISO 4217: EUR 2, JPY 0, KWD 3; 2 for
 * what is unknown. */
unsigned money_exponent(const char *currency);

/* Read a decimal with at most as many digits behind the point as the currency
 * has: "12.5" and "12" are fine, "12.505" and "1e3" are not. Up to 10^15 minor
 * units, not below zero. */
bool money_read(const char *text, const char *currency, int64_t *ret_minor);

/* Write an amount with all its digits: "12.50", "-0.05". */
#define MONEY_TEXT_SIZE 32u
void money_write(int64_t minor, const char *currency,
                 char ret_text[MONEY_TEXT_SIZE]);

/* The same with the currency: "12.50 EUR". */
#define MONEY_AMOUNT_SIZE 48u
void money_amount(int64_t minor, const char *currency,
                  char ret_text[MONEY_AMOUNT_SIZE]);

#endif
