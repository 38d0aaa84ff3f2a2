/*
 * Where the runtime takes its memory. Every allocation may fail: the operation
 * then ends in RESOURCE_EXHAUSTED and nothing is lost. nng's own memory is
 * not taken here.
 */
#ifndef RPCRT_ALLOC_H
#define RPCRT_ALLOC_H

#include <rpcrt/api.h>
#include <stddef.h>

RPCRT_BEGIN_DECLS

struct rpcrt_allocator {
    void *(*alloc)(void *arg, size_t size); /* aligned for anything; or NULL */
    void (*free)(void *arg, void *block);   /* NULL does nothing */
    void *arg;
};

/** Use another allocator than malloc(), copied; NULL: malloc() again. Before
 * anything else of the library is used, or when nothing of it is left. */
RPCRT_API void rpcrt_set_allocator(const struct rpcrt_allocator *allocator);

RPCRT_END_DECLS

#endif
