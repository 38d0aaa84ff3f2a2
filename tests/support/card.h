/*
 * Cards that nobody has: numbers made up at random that could be real ones.
 */
#ifndef TESTS_SUPPORT_CARD_H
#define TESTS_SUPPORT_CARD_H

#include <stddef.h>
#include <stdint.h>

struct card {
    char number[40]; /* room for blanks */
    uint32_t month;
    uint32_t year;
};

/* A card with a number that begins like this, has so many digits and a right
 * check digit; valid for long. */
void card_make(const char *begin, size_t length, struct card *ret_card);

#endif
