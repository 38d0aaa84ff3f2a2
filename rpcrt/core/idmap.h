/*
 * Find calls by number: a chained hash table through members of its elements.
 * Adding never fails; when there is no memory to grow it only gets slower.
 */
#ifndef RPCRT_CORE_IDMAP_H
#define RPCRT_CORE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#define RPCRT__IDMAP_FIRST 16u

struct rpcrt__idnode {
    uint64_t id;
    struct rpcrt__idnode *next;
};

struct rpcrt__idmap {
    struct rpcrt__idnode **buckets;
    size_t n_buckets; /* a power of two */
    size_t n;
    struct rpcrt__idnode *first[RPCRT__IDMAP_FIRST];
};

/* Start empty; the map must not move afterwards. */
void rpcrt__idmap_init(struct rpcrt__idmap *map);
/* Free the table, not the elements. */
void rpcrt__idmap_fini(struct rpcrt__idmap *map);

/* Add a node under an id that is not there yet. */
void rpcrt__idmap_add(struct rpcrt__idmap *map, struct rpcrt__idnode *node,
                      uint64_t id);
/* NULL if the id is absent. */
struct rpcrt__idnode *rpcrt__idmap_find(const struct rpcrt__idmap *map,
                                        uint64_t id);
/* Remove by id; returns the node, or NULL if it was absent. */
struct rpcrt__idnode *rpcrt__idmap_remove(struct rpcrt__idmap *map,
                                          uint64_t id);

#endif
