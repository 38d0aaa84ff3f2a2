/*
 * The directory of a store: who may use it, what is in it, and in which
 * format. Files: kvd.lock (held by the process that serves the store),
 * data.mdb and lock.mdb (LMDB's).
 */
#include "kv/lmdb.h"
#include "kv/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1u
#define FORMAT_KEY "format"
#define STATE_KEY "state"
#define READERS_MAX 512u
#define DATABASES_MAX 4u

bool
lmdb_is_room_error(int rc)
{
    return rc == MDB_MAP_FULL || rc == MDB_TXN_FULL || rc == ENOSPC ||
           rc == EDQUOT || rc == EFBIG;
}

static enum rpcrt_code
code_of(int rc)
{
    if (lmdb_is_room_error(rc) || rc == ENOMEM || rc == MDB_READERS_FULL) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    switch (rc) {
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_BAD_VALSIZE:
        return RPCRT_DATA_LOSS;
    case MDB_VERSION_MISMATCH:
        return RPCRT_FAILED_PRECONDITION;
    case EACCES:
    case EPERM:
    case EROFS:
        return RPCRT_PERMISSION_DENIED;
    default:
        return RPCRT_INTERNAL;
    }
}

enum rpcrt_code
lmdb_error(struct common_error *ret_error, int rc, const char *what)
{
    if (rc > 0) {
        return common_error_errno(ret_error, code_of(rc), rc, "%s", what);
    }
    return common_error_set(ret_error, code_of(rc), "%s: %s", what,
                            mdb_strerror(rc));
}

/* -- records of the store as a whole --------------------------------------- */

static MDB_val
val_of(const void *data, size_t size)
{
    /* LMDB takes what it only reads as pointers to what it may write. */
    union {
        const void *in;
        void *out;
    } pointer = {data};

    return (MDB_val){size, pointer.out};
}

enum rpcrt_code
lmdb_state_get(const struct lmdb_file *file, MDB_txn *txn,
               struct common_error *ret_error, struct kvs_state *ret_state)
{
    MDB_val key = val_of(STATE_KEY, strlen(STATE_KEY));
    MDB_val value;
    int rc = mdb_get(txn, file->meta, &key, &value);

    if (rc != 0) {
        return lmdb_error(ret_error, rc, "read the store's state");
    }
    if (!kvs_state_read((struct kvs_slice){value.mv_data, value.mv_size},
                        ret_state)) {
        return common_error_set(
            ret_error, RPCRT_DATA_LOSS,
            "the store's state does not match its checksum");
    }
    return RPCRT_OK;
}

int
lmdb_state_put(const struct lmdb_file *file, MDB_txn *txn,
               const struct kvs_state *state)
{
    uint8_t bytes[KVS_STATE_SIZE];
    MDB_val key = val_of(STATE_KEY, strlen(STATE_KEY));
    MDB_val value = val_of(bytes, sizeof(bytes));

    kvs_state_write(state, bytes);
    return mdb_put(txn, file->meta, &key, &value, 0);
}

static enum rpcrt_code
format_check(const struct lmdb_file *file, MDB_txn *txn,
             struct common_error *ret_error)
{
    MDB_val key = val_of(FORMAT_KEY, strlen(FORMAT_KEY));
    MDB_val value;
    int rc = mdb_get(txn, file->meta, &key, &value);
    uint32_t format;

    if (rc != 0) {
        return lmdb_error(ret_error, rc, "read the store's format");
    }
    format = value.mv_size == 4 ? kvs_get_u32(value.mv_data) : 0;
    if (format != FORMAT) {
        return common_error_set(
            ret_error, RPCRT_FAILED_PRECONDITION,
            "the data has format %u, this program knows format %u only", format,
            FORMAT);
    }
    return RPCRT_OK;
}

static int
format_put(const struct lmdb_file *file, MDB_txn *txn)
{
    uint8_t bytes[4];
    MDB_val key = val_of(FORMAT_KEY, strlen(FORMAT_KEY));
    MDB_val value = val_of(bytes, sizeof(bytes));

    kvs_put_u32(bytes, FORMAT);
    return mdb_put(txn, file->meta, &key, &value, 0);
}

/* -- databases ------------------------------------------------------------- */

static int
databases_open(struct lmdb_file *file, MDB_txn *txn, unsigned flags)
{
    int rc = mdb_dbi_open(txn, "meta", flags, &file->meta);

    if (rc == 0) {
        rc = mdb_dbi_open(txn, "log", flags, &file->log);
    }
    if (rc == 0) {
        rc = mdb_dbi_open(txn, "index", flags | MDB_DUPSORT, &file->index);
    }
    return rc;
}

/* Make an empty store. */
static enum rpcrt_code
store_create(struct lmdb_file *file, MDB_txn *txn,
             struct common_error *ret_error, struct kvs_state *ret_state)
{
    struct kvs_state state = {.epoch = 1};
    int rc = databases_open(file, txn, MDB_CREATE);

    kvs_id_make(state.store_id);
    if (rc == 0) {
        rc = format_put(file, txn);
    }
    if (rc == 0) {
        rc = lmdb_state_put(file, txn, &state);
    }
    if (rc != 0) {
        return lmdb_error(ret_error, rc, "make the store");
    }
    *ret_state = state;
    return RPCRT_OK;
}

static enum rpcrt_code
store_load(struct lmdb_file *file, MDB_txn *txn, struct common_error *ret_error,
           struct kvs_state *ret_state)
{
    int rc = databases_open(file, txn, 0);

    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE) {
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "the data is not a key-value store's");
    }
    if (rc != 0) {
        return lmdb_error(ret_error, rc, "open the store");
    }
    if (format_check(file, txn, ret_error) != RPCRT_OK) {
        return ret_error->code;
    }
    return lmdb_state_get(file, txn, ret_error, ret_state);
}

static enum rpcrt_code
store_open(struct lmdb_file *file, struct common_error *ret_error,
           struct kvs_state *ret_state)
{
    MDB_txn *txn = NULL;
    MDB_stat stat;
    int rc = mdb_env_stat(file->env, &stat);

    if (rc == 0) {
        rc = mdb_txn_begin(file->env, NULL, 0, &txn);
    }
    if (rc != 0) {
        return lmdb_error(ret_error, rc, "begin");
    }
    if ((stat.ms_entries == 0
             ? store_create(file, txn, ret_error, ret_state)
             : store_load(file, txn, ret_error, ret_state)) != RPCRT_OK) {
        mdb_txn_abort(txn);
        return ret_error->code;
    }
    file->page_size = stat.ms_psize;
    rc = mdb_txn_commit(txn);
    return rc == 0 ? RPCRT_OK : lmdb_error(ret_error, rc, "commit");
}

/* -- files ----------------------------------------------------------------- */

static enum rpcrt_code
directory_lock(struct lmdb_file *file, struct common_error *ret_error)
{
    char path[4096];
    char owner[32] = "";
    ssize_t n;

    if (mkdir(file->directory, 0700) != 0 && errno != EEXIST) {
        return common_error_errno(ret_error, code_of(errno), errno,
                                  "make the directory");
    }
    if (snprintf(path, sizeof(path), "%s/kvd.lock", file->directory) >=
        (int)sizeof(path)) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "the name is too long");
    }
    file->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file->lock_fd < 0) {
        return common_error_errno(ret_error, code_of(errno), errno,
                                  "open kvd.lock");
    }
    if (flock(file->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        n = read(file->lock_fd, owner, sizeof(owner) - 1);
        owner[n > 0 ? n : 0] = '\0';
        owner[strcspn(owner, "\n")] = '\0';
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "in use by another process (%s)",
                                owner[0] == '\0' ? "unknown" : owner);
    }
    /* Only told to people: it does not matter whether it can be written. */
    n = snprintf(owner, sizeof(owner), "pid %ld\n", (long)getpid());
    if (ftruncate(file->lock_fd, 0) == 0 &&
        pwrite(file->lock_fd, owner, (size_t)n, 0) != n) {
        (void)ftruncate(file->lock_fd, 0);
    }
    return RPCRT_OK;
}

/* New names in the directory outlive a crash only if it is synced too. */
static enum rpcrt_code
directory_sync(const struct lmdb_file *file, struct common_error *ret_error)
{
    int fd = open(file->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) != 0 ? errno : 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return rc == 0 ? RPCRT_OK
                   : common_error_errno(ret_error, code_of(rc), rc,
                                        "sync the directory");
}

/* A file that lost its end would kill the process when it is read. */
static enum rpcrt_code
size_check(const struct lmdb_file *file, struct common_error *ret_error)
{
    MDB_envinfo info;
    MDB_stat env_stat;
    struct stat stat;
    mdb_filehandle_t fd = -1;

    if (mdb_env_info(file->env, &info) != 0 ||
        mdb_env_stat(file->env, &env_stat) != 0 ||
        mdb_env_get_fd(file->env, &fd) != 0 || fstat(fd, &stat) != 0) {
        return common_error_set(ret_error, RPCRT_INTERNAL,
                                "can't look at data.mdb");
    }
    if ((uint64_t)stat.st_size <
            ((uint64_t)info.me_last_pgno + 1) * env_stat.ms_psize &&
        info.me_last_txnid > 0) {
        return common_error_set(ret_error, RPCRT_DATA_LOSS,
                                "data.mdb has lost its end");
    }
    return RPCRT_OK;
}

static enum rpcrt_code
env_open(struct lmdb_file *file, struct common_error *ret_error)
{
    int dead = 0;
    int rc = mdb_env_create(&file->env);

    if (rc == 0) {
        rc = mdb_env_set_mapsize(file->env, (size_t)file->map_size_max);
    }
    if (rc == 0) {
        rc = mdb_env_set_maxreaders(file->env, READERS_MAX);
    }
    if (rc == 0) {
        rc = mdb_env_set_maxdbs(file->env, DATABASES_MAX);
    }
    if (rc == 0) {
        rc = mdb_env_open(file->env, file->directory, MDB_NOTLS, 0600);
    }
    if (rc == 0) {
        /* Readers of a process that was killed would keep pages for ever. */
        rc = mdb_reader_check(file->env, &dead);
    }
    return rc == 0 ? RPCRT_OK : lmdb_error(ret_error, rc, "open data.mdb");
}

static enum rpcrt_code
file_open(struct lmdb_file *file, struct common_error *ret_error,
          struct kvs_state *ret_state)
{
    if (file->directory == NULL) {
        return common_error_no_memory(ret_error);
    }
    if (directory_lock(file, ret_error) != RPCRT_OK ||
        env_open(file, ret_error) != RPCRT_OK ||
        size_check(file, ret_error) != RPCRT_OK ||
        store_open(file, ret_error, ret_state) != RPCRT_OK) {
        return ret_error->code;
    }
    return directory_sync(file, ret_error);
}

enum rpcrt_code
lmdb_file_open(const char *directory, uint64_t map_size_max,
               struct common_error *ret_error, struct lmdb_file *ret_file,
               struct kvs_state *ret_state)
{
    struct common_error error;

    *ret_file = (struct lmdb_file){.directory = strdup(directory),
                                   .map_size_max = map_size_max,
                                   .lock_fd = -1};
    if (file_open(ret_file, &error, ret_state) != RPCRT_OK) {
        lmdb_file_close(ret_file);
        return common_error_set(ret_error, error.code, "data directory %s: %s",
                                directory, error.text);
    }
    return RPCRT_OK;
}

void
lmdb_file_close(struct lmdb_file *file)
{
    if (file->env != NULL) {
        mdb_env_close(file->env);
        file->env = NULL;
    }
    if (file->lock_fd >= 0) {
        (void)close(file->lock_fd);
        file->lock_fd = -1;
    }
    free(file->directory);
    file->directory = NULL;
}
