/*
 * The memory engine: all keys in an ordered map, each with its versions,
 * newest first; and all versions in the order of their revisions, so that the
 * end of the history can be cut off. Everything under one lock; nothing is
 * kept when the process ends, so each start is another store.
 */
#include "kv/engine.h"
#include "kv/plan.h"
#include "kv/skiplist.h"

#include <pthread.h>
#include <stdlib.h>

#define SIZE_MAX_DEFAULT (UINT64_C(1) << 30)
#define SIZE_MAX_MIN (UINT64_C(4) << 20)
/* What only deleting may use: an eighth of the memory, at the most this. */
#define RESERVE_MAX (UINT64_C(64) << 20)
/* What a change takes beside the bytes of its key and value, at the most. */
#define CHANGE_SIZE                                                            \
    (sizeof(struct version) + sizeof(struct kvs_node) +                        \
     KVS_SKIPLIST_LEVELS_MAX * sizeof(struct kvs_node *))

/* One version of a key; `data` is its value. */
struct version {
    struct version *older; /* of the same key */
    struct version *newer;
    struct version *next_log; /* in the order of revisions */
    struct kvs_node *node;
    uint64_t create_revision;
    uint64_t mod_revision;
    uint64_t version; /* 0: the key is deleted */
    size_t value_size;
    uint8_t data[];
};

struct memory {
    struct kvs_engine base;
    struct kvs_engine_options options;
    uint64_t size_max;
    uint64_t reserve;

    pthread_mutex_t lock; /* guards what follows */
    struct kvs_view view;
    struct kvs_skiplist keys; /* values are struct version, the newest */
    struct version *log;      /* versions behind the oldest revision */
    struct version **log_tail;
    uint64_t size;
    bool full;
};

/* A change with the memory that it takes, before it is made. */
struct prepared {
    struct kvs_node *node; /* to insert, if the key is new */
    struct version *version;
};

static uint64_t
version_size(const struct version *version)
{
    return sizeof(*version) + version->value_size;
}

/* -- reading --------------------------------------------------------------- */

/* The version that a key had at a revision; NULL if it was not there. */
static const struct version *
version_at(const struct kvs_node *node, uint64_t revision)
{
    const struct version *version = node->value;

    while (version != NULL && version->mod_revision > revision) {
        version = version->older;
    }
    return version == NULL || version->version == 0 ? NULL : version;
}

/* Show a key's entry to a visitor; false ends the scan. */
static bool
visit_node(const struct kvs_node *node, uint64_t revision, kvs_visit_fn *visit,
           void *arg)
{
    const struct version *version = version_at(node, revision);
    struct kvs_entry entry;

    if (version == NULL) {
        return true;
    }
    entry = (struct kvs_entry){
        .key = node->key,
        .value = {version->data, version->value_size},
        .create_revision = version->create_revision,
        .mod_revision = version->mod_revision,
        .version = version->version,
    };
    return visit(arg, &entry);
}

static enum rpcrt_code
scan(struct kvs_view *view, const struct kvs_span *span, uint64_t revision,
     bool reverse, bool keys_only, kvs_visit_fn *visit, void *arg,
     struct common_error *ret_error)
{
    struct memory *memory =
        (struct memory *)(void *)((char *)view - offsetof(struct memory, view));
    struct kvs_node *node;

    (void)keys_only;
    (void)ret_error;
    if (span->one) {
        node = kvs_skiplist_find(&memory->keys, span->first);
        if (node != NULL) {
            (void)visit_node(node, revision, visit, arg);
        }
    } else if (reverse) {
        node = kvs_skiplist_find_before(&memory->keys, span->end);
        while (node != NULL && kvs_slice_compare(node->key, span->first) >= 0 &&
               visit_node(node, revision, visit, arg)) {
            node = node->prev;
        }
    } else {
        node = kvs_skiplist_find_from(&memory->keys, span->first);
        while (node != NULL && kvs_slice_compare(node->key, span->end) < 0 &&
               visit_node(node, revision, visit, arg)) {
            node = node->next[0];
        }
    }
    return RPCRT_OK;
}

static bool
memory_read(struct kvs_engine *engine, struct kvs_read *read)
{
    struct memory *memory = (struct memory *)(void *)engine;

    (void)pthread_mutex_lock(&memory->lock);
    kvs_plan_read(&memory->view, read);
    (void)pthread_mutex_unlock(&memory->lock);
    return true;
}

/* -- history --------------------------------------------------------------- */

static void
version_free(struct memory *memory, struct version *version)
{
    memory->size -= version_size(version);
    free(version);
}

/* A deleted key of which no readable revision knows anything. */
static void
node_forget(struct memory *memory, struct version *version)
{
    struct kvs_node *node = version->node;
    bool last = version->newer == NULL;

    if (!last) {
        version->newer->older = NULL;
    }
    version_free(memory, version);
    if (last) {
        kvs_skiplist_remove(&memory->keys, node);
        memory->size -= kvs_skiplist_node_size(node);
        free(node);
    }
}

/* Forget what only revisions before this one can see. */
static void
history_cut(struct memory *memory, uint64_t revision)
{
    if (memory->view.oldest_revision < revision) {
        memory->view.oldest_revision = revision;
    }
    while (memory->log != NULL && memory->log->mod_revision <= revision) {
        struct version *version = memory->log;

        memory->log = version->next_log;
        if (version->older != NULL) {
            version_free(memory, version->older);
            version->older = NULL;
        }
        if (version->version == 0) {
            node_forget(memory, version);
        }
    }
    if (memory->log == NULL) {
        memory->log_tail = &memory->log;
    }
}

static void
history_keep(struct memory *memory)
{
    uint64_t latest = memory->view.header.revision;

    if (latest > memory->options.history) {
        history_cut(memory, latest - memory->options.history);
    }
}

/* -- writing --------------------------------------------------------------- */

static void
prepared_free(struct prepared *prepared, size_t n_prepared)
{
    size_t i;

    for (i = 0; i < n_prepared; i++) {
        free(prepared[i].node);
        free(prepared[i].version);
    }
}

/* Take the memory for one change; false if there is none. */
static bool
prepare(struct memory *memory, const struct kvs_change *change,
        struct prepared *ret_prepared, uint64_t *bytes)
{
    struct version *version = malloc(sizeof(*version) + change->value.size);
    struct kvs_node *node = kvs_skiplist_find(&memory->keys, change->key);

    ret_prepared->version = version;
    ret_prepared->node = NULL;
    if (version == NULL) {
        return false;
    }
    if (node == NULL) {
        node = kvs_skiplist_node_new(&memory->keys, change->key);
        ret_prepared->node = node;
        if (node == NULL) {
            return false;
        }
        *bytes += kvs_skiplist_node_size(node);
    }
    *version = (struct version){
        .node = node,
        .create_revision = change->create_revision,
        .version = change->version,
        .value_size = change->value.size,
    };
    if (change->value.size > 0) {
        memcpy(version->data, change->value.data, change->value.size);
    }
    *bytes += version_size(version);
    return true;
}

static void
warn(const struct memory *memory, const char *line)
{
    if (memory->options.warn != NULL) {
        memory->options.warn(memory->options.warn_arg, line);
    }
}

/* Whether a plan may take these bytes. If not, history is given up first. */
static bool
has_room(struct memory *memory, uint64_t bytes, bool grows)
{
    uint64_t limit = memory->size_max - (grows ? memory->reserve : 0);

    if (memory->size + bytes <= limit) {
        return true;
    }
    if (memory->log != NULL) {
        warn(memory, "there is little room: the history is given up");
        history_cut(memory, memory->view.header.revision);
    }
    return memory->size + bytes <= limit;
}

static void
set_full(struct memory *memory, bool full)
{
    if (full != memory->full) {
        warn(memory, full ? "the store is full: it refuses to grow"
                          : "the store has room again");
    }
    memory->full = full;
}

/* Make the changes; nothing can fail any more. */
static void
apply(struct memory *memory, struct prepared *prepared, size_t n_prepared,
      uint64_t bytes)
{
    uint64_t revision = ++memory->view.header.revision;
    size_t i;

    for (i = 0; i < n_prepared; i++) {
        struct version *version = prepared[i].version;

        if (prepared[i].node != NULL) {
            kvs_skiplist_insert(&memory->keys, prepared[i].node);
        }
        version->mod_revision = revision;
        version->older = version->node->value;
        if (version->older != NULL) {
            version->older->newer = version;
        }
        version->node->value = version;
        *memory->log_tail = version;
        memory->log_tail = &version->next_log;
    }
    memory->size += bytes;
    history_keep(memory);
}

static void
write_plan(struct memory *memory, struct kvs_write *write,
           const struct kvs_plan *plan)
{
    struct prepared few[4];
    struct prepared *prepared = few;
    const struct kvs_change *change;
    uint64_t bytes = 0;
    size_t n_prepared = 0;
    bool ok = true;

    /* Room is made before anything points into the map. */
    if (!has_room(memory, plan->bytes + plan->n_changes * CHANGE_SIZE,
                  plan->grows)) {
        set_full(memory, true);
        (void)common_error_set(&write->error, RPCRT_RESOURCE_EXHAUSTED,
                               "the store is full, delete something first");
        return;
    }
    set_full(memory, memory->full && !plan->grows);
    if (plan->n_changes > sizeof(few) / sizeof(few[0])) {
        prepared = calloc(plan->n_changes, sizeof(*prepared));
        ok = prepared != NULL;
    }
    for (change = plan->changes; ok && change != NULL; change = change->next) {
        ok = prepare(memory, change, &prepared[n_prepared++], &bytes);
    }
    if (ok) {
        apply(memory, prepared, n_prepared, bytes);
    } else {
        prepared_free(prepared, n_prepared);
        (void)common_error_no_memory(&write->error);
    }
    if (prepared != few) {
        free(prepared);
    }
}

static bool
memory_write(struct kvs_engine *engine, struct kvs_write *write)
{
    struct memory *memory = (struct memory *)(void *)engine;
    struct kvs_plan plan;

    (void)pthread_mutex_lock(&memory->lock);
    if (kvs_plan_write(&memory->view, write, &plan) == RPCRT_OK &&
        plan.n_changes > 0) {
        write_plan(memory, write, &plan);
    }
    (void)pthread_mutex_unlock(&memory->lock);
    return true;
}

/* -- opening and closing --------------------------------------------------- */

static enum rpcrt_code
memory_status(struct kvs_engine *engine, struct common_error *ret_error,
              struct kvs_status *ret_status)
{
    struct memory *memory = (struct memory *)(void *)engine;

    (void)ret_error;
    (void)pthread_mutex_lock(&memory->lock);
    *ret_status = (struct kvs_status){
        .header = memory->view.header,
        .oldest_revision = memory->view.oldest_revision,
        .history = memory->options.history,
        .size = memory->size,
        .size_max = memory->size_max,
        .full = memory->full,
    };
    (void)pthread_mutex_unlock(&memory->lock);
    return RPCRT_OK;
}

static enum rpcrt_code
memory_open(const struct kvs_engine_options *options,
            struct common_error *ret_error, struct kvs_engine **ret_engine)
{
    struct memory *memory;

    if (options->size_max != 0 && options->size_max < SIZE_MAX_MIN) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "the store needs at least %llu bytes",
                                (unsigned long long)SIZE_MAX_MIN);
    }
    memory = calloc(1, sizeof(*memory));
    if (memory == NULL || !kvs_skiplist_init(&memory->keys) ||
        pthread_mutex_init(&memory->lock, NULL) != 0) {
        free(memory == NULL ? NULL : memory->keys.buckets);
        free(memory);
        return common_error_no_memory(ret_error);
    }
    memory->base.ops = &kvs_memory_engine;
    memory->options = *options;
    memory->options.directory = NULL;
    memory->size_max =
        options->size_max == 0 ? SIZE_MAX_DEFAULT : options->size_max;
    memory->reserve = memory->size_max / 8;
    if (memory->reserve > RESERVE_MAX) {
        memory->reserve = RESERVE_MAX;
    }
    memory->view.scan = scan;
    memory->view.header.epoch = 1;
    kvs_id_make(memory->view.header.store_id);
    memory->log_tail = &memory->log;
    *ret_engine = &memory->base;
    return RPCRT_OK;
}

static void
memory_close(struct kvs_engine *engine)
{
    struct memory *memory = (struct memory *)(void *)engine;
    struct kvs_node *node = memory->keys.first[0];

    for (; node != NULL; node = node->next[0]) {
        struct version *version = node->value;

        while (version != NULL) {
            struct version *older = version->older;

            free(version);
            version = older;
        }
    }
    kvs_skiplist_fini(&memory->keys);
    (void)pthread_mutex_destroy(&memory->lock);
    free(memory);
}

const struct kvs_engine_ops kvs_memory_engine = {
    .name = "memory",
    .immediate = true,
    .open = memory_open,
    .close = memory_close,
    .read = memory_read,
    .write = memory_write,
    .status = memory_status,
};
