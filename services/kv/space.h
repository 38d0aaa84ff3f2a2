/*
 * How many namespaces share one ordered set of keys: a full key is the name of
 * the space, a zero byte, and the key. Names have no zero byte, so the keys of
 * a space stand together. The space with the empty name holds what Store
 * keeps.
 */
#ifndef KV_SPACE_H
#define KV_SPACE_H

#include "kv/model.h"

/* True for 1 to KVS_SPACE_SIZE_MAX letters, digits, "-", "_" and ".". */
bool kvs_space_name_ok(struct kvs_slice name);

/* Make the full key; false without memory. */
bool kvs_space_key(struct kvs_slice space, const struct kvs_memory *memory,
                   struct kvs_slice *key);

/* Make the span of full keys that stands for one as asked; false without
 * memory. */
bool kvs_space_span(struct kvs_slice space, const struct kvs_memory *memory,
                    struct kvs_span *span);

/* The key without its space, the name of which has space_size bytes. */
static inline struct kvs_slice
kvs_space_strip(struct kvs_slice full, size_t space_size)
{
    return (struct kvs_slice){full.data + space_size + 1,
                              full.size - space_size - 1};
}

#endif
