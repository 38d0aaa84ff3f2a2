/*
 * A problem reads "file:line:column: name: message", as compilers write it.
 */
#include "problems.h"

#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct problem {
    const struct element *element; /* NULL for a general one */
    const char *text;
    size_t order;
};

void
problems_init(struct problems *problems, struct pool *pool)
{
    memset(problems, 0, sizeof *problems);
    problems->pool = pool;
}

static void
append(struct problems *problems, const struct element *element,
       const char *text)
{
    if (problems->n_items == problems->capacity) {
        size_t capacity = 2 * problems->capacity + 16;
        struct problem *grown =
            pool_array(problems->pool, capacity, sizeof *grown);

        if (problems->n_items > 0) {
            memcpy(grown, problems->items, problems->n_items * sizeof *grown);
        }
        problems->items = grown;
        problems->capacity = capacity;
    }
    problems->items[problems->n_items] =
        (struct problem){element, text, problems->n_items};
    problems->n_items++;
}

void
problems_add(struct problems *problems, const struct element *element,
             const char *format, ...)
{
    va_list args;
    char *text;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = pool_alloc(problems->pool, (size_t)size + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    append(problems, element, text);
}

void
problems_add_general(struct problems *problems, const char *text)
{
    append(problems, NULL, text);
}

static int
compare(const void *a, const void *b)
{
    const struct problem *x = a;
    const struct problem *y = b;
    int order = 0;

    if (x->element == NULL || y->element == NULL) {
        order = (x->element != NULL) - (y->element != NULL);
    } else if ((order = strcmp(x->element->file, y->element->file)) == 0) {
        order = (x->element->line > y->element->line) -
                (x->element->line < y->element->line);
        if (order == 0) {
            order = (x->element->column > y->element->column) -
                    (x->element->column < y->element->column);
        }
    }
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* Add a text of which a line break or control character remains nothing. */
static void
add_printable(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        unsigned char c = (unsigned char)*string;

        text_add_bytes(text, c < 0x20 || c == 0x7f ? "?" : string, 1);
    }
}

/* Whether the same is said twice of one element, as of a method whose request
 * and reply have the same unusable type. */
static bool
is_repeated(const struct problem *problem, const struct problem *before)
{
    return problem->element == before->element &&
           strcmp(problem->text, before->text) == 0;
}

static void
add_problem(struct text *text, const struct problem *problem)
{
    const struct element *element = problem->element;

    if (text->size > 0) {
        text_add(text, "\n");
    }
    if (element != NULL) {
        add_printable(text, element->file);
        text_format(text, ":%d:%d: ", element->line, element->column);
        add_printable(text, element->name);
        text_add(text, ": ");
    }
    add_printable(text, problem->text);
}

const char *
problems_text(struct problems *problems)
{
    struct text text;
    size_t i;

    if (problems->n_items == 0) {
        return NULL;
    }
    qsort(problems->items, problems->n_items, sizeof problems->items[0],
          compare);
    text_init(&text, problems->pool);
    for (i = 0; i < problems->n_items; i++) {
        if (i == 0 ||
            !is_repeated(&problems->items[i], &problems->items[i - 1])) {
            add_problem(&text, &problems->items[i]);
        }
    }
    return text.data;
}
