/*
 * The thread that writes. It takes everything that is queued, makes all of it
 * in one transaction, commits once, and answers everybody: so a disk that
 * syncs 200 times a second can take thousands of writes.
 *
 * What may go wrong: a write does not fit any more (it waits for the next
 * batch, then history is given up, then it alone is refused); the disk fails
 * (the store stops: nothing is written until it is opened again).
 */
#include "kv/lmdb.h"

#include <stdio.h>

/* Writes in one batch. */
#define BATCH_MAX 1024u
/* Log records looked at when nothing else is to be done. */
#define CUT_IDLE 512u
#define CUT_MAX 4096u
/* Pages freed by the last commit that are worth another one. */
#define PENDING_MIN 64u

struct batch {
    MDB_txn *txn;
    struct kvs_state state;  /* as it will be */
    struct kvs_write *first; /* worked out, not answered */
    struct kvs_write **tail;
    size_t n_writes;
    uint64_t n_changes;
    int rc; /* of LMDB, if the transaction is broken */
};

/* What is to be written, and how. */
struct work {
    struct kvs_write *first;
    size_t n_max;    /* writes in the next batch; fewer after one failed */
    bool made_room;  /* for the first write all has been done */
    bool cut_failed; /* nothing could be cut the last time */
};

/* What became of one write. */
enum outcome {
    WRITE_IN_BATCH, /* or refused, with its error set */
    WRITE_LATER,    /* the batch is as big as it can be */
    WRITE_BROKEN    /* the transaction can't go on */
};

static void
warn(const struct lmdb *lmdb, const char *line)
{
    if (lmdb->options.warn != NULL) {
        lmdb->options.warn(lmdb->options.warn_arg, line);
    }
}

/* -- stopping -------------------------------------------------------------- */

/* The disk can't be trusted any more. */
static void
writer_stop(struct lmdb *lmdb, int rc)
{
    struct common_error error;
    char line[COMMON_ERROR_SIZE + 32];

    (void)lmdb_error(&error, rc, "write");
    (void)pthread_mutex_lock(&lmdb->lock);
    memcpy(lmdb->stopped, error.text, sizeof(lmdb->stopped));
    (void)pthread_mutex_unlock(&lmdb->lock);
    (void)snprintf(line, sizeof(line), "the store has stopped: %s", error.text);
    warn(lmdb, line);
}

static void
set_full(struct lmdb *lmdb, bool full)
{
    bool changed;

    (void)pthread_mutex_lock(&lmdb->lock);
    changed = lmdb->full != full;
    lmdb->full = full;
    (void)pthread_mutex_unlock(&lmdb->lock);
    if (changed) {
        warn(lmdb, full ? "the store is full: it refuses to grow"
                        : "the store has room again");
    }
}

/* -- a batch --------------------------------------------------------------- */

static int
batch_begin(struct lmdb *lmdb, struct batch *batch)
{
    *batch = (struct batch){.state = lmdb->state, .tail = &batch->first};
    return mdb_txn_begin(lmdb->file.env, NULL, 0, &batch->txn);
}

static void
batch_add(struct batch *batch, struct kvs_write *write)
{
    write->next = NULL;
    *batch->tail = write;
    batch->tail = &write->next;
    batch->n_writes++;
}

/* Tell everybody what became of their writes. */
static void
answer_all(struct kvs_write *write)
{
    while (write != NULL) {
        struct kvs_write *next = write->next;

        write->done(write);
        write = next;
    }
}

static void
fail_all(struct kvs_write *write, enum rpcrt_code code, const char *text)
{
    struct kvs_write *each;

    for (each = write; each != NULL; each = each->next) {
        (void)common_error_set(&each->error, code, "%s", text);
    }
    answer_all(write);
}

/* The history that is promised, no more. */
static void
keep_history(const struct lmdb *lmdb, struct kvs_state *state)
{
    uint64_t history = lmdb->options.history;

    if (state->revision > history &&
        state->revision - history > state->oldest_revision) {
        state->oldest_revision = state->revision - history;
    }
}

static enum outcome
batch_write(struct lmdb *lmdb, struct batch *batch, struct kvs_write *write)
{
    struct lmdb_view view;
    struct kvs_plan plan;
    int rc;

    lmdb_view_init(&view, &lmdb->file, batch->txn, &batch->state);
    if (kvs_plan_write(&view.base, write, &plan) != RPCRT_OK ||
        plan.n_changes == 0) {
        return WRITE_IN_BATCH;
    }
    if (!lmdb_room_take(lmdb, &plan)) {
        batch->rc = MDB_MAP_FULL;
        return batch->n_changes > 0 ? WRITE_LATER : WRITE_BROKEN;
    }
    rc = lmdb_apply(&lmdb->file, batch->txn, &plan, &batch->state);
    if (rc != 0) {
        batch->rc = rc;
        return WRITE_BROKEN;
    }
    if (plan.grows && lmdb->full) {
        set_full(lmdb, false);
    }
    batch->n_changes += plan.n_changes;
    keep_history(lmdb, &batch->state);
    return WRITE_IN_BATCH;
}

/* Remove what nobody can read, and commit. The transaction is over then. */
static int
batch_commit(struct lmdb *lmdb, struct batch *batch, uint64_t n_cut)
{
    int rc = lmdb_cut(&lmdb->file, batch->txn, lmdb_room_take_cut(lmdb, n_cut),
                      &batch->state);

    if (rc == 0) {
        rc = lmdb_state_put(&lmdb->file, batch->txn, &batch->state);
    }
    if (rc != 0) {
        mdb_txn_abort(batch->txn);
        return rc;
    }
    rc = mdb_txn_commit(batch->txn);
    if (rc == 0) {
        lmdb->state = batch->state;
        rc = lmdb_room_update(lmdb);
    }
    return rc;
}

/* -- making room ----------------------------------------------------------- */

/* A transaction that only removes versions. */
static int
cut_only(struct lmdb *lmdb, uint64_t oldest_revision)
{
    struct batch batch;
    int rc = batch_begin(lmdb, &batch);

    if (rc != 0) {
        return rc;
    }
    if (batch.state.oldest_revision < oldest_revision) {
        batch.state.oldest_revision = oldest_revision;
    }
    return batch_commit(lmdb, &batch, CUT_IDLE);
}

/* As cut_only(); tells whether there is less to cut than before. */
static int
cut_some(struct lmdb *lmdb, uint64_t oldest_revision, bool *ret_progress)
{
    struct kvs_place before = lmdb->state.cut;
    int rc = cut_only(lmdb, oldest_revision);

    *ret_progress = before.revision != lmdb->state.cut.revision ||
                    before.number != lmdb->state.cut.number;
    return lmdb_is_room_error(rc) ? 0 : rc;
}

/* Give up the history, all of it, so that its pages can be used. Two more
 * commits, because pages freed in one can't be used in the next. */
static int
give_up_history(struct lmdb *lmdb)
{
    bool progress = true;
    int rc = 0;
    int i;

    if (lmdb->state.oldest_revision < lmdb->state.revision) {
        warn(lmdb, "there is little room: the history is given up");
    }
    while (rc == 0 && progress) {
        rc = cut_some(lmdb, lmdb->state.revision, &progress);
        progress = progress && lmdb_cut_pending(&lmdb->state);
    }
    for (i = 0; i < 2 && rc == 0; i++) {
        rc = cut_some(lmdb, lmdb->state.revision, &progress);
    }
    return rc;
}

/* Whether giving up the history could free something. */
static bool
has_history(const struct lmdb *lmdb)
{
    return lmdb->state.oldest_revision < lmdb->state.revision ||
           lmdb_cut_pending(&lmdb->state) ||
           lmdb->room.pending_pages > PENDING_MIN;
}

/* -- the thread ------------------------------------------------------------ */

/* Put the writes of a batch that was not committed back in front. */
static void
work_put_back(struct work *work, struct batch *batch)
{
    *batch->tail = work->first;
    work->first = batch->first;
}

/* Make as many writes as fit; tells why it ended. What the outcome is about
 * stays the first of the work. */
static enum outcome
batch_fill(struct lmdb *lmdb, struct batch *batch, struct work *work)
{
    while (work->first != NULL && batch->n_writes < work->n_max) {
        struct kvs_write *write = work->first;
        struct kvs_write *next = write->next;
        enum outcome outcome = batch_write(lmdb, batch, write);

        if (outcome != WRITE_IN_BATCH) {
            return outcome;
        }
        batch_add(batch, write);
        work->first = next;
    }
    return WRITE_IN_BATCH;
}

/* The batch did not fit. Try fewer writes; when it was one, make room; when
 * that has been done, refuse it. Returns a code of LMDB that stops the store,
 * or 0. */
static int
work_no_room(struct lmdb *lmdb, struct work *work)
{
    struct kvs_write *write = work->first;
    int rc = lmdb_room_update(lmdb);

    if (rc != 0) {
        return rc;
    }
    if (work->n_max > 1) {
        work->n_max /= 2;
        return 0;
    }
    if (!work->made_room && has_history(lmdb)) {
        work->made_room = true;
        return give_up_history(lmdb);
    }
    work->made_room = false;
    set_full(lmdb, true);
    work->first = write->next;
    write->next = NULL;
    fail_all(write, RPCRT_RESOURCE_EXHAUSTED,
             "the store is full: delete something first, in small steps");
    return 0;
}

/* Make a first part of the work durable and answer it. Returns a code of LMDB
 * that stops the store, or 0. */
static int
work_some(struct lmdb *lmdb, struct work *work)
{
    struct batch batch;
    int rc = batch_begin(lmdb, &batch);

    if (rc != 0) {
        return rc;
    }
    if (batch_fill(lmdb, &batch, work) == WRITE_BROKEN) {
        mdb_txn_abort(batch.txn);
        rc = batch.rc;
    } else if (batch.n_changes == 0) {
        mdb_txn_abort(batch.txn);
    } else {
        rc = batch_commit(lmdb, &batch, CUT_MAX);
    }
    if (rc != 0) {
        work_put_back(work, &batch);
        return lmdb_is_room_error(rc) ? work_no_room(lmdb, work) : rc;
    }
    answer_all(batch.first);
    work->n_max = BATCH_MAX;
    work->made_room = false;
    work->cut_failed = false;
    return 0;
}

/* Everything that is queued; waits for it, or for something to cut. False: the
 * engine closes. */
static bool
work_take(struct lmdb *lmdb, struct work *work)
{
    bool idle = lmdb->stopped[0] != '\0' || work->cut_failed ||
                !lmdb_cut_pending(&lmdb->state);
    bool go_on;

    (void)pthread_mutex_lock(&lmdb->lock);
    while (lmdb->queue == NULL && !lmdb->closing && idle) {
        (void)pthread_cond_wait(&lmdb->wake, &lmdb->lock);
    }
    work->first = lmdb->queue;
    lmdb->queue = NULL;
    lmdb->queue_tail = &lmdb->queue;
    go_on = work->first != NULL || !lmdb->closing;
    (void)pthread_mutex_unlock(&lmdb->lock);
    return go_on;
}

/* Write, or cut if there is nothing to write. */
static int
work_do(struct lmdb *lmdb, struct work *work)
{
    bool progress = false;
    int rc = 0;

    if (work->first == NULL) {
        rc = cut_some(lmdb, 0, &progress);
        work->cut_failed = !progress;
    }
    while (work->first != NULL && rc == 0) {
        rc = work_some(lmdb, work);
    }
    return rc;
}

void *
lmdb_writer_main(void *arg)
{
    struct lmdb *lmdb = arg;
    struct work work = {.n_max = BATCH_MAX};

    while (work_take(lmdb, &work)) {
        int rc;

        if (lmdb->stopped[0] != '\0') {
            fail_all(work.first, RPCRT_UNAVAILABLE, "the store has stopped");
            continue;
        }
        rc = work_do(lmdb, &work);
        if (rc != 0) {
            writer_stop(lmdb, rc);
            fail_all(work.first, RPCRT_INTERNAL,
                     "the disk failed: this may be kept or not");
        }
    }
    return NULL;
}
