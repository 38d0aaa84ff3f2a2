/*
 * The memory of one call: grows by blocks up to a limit, is freed as a whole,
 * and keeps its first block between uses so that a call in steady state takes
 * nothing from the heap. One thread at a time.
 */
#ifndef RPCRT_CORE_ARENA_H
#define RPCRT_CORE_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct rpcrt__arena_block;

struct rpcrt__arena {
    struct rpcrt__arena_block *blocks; /* the one being filled first */
    size_t size_max;                   /* of all blocks together */
    size_t size;                       /* of all blocks now */
    bool exhausted;                    /* an allocation met size_max */
    ProtobufCAllocator allocator;      /* hands out of this arena */
};

/* Start empty; the arena must not move afterwards. */
void rpcrt__arena_init(struct rpcrt__arena *arena, size_t size_max);

/* Free everything. */
void rpcrt__arena_fini(struct rpcrt__arena *arena);

/* Forget what was handed out; one block of ordinary size stays. */
void rpcrt__arena_reset(struct rpcrt__arena *arena);

/* Memory aligned for anything, not zeroed; NULL at the limit or without
 * memory (`exhausted` tells which). Size 0 gives a pointer too. */
void *rpcrt__arena_alloc(struct rpcrt__arena *arena, size_t size);

/* A copy with a zero byte behind it. */
void *rpcrt__arena_copy(struct rpcrt__arena *arena, const void *data,
                        size_t size);

#endif
