/*
 * Sorting brings equal names together.
 */
#include "scope.h"

#include "names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
    const char *name;
    const struct element *owner;
    size_t order;
};

/* Owners that have been reported together. */
struct pair {
    const struct element *a;
    const struct element *b; /* NULL: a alone */
};

struct pairs {
    struct pair *items;
    size_t n_items;
};

void
scope_init(struct scope *scope, struct pool *pool)
{
    memset(scope, 0, sizeof *scope);
    scope->pool = pool;
}

void
scope_add(struct scope *scope, const struct element *owner, const char *name,
          const char *ending)
{
    struct symbol *symbol;

    if (scope->n_items == scope->capacity) {
        size_t capacity = 2 * scope->capacity + 16;
        struct symbol *grown = pool_array(scope->pool, capacity, sizeof *grown);

        if (scope->n_items > 0) {
            memcpy(grown, scope->items, scope->n_items * sizeof *grown);
        }
        scope->items = grown;
        scope->capacity = capacity;
    }
    symbol = &scope->items[scope->n_items];
    symbol->name = ending[0] == '\0'
                       ? name
                       : pool_format(scope->pool, "%s%s", name, ending);
    symbol->owner = owner;
    symbol->order = scope->n_items++;
}

static int
compare(const void *a, const void *b)
{
    const struct symbol *x = a;
    const struct symbol *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* Whether the pair is new; it is then remembered. */
static bool
pairs_add(struct pairs *pairs, const struct element *a, const struct element *b)
{
    size_t i;

    for (i = 0; i < pairs->n_items; i++) {
        if ((pairs->items[i].a == a && pairs->items[i].b == b) ||
            (pairs->items[i].a == b && pairs->items[i].b == a)) {
            return false;
        }
    }
    pairs->items[pairs->n_items++] = (struct pair){a, b};
    return true;
}

static bool
is_in(const struct symbol *symbol, const char *file)
{
    return strcmp(symbol->owner->file, file) == 0;
}

static bool
stands_before(const struct element *a, const struct element *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Report two owners of a name, of which at least one stands in the file. */
static void
report_pair(const struct symbol *x, const struct symbol *y, const char *file,
            struct problems *problems)
{
    const struct element *at = y->owner;
    const struct element *other = x->owner;

    if (!is_in(y, file) ||
        (is_in(x, file) && stands_before(y->owner, x->owner))) {
        at = x->owner;
        other = y->owner;
    }
    problems_add(problems, at,
                 "its name in C, '%s', is also needed for %s (%s:%d)", x->name,
                 other->name, other->file, other->line);
}

/* Report a name that is none in C. */
static void
report_alone(const struct symbol *symbol, struct problems *problems)
{
    if (!name_is_identifier(symbol->name)) {
        problems_add(problems, symbol->owner, "'%s' can't be a name in C",
                     symbol->name);
    } else {
        problems_add(problems, symbol->owner,
                     "'%s' means something else in C11, C++17 or their "
                     "standard headers",
                     symbol->name);
    }
}

void
scope_check(struct scope *scope, const char *file, struct problems *problems)
{
    struct pairs pairs = {NULL, 0};
    size_t i, first = 0;

    pairs.items =
        pool_array(scope->pool, 2 * scope->n_items, sizeof *pairs.items);
    if (scope->n_items > 0) {
        qsort(scope->items, scope->n_items, sizeof *scope->items, compare);
    }
    for (i = 0; i < scope->n_items; i++) {
        const struct symbol *symbol = &scope->items[i];

        if (is_in(symbol, file) &&
            (!name_is_identifier(symbol->name) ||
             name_is_taken(symbol->name)) &&
            pairs_add(&pairs, symbol->owner, NULL)) {
            report_alone(symbol, problems);
        }
        if (strcmp(symbol->name, scope->items[first].name) != 0) {
            first = i;
        }
        if (first == i || scope->items[first].owner == symbol->owner ||
            (!is_in(symbol, file) && !is_in(&scope->items[first], file))) {
            continue;
        }
        if (pairs_add(&pairs, scope->items[first].owner, symbol->owner)) {
            report_pair(&scope->items[first], symbol, file, problems);
        }
    }
}
