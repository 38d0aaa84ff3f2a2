/*
 * The growing text and its templates; comments are in comment.c.
 */
#include "text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_WIDTH 80

void
text_init(struct text *text, struct pool *pool)
{
    memset(text, 0, sizeof *text);
    text->pool = pool;
    text_add(text, "");
}

void
text_add_bytes(struct text *text, const char *data, size_t size)
{
    if (size >= text->capacity - text->size) {
        size_t capacity = 2 * text->capacity + size + 256;
        char *grown = pool_alloc(text->pool, capacity);

        if (text->size > 0) {
            memcpy(grown, text->data, text->size);
        }
        text->data = grown;
        text->capacity = capacity;
    }
    if (size > 0) {
        memcpy(text->data + text->size, data, size);
    }
    text->size += size;
    text->data[text->size] = '\0';
}

void
text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void
text_format(struct text *text, const char *format, ...)
{
    char buffer[128];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    if (size < (int)sizeof buffer) {
        text_add(text, buffer);
        return;
    }
    char *large = pool_alloc(text->pool, (size_t)size + 1);

    va_start(args, format);
    vsnprintf(large, (size_t)size + 1, format, args);
    va_end(args);
    text_add(text, large);
}

static const char *
var_value(const struct text_var *vars, const char *name, size_t size)
{
    for (; vars->name != NULL; vars++) {
        if (strlen(vars->name) == size && memcmp(vars->name, name, size) == 0) {
            return vars->value;
        }
    }
    assert(false); /* the template uses a name that nobody defined */
    return "";
}

void
text_emit(struct text *text, const struct text_var *vars,
          const char *template_text)
{
    const char *from = template_text;
    const char *begin, *end;

    while ((begin = strchr(from, '$')) != NULL) {
        end = strchr(begin + 1, '$');
        assert(end != NULL);
        text_add_bytes(text, from, (size_t)(begin - from));
        text_add(text, var_value(vars, begin + 1, (size_t)(end - begin - 1)));
        from = end + 1;
    }
    text_add(text, from);
}

/* Columns that stand on the last line of the text. */
static size_t
last_line_width(const struct text *text)
{
    size_t width = 0;

    while (width < text->size && text->data[text->size - 1 - width] != '\n') {
        width++;
    }
    return width;
}

static void
new_line(struct text *text, size_t indent)
{
    text_format(text, "\n%*s", (int)indent, "");
}

void
text_parameters(struct text *text, size_t indent, const char *const *parameters,
                const char *end)
{
    size_t column, used, i;

    text_add(text, "(");
    column = last_line_width(text);
    for (i = 0; parameters[i] != NULL; i++) {
        size_t tail = parameters[i + 1] == NULL ? strlen(end) : 1;

        if (column + strlen(parameters[i]) + tail > LINE_WIDTH) {
            column = indent + 4;
            new_line(text, column);
            break;
        }
    }
    used = column;
    for (i = 0; parameters[i] != NULL; i++) {
        size_t size = strlen(parameters[i]);
        size_t tail = parameters[i + 1] == NULL ? strlen(end) : 1;

        if (i > 0 && used + 1 + size + tail > LINE_WIDTH) {
            new_line(text, column);
            used = column;
        } else if (i > 0) {
            text_add(text, " ");
            used++;
        }
        text_add(text, parameters[i]);
        text_add(text, parameters[i + 1] == NULL ? end : ",");
        used += size + 1;
    }
}
