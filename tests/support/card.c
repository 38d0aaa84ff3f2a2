/*
 * Making up card numbers: see card.h.
 */
#include "tests/support/card.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Sum of the digits in front of the check digit, every second one doubled. */
static unsigned
luhn(const char *digits, size_t n)
{
    unsigned sum = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        unsigned digit = (unsigned)(digits[n - 1 - i] - '0');

        digit *= i % 2 == 0 ? 2 : 1;
        sum += digit > 9 ? digit - 9 : digit;
    }
    return sum;
}

void
card_make(const char *begin, size_t length, struct card *ret_card)
{
    size_t i;

    cr_assert_lt(length, sizeof(ret_card->number));
    *ret_card = (struct card){.month = 12, .year = 2098};
    (void)snprintf(ret_card->number, sizeof(ret_card->number), "%s", begin);
    for (i = strlen(begin); i < length - 1; i++) {
        ret_card->number[i] = (char)('0' + randombytes_uniform(10));
    }
    ret_card->number[i] =
        (char)('0' + (10 - luhn(ret_card->number, i) % 10) % 10);
}
