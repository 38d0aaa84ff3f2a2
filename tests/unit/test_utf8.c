/*
 * What counts as text.
 */
#include "core/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

static size_t
valid(const char *text, size_t size)
{
    return rpcrt__utf8_valid_size((const uint8_t *)text, size);
}

#define VALID(text) valid(text, sizeof(text) - 1)

Test(utf8, takes_text)
{
    cr_assert_eq(VALID(""), 0);
    cr_assert_eq(VALID("a"), 1);
    cr_assert_eq(VALID("The quick brown fox jumps."), 26);
    cr_assert_eq(VALID("\x7f"), 1);
    cr_assert_eq(VALID("\xc2\x80\xdf\xbf"), 4);
    cr_assert_eq(VALID("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"), 12);
    cr_assert_eq(VALID("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), 8);
}

Test(utf8, stops_at_a_bad_byte_wherever_it_is)
{
    static const char bad[] = {'\0', (char)0x80, (char)0xff};
    char text[40];
    size_t size;
    size_t i;
    size_t j;

    for (size = 1; size <= sizeof text; size++) {
        memset(text, '\x7f', size);
        cr_assert_eq(valid(text, size), size);
        for (i = 0; i < size; i++) {
            for (j = 0; j < sizeof bad; j++) {
                text[i] = bad[j];
                cr_assert_eq(valid(text, size), i, "%zu of %zu", i, size);
            }
            text[i] = '\x7f';
        }
    }
}

Test(utf8, stops_at_what_is_no_character)
{
    cr_assert_eq(VALID("ab\x80"), 2);             /* no first byte */
    cr_assert_eq(VALID("ab\xc0\x80"), 2);         /* longer than needed */
    cr_assert_eq(VALID("ab\xc1\xbf"), 2);         /* longer than needed */
    cr_assert_eq(VALID("ab\xe0\x9f\xbf"), 2);     /* longer than needed */
    cr_assert_eq(VALID("ab\xf0\x8f\xbf\xbf"), 2); /* longer than needed */
    cr_assert_eq(VALID("ab\xed\xa0\x80"), 2);     /* a surrogate */
    cr_assert_eq(VALID("ab\xf4\x90\x80\x80"), 2); /* above U+10FFFF */
    cr_assert_eq(VALID("ab\xf5\x80\x80\x80"), 2); /* above U+10FFFF */
    cr_assert_eq(VALID("ab\xc3"), 2);             /* cut */
    cr_assert_eq(VALID("ab\xe2\x82"), 2);         /* cut */
    cr_assert_eq(VALID("ab\xf0\x9f\x98"), 2);     /* cut */
    cr_assert_eq(VALID("ab\xe2\x28\xa1"), 2);
    cr_assert_eq(VALID("ab\xe2\x82\x28"), 2);
    cr_assert_eq(VALID("ab\xf0\x9f\x98\x28"), 2);
}

/* Every character encoded by hand, and only those, is taken. */
Test(utf8, knows_each_code_point)
{
    uint32_t c;

    for (c = 0; c < 0x110000; c++) {
        uint8_t text[4] = {0};
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const uint8_t firsts[] = {0, 0, 0xc0, 0xe0, 0xf0};
        size_t i;

        for (i = n; i-- > 0;) {
            unsigned bits = n == 1 ? 0x7f : 0x3f;

            text[i] = (uint8_t)((c >> (6 * (n - 1 - i))) & bits);
            text[i] |= (uint8_t)(i > 0 ? 0x80 : firsts[n]);
        }
        cr_assert_eq(rpcrt__utf8_character_size(text, n),
                     c >= 0xd800 && c < 0xe000 ? 0 : n, "U+%04X", c);
        cr_assert_eq(rpcrt__utf8_character_size(text, n - 1), 0);
    }
}
