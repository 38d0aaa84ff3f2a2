/*
 * A state of the store as a transaction of LMDB shows it: keys by the index,
 * their entries from the log, each verified against its checksum.
 */
#include "kv/lmdb.h"

/* What a scan is told, in one place. */
struct scan {
    struct lmdb_view *view;
    const struct kvs_span *span;
    uint64_t revision;
    bool reverse;
    bool keys_only;
    kvs_visit_fn *visit;
    void *arg;
    struct common_error *error;
    MDB_cursor *keys;     /* from key to key */
    MDB_cursor *versions; /* among the versions of one key */
};

static struct kvs_slice
slice_of(const MDB_val *val)
{
    return (struct kvs_slice){val->mv_data, val->mv_size};
}

static MDB_val
val_of(struct kvs_slice slice)
{
    union {
        const void *in;
        void *out;
    } pointer = {slice.data};

    return (MDB_val){slice.size, pointer.out};
}

/* Read the entry that a pointer of the index leads to. */
static enum rpcrt_code
entry_get(const struct scan *scan, struct kvs_slice key,
          struct kvs_slice pointer, struct kvs_entry *ret_entry)
{
    uint8_t bytes[KVS_PLACE_SIZE];
    MDB_val place_val = {sizeof(bytes), bytes};
    MDB_val record;
    struct kvs_place place;
    bool deleted;
    int rc;

    if (!kvs_pointer_read(pointer, &place, &deleted)) {
        return common_error_set(scan->error, RPCRT_DATA_LOSS,
                                "an index entry is damaged");
    }
    *ret_entry = (struct kvs_entry){0};
    if (deleted) {
        return RPCRT_OK;
    }
    kvs_place_write(place, bytes);
    rc = mdb_get(scan->view->txn, scan->view->file->log, &place_val, &record);
    if (rc != 0 && rc != MDB_NOTFOUND) {
        return lmdb_error(scan->error, rc, "read");
    }
    if (rc == MDB_NOTFOUND ||
        !kvs_record_read(slice_of(&record), place, scan->keys_only,
                         ret_entry) ||
        kvs_slice_compare(ret_entry->key, key) != 0) {
        return common_error_set(
            scan->error, RPCRT_DATA_LOSS, "what revision %llu wrote is %s",
            (unsigned long long)place.revision,
            rc == MDB_NOTFOUND ? "missing" : "damaged: wrong checksum");
    }
    return RPCRT_OK;
}

/* Show the visitor a key as it was; *ret_go_on is its answer. */
static enum rpcrt_code
visit_key(const struct scan *scan, struct kvs_slice key, bool *ret_go_on)
{
    uint8_t bytes[KVS_POINTER_SIZE];
    struct kvs_place newest = {scan->revision, 0};
    MDB_val key_val = val_of(key);
    MDB_val pointer = {sizeof(bytes), bytes};
    struct kvs_entry entry;
    int rc;

    *ret_go_on = true;
    kvs_pointer_write(newest, false, bytes);
    rc = mdb_cursor_get(scan->versions, &key_val, &pointer, MDB_GET_BOTH_RANGE);
    if (rc == MDB_NOTFOUND) {
        return RPCRT_OK;
    }
    if (rc != 0) {
        return lmdb_error(scan->error, rc, "read");
    }
    if (entry_get(scan, key, slice_of(&pointer), &entry) != RPCRT_OK) {
        return scan->error->code;
    }
    if (entry.version > 0) {
        *ret_go_on = scan->visit(scan->arg, &entry);
    }
    return RPCRT_OK;
}

/* The first key of the scan, or MDB_NOTFOUND. */
static int
key_first(const struct scan *scan, MDB_val *key)
{
    MDB_val data;
    int rc;

    if (!scan->reverse) {
        *key = val_of(scan->span->first);
        return mdb_cursor_get(scan->keys, key, &data, MDB_SET_RANGE);
    }
    *key = val_of(scan->span->end);
    rc = mdb_cursor_get(scan->keys, key, &data, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND) {
        return mdb_cursor_get(scan->keys, key, &data, MDB_LAST);
    }
    return rc == 0 ? mdb_cursor_get(scan->keys, key, &data, MDB_PREV_NODUP)
                   : rc;
}

static bool
key_inside(const struct scan *scan, struct kvs_slice key)
{
    return scan->reverse ? kvs_slice_compare(key, scan->span->first) >= 0
                         : kvs_slice_compare(key, scan->span->end) < 0;
}

static enum rpcrt_code
scan_keys(const struct scan *scan)
{
    MDB_cursor_op step = scan->reverse ? MDB_PREV_NODUP : MDB_NEXT_NODUP;
    MDB_val key;
    MDB_val data;
    bool go_on = true;
    int rc = key_first(scan, &key);

    while (rc == 0 && key_inside(scan, slice_of(&key))) {
        if (visit_key(scan, slice_of(&key), &go_on) != RPCRT_OK) {
            return scan->error->code;
        }
        if (!go_on) {
            return RPCRT_OK;
        }
        rc = mdb_cursor_get(scan->keys, &key, &data, step);
    }
    return rc == 0 || rc == MDB_NOTFOUND ? RPCRT_OK
                                         : lmdb_error(scan->error, rc, "read");
}

/* The latest version of one key needs no cursor: it is the first. */
static enum rpcrt_code
scan_latest(const struct scan *scan)
{
    MDB_val key = val_of(scan->span->first);
    MDB_val pointer;
    struct kvs_entry entry;
    int rc = mdb_get(scan->view->txn, scan->view->file->index, &key, &pointer);

    if (rc == MDB_NOTFOUND) {
        return RPCRT_OK;
    }
    if (rc != 0) {
        return lmdb_error(scan->error, rc, "read");
    }
    if (entry_get(scan, scan->span->first, slice_of(&pointer), &entry) !=
        RPCRT_OK) {
        return scan->error->code;
    }
    if (entry.version > 0) {
        (void)scan->visit(scan->arg, &entry);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
scan_by_cursor(struct scan *scan)
{
    struct lmdb_view *view = scan->view;
    enum rpcrt_code code;
    bool go_on;
    int rc = mdb_cursor_open(view->txn, view->file->index, &scan->versions);

    if (rc == 0 && !scan->span->one) {
        rc = mdb_cursor_open(view->txn, view->file->index, &scan->keys);
    }
    if (rc != 0) {
        code = lmdb_error(scan->error, rc, "read");
    } else if (scan->span->one) {
        code = visit_key(scan, scan->span->first, &go_on);
    } else {
        code = scan_keys(scan);
    }
    mdb_cursor_close(scan->keys);
    mdb_cursor_close(scan->versions);
    return code;
}

static enum rpcrt_code
view_scan(struct kvs_view *base, const struct kvs_span *span, uint64_t revision,
          bool reverse, bool keys_only, kvs_visit_fn *visit, void *arg,
          struct common_error *ret_error)
{
    struct lmdb_view *view = (struct lmdb_view *)(void *)base;
    struct scan scan = {.view = view,
                        .span = span,
                        .revision = revision,
                        .reverse = reverse,
                        .keys_only = keys_only,
                        .visit = visit,
                        .arg = arg,
                        .error = ret_error};

    if (span->one && revision == base->header.revision) {
        return scan_latest(&scan);
    }
    return scan_by_cursor(&scan);
}

void
lmdb_view_init(struct lmdb_view *view, const struct lmdb_file *file,
               MDB_txn *txn, const struct kvs_state *state)
{
    *view = (struct lmdb_view){.file = file, .txn = txn};
    view->base.scan = view_scan;
    view->base.oldest_revision = state->oldest_revision;
    view->base.header.epoch = state->epoch;
    view->base.header.revision = state->revision;
    memcpy(view->base.header.store_id, state->store_id,
           sizeof(state->store_id));
}
