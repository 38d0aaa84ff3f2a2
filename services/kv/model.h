/*
 * What is asked of an engine and what it answers, as plain structs: reads and
 * writes on ordered keys. Nothing here knows of calls, threads or disks.
 *
 * A request and all bytes that it points to belong to the caller and stay
 * until it is done. What is answered lives in memory that the caller's table
 * `memory` hands out.
 */
#ifndef KV_MODEL_H
#define KV_MODEL_H

#include "common/error.h"
#include "kv/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that belong to somebody else. */
struct kvs_slice {
    const uint8_t *data; /* may be NULL if size is 0 */
    size_t size;
};

/* The order of keys and values: byte by byte, unsigned, the shorter first. */
static inline int
kvs_slice_compare(struct kvs_slice a, struct kvs_slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);

    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size ? 1 : 0;
}

static inline struct kvs_slice
kvs_slice_text(const char *text)
{
    return (struct kvs_slice){(const uint8_t *)text, strlen(text)};
}

/* Where answers are kept. Both return NULL when there is no more. */
struct kvs_memory {
    void *(*alloc)(void *arg, size_t size); /* zeroed */
    void *(*copy)(void *arg, const void *data, size_t size);
    void *arg;
};

/* Which history, and when. */
struct kvs_header {
    char store_id[KVS_ID_DIGITS + 1];
    uint64_t epoch;
    uint64_t revision;
};

/* One key at one revision. version 0: it is deleted. */
struct kvs_entry {
    struct kvs_slice key;
    struct kvs_slice value;
    uint64_t create_revision;
    uint64_t mod_revision;
    uint64_t version;
    struct kvs_entry *next; /* in a result */
};

/* Keys from `first`, included, to `end`, excluded; or `first` alone. As asked,
 * `end` empty means one key and one zero byte means all that follow; after
 * kvs_space_span() `one` tells, and `end` is always a bound. */
struct kvs_span {
    struct kvs_slice first;
    struct kvs_slice end;
    bool one;
};

struct kvs_range {
    struct kvs_span span;
    uint64_t revision; /* 0: the latest */
    uint32_t limit;    /* 0: KVS_PAGE_ENTRIES_MAX */
    bool reverse;
    bool keys_only;
    const char *store_id; /* refuse another store's; NULL or empty: any */
};

enum kvs_target {
    KVS_TARGET_VALUE,
    KVS_TARGET_VERSION,
    KVS_TARGET_CREATE_REVISION,
    KVS_TARGET_MOD_REVISION
};

enum kvs_relation {
    KVS_EQUAL,
    KVS_NOT_EQUAL,
    KVS_LESS, /* what is stored is less than what is given */
    KVS_GREATER
};

struct kvs_compare {
    struct kvs_slice key;
    enum kvs_target target;
    enum kvs_relation relation;
    struct kvs_slice value; /* for KVS_TARGET_VALUE, else number */
    uint64_t number;
};

enum kvs_op_kind { KVS_OP_RANGE, KVS_OP_PUT, KVS_OP_DELETE };

struct kvs_op {
    enum kvs_op_kind kind;
    struct kvs_range range; /* of KVS_OP_DELETE only the span counts */
    struct kvs_slice key;   /* KVS_OP_PUT */
    struct kvs_slice value;
};

struct kvs_ops {
    struct kvs_op *items;
    size_t n_items;
};

/* What one operation answers. */
struct kvs_result {
    struct kvs_entry *entries; /* KVS_OP_RANGE */
    size_t n_entries;
    bool more;
    uint64_t deleted; /* KVS_OP_DELETE */
};

struct kvs_read {
    /* in; the span is rewritten to full keys */
    struct kvs_slice space; /* name of the namespace, or empty: see space.h */
    struct kvs_range range;
    struct kvs_memory memory;
    void (*done)(struct kvs_read *read); /* if the engine answers later */
    void *arg;
    /* out, once done */
    struct common_error error; /* its code is the outcome */
    struct kvs_header header;
    struct kvs_result result;
    struct kvs_read *next; /* the engine's, until done */
};

struct kvs_write {
    /* in; keys and spans are rewritten to full keys */
    struct kvs_slice space;
    const char *store_id; /* as in a range */
    struct kvs_compare *compares;
    size_t n_compares;
    struct kvs_ops then;
    struct kvs_ops otherwise;
    struct kvs_memory memory;
    void (*done)(struct kvs_write *write);
    void *arg;
    /* out, once done */
    struct common_error error;
    struct kvs_header header;
    bool succeeded;
    struct kvs_result *results; /* one for each item of the list done */
    size_t n_results;
    struct kvs_write *next; /* the engine's, until done */
};

#endif
