/*
 * Somebody else who writes in the worst moment: see till.h. It stands between
 * the key-value service and its engine.
 */
#include "tests/payment/till_inner.h"

static struct {
    atomic_bool armed;
    const char *key;
    struct kvs_slice value;
} intruder;

/* In place of the engine's own. Whatever expects something is a commit. */
static bool
write_intruded(struct kvs_engine *engine, struct kvs_write *write)
{
    struct kvs_op put = {.kind = KVS_OP_PUT, .value = intruder.value};
    struct kvs_write own = {
        .space = write->space, .memory = write->memory, .then = {&put, 1}};

    if (write->n_compares > 0 && atomic_exchange(&intruder.armed, false)) {
        put.key = kvs_slice_text(intruder.key);
        cr_assert(kvs_engine_write(engine, &own));
        cr_assert_eq(own.error.code, RPCRT_OK, "%s", own.error.text);
    }
    return kvs_memory_engine.write(engine, write);
}

void
till_intrude(struct till *till, const char *key, const uint8_t *value,
             size_t size)
{
    static struct kvs_engine_ops ops;

    ops = kvs_memory_engine;
    ops.write = write_intruded;
    intruder.key = key;
    intruder.value = (struct kvs_slice){value, size};
    till->kv->engine->ops = &ops;
    atomic_store(&intruder.armed, true);
}
