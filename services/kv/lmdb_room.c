/*
 * How much more fits. A commit that runs out of disk half way must not be left
 * to chance, so the disk promises the space first (posix_fallocate) and LMDB's
 * map is never larger than what was promised: then the map is what gets full,
 * and LMDB aborts a transaction for that without a trace. A part of the space
 * is kept for deleting: what is full can always be emptied.
 *
 * Estimates are in pages. One that is too low costs an aborted batch.
 */
#include "kv/lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define RESERVE_BYTES_MAX (UINT64_C(16) << 20)
/* The least to ask the disk for at once; else an eighth of what is used. */
#define GROW_BYTES_MIN (UINT64_C(16) << 20)
/* Pages that a commit takes whatever it changes: the ways to the state, the
 * list of free pages, the roots. */
#define PAGES_BATCH 48u
/* New pages on the ways to a key and to the end of the log, with what many
 * keys of a batch share. */
#define PAGES_PUT 2u
#define PAGES_SPAN 6u
/* And for looking at a log record: two removals. */
#define PAGES_CUT 4u
/* Bytes that a deleted key takes beside its own in log and index; deletes of
 * one interval are neighbours, and share pages. */
#define BYTES_DELETE 96u

static uint64_t
pages_of(const struct lmdb_file *file, uint64_t bytes)
{
    return (bytes + file->page_size - 1) / file->page_size;
}

/* Let LMDB use pages up to an end; nobody may be reading meanwhile. */
static int
remap(struct lmdb *lmdb, uint64_t page_end)
{
    int rc;

    (void)pthread_rwlock_wrlock(&lmdb->map_lock);
    rc = mdb_env_set_mapsize(lmdb->file.env,
                             (size_t)(page_end * lmdb->file.page_size));
    lmdb->unmapped = rc != 0;
    (void)pthread_rwlock_unlock(&lmdb->map_lock);
    if (rc == 0) {
        lmdb->room.page_end = page_end;
    }
    return rc;
}

/* Ask the disk for pages. 0, or an errno. */
static int
promise(const struct lmdb *lmdb, uint64_t from, uint64_t page_end)
{
    uint64_t page_size = lmdb->file.page_size;
    mdb_filehandle_t fd = -1;
    int rc = mdb_env_get_fd(lmdb->file.env, &fd);

    if (rc != 0) {
        return rc;
    }
    do {
        rc = posix_fallocate(fd, (off_t)(from * page_size),
                             (off_t)((page_end - from) * page_size));
    } while (rc == EINTR);
    return rc;
}

/* Count the pages that were freed; those by the last transaction can't be used
 * by the next one yet. */
static int
count_free(struct lmdb_room *room, const struct lmdb_file *file)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val pages;
    int rc = mdb_txn_begin(file->env, NULL, MDB_RDONLY, &txn);

    if (rc == 0) {
        rc = mdb_cursor_open(txn, 0, &cursor);
    }
    room->free_pages = 0;
    room->pending_pages = 0;
    while (rc == 0 &&
           (rc = mdb_cursor_get(cursor, &key, &pages, MDB_NEXT)) == 0) {
        size_t id = 0;
        size_t n = 0;

        /* LMDB's own list: which transaction freed, how many, which. */
        if (key.mv_size == sizeof(id) && pages.mv_size >= sizeof(n)) {
            memcpy(&id, key.mv_data, sizeof(id));
            memcpy(&n, pages.mv_data, sizeof(n));
        }
        if (id < mdb_txn_id(txn)) {
            room->free_pages += n;
        } else {
            room->pending_pages += n;
        }
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Pages to have ready for the next batch, beside the reserve. */
static uint64_t
pages_ahead(const struct lmdb *lmdb)
{
    uint64_t least = pages_of(&lmdb->file, GROW_BYTES_MIN);
    uint64_t part = lmdb->room.page_next / 8;

    return part > least ? part : least;
}

/* Have `wanted` pages beyond those in use, or as many as the disk gives. */
static int
grow(struct lmdb *lmdb, uint64_t wanted)
{
    struct lmdb_room *room = &lmdb->room;
    uint64_t page_end = room->page_next + wanted;
    uint64_t step;

    if (page_end > room->page_end_max) {
        page_end = room->page_end_max;
    }
    if (page_end <= room->page_end) {
        return 0;
    }
    for (step = page_end - room->page_end; step > 0; step /= 2) {
        int rc = promise(lmdb, room->page_end, room->page_end + step);

        if (rc == 0) {
            return remap(lmdb, room->page_end + step);
        }
        if (!lmdb_is_room_error(rc)) {
            return rc;
        }
    }
    return 0;
}

int
lmdb_room_update(struct lmdb *lmdb)
{
    struct lmdb_room *room = &lmdb->room;
    uint64_t ahead;
    MDB_envinfo info;
    int rc = mdb_env_info(lmdb->file.env, &info);

    if (rc != 0) {
        return rc;
    }
    room->page_next = (uint64_t)info.me_last_pgno + 1;
    room->taken = PAGES_BATCH;
    room->free_pages = 0;
    ahead = pages_ahead(lmdb);
    if (room->page_end >= room->page_next + room->reserve_pages + ahead / 2) {
        return 0;
    }
    rc = grow(lmdb, room->reserve_pages + ahead);
    if (rc == 0 &&
        room->page_end < room->page_next + room->reserve_pages + ahead / 2) {
        rc = count_free(room, &lmdb->file);
    }
    return rc;
}

/* Pages that the file has or needs now. */
static int
pages_present(const struct lmdb *lmdb, uint64_t *ret_pages)
{
    mdb_filehandle_t fd = -1;
    MDB_envinfo info;
    struct stat stat;
    uint64_t pages;
    int rc = mdb_env_info(lmdb->file.env, &info);

    if (rc == 0) {
        rc = mdb_env_get_fd(lmdb->file.env, &fd);
    }
    if (rc == 0 && fstat(fd, &stat) != 0) {
        rc = errno;
    }
    if (rc != 0) {
        return rc;
    }
    pages = (uint64_t)stat.st_size / lmdb->file.page_size;
    if (pages > lmdb->room.page_end_max) {
        pages = lmdb->room.page_end_max;
    }
    *ret_pages = (uint64_t)info.me_last_pgno + 1;
    *ret_pages = pages > *ret_pages ? pages : *ret_pages;
    return 0;
}

/* What the file has is promised from its beginning, since LMDB may have left
 * holes; the map is cut down to it. */
enum rpcrt_code
lmdb_room_init(struct lmdb *lmdb, struct common_error *ret_error)
{
    struct lmdb_room *room = &lmdb->room;
    uint64_t reserve = lmdb->file.map_size_max / 8;
    uint64_t pages = 0;
    int rc;

    if (reserve > RESERVE_BYTES_MAX) {
        reserve = RESERVE_BYTES_MAX;
    }
    room->reserve_pages = reserve / lmdb->file.page_size;
    room->page_end_max = lmdb->file.map_size_max / lmdb->file.page_size;
    rc = pages_present(lmdb, &pages);
    if (rc == 0) {
        /* With a hole and a full disk it can still be read. */
        rc = promise(lmdb, 0, pages);
        rc = lmdb_is_room_error(rc) ? 0 : rc;
    }
    if (rc == 0) {
        rc = remap(lmdb, pages);
    }
    if (rc == 0) {
        rc = lmdb_room_update(lmdb);
    }
    return rc == 0 ? RPCRT_OK
                   : lmdb_error(ret_error, rc, "make room in data.mdb");
}

/* Pages that the present batch can still take. */
static uint64_t
pages_left(const struct lmdb_room *room)
{
    uint64_t all = room->free_pages;

    if (room->page_end > room->page_next) {
        all += room->page_end - room->page_next;
    }
    return all > room->taken ? all - room->taken : 0;
}

bool
lmdb_room_take(struct lmdb *lmdb, const struct kvs_plan *plan)
{
    struct lmdb_room *room = &lmdb->room;
    uint64_t kept = plan->grows ? room->reserve_pages : 0;
    uint64_t n_puts = plan->n_changes - plan->n_deletes;
    uint64_t pages = n_puts * PAGES_PUT + plan->n_spans * PAGES_SPAN +
                     pages_of(&lmdb->file, plan->bytes) +
                     pages_of(&lmdb->file, 2 * BYTES_DELETE * plan->n_deletes);

    if (pages + kept > pages_left(room)) {
        return false;
    }
    room->taken += pages;
    return true;
}

uint64_t
lmdb_room_take_cut(struct lmdb *lmdb, uint64_t n)
{
    uint64_t possible = pages_left(&lmdb->room) / PAGES_CUT;

    return possible < n ? possible : n;
}
