/*
 * Memory of one run: everything is taken from a pool and given back at once,
 * so nothing else frees. Without memory the program ends with a message.
 */
#ifndef CODEGEN_MEMORY_H
#define CODEGEN_MEMORY_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *pool);

/** Zeroed, aligned for anything; size 0 is fine. */
void *pool_alloc(struct pool *pool, size_t size);

/** Zeroed, for count items. */
void *pool_array(struct pool *pool, size_t count, size_t item_size);

/** The first size bytes of a string, terminated. */
char *pool_copy(struct pool *pool, const char *string, size_t size);

char *pool_format(struct pool *pool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** For protobuf-c; used as long as the pool. */
ProtobufCAllocator pool_allocator(struct pool *pool);

#endif
