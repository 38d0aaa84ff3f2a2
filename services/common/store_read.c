/*
 * Reading records: several at one revision, or page by page.
 */
#include "common/store_inner.h"

#include <string.h>

/* -- several keys ---------------------------------------------------------- */

/* An operation that reads one key. */
static Kv__V1__Operation *
read_new(struct common_work *work, const char *key)
{
    struct {
        Kv__V1__Operation operation;
        Kv__V1__RangeRequest range;
    } *read = common_work_alloc(work, sizeof(*read));

    if (read == NULL) {
        return NULL;
    }
    kv__v1__operation__init(&read->operation);
    kv__v1__range_request__init(&read->range);
    read->operation.kind_case = KV__V1__OPERATION__KIND_RANGE;
    read->operation.range = &read->range;
    read->range.key = common_work_key(work, key);
    return &read->operation;
}

void
common_read(struct common_work *work, const char *key,
            const ProtobufCMessageDescriptor *type,
            struct common_record *ret_record)
{
    Kv__V1__Operation *operation;

    *ret_record = (struct common_record){.key = key};
    if (!common_work_go_on(work)) {
        return;
    }
    if (work->n_wanted == COMMON_OPERATIONS_MAX) {
        (void)common_work_set_error(work, RPCRT_INTERNAL,
                                    "more than %u records are read at once",
                                    COMMON_OPERATIONS_MAX);
        return;
    }
    operation = read_new(work, key);
    if (common_work_code(work) == RPCRT_OK) {
        ret_record->key = (const char *)operation->range->key.data;
        work->wanted[work->n_wanted++] =
            (struct common_wanted){ret_record, type, operation};
    }
}

/* What one Range has found. */
static void
record_fill(struct common_work *work, const struct common_wanted *wanted,
            const Kv__V1__RangeReply *reply)
{
    struct common_record *record = wanted->record;
    const Kv__V1__KeyValue *entry;

    if (reply->n_entries == 0) {
        return;
    }
    entry = reply->entries[0];
    record->message =
        common_work_unpack(work, record->key, &entry->value, wanted->type);
    record->revision = record->message == NULL ? 0 : entry->mod_revision;
}

/* Remember who answered, so that no other store does later. */
static bool
header_check(struct common_work *work, const Kv__V1__Header *header)
{
    if (header == NULL || strlen(header->store_id) >= sizeof(work->store_id)) {
        (void)common_work_set_error(work, RPCRT_INTERNAL,
                                    "the key-value store sent no header");
        return false;
    }
    memcpy(work->store_id, header->store_id, strlen(header->store_id) + 1);
    return true;
}

/* A single key needs no transaction. */
static void
read_one(struct common_work *work)
{
    struct common_request request = {.range = work->wanted[0].operation->range};

    request.range->store_id = work->store_id;
    if (common_request_send(work, &request) == RPCRT_OK &&
        header_check(work, request.range_reply->header)) {
        record_fill(work, &work->wanted[0], request.range_reply);
    }
    common_request_end(work, &request);
}

static void
records_fill(struct common_work *work, const Kv__V1__TxnReply *reply)
{
    size_t i;

    if (!header_check(work, reply->header)) {
        return;
    }
    for (i = 0; i < work->n_wanted; i++) {
        if (i >= reply->n_replies || reply->replies[i]->kind_case !=
                                         KV__V1__OPERATION_REPLY__KIND_RANGE) {
            (void)common_work_set_error(
                work, RPCRT_INTERNAL,
                "the key-value store answered something else");
            return;
        }
        record_fill(work, &work->wanted[i], reply->replies[i]->range);
    }
}

static void
read_several(struct common_work *work)
{
    Kv__V1__TxnRequest txn = KV__V1__TXN_REQUEST__INIT;
    struct common_request request = {.txn = &txn};
    Kv__V1__Operation *operations[COMMON_OPERATIONS_MAX];
    size_t i;

    for (i = 0; i < work->n_wanted; i++) {
        operations[i] = work->wanted[i].operation;
    }
    txn.n_then = work->n_wanted;
    txn.then = operations;
    txn.store_id = work->store_id;
    if (common_request_send(work, &request) == RPCRT_OK) {
        records_fill(work, request.txn_reply);
    }
    common_request_end(work, &request);
}

enum rpcrt_code
common_read_now(struct common_work *work)
{
    if (common_work_go_on(work) && work->n_wanted == 1) {
        read_one(work);
    } else if (common_work_go_on(work) && work->n_wanted > 1) {
        read_several(work);
    }
    work->n_wanted = 0;
    return common_work_code(work);
}

/* -- pages ----------------------------------------------------------------- */

/* Behind all keys that begin with a prefix; text, so no byte is 0xff. */
static ProtobufCBinaryData
prefix_end(struct common_work *work, const char *prefix)
{
    ProtobufCBinaryData end = common_work_key(work, prefix);

    if (end.len > 0) {
        end.data[end.len - 1]++;
    }
    return end;
}

static void
span_fill(struct common_work *work, const struct common_span *span,
          Kv__V1__RangeRequest *range)
{
    range->key = common_work_key(work, span->first);
    range->end = span->end != NULL ? common_work_key(work, span->end)
                                   : prefix_end(work, span->first);
    if (span->after != NULL && span->reverse) {
        range->end = common_work_key(work, span->after);
    } else if (span->after != NULL) {
        range->key = common_work_key(work, span->after);
        range->key.len++; /* with the zero byte behind it */
    }
    range->reverse = span->reverse;
    range->keys_only = span->keys_only;
    range->limit = span->limit;
    range->revision = span->revision;
    range->store_id = work->store_id;
}

static void
entry_fill(struct common_work *work, const Kv__V1__KeyValue *entry,
           const struct common_span *span,
           const ProtobufCMessageDescriptor *type, struct common_record *record)
{
    char *key = common_work_alloc(work, entry->key.len + 1);

    if (key == NULL) {
        return;
    }
    memcpy(key, entry->key.data, entry->key.len);
    record->key = key;
    record->revision = entry->mod_revision;
    if (!span->keys_only) {
        record->message = common_work_unpack(work, key, &entry->value, type);
    }
}

static void
page_fill(struct common_work *work, const Kv__V1__RangeReply *reply,
          const struct common_span *span,
          const ProtobufCMessageDescriptor *type, struct common_page *page)
{
    size_t i;

    if (!header_check(work, reply->header)) {
        return;
    }
    page->more = reply->more;
    page->revision =
        span->revision != 0 ? span->revision : reply->header->revision;
    page->records = common_work_alloc(work, (reply->n_entries + 1) *
                                                sizeof(*page->records));
    for (i = 0; page->records != NULL && i < reply->n_entries &&
                common_work_code(work) == RPCRT_OK;
         i++) {
        entry_fill(work, reply->entries[i], span, type, &page->records[i]);
    }
    page->n_records = i;
}

enum rpcrt_code
common_scan(struct common_work *work, const struct common_span *span,
            const ProtobufCMessageDescriptor *type,
            struct common_page *ret_page)
{
    Kv__V1__RangeRequest range = KV__V1__RANGE_REQUEST__INIT;
    struct common_request request = {.range = &range,
                                     .history = span->revision != 0};
    struct common_page page = {.records = NULL};

    if (!common_work_go_on(work)) {
        return common_work_code(work);
    }
    span_fill(work, span, &range);
    if (common_work_code(work) == RPCRT_OK &&
        common_request_send(work, &request) == RPCRT_OK) {
        page_fill(work, request.range_reply, span, type, &page);
    }
    common_request_end(work, &request);
    if (common_work_code(work) == RPCRT_OK) {
        *ret_page = page;
    }
    return common_work_code(work);
}
