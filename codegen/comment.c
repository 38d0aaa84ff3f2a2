/*
 * Comments of a .proto as doc comments of C. Their text may be anything: no
 * input makes a comment that ends early, warns, or shows something else than
 * it says.
 */
#include "text.h"

#include <stdint.h>
#include <string.h>

#define LINE_WIDTH 80

/* The UTF-8 character at s: its bytes, and its number; 0 bytes if invalid. */
static size_t
utf8_decode(const unsigned char *s, uint32_t *ret_number)
{
    static const uint32_t first[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = s[0] < 0x80    ? 1
                  : s[0] < 0xc2  ? 0
                  : s[0] < 0xe0  ? 2
                  : s[0] < 0xf0  ? 3
                  : s[0] <= 0xf4 ? 4
                                 : 0;
    uint32_t number;
    size_t i;

    if (size <= 1) {
        *ret_number = s[0];
        return size;
    }
    number = s[0] & (0xffu >> (size + 1));
    for (i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        number = number << 6 | (s[i] & 0x3fu);
    }
    if (number < first[size] || number > 0x10ffff ||
        (number >= 0xd800 && number <= 0xdfff)) {
        return 0;
    }
    *ret_number = number;
    return size;
}

/* Characters that turn the direction of text: compilers warn of them, since
 * code can be made to look like something else. */
static bool
turns_text(uint32_t number)
{
    return (number >= 0x202a && number <= 0x202e) ||
           (number >= 0x2066 && number <= 0x2069);
}

/* Copy a comment with only what can stand in a C comment. */
static char *
comment_clean(struct pool *pool, const char *comment)
{
    const unsigned char *s = (const unsigned char *)comment;
    char *clean = pool_alloc(pool, 2 * strlen(comment) + 1);
    size_t n = 0;

    while (*s != '\0') {
        uint32_t number = 0;
        size_t size = utf8_decode(s, &number);
        char last = '\0';

        if (n > 0) {
            last = clean[n - 1];
        }
        if (size == 0) {
            clean[n++] = '?';
            size = 1;
        } else if (number == '\n') {
            clean[n++] = '\n';
        } else if (number < 0x20 || number == 0x7f) {
            if (number != '\r') {
                clean[n++] = ' ';
            }
        } else if (!turns_text(number)) {
            if ((last == '*' && *s == '/') || (last == '/' && *s == '*') ||
                (last == '?' && *s == '?')) {
                clean[n++] = ' ';
            }
            memcpy(clean + n, s, size);
            n += size;
        }
        s += size;
    }
    return clean;
}

struct line {
    const char *data;
    size_t size;
};

/* Take the next line off a comment, without spaces at its end. */
static struct line
next_line(const char **comment)
{
    const char *end = strchr(*comment, '\n');
    struct line line = {*comment, strlen(*comment)};

    if (end != NULL) {
        line.size = (size_t)(end - *comment);
        *comment = end + 1;
    } else {
        *comment += line.size;
    }
    while (line.size > 0 && line.data[line.size - 1] == ' ') {
        line.size--;
    }
    return line;
}

/* Spaces that every line begins with. */
static size_t
common_indent(const char *comment)
{
    size_t common = SIZE_MAX;

    while (*comment != '\0') {
        struct line line = next_line(&comment);
        size_t indent = 0;

        while (indent < line.size && line.data[indent] == ' ') {
            indent++;
        }
        if (line.size > 0 && indent < common) {
            common = indent;
        }
    }
    return common;
}

/* Bytes of the line that fit in columns; cut at a space if there is one. */
static size_t
fitting(struct line line, size_t columns)
{
    size_t i, begin = 0, cut = 0, width = 0;

    while (begin < line.size && line.data[begin] == ' ') {
        begin++;
    }
    for (i = 0; i < line.size; i++) {
        if (i > begin && line.data[i] == ' ' &&
            (width <= columns || cut == 0)) {
            cut = i;
        }
        width += ((unsigned char)line.data[i] & 0xc0) != 0x80;
    }
    return width <= columns || cut == 0 ? line.size : cut;
}

/* Add one line of a comment as one or more lines. */
static void
add_line(struct text *text, size_t indent, struct line line)
{
    if (line.size == 0) {
        text_format(text, "%*s *\n", (int)indent, "");
        return;
    }
    while (line.size > 0) {
        size_t size = fitting(line, LINE_WIDTH - 3 - indent);

        text_format(text, "%*s * ", (int)indent, "");
        text_add_bytes(text, line.data, size);
        text_add(text, "\n");
        while (size < line.size && line.data[size] == ' ') {
            size++;
        }
        line.data += size;
        line.size -= size;
    }
}

/* Add every line of a clean comment, but the empty ones at both ends. */
static void
add_body(struct text *text, size_t indent, const char *comment)
{
    const struct line empty = {"", 0};
    size_t common = common_indent(comment);
    bool begun = false;
    size_t n_empty = 0;

    while (*comment != '\0') {
        struct line line = next_line(&comment);

        if (line.size == 0) {
            n_empty++;
            continue;
        }
        for (; begun && n_empty > 0; n_empty--) {
            add_line(text, indent, empty);
        }
        line.data += common;
        line.size -= common;
        add_line(text, indent, line);
        begun = true;
        n_empty = 0;
    }
}

/* Add a comment that begins with opening; in one line if it fits and may. */
static void
add_comment(struct text *text, const char *opening, bool may_be_short,
            size_t indent, const struct text *body)
{
    const char *first = body->data + indent + 3;
    size_t size = body->size == 0 ? 0 : strcspn(first, "\n");

    if (body->size == 0) {
        return;
    }
    if (may_be_short && first[size + 1] == '\0' &&
        indent + 7 + size <= LINE_WIDTH) {
        text_format(text, "%*s%s ", (int)indent, "", opening);
        text_add_bytes(text, first, size);
        text_add(text, " */\n");
        return;
    }
    text_format(text, "%*s%s\n", (int)indent, "", opening);
    text_add_bytes(text, body->data, body->size);
    text_format(text, "%*s */\n", (int)indent, "");
}

void
text_comment(struct text *text, size_t indent, const char *comment,
             const char *note)
{
    struct text body;

    text_init(&body, text->pool);
    add_body(&body, indent, comment_clean(text->pool, comment));
    if (note != NULL && body.size > 0) {
        add_line(&body, indent, (struct line){"", 0});
    }
    if (note != NULL) {
        add_body(&body, indent, note);
    }
    add_comment(text, "/**", true, indent, &body);
}

void
text_section(struct text *text, const char *heading, const char *comment)
{
    struct text body;

    text_init(&body, text->pool);
    add_body(&body, 0, comment_clean(text->pool, comment));
    if (heading != NULL) {
        struct text whole;

        text_init(&whole, text->pool);
        add_body(&whole, 0, heading);
        if (body.size > 0) {
            add_line(&whole, 0, (struct line){"", 0});
        }
        text_add_bytes(&whole, body.data, body.size);
        body = whole;
    }
    add_comment(text, "/*", false, 0, &body);
}
