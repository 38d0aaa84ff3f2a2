/*
 * Card numbers and expiries: see card.h. The schemes are told by the first six
 * digits, in a table of ranges that do not overlap.
 */
#include "payment/card.h"

#include <sodium.h>
#include <string.h>

#define PREFIX_DIGITS 6u
#define MS_PER_DAY INT64_C(86400000)

/* Lengths as bits. */
#define LENGTH(n) (1u << (n))
#define FROM_16 (LENGTH(16) | LENGTH(17) | LENGTH(18) | LENGTH(19))
#define FROM_14 (LENGTH(14) | LENGTH(15) | FROM_16)
#define FROM_12 (LENGTH(12) | LENGTH(13) | FROM_14)
#define VISA (LENGTH(13) | LENGTH(16) | LENGTH(19))

struct scheme_range {
    uint32_t first; /* six digits */
    uint32_t last;
    const char *scheme;
    uint32_t lengths;
};

/* In order. */
static const struct scheme_range ranges[] = {
    {222100, 272099, "mastercard", LENGTH(16)},
    {300000, 305999, "diners", FROM_14},
    {309500, 309599, "diners", FROM_14},
    {340000, 349999, "amex", LENGTH(15)},
    {352800, 358999, "jcb", FROM_16},
    {360000, 369999, "diners", FROM_14},
    {370000, 379999, "amex", LENGTH(15)},
    {380000, 399999, "diners", FROM_14},
    {400000, 499999, "visa", VISA},
    {501800, 501899, "maestro", FROM_12},
    {502000, 502099, "maestro", FROM_12},
    {503800, 503899, "maestro", FROM_12},
    {510000, 559999, "mastercard", LENGTH(16)},
    {589300, 589399, "maestro", FROM_12},
    {601100, 601199, "discover", FROM_16},
    {620000, 629999, "unionpay", FROM_16},
    {630400, 630499, "maestro", FROM_12},
    {644000, 659999, "discover", FROM_16},
    {675900, 675999, "maestro", FROM_12},
    {676100, 676399, "maestro", FROM_12},
};

const char *
pay_scheme_find(const char *digits, size_t n_digits)
{
    uint32_t prefix = 0;
    size_t i;

    if (n_digits < PAY_DIGITS_MIN || n_digits > PAY_DIGITS_MAX) {
        return NULL;
    }
    for (i = 0; i < PREFIX_DIGITS; i++) {
        prefix = prefix * 10 + (uint32_t)(digits[i] - '0');
    }
    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (prefix >= ranges[i].first && prefix <= ranges[i].last) {
            return (ranges[i].lengths & LENGTH(n_digits)) != 0
                       ? ranges[i].scheme
                       : NULL;
        }
    }
    return NULL;
}

bool
pay_luhn_ok(const char *digits, size_t n_digits)
{
    unsigned sum = 0;
    size_t i;

    for (i = 0; i < n_digits; i++) {
        unsigned digit = (unsigned)(digits[n_digits - 1 - i] - '0');

        if (i % 2 == 1) {
            digit *= 2;
            digit -= digit > 9 ? 9 : 0;
        }
        sum += digit;
    }
    return n_digits > 0 && sum % 10 == 0;
}

/* Collect the digits; false if there is anything else but blanks and hyphens
 * between them, or the wrong number of them. */
static bool
digits_collect(const char *text, struct pay_number *number)
{
    size_t n = 0;
    size_t i;

    for (i = 0; text[i] != '\0'; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            if (n == PAY_DIGITS_MAX) {
                return false;
            }
            number->digits[n++] = text[i];
        } else if ((text[i] != ' ' && text[i] != '-') || n == 0) {
            return false;
        }
    }
    number->digits[n] = '\0';
    number->n_digits = n;
    return n >= PAY_DIGITS_MIN && text[i - 1] >= '0' && text[i - 1] <= '9';
}

bool
pay_number_read(const char *text, struct pay_number *ret_number)
{
    struct pay_number number;
    bool ok;

    memset(&number, 0, sizeof(number));
    ok = digits_collect(text, &number) &&
         pay_luhn_ok(number.digits, number.n_digits);
    if (ok) {
        number.scheme = pay_scheme_find(number.digits, number.n_digits);
        ok = number.scheme != NULL;
    }
    if (ok) {
        memcpy(number.last4, number.digits + number.n_digits - 4, 4);
        *ret_number = number;
    }
    pay_number_wipe(&number);
    return ok;
}

void
pay_number_wipe(struct pay_number *number)
{
    sodium_memzero(number, sizeof(*number));
}

/* -- expiry ---------------------------------------------------------------- */

bool
pay_expiry_ok(uint32_t month, uint32_t year)
{
    return month >= 1 && month <= 12 && year >= 2000 && year <= 2099;
}

/* Days from 1970-01-01 to the first of a month, from 1970 to 2100: every
 * fourth year is a leap year there but 2100, whose February never counts. */
static int64_t
days_until(uint32_t month, uint32_t year)
{
    static const uint16_t before[] = {0,   31,  59,  90,  120, 151,
                                      181, 212, 243, 273, 304, 334};
    int64_t days = (int64_t)(year - 1970) * 365 + (year - 1969) / 4;

    return days + before[month - 1] + (year % 4 == 0 && month > 2 ? 1 : 0);
}

bool
pay_expiry_over(uint32_t month, uint32_t year, int64_t now_ms)
{
    int64_t end =
        month == 12 ? days_until(1, year + 1) : days_until(month + 1, year);

    return now_ms >= end * MS_PER_DAY;
}
