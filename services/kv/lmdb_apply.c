/*
 * Changes inside a write transaction: new versions go to the end of the log
 * and to the front of their key's versions in the index; versions that no
 * readable revision needs are cut off behind the history, as the log tells.
 */
#include "kv/lmdb.h"

static MDB_val
val_of(struct kvs_slice slice)
{
    union {
        const void *in;
        void *out;
    } pointer = {slice.data};

    return (MDB_val){slice.size, pointer.out};
}

static int
apply_change(const struct lmdb_file *file, MDB_txn *txn,
             const struct kvs_change *change, struct kvs_place place)
{
    uint8_t place_bytes[KVS_PLACE_SIZE];
    uint8_t pointer_bytes[KVS_POINTER_SIZE];
    struct kvs_entry entry = {.key = change->key,
                              .value = change->value,
                              .create_revision = change->create_revision,
                              .mod_revision = place.revision,
                              .version = change->version};
    MDB_val place_val = {sizeof(place_bytes), place_bytes};
    MDB_val pointer = {sizeof(pointer_bytes), pointer_bytes};
    MDB_val key = val_of(change->key);
    MDB_val record = {kvs_record_size(change->key.size, change->value.size),
                      NULL};
    int rc;

    kvs_place_write(place, place_bytes);
    rc = mdb_put(txn, file->log, &place_val, &record, MDB_APPEND | MDB_RESERVE);
    if (rc != 0) {
        return rc;
    }
    kvs_record_write(&entry, place, record.mv_data);
    kvs_pointer_write(place, change->version == 0, pointer_bytes);
    return mdb_put(txn, file->index, &key, &pointer, 0);
}

int
lmdb_apply(const struct lmdb_file *file, MDB_txn *txn,
           const struct kvs_plan *plan, struct kvs_state *state)
{
    const struct kvs_change *change;
    struct kvs_place place = {state->revision + 1, 0};

    for (change = plan->changes; change != NULL; change = change->next) {
        int rc = apply_change(file, txn, change, place);

        if (rc != 0) {
            return rc;
        }
        place.number++;
    }
    state->revision++;
    return 0;
}

bool
lmdb_cut_pending(const struct kvs_state *state)
{
    return state->cut.revision <= state->oldest_revision &&
           state->oldest_revision > 0;
}

/* Remove a version from the index, where `cursor` stands on it, and from the
 * log. */
static int
version_remove(const struct lmdb_file *file, MDB_txn *txn, MDB_cursor *cursor,
               struct kvs_place place)
{
    uint8_t bytes[KVS_PLACE_SIZE];
    MDB_val place_val = {sizeof(bytes), bytes};
    int rc = mdb_cursor_del(cursor, 0);

    if (rc != 0) {
        return rc;
    }
    kvs_place_write(place, bytes);
    rc = mdb_del(txn, file->log, &place_val, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Remove the newest version of a key that is not newer than a revision; with
 * deleted_only only if it says that the key is deleted. */
static int
version_cut(const struct lmdb_file *file, MDB_txn *txn, MDB_cursor *cursor,
            struct kvs_slice key, uint64_t revision, bool deleted_only)
{
    uint8_t bytes[KVS_POINTER_SIZE];
    struct kvs_place place = {revision, 0};
    MDB_val key_val = val_of(key);
    MDB_val pointer = {sizeof(bytes), bytes};
    bool deleted;
    int rc;

    kvs_pointer_write(place, false, bytes);
    rc = mdb_cursor_get(cursor, &key_val, &pointer, MDB_GET_BOTH_RANGE);
    if (rc != 0) {
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    if (!kvs_pointer_read((struct kvs_slice){pointer.mv_data, pointer.mv_size},
                          &place, &deleted) ||
        (deleted_only && !deleted)) {
        return 0;
    }
    return version_remove(file, txn, cursor, place);
}

/* A record whose revision is the oldest readable or older: what its key had
 * before it is out of reach, and so is itself if it deleted the key. A damaged
 * record is passed over: what it would have removed stays, unused. */
static int
record_cut(const struct lmdb_file *file, MDB_txn *txn, MDB_cursor *cursor,
           struct kvs_slice record, struct kvs_place place)
{
    uint8_t key_bytes[KVS_FULL_KEY_SIZE_MAX];
    struct kvs_slice key = {key_bytes, 0};
    struct kvs_entry entry;
    int rc;

    if (!kvs_record_read(record, place, true, &entry)) {
        return 0;
    }
    /* The record may move when others are removed. */
    key.size = entry.key.size;
    memcpy(key_bytes, entry.key.data, key.size);
    rc = version_cut(file, txn, cursor, key, place.revision - 1, false);
    if (rc == 0 && entry.version == 0) {
        rc = version_cut(file, txn, cursor, key, place.revision, true);
    }
    return rc;
}

/* The first record from a place on. */
static int
record_next(const struct lmdb_file *file, MDB_txn *txn, struct kvs_place from,
            struct kvs_place *ret_place, struct kvs_slice *ret_record)
{
    uint8_t bytes[KVS_PLACE_SIZE];
    MDB_cursor *cursor = NULL;
    MDB_val place = {sizeof(bytes), bytes};
    MDB_val record;
    int rc = mdb_cursor_open(txn, file->log, &cursor);

    if (rc != 0) {
        return rc;
    }
    kvs_place_write(from, bytes);
    rc = mdb_cursor_get(cursor, &place, &record, MDB_SET_RANGE);
    mdb_cursor_close(cursor);
    if (rc != 0) {
        return rc;
    }
    *ret_record = (struct kvs_slice){record.mv_data, record.mv_size};
    return kvs_place_read((struct kvs_slice){place.mv_data, place.mv_size},
                          ret_place)
               ? 0
               : MDB_CORRUPTED;
}

static int
cut_by_cursor(const struct lmdb_file *file, MDB_txn *txn, MDB_cursor *cursor,
              uint64_t n_max, struct kvs_state *state)
{
    uint64_t n;

    for (n = 0; n < n_max; n++) {
        struct kvs_place place = {0, 0};
        struct kvs_slice record;
        int rc = record_next(file, txn, state->cut, &place, &record);

        if (rc == MDB_NOTFOUND ||
            (rc == 0 && place.revision > state->oldest_revision)) {
            state->cut = (struct kvs_place){state->oldest_revision + 1, 0};
            return 0;
        }
        if (rc == 0) {
            rc = record_cut(file, txn, cursor, record, place);
        }
        if (rc != 0) {
            return rc;
        }
        state->cut = (struct kvs_place){place.revision, place.number + 1};
    }
    return 0;
}

int
lmdb_cut(const struct lmdb_file *file, MDB_txn *txn, uint64_t n_max,
         struct kvs_state *state)
{
    MDB_cursor *cursor = NULL;
    int rc;

    if (!lmdb_cut_pending(state) || n_max == 0) {
        return 0;
    }
    rc = mdb_cursor_open(txn, file->index, &cursor);
    if (rc != 0) {
        return rc;
    }
    rc = cut_by_cursor(file, txn, cursor, n_max, state);
    mdb_cursor_close(cursor);
    return rc;
}
