/*
 * Decimal amounts: see money.h.
 */
#include "money.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MINOR_MAX INT64_C(1000000000000000)

unsigned
money_exponent(const char *currency)
{
    /* Those of ISO 4217 that do not have two digits. */
    static const struct {
        char code[4];
        unsigned exponent;
    } others[] = {{"BIF", 0}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"ISK", 0},
                  {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"PYG", 0}, {"RWF", 0},
                  {"UGX", 0}, {"UYI", 0}, {"VND", 0}, {"VUV", 0}, {"XAF", 0},
                  {"XOF", 0}, {"XPF", 0}, {"BHD", 3}, {"IQD", 3}, {"JOD", 3},
                  {"KWD", 3}, {"LYD", 3}, {"OMR", 3}, {"TND", 3}, {"CLF", 4},
                  {"UYW", 4}};
    size_t i;

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(others[i].code, currency) == 0) {
            return others[i].exponent;
        }
    }
    return 2;
}

/* Append digits to a number, as long as there are and at most so many; returns
 * how many, or -1 when the number gets too large. */
static int
digits_read(const char **text, unsigned n_max, int64_t *number)
{
    int n = 0;

    while (**text >= '0' && **text <= '9' && (unsigned)n < n_max) {
        *number = *number * 10 + (**text - '0');
        if (*number > MINOR_MAX) {
            return -1;
        }
        (*text)++;
        n++;
    }
    return n;
}

bool
money_read(const char *text, const char *currency, int64_t *ret_minor)
{
    unsigned exponent = money_exponent(currency);
    int64_t minor = 0;
    int n = digits_read(&text, 40, &minor);
    unsigned i;

    if (n <= 0) {
        return false;
    }
    n = 0;
    if (*text == '.') {
        text++;
        n = digits_read(&text, exponent, &minor);
        if (n <= 0) {
            return false;
        }
    }
    for (i = (unsigned)n; i < exponent; i++) {
        minor *= 10;
        if (minor > MINOR_MAX) {
            return false;
        }
    }
    if (*text != '\0') {
        return false;
    }
    *ret_minor = minor;
    return true;
}

void
money_write(int64_t minor, const char *currency, char ret_text[MONEY_TEXT_SIZE])
{
    unsigned exponent = money_exponent(currency);
    uint64_t amount = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    uint64_t unit = 1;
    unsigned i;

    for (i = 0; i < exponent; i++) {
        unit *= 10;
    }
    if (exponent == 0) {
        (void)snprintf(ret_text, MONEY_TEXT_SIZE, "%s%llu",
                       minor < 0 ? "-" : "", (unsigned long long)amount);
    } else {
        (void)snprintf(ret_text, MONEY_TEXT_SIZE, "%s%llu.%0*llu",
                       minor < 0 ? "-" : "",
                       (unsigned long long)(amount / unit), (int)exponent,
                       (unsigned long long)(amount % unit));
    }
}

void
money_amount(int64_t minor, const char *currency,
             char ret_text[MONEY_AMOUNT_SIZE])
{
    char decimal[MONEY_TEXT_SIZE];

    money_write(minor, currency, decimal);
    (void)snprintf(ret_text, MONEY_AMOUNT_SIZE, "%s %.8s", decimal, currency);
}
