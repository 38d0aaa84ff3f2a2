/*
 * What a read or a write means: which entries it answers and which changes it
 * makes, worked out over a view of the store. No engine does this by itself,
 * so they can't differ; and a plan is complete before anything is changed, so
 * a request that fails has changed nothing.
 */
#ifndef KV_PLAN_H
#define KV_PLAN_H

#include "kv/model.h"

/* Told of an entry, whose bytes are borrowed for the time of the call; false
 * ends the visit. */
typedef bool kvs_visit_fn(void *arg, const struct kvs_entry *entry);

/* One state of a store with its history, as an engine shows it. */
struct kvs_view {
    struct kvs_header header; /* revision: the latest in the view */
    uint64_t oldest_revision;
    /* Visit the entries that a span of full keys had at a revision, in order
     * or in reverse, none of them deleted. With keys_only values may be left
     * out. Returns OK or DATA_LOSS and the like. */
    enum rpcrt_code (*scan)(struct kvs_view *view, const struct kvs_span *span,
                            uint64_t revision, bool reverse, bool keys_only,
                            kvs_visit_fn *visit, void *arg,
                            struct common_error *ret_error);
};

/* What a write makes of one key. */
struct kvs_change {
    struct kvs_slice key; /* full */
    struct kvs_slice value;
    uint64_t create_revision;
    uint64_t version; /* 0: the key is deleted */
    struct kvs_change *next;
};

/* All changes of one write, which get one revision. */
struct kvs_plan {
    struct kvs_change *changes;
    struct kvs_change **tail;
    size_t n_changes;
    size_t n_deletes; /* among them */
    size_t n_spans;   /* intervals that they were deleted from */
    size_t bytes;     /* of keys and values */
    bool grows;       /* puts something */
};

/* Answer a read: fills error, header and result. */
void kvs_plan_read(struct kvs_view *view, struct kvs_read *read);

/* Whether a write has nothing to change, in whichever of its lists. */
bool kvs_plan_only_reads(const struct kvs_write *write);

/* Work a write out: fills error, succeeded and results, and on success the
 * plan, which lives in the write's memory. The header's revision is then the
 * one that the changes are to have, or the latest one if there are none. */
enum rpcrt_code kvs_plan_write(struct kvs_view *view, struct kvs_write *write,
                               struct kvs_plan *ret_plan);

#endif
