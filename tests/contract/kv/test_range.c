/*
 * The contract: Range and DeleteRange.
 */
#include "tests/contract/kv/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
fill(struct contract *c)
{
    contract_put(c, "c", "3");
    contract_put(c, "a", "1");
    contract_put(c, "user/2", "u2");
    contract_put(c, "b", "2");
    contract_put(c, "user/1", "u1");
}

/* A request for [name, end); end NULL: one key. */
static Kv__V1__RangeRequest
interval(struct contract *c, const char *name, const char *end)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;

    request.key = contract_key(c, name);
    if (end != NULL) {
        request.end = contract_key(c, end);
    }
    return request;
}

static const char *
ask(struct contract *c, const Kv__V1__RangeRequest *request)
{
    const Kv__V1__RangeReply *reply;

    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, request, &reply));
    return contract_text(c, reply);
}

static const char *
list(struct contract *c, const char *name, const char *end)
{
    Kv__V1__RangeRequest request = interval(c, name, end);

    return ask(c, &request);
}

CONTRACT(range_takes_a_key_an_interval_or_a_prefix)
{
    fill(c);
    cr_assert_str_eq(list(c, "a", NULL), "a=1");
    cr_assert_str_eq(list(c, "aa", NULL), "");
    cr_assert_str_eq(list(c, "a", "c"), "a=1 b=2");
    cr_assert_str_eq(list(c, "aa", "cc"), "b=2 c=3");
    cr_assert_str_eq(list(c, "user/", "user0"), "user/1=u1 user/2=u2");
    cr_assert_str_eq(list(c, "c", "a"), "");
    cr_assert_str_eq(list(c, "c", "c"), "");
    cr_assert_str_eq(contract_state(c, 0), "a=1 b=2 c=3 user/1=u1 user/2=u2");
}

CONTRACT(range_takes_everything_from_a_key_on)
{
    Kv__V1__RangeRequest request = interval(c, "user/", NULL);
    const Kv__V1__RangeReply *reply;
    size_t i;

    fill(c);
    request.end = contract_open_end();
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_geq(reply->n_entries, 2);
    cr_assert_eq(reply->entries[0]->key.len, strlen(c->prefix) + 6);
    for (i = 1; i < reply->n_entries; i++) {
        const ProtobufCBinaryData *a = &reply->entries[i - 1]->key;
        const ProtobufCBinaryData *b = &reply->entries[i]->key;
        size_t size = a->len < b->len ? a->len : b->len;
        int order = memcmp(a->data, b->data, size);

        cr_assert(order < 0 || (order == 0 && a->len < b->len));
    }
}

CONTRACT(range_takes_all_of_the_namespace)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply;
    size_t n = 0;
    size_t i;

    fill(c);
    request.end = contract_open_end();
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    for (i = 0; i < reply->n_entries; i++) {
        n += reply->entries[i]->key.len > strlen(c->prefix) &&
                     memcmp(reply->entries[i]->key.data, c->prefix,
                            strlen(c->prefix)) == 0
                 ? 1
                 : 0;
    }
    cr_assert(n == 5 || reply->more, "%s: %zu", c->where, n);
}

CONTRACT(range_needs_a_key_or_an_end)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply;

    expect_call(c, c->call, RPCRT_INVALID_ARGUMENT,
                kv_range(c->call, &request, &reply));
}

CONTRACT(bounds_may_be_one_byte_longer_than_a_key)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply;
    char bytes[300];

    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, c->prefix, strlen(c->prefix));
    request.key = (ProtobufCBinaryData){257, (uint8_t *)bytes};
    request.end = contract_end(c);
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    request.key.len = 258;
    expect_call(c, c->call, RPCRT_RESOURCE_EXHAUSTED,
                kv_range(c->call, &request, &reply));
    request.key = contract_key(c, "");
    request.end = (ProtobufCBinaryData){257, (uint8_t *)bytes};
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    request.end.len = 258;
    expect_call(c, c->call, RPCRT_RESOURCE_EXHAUSTED,
                kv_range(c->call, &request, &reply));
    request.key = (ProtobufCBinaryData){257, (uint8_t *)bytes};
    request.end.len = 0;
    expect_call(c, c->call, RPCRT_RESOURCE_EXHAUSTED,
                kv_range(c->call, &request, &reply));
}

CONTRACT(range_goes_in_reverse)
{
    Kv__V1__RangeRequest request = interval(c, "a", "user/2");

    fill(c);
    request.reverse = true;
    cr_assert_str_eq(ask(c, &request), "user/1=u1 c=3 b=2 a=1");
    request.limit = 2;
    cr_assert_str_eq(ask(c, &request), "user/1=u1 c=3 +");
}

CONTRACT(range_leaves_out_values)
{
    Kv__V1__RangeRequest request = interval(c, "a", "c");

    fill(c);
    request.keys_only = true;
    cr_assert_str_eq(ask(c, &request), "a= b=");
}

CONTRACT(pages_show_one_state)
{
    Kv__V1__RangeRequest request = interval(c, "", "~");
    const Kv__V1__RangeReply *reply;
    char all[200] = "";
    bool more = true;

    fill(c);
    request.limit = 2;
    while (more) {
        ProtobufCBinaryData last;

        expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
        cr_assert_leq(reply->n_entries, 2);
        cr_assert_gt(reply->n_entries, 0);
        more = reply->more;
        request.revision =
            request.revision == 0 ? reply->header->revision : request.revision;
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s;",
                       contract_text(c, reply));
        last = reply->entries[reply->n_entries - 1]->key;
        cr_assert_lt(last.len, 100);
        request.key = contract_bytes(
            "                                                              "
            "                                          ");
        memcpy(request.key.data, last.data, last.len);
        request.key.data[last.len] = 0;
        request.key.len = last.len + 1;
        contract_put(c, "b2", "between");
        contract_put(c, "c", "changed");
    }
    cr_assert_str_eq(all, "a=1 b=2 +;c=3 user/1=u1 +;user/2=u2;", "%s: %s",
                     c->where, all);
}

CONTRACT(reverse_pages_end_before_the_last_key)
{
    Kv__V1__RangeRequest request = interval(c, "", "~");
    const Kv__V1__RangeReply *reply;
    ProtobufCBinaryData last;

    fill(c);
    request.limit = 2;
    request.reverse = true;
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_str_eq(contract_text(c, reply), "user/2=u2 user/1=u1 +");
    last = reply->entries[1]->key;
    request.end = contract_key(c, "user/1");
    cr_assert_eq(last.len, request.end.len);
    cr_assert_arr_eq(last.data, request.end.data, last.len);
    cr_assert_str_eq(ask(c, &request), "c=3 b=2 +");
}

/* Write names "00000" and on, many in a Txn, with values of a size. */
static void
put_many(struct contract *c, unsigned n, size_t value_size)
{
    static char names[128][64];
    static uint8_t value[1 << 20];
    unsigned at_once = value_size > 10000 ? 1 : 128;
    unsigned i;
    unsigned k;

    for (i = 0; i < n; i += k) {
        Kv__V1__TxnRequest txn = KV__V1__TXN_REQUEST__INIT;
        Kv__V1__Operation ops[128];
        Kv__V1__PutRequest puts[128];
        Kv__V1__Operation *pointers[128];
        const Kv__V1__TxnReply *reply;

        for (k = 0; k < at_once && i + k < n; k++) {
            (void)snprintf(names[k], sizeof(names[k]), "%s%05u", c->prefix,
                           i + k);
            kv__v1__put_request__init(&puts[k]);
            kv__v1__operation__init(&ops[k]);
            puts[k].key =
                (ProtobufCBinaryData){strlen(names[k]), (uint8_t *)names[k]};
            puts[k].value = (ProtobufCBinaryData){value_size, value};
            ops[k].kind_case = KV__V1__OPERATION__KIND_PUT;
            ops[k].put = &puts[k];
            pointers[k] = &ops[k];
        }
        txn.then = pointers;
        txn.n_then = k;
        expect_call(c, c->call, RPCRT_OK, kv_txn(c->call, &txn, &reply));
    }
}

CONTRACT(a_page_has_1000_entries_at_the_most)
{
    Kv__V1__RangeRequest request = interval(c, "", "~");
    const Kv__V1__RangeReply *reply;

    put_many(c, 1001, 1);
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->n_entries, 1000);
    cr_assert(reply->more);
    request.limit = 5000;
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->n_entries, 1000);
    request.key = contract_key(c, "00001");
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->n_entries, 1000);
    cr_assert_not(reply->more);
}

CONTRACT(a_page_has_1_MiB_at_the_most_but_one_entry)
{
    Kv__V1__RangeRequest request = interval(c, "", "~");
    const Kv__V1__RangeReply *reply;

    put_many(c, 3, 500000);
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->n_entries, 2);
    cr_assert(reply->more);
    request.keys_only = true;
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->n_entries, 3);
    put_many(c, 2, 1 << 20);
    request.keys_only = false;
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->n_entries, 1);
    cr_assert_eq(reply->entries[0]->value.len, 1 << 20);
    cr_assert(reply->more);
}

/* -- history --------------------------------------------------------------- */

CONTRACT(range_reads_earlier_revisions)
{
    uint64_t first = contract_put(c, "a", "1");
    Kv__V1__RangeRequest request = interval(c, "", "~");
    const Kv__V1__RangeReply *reply;

    contract_put(c, "b", "1");
    contract_put(c, "a", "2");
    contract_delete(c, "b", NULL);
    cr_assert_str_eq(contract_state(c, first), "a=1");
    cr_assert_str_eq(contract_state(c, first + 1), "a=1 b=1");
    cr_assert_str_eq(contract_state(c, first + 2), "a=2 b=1");
    cr_assert_str_eq(contract_state(c, first + 3), "a=2");
    request.revision = first;
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->header->revision, first + 3);
    request.revision = first + 4;
    expect_call(c, c->call, RPCRT_OUT_OF_RANGE,
                kv_range(c->call, &request, &reply));
}

CONTRACT_WITH(history_ends_where_status_says, 20, 0)
{
    Kv__V1__StatusRequest status = KV__V1__STATUS_REQUEST__INIT;
    Kv__V1__RangeRequest request = interval(c, "a", NULL);
    const Kv__V1__StatusReply *state;
    const Kv__V1__RangeReply *reply;
    uint64_t oldest;
    unsigned i;

    for (i = 0; i < 50; i++) {
        contract_put(c, "a", "1");
    }
    expect_call(c, c->call, RPCRT_OK, kv_status(c->call, &status, &state));
    cr_assert_eq(state->history, 20);
    cr_assert_eq(state->oldest_revision, state->header->revision - 20);
    oldest = state->oldest_revision;
    request.revision = oldest;
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    cr_assert_eq(reply->entries[0]->mod_revision, oldest);
    request.revision = oldest - 1;
    expect_call(c, c->call, RPCRT_OUT_OF_RANGE,
                kv_range(c->call, &request, &reply));
}

CONTRACT(a_revision_of_another_store_is_refused)
{
    Kv__V1__RangeRequest request = interval(c, "a", NULL);
    Kv__V1__TxnRequest txn = KV__V1__TXN_REQUEST__INIT;
    Kv__V1__Operation op = KV__V1__OPERATION__INIT;
    Kv__V1__Operation *ops = &op;
    const Kv__V1__RangeReply *reply;
    const Kv__V1__TxnReply *done;
    char id[33];

    request.revision = contract_put(c, "a", "1");
    request.store_id = "0123456789abcdef0123456789abcdef";
    expect_call(c, c->call, RPCRT_OUT_OF_RANGE,
                kv_range(c->call, &request, &reply));
    op.kind_case = KV__V1__OPERATION__KIND_RANGE;
    op.range = &request;
    txn.then = &ops;
    txn.n_then = 1;
    expect_call(c, c->call, RPCRT_OUT_OF_RANGE, kv_txn(c->call, &txn, &done));
    request.store_id = "";
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    (void)snprintf(id, sizeof(id), "%s", reply->header->store_id);
    request.store_id = id;
    txn.store_id = id;
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    expect_call(c, c->call, RPCRT_OK, kv_txn(c->call, &txn, &done));
    txn.store_id = "0123456789abcdef0123456789abcdef";
    expect_call(c, c->call, RPCRT_OUT_OF_RANGE, kv_txn(c->call, &txn, &done));
}

/* -- DeleteRange ----------------------------------------------------------- */

CONTRACT(delete_range_takes_one_key_or_an_interval)
{
    fill(c);
    cr_assert_eq(contract_delete(c, "aa", NULL), 0);
    cr_assert_eq(contract_delete(c, "a", NULL), 1);
    cr_assert_eq(contract_delete(c, "a", NULL), 0);
    cr_assert_eq(contract_delete(c, "user/", "user0"), 2);
    cr_assert_eq(contract_delete(c, "z", "a"), 0);
    cr_assert_str_eq(contract_state(c, 0), "b=2 c=3");
}

CONTRACT(delete_range_needs_a_key_or_an_end)
{
    Kv__V1__DeleteRangeRequest request = KV__V1__DELETE_RANGE_REQUEST__INIT;
    const Kv__V1__DeleteRangeReply *reply;

    expect_call(c, c->call, RPCRT_INVALID_ARGUMENT,
                kv_delete_range(c->call, &request, &reply));
}

CONTRACT(delete_range_takes_10000_keys_or_none)
{
    Kv__V1__DeleteRangeRequest request = KV__V1__DELETE_RANGE_REQUEST__INIT;
    const Kv__V1__DeleteRangeReply *reply;

    put_many(c, 10001, 0);
    request.key = contract_key(c, "");
    request.end = contract_end(c);
    expect_call(c, c->call, RPCRT_RESOURCE_EXHAUSTED,
                kv_delete_range(c->call, &request, &reply));
    cr_assert_str_eq(contract_value(c, "00000"), "");
    cr_assert_str_eq(contract_value(c, "10000"), "");
    cr_assert_eq(contract_delete(c, "00000", NULL), 1);
    expect_call(c, c->call, RPCRT_OK,
                kv_delete_range(c->call, &request, &reply));
    cr_assert_eq(reply->deleted, 10000);
    cr_assert_str_eq(contract_state(c, 0), "");
}
