/*
 * The harness of the engine suite: see store.h.
 */
#include "tests/kv/store.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct pool_block {
    struct pool_block *next;
    max_align_t data[];
};

const char store_open_end[] = "(open)";

/* -- memory ---------------------------------------------------------------- */

static void *
pool_alloc(void *arg, size_t size)
{
    struct store *store = arg;
    struct pool_block *block = calloc(1, sizeof(*block) + size);

    if (block == NULL) {
        return NULL;
    }
    block->next = store->pool;
    store->pool = block;
    return block->data;
}

static void *
pool_copy(void *arg, const void *data, size_t size)
{
    void *copy = pool_alloc(arg, size + 1);

    if (copy != NULL && size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

struct kvs_memory
store_memory(struct store *store)
{
    return (struct kvs_memory){pool_alloc, pool_copy, store};
}

void
store_pool_reset(struct store *store)
{
    while (store->pool != NULL) {
        struct pool_block *block = store->pool;

        store->pool = block->next;
        free(block);
    }
}

/* -- opening and closing --------------------------------------------------- */

static void
count_warning(void *arg, const char *line)
{
    struct store *store = arg;

    (void)line;
    store->n_warnings++;
}

static void
store_open(struct store *store)
{
    struct common_error error = {.text = ""};

    cr_assert_eq(
        kvs_engine_open(store->ops, &store->options, &error, &store->engine),
        RPCRT_OK, "%s", error.text);
}

void
store_init(struct store *store, const struct kvs_engine_ops *ops,
           uint64_t history, uint64_t size_max)
{
    *store = (struct store){.ops = ops, .space = "test"};
    (void)snprintf(store->directory, sizeof(store->directory),
                   "/tmp/rpcrt-kv-XXXXXX");
    cr_assert_not_null(mkdtemp(store->directory));
    store->options.directory = store->directory;
    store->options.history = history;
    store->options.size_max = size_max;
    store->options.warn = count_warning;
    store->options.warn_arg = store;
    store_open(store);
}

void
store_reopen(struct store *store)
{
    kvs_engine_close(store->engine);
    store->engine = NULL;
    store_open(store);
}

void
store_fini(struct store *store)
{
    struct dirent *entry;
    char path[512];
    DIR *dir;

    kvs_engine_close(store->engine);
    store->engine = NULL;
    store_pool_reset(store);
    dir = opendir(store->directory);
    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof(path), "%s/%s", store->directory,
                           entry->d_name);
            cr_assert_eq(unlink(path), 0);
        }
    }
    (void)closedir(dir);
    cr_assert_eq(rmdir(store->directory), 0);
}

/* -- requests -------------------------------------------------------------- */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
};

static void
waiter_told(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

static void
read_done(struct kvs_read *read)
{
    waiter_told(read->arg);
}

static void
write_done(struct kvs_write *write)
{
    waiter_told(write->arg);
}

static void
waiter_wait(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->done) {
        pthread_cond_wait(&waiter->wake, &waiter->lock);
    }
    pthread_mutex_unlock(&waiter->lock);
}

enum rpcrt_code
store_read(struct store *store, struct kvs_read *read)
{
    struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                            false};

    read->space = kvs_slice_text(store->space);
    read->memory = store_memory(store);
    read->done = read_done;
    read->arg = &waiter;
    if (!kvs_engine_read(store->engine, read)) {
        waiter_wait(&waiter);
    }
    return read->error.code;
}

enum rpcrt_code
store_write(struct store *store, struct kvs_write *write)
{
    struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                            false};

    write->space = kvs_slice_text(store->space);
    if (write->memory.arg == NULL) {
        write->memory = store_memory(store);
    }
    write->done = write_done;
    write->arg = &waiter;
    if (!kvs_engine_write(store->engine, write)) {
        waiter_wait(&waiter);
    }
    return write->error.code;
}

static uint64_t
put(struct store *store, struct kvs_slice key, struct kvs_slice value,
    enum rpcrt_code *ret_code)
{
    struct kvs_op op = {.kind = KVS_OP_PUT, .key = key, .value = value};
    struct kvs_write write = {.then = {&op, 1}};

    *ret_code = store_write(store, &write);
    return *ret_code == RPCRT_OK ? write.header.revision : 0;
}

uint64_t
store_put(struct store *store, const char *key, const char *value)
{
    enum rpcrt_code code;

    return put(store, kvs_slice_text(key), kvs_slice_text(value), &code);
}

enum rpcrt_code
store_put_bytes(struct store *store, struct kvs_slice key,
                struct kvs_slice value)
{
    enum rpcrt_code code;

    (void)put(store, key, value, &code);
    return code;
}

static struct kvs_slice
end_of(const char *end)
{
    static const uint8_t zero = 0;

    if (end == NULL) {
        return (struct kvs_slice){NULL, 0};
    }
    return end == store_open_end ? (struct kvs_slice){&zero, 1}
                                 : kvs_slice_text(end);
}

const struct kvs_entry *
store_get(struct store *store, const char *key, uint64_t revision)
{
    struct kvs_read read = {.range = {.span = {.first = kvs_slice_text(key)},
                                      .revision = revision}};

    cr_assert_eq(store_read(store, &read), RPCRT_OK, "%s", read.error.text);
    return read.result.entries;
}

const char *
store_value(struct store *store, const char *key, uint64_t revision)
{
    const struct kvs_entry *entry = store_get(store, key, revision);

    if (entry == NULL) {
        return "-";
    }
    return entry->value.size == 0 ? "" : (const char *)entry->value.data;
}

uint64_t
store_delete(struct store *store, const char *key, const char *end)
{
    struct kvs_op op = {
        .kind = KVS_OP_DELETE,
        .range.span = {kvs_slice_text(key), end_of(end), false}};
    struct kvs_write write = {.then = {&op, 1}};

    cr_assert_eq(store_write(store, &write), RPCRT_OK, "%s", write.error.text);
    cr_assert_eq(write.n_results, 1);
    return write.results[0].deleted;
}

const char *
store_list(struct store *store, const char *key, const char *end,
           const struct kvs_range *range)
{
    static char text[4096];
    struct kvs_read read = {.range = *range};
    const struct kvs_entry *entry;
    size_t length = 0;

    read.range.span =
        (struct kvs_span){kvs_slice_text(key), end_of(end), false};
    if (store_read(store, &read) != RPCRT_OK) {
        return rpcrt_code_name(read.error.code);
    }
    text[0] = '\0';
    for (entry = read.result.entries; entry != NULL; entry = entry->next) {
        int n = snprintf(
            text + length, sizeof(text) - length, "%s%.*s=%.*s",
            length == 0 ? "" : " ", (int)entry->key.size,
            (const char *)entry->key.data, (int)entry->value.size,
            entry->value.size == 0 ? "" : (const char *)entry->value.data);

        cr_assert(n > 0 && (size_t)n < sizeof(text) - length);
        length += (size_t)n;
    }
    (void)snprintf(text + length, sizeof(text) - length, "%s",
                   read.result.more ? " +" : "");
    return text;
}

struct kvs_status
store_status(struct store *store)
{
    struct kvs_status status;
    struct common_error error;

    cr_assert_eq(kvs_engine_status(store->engine, &error, &status), RPCRT_OK,
                 "%s", error.text);
    return status;
}
