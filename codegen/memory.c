/*
 * The pool: a list of blocks, large ones of their own, small ones cut from
 * chunks.
 */
#include "memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)32 << 10)

struct block {
    struct block *next;
    max_align_t data[];
};

struct pool {
    struct block *blocks;
    char *free;
    size_t free_size;
};

static void
out_of_memory(void)
{
    fputs("protoc-gen-rpcrt: out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

struct pool *
pool_new(void)
{
    struct pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL) {
        out_of_memory();
    }
    return pool;
}

void
pool_free(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    while (pool->blocks != NULL) {
        struct block *block = pool->blocks;

        pool->blocks = block->next;
        free(block);
    }
    free(pool);
}

static void *
block_new(struct pool *pool, size_t size)
{
    struct block *block = NULL;

    if (size <= SIZE_MAX - sizeof *block) {
        block = calloc(1, sizeof *block + size);
    }
    if (block == NULL) {
        out_of_memory();
    } else {
        block->next = pool->blocks;
        pool->blocks = block;
    }
    return block == NULL ? NULL : block->data;
}

void *
pool_alloc(struct pool *pool, size_t size)
{
    const size_t align = sizeof(max_align_t);
    void *result;

    if (size > CHUNK_SIZE / 4) {
        return block_new(pool, size);
    }
    size = (size + align - 1) / align * align;
    if (size == 0) {
        size = align;
    }
    if (size > pool->free_size) {
        pool->free = block_new(pool, CHUNK_SIZE);
        pool->free_size = CHUNK_SIZE;
    }
    result = pool->free;
    pool->free += size;
    pool->free_size -= size;
    return result;
}

void *
pool_array(struct pool *pool, size_t count, size_t item_size)
{
    if (item_size != 0 && count > SIZE_MAX / item_size) {
        out_of_memory();
    }
    return pool_alloc(pool, count * item_size);
}

char *
pool_copy(struct pool *pool, const char *string, size_t size)
{
    char *copy = pool_alloc(pool, size + 1);

    memcpy(copy, string, size);
    return copy;
}

char *
pool_format(struct pool *pool, const char *format, ...)
{
    va_list args;
    char *result;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0) {
        out_of_memory();
        return NULL;
    }
    result = pool_alloc(pool, (size_t)size + 1);
    va_start(args, format);
    vsnprintf(result, (size_t)size + 1, format, args);
    va_end(args);
    return result;
}

static void *
allocator_alloc(void *arg, size_t size)
{
    return pool_alloc(arg, size);
}

static void
allocator_free(void *arg, void *block)
{
    (void)arg;
    (void)block;
}

ProtobufCAllocator
pool_allocator(struct pool *pool)
{
    ProtobufCAllocator allocator = {allocator_alloc, allocator_free, pool};

    return allocator;
}
