/*
 * A store that is full refuses to grow, loses nothing, can be emptied, and
 * then grows again.
 */
#include "tests/kv/engines.h"

#include <stdio.h>

#define FULL_SIZE (UINT64_C(16) << 20)
#define VALUE_SIZE 20000u
#define SMALL_SIZE 1000u
#define SMALL_AT_ONCE 50u

/* Put some keys at once, the first of them with number n. */
static enum rpcrt_code
put_some(struct store *store, unsigned n, unsigned n_keys, size_t value_size)
{
    static uint8_t bytes[1 << 20];
    struct kvs_op ops[SMALL_AT_ONCE];
    struct kvs_write write = {.then = {ops, n_keys}};
    char keys[SMALL_AT_ONCE][16];
    unsigned i;

    for (i = 0; i < n_keys; i++) {
        uint8_t *value = bytes + i * value_size;

        (void)snprintf(keys[i], sizeof(keys[i]), "%05u", n + i);
        memset(value, (int)((n + i) & 255u), value_size);
        ops[i] = (struct kvs_op){.kind = KVS_OP_PUT,
                                 .key = kvs_slice_text(keys[i]),
                                 .value = {value, value_size}};
    }
    return store_write(store, &write);
}

/* Put keys "00000" and on until some are refused; returns how many went in. */
static unsigned
fill(struct store *store, size_t value_size)
{
    unsigned at_once = value_size <= SMALL_SIZE ? SMALL_AT_ONCE : 1;
    unsigned n = 0;
    enum rpcrt_code code = RPCRT_OK;

    while (code == RPCRT_OK) {
        code = put_some(store, n, at_once, value_size);
        n += code == RPCRT_OK ? at_once : 0;
        cr_assert_lt(n, 100000);
        store_pool_reset(store);
    }
    cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED);
    return n;
}

/* All keys from first to end are there with what fill() wrote. */
static void
expect_filled(struct store *store, unsigned first, unsigned end,
              size_t value_size)
{
    char key[16];
    unsigned i;

    for (i = first; i < end; i++) {
        const struct kvs_entry *entry;

        (void)snprintf(key, sizeof(key), "%05u", i);
        entry = store_get(store, key, 0);
        cr_assert_not_null(entry, "%s is lost", key);
        cr_assert_eq(entry->value.size, value_size);
        cr_assert_eq(entry->value.data[0], i & 255u);
        cr_assert_eq(entry->value.data[value_size - 1], i & 255u);
        store_pool_reset(store);
    }
}

static void
fill_empty_and_fill(struct store *store, size_t value_size)
{
    unsigned n = fill(store, value_size);
    unsigned i;
    char key[16];

    cr_expect(store_status(store).full);
    cr_expect_gt(n * value_size, FULL_SIZE / 3, "only %u", n);
    expect_filled(store, 0, n, value_size);
    (void)snprintf(key, sizeof(key), "%05u", n / 2 - 20);
    cr_assert_eq(store_delete(store, "00000", key), n / 2 - 20);
    for (i = n / 2 - 20; i < n / 2; i++) {
        (void)snprintf(key, sizeof(key), "%05u", i);
        cr_assert_eq(store_delete(store, key, NULL), 1);
        store_pool_reset(store);
    }
    cr_expect_neq(store_put(store, "more", "again"), 0);
    cr_expect_not(store_status(store).full);
    expect_filled(store, n / 2, n, value_size);
    cr_expect_eq(store_delete(store, "00000", "99999"), n - n / 2);
    cr_expect_gt(fill(store, value_size), n * 3 / 4);
}

ENGINE_TEST_WITH(can_be_filled_and_emptied, TEST_HISTORY, FULL_SIZE)
{
    fill_empty_and_fill(store, VALUE_SIZE);
}

ENGINE_TEST_WITH(can_be_filled_with_small_values, TEST_HISTORY, FULL_SIZE)
{
    fill_empty_and_fill(store, SMALL_SIZE);
}

ENGINE_TEST_WITH(can_be_filled_without_history, 0, FULL_SIZE)
{
    fill_empty_and_fill(store, VALUE_SIZE);
}

ENGINE_TEST_WITH(gives_up_history_before_it_is_full, KVS_HISTORY_MAX, FULL_SIZE)
{
    static uint8_t bytes[100000];
    unsigned i;

    for (i = 0; i < 500; i++) {
        cr_assert_eq(store_put_bytes(store, kvs_slice_text("a"),
                                     (struct kvs_slice){bytes, sizeof(bytes)}),
                     RPCRT_OK, "write %u", i);
        store_pool_reset(store);
    }
    cr_expect_gt(store_status(store).oldest_revision, 0);
    cr_expect_gt(store->n_warnings, 0);
}

ENGINE_TEST_WITH(takes_the_largest_value_when_there_is_room, 10, FULL_SIZE)
{
    unsigned n = fill(store, KVS_VALUE_SIZE_MAX);

    cr_expect_geq(n, 7);
    expect_filled(store, 0, n, KVS_VALUE_SIZE_MAX);
    cr_expect_eq(store_delete(store, "00000", NULL), 1);
    cr_expect_eq(store_delete(store, "00001", NULL), 1);
    cr_expect_eq(store_delete(store, "00002", NULL), 1);
    cr_expect_neq(store_put(store, "a", "1"), 0);
    expect_filled(store, 3, n, KVS_VALUE_SIZE_MAX);
}
