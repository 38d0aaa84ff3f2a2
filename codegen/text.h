/*
 * A growing text, and the three ways in which generated code is written into
 * it: as it is, from a template with $names$, and as a list of parameters that
 * is broken at 80 columns.
 */
#ifndef CODEGEN_TEXT_H
#define CODEGEN_TEXT_H

#include "memory.h"

#include <stdbool.h>
#include <stddef.h>

struct text {
    struct pool *pool;
    char *data; /* terminated once something was added */
    size_t size;
    size_t capacity;
};

/* What a $name$ stands for. A list ends with name NULL. */
struct text_var {
    const char *name;
    const char *value;
};

void text_init(struct text *text, struct pool *pool);

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *data, size_t size);
void text_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Add a template; every $name$ in it must be in vars. */
void text_emit(struct text *text, const struct text_var *vars,
               const char *template_text);

/**
 * Add "(", the parameters and end, behind what stands on the last line so far;
 * further lines begin below the first parameter, or with indent + 4 spaces if
 * a parameter is too long for that. The list ends with NULL.
 */
void text_parameters(struct text *text, size_t indent,
                     const char *const *parameters, const char *end);

/**
 * Add a doc comment, indented, and nothing if it is empty. Lines that are too
 * long are broken at spaces, and what would end the comment early or confuse
 * its reader is defused. The note is a paragraph of our own behind it, or NULL.
 */
void text_comment(struct text *text, size_t indent, const char *comment,
                  const char *note);

/** Add a plain comment: a heading of our own, or NULL, and what a .proto says
 * of what follows. Nothing if both are empty. */
void text_section(struct text *text, const char *heading, const char *comment);

#endif
