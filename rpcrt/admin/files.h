/*
 * A list of .proto files without repetitions, each with all that it imports.
 */
#ifndef RPCRT_ADMIN_FILES_H
#define RPCRT_ADMIN_FILES_H

#include <rpcrt/gen.h>

struct rpcrt__files { /* all zero is an empty one */
    const struct rpcrt_file **items;
    size_t n_items;
    size_t room;
};

/* Add a file, then its imports, and so on. False without memory. */
bool rpcrt__files_add(struct rpcrt__files *files,
                      const struct rpcrt_file *file);

void rpcrt__files_fini(struct rpcrt__files *files);

#endif
