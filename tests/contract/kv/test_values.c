/*
 * The contract: stored values, keys and their history.
 */
#include "tests/contract/kv/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Store and Load -------------------------------------------------------- */

static bool
is_id(const char *text)
{
    return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

/* Keep a value; the key, to be freed. */
static char *
store(struct contract *c, const uint8_t *data, size_t size)
{
    Kv__V1__StoreRequest request = KV__V1__STORE_REQUEST__INIT;
    const Kv__V1__StoreReply *reply;
    uint8_t *copy = malloc(size + 1);
    char *key;

    cr_assert_not_null(copy);
    memcpy(copy, data, size);
    request.value = (ProtobufCBinaryData){size, copy};
    expect_call(c, c->call, RPCRT_OK, kv_store(c->call, &request, &reply));
    free(copy);
    cr_assert(is_id(reply->key), "%s: '%s'", c->where, reply->key);
    cr_assert(is_id(reply->header->store_id));
    cr_assert_geq(reply->header->epoch, 1);
    key = strdup(reply->key);
    cr_assert_not_null(key);
    return key;
}

static void
expect_stored(struct contract *c, struct rpcrt_call *call, const char *key,
              const uint8_t *data, size_t size)
{
    Kv__V1__LoadRequest request = KV__V1__LOAD_REQUEST__INIT;
    const Kv__V1__LoadReply *reply;

    request.key = key;
    expect_call(c, call, RPCRT_OK, kv_load(call, &request, &reply));
    cr_assert_eq(reply->value.len, size);
    cr_assert(size == 0 || memcmp(reply->value.data, data, size) == 0);
    cr_assert(is_id(reply->header->store_id));
}

CONTRACT(stored_values_can_be_loaded)
{
    static uint8_t large[1 << 20];
    const uint8_t bytes[] = {0, 255, 10, 0};
    char *key = store(c, bytes, sizeof(bytes));
    char *again = store(c, bytes, sizeof(bytes));
    char *empty = store(c, bytes, 0);
    char *most;

    memset(large, 0x5a, sizeof(large));
    most = store(c, large, sizeof(large));
    cr_assert_str_neq(key, again);
    expect_stored(c, c->call, key, bytes, sizeof(bytes));
    expect_stored(c, c->call, again, bytes, sizeof(bytes));
    expect_stored(c, c->call, empty, bytes, 0);
    expect_stored(c, c->call, most, large, sizeof(large));
    free(key);
    free(again);
    free(empty);
    free(most);
}

CONTRACT(stored_values_are_common_to_all)
{
    struct rpcrt_call *other = contract_call(c, CONTRACT_OTHER);
    char *key = store(c, (const uint8_t *)"shared", 6);

    expect_stored(c, other, key, (const uint8_t *)"shared", 6);
    free(key);
}

CONTRACT(stored_values_are_not_listed)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply;
    char *key = store(c, (const uint8_t *)"hidden", 6);
    size_t i;

    request.key = contract_bytes(key);
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->n_entries, 0);
    request.key = contract_bytes("");
    request.end = contract_open_end();
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    for (i = 0; i < reply->n_entries; i++) {
        cr_assert(reply->entries[i]->value.len != 6 ||
                  memcmp(reply->entries[i]->value.data, "hidden", 6) != 0);
    }
    free(key);
}

CONTRACT(unknown_and_malformed_ids_are_told_apart)
{
    static const char *const malformed[] = {"",
                                            "x",
                                            "0123456789abcdef0123456789abcde",
                                            "0123456789abcdef0123456789abcdef0",
                                            "0123456789ABCDEF0123456789ABCDEF",
                                            "0123456789abcdef0123456789abcdeg"};
    Kv__V1__LoadRequest request = KV__V1__LOAD_REQUEST__INIT;
    const Kv__V1__LoadReply *reply;
    size_t i;

    request.key = "0123456789abcdef0123456789abcdef";
    expect_call(c, c->call, RPCRT_NOT_FOUND,
                kv_load(c->call, &request, &reply));
    for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        request.key = malformed[i];
        expect_call(c, c->call, RPCRT_INVALID_ARGUMENT,
                    kv_load(c->call, &request, &reply));
    }
}

/* -- headers and revisions ------------------------------------------------- */

CONTRACT(every_change_makes_one_revision)
{
    uint64_t first = contract_put(c, "a", "1");
    Kv__V1__TxnRequest txn = KV__V1__TXN_REQUEST__INIT;
    Kv__V1__Operation ops[2] = {KV__V1__OPERATION__INIT,
                                KV__V1__OPERATION__INIT};
    Kv__V1__Operation *pointers[2] = {&ops[0], &ops[1]};
    Kv__V1__PutRequest puts[2] = {KV__V1__PUT_REQUEST__INIT,
                                  KV__V1__PUT_REQUEST__INIT};
    const Kv__V1__TxnReply *reply;
    size_t i;

    cr_assert_eq(contract_put(c, "a", "1"), first + 1);
    free(store(c, (const uint8_t *)"x", 1));
    cr_assert_eq(contract_put(c, "b", "1"), first + 3);
    cr_assert_eq(contract_delete(c, "a", "c"), 2);
    cr_assert_eq(contract_put(c, "b", "1"), first + 5);
    for (i = 0; i < 2; i++) {
        puts[i].key = contract_key(c, i == 0 ? "x" : "y");
        ops[i].kind_case = KV__V1__OPERATION__KIND_PUT;
        ops[i].put = &puts[i];
    }
    txn.then = pointers;
    txn.n_then = 2;
    expect_call(c, c->call, RPCRT_OK, kv_txn(c->call, &txn, &reply));
    cr_assert_eq(reply->header->revision, first + 6);
    cr_assert_eq(contract_delete(c, "nothing", NULL), 0);
    txn.n_then = 0;
    expect_call(c, c->call, RPCRT_OK, kv_txn(c->call, &txn, &reply));
    cr_assert_eq(reply->header->revision, first + 6);
    cr_assert_eq(contract_put(c, "b", "1"), first + 7);
}

CONTRACT(replies_name_store_and_epoch)
{
    Kv__V1__StatusRequest status = KV__V1__STATUS_REQUEST__INIT;
    Kv__V1__RangeRequest range = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__StatusReply *state;
    const Kv__V1__RangeReply *page;
    uint64_t revision = contract_put(c, "a", "1");
    char id[33];
    uint64_t epoch;

    expect_call(c, c->call, RPCRT_OK, kv_status(c->call, &status, &state));
    cr_assert(is_id(state->header->store_id));
    (void)snprintf(id, sizeof(id), "%s", state->header->store_id);
    epoch = state->header->epoch;
    cr_assert_geq(epoch, 1);
    cr_assert_eq(state->header->revision, revision);
    range.key = contract_key(c, "a");
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &range, &page));
    cr_assert_str_eq(page->header->store_id, id);
    cr_assert_eq(page->header->epoch, epoch);
    cr_assert_eq(page->header->revision, revision);
}

CONTRACT(status_tells_engine_version_history_and_size)
{
    Kv__V1__StatusRequest request = KV__V1__STATUS_REQUEST__INIT;
    const Kv__V1__StatusReply *reply;

    contract_put(c, "a", "1");
    expect_call(c, c->call, RPCRT_OK, kv_status(c->call, &request, &reply));
    cr_assert_neq(reply->engine[0], '\0');
    cr_assert_neq(reply->version[0], '\0');
    cr_assert_leq(reply->history, 1000000);
    cr_assert_leq(reply->oldest_revision, reply->header->revision);
    cr_assert_gt(reply->size, 0);
    cr_assert_geq(reply->size_max, reply->size);
    cr_assert_not(reply->full);
    cr_assert_str_eq(reply->stopped, "");
}

CONTRACT(a_key_counts_its_versions)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply;
    uint64_t created = contract_put(c, "a", "1");
    uint64_t modified = contract_put(c, "a", "2");

    request.key = contract_key(c, "a");
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->n_entries, 1);
    cr_assert_eq(reply->entries[0]->create_revision, created);
    cr_assert_eq(reply->entries[0]->mod_revision, modified);
    cr_assert_eq(reply->entries[0]->version, 2);
    contract_delete(c, "a", NULL);
    created = contract_put(c, "a", "3");
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->entries[0]->create_revision, created);
    cr_assert_eq(reply->entries[0]->mod_revision, created);
    cr_assert_eq(reply->entries[0]->version, 1);
}

CONTRACT(reads_see_what_was_answered_to_others)
{
    struct rpcrt_call *second = contract_call(c, CONTRACT_OWNER);
    struct rpcrt_call *first = c->call;
    char value[16];
    unsigned i;

    for (i = 0; i < 20; i++) {
        (void)snprintf(value, sizeof(value), "%u", i);
        c->call = i % 2 == 0 ? first : second;
        contract_put(c, "a", value);
        c->call = i % 2 == 0 ? second : first;
        cr_assert_str_eq(contract_value(c, "a"), value, "%s", c->where);
    }
    c->call = first;
}

/* -- namespaces and tokens ------------------------------------------------- */

CONTRACT(namespaces_do_not_see_each_other)
{
    struct rpcrt_call *owner = c->call;
    struct rpcrt_call *other = contract_call(c, CONTRACT_OTHER);

    contract_put(c, "a", "owner");
    c->call = other;
    cr_assert_str_eq(contract_state(c, 0), "");
    cr_assert_str_eq(contract_value(c, "a"), "-");
    cr_assert_eq(contract_delete(c, "", "z"), 0);
    contract_put(c, "a", "other");
    c->call = owner;
    cr_assert_str_eq(contract_value(c, "a"), "owner");
    cr_assert_eq(contract_delete(c, "", "z"), 1);
    c->call = other;
    cr_assert_str_eq(contract_state(c, 0), "a=other");
    cr_assert_eq(contract_delete(c, "", "z"), 1);
    c->call = owner;
}

/* Make every call once; `expected_*` is the code of those that read, that
 * write, and of Load of an unknown key. */
static void
expect_all(struct contract *c, struct rpcrt_call *call, enum rpcrt_code reads,
           enum rpcrt_code writes, enum rpcrt_code load)
{
    Kv__V1__StoreRequest store_request = KV__V1__STORE_REQUEST__INIT;
    Kv__V1__LoadRequest load_request = KV__V1__LOAD_REQUEST__INIT;
    Kv__V1__PutRequest put = KV__V1__PUT_REQUEST__INIT;
    Kv__V1__RangeRequest range = KV__V1__RANGE_REQUEST__INIT;
    Kv__V1__DeleteRangeRequest del = KV__V1__DELETE_RANGE_REQUEST__INIT;
    Kv__V1__TxnRequest txn = KV__V1__TXN_REQUEST__INIT;
    Kv__V1__StatusRequest status = KV__V1__STATUS_REQUEST__INIT;
    Kv__V1__Operation op = KV__V1__OPERATION__INIT;
    Kv__V1__Operation *ops = &op;
    const Kv__V1__StoreReply *stored;
    const Kv__V1__LoadReply *loaded;
    const Kv__V1__PutReply *written;
    const Kv__V1__RangeReply *page;
    const Kv__V1__DeleteRangeReply *deleted;
    const Kv__V1__TxnReply *done;
    const Kv__V1__StatusReply *state;

    load_request.key = "0123456789abcdef0123456789abcdef";
    put.key = range.key = del.key = contract_key(c, "a");
    txn.then = &ops;
    txn.n_then = 1;
    expect_call(c, call, writes, kv_store(call, &store_request, &stored));
    expect_call(c, call, load, kv_load(call, &load_request, &loaded));
    expect_call(c, call, writes, kv_put(call, &put, &written));
    expect_call(c, call, reads, kv_range(call, &range, &page));
    expect_call(c, call, writes, kv_delete_range(call, &del, &deleted));
    op.kind_case = KV__V1__OPERATION__KIND_PUT;
    op.put = &put;
    expect_call(c, call, writes, kv_txn(call, &txn, &done));
    op.kind_case = KV__V1__OPERATION__KIND_RANGE;
    op.range = &range;
    expect_call(c, call, reads, kv_txn(call, &txn, &done));
    expect_call(c, call, reads, kv_status(call, &status, &state));
}

CONTRACT(nothing_is_done_without_a_known_token)
{
    contract_put(c, "a", "1");
    expect_all(c, contract_call(c, CONTRACT_NOBODY), RPCRT_UNAUTHENTICATED,
               RPCRT_UNAUTHENTICATED, RPCRT_UNAUTHENTICATED);
    expect_all(c, contract_call(c, CONTRACT_STRANGER), RPCRT_UNAUTHENTICATED,
               RPCRT_UNAUTHENTICATED, RPCRT_UNAUTHENTICATED);
    cr_assert_str_eq(contract_state(c, 0), "a=1");
}

CONTRACT(a_token_in_another_form_is_none)
{
    static const char *const forms[] = {"owner", "Basic owner", "Bearer",
                                        "Bearer  owner", "Bearer owner "};
    struct rpcrt_call *call = contract_call(c, CONTRACT_NOBODY);
    size_t i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        cr_assert_eq(
            rpcrt_call_set_metadata_text(call, "authorization", forms[i]),
            RPCRT_OK);
        expect_all(c, call, RPCRT_UNAUTHENTICATED, RPCRT_UNAUTHENTICATED,
                   RPCRT_UNAUTHENTICATED);
    }
}

CONTRACT(a_token_that_may_only_read_changes_nothing)
{
    struct rpcrt_call *reader = contract_call(c, CONTRACT_READER);
    struct rpcrt_call *owner = c->call;

    contract_put(c, "a", "1");
    expect_all(c, reader, RPCRT_OK, RPCRT_PERMISSION_DENIED, RPCRT_NOT_FOUND);
    c->call = reader;
    cr_assert_str_eq(contract_state(c, 0), "a=1");
    c->call = owner;
}

/* -- limits of keys and values --------------------------------------------- */

static enum rpcrt_code
put_sizes(struct contract *c, size_t key_size, size_t value_size)
{
    Kv__V1__PutRequest request = KV__V1__PUT_REQUEST__INIT;
    const Kv__V1__PutReply *reply;
    uint8_t *bytes = malloc(value_size + 1);
    char key[300];
    enum rpcrt_code code;

    cr_assert_not_null(bytes);
    memset(bytes, 'v', value_size);
    memset(key, 'k', sizeof(key));
    memcpy(key, c->prefix, strlen(c->prefix));
    request.key = (ProtobufCBinaryData){key_size, (uint8_t *)key};
    request.value = (ProtobufCBinaryData){value_size, bytes};
    code = kv_put(c->call, &request, &reply);
    free(bytes);
    return code;
}

CONTRACT(keys_and_values_have_limits)
{
    expect_call(c, c->call, RPCRT_INVALID_ARGUMENT, put_sizes(c, 0, 1));
    expect_call(c, c->call, RPCRT_OK, put_sizes(c, 256, 1));
    expect_call(c, c->call, RPCRT_RESOURCE_EXHAUSTED, put_sizes(c, 257, 1));
    expect_call(c, c->call, RPCRT_OK, put_sizes(c, 100, 0));
    expect_call(c, c->call, RPCRT_OK, put_sizes(c, 100, 1048576));
    expect_call(c, c->call, RPCRT_RESOURCE_EXHAUSTED,
                put_sizes(c, 100, 1048577));
}

CONTRACT(keys_have_any_bytes)
{
    Kv__V1__PutRequest put = KV__V1__PUT_REQUEST__INIT;
    Kv__V1__RangeRequest range = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__PutReply *written;
    const Kv__V1__RangeReply *page;
    ProtobufCBinaryData key = contract_key(c, "xxx");

    key.data[key.len - 3] = 0;
    key.data[key.len - 2] = 0xff;
    key.data[key.len - 1] = 0;
    put.key = key;
    put.value = key;
    expect_call(c, c->call, RPCRT_OK, kv_put(c->call, &put, &written));
    range.key = contract_key(c, "");
    range.end = contract_end(c);
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &range, &page));
    cr_assert_eq(page->n_entries, 1);
    cr_assert_eq(page->entries[0]->key.len, key.len);
    cr_assert_arr_eq(page->entries[0]->key.data, key.data, key.len);
    cr_assert_arr_eq(page->entries[0]->value.data, key.data, key.len);
}

/* -- a full store ---------------------------------------------------------- */

#define SMALL_STORE (UINT64_C(16) << 20)

CONTRACT_WITH(a_full_store_can_be_emptied, 100, SMALL_STORE)
{
    static char value[200001];
    Kv__V1__PutRequest request = KV__V1__PUT_REQUEST__INIT;
    Kv__V1__StatusRequest status = KV__V1__STATUS_REQUEST__INIT;
    const Kv__V1__PutReply *reply;
    const Kv__V1__StatusReply *state;
    char name[16];
    unsigned n = 0;
    enum rpcrt_code code;

    memset(value, 'v', sizeof(value) - 1);
    do {
        (void)snprintf(name, sizeof(name), "%04u", n);
        request.key = contract_key(c, name);
        request.value =
            (ProtobufCBinaryData){sizeof(value) - 1, (uint8_t *)value};
        code = kv_put(c->call, &request, &reply);
        n += code == RPCRT_OK ? 1 : 0;
    } while (code == RPCRT_OK && n < 200);
    cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED, "%s", c->where);
    cr_assert_gt(n, 20);
    expect_call(c, c->call, RPCRT_OK, kv_status(c->call, &status, &state));
    cr_assert(state->full);
    cr_assert_eq(strlen(contract_value(c, "0000")), 1023);
    cr_assert_eq(contract_delete(c, "0000", "0009"), 9);
    contract_put(c, "more", "again");
    cr_assert_str_eq(contract_value(c, "more"), "again");
}
