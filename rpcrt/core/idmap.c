/*
 * The hash table of core/idmap.h. Calls are numbered one after the other, and
 * nng's pipes nearly so: the multiplication spreads them evenly.
 */
#include "core/idmap.h"

#include "core/alloc.h"
#include <string.h>

static struct rpcrt__idnode **
bucket_of(const struct rpcrt__idmap *map, uint64_t id)
{
    uint64_t hash = id * UINT64_C(0x9e3779b97f4a7c15);

    return &map->buckets[(hash >> 32) & (map->n_buckets - 1)];
}

void
rpcrt__idmap_init(struct rpcrt__idmap *map)
{
    memset(map->first, 0, sizeof map->first);
    map->buckets = map->first;
    map->n_buckets = RPCRT__IDMAP_FIRST;
    map->n = 0;
}

void
rpcrt__idmap_fini(struct rpcrt__idmap *map)
{
    if (map->buckets != map->first) {
        rpcrt__free(map->buckets);
    }
    rpcrt__idmap_init(map);
}

static void
grow(struct rpcrt__idmap *map)
{
    struct rpcrt__idmap larger = *map;

    larger.n_buckets = map->n_buckets * 2;
    larger.buckets = rpcrt__calloc(larger.n_buckets, sizeof larger.buckets[0]);
    if (larger.buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < map->n_buckets; i++) {
        struct rpcrt__idnode *node = map->buckets[i];

        while (node != NULL) {
            struct rpcrt__idnode *next = node->next;
            struct rpcrt__idnode **bucket = bucket_of(&larger, node->id);

            node->next = *bucket;
            *bucket = node;
            node = next;
        }
    }
    if (map->buckets != map->first) {
        rpcrt__free(map->buckets);
    }
    map->buckets = larger.buckets;
    map->n_buckets = larger.n_buckets;
}

void
rpcrt__idmap_add(struct rpcrt__idmap *map, struct rpcrt__idnode *node,
                 uint64_t id)
{
    struct rpcrt__idnode **bucket;

    if (map->n >= map->n_buckets) {
        grow(map);
    }
    bucket = bucket_of(map, id);
    node->id = id;
    node->next = *bucket;
    *bucket = node;
    map->n++;
}

struct rpcrt__idnode *
rpcrt__idmap_find(const struct rpcrt__idmap *map, uint64_t id)
{
    struct rpcrt__idnode *node = *bucket_of(map, id);

    while (node != NULL && node->id != id) {
        node = node->next;
    }
    return node;
}

struct rpcrt__idnode *
rpcrt__idmap_remove(struct rpcrt__idmap *map, uint64_t id)
{
    struct rpcrt__idnode **link = bucket_of(map, id);
    struct rpcrt__idnode *node;

    while (*link != NULL && (*link)->id != id) {
        link = &(*link)->next;
    }
    node = *link;
    if (node != NULL) {
        *link = node->next;
        node->next = NULL;
        map->n--;
    }
    return node;
}
