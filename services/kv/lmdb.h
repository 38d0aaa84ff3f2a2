/*
 * The lmdb engine, between its files:
 *   lmdb.c         the engine's table: opening, closing, reading, status
 *   lmdb_file.c    the directory, its lock, the format of what is in it
 *   lmdb_view.c    a state of the store, inside a transaction
 *   lmdb_apply.c   changes, and cutting the history, inside a transaction
 *   lmdb_room.c    how much more fits, on the disk and in the map
 *   lmdb_writer.c  the one thread that writes: batches, commits, failures
 */
#ifndef KV_LMDB_H
#define KV_LMDB_H

#include "kv/engine.h"
#include "kv/plan.h"
#include "kv/record.h"

#include <lmdb.h>
#include <pthread.h>

struct lmdb_file {
    char *directory;
    uint64_t map_size_max;
    int lock_fd; /* held open as long as the store is; -1: none */
    MDB_env *env;
    MDB_dbi meta;
    MDB_dbi index;
    MDB_dbi log;
    size_t page_size;
};

/* Where new pages can come from. The writer's. */
struct lmdb_room {
    uint64_t page_end;      /* pages promised by the disk: LMDB's map */
    uint64_t page_end_max;  /* the most that they may become */
    uint64_t page_next;     /* first page that was never used */
    uint64_t free_pages;    /* used once, usable by the next transaction */
    uint64_t pending_pages; /* usable after one more transaction */
    uint64_t reserve_pages; /* what only deleting may use */
    uint64_t taken;         /* by the present batch, estimated */
};

struct lmdb {
    struct kvs_engine base;
    struct kvs_engine_options options;
    struct lmdb_file file;
    struct lmdb_room room;  /* the writer's */
    struct kvs_state state; /* the writer's: as committed */
    pthread_t writer;

    pthread_rwlock_t map_lock; /* read: a reader is inside; write: remapping */
    bool unmapped;             /* guarded by it: remapping failed */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct kvs_write *queue; /* to be written, in order */
    struct kvs_write **queue_tail;
    bool closing;
    bool full;
    char stopped[COMMON_ERROR_SIZE]; /* why nothing is written any more */
};

/* -- lmdb_file.c ----------------------------------------------------------- */

/* Open the directory; makes it and what is in it if needed. */
enum rpcrt_code lmdb_file_open(const char *directory, uint64_t map_size_max,
                               struct common_error *ret_error,
                               struct lmdb_file *ret_file,
                               struct kvs_state *ret_state);
void lmdb_file_close(struct lmdb_file *file);

/* The text for a return code of LMDB, with what was done. */
enum rpcrt_code lmdb_error(struct common_error *ret_error, int rc,
                           const char *what);

/* Whether a return code says that there is no room. */
bool lmdb_is_room_error(int rc);

/* The state as a transaction sees it. */
enum rpcrt_code lmdb_state_get(const struct lmdb_file *file, MDB_txn *txn,
                               struct common_error *ret_error,
                               struct kvs_state *ret_state);
int lmdb_state_put(const struct lmdb_file *file, MDB_txn *txn,
                   const struct kvs_state *state);

/* -- lmdb_view.c ----------------------------------------------------------- */

struct lmdb_view {
    struct kvs_view base;
    const struct lmdb_file *file;
    MDB_txn *txn;
};

/* A view of a transaction; the state is copied. */
void lmdb_view_init(struct lmdb_view *view, const struct lmdb_file *file,
                    MDB_txn *txn, const struct kvs_state *state);

/* -- lmdb_apply.c ---------------------------------------------------------- */

/* Make the changes of a plan, at the next revision of the state. Returns a
 * code of LMDB; if it is not 0 the transaction must be aborted. */
int lmdb_apply(const struct lmdb_file *file, MDB_txn *txn,
               const struct kvs_plan *plan, struct kvs_state *state);

/* Whether the log holds versions that nobody can read. */
bool lmdb_cut_pending(const struct kvs_state *state);

/* Remove such versions, looking at n_max records at the most. */
int lmdb_cut(const struct lmdb_file *file, MDB_txn *txn, uint64_t n_max,
             struct kvs_state *state);

/* -- lmdb_room.c ----------------------------------------------------------- */

/* Promise pages for what is there and a first batch. */
enum rpcrt_code lmdb_room_init(struct lmdb *lmdb,
                               struct common_error *ret_error);

/* Look again, after a transaction has ended, and ask the disk for more if
 * little is left. Returns a code of LMDB; a full disk is none. */
int lmdb_room_update(struct lmdb *lmdb);

/* Set aside pages for a plan; false if there are too few. Plans that put
 * nothing may use the reserve. */
bool lmdb_room_take(struct lmdb *lmdb, const struct kvs_plan *plan);

/* How many log records can be looked at by lmdb_cut() in this batch, n at the
 * most. */
uint64_t lmdb_room_take_cut(struct lmdb *lmdb, uint64_t n);

/* -- lmdb_writer.c --------------------------------------------------------- */

/* The thread's function; arg is the engine. */
void *lmdb_writer_main(void *arg);

#endif
