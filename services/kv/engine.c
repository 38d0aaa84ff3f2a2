/*
 * What comes before every engine: requests are checked and get full keys.
 */
#include "kv/engine.h"
#include "kv/check.h"
#include "kv/space.h"

#include <sodium.h>

const struct kvs_engine_ops *
kvs_engine_find(const char *name)
{
    static const struct kvs_engine_ops *const engines[] = {&kvs_memory_engine,
                                                           &kvs_lmdb_engine};
    size_t i;

    for (i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        if (strcmp(engines[i]->name, name) == 0) {
            return engines[i];
        }
    }
    return NULL;
}

enum rpcrt_code
kvs_engine_open(const struct kvs_engine_ops *ops,
                const struct kvs_engine_options *options,
                struct common_error *ret_error, struct kvs_engine **ret_engine)
{
    if (options->history > KVS_HISTORY_MAX) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "a history of %llu revisions, the limit is %u",
                                (unsigned long long)options->history,
                                KVS_HISTORY_MAX);
    }
    if (sodium_init() < 0) {
        return common_error_set(ret_error, RPCRT_INTERNAL,
                                "no source of random numbers");
    }
    return ops->open(options, ret_error, ret_engine);
}

void
kvs_engine_close(struct kvs_engine *engine)
{
    if (engine != NULL) {
        engine->ops->close(engine);
    }
}

bool
kvs_engine_read(struct kvs_engine *engine, struct kvs_read *read)
{
    read->result = (struct kvs_result){0};
    if (kvs_check_range(&read->range, &read->error) != RPCRT_OK) {
        return true;
    }
    if (!kvs_space_span(read->space, &read->memory, &read->range.span)) {
        (void)common_error_no_memory(&read->error);
        return true;
    }
    return engine->ops->read(engine, read);
}

static bool
ops_to_full(const struct kvs_write *write, const struct kvs_ops *ops)
{
    size_t i;

    for (i = 0; i < ops->n_items; i++) {
        struct kvs_op *op = &ops->items[i];
        bool ok =
            op->kind == KVS_OP_PUT
                ? kvs_space_key(write->space, &write->memory, &op->key)
                : kvs_space_span(write->space, &write->memory, &op->range.span);

        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool
write_to_full(const struct kvs_write *write)
{
    size_t i;

    for (i = 0; i < write->n_compares; i++) {
        if (!kvs_space_key(write->space, &write->memory,
                           &write->compares[i].key)) {
            return false;
        }
    }
    return ops_to_full(write, &write->then) &&
           ops_to_full(write, &write->otherwise);
}

bool
kvs_engine_write(struct kvs_engine *engine, struct kvs_write *write)
{
    write->results = NULL;
    write->n_results = 0;
    if (kvs_check_write(write, &write->error) != RPCRT_OK) {
        return true;
    }
    if (!write_to_full(write)) {
        (void)common_error_no_memory(&write->error);
        return true;
    }
    return engine->ops->write(engine, write);
}

enum rpcrt_code
kvs_engine_status(struct kvs_engine *engine, struct common_error *ret_error,
                  struct kvs_status *ret_status)
{
    return engine->ops->status(engine, ret_error, ret_status);
}

void
kvs_id_make(char ret_id[KVS_ID_DIGITS + 1])
{
    uint8_t bytes[KVS_ID_BYTES];

    randombytes_buf(bytes, sizeof(bytes));
    (void)sodium_bin2hex(ret_id, KVS_ID_DIGITS + 1, bytes, sizeof(bytes));
}
