/*
 * The lmdb engine: durable, one file, one writing thread, any number of
 * readers that wait for nobody. This file is its table: opening and closing,
 * reading, and handing writes to the writer.
 */
#include "kv/lmdb.h"

#include <stdlib.h>

#define MAP_SIZE_DEFAULT (UINT64_C(64) << 30)
#define MAP_SIZE_MIN (UINT64_C(16) << 20)

/* -- reading --------------------------------------------------------------- */

static enum rpcrt_code
reader_begin(struct lmdb *lmdb, struct common_error *ret_error,
             MDB_txn **ret_txn)
{
    int rc;

    (void)pthread_rwlock_rdlock(&lmdb->map_lock);
    if (lmdb->unmapped) {
        (void)pthread_rwlock_unlock(&lmdb->map_lock);
        return common_error_set(ret_error, RPCRT_UNAVAILABLE,
                                "the store has stopped: its file is unmapped");
    }
    rc = mdb_txn_begin(lmdb->file.env, NULL, MDB_RDONLY, ret_txn);
    if (rc != 0) {
        (void)pthread_rwlock_unlock(&lmdb->map_lock);
        return lmdb_error(ret_error, rc, "read");
    }
    return RPCRT_OK;
}

static void
reader_end(struct lmdb *lmdb, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    (void)pthread_rwlock_unlock(&lmdb->map_lock);
}

/* The latest state; false, with the error set, if it can't be read. Afterwards
 * it is to be ended, whatever came of it. */
static bool
view_begin(struct lmdb *lmdb, struct common_error *ret_error,
           struct lmdb_view *ret_view, MDB_txn **ret_txn)
{
    struct kvs_state state;

    if (reader_begin(lmdb, ret_error, ret_txn) != RPCRT_OK ||
        lmdb_state_get(&lmdb->file, *ret_txn, ret_error, &state) != RPCRT_OK) {
        return false;
    }
    lmdb_view_init(ret_view, &lmdb->file, *ret_txn, &state);
    return true;
}

static void
view_end(struct lmdb *lmdb, MDB_txn *txn)
{
    if (txn != NULL) {
        reader_end(lmdb, txn);
    }
}

static bool
lmdb_read(struct kvs_engine *engine, struct kvs_read *read)
{
    struct lmdb *lmdb = (struct lmdb *)(void *)engine;
    struct lmdb_view view;
    MDB_txn *txn = NULL;

    if (view_begin(lmdb, &read->error, &view, &txn)) {
        kvs_plan_read(&view.base, read);
    }
    view_end(lmdb, txn);
    return true;
}

/* A transaction without changes: it need not wait for those of others. */
static void
read_txn(struct lmdb *lmdb, struct kvs_write *write)
{
    struct lmdb_view view;
    struct kvs_plan plan;
    MDB_txn *txn = NULL;

    if (view_begin(lmdb, &write->error, &view, &txn)) {
        (void)kvs_plan_write(&view.base, write, &plan);
    }
    view_end(lmdb, txn);
}

/* -- writing --------------------------------------------------------------- */

static bool
lmdb_write(struct kvs_engine *engine, struct kvs_write *write)
{
    struct lmdb *lmdb = (struct lmdb *)(void *)engine;
    bool stopped;

    if (kvs_plan_only_reads(write)) {
        read_txn(lmdb, write);
        return true;
    }
    write->next = NULL;
    (void)pthread_mutex_lock(&lmdb->lock);
    stopped = lmdb->stopped[0] != '\0';
    if (stopped) {
        (void)common_error_set(&write->error, RPCRT_UNAVAILABLE,
                               "the store has stopped: %.256s", lmdb->stopped);
    } else {
        if (lmdb->queue == NULL) {
            (void)pthread_cond_signal(&lmdb->wake);
        }
        *lmdb->queue_tail = write;
        lmdb->queue_tail = &write->next;
    }
    (void)pthread_mutex_unlock(&lmdb->lock);
    return stopped;
}

/* What a transaction can't tell. */
static void
status_fill(struct lmdb *lmdb, const MDB_envinfo *info,
            const struct kvs_state *state, struct kvs_status *status)
{
    *status = (struct kvs_status){
        .header = {.epoch = state->epoch, .revision = state->revision},
        .oldest_revision = state->oldest_revision,
        .history = lmdb->options.history,
        .size = ((uint64_t)info->me_last_pgno + 1) * lmdb->file.page_size,
        .size_max = lmdb->file.map_size_max,
    };
    memcpy(status->header.store_id, state->store_id, sizeof(state->store_id));
    (void)pthread_mutex_lock(&lmdb->lock);
    status->full = lmdb->full;
    memcpy(status->stopped, lmdb->stopped, sizeof(status->stopped));
    (void)pthread_mutex_unlock(&lmdb->lock);
}

static enum rpcrt_code
lmdb_status(struct kvs_engine *engine, struct common_error *ret_error,
            struct kvs_status *ret_status)
{
    struct lmdb *lmdb = (struct lmdb *)(void *)engine;
    struct kvs_state state;
    MDB_envinfo info;
    MDB_txn *txn = NULL;

    if (reader_begin(lmdb, ret_error, &txn) != RPCRT_OK) {
        return ret_error->code;
    }
    if (lmdb_state_get(&lmdb->file, txn, ret_error, &state) != RPCRT_OK) {
        reader_end(lmdb, txn);
        return ret_error->code;
    }
    (void)mdb_env_info(lmdb->file.env, &info);
    reader_end(lmdb, txn);
    status_fill(lmdb, &info, &state, ret_status);
    return RPCRT_OK;
}

/* -- opening and closing --------------------------------------------------- */

static int
locks_init(struct lmdb *lmdb)
{
    pthread_rwlockattr_t attr;
    int rc = pthread_rwlockattr_init(&attr);

    if (rc == 0) {
        /* Readers come without end, and a remapping must get its turn. */
        (void)pthread_rwlockattr_setkind_np(
            &attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
        rc = pthread_rwlock_init(&lmdb->map_lock, &attr);
        (void)pthread_rwlockattr_destroy(&attr);
    }
    if (rc == 0) {
        rc = pthread_mutex_init(&lmdb->lock, NULL);
        if (rc != 0) {
            (void)pthread_rwlock_destroy(&lmdb->map_lock);
        }
    }
    if (rc == 0) {
        rc = pthread_cond_init(&lmdb->wake, NULL);
        if (rc != 0) {
            (void)pthread_mutex_destroy(&lmdb->lock);
            (void)pthread_rwlock_destroy(&lmdb->map_lock);
        }
    }
    return rc;
}

static void
locks_fini(struct lmdb *lmdb)
{
    (void)pthread_cond_destroy(&lmdb->wake);
    (void)pthread_mutex_destroy(&lmdb->lock);
    (void)pthread_rwlock_destroy(&lmdb->map_lock);
}

static enum rpcrt_code
writer_start(struct lmdb *lmdb, struct common_error *ret_error)
{
    int rc = pthread_create(&lmdb->writer, NULL, lmdb_writer_main, lmdb);

    return rc == 0 ? RPCRT_OK
                   : common_error_errno(ret_error, RPCRT_RESOURCE_EXHAUSTED, rc,
                                        "start the writer");
}

static enum rpcrt_code
check_options(const struct kvs_engine_options *options,
              struct common_error *ret_error)
{
    if (options->directory == NULL || options->directory[0] == '\0') {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "the lmdb engine needs a data directory");
    }
    if (options->size_max != 0 && options->size_max < MAP_SIZE_MIN) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "the store needs at least %llu bytes",
                                (unsigned long long)MAP_SIZE_MIN);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
lmdb_open(const struct kvs_engine_options *options,
          struct common_error *ret_error, struct kvs_engine **ret_engine)
{
    uint64_t map_size =
        options->size_max == 0 ? MAP_SIZE_DEFAULT : options->size_max;
    struct lmdb *lmdb;

    if (check_options(options, ret_error) != RPCRT_OK) {
        return ret_error->code;
    }
    lmdb = calloc(1, sizeof(*lmdb));
    if (lmdb == NULL || locks_init(lmdb) != 0) {
        free(lmdb);
        return common_error_no_memory(ret_error);
    }
    lmdb->base.ops = &kvs_lmdb_engine;
    lmdb->options = *options;
    lmdb->options.directory = NULL;
    lmdb->queue_tail = &lmdb->queue;
    if (lmdb_file_open(options->directory, map_size, ret_error, &lmdb->file,
                       &lmdb->state) != RPCRT_OK ||
        lmdb_room_init(lmdb, ret_error) != RPCRT_OK ||
        writer_start(lmdb, ret_error) != RPCRT_OK) {
        lmdb_file_close(&lmdb->file);
        locks_fini(lmdb);
        free(lmdb);
        return ret_error->code;
    }
    *ret_engine = &lmdb->base;
    return RPCRT_OK;
}

static void
lmdb_close(struct kvs_engine *engine)
{
    struct lmdb *lmdb = (struct lmdb *)(void *)engine;

    (void)pthread_mutex_lock(&lmdb->lock);
    lmdb->closing = true;
    (void)pthread_cond_signal(&lmdb->wake);
    (void)pthread_mutex_unlock(&lmdb->lock);
    (void)pthread_join(lmdb->writer, NULL);
    lmdb_file_close(&lmdb->file);
    locks_fini(lmdb);
    free(lmdb);
}

const struct kvs_engine_ops kvs_lmdb_engine = {
    .name = "lmdb",
    .immediate = false,
    .open = lmdb_open,
    .close = lmdb_close,
    .read = lmdb_read,
    .write = lmdb_write,
    .status = lmdb_status,
};
