/*
 * Blocks of the arena. The first block of a list is the one being filled; an
 * allocation too large for an ordinary block gets one of its own behind it, so
 * that what is left of the first is not lost. Under AddressSanitizer memory
 * that is not handed out is poisoned, so that use after a reset is found.
 */
#include "core/arena.h"

#include "core/alloc.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(start, size) ASAN_POISON_MEMORY_REGION(start, size)
#define UNPOISON(start, size) ASAN_UNPOISON_MEMORY_REGION(start, size)
#else
#define POISON(start, size) ((void)(start), (void)(size))
#define UNPOISON(start, size) ((void)(start), (void)(size))
#endif

/* The block that stays over a reset, and how far blocks grow. */
#define BLOCK_SIZE_MIN ((size_t)4 << 10)
#define BLOCK_SIZE_MAX ((size_t)256 << 10)
#define ALIGNMENT alignof(max_align_t)

struct rpcrt__arena_block {
    struct rpcrt__arena_block *next;
    size_t room; /* bytes of data */
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

#define HEADER_SIZE sizeof(struct rpcrt__arena_block)

static void *
message_alloc(void *arena, size_t size)
{
    return rpcrt__arena_alloc(arena, size);
}

static void
message_free(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

static void
block_free(struct rpcrt__arena_block *block)
{
    UNPOISON(block->data, block->room);
    rpcrt__free(block);
}

void
rpcrt__arena_init(struct rpcrt__arena *arena, size_t size_max)
{
    arena->blocks = NULL;
    arena->size_max = size_max;
    arena->size = 0;
    arena->exhausted = false;
    arena->allocator.alloc = message_alloc;
    arena->allocator.free = message_free;
    arena->allocator.allocator_data = arena;
}

void
rpcrt__arena_fini(struct rpcrt__arena *arena)
{
    struct rpcrt__arena_block *block = arena->blocks;

    while (block != NULL) {
        struct rpcrt__arena_block *next = block->next;

        block_free(block);
        block = next;
    }
    arena->blocks = NULL;
    arena->size = 0;
}

void
rpcrt__arena_reset(struct rpcrt__arena *arena)
{
    struct rpcrt__arena_block *block = arena->blocks;
    struct rpcrt__arena_block *kept = NULL;

    while (block != NULL) {
        struct rpcrt__arena_block *next = block->next;

        if (kept == NULL && HEADER_SIZE + block->room == BLOCK_SIZE_MIN) {
            kept = block;
        } else {
            block_free(block);
        }
        block = next;
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
        POISON(kept->data, kept->room);
    }
    arena->blocks = kept;
    arena->size = kept != NULL ? BLOCK_SIZE_MIN : 0;
    arena->exhausted = false;
}

/* Bytes that the next block has, header included, to take `need` bytes: what
 * the arena has already, so that it doubles, within bounds; 0 at the limit. */
static size_t
block_size(const struct rpcrt__arena *arena, size_t need)
{
    size_t left = arena->size_max - arena->size;
    size_t size = arena->size;

    if (left < HEADER_SIZE || need > left - HEADER_SIZE) {
        return 0;
    }
    size = size > BLOCK_SIZE_MIN ? size : BLOCK_SIZE_MIN;
    size = size < BLOCK_SIZE_MAX ? size : BLOCK_SIZE_MAX;
    size = size < left ? size : left;
    return need > size - HEADER_SIZE ? HEADER_SIZE + need : size;
}

/* A block with room for `need` bytes, taken into the list. */
static struct rpcrt__arena_block *
block_new(struct rpcrt__arena *arena, size_t need)
{
    struct rpcrt__arena_block *first = arena->blocks;
    struct rpcrt__arena_block *block;
    size_t size = block_size(arena, need);

    if (size == 0) {
        arena->exhausted = true;
        return NULL;
    }
    block = rpcrt__alloc(size);
    if (block == NULL) {
        return NULL;
    }
    block->room = size - HEADER_SIZE;
    block->used = 0;
    POISON(block->data, block->room);
    arena->size += size;
    if (first != NULL && block->room - need < first->room - first->used) {
        block->next = first->next;
        first->next = block;
    } else {
        block->next = first;
        arena->blocks = block;
    }
    return block;
}

void *
rpcrt__arena_alloc(struct rpcrt__arena *arena, size_t size)
{
    struct rpcrt__arena_block *block = arena->blocks;
    unsigned char *start;
    size_t need;

    if (size > SIZE_MAX - ALIGNMENT) {
        arena->exhausted = true;
        return NULL;
    }
    /* Two empty allocations are two pointers. */
    need = size > 0 ? (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1) : ALIGNMENT;
    if (block == NULL || need > block->room - block->used) {
        block = block_new(arena, need);
        if (block == NULL) {
            return NULL;
        }
    }
    start = block->data + block->used;
    block->used += need;
    UNPOISON(start, size);
    return start;
}

void *
rpcrt__arena_copy(struct rpcrt__arena *arena, const void *data, size_t size)
{
    char *copy;

    if (size == SIZE_MAX) {
        arena->exhausted = true;
        return NULL;
    }
    copy = rpcrt__arena_alloc(arena, size + 1);
    if (copy != NULL) {
        if (size > 0) {
            memcpy(copy, data, size);
        }
        copy[size] = '\0';
    }
    return copy;
}
