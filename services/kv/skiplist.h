/*
 * An ordered map from bytes to pointers: a skip list that can be walked both
 * ways, with a hash table beside it for keys that are known exactly. It frees
 * no values, and one thread may use it at a time.
 */
#ifndef KV_SKIPLIST_H
#define KV_SKIPLIST_H

#include "kv/model.h"

#define KVS_SKIPLIST_LEVELS_MAX 20u

struct kvs_node {
    struct kvs_slice key; /* in the node itself */
    void *value;          /* the user's */
    struct kvs_node *prev;
    struct kvs_node *next_hashed; /* in the same bucket */
    uint64_t hash;
    unsigned n_levels;
    struct kvs_node *next[]; /* one a level, the key behind them */
};

struct kvs_skiplist {
    struct kvs_node *first[KVS_SKIPLIST_LEVELS_MAX];
    struct kvs_node *last;
    uint64_t random; /* decides the height of the next node */
    struct kvs_node **buckets;
    size_t n_buckets; /* a power of two */
    size_t n_nodes;
    uint8_t secret[16]; /* of the hash: nobody can aim at one bucket */
};

/* Make empty; false without memory. */
RPCRT_MUST_CHECK bool kvs_skiplist_init(struct kvs_skiplist *list);

/* Free all nodes, not their values. */
void kvs_skiplist_fini(struct kvs_skiplist *list);

/* A node for a key, which is copied; NULL without memory. It is freed by
 * free() while it is not in a list. */
struct kvs_node *kvs_skiplist_node_new(struct kvs_skiplist *list,
                                       struct kvs_slice key);

/* Bytes that a node takes. */
size_t kvs_skiplist_node_size(const struct kvs_node *node);

/* Put a node in, whose key the list does not have. */
void kvs_skiplist_insert(struct kvs_skiplist *list, struct kvs_node *node);

/* Take a node out; it is the caller's then. */
void kvs_skiplist_remove(struct kvs_skiplist *list, struct kvs_node *node);

/* The node of a key, or NULL. */
struct kvs_node *kvs_skiplist_find(const struct kvs_skiplist *list,
                                   struct kvs_slice key);

/* The first node whose key is not less, or NULL. */
struct kvs_node *kvs_skiplist_find_from(const struct kvs_skiplist *list,
                                        struct kvs_slice key);

/* The last node whose key is less, or NULL. */
struct kvs_node *kvs_skiplist_find_before(const struct kvs_skiplist *list,
                                          struct kvs_slice key);

#endif
