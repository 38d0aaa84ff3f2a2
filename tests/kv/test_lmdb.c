/*
 * What only an engine with a disk promises: everything is there again, what is
 * damaged is noticed, and a disk that fails stops the store.
 */
#include "tests/kv/engines.h"

#include <dirent.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct kvs_range all = {.limit = 0};

static void
path_of(const struct store *store, const char *name, char ret_path[128])
{
    (void)snprintf(ret_path, 128, "%s/%s", store->directory, name);
}

static enum rpcrt_code
open_code(struct store *store, struct common_error *ret_error)
{
    enum rpcrt_code code =
        kvs_engine_open(store->ops, &store->options, ret_error, &store->engine);

    if (code == RPCRT_OK) {
        ret_error->text[0] = '\0';
    }
    return code;
}

static void
close_store(struct store *store)
{
    kvs_engine_close(store->engine);
    store->engine = NULL;
}

/* -- across a restart ------------------------------------------------------ */

Test(lmdb, finds_everything_again, .timeout = 60)
{
    struct store store;
    struct kvs_status before;
    struct kvs_status after;

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    store_put(&store, "a", "1");
    store_put(&store, "a", "2");
    store_put(&store, "b", "1");
    store_delete(&store, "b", NULL);
    before = store_status(&store);
    store_reopen(&store);
    after = store_status(&store);
    cr_expect_str_eq(after.header.store_id, before.header.store_id);
    cr_expect_eq(after.header.epoch, before.header.epoch);
    cr_expect_eq(after.header.revision, 4);
    cr_expect_str_eq(store_list(&store, "", store_open_end, &all), "a=2");
    cr_expect_str_eq(store_value(&store, "a", 1), "1");
    cr_expect_str_eq(store_value(&store, "b", 3), "1");
    cr_expect_eq(store_put(&store, "b", "2"), 5);
    store_fini(&store);
}

Test(memory, is_another_store_after_a_restart, .timeout = 60)
{
    struct store store;
    struct kvs_status before;

    store_init(&store, &kvs_memory_engine, TEST_HISTORY, TEST_SIZE);
    before = store_status(&store);
    store_put(&store, "a", "1");
    store_reopen(&store);
    cr_expect_str_neq(store_status(&store).header.store_id,
                      before.header.store_id);
    cr_expect_eq(store_status(&store).header.revision, 0);
    store_fini(&store);
}

Test(lmdb, cuts_a_history_that_became_shorter, .timeout = 60)
{
    struct store store;
    struct kvs_range old = {.revision = 1};
    unsigned i;

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    for (i = 0; i < 100; i++) {
        store_put(&store, "a", "1");
    }
    store.options.history = 2;
    store_reopen(&store);
    store_put(&store, "a", "2");
    cr_expect_eq(store_status(&store).oldest_revision, 99);
    cr_expect_str_eq(store_list(&store, "a", NULL, &old), "OUT_OF_RANGE");
    old.revision = 99;
    cr_expect_str_eq(store_list(&store, "a", NULL, &old), "a=1");
    store_fini(&store);
}

static void
count_done(struct kvs_write *write)
{
    unsigned *n = write->arg;

    (*n)++;
}

Test(lmdb, finishes_what_is_queued_before_it_closes, .timeout = 60)
{
    struct store store;
    struct kvs_write writes[50];
    struct kvs_op ops[50];
    char keys[50][8];
    unsigned n_done = 0;
    unsigned i;

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    for (i = 0; i < 50; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "%02u", i);
        ops[i] =
            (struct kvs_op){.kind = KVS_OP_PUT, .key = kvs_slice_text(keys[i])};
        writes[i] = (struct kvs_write){.space = kvs_slice_text("test"),
                                       .then = {&ops[i], 1},
                                       .memory = store_memory(&store),
                                       .done = count_done,
                                       .arg = &n_done};
    }
    /* The answers need no memory of the pool but from one thread at a time:
     * all full keys are made before the first write is queued. */
    for (i = 0; i < 50; i++) {
        struct kvs_memory memory = writes[i].memory;

        cr_assert_not_null(memory.alloc(memory.arg, 1));
    }
    store_pool_reset(&store);
    for (i = 0; i < 50; i++) {
        struct store *own = calloc(1, sizeof(*own));

        cr_assert_not_null(own);
        writes[i].memory = store_memory(own);
        cr_assert_not(kvs_engine_write(store.engine, &writes[i]));
    }
    close_store(&store);
    cr_expect_eq(n_done, 50);
    for (i = 0; i < 50; i++) {
        struct store *own = writes[i].memory.arg;

        cr_expect_eq(writes[i].error.code, RPCRT_OK);
        store_pool_reset(own);
        free(own);
    }
    store_reopen(&store);
    cr_expect_eq(store_status(&store).header.revision, 50);
    store_fini(&store);
}

/* -- who may open what ----------------------------------------------------- */

Test(lmdb, belongs_to_one_process_at_a_time, .timeout = 60)
{
    struct store store;
    struct kvs_engine *second = NULL;
    struct common_error error;
    char owner[32];

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    cr_expect_eq(kvs_engine_open(store.ops, &store.options, &error, &second),
                 RPCRT_FAILED_PRECONDITION);
    (void)snprintf(owner, sizeof(owner), "pid %ld", (long)getpid());
    cr_expect_not_null(strstr(error.text, store.directory), "%s", error.text);
    cr_expect_not_null(strstr(error.text, owner), "%s", error.text);
    store_put(&store, "a", "1");
    store_fini(&store);
}

/* Change one record of the databases behind the engine's back. */
static void
overwrite(const struct store *store, const char *database, const char *key,
          const void *value, size_t size)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi;
    char name[32];
    char bytes[64];
    MDB_val key_val = {strlen(key), name};
    MDB_val value_val = {size, bytes};

    (void)snprintf(name, sizeof(name), "%s", key);
    memcpy(bytes, value, size);
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_set_maxdbs(env, 4), 0);
    cr_assert_eq(mdb_env_open(env, store->directory, 0, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    cr_assert_eq(mdb_dbi_open(txn, database, MDB_CREATE, &dbi), 0);
    cr_assert_eq(mdb_put(txn, dbi, &key_val, &value_val, 0), 0);
    cr_assert_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

Test(lmdb, refuses_a_format_it_does_not_know, .timeout = 60)
{
    const uint8_t two[4] = {0, 0, 0, 2};
    const uint8_t one[4] = {0, 0, 0, 1};
    struct store store;
    struct common_error error;

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    store_put(&store, "a", "1");
    close_store(&store);
    overwrite(&store, "meta", "format", two, sizeof(two));
    cr_expect_eq(open_code(&store, &error), RPCRT_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "format 2"), "%s", error.text);
    overwrite(&store, "meta", "format", one, sizeof(one));
    cr_expect_eq(open_code(&store, &error), RPCRT_OK);
    cr_expect_str_eq(store_value(&store, "a", 0), "1");
    store_fini(&store);
}

Test(lmdb, refuses_a_state_that_is_damaged, .timeout = 60)
{
    const uint8_t state[4] = {0, 0, 0, 2};
    struct store store;
    struct common_error error;

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    close_store(&store);
    overwrite(&store, "meta", "state", state, sizeof(state));
    cr_expect_eq(open_code(&store, &error), RPCRT_DATA_LOSS);
    store_fini(&store);
}

Test(lmdb, refuses_the_data_of_another_program, .timeout = 60)
{
    struct store store;
    struct common_error error;
    char path[128];

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    close_store(&store);
    path_of(&store, "data.mdb", path);
    cr_assert_eq(unlink(path), 0);
    overwrite(&store, "stuff", "key", "value", 5);
    cr_expect_eq(open_code(&store, &error), RPCRT_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "not a key-value store"), "%s",
                       error.text);
    store_fini(&store);
}

Test(lmdb, refuses_a_file_that_is_no_database, .timeout = 60)
{
    struct store store;
    struct common_error error;
    char path[128];
    char text[16384];
    int fd;

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    close_store(&store);
    path_of(&store, "data.mdb", path);
    memset(text, 'x', sizeof(text));
    fd = open(path, O_WRONLY | O_TRUNC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, sizeof(text)), (ssize_t)sizeof(text));
    close(fd);
    cr_expect_eq(open_code(&store, &error), RPCRT_DATA_LOSS);
    cr_expect_not_null(strstr(error.text, "data.mdb"), "%s", error.text);
    store_fini(&store);
}

Test(lmdb, refuses_a_file_that_lost_its_end, .timeout = 60)
{
    struct store store;
    struct common_error error;
    char path[128];
    unsigned i;

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    for (i = 0; i < 100; i++) {
        store_put(&store, "a", "1");
    }
    close_store(&store);
    path_of(&store, "data.mdb", path);
    cr_assert_eq(truncate(path, 5 * 4096), 0);
    cr_expect_eq(open_code(&store, &error), RPCRT_DATA_LOSS);
    cr_expect_not_null(strstr(error.text, "lost its end"), "%s", error.text);
    store_fini(&store);
}

Test(lmdb, names_a_directory_that_can_not_be_used, .timeout = 60)
{
    struct kvs_engine_options options = {.directory = "/dev/null/data"};
    struct kvs_engine_options none = {.directory = NULL};
    struct kvs_engine_options small = {.directory = "/tmp", .size_max = 1000};
    struct kvs_engine *engine = NULL;
    struct common_error error;

    cr_expect_neq(kvs_engine_open(&kvs_lmdb_engine, &options, &error, &engine),
                  RPCRT_OK);
    cr_expect_not_null(strstr(error.text, "/dev/null/data"), "%s", error.text);
    cr_expect_eq(kvs_engine_open(&kvs_lmdb_engine, &none, &error, &engine),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(kvs_engine_open(&kvs_lmdb_engine, &small, &error, &engine),
                 RPCRT_INVALID_ARGUMENT);
}

/* -- damage ---------------------------------------------------------------- */

/* Turn a bit of every copy of some bytes in data.mdb; returns how many. */
static unsigned
flip(const struct store *store, const char *bytes)
{
    char path[128];
    struct stat stat;
    uint8_t *data;
    size_t size = strlen(bytes);
    size_t i;
    unsigned n = 0;
    FILE *file;

    path_of(store, "data.mdb", path);
    file = fopen(path, "r+b");
    cr_assert_not_null(file);
    cr_assert_eq(fstat(fileno(file), &stat), 0);
    data = malloc((size_t)stat.st_size);
    cr_assert_not_null(data);
    cr_assert_eq(fread(data, 1, (size_t)stat.st_size, file),
                 (size_t)stat.st_size);
    for (i = 0; i + size <= (size_t)stat.st_size; i++) {
        if (memcmp(data + i, bytes, size) == 0) {
            cr_assert_eq(fseek(file, (long)i, SEEK_SET), 0);
            cr_assert_eq(fputc(data[i] ^ 1, file), data[i] ^ 1);
            n++;
        }
    }
    free(data);
    cr_assert_eq(fclose(file), 0);
    return n;
}

static enum rpcrt_code
get_code(struct store *store, const char *key, bool keys_only)
{
    struct kvs_read read = {
        .range = {.span.first = kvs_slice_text(key), .keys_only = keys_only}};

    return store_read(store, &read);
}

Test(lmdb, notices_a_damaged_value, .timeout = 60)
{
    struct store store;
    struct kvs_op ops[] = {
        {.kind = KVS_OP_PUT, .key = kvs_slice_text("c")},
        {.kind = KVS_OP_RANGE, .range.span.first = kvs_slice_text("a")}};
    struct kvs_write write = {.then = {ops, 2}};

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    store_put(&store, "a", "precious value");
    store_put(&store, "b", "another one");
    close_store(&store);
    cr_assert_gt(flip(&store, "precious value"), 0);
    store_reopen(&store);
    cr_expect_eq(get_code(&store, "a", false), RPCRT_DATA_LOSS);
    cr_expect_eq(get_code(&store, "a", true), RPCRT_OK);
    cr_expect_eq(get_code(&store, "b", false), RPCRT_OK);
    cr_expect_eq(store_write(&store, &write), RPCRT_DATA_LOSS);
    cr_expect_str_eq(store_value(&store, "c", 0), "-");
    cr_expect_neq(store_put(&store, "a", "a new one"), 0);
    cr_expect_str_eq(store_value(&store, "a", 0), "a new one");
    store_fini(&store);
}

Test(lmdb, notices_a_damaged_key, .timeout = 60)
{
    struct store store;
    struct kvs_range range = {.limit = 0};

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    store_put(&store, "a-key-of-length", "x");
    close_store(&store);
    cr_assert_gt(flip(&store, "a-key-of-length"), 0);
    store_reopen(&store);
    cr_expect_str_eq(store_list(&store, "", store_open_end, &range),
                     "DATA_LOSS");
    store_fini(&store);
}

Test(lmdb, goes_on_cutting_behind_a_damaged_record, .timeout = 60)
{
    struct store store;
    unsigned i;

    store_init(&store, &kvs_lmdb_engine, 5, TEST_SIZE);
    store_put(&store, "a-key-of-length", "x");
    close_store(&store);
    cr_assert_gt(flip(&store, "a-key-of-length"), 0);
    store_reopen(&store);
    for (i = 0; i < 100; i++) {
        cr_assert_neq(store_put(&store, "b", "1"), 0);
    }
    cr_expect_eq(store_status(&store).oldest_revision, 96);
    store_fini(&store);
}

/* -- a disk that fails ----------------------------------------------------- */

/* Make every descriptor of data.mdb read-only, so that writing fails. */
static void
break_disk(const struct store *store)
{
    char path[128];
    char link[300];
    char target[256];
    struct dirent *entry;
    int read_only;
    DIR *dir = opendir("/proc/self/fd");

    path_of(store, "data.mdb", path);
    read_only = open(path, O_RDONLY);
    cr_assert_geq(read_only, 0);
    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        ssize_t n;

        (void)snprintf(link, sizeof(link), "/proc/self/fd/%s", entry->d_name);
        n = readlink(link, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        if (strcmp(target, path) == 0 && atoi(entry->d_name) != read_only) {
            cr_assert_geq(dup2(read_only, atoi(entry->d_name)), 0);
        }
    }
    (void)closedir(dir);
    close(read_only);
}

Test(lmdb, stops_when_the_disk_fails, .timeout = 60)
{
    struct store store;
    struct kvs_op op = {.kind = KVS_OP_PUT, .key = kvs_slice_text("b")};
    struct kvs_write write = {.then = {&op, 1}};
    struct kvs_op next_op = {.kind = KVS_OP_PUT, .key = kvs_slice_text("c")};
    struct kvs_write next = {.then = {&next_op, 1}};

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, TEST_SIZE);
    store_put(&store, "a", "1");
    break_disk(&store);
    cr_expect_eq(store_write(&store, &write), RPCRT_INTERNAL);
    cr_expect_eq(store_write(&store, &next), RPCRT_UNAVAILABLE);
    cr_expect_not_null(strstr(next.error.text, "stopped"));
    cr_expect_neq(store_status(&store).stopped[0], '\0');
    cr_expect_str_eq(store_value(&store, "a", 0), "1");
    cr_expect_gt(store.n_warnings, 0);
    store_reopen(&store);
    cr_expect_str_eq(store_value(&store, "a", 0), "1");
    cr_expect_eq(store_put(&store, "c", "1"), 2);
    store_fini(&store);
}

/* -- a disk that is full --------------------------------------------------- */

static void
limit_files(uint64_t bytes)
{
    struct rlimit limit = {bytes, bytes};

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(lmdb, takes_a_full_disk_as_a_full_store, .timeout = 60)
{
    static uint8_t value[30000];
    struct store store;
    char key[16];
    unsigned n = 0;
    unsigned i;

    store_init(&store, &kvs_lmdb_engine, TEST_HISTORY, UINT64_C(1) << 30);
    limit_files(UINT64_C(40) << 20);
    for (;;) {
        enum rpcrt_code code;

        (void)snprintf(key, sizeof(key), "%05u", n);
        code = store_put_bytes(&store, kvs_slice_text(key),
                               (struct kvs_slice){value, sizeof(value)});
        if (code != RPCRT_OK) {
            cr_expect_eq(code, RPCRT_RESOURCE_EXHAUSTED);
            break;
        }
        n++;
        store_pool_reset(&store);
    }
    cr_expect_gt(n, 300);
    cr_expect_str_eq(store_status(&store).stopped, "");
    cr_expect(store_status(&store).full);
    store_reopen(&store);
    for (i = 0; i < n; i++) {
        (void)snprintf(key, sizeof(key), "%05u", i);
        cr_assert_not_null(store_get(&store, key, 0), "%s is lost", key);
        store_pool_reset(&store);
    }
    for (i = 0; i < n; i += 2) {
        (void)snprintf(key, sizeof(key), "%05u", i);
        cr_assert_eq(store_delete(&store, key, NULL), 1);
        store_pool_reset(&store);
    }
    cr_expect_eq(store_put_bytes(&store, kvs_slice_text("new"),
                                 (struct kvs_slice){value, sizeof(value)}),
                 RPCRT_OK);
    cr_expect_str_eq(store_status(&store).stopped, "");
    store_fini(&store);
}
