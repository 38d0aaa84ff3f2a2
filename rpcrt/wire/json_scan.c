/*
 * A scanner without tokens: whoever calls knows what may come, and asks for it.
 */
#include "wire/json_scan.h"

#include "core/utf8.h"

#include <string.h>

bool
rpcrt__json_refuse(struct rpcrt__json_scan *scan, const uint8_t *at,
                   const char *problem)
{
    if (scan->problem == NULL) {
        scan->problem = problem;
        scan->problem_at = at;
    }
    return false;
}

static void
skip_space(struct rpcrt__json_scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' ||
                                    *scan->at == '\r' || *scan->at == '\t')) {
        scan->at++;
    }
}

static bool
is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

char
rpcrt__json_peek(struct rpcrt__json_scan *scan)
{
    skip_space(scan);
    if (scan->problem == NULL && scan->at < scan->end) {
        char c = (char)*scan->at;

        if (c == '-' || (c >= '0' && c <= '9')) {
            return '0';
        }
        if (c != '\0' && strchr("{[\"tfn", c) != NULL) {
            return c;
        }
    }
    (void)rpcrt__json_refuse(scan, scan->at,
                             scan->at == scan->end ? "the text ends too early"
                                                   : "not JSON");
    return '\0';
}

/* -- objects and arrays ---------------------------------------------------- */

void
rpcrt__json_open(struct rpcrt__json_scan *scan)
{
    scan->at++;
}

bool
rpcrt__json_next(struct rpcrt__json_scan *scan, char bracket, bool *first)
{
    bool was_first = *first;

    skip_space(scan);
    *first = false;
    if (scan->problem != NULL) {
        return false;
    }
    if (scan->at == scan->end) {
        return rpcrt__json_refuse(scan, scan->at, "the text ends too early");
    }
    if (*scan->at == (uint8_t)bracket) {
        scan->at++;
        return false;
    }
    if (was_first) {
        return true;
    }
    if (*scan->at != ',') {
        return rpcrt__json_refuse(scan, scan->at,
                                  bracket == '}' ? "neither , nor } here"
                                                 : "neither , nor ] here");
    }
    scan->at++;
    return true;
}

bool
rpcrt__json_name(struct rpcrt__json_scan *scan,
                 struct rpcrt__json_buffer *decoded,
                 struct rpcrt__json_slice *ret_name,
                 struct rpcrt__json_slice *ret_raw)
{
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != '"') {
        return rpcrt__json_refuse(scan, scan->at, "not a name in quotes");
    }
    ret_raw->data = (const char *)scan->at + 1;
    if (!rpcrt__json_string(scan, decoded, ret_name)) {
        return false;
    }
    ret_raw->size = (size_t)((const char *)scan->at - ret_raw->data) - 1;
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != ':') {
        return rpcrt__json_refuse(scan, scan->at, "no : behind the name");
    }
    scan->at++;
    return true;
}

/* -- strings --------------------------------------------------------------- */

/* Four hex digits behind \u. */
static bool
read_unit(struct rpcrt__json_scan *scan, const uint8_t *at, uint32_t *ret_unit)
{
    uint32_t unit = 0;
    unsigned i;

    if (scan->end - at < 4) {
        return rpcrt__json_refuse(scan, scan->end, "the text ends too early");
    }
    for (i = 0; i < 4; i++) {
        uint8_t c = at[i];
        uint8_t letter = (uint8_t)(c | 0x20);

        if (c >= '0' && c <= '9') {
            unit = unit << 4 | (uint32_t)(c - '0');
        } else if (letter >= 'a' && letter <= 'f') {
            unit = unit << 4 | (uint32_t)(letter - 'a' + 10);
        } else {
            return rpcrt__json_refuse(scan, at + i, "not a hex digit");
        }
    }
    *ret_unit = unit;
    return true;
}

static void
add_character(struct rpcrt__json_buffer *decoded, uint32_t c)
{
    uint8_t bytes[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    size_t i;

    for (i = n - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    bytes[0] = (uint8_t)(n == 1 ? c : c | (0xf00u >> n & 0xf0));
    rpcrt__json_buffer_add(decoded, bytes, n);
}

/* \uXXXX, or two of them that make one character; at the u. */
static bool
unescape_unicode(struct rpcrt__json_scan *scan,
                 struct rpcrt__json_buffer *decoded)
{
    const uint8_t *at = scan->at;
    uint32_t c = 0;
    uint32_t low = 0;

    if (!read_unit(scan, at + 1, &c)) {
        return false;
    }
    scan->at += 5;
    if (c >= 0xd800 && c < 0xdc00) {
        if (scan->end - scan->at < 6 || scan->at[0] != '\\' ||
            scan->at[1] != 'u' || !read_unit(scan, scan->at + 2, &low) ||
            low < 0xdc00 || low > 0xdfff) {
            return rpcrt__json_refuse(scan, at - 1, "half a surrogate pair");
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        scan->at += 6;
    } else if (c >= 0xdc00 && c < 0xe000) {
        return rpcrt__json_refuse(scan, at - 1, "half a surrogate pair");
    }
    add_character(decoded, c);
    return true;
}

/* At the backslash. */
static bool
unescape(struct rpcrt__json_scan *scan, struct rpcrt__json_buffer *decoded)
{
    static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    size_t i;

    scan->at++;
    if (scan->at == scan->end) {
        return rpcrt__json_refuse(scan, scan->at, "the text ends too early");
    }
    if (*scan->at == 'u') {
        return unescape_unicode(scan, decoded);
    }
    for (i = 0; letters[i] != '\0'; i += 2) {
        if (letters[i] == (char)*scan->at) {
            rpcrt__json_buffer_add(decoded, &letters[i + 1], 1);
            scan->at++;
            return true;
        }
    }
    return rpcrt__json_refuse(scan, scan->at - 1, "unknown escape");
}

/* Where the run of plain characters that begins here ends. */
static const uint8_t *
plain_end(struct rpcrt__json_scan *scan)
{
    const uint8_t *at = scan->at;

    while (at < scan->end && *at != '"' && *at != '\\') {
        size_t n = rpcrt__utf8_character_size(at, (size_t)(scan->end - at));

        if (n == 0 || *at < 0x20) {
            (void)rpcrt__json_refuse(scan, at,
                                     n == 0 ? "invalid UTF-8"
                                            : "control character in a string");
            return NULL;
        }
        at += n;
    }
    if (at == scan->end) {
        (void)rpcrt__json_refuse(scan, at, "the text ends too early");
        return NULL;
    }
    return at;
}

bool
rpcrt__json_string(struct rpcrt__json_scan *scan,
                   struct rpcrt__json_buffer *decoded,
                   struct rpcrt__json_slice *ret_string)
{
    struct rpcrt__json_buffer nowhere = {.failed = true};
    struct rpcrt__json_buffer *to = decoded != NULL ? decoded : &nowhere;
    const uint8_t *start = ++scan->at;

    to->size = 0;
    for (;;) {
        const uint8_t *end = plain_end(scan);

        if (end == NULL) {
            return false;
        }
        if (*end == '"' && scan->at == start) {
            ret_string->data = (const char *)start;
            ret_string->size = (size_t)(end - start);
            scan->at = end + 1;
            return true;
        }
        rpcrt__json_buffer_add(to, scan->at, (size_t)(end - scan->at));
        scan->at = end;
        if (*end == '"') {
            break;
        }
        if (!unescape(scan, to)) {
            return false;
        }
    }
    scan->at++;
    if (decoded != NULL && to->failed) {
        return rpcrt__json_refuse(scan, scan->at, "no memory");
    }
    ret_string->data = (const char *)to->data;
    ret_string->size = to->size;
    return true;
}

/* -- the others ------------------------------------------------------------ */

size_t
rpcrt__json_number_size(const char *text, size_t size)
{
    const char *at = text;
    const char *end = text + size;

    at += at < end && *at == '-';
    if (!is_digit(at, end)) {
        return 0;
    }
    if (*at == '0') {
        at++;
    } else {
        while (is_digit(at, end)) {
            at++;
        }
    }
    if (at < end && *at == '.') {
        if (!is_digit(++at, end)) {
            return 0;
        }
        while (is_digit(at, end)) {
            at++;
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        if (!is_digit(at, end)) {
            return 0;
        }
        while (is_digit(at, end)) {
            at++;
        }
    }
    return (size_t)(at - text);
}

bool
rpcrt__json_number(struct rpcrt__json_scan *scan,
                   struct rpcrt__json_slice *ret_number)
{
    const char *text = (const char *)scan->at;
    size_t size = rpcrt__json_number_size(text, (size_t)(scan->end - scan->at));

    if (size == 0) {
        return rpcrt__json_refuse(scan, scan->at, "not a number");
    }
    scan->at += size;
    /* 01, 1x and the like. */
    if (scan->at < scan->end && strchr(",]} \n\r\t", *scan->at) == NULL) {
        return rpcrt__json_refuse(scan, scan->at, "not a number");
    }
    ret_number->data = text;
    ret_number->size = size;
    return true;
}

bool
rpcrt__json_literal(struct rpcrt__json_scan *scan)
{
    const char *word = *scan->at == 't'   ? "true"
                       : *scan->at == 'f' ? "false"
                                          : "null";
    size_t size = strlen(word);

    if ((size_t)(scan->end - scan->at) < size ||
        memcmp(scan->at, word, size) != 0) {
        return rpcrt__json_refuse(scan, scan->at, "not JSON");
    }
    scan->at += size;
    return true;
}

bool
rpcrt__json_skip(struct rpcrt__json_scan *scan, unsigned depth_max)
{
    struct rpcrt__json_slice ignored;
    char opening = rpcrt__json_peek(scan);
    bool first = true;

    switch (opening) {
    case '\0':
        return false;
    case '"':
        return rpcrt__json_string(scan, NULL, &ignored);
    case '0':
        return rpcrt__json_number(scan, &ignored);
    case '{':
    case '[':
        break;
    default:
        return rpcrt__json_literal(scan);
    }
    if (depth_max == 0) {
        return rpcrt__json_refuse(scan, scan->at, "nested too deep");
    }
    rpcrt__json_open(scan);
    while (rpcrt__json_next(scan, opening == '{' ? '}' : ']', &first)) {
        if ((opening == '{' &&
             !rpcrt__json_name(scan, NULL, &ignored, &ignored)) ||
            !rpcrt__json_skip(scan, depth_max - 1)) {
            return false;
        }
    }
    return scan->problem == NULL;
}

bool
rpcrt__json_end(struct rpcrt__json_scan *scan)
{
    skip_space(scan);
    if (scan->problem == NULL && scan->at != scan->end) {
        return rpcrt__json_refuse(scan, scan->at, "something follows the JSON");
    }
    return scan->problem == NULL;
}
