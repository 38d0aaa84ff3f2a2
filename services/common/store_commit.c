/*
 * Changing records: what must still be so, what is written, and one
 * transaction that is sent until it is answered.
 */
#include "common/store_inner.h"

#include <sodium.h>
#include <string.h>

/* -- what must be so ------------------------------------------------------- */

static bool
has_room(struct common_work *work, size_t n)
{
    if (common_work_go_on(work) && n == COMMON_OPERATIONS_MAX) {
        (void)common_work_set_error(work, RPCRT_INTERNAL,
                                    "more than %u keys in one commit",
                                    COMMON_OPERATIONS_MAX);
    }
    return common_work_code(work) == RPCRT_OK;
}

static void
expect(struct common_work *work, const char *key, uint64_t revision)
{
    Kv__V1__Compare *compare;

    if (!has_room(work, work->n_compares)) {
        return;
    }
    compare = common_work_alloc(work, sizeof(*compare));
    if (compare == NULL) {
        return;
    }
    kv__v1__compare__init(compare);
    compare->key = common_work_key(work, key);
    compare->target_case = KV__V1__COMPARE__TARGET_MOD_REVISION;
    compare->mod_revision = revision;
    work->compares[work->n_compares++] = compare;
}

void
common_expect(struct common_work *work, const struct common_record *record)
{
    expect(work, record->key, record->revision);
}

void
common_expect_nothing(struct common_work *work, const char *key)
{
    expect(work, key, 0);
}

/* -- what is done ---------------------------------------------------------- */

/* A packed message with the mark behind it. */
static ProtobufCBinaryData
value_make(struct common_work *work, const ProtobufCMessage *message)
{
    ProtobufCBinaryData value = {0, NULL};
    size_t size =
        message == NULL ? 0 : protobuf_c_message_get_packed_size(message);

    value.data = common_work_alloc(work, size + COMMON_MARK_SIZE);
    if (value.data == NULL) {
        return value;
    }
    if (message != NULL) {
        (void)protobuf_c_message_pack(message, value.data);
    }
    memcpy(value.data + size, work->mark, COMMON_MARK_SIZE);
    value.len = size + COMMON_MARK_SIZE;
    return value;
}

static void
mark_make(struct common_work *work)
{
    memcpy(work->mark, common_mark_tag, COMMON_MARK_TAG_SIZE);
    randombytes_buf(work->mark + COMMON_MARK_TAG_SIZE,
                    COMMON_MARK_SIZE - COMMON_MARK_TAG_SIZE);
}

/* One operation more, of no kind yet; NULL, and the work has failed. */
static Kv__V1__Operation *
step_add(struct common_work *work)
{
    Kv__V1__Operation *step = NULL;

    if (has_room(work, work->n_steps)) {
        step = common_work_alloc(work, sizeof(*step));
    }
    if (step != NULL) {
        kv__v1__operation__init(step);
        work->steps[work->n_steps++] = step;
    }
    return step;
}

void
common_put(struct common_work *work, const char *key,
           const ProtobufCMessage *message)
{
    Kv__V1__Operation *step = step_add(work);
    Kv__V1__PutRequest *put =
        step == NULL ? NULL : common_work_alloc(work, sizeof(*put));

    if (put == NULL) {
        return;
    }
    if (work->first_put == NULL) {
        mark_make(work);
        work->first_put = put;
    }
    kv__v1__put_request__init(put);
    step->kind_case = KV__V1__OPERATION__KIND_PUT;
    step->put = put;
    put->key = common_work_key(work, key);
    put->value = value_make(work, message);
}

void
common_delete(struct common_work *work, const char *key)
{
    Kv__V1__Operation *step = step_add(work);
    Kv__V1__DeleteRangeRequest *delete_range =
        step == NULL ? NULL : common_work_alloc(work, sizeof(*delete_range));

    if (delete_range == NULL) {
        return;
    }
    kv__v1__delete_range_request__init(delete_range);
    step->kind_case = KV__V1__OPERATION__KIND_DELETE_RANGE;
    step->delete_range = delete_range;
    delete_range->key = common_work_key(work, key);
}

/* -- the commit ------------------------------------------------------------ */

static bool
same_key(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Whether a step makes something untrue that is expected. */
static bool
step_is_once(const struct common_work *work, const Kv__V1__Operation *step)
{
    bool put = step->kind_case == KV__V1__OPERATION__KIND_PUT;
    const ProtobufCBinaryData *key =
        put ? &step->put->key : &step->delete_range->key;
    size_t i;

    for (i = 0; i < work->n_compares; i++) {
        if (same_key(&work->compares[i]->key, key) &&
            (put || work->compares[i]->mod_revision != 0)) {
            return true;
        }
    }
    return false;
}

/* What is sent twice must not take effect twice. */
static bool
takes_effect_once(const struct common_work *work)
{
    size_t i;

    for (i = 0; i < work->n_steps; i++) {
        if (step_is_once(work, work->steps[i])) {
            return true;
        }
    }
    /* What is deleted twice is as if deleted once. */
    return work->first_put == NULL;
}

/* The expectations did not hold. If the first record to be written carries the
 * mark of this commit, an earlier try has written it. */
static enum rpcrt_code
find_own(struct common_work *work, const Kv__V1__TxnReply *reply)
{
    const Kv__V1__RangeReply *found = NULL;

    if (reply->n_replies == 1 &&
        reply->replies[0]->kind_case == KV__V1__OPERATION_REPLY__KIND_RANGE) {
        found = reply->replies[0]->range;
    }
    if (found != NULL && found->n_entries == 1 &&
        common_value_has_mark(&found->entries[0]->value, work->mark)) {
        work->revision = found->entries[0]->mod_revision;
        return RPCRT_OK;
    }
    return common_work_set_error(work, RPCRT_ABORTED,
                                 "somebody else has changed it meanwhile");
}

static enum rpcrt_code
commit(struct common_work *work)
{
    Kv__V1__TxnRequest txn = KV__V1__TXN_REQUEST__INIT;
    Kv__V1__RangeRequest look = KV__V1__RANGE_REQUEST__INIT;
    Kv__V1__Operation otherwise = KV__V1__OPERATION__INIT;
    Kv__V1__Operation *otherwises[] = {&otherwise};
    struct common_request request = {.txn = &txn, .changes = true};

    txn.n_compares = work->n_compares;
    txn.compares = work->compares;
    txn.n_then = work->n_steps;
    txn.then = work->steps;
    txn.store_id = work->store_id;
    if (work->first_put != NULL) {
        look.key = work->first_put->key;
        otherwise.kind_case = KV__V1__OPERATION__KIND_RANGE;
        otherwise.range = &look;
        txn.n_otherwise = 1;
        txn.otherwise = otherwises;
    }
    if (common_request_send(work, &request) != RPCRT_OK) {
        /* The work has failed. */
    } else if (!request.txn_reply->succeeded) {
        (void)find_own(work, request.txn_reply);
    } else if (request.txn_reply->header != NULL) {
        work->revision = request.txn_reply->header->revision;
    }
    common_request_end(work, &request);
    return common_work_code(work);
}

enum rpcrt_code
common_commit(struct common_work *work)
{
    if (common_work_go_on(work) && work->n_steps > 0) {
        if (takes_effect_once(work)) {
            (void)commit(work);
        } else {
            (void)common_work_set_error(
                work, RPCRT_INTERNAL,
                "a commit must write a record that it expects");
        }
    }
    work->n_compares = 0;
    work->n_steps = 0;
    work->first_put = NULL;
    return common_work_code(work);
}

uint64_t
common_work_revision(const struct common_work *work)
{
    return work->revision;
}
