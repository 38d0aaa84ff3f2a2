/*
 * Files with their imports: see files.h.
 */
#include "admin/files.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16u

/* Two programs' worth of generated code may both have a file: the name
 * counts. */
static bool
has(const struct rpcrt__files *files, const struct rpcrt_file *file)
{
    size_t i;

    for (i = 0; i < files->n_items; i++) {
        if (strcmp(files->items[i]->name, file->name) == 0) {
            return true;
        }
    }
    return false;
}

static bool
add_one(struct rpcrt__files *files, const struct rpcrt_file *file)
{
    const struct rpcrt_file **items;
    size_t room;

    if (files->n_items == files->room) {
        room = files->room == 0 ? ROOM_MIN : files->room * 2;
        items = realloc(files->items, room * sizeof items[0]);
        if (items == NULL) {
            return false;
        }
        files->items = items;
        files->room = room;
    }
    files->items[files->n_items++] = file;
    return true;
}

bool
rpcrt__files_add(struct rpcrt__files *files, const struct rpcrt_file *file)
{
    size_t next = files->n_items;
    size_t i;

    if (has(files, file)) {
        return true;
    }
    if (!add_one(files, file)) {
        return false;
    }
    for (; next < files->n_items; next++) {
        const struct rpcrt_file *importer = files->items[next];

        for (i = 0; i < importer->n_imports; i++) {
            if (!has(files, importer->imports[i]) &&
                !add_one(files, importer->imports[i])) {
                return false;
            }
        }
    }
    return true;
}

void
rpcrt__files_fini(struct rpcrt__files *files)
{
    free(files->items);
    *files = (struct rpcrt__files){NULL, 0, 0};
}
