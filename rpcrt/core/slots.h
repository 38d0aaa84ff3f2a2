/*
 * Memory that others keep with a call, by a key of theirs: a list in the call's
 * arena, gone with it. Few slots, so they are found by walking.
 */
#ifndef RPCRT_CORE_SLOTS_H
#define RPCRT_CORE_SLOTS_H

#include "core/arena.h"

struct rpcrt__slot;

/* Find the memory of a key; with a size, make it, zeroed, if there is none.
 * NULL if there is none or no memory. */
void *rpcrt__slots_get(struct rpcrt__slot **slots, struct rpcrt__arena *arena,
                       const void *key, size_t size);

#endif
