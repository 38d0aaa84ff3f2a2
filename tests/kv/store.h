/*
 * A store under test: an engine with what it needs around it, and short names
 * for requests whose outcome a test wants to see. Failures of the harness end
 * the test.
 */
#ifndef TESTS_KV_STORE_H
#define TESTS_KV_STORE_H

#include "kv/engine.h"

struct pool_block;

struct store {
    const struct kvs_engine_ops *ops;
    struct kvs_engine_options options;
    struct kvs_engine *engine;
    char directory[64];
    struct pool_block *pool; /* answers live here until store_fini() */
    const char *space;
    unsigned n_warnings;
};

/* An empty store; history and size_max as in the engine's options. */
void store_init(struct store *store, const struct kvs_engine_ops *ops,
                uint64_t history, uint64_t size_max);
void store_fini(struct store *store);

/* Close and open again, with the same directory. */
void store_reopen(struct store *store);

/* Memory that store_fini() frees. */
struct kvs_memory store_memory(struct store *store);

/* Free all answers. */
void store_pool_reset(struct store *store);

/* Do a request and wait for it. */
enum rpcrt_code store_read(struct store *store, struct kvs_read *read);
enum rpcrt_code store_write(struct store *store, struct kvs_write *write);

/* Write a key; the revision, or 0 if it failed. */
uint64_t store_put(struct store *store, const char *key, const char *value);
enum rpcrt_code store_put_bytes(struct store *store, struct kvs_slice key,
                                struct kvs_slice value);

/* What a key has at a revision (0: the latest); NULL if there is none. */
const struct kvs_entry *store_get(struct store *store, const char *key,
                                  uint64_t revision);

/* The value as text; "-" if the key is absent. */
const char *store_value(struct store *store, const char *key,
                        uint64_t revision);

/* How many keys were deleted; end NULL: one. Fails the test if refused. */
uint64_t store_delete(struct store *store, const char *key, const char *end);

/* Keys of an interval with their values: "a=1 b=2", with a "+" behind if there
 * are more; or the name of the code. */
const char *store_list(struct store *store, const char *key, const char *end,
                       const struct kvs_range *range);

/* The state of the store. */
struct kvs_status store_status(struct store *store);

/* One zero byte: "no end". */
extern const char store_open_end[];

#endif
