/*
 * What every engine promises of keys, ranges and history.
 */
#include "tests/kv/engines.h"

#include <stdio.h>

static const struct kvs_range all = {.limit = 0};

static struct kvs_slice
filled(uint8_t *bytes, size_t size)
{
    memset(bytes, 'k', size);
    return (struct kvs_slice){bytes, size};
}

ENGINE_TEST(starts_empty_at_revision_0)
{
    struct kvs_status status = store_status(store);

    cr_expect_eq(status.header.revision, 0);
    cr_expect_eq(status.header.epoch, 1);
    cr_expect_eq(strlen(status.header.store_id), KVS_ID_DIGITS);
    cr_expect_eq(strspn(status.header.store_id, "0123456789abcdef"),
                 KVS_ID_DIGITS);
    cr_expect_eq(status.oldest_revision, 0);
    cr_expect_str_eq(store_list(store, "", store_open_end, &all), "");
}

ENGINE_TEST(counts_revisions_and_versions)
{
    const struct kvs_entry *entry;

    cr_expect_eq(store_put(store, "a", "1"), 1);
    cr_expect_eq(store_put(store, "b", "1"), 2);
    cr_expect_eq(store_put(store, "a", "2"), 3);
    entry = store_get(store, "a", 0);
    cr_assert_not_null(entry);
    cr_expect_eq(entry->create_revision, 1);
    cr_expect_eq(entry->mod_revision, 3);
    cr_expect_eq(entry->version, 2);
    cr_expect_eq(store_delete(store, "a", NULL), 1);
    cr_expect_eq(store_put(store, "a", "3"), 5);
    entry = store_get(store, "a", 0);
    cr_assert_not_null(entry);
    cr_expect_eq(entry->create_revision, 5);
    cr_expect_eq(entry->version, 1);
}

ENGINE_TEST(keeps_any_bytes)
{
    const uint8_t key[] = {0, 255, 0, 1};
    const uint8_t value[] = {0, 0, 7};
    struct kvs_read read = {.range.span.first = {key, sizeof(key)}};
    struct kvs_entry *entry;

    cr_assert_eq(store_put_bytes(store, (struct kvs_slice){key, sizeof(key)},
                                 (struct kvs_slice){value, sizeof(value)}),
                 RPCRT_OK);
    cr_assert_eq(store_read(store, &read), RPCRT_OK);
    entry = read.result.entries;
    cr_assert_not_null(entry);
    cr_expect_eq(entry->key.size, sizeof(key));
    cr_expect_arr_eq(entry->key.data, key, sizeof(key));
    cr_expect_eq(entry->value.size, sizeof(value));
    cr_expect_arr_eq(entry->value.data, value, sizeof(value));
}

ENGINE_TEST(keeps_empty_values)
{
    const struct kvs_entry *entry;

    store_put(store, "a", "");
    entry = store_get(store, "a", 0);
    cr_assert_not_null(entry);
    cr_expect_eq(entry->value.size, 0);
}

static void
fill_letters(struct store *store)
{
    static const char *const keys[] = {"c", "a", "bb", "b", "d"};
    size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        cr_assert_neq(store_put(store, keys[i], keys[i]), 0);
    }
}

ENGINE_TEST(ranges_in_the_order_of_bytes)
{
    fill_letters(store);
    cr_expect_str_eq(store_list(store, "", store_open_end, &all),
                     "a=a b=b bb=bb c=c d=d");
    cr_expect_str_eq(store_list(store, "b", "c", &all), "b=b bb=bb");
    cr_expect_str_eq(store_list(store, "b", store_open_end, &all),
                     "b=b bb=bb c=c d=d");
    cr_expect_str_eq(store_list(store, "ba", "cc", &all), "bb=bb c=c");
    cr_expect_str_eq(store_list(store, "", "b", &all), "a=a");
    cr_expect_str_eq(store_list(store, "b", NULL, &all), "b=b");
    cr_expect_str_eq(store_list(store, "x", NULL, &all), "");
    cr_expect_str_eq(store_list(store, "x", "y", &all), "");
    cr_expect_str_eq(store_list(store, "c", "b", &all), "");
    cr_expect_str_eq(store_list(store, "c", "c", &all), "");
}

ENGINE_TEST(ranges_in_reverse)
{
    const struct kvs_range reverse = {.reverse = true};

    fill_letters(store);
    cr_expect_str_eq(store_list(store, "", store_open_end, &reverse),
                     "d=d c=c bb=bb b=b a=a");
    cr_expect_str_eq(store_list(store, "b", "c", &reverse), "bb=bb b=b");
    cr_expect_str_eq(store_list(store, "b", "cc", &reverse), "c=c bb=bb b=b");
    cr_expect_str_eq(store_list(store, "b", NULL, &reverse), "b=b");
    cr_expect_str_eq(store_list(store, "e", store_open_end, &reverse), "");
    cr_expect_str_eq(store_list(store, "", "a", &reverse), "");
}

ENGINE_TEST(says_whether_there_is_more)
{
    struct kvs_range range = {.limit = 2};

    fill_letters(store);
    cr_expect_str_eq(store_list(store, "", store_open_end, &range),
                     "a=a b=b +");
    cr_expect_str_eq(store_list(store, "c", store_open_end, &range), "c=c d=d");
    range.reverse = true;
    cr_expect_str_eq(store_list(store, "", store_open_end, &range),
                     "d=d c=c +");
    range.limit = 5;
    cr_expect_str_eq(store_list(store, "", store_open_end, &range),
                     "d=d c=c bb=bb b=b a=a");
}

ENGINE_TEST(leaves_out_values_for_keys_only)
{
    const struct kvs_range keys = {.keys_only = true};
    const struct kvs_range old_keys = {.keys_only = true, .revision = 5};

    fill_letters(store);
    cr_expect_str_eq(store_list(store, "b", "c", &keys), "b= bb=");
    store_put(store, "b", "changed");
    cr_expect_str_eq(store_list(store, "b", NULL, &keys), "b=");
    cr_expect_str_eq(store_list(store, "b", NULL, &old_keys), "b=");
}

ENGINE_TEST(limits_a_page_to_1000_entries)
{
    struct kvs_read read = {
        .range.span = {{NULL, 0}, {(const uint8_t *)"", 1}, false}};
    char key[16];
    unsigned i;

    for (i = 0; i < KVS_PAGE_ENTRIES_MAX + 1; i++) {
        (void)snprintf(key, sizeof(key), "%04u", i);
        cr_assert_neq(store_put(store, key, "x"), 0);
    }
    read.range.limit = 5000;
    cr_assert_eq(store_read(store, &read), RPCRT_OK);
    cr_expect_eq(read.result.n_entries, KVS_PAGE_ENTRIES_MAX);
    cr_expect(read.result.more);
}

ENGINE_TEST(limits_a_page_to_1_MiB_but_one_entry)
{
    static uint8_t value[KVS_VALUE_SIZE_MAX];
    struct kvs_read read = {
        .range.span = {{NULL, 0}, {(const uint8_t *)"", 1}, false}};

    cr_assert_eq(store_put_bytes(store, kvs_slice_text("a"),
                                 (struct kvs_slice){value, sizeof(value)}),
                 RPCRT_OK);
    store_put(store, "b", "x");
    cr_assert_eq(store_read(store, &read), RPCRT_OK);
    cr_expect_eq(read.result.n_entries, 1);
    cr_expect_eq(read.result.entries->value.size, sizeof(value));
    cr_expect(read.result.more);
    read = (struct kvs_read){
        .range = {.span = {{NULL, 0}, {(const uint8_t *)"", 1}, false},
                  .reverse = true}};
    cr_assert_eq(store_read(store, &read), RPCRT_OK);
    cr_expect_eq(read.result.n_entries, 1);
    cr_expect(read.result.more);
}

ENGINE_TEST(shows_earlier_revisions)
{
    struct kvs_range range = {.revision = 0};

    store_put(store, "a", "1");
    store_put(store, "b", "1");
    store_put(store, "a", "2");
    store_delete(store, "b", NULL);
    store_put(store, "a", "3");
    range.revision = 1;
    cr_expect_str_eq(store_list(store, "", store_open_end, &range), "a=1");
    range.revision = 2;
    cr_expect_str_eq(store_list(store, "", store_open_end, &range), "a=1 b=1");
    range.revision = 3;
    range.reverse = true;
    cr_expect_str_eq(store_list(store, "", store_open_end, &range), "b=1 a=2");
    range.revision = 4;
    cr_expect_str_eq(store_list(store, "", store_open_end, &range), "a=2");
    cr_expect_str_eq(store_value(store, "b", 3), "1");
    cr_expect_str_eq(store_value(store, "b", 4), "-");
    cr_expect_str_eq(store_value(store, "a", 5), "3");
    range.revision = 6;
    cr_expect_str_eq(store_list(store, "a", NULL, &range), "OUT_OF_RANGE");
}

ENGINE_TEST_WITH(forgets_what_is_behind_the_history, 3, TEST_SIZE)
{
    struct kvs_range range = {.revision = 0};

    store_put(store, "a", "1");
    store_put(store, "b", "2");
    store_put(store, "a", "3");
    store_delete(store, "b", NULL);
    cr_expect_eq(store_status(store).oldest_revision, 1);
    cr_expect_str_eq(store_value(store, "a", 1), "1");
    store_put(store, "c", "5");
    cr_expect_eq(store_status(store).oldest_revision, 2);
    range.revision = 1;
    cr_expect_str_eq(store_list(store, "a", NULL, &range), "OUT_OF_RANGE");
    range.revision = 2;
    cr_expect_str_eq(store_list(store, "", store_open_end, &range), "a=1 b=2");
    store_put(store, "c", "6");
    store_put(store, "c", "7");
    store_put(store, "c", "8");
    range.revision = 5;
    cr_expect_str_eq(store_list(store, "", store_open_end, &range), "a=3 c=5");
    range.revision = 0;
    cr_expect_str_eq(store_list(store, "", store_open_end, &range), "a=3 c=8");
}

ENGINE_TEST_WITH(keeps_no_history_if_told_so, 0, TEST_SIZE)
{
    struct kvs_range range = {.revision = 1};

    store_put(store, "a", "1");
    store_put(store, "a", "2");
    cr_expect_str_eq(store_list(store, "a", NULL, &range), "OUT_OF_RANGE");
    range.revision = 2;
    cr_expect_str_eq(store_list(store, "a", NULL, &range), "a=2");
    store_delete(store, "a", NULL);
    store_put(store, "b", "4");
    cr_expect_str_eq(store_list(store, "", store_open_end, &all), "b=4");
}

ENGINE_TEST_WITH(needs_no_more_room_for_keys_written_again, 10, TEST_SIZE)
{
    uint64_t early;
    char value[8192];
    unsigned i;

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (i = 0; i < 100; i++) {
        cr_assert_neq(store_put(store, "a", value), 0);
    }
    early = store_status(store).size;
    for (i = 0; i < 900; i++) {
        cr_assert_neq(store_put(store, "a", value), 0);
        if (i % 3 == 0) {
            cr_assert_eq(store_delete(store, "a", NULL), 1);
        }
    }
    cr_expect_leq(store_status(store).size, early + (1u << 20));
}

ENGINE_TEST(deletes_one_an_interval_or_all)
{
    fill_letters(store);
    cr_expect_eq(store_delete(store, "x", NULL), 0);
    cr_expect_eq(store_status(store).header.revision, 5);
    cr_expect_eq(store_delete(store, "a", NULL), 1);
    cr_expect_eq(store_delete(store, "b", "c"), 2);
    cr_expect_eq(store_delete(store, "b", "c"), 0);
    cr_expect_eq(store_status(store).header.revision, 7);
    cr_expect_eq(store_delete(store, "", store_open_end), 2);
    cr_expect_str_eq(store_list(store, "", store_open_end, &all), "");
}

ENGINE_TEST(refuses_to_delete_more_than_10000_keys)
{
    struct kvs_op op = {
        .kind = KVS_OP_DELETE,
        .range.span = {{NULL, 0}, {(const uint8_t *)"", 1}, false}};
    struct kvs_write write = {.then = {&op, 1}};
    struct kvs_op puts[KVS_OPS_MAX];
    char keys[KVS_OPS_MAX][16];
    unsigned n = 0;
    unsigned i;

    while (n < KVS_DELETES_MAX + 1) {
        struct kvs_write many = {.then = {puts, 0}};

        for (i = 0; i < KVS_OPS_MAX && n < KVS_DELETES_MAX + 1; i++, n++) {
            (void)snprintf(keys[i], sizeof(keys[i]), "%06u", n);
            puts[i] = (struct kvs_op){.kind = KVS_OP_PUT,
                                      .key = kvs_slice_text(keys[i])};
            many.then.n_items++;
        }
        cr_assert_eq(store_write(store, &many), RPCRT_OK);
    }
    cr_expect_eq(store_write(store, &write), RPCRT_RESOURCE_EXHAUSTED);
    cr_expect_not_null(store_get(store, "000000", 0));
    cr_expect_eq(store_delete(store, "000000", NULL), 1);
    cr_expect_eq(store_delete(store, "", store_open_end), KVS_DELETES_MAX);
}

ENGINE_TEST(keeps_namespaces_apart)
{
    store->space = "blue";
    store_put(store, "a", "blue");
    store->space = "red";
    store_put(store, "b", "red");
    cr_expect_str_eq(store_list(store, "", store_open_end, &all), "b=red");
    cr_expect_eq(store_delete(store, "", store_open_end), 1);
    store->space = "blue.";
    cr_expect_str_eq(store_list(store, "", store_open_end, &all), "");
    store->space = "blue";
    cr_expect_str_eq(store_list(store, "", store_open_end, &all), "a=blue");
    store->space = "";
    cr_expect_str_eq(store_list(store, "", store_open_end, &all), "");
}

ENGINE_TEST(refuses_keys_and_values_beyond_the_limits)
{
    static uint8_t bytes[KVS_VALUE_SIZE_MAX + 1];
    struct kvs_slice some = kvs_slice_text("x");
    struct kvs_slice empty = {NULL, 0};

    cr_expect_eq(store_put_bytes(store, empty, some), RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(store_put_bytes(store, filled(bytes, KVS_KEY_SIZE_MAX), some),
                 RPCRT_OK);
    cr_expect_eq(
        store_put_bytes(store, filled(bytes, KVS_KEY_SIZE_MAX + 1), some),
        RPCRT_RESOURCE_EXHAUSTED);
    cr_expect_eq(
        store_put_bytes(store, some, filled(bytes, KVS_VALUE_SIZE_MAX)),
        RPCRT_OK);
    cr_expect_eq(
        store_put_bytes(store, some, filled(bytes, KVS_VALUE_SIZE_MAX + 1)),
        RPCRT_RESOURCE_EXHAUSTED);
    cr_expect_eq(store_status(store).header.revision, 2);
}

ENGINE_TEST(takes_bounds_one_byte_longer_than_a_key)
{
    uint8_t first[KVS_BOUND_SIZE_MAX + 1];
    struct kvs_read read = {.range.span = {filled(first, KVS_BOUND_SIZE_MAX),
                                           {(const uint8_t *)"", 1},
                                           false}};
    struct kvs_read longer = {
        .range.span = {filled(first, KVS_BOUND_SIZE_MAX + 1),
                       {(const uint8_t *)"", 1},
                       false}};
    struct kvs_read nothing = {.range.limit = 1};

    cr_expect_eq(store_read(store, &read), RPCRT_OK);
    cr_expect_eq(store_read(store, &longer), RPCRT_RESOURCE_EXHAUSTED);
    cr_expect_eq(store_read(store, &nothing), RPCRT_INVALID_ARGUMENT);
}

ENGINE_TEST(refuses_another_stores_id)
{
    struct kvs_status status = store_status(store);
    char id[KVS_ID_DIGITS + 1];
    struct kvs_op op = {.kind = KVS_OP_PUT, .key = kvs_slice_text("a")};
    struct kvs_read read = {.range.span.first = kvs_slice_text("a"),
                            .range.store_id = id};
    struct kvs_write write = {.then = {&op, 1}, .store_id = id};
    struct kvs_op op_again = op;
    struct kvs_write again = {.then = {&op_again, 1},
                              .store_id = status.header.store_id};

    kvs_id_make(id);
    cr_expect_eq(store_read(store, &read), RPCRT_OUT_OF_RANGE);
    cr_expect_eq(store_write(store, &write), RPCRT_OUT_OF_RANGE);
    cr_expect_eq(store_write(store, &again), RPCRT_OK);
    cr_expect_eq(again.header.revision, 1);
    cr_expect_str_eq(again.header.store_id, status.header.store_id);
}
