/*
 * What every engine promises of transactions.
 */
#include "tests/kv/engines.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct kvs_op
put_op(const char *key, const char *value)
{
    return (struct kvs_op){.kind = KVS_OP_PUT,
                           .key = kvs_slice_text(key),
                           .value = kvs_slice_text(value)};
}

static struct kvs_op
get_op(const char *key)
{
    return (struct kvs_op){.kind = KVS_OP_RANGE,
                           .range.span.first = kvs_slice_text(key)};
}

static struct kvs_op
delete_op(const char *key, const char *end)
{
    struct kvs_op op = {.kind = KVS_OP_DELETE,
                        .range.span.first = kvs_slice_text(key)};

    if (end != NULL) {
        op.range.span.end = kvs_slice_text(end);
    }
    return op;
}

/* Whether one compare of key "a" holds. */
static bool
holds(struct store *store, const char *key, enum kvs_target target,
      enum kvs_relation relation, uint64_t number, const char *value)
{
    struct kvs_compare compare = {.key = kvs_slice_text(key),
                                  .target = target,
                                  .relation = relation,
                                  .number = number,
                                  .value = kvs_slice_text(value)};
    struct kvs_write write = {.compares = &compare, .n_compares = 1};

    cr_assert_eq(store_write(store, &write), RPCRT_OK, "%s", write.error.text);
    return write.succeeded;
}

ENGINE_TEST(compares_numbers)
{
    static const struct {
        enum kvs_target target;
        uint64_t number;
    } known[] = {{KVS_TARGET_VERSION, 2},
                 {KVS_TARGET_CREATE_REVISION, 2},
                 {KVS_TARGET_MOD_REVISION, 3}};
    size_t i;

    store_put(store, "b", "x");
    store_put(store, "a", "x");
    store_put(store, "a", "y");
    for (i = 0; i < 3; i++) {
        enum kvs_target target = known[i].target;
        uint64_t number = known[i].number;

        cr_expect(holds(store, "a", target, KVS_EQUAL, number, ""));
        cr_expect_not(holds(store, "a", target, KVS_EQUAL, number + 1, ""));
        cr_expect(holds(store, "a", target, KVS_NOT_EQUAL, number + 1, ""));
        cr_expect_not(holds(store, "a", target, KVS_NOT_EQUAL, number, ""));
        cr_expect(holds(store, "a", target, KVS_LESS, number + 1, ""));
        cr_expect_not(holds(store, "a", target, KVS_LESS, number, ""));
        cr_expect(holds(store, "a", target, KVS_GREATER, number - 1, ""));
        cr_expect_not(holds(store, "a", target, KVS_GREATER, number, ""));
    }
}

ENGINE_TEST(compares_values_byte_by_byte)
{
    store_put(store, "a", "mm");
    cr_expect(holds(store, "a", KVS_TARGET_VALUE, KVS_EQUAL, 0, "mm"));
    cr_expect_not(holds(store, "a", KVS_TARGET_VALUE, KVS_EQUAL, 0, "m"));
    cr_expect(holds(store, "a", KVS_TARGET_VALUE, KVS_GREATER, 0, "m"));
    cr_expect(holds(store, "a", KVS_TARGET_VALUE, KVS_LESS, 0, "mmm"));
    cr_expect(holds(store, "a", KVS_TARGET_VALUE, KVS_LESS, 0, "\xff"));
    cr_expect(holds(store, "a", KVS_TARGET_VALUE, KVS_GREATER, 0, "ma"));
    cr_expect(holds(store, "a", KVS_TARGET_VALUE, KVS_NOT_EQUAL, 0, ""));
}

ENGINE_TEST(takes_an_absent_key_as_numbers_0_without_value)
{
    store_put(store, "a", "x");
    store_delete(store, "a", NULL);
    cr_expect(holds(store, "a", KVS_TARGET_VERSION, KVS_EQUAL, 0, ""));
    cr_expect(holds(store, "a", KVS_TARGET_CREATE_REVISION, KVS_EQUAL, 0, ""));
    cr_expect(holds(store, "a", KVS_TARGET_MOD_REVISION, KVS_LESS, 1, ""));
    cr_expect(holds(store, "b", KVS_TARGET_VERSION, KVS_EQUAL, 0, ""));
    cr_expect_not(holds(store, "a", KVS_TARGET_VALUE, KVS_EQUAL, 0, ""));
    cr_expect_not(holds(store, "a", KVS_TARGET_VALUE, KVS_NOT_EQUAL, 0, "x"));
    cr_expect_not(holds(store, "b", KVS_TARGET_VALUE, KVS_LESS, 0, "x"));
}

ENGINE_TEST(needs_all_compares_to_hold)
{
    struct kvs_compare compares[] = {{.key = kvs_slice_text("a"),
                                      .target = KVS_TARGET_VERSION,
                                      .relation = KVS_EQUAL,
                                      .number = 1},
                                     {.key = kvs_slice_text("b"),
                                      .target = KVS_TARGET_VERSION,
                                      .relation = KVS_EQUAL,
                                      .number = 1}};
    struct kvs_op then = put_op("c", "then");
    struct kvs_op otherwise = put_op("c", "otherwise");
    struct kvs_write write = {.compares = compares,
                              .n_compares = 2,
                              .then = {&then, 1},
                              .otherwise = {&otherwise, 1}};
    struct kvs_write again = write;
    struct kvs_compare compares_again[2];
    struct kvs_op then_again = then;
    struct kvs_op otherwise_again = otherwise;

    memcpy(compares_again, compares, sizeof(compares));
    again.compares = compares_again;
    again.then.items = &then_again;
    again.otherwise.items = &otherwise_again;
    store_put(store, "a", "1");
    cr_assert_eq(store_write(store, &write), RPCRT_OK);
    cr_expect_not(write.succeeded);
    cr_expect_str_eq(store_value(store, "c", 0), "otherwise");
    store_put(store, "b", "1");
    cr_assert_eq(store_write(store, &again), RPCRT_OK);
    cr_expect(again.succeeded);
    cr_expect_str_eq(store_value(store, "c", 0), "then");
}

ENGINE_TEST(reads_the_state_before_the_transaction)
{
    struct kvs_op ops[] = {put_op("a", "new"), get_op("a"),
                           delete_op("b", NULL), get_op("b"), get_op("c")};
    struct kvs_write write = {.then = {ops, 5}};

    store_put(store, "a", "old");
    store_put(store, "b", "old");
    cr_assert_eq(store_write(store, &write), RPCRT_OK, "%s", write.error.text);
    cr_assert_eq(write.n_results, 5);
    cr_assert_eq(write.results[1].n_entries, 1);
    cr_expect_arr_eq(write.results[1].entries->value.data, "old", 3);
    cr_expect_eq(write.results[2].deleted, 1);
    cr_assert_eq(write.results[3].n_entries, 1);
    cr_expect_eq(write.results[4].n_entries, 0);
    cr_expect_str_eq(store_value(store, "a", 0), "new");
    cr_expect_str_eq(store_value(store, "b", 0), "-");
}

ENGINE_TEST(gives_all_changes_of_a_transaction_one_revision)
{
    struct kvs_op ops[] = {put_op("a", "1"), put_op("b", "1"),
                           delete_op("c", "e")};
    struct kvs_write write = {.then = {ops, 3}};

    store_put(store, "c", "0");
    store_put(store, "d", "0");
    cr_assert_eq(store_write(store, &write), RPCRT_OK);
    cr_expect_eq(write.header.revision, 3);
    cr_expect_eq(store_get(store, "a", 0)->mod_revision, 3);
    cr_expect_eq(store_get(store, "b", 0)->mod_revision, 3);
    cr_expect_str_eq(store_value(store, "d", 2), "0");
    cr_expect_str_eq(store_value(store, "d", 3), "-");
    cr_expect_str_eq(store_value(store, "a", 2), "-");
}

ENGINE_TEST(makes_no_revision_without_a_change)
{
    struct kvs_op ops[] = {get_op("a"), delete_op("x", NULL)};
    struct kvs_write write = {.then = {ops, 2}};

    store_put(store, "a", "1");
    cr_assert_eq(store_write(store, &write), RPCRT_OK);
    cr_expect_eq(write.header.revision, 1);
    cr_expect_eq(store_put(store, "a", "2"), 2);
}

ENGINE_TEST(changes_nothing_if_an_operation_fails)
{
    struct kvs_op ops[] = {put_op("a", "1"), delete_op("b", NULL), get_op("a")};
    struct kvs_write write = {.then = {ops, 3}};

    store_put(store, "b", "1");
    ops[2].range.revision = 77;
    cr_expect_eq(store_write(store, &write), RPCRT_OUT_OF_RANGE);
    cr_expect_eq(store_status(store).header.revision, 1);
    cr_expect_str_eq(store_value(store, "a", 0), "-");
    cr_expect_str_eq(store_value(store, "b", 0), "1");
}

static enum rpcrt_code
code_of_two(struct store *store, struct kvs_op one, struct kvs_op other)
{
    struct kvs_op ops[] = {one, other};
    struct kvs_write write = {.then = {ops, 2}};

    return store_write(store, &write);
}

ENGINE_TEST(refuses_to_write_a_key_twice)
{
    struct kvs_op everything = delete_op("", NULL);
    struct kvs_op backwards = delete_op("c", "b");

    everything.range.span.end = (struct kvs_slice){(const uint8_t *)"", 1};
    cr_expect_eq(code_of_two(store, put_op("a", "1"), put_op("a", "2")),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(code_of_two(store, put_op("b", "1"), delete_op("a", "c")),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(code_of_two(store, delete_op("a", "c"), delete_op("b", NULL)),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(code_of_two(store, delete_op("a", "c"), delete_op("b", "d")),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(code_of_two(store, everything, put_op("z", "1")),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(store_status(store).header.revision, 0);
    cr_expect_eq(code_of_two(store, put_op("c", "1"), delete_op("a", "c")),
                 RPCRT_OK);
    cr_expect_eq(code_of_two(store, delete_op("a", "c"), delete_op("c", "d")),
                 RPCRT_OK);
    cr_expect_eq(code_of_two(store, put_op("a", "1"), get_op("a")), RPCRT_OK);
    cr_expect_eq(code_of_two(store, backwards, put_op("c", "1")), RPCRT_OK);
}

ENGINE_TEST(refuses_transactions_beyond_the_limits)
{
    static struct kvs_op ops[KVS_OPS_MAX + 1];
    static struct kvs_compare compares[KVS_COMPARES_MAX + 1];
    static uint8_t bytes[KVS_VALUE_SIZE_MAX];
    struct kvs_write write = {.then = {ops, KVS_OPS_MAX + 1}};
    struct kvs_op big[3] = {put_op("a", ""), put_op("b", ""), put_op("c", "")};
    size_t i;

    for (i = 0; i < KVS_OPS_MAX + 1; i++) {
        ops[i] = get_op("a");
        compares[i].key = kvs_slice_text("a");
        compares[i].target = KVS_TARGET_VERSION;
    }
    cr_expect_eq(store_write(store, &write), RPCRT_RESOURCE_EXHAUSTED);
    write = (struct kvs_write){.otherwise = {ops, KVS_OPS_MAX + 1}};
    cr_expect_eq(store_write(store, &write), RPCRT_RESOURCE_EXHAUSTED);
    write = (struct kvs_write){.compares = compares,
                               .n_compares = KVS_COMPARES_MAX + 1};
    cr_expect_eq(store_write(store, &write), RPCRT_RESOURCE_EXHAUSTED);
    write.n_compares = KVS_COMPARES_MAX;
    write.then = (struct kvs_ops){ops, KVS_OPS_MAX};
    cr_expect_eq(store_write(store, &write), RPCRT_OK, "%s", write.error.text);
    for (i = 0; i < 3; i++) {
        big[i].value = (struct kvs_slice){bytes, sizeof(bytes) - 8};
    }
    write = (struct kvs_write){.then = {big, 2}};
    cr_expect_eq(store_write(store, &write), RPCRT_OK, "%s", write.error.text);
    big[0] = put_op("a", "");
    big[0].value = (struct kvs_slice){bytes, sizeof(bytes)};
    big[1] = big[0];
    big[1].key = kvs_slice_text("b");
    write = (struct kvs_write){.then = {big, 2}};
    cr_expect_eq(store_write(store, &write), RPCRT_RESOURCE_EXHAUSTED);
}

ENGINE_TEST(refuses_to_return_more_than_2_MiB)
{
    static uint8_t bytes[KVS_VALUE_SIZE_MAX];
    struct kvs_op gets[4] = {get_op("a"), get_op("a"), get_op("a"),
                             put_op("b", "1")};
    struct kvs_op few[2] = {get_op("a"), put_op("b", "1")};
    struct kvs_write write = {.then = {gets, 4}};
    struct kvs_write less = {.then = {few, 2}};

    cr_assert_eq(store_put_bytes(store, kvs_slice_text("a"),
                                 (struct kvs_slice){bytes, sizeof(bytes)}),
                 RPCRT_OK);
    cr_expect_eq(store_write(store, &write), RPCRT_RESOURCE_EXHAUSTED);
    cr_expect_str_eq(store_value(store, "b", 0), "-");
    cr_expect_eq(store_write(store, &less), RPCRT_OK);
    cr_expect_str_eq(store_value(store, "b", 0), "1");
}

/* -- memory that ends ------------------------------------------------------ */

struct stingy {
    struct kvs_memory memory;
    unsigned left;
};

static void *
stingy_alloc(void *arg, size_t size)
{
    struct stingy *stingy = arg;

    return stingy->left == 0 ? NULL
                             : (stingy->left--,
                                stingy->memory.alloc(stingy->memory.arg, size));
}

static void *
stingy_copy(void *arg, const void *data, size_t size)
{
    struct stingy *stingy = arg;

    return stingy->left == 0
               ? NULL
               : (stingy->left--,
                  stingy->memory.copy(stingy->memory.arg, data, size));
}

ENGINE_TEST(changes_nothing_if_the_answer_has_no_memory)
{
    enum rpcrt_code code = RPCRT_RESOURCE_EXHAUSTED;
    unsigned n;

    store_put(store, "a", "1");
    store_put(store, "b", "1");
    for (n = 0; code != RPCRT_OK; n++) {
        struct stingy stingy = {store_memory(store), n};
        struct kvs_op ops[] = {get_op("a"), put_op("c", "1"),
                               delete_op("a", "c")};
        struct kvs_write write = {
            .then = {ops, 3}, .memory = {stingy_alloc, stingy_copy, &stingy}};

        cr_assert_lt(n, 50);
        code = store_write(store, &write);
        if (code != RPCRT_OK) {
            cr_expect_eq(code, RPCRT_RESOURCE_EXHAUSTED);
            cr_expect_eq(store_status(store).header.revision, 2);
            cr_expect_str_eq(store_value(store, "c", 0), "-");
        }
    }
    cr_expect_gt(n, 5);
    cr_expect_str_eq(store_value(store, "c", 0), "1");
    cr_expect_eq(store_status(store).header.revision, 3);
}

/* -- many at once ---------------------------------------------------------- */

#define COUNTERS_THREADS 4u
#define COUNTERS_STEPS 200u

/* Raise a counter by compare and put, until it went up so many times. */
static void *
count_up(void *arg)
{
    struct store *store = arg;
    unsigned done = 0;

    while (done < COUNTERS_STEPS) {
        const struct kvs_entry *entry = store_get(store, "counter", 0);
        struct kvs_compare compare = {
            .key = kvs_slice_text("counter"),
            .target = KVS_TARGET_MOD_REVISION,
            .number = entry == NULL ? 0 : entry->mod_revision};
        char value[32];
        struct kvs_op op;
        struct kvs_write write = {
            .compares = &compare, .n_compares = 1, .then = {&op, 1}};

        (void)snprintf(
            value, sizeof(value), "%lu",
            entry == NULL
                ? 1
                : strtoul((const char *)entry->value.data, NULL, 10) + 1);
        op = put_op("counter", value);
        if (store_write(store, &write) != RPCRT_OK) {
            return store;
        }
        done += write.succeeded ? 1 : 0;
        store_pool_reset(store);
    }
    return NULL;
}

ENGINE_TEST(loses_no_step_of_a_shared_counter)
{
    struct store stores[COUNTERS_THREADS];
    pthread_t threads[COUNTERS_THREADS];
    char sum[32];
    size_t i;

    for (i = 0; i < COUNTERS_THREADS; i++) {
        stores[i] = *store;
        stores[i].pool = NULL;
        cr_assert_eq(pthread_create(&threads[i], NULL, count_up, &stores[i]),
                     0);
    }
    for (i = 0; i < COUNTERS_THREADS; i++) {
        void *failed = NULL;

        cr_assert_eq(pthread_join(threads[i], &failed), 0);
        cr_expect_null(failed);
    }
    (void)snprintf(sum, sizeof(sum), "%u", COUNTERS_THREADS * COUNTERS_STEPS);
    cr_expect_str_eq(store_value(store, "counter", 0), sum);
}

/* A write of nothing but reads is answered at once, on whichever engine: it
 * does not wait for the disk behind the writes of others. */
ENGINE_TEST(only_reads_are_answered_at_once)
{
    struct kvs_op then = get_op("a");
    struct kvs_op otherwise = get_op("b");
    struct kvs_write write = {.space = kvs_slice_text(store->space),
                              .then = {&then, 1},
                              .otherwise = {&otherwise, 1},
                              .memory = store_memory(store)};

    cr_assert_gt(store_put(store, "a", "1"), 0);
    cr_assert(kvs_engine_write(store->engine, &write));
    cr_assert_eq(write.error.code, RPCRT_OK, "%s", write.error.text);
    cr_assert(write.succeeded);
    cr_assert_eq(write.n_results, 1);
    cr_assert_eq(write.results[0].n_entries, 1);
    cr_assert_eq(write.header.revision, 1);
}
