/*
 * The skip list: see skiplist.h. A node stands in level i with probability
 * 4^-i, so a search costs about 2 log2(n) comparisons.
 */
#include "kv/skiplist.h"

#include <sodium.h>
#include <stdlib.h>

#define BUCKETS_MIN 1024u

_Static_assert(crypto_shorthash_KEYBYTES == 16, "size of the hash's secret");

bool
kvs_skiplist_init(struct kvs_skiplist *list)
{
    memset(list, 0, sizeof(*list));
    list->random = 0x9e3779b97f4a7c15u;
    randombytes_buf(list->secret, sizeof(list->secret));
    list->n_buckets = BUCKETS_MIN;
    list->buckets = calloc(list->n_buckets, sizeof(struct kvs_node *));
    return list->buckets != NULL;
}

void
kvs_skiplist_fini(struct kvs_skiplist *list)
{
    struct kvs_node *node = list->first[0];

    while (node != NULL) {
        struct kvs_node *next = node->next[0];

        free(node);
        node = next;
    }
    free(list->buckets);
    memset(list, 0, sizeof(*list));
}

/* -- the hash table -------------------------------------------------------- */

static uint64_t
hash_of(const struct kvs_skiplist *list, struct kvs_slice key)
{
    static const uint8_t nothing[1];
    uint8_t bytes[crypto_shorthash_BYTES];
    uint64_t hash;

    (void)crypto_shorthash(bytes, key.size == 0 ? nothing : key.data, key.size,
                           list->secret);
    memcpy(&hash, bytes, sizeof(hash));
    return hash;
}

static struct kvs_node **
bucket_of(const struct kvs_skiplist *list, uint64_t hash)
{
    return &list->buckets[hash & (list->n_buckets - 1)];
}

/* Twice as many buckets; without memory the chains just get longer. */
static void
hash_grow(struct kvs_skiplist *list)
{
    struct kvs_node **buckets =
        calloc(list->n_buckets * 2, sizeof(struct kvs_node *));
    struct kvs_node *node;

    if (buckets == NULL) {
        return;
    }
    free(list->buckets);
    list->buckets = buckets;
    list->n_buckets *= 2;
    for (node = list->first[0]; node != NULL; node = node->next[0]) {
        struct kvs_node **bucket = bucket_of(list, node->hash);

        node->next_hashed = *bucket;
        *bucket = node;
    }
}

static void
hash_insert(struct kvs_skiplist *list, struct kvs_node *node)
{
    struct kvs_node **bucket = bucket_of(list, node->hash);

    node->next_hashed = *bucket;
    *bucket = node;
    list->n_nodes++;
    if (list->n_nodes > list->n_buckets) {
        hash_grow(list);
    }
}

static void
hash_remove(struct kvs_skiplist *list, struct kvs_node *node)
{
    struct kvs_node **link = bucket_of(list, node->hash);

    while (*link != node) {
        link = &(*link)->next_hashed;
    }
    *link = node->next_hashed;
    list->n_nodes--;
}

struct kvs_node *
kvs_skiplist_find(const struct kvs_skiplist *list, struct kvs_slice key)
{
    uint64_t hash = hash_of(list, key);
    struct kvs_node *node = *bucket_of(list, hash);

    while (node != NULL &&
           (node->hash != hash || kvs_slice_compare(node->key, key) != 0)) {
        node = node->next_hashed;
    }
    return node;
}

/* -- the list -------------------------------------------------------------- */

/* xorshift64: the heights need no better randomness. */
static unsigned
random_height(struct kvs_skiplist *list)
{
    uint64_t bits = list->random;
    unsigned height = 1;

    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    list->random = bits;
    while (height < KVS_SKIPLIST_LEVELS_MAX && (bits & 3u) == 0) {
        height++;
        bits >>= 2;
    }
    return height;
}

struct kvs_node *
kvs_skiplist_node_new(struct kvs_skiplist *list, struct kvs_slice key)
{
    unsigned height = random_height(list);
    size_t links = height * sizeof(struct kvs_node *);
    struct kvs_node *node = calloc(1, sizeof(*node) + links + key.size);
    uint8_t *bytes;

    if (node == NULL) {
        return NULL;
    }
    bytes = (uint8_t *)node + sizeof(*node) + links;
    if (key.size > 0) {
        memcpy(bytes, key.data, key.size);
    }
    node->key = (struct kvs_slice){bytes, key.size};
    node->hash = hash_of(list, key);
    node->n_levels = height;
    return node;
}

size_t
kvs_skiplist_node_size(const struct kvs_node *node)
{
    return sizeof(*node) + node->n_levels * sizeof(struct kvs_node *) +
           node->key.size;
}

/* Find, on each level, the link that leads to the first node whose key is not
 * less; returns the node before it, or NULL. */
static struct kvs_node *
search(struct kvs_skiplist *list, struct kvs_slice key,
       struct kvs_node **ret_links[KVS_SKIPLIST_LEVELS_MAX])
{
    struct kvs_node *before = NULL;
    unsigned level = KVS_SKIPLIST_LEVELS_MAX;

    while (level-- > 0) {
        struct kvs_node **link =
            before == NULL ? &list->first[level] : &before->next[level];

        while (*link != NULL && kvs_slice_compare((*link)->key, key) < 0) {
            before = *link;
            link = &before->next[level];
        }
        ret_links[level] = link;
    }
    return before;
}

void
kvs_skiplist_insert(struct kvs_skiplist *list, struct kvs_node *node)
{
    struct kvs_node **links[KVS_SKIPLIST_LEVELS_MAX];
    unsigned level;

    node->prev = search(list, node->key, links);
    for (level = 0; level < node->n_levels; level++) {
        node->next[level] = *links[level];
        *links[level] = node;
    }
    if (node->next[0] == NULL) {
        list->last = node;
    } else {
        node->next[0]->prev = node;
    }
    hash_insert(list, node);
}

void
kvs_skiplist_remove(struct kvs_skiplist *list, struct kvs_node *node)
{
    struct kvs_node **links[KVS_SKIPLIST_LEVELS_MAX];
    unsigned level;

    hash_remove(list, node);
    (void)search(list, node->key, links);
    for (level = 0; level < node->n_levels; level++) {
        *links[level] = node->next[level];
    }
    if (node->next[0] == NULL) {
        list->last = node->prev;
    } else {
        node->next[0]->prev = node->prev;
    }
}

struct kvs_node *
kvs_skiplist_find_before(const struct kvs_skiplist *list, struct kvs_slice key)
{
    struct kvs_node *before = NULL;
    unsigned level = KVS_SKIPLIST_LEVELS_MAX;

    while (level-- > 0) {
        struct kvs_node *next =
            before == NULL ? list->first[level] : before->next[level];

        while (next != NULL && kvs_slice_compare(next->key, key) < 0) {
            before = next;
            next = before->next[level];
        }
    }
    return before;
}

struct kvs_node *
kvs_skiplist_find_from(const struct kvs_skiplist *list, struct kvs_slice key)
{
    struct kvs_node *before = kvs_skiplist_find_before(list, key);

    return before == NULL ? list->first[0] : before->next[0];
}
