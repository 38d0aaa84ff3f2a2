/*
 * UTF-8 as RFC 3629 has it: no surrogates, nothing above U+10FFFF, no longer
 * form than needed. Plain ASCII, the ordinary case, is passed a word at a time.
 */
#include "core/utf8.h"

#include <stdbool.h>
#include <string.h>

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

static bool
is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t
rpcrt__utf8_character_size(const uint8_t *data, size_t size)
{
    uint8_t first;
    size_t n;

    if (size == 0) {
        return 0;
    }
    first = data[0];
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    n = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (n > size || !is_continuation(data[1]) ||
        (n > 2 && !is_continuation(data[2])) ||
        (n > 3 && !is_continuation(data[3]))) {
        return 0;
    }
    /* A form too long, a surrogate, above U+10FFFF. */
    if ((first == 0xe0 && data[1] < 0xa0) ||
        (first == 0xed && data[1] > 0x9f) ||
        (first == 0xf0 && data[1] < 0x90) ||
        (first == 0xf4 && data[1] > 0x8f)) {
        return 0;
    }
    return n;
}

/* Whether all eight bytes are from 0x01 to 0x7f. */
static bool
is_plain(const uint8_t *data)
{
    uint64_t word;

    /* Adding 0x7f sets the top bit of every byte from 1 to 0x7f. It carries
     * only where a byte has its top bit already, and then ~word tells. */
    memcpy(&word, data, sizeof word);
    return ((word + EACH_BYTE(0x7f)) & ~word & EACH_BYTE(0x80)) ==
           EACH_BYTE(0x80);
}

size_t
rpcrt__utf8_valid_size(const uint8_t *data, size_t size)
{
    size_t at = 0;

    while (at < size) {
        size_t n;

        while (size - at >= 8 && is_plain(data + at)) {
            at += 8;
        }
        /* The last bytes, with some that were seen before. */
        if (size - at < 8 && size >= 8 && is_plain(data + size - 8)) {
            return size;
        }
        while (at < size && data[at] > 0 && data[at] < 0x80) {
            at++;
        }
        if (at == size) {
            break;
        }
        n = rpcrt__utf8_character_size(data + at, size - at);
        if (n == 0 || data[at] == 0) {
            break;
        }
        at += n;
    }
    return at;
}

size_t
rpcrt__utf8_cut(const char *text, size_t length)
{
    size_t i;

    for (i = 1; i <= 3 && i <= length; i++) {
        uint8_t byte = (uint8_t)text[length - i];

        if (byte >= 0xc0) {
            size_t n = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;

            return n > i ? length - i : length;
        }
        if (byte < 0x80) {
            break;
        }
    }
    return length;
}
