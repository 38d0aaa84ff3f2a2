/*
 * An engine keeps a store: the keys of all namespaces, their history, and the
 * revision. There is one table of functions for all of them; requests go
 * through the functions here, which check them first.
 */
#ifndef KV_ENGINE_H
#define KV_ENGINE_H

#include "kv/model.h"

struct kvs_engine_options {
    const char *directory; /* where the data is; engines without a disk: NULL */
    uint64_t size_max;     /* bytes; 0: the engine's default */
    uint64_t history;      /* revisions, 0 to KVS_HISTORY_MAX */
    /* Told of what an operator must know; on any thread. May be NULL. */
    void (*warn)(void *arg, const char *line);
    void *warn_arg;
};

struct kvs_status {
    struct kvs_header header;
    uint64_t oldest_revision;
    uint64_t history;
    uint64_t size;
    uint64_t size_max;
    bool full;
    char stopped[COMMON_ERROR_SIZE]; /* why; empty while it runs */
};

/* Every engine's state begins with this. */
struct kvs_engine {
    const struct kvs_engine_ops *ops;
};

struct kvs_engine_ops {
    const char *name;
    /* Reads and writes are answered at once and never wait for a disk. */
    bool immediate;
    enum rpcrt_code (*open)(const struct kvs_engine_options *options,
                            struct common_error *ret_error,
                            struct kvs_engine **ret_engine);
    void (*close)(struct kvs_engine *engine);
    bool (*read)(struct kvs_engine *engine, struct kvs_read *read);
    bool (*write)(struct kvs_engine *engine, struct kvs_write *write);
    enum rpcrt_code (*status)(struct kvs_engine *engine,
                              struct common_error *ret_error,
                              struct kvs_status *ret_status);
};

extern const struct kvs_engine_ops kvs_memory_engine;
extern const struct kvs_engine_ops kvs_lmdb_engine;

/* The engine with this name; NULL if there is none. */
const struct kvs_engine_ops *kvs_engine_find(const char *name);

/**
 * Open a store, which is made if it does not exist yet.
 *
 * Returns  OK; INVALID_ARGUMENT for an option; FAILED_PRECONDITION when the
 *          data belongs to another process or was written by another version;
 *          DATA_LOSS when it is damaged; PERMISSION_DENIED, RESOURCE_EXHAUSTED
 *          or INTERNAL when files can't be used; the text names them.
 * Owner    the caller.
 */
RPCRT_MUST_CHECK enum rpcrt_code
kvs_engine_open(const struct kvs_engine_ops *ops,
                const struct kvs_engine_options *options,
                struct common_error *ret_error, struct kvs_engine **ret_engine);

/* Close; writes that are under way are finished first. NULL does nothing. */
void kvs_engine_close(struct kvs_engine *engine);

/**
 * Read. True: it is done, `done` is not called. False: `done` is told later,
 * on a thread of the engine, or has been told already.
 *
 * Threads  any number at once; the request belongs to the engine until done.
 */
RPCRT_MUST_CHECK bool kvs_engine_read(struct kvs_engine *engine,
                                      struct kvs_read *read);

/** Write; as kvs_engine_read(). Durable, as far as the engine is, when done. */
RPCRT_MUST_CHECK bool kvs_engine_write(struct kvs_engine *engine,
                                       struct kvs_write *write);

/** Tell the state. May wait for a disk. OK, DATA_LOSS or INTERNAL. */
RPCRT_MUST_CHECK enum rpcrt_code
kvs_engine_status(struct kvs_engine *engine, struct common_error *ret_error,
                  struct kvs_status *ret_status);

/* Write the hexadecimal digits of a random id. */
void kvs_id_make(char ret_id[KVS_ID_DIGITS + 1]);

#endif
