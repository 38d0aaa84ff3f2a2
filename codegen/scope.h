/*
 * Names of C that stand in one scope, and who needs each: finds those that two
 * need, and those that no compiler takes.
 */
#ifndef CODEGEN_SCOPE_H
#define CODEGEN_SCOPE_H

#include "memory.h"
#include "problems.h"

struct scope {
    struct pool *pool;
    struct symbol *items;
    size_t n_items;
    size_t capacity;
};

void scope_init(struct scope *scope, struct pool *pool);

/** Add a name, its two parts put together. The owner is kept. */
void scope_add(struct scope *scope, const struct element *owner,
               const char *name, const char *ending);

/** Report what is wrong with names whose owner stands in the file: one problem
 * for each pair of owners, at the later one. */
void scope_check(struct scope *scope, const char *file,
                 struct problems *problems);

#endif
