/*
 * Rules for texts: see text.h.
 */
#include "petstore/text.h"

#include <string.h>

/* C0, DEL and C1, of which UTF-8 writes the last as C2 80 to C2 9F. */
static bool
control_at(const unsigned char *at)
{
    return at[0] < 0x20 || at[0] == 0x7f ||
           (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f);
}

static bool
character_begins(unsigned char byte)
{
    return (byte & 0xc0) != 0x80;
}

bool
shop_text_ok(const char *text, size_t min, size_t max)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t n = 0;

    for (; *at != '\0'; at++) {
        n += character_begins(*at) ? 1 : 0;
        if (n > max || control_at(at)) {
            return false;
        }
    }
    return n >= min;
}

bool
shop_word_ok(const char *text, size_t min, size_t max, const char *allowed)
{
    size_t n = strnlen(text, max + 1);

    return n >= min && n <= max && strspn(text, allowed) == n;
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void
shop_text_lower(char *text)
{
    for (; *text != '\0'; text++) {
        *text = lower(*text);
    }
}

char *
shop_text_lower_copy(struct rpcrt_ctx *ctx, const char *text)
{
    char *copy = rpcrt_ctx_copy(ctx, text, strlen(text));

    if (copy != NULL) {
        shop_text_lower(copy);
    }
    return copy;
}

static bool
begins(const char *text, const char *part)
{
    while (*part != '\0' && lower(*text) == *part) {
        text++;
        part++;
    }
    return *part == '\0';
}

bool
shop_text_has(const char *text, const char *part)
{
    for (; !begins(text, part); text++) {
        if (*text == '\0') {
            return false;
        }
    }
    return true;
}
