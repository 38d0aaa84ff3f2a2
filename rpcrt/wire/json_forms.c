/*
 * Integers, base64 and paths: from text and back, nothing about messages.
 */
#include "wire/json_forms.h"

#include <string.h>

/* -- integers -------------------------------------------------------------- */

/* Digits of a 64-bit number. */
#define DIGITS_MAX 20

/* An exponent that no text is long enough to make up for. */
#define EXPONENT_MAX 1000000000

/* The decimal exponent at the end of a number: the part behind the e. */
static long
exponent_of(const char *at, const char *end)
{
    bool negative = at < end && *at == '-';
    long exponent = 0;

    at += at < end && (*at == '-' || *at == '+');
    for (; at < end && exponent < EXPONENT_MAX; at++) {
        exponent = 10 * exponent + (*at - '0');
    }
    return negative ? -exponent : exponent;
}

/* value * 10 + digit; false if there is no room for it. */
static bool
add_digit(uint64_t *value, unsigned digit)
{
    if (*value > (UINT64_MAX - digit) / 10) {
        return false;
    }
    *value = 10 * *value + digit;
    return true;
}

bool
rpcrt__json_integer_parse(struct rpcrt__json_slice text, bool *ret_negative,
                          uint64_t *ret_magnitude)
{
    const char *at = text.data;
    const char *end = text.data + text.size;
    const char *mark; /* the e, or the end */
    const char *last; /* behind the last digit that is not 0 */
    const char *dot;  /* the point, or the mark */
    uint64_t value = 0;
    int64_t exponent = 0; /* of that digit */

    if (text.size == 0 ||
        rpcrt__json_number_size(text.data, text.size) != text.size) {
        return false;
    }
    *ret_negative = *at == '-';
    *ret_magnitude = 0;
    at += *at == '-';
    for (mark = at; mark < end && *mark != 'e' && *mark != 'E'; mark++) {
    }
    dot = memchr(at, '.', (size_t)(mark - at));
    dot = dot != NULL ? dot : mark;
    for (last = mark; last > at && (last[-1] == '0' || last[-1] == '.');) {
        last--;
    }
    if (last == at) {
        return true;
    }
    exponent = mark < end ? exponent_of(mark + 1, end) : 0;
    exponent += last <= dot ? dot - last : dot - last + 1;
    if (exponent < 0 || exponent > DIGITS_MAX) {
        return false;
    }
    for (; at < last; at++) {
        if (*at != '.' && !add_digit(&value, (unsigned)(*at - '0'))) {
            return false;
        }
    }
    for (; exponent > 0; exponent--) {
        if (!add_digit(&value, 0)) {
            return false;
        }
    }
    *ret_magnitude = value;
    return true;
}

/* -- base64 ---------------------------------------------------------------- */

static const char base64_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
rpcrt__json_base64_print(const uint8_t *data, size_t size,
                         struct rpcrt__json_buffer *out)
{
    size_t at;

    for (at = 0; at < size; at += 3) {
        size_t n = size - at < 3 ? size - at : 3;
        uint32_t bits = (uint32_t)data[at] << 16 |
                        (n > 1 ? (uint32_t)data[at + 1] << 8 : 0) |
                        (n > 2 ? data[at + 2] : 0);
        uint8_t *text = rpcrt__json_buffer_extend(out, 4);
        size_t i;

        for (i = 0; text != NULL && i < 4; i++) {
            text[i] = (uint8_t)(i <= n ? base64_letters[bits >> 18 & 63] : '=');
            bits <<= 6;
        }
    }
}

/* The six bits of a letter, of either alphabet; 64 if it is none. */
static uint32_t
base64_bits(char c)
{
    const char *at;

    c = c == '-' ? '+' : c == '_' ? '/' : c;
    at = c != '\0' ? strchr(base64_letters, c) : NULL;
    return at != NULL ? (uint32_t)(at - base64_letters) : 64;
}

bool
rpcrt__json_base64_parse(struct rpcrt__json_slice text,
                         struct rpcrt__json_buffer *out)
{
    size_t size = text.size;
    uint32_t bits = 0;
    size_t i;

    if (size > 0 && size % 4 == 0) {
        size -= text.data[size - 1] == '=';
        size -= size % 4 == 3 && text.data[size - 1] == '=';
    }
    if (size % 4 == 1) {
        return false;
    }
    for (i = 0; i < size; i++) {
        uint32_t six = base64_bits(text.data[i]);
        uint8_t byte;

        if (six == 64) {
            return false;
        }
        bits = bits << 6 | six;
        if (i % 4 != 0) {
            byte = (uint8_t)(bits >> (6 - 2 * (i % 4)));
            rpcrt__json_buffer_add(out, &byte, 1);
        }
    }
    return true;
}

/* -- paths ----------------------------------------------------------------- */

bool
rpcrt__json_path_print(const char *path, struct rpcrt__json_buffer *out)
{
    if (*path == '\0') {
        return false;
    }
    for (; *path != '\0'; path++) {
        char c = *path;

        if (c >= 'A' && c <= 'Z') {
            return false;
        }
        if (c == '_') {
            c = *++path;
            if (c < 'a' || c > 'z') {
                return false;
            }
            c = (char)(c - 'a' + 'A');
        }
        rpcrt__json_buffer_add(out, &c, 1);
    }
    return true;
}

bool
rpcrt__json_path_parse(struct rpcrt__json_slice text,
                       struct rpcrt__json_buffer *out)
{
    size_t i;

    for (i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (c == '_') {
            return false;
        }
        if (c >= 'A' && c <= 'Z') {
            rpcrt__json_buffer_add(out, "_", 1);
            c = (char)(c - 'A' + 'a');
        }
        rpcrt__json_buffer_add(out, &c, 1);
    }
    return text.size > 0;
}
