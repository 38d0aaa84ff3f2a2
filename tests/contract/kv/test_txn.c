/*
 * The contract: Txn.
 */
#include "tests/contract/kv/contract.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPS_MAX 130u

/* A request with room for everything. */
struct txn {
    struct contract *c;
    Kv__V1__TxnRequest request;
    Kv__V1__Compare compares[OPS_MAX];
    Kv__V1__Compare *compare_pointers[OPS_MAX];
    Kv__V1__Operation ops[2 * OPS_MAX];
    Kv__V1__Operation *pointers[2][OPS_MAX];
    Kv__V1__RangeRequest ranges[2 * OPS_MAX];
    Kv__V1__PutRequest puts[2 * OPS_MAX];
    Kv__V1__DeleteRangeRequest deletes[2 * OPS_MAX];
    size_t n_ops;
    const Kv__V1__TxnReply *reply;
};

static struct txn *
txn_new(struct contract *c)
{
    struct txn *txn = calloc(1, sizeof(*txn));

    cr_assert_not_null(txn);
    txn->c = c;
    kv__v1__txn_request__init(&txn->request);
    txn->request.compares = txn->compare_pointers;
    txn->request.then = txn->pointers[0];
    txn->request.otherwise = txn->pointers[1];
    return txn;
}

static Kv__V1__Compare *
txn_compare(struct txn *txn, const char *name, Kv__V1__Compare__Result result)
{
    size_t i = txn->request.n_compares++;
    Kv__V1__Compare *compare = &txn->compares[i];

    kv__v1__compare__init(compare);
    compare->key = contract_key(txn->c, name);
    compare->result = result;
    txn->compare_pointers[i] = compare;
    return compare;
}

static void
txn_if_version(struct txn *txn, const char *name, uint64_t version)
{
    Kv__V1__Compare *compare =
        txn_compare(txn, name, KV__V1__COMPARE__RESULT__EQUAL);

    compare->target_case = KV__V1__COMPARE__TARGET_VERSION;
    compare->version = version;
}

/* An operation without a kind, in `then`, or else in `otherwise`. */
static Kv__V1__Operation *
txn_op(struct txn *txn, bool then)
{
    Kv__V1__Operation *op = &txn->ops[txn->n_ops++];
    size_t *n = then ? &txn->request.n_then : &txn->request.n_otherwise;

    kv__v1__operation__init(op);
    txn->pointers[then ? 0 : 1][(*n)++] = op;
    return op;
}

static void
txn_put(struct txn *txn, bool then, const char *name, const char *value)
{
    Kv__V1__PutRequest *put = &txn->puts[txn->n_ops];
    Kv__V1__Operation *op = txn_op(txn, then);

    kv__v1__put_request__init(put);
    put->key = contract_key(txn->c, name);
    put->value = contract_bytes(value);
    op->kind_case = KV__V1__OPERATION__KIND_PUT;
    op->put = put;
}

static Kv__V1__RangeRequest *
txn_get(struct txn *txn, bool then, const char *name)
{
    Kv__V1__RangeRequest *range = &txn->ranges[txn->n_ops];
    Kv__V1__Operation *op = txn_op(txn, then);

    kv__v1__range_request__init(range);
    range->key = contract_key(txn->c, name);
    op->kind_case = KV__V1__OPERATION__KIND_RANGE;
    op->range = range;
    return range;
}

static void
txn_delete(struct txn *txn, bool then, const char *name, const char *end)
{
    Kv__V1__DeleteRangeRequest *del = &txn->deletes[txn->n_ops];
    Kv__V1__Operation *op = txn_op(txn, then);

    kv__v1__delete_range_request__init(del);
    del->key = contract_key(txn->c, name);
    if (end != NULL) {
        del->end = contract_key(txn->c, end);
    }
    op->kind_case = KV__V1__OPERATION__KIND_DELETE_RANGE;
    op->delete_range = del;
}

static void
txn_do(struct txn *txn, enum rpcrt_code expected)
{
    struct contract *c = txn->c;

    expect_call(c, c->call, expected,
                kv_txn(c->call, &txn->request, &txn->reply));
}

/* -- compares -------------------------------------------------------------- */

static bool
holds(struct contract *c, const char *name, Kv__V1__Compare__TargetCase target,
      Kv__V1__Compare__Result result, uint64_t number, const char *value)
{
    struct txn *txn = txn_new(c);
    Kv__V1__Compare *compare = txn_compare(txn, name, result);
    bool succeeded;

    compare->target_case = target;
    if (target == KV__V1__COMPARE__TARGET_VALUE) {
        compare->value = contract_bytes(value);
    } else {
        compare->version = number; /* all numbers share their place */
    }
    txn_do(txn, RPCRT_OK);
    succeeded = txn->reply->succeeded;
    free(txn);
    return succeeded;
}

#define EQUAL KV__V1__COMPARE__RESULT__EQUAL
#define NOT_EQUAL KV__V1__COMPARE__RESULT__NOT_EQUAL
#define LESS KV__V1__COMPARE__RESULT__LESS
#define GREATER KV__V1__COMPARE__RESULT__GREATER
#define VALUE KV__V1__COMPARE__TARGET_VALUE
#define VERSION KV__V1__COMPARE__TARGET_VERSION
#define CREATED KV__V1__COMPARE__TARGET_CREATE_REVISION
#define MODIFIED KV__V1__COMPARE__TARGET_MOD_REVISION

CONTRACT(numbers_are_compared)
{
    uint64_t created = contract_put(c, "a", "1");
    uint64_t modified = contract_put(c, "a", "2");
    const struct {
        Kv__V1__Compare__TargetCase target;
        uint64_t is;
    } numbers[] = {{VERSION, 2}, {CREATED, created}, {MODIFIED, modified}};
    size_t i;

    for (i = 0; i < 3; i++) {
        Kv__V1__Compare__TargetCase target = numbers[i].target;
        uint64_t is = numbers[i].is;

        cr_assert(holds(c, "a", target, EQUAL, is, ""));
        cr_assert_not(holds(c, "a", target, EQUAL, is - 1, ""));
        cr_assert(holds(c, "a", target, NOT_EQUAL, is - 1, ""));
        cr_assert_not(holds(c, "a", target, NOT_EQUAL, is, ""));
        cr_assert(holds(c, "a", target, LESS, is + 1, ""));
        cr_assert_not(holds(c, "a", target, LESS, is, ""));
        cr_assert(holds(c, "a", target, GREATER, is - 1, ""));
        cr_assert_not(holds(c, "a", target, GREATER, is, ""));
    }
}

CONTRACT(values_are_compared_byte_by_byte)
{
    contract_put(c, "a", "mm");
    cr_assert(holds(c, "a", VALUE, EQUAL, 0, "mm"));
    cr_assert_not(holds(c, "a", VALUE, EQUAL, 0, "m"));
    cr_assert(holds(c, "a", VALUE, NOT_EQUAL, 0, "m"));
    cr_assert(holds(c, "a", VALUE, GREATER, 0, "m"));
    cr_assert(holds(c, "a", VALUE, LESS, 0, "mmm"));
    cr_assert(holds(c, "a", VALUE, LESS, 0, "\xff"));
    cr_assert_not(holds(c, "a", VALUE, GREATER, 0, "\xff"));
}

CONTRACT(an_absent_key_has_numbers_0_and_no_value)
{
    contract_put(c, "gone", "x");
    contract_delete(c, "gone", NULL);
    cr_assert(holds(c, "a", VERSION, EQUAL, 0, ""));
    cr_assert(holds(c, "gone", VERSION, EQUAL, 0, ""));
    cr_assert(holds(c, "gone", CREATED, EQUAL, 0, ""));
    cr_assert(holds(c, "gone", MODIFIED, LESS, 1, ""));
    cr_assert_not(holds(c, "gone", VALUE, EQUAL, 0, ""));
    cr_assert_not(holds(c, "gone", VALUE, NOT_EQUAL, 0, "x"));
    cr_assert_not(holds(c, "a", VALUE, LESS, 0, "x"));
}

CONTRACT(all_compares_must_hold)
{
    struct txn *txn = txn_new(c);

    contract_put(c, "a", "1");
    txn_if_version(txn, "a", 1);
    txn_if_version(txn, "b", 1);
    txn_put(txn, true, "c", "then");
    txn_put(txn, false, "c", "otherwise");
    txn_do(txn, RPCRT_OK);
    cr_assert_not(txn->reply->succeeded);
    cr_assert_str_eq(contract_value(c, "c"), "otherwise");
    contract_put(c, "b", "1");
    txn_do(txn, RPCRT_OK);
    cr_assert(txn->reply->succeeded);
    cr_assert_str_eq(contract_value(c, "c"), "then");
    free(txn);
}

CONTRACT(without_compares_then_is_done)
{
    struct txn *txn = txn_new(c);

    txn_put(txn, true, "a", "then");
    txn_put(txn, false, "a", "otherwise");
    txn_do(txn, RPCRT_OK);
    cr_assert(txn->reply->succeeded);
    cr_assert_eq(txn->reply->n_replies, 1);
    cr_assert_str_eq(contract_value(c, "a"), "then");
    free(txn);
}

/* -- operations ------------------------------------------------------------ */

CONTRACT(a_transaction_reads_what_was_before_it)
{
    struct txn *txn = txn_new(c);
    Kv__V1__OperationReply **replies;

    contract_put(c, "a", "old");
    contract_put(c, "b", "old");
    txn_put(txn, true, "a", "new");
    txn_get(txn, true, "a");
    txn_delete(txn, true, "b", NULL);
    txn_get(txn, true, "b");
    txn_get(txn, true, "none");
    txn_do(txn, RPCRT_OK);
    replies = txn->reply->replies;
    cr_assert_eq(txn->reply->n_replies, 5);
    cr_assert_eq(replies[0]->kind_case, KV__V1__OPERATION_REPLY__KIND_PUT);
    cr_assert_null(replies[0]->put->header);
    cr_assert_eq(replies[1]->kind_case, KV__V1__OPERATION_REPLY__KIND_RANGE);
    cr_assert_null(replies[1]->range->header);
    cr_assert_str_eq(contract_text(c, replies[1]->range), "a=old");
    cr_assert_eq(replies[2]->kind_case,
                 KV__V1__OPERATION_REPLY__KIND_DELETE_RANGE);
    cr_assert_null(replies[2]->delete_range->header);
    cr_assert_eq(replies[2]->delete_range->deleted, 1);
    cr_assert_str_eq(contract_text(c, replies[3]->range), "b=old");
    cr_assert_str_eq(contract_text(c, replies[4]->range), "");
    cr_assert_str_eq(contract_state(c, 0), "a=new");
    free(txn);
}

CONTRACT(all_changes_of_a_transaction_have_one_revision)
{
    uint64_t before = contract_put(c, "c", "0");
    struct txn *txn = txn_new(c);

    txn_put(txn, true, "a", "1");
    txn_put(txn, true, "b", "1");
    txn_delete(txn, true, "c", "d");
    txn_do(txn, RPCRT_OK);
    cr_assert_eq(txn->reply->header->revision, before + 1);
    cr_assert_str_eq(contract_state(c, before), "c=0");
    cr_assert_str_eq(contract_state(c, before + 1), "a=1 b=1");
    free(txn);
}

CONTRACT(nothing_is_done_if_an_operation_fails)
{
    uint64_t before = contract_put(c, "a", "1");
    struct txn *txn = txn_new(c);

    txn_put(txn, true, "a", "2");
    txn_delete(txn, true, "b", NULL);
    txn_get(txn, true, "a")->revision = before + 100;
    txn_do(txn, RPCRT_OUT_OF_RANGE);
    cr_assert_str_eq(contract_state(c, 0), "a=1");
    cr_assert_eq(contract_put(c, "b", "1"), before + 1);
    free(txn);
}

/* Two operations of one list: put a name, or delete an interval. */
static void
expect_pair(struct contract *c, const char *one, const char *one_end,
            const char *other, const char *other_end, enum rpcrt_code expected)
{
    struct txn *txn = txn_new(c);

    if (one_end == NULL) {
        txn_put(txn, true, one, "x");
    } else {
        txn_delete(txn, true, one, one_end);
    }
    if (other_end == NULL) {
        txn_put(txn, true, other, "x");
    } else {
        txn_delete(txn, true, other, other_end);
    }
    txn_do(txn, expected);
    free(txn);
}

CONTRACT(no_key_is_written_twice_in_a_list)
{
    enum rpcrt_code refused = RPCRT_INVALID_ARGUMENT;
    struct txn *txn = txn_new(c);

    expect_pair(c, "a", NULL, "a", NULL, refused);
    expect_pair(c, "b", NULL, "a", "c", refused);
    expect_pair(c, "a", "c", "b", "d", refused);
    expect_pair(c, "b", "d", "a", "c", refused);
    expect_pair(c, "a", "z", "b", "c", refused);
    cr_assert_str_eq(contract_state(c, 0), "");
    expect_pair(c, "a", "c", "c", NULL, RPCRT_OK);
    expect_pair(c, "a", "b", "b", "c", RPCRT_OK);
    expect_pair(c, "c", "a", "b", NULL, RPCRT_OK);
    txn_put(txn, true, "a", "1");
    txn_put(txn, false, "a", "2");
    txn_do(txn, RPCRT_OK);
    free(txn);
}

CONTRACT(what_is_not_set_is_refused)
{
    struct txn *no_kind = txn_new(c);
    struct txn *no_target = txn_new(c);
    struct txn *no_result = txn_new(c);

    (void)txn_op(no_kind, false);
    txn_do(no_kind, RPCRT_INVALID_ARGUMENT);
    (void)txn_compare(no_target, "a", EQUAL);
    txn_do(no_target, RPCRT_INVALID_ARGUMENT);
    txn_compare(no_result, "a", (Kv__V1__Compare__Result)9)->target_case =
        VERSION;
    txn_do(no_result, RPCRT_INVALID_ARGUMENT);
    free(no_kind);
    free(no_target);
    free(no_result);
}

CONTRACT(operations_check_their_keys)
{
    struct txn *txn = txn_new(c);

    txn_put(txn, true, "a", "1");
    txn_put(txn, false, "b", "1");
    txn->puts[1].key.len = 0;
    txn_do(txn, RPCRT_INVALID_ARGUMENT);
    cr_assert_str_eq(contract_state(c, 0), "");
    free(txn);
}

/* -- limits ---------------------------------------------------------------- */

static void
expect_counts(struct contract *c, size_t n_compares, size_t n_then,
              size_t n_otherwise, enum rpcrt_code expected)
{
    struct txn *txn = txn_new(c);
    size_t i;

    for (i = 0; i < n_compares; i++) {
        Kv__V1__Compare *compare = txn_compare(txn, "", EQUAL);

        compare->target_case = VERSION;
    }
    for (i = 0; i < n_then + n_otherwise; i++) {
        (void)txn_get(txn, i < n_then, "");
    }
    txn_do(txn, expected);
    free(txn);
}

CONTRACT(lists_have_128_members_at_the_most)
{
    expect_counts(c, 128, 128, 128, RPCRT_OK);
    expect_counts(c, 129, 1, 1, RPCRT_RESOURCE_EXHAUSTED);
    expect_counts(c, 1, 129, 1, RPCRT_RESOURCE_EXHAUSTED);
    expect_counts(c, 1, 1, 129, RPCRT_RESOURCE_EXHAUSTED);
}

CONTRACT(a_transaction_sends_and_returns_2_MiB_at_the_most)
{
    static uint8_t value[1 << 20];
    struct txn *large = txn_new(c);
    struct txn *larger = txn_new(c);
    struct txn *reading = txn_new(c);
    size_t i;

    for (i = 0; i < 2; i++) {
        txn_put(large, true, i == 0 ? "a" : "b", "");
        large->puts[i].value = (ProtobufCBinaryData){(1 << 20) - 100, value};
        txn_put(larger, true, i == 0 ? "a" : "b", "");
        larger->puts[i].value = (ProtobufCBinaryData){1 << 20, value};
    }
    txn_do(large, RPCRT_OK);
    txn_do(larger, RPCRT_RESOURCE_EXHAUSTED);
    (void)txn_get(reading, true, "a");
    (void)txn_get(reading, true, "b");
    txn_put(reading, true, "c", "1");
    txn_do(reading, RPCRT_OK);
    cr_assert_eq(reading->reply->replies[1]->range->entries[0]->value.len,
                 (1 << 20) - 100);
    (void)txn_get(reading, true, "a");
    reading->puts[2].value = contract_bytes("2");
    txn_do(reading, RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(contract_value(c, "c"), "1");
    free(large);
    free(larger);
    free(reading);
}

/* -- repeating, and many at once ------------------------------------------- */

CONTRACT(a_guarded_transaction_takes_effect_once)
{
    struct txn *txn = txn_new(c);
    unsigned i;

    txn_if_version(txn, "done", 0);
    txn_put(txn, true, "done", "by the first");
    txn_get(txn, false, "done");
    for (i = 0; i < 3; i++) {
        txn_do(txn, RPCRT_OK);
        cr_assert_eq(txn->reply->succeeded, i == 0);
        if (i > 0) {
            cr_assert_str_eq(contract_text(c, txn->reply->replies[0]->range),
                             "done=by the first");
        }
    }
    cr_assert(holds(c, "done", VERSION, EQUAL, 1, ""));
    free(txn);
}

#define RACERS 4u
#define STEPS 25u

struct racer {
    struct contract *c;
    struct rpcrt_call *call;
    Kv__V1__RangeRequest range;
    ProtobufCBinaryData key;
    const char *failed;
};

/* One try to raise the counter; false if the calls failed. */
static bool
race_step(struct racer *racer, bool *ret_won)
{
    Kv__V1__TxnRequest txn = KV__V1__TXN_REQUEST__INIT;
    Kv__V1__Compare compare = KV__V1__COMPARE__INIT;
    Kv__V1__Compare *compares = &compare;
    Kv__V1__Operation op = KV__V1__OPERATION__INIT;
    Kv__V1__Operation *ops = &op;
    Kv__V1__PutRequest put = KV__V1__PUT_REQUEST__INIT;
    const Kv__V1__RangeReply *page;
    const Kv__V1__TxnReply *done;
    char value[16] = "1";

    if (kv_range(racer->call, &racer->range, &page) != RPCRT_OK) {
        return false;
    }
    compare.key = racer->key;
    compare.target_case = MODIFIED;
    if (page->n_entries > 0) {
        char now[16];

        (void)snprintf(now, sizeof(now), "%.*s",
                       (int)page->entries[0]->value.len,
                       (const char *)page->entries[0]->value.data);
        (void)snprintf(value, sizeof(value), "%d", atoi(now) + 1);
        compare.mod_revision = page->entries[0]->mod_revision;
    }
    put.key = racer->key;
    put.value = (ProtobufCBinaryData){strlen(value), (uint8_t *)value};
    op.kind_case = KV__V1__OPERATION__KIND_PUT;
    op.put = &put;
    txn.compares = &compares;
    txn.n_compares = 1;
    txn.then = &ops;
    txn.n_then = 1;
    if (kv_txn(racer->call, &txn, &done) != RPCRT_OK) {
        return false;
    }
    *ret_won = done->succeeded;
    return true;
}

static void *
race(void *arg)
{
    struct racer *racer = arg;
    unsigned n = 0;

    while (n < STEPS) {
        bool won = false;

        if (!race_step(racer, &won)) {
            racer->failed = rpcrt_call_message(racer->call);
            return NULL;
        }
        n += won ? 1 : 0;
    }
    return NULL;
}

CONTRACT(a_shared_counter_loses_no_step)
{
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    char expected[16];
    unsigned i;

    for (i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.c = c,
                                   .call = contract_call(c, CONTRACT_OWNER),
                                   .range = KV__V1__RANGE_REQUEST__INIT,
                                   .key = contract_key(c, "counter")};
        racers[i].range.key = racers[i].key;
    }
    for (i = 0; i < RACERS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (i = 0; i < RACERS; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
        cr_assert_null(racers[i].failed, "%s: %s", c->where, racers[i].failed);
    }
    (void)snprintf(expected, sizeof(expected), "%u", RACERS * STEPS);
    cr_assert_str_eq(contract_value(c, "counter"), expected);
}
