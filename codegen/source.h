/*
 * Where the declarations of a .proto stand and what comments say of them, by
 * their path in the descriptor: 6, 0, 2, 1 is service 0, method 1.
 */
#ifndef CODEGEN_SOURCE_H
#define CODEGEN_SOURCE_H

#include "problems.h"

#include <google/protobuf/descriptor.pb-c.h>

/* wire_unpack() bounds how deep messages nest, and with it this. */
#define SOURCE_PATH_MAX 256

struct source_path {
    int32_t items[SOURCE_PATH_MAX];
    size_t n_items;
};

struct source {
    struct pool *pool;
    const char *file;
    struct location *locations; /* sorted */
    size_t n_locations;
};

void source_init(struct source *source, struct pool *pool,
                 const Google__Protobuf__FileDescriptorProto *file);

/** Go one declaration deeper: item index of the list that is field. */
void source_enter(struct source_path *path, int32_t field, size_t index);
void source_leave(struct source_path *path);

/** The element of that path: at its name, or where its declaration begins if
 * it has none. */
struct element source_name(const struct source *source,
                           const struct source_path *path,
                           const char *full_name);

/** Comments before and behind a declaration; "" without. */
const char *source_comment(const struct source *source,
                           const struct source_path *path);

#endif
