/*
 * Locations, sorted by path, so that large files stay quick.
 */
#include "source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The field "name" of every kind of descriptor. */
#define NAME_FIELD 1

struct location {
    const Google__Protobuf__SourceCodeInfo__Location *info;
};

static int
compare_paths(const int32_t *a, size_t n_a, const int32_t *b, size_t n_b)
{
    size_t i;

    for (i = 0; i < n_a && i < n_b; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return (n_a > n_b) - (n_a < n_b);
}

static int
compare_locations(const void *a, const void *b)
{
    const struct location *x = a;
    const struct location *y = b;

    return compare_paths(x->info->path, x->info->n_path, y->info->path,
                         y->info->n_path);
}

static int
compare_to_path(const void *key, const void *item)
{
    const struct source_path *path = key;
    const struct location *location = item;

    return compare_paths(path->items, path->n_items, location->info->path,
                         location->info->n_path);
}

void
source_init(struct source *source, struct pool *pool,
            const Google__Protobuf__FileDescriptorProto *file)
{
    const Google__Protobuf__SourceCodeInfo *info = file->source_code_info;
    size_t i;

    memset(source, 0, sizeof *source);
    source->pool = pool;
    source->file = file->name == NULL ? "" : file->name;
    source->n_locations = info == NULL ? 0 : info->n_location;
    source->locations =
        pool_array(pool, source->n_locations, sizeof *source->locations);
    for (i = 0; i < source->n_locations; i++) {
        source->locations[i].info = info->location[i];
    }
    if (source->n_locations > 0) {
        qsort(source->locations, source->n_locations, sizeof *source->locations,
              compare_locations);
    }
}

void
source_enter(struct source_path *path, int32_t field, size_t index)
{
    assert(path->n_items + 2 < SOURCE_PATH_MAX);
    path->items[path->n_items++] = field;
    path->items[path->n_items++] = (int32_t)index;
}

void
source_leave(struct source_path *path)
{
    path->n_items -= 2;
}

static const Google__Protobuf__SourceCodeInfo__Location *
find(const struct source *source, const struct source_path *path)
{
    const struct location *found = NULL;

    if (source->n_locations > 0) {
        found = bsearch(path, source->locations, source->n_locations,
                        sizeof *source->locations, compare_to_path);
    }
    return found == NULL ? NULL : found->info;
}

static struct element
element_at(const struct source *source,
           const Google__Protobuf__SourceCodeInfo__Location *location,
           const char *full_name)
{
    struct element element = {full_name, source->file, 1, 1};

    if (location != NULL && location->n_span >= 2 && location->span[0] >= 0 &&
        location->span[0] < INT32_MAX && location->span[1] >= 0 &&
        location->span[1] < INT32_MAX) {
        element.line = location->span[0] + 1;
        element.column = location->span[1] + 1;
    }
    return element;
}

struct element
source_name(const struct source *source, const struct source_path *path,
            const char *full_name)
{
    const Google__Protobuf__SourceCodeInfo__Location *location;
    struct source_path name = *path;

    assert(name.n_items < SOURCE_PATH_MAX);
    name.items[name.n_items++] = NAME_FIELD;
    location = find(source, &name);
    if (location == NULL) {
        location = find(source, path);
    }
    return element_at(source, location, full_name);
}

const char *
source_comment(const struct source *source, const struct source_path *path)
{
    const Google__Protobuf__SourceCodeInfo__Location *location =
        find(source, path);
    const char *before, *behind, *comment;

    if (location == NULL) {
        return "";
    }
    before = location->leading_comments;
    behind = location->trailing_comments;
    comment = pool_format(source->pool, "%s%s", before == NULL ? "" : before,
                          behind == NULL ? "" : behind);
    return comment[strspn(comment, " \t\r\n")] == '\0' ? "" : comment;
}
