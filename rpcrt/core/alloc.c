/*
 * The allocator in use, malloc() unless the program chose another. It is read
 * without a lock: rpcrt/alloc.h says when it may be changed.
 */
#include "core/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *
heap_alloc(void *arg, size_t size)
{
    (void)arg;
    return malloc(size);
}

static void
heap_free(void *arg, void *block)
{
    (void)arg;
    free(block);
}

static struct rpcrt_allocator allocator_in_use = {heap_alloc, heap_free, NULL};

void
rpcrt_set_allocator(const struct rpcrt_allocator *allocator)
{
    if (allocator != NULL) {
        allocator_in_use = *allocator;
    } else {
        allocator_in_use.alloc = heap_alloc;
        allocator_in_use.free = heap_free;
        allocator_in_use.arg = NULL;
    }
}

void *
rpcrt__alloc(size_t size)
{
    /* NULL for size 0 would look like a failure. */
    return allocator_in_use.alloc(allocator_in_use.arg, size > 0 ? size : 1);
}

void *
rpcrt__calloc(size_t n, size_t size)
{
    void *block;

    if (size > 0 && n > SIZE_MAX / size) {
        return NULL;
    }
    if (allocator_in_use.alloc == heap_alloc) {
        /* Large tables come zeroed from the system, and are not touched. */
        return calloc(n > 0 ? n : 1, size > 0 ? size : 1);
    }
    block = rpcrt__alloc(n * size);
    if (block != NULL) {
        memset(block, 0, n * size);
    }
    return block;
}

char *
rpcrt__strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = rpcrt__alloc(size);

    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void
rpcrt__free(void *block)
{
    if (block != NULL) {
        allocator_in_use.free(allocator_in_use.arg, block);
    }
}
