/*
 * The list of core/slots.h.
 */
#include "core/slots.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

struct rpcrt__slot {
    struct rpcrt__slot *next;
    const void *key;
    alignas(max_align_t) char memory[];
};

void *
rpcrt__slots_get(struct rpcrt__slot **slots, struct rpcrt__arena *arena,
                 const void *key, size_t size)
{
    struct rpcrt__slot *slot = *slots;

    while (slot != NULL && slot->key != key) {
        slot = slot->next;
    }
    if (slot != NULL) {
        return slot->memory;
    }
    if (size == 0 || size > SIZE_MAX - sizeof *slot) {
        return NULL;
    }
    slot = rpcrt__arena_alloc(arena, sizeof *slot + size);
    if (slot == NULL) {
        return NULL;
    }
    slot->next = *slots;
    slot->key = key;
    memset(slot->memory, 0, size);
    *slots = slot;
    return slot->memory;
}
