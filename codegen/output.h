/*
 * The response to protoc: files, or what is wrong with the user's.
 */
#ifndef CODEGEN_OUTPUT_H
#define CODEGEN_OUTPUT_H

#include "memory.h"
#include "wire.h"

#include <stdbool.h>

struct output_file {
    const char *name;
    const char *content;
};

struct output {
    struct pool *pool;
    const char *error; /* what is wrong with the user's files; NULL: nothing */
    struct output_file *files;
    size_t n_files;
    size_t capacity;
    bool with_comments;            /* in descriptors */
    const char *protoc_gen_c;      /* program to be run, */
    struct bytes messages_request; /* with this on stdin if size > 0 */
};

void output_init(struct output *output, struct pool *pool);

void output_add(struct output *output, const char *name, const char *content);

/** Add the files of protoc-gen-c's response, or its error. False if it can't be
 * decoded. */
bool output_add_messages(struct output *output, struct bytes response);

/** Serialize the response. */
struct bytes output_serialize(const struct output *output);

#endif
