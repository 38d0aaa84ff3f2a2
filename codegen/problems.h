/*
 * What is wrong with the user's input: collected, so that one run tells it all,
 * each with the place in the .proto.
 */
#ifndef CODEGEN_PROBLEMS_H
#define CODEGEN_PROBLEMS_H

#include "memory.h"

#include <stddef.h>

/* A declaration of a .proto, and where its name stands. */
struct element {
    const char *name; /* "kv.v1.Kv.Put" */
    const char *file; /* "kv/v1/kv.proto" */
    int line;         /* from 1 */
    int column;       /* from 1 */
};

struct problems {
    struct pool *pool;
    struct problem *items;
    size_t n_items;
    size_t capacity;
};

void problems_init(struct problems *problems, struct pool *pool);

/** Add one; what the text says of the element comes behind its name. */
void problems_add(struct problems *problems, const struct element *element,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Add one that has no place in a file. */
void problems_add_general(struct problems *problems, const char *text);

/** All of them, one a line, sorted by place; NULL if there are none. */
const char *problems_text(struct problems *problems);

#endif
