/*
 * Messages to structs and back: see message.h.
 */
#include "kv/message.h"

/* -- memory ---------------------------------------------------------------- */

static void *
memory_alloc(void *arg, size_t size)
{
    return rpcrt_ctx_alloc(arg, size);
}

static void *
memory_copy(void *arg, const void *data, size_t size)
{
    return rpcrt_ctx_copy(arg, data, size);
}

struct kvs_memory
kvs_message_memory(struct rpcrt_ctx *ctx)
{
    return (struct kvs_memory){memory_alloc, memory_copy, ctx};
}

/* -- requests -------------------------------------------------------------- */

static struct kvs_slice
slice_of(const ProtobufCBinaryData *bytes)
{
    return (struct kvs_slice){bytes->data, bytes->len};
}

void
kvs_message_span(const ProtobufCBinaryData *key, const ProtobufCBinaryData *end,
                 struct kvs_span *ret_span)
{
    *ret_span = (struct kvs_span){slice_of(key), slice_of(end), false};
}

void
kvs_message_range(const Kv__V1__RangeRequest *request,
                  struct kvs_range *ret_range)
{
    *ret_range = (struct kvs_range){
        .revision = request->revision,
        .limit = request->limit,
        .reverse = request->reverse,
        .keys_only = request->keys_only,
        .store_id = request->store_id,
    };
    kvs_message_span(&request->key, &request->end, &ret_range->span);
}

static bool
relation_of(Kv__V1__Compare__Result result, enum kvs_relation *ret_relation)
{
    switch (result) {
    case KV__V1__COMPARE__RESULT__EQUAL:
        *ret_relation = KVS_EQUAL;
        return true;
    case KV__V1__COMPARE__RESULT__NOT_EQUAL:
        *ret_relation = KVS_NOT_EQUAL;
        return true;
    case KV__V1__COMPARE__RESULT__LESS:
        *ret_relation = KVS_LESS;
        return true;
    case KV__V1__COMPARE__RESULT__GREATER:
        *ret_relation = KVS_GREATER;
        return true;
    default:
        return false;
    }
}

static bool
compare_of(const Kv__V1__Compare *message, struct kvs_compare *ret_compare)
{
    ret_compare->key = slice_of(&message->key);
    switch (message->target_case) {
    case KV__V1__COMPARE__TARGET_VALUE:
        ret_compare->target = KVS_TARGET_VALUE;
        ret_compare->value = slice_of(&message->value);
        break;
    case KV__V1__COMPARE__TARGET_VERSION:
        ret_compare->target = KVS_TARGET_VERSION;
        ret_compare->number = message->version;
        break;
    case KV__V1__COMPARE__TARGET_CREATE_REVISION:
        ret_compare->target = KVS_TARGET_CREATE_REVISION;
        ret_compare->number = message->create_revision;
        break;
    case KV__V1__COMPARE__TARGET_MOD_REVISION:
        ret_compare->target = KVS_TARGET_MOD_REVISION;
        ret_compare->number = message->mod_revision;
        break;
    default:
        return false;
    }
    return relation_of(message->result, &ret_compare->relation);
}

static bool
op_of(const Kv__V1__Operation *message, struct kvs_op *ret_op)
{
    switch (message->kind_case) {
    case KV__V1__OPERATION__KIND_RANGE:
        ret_op->kind = KVS_OP_RANGE;
        kvs_message_range(message->range, &ret_op->range);
        return true;
    case KV__V1__OPERATION__KIND_PUT:
        ret_op->kind = KVS_OP_PUT;
        ret_op->key = slice_of(&message->put->key);
        ret_op->value = slice_of(&message->put->value);
        return true;
    case KV__V1__OPERATION__KIND_DELETE_RANGE:
        ret_op->kind = KVS_OP_DELETE;
        kvs_message_span(&message->delete_range->key,
                         &message->delete_range->end, &ret_op->range.span);
        return true;
    default:
        return false;
    }
}

static enum rpcrt_code
ops_of(struct rpcrt_ctx *ctx, const char *list, Kv__V1__Operation **messages,
       size_t n_messages, struct kvs_ops *ret_ops)
{
    struct kvs_op *items;
    size_t i;

    *ret_ops = (struct kvs_ops){NULL, 0};
    if (n_messages == 0) {
        return RPCRT_OK;
    }
    /* Beyond the limit the engine refuses: it need not see them all. */
    if (n_messages > KVS_OPS_MAX) {
        return rpcrt_ctx_fail(ctx, RPCRT_RESOURCE_EXHAUSTED,
                              "%zu operations in `%s`, the limit is %u",
                              n_messages, list, KVS_OPS_MAX);
    }
    items = rpcrt_ctx_alloc(ctx, n_messages * sizeof(*items));
    if (items == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    for (i = 0; i < n_messages; i++) {
        if (!op_of(messages[i], &items[i])) {
            return rpcrt_ctx_fail(ctx, RPCRT_INVALID_ARGUMENT,
                                  "%s[%zu]: no operation is set", list, i);
        }
    }
    *ret_ops = (struct kvs_ops){items, n_messages};
    return RPCRT_OK;
}

static enum rpcrt_code
compares_of(struct rpcrt_ctx *ctx, const Kv__V1__TxnRequest *request,
            struct kvs_write *ret_write)
{
    struct kvs_compare *compares;
    size_t i;

    if (request->n_compares == 0) {
        return RPCRT_OK;
    }
    if (request->n_compares > KVS_COMPARES_MAX) {
        return rpcrt_ctx_fail(ctx, RPCRT_RESOURCE_EXHAUSTED,
                              "%zu compares, the limit is %u",
                              request->n_compares, KVS_COMPARES_MAX);
    }
    compares = rpcrt_ctx_alloc(ctx, request->n_compares * sizeof(*compares));
    if (compares == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    for (i = 0; i < request->n_compares; i++) {
        if (!compare_of(request->compares[i], &compares[i])) {
            return rpcrt_ctx_fail(
                ctx, RPCRT_INVALID_ARGUMENT,
                "compares[%zu]: no target is set, or the result is unknown", i);
        }
    }
    ret_write->compares = compares;
    ret_write->n_compares = request->n_compares;
    return RPCRT_OK;
}

enum rpcrt_code
kvs_message_txn(struct rpcrt_ctx *ctx, const Kv__V1__TxnRequest *request,
                struct kvs_write *ret_write)
{
    enum rpcrt_code code = compares_of(ctx, request, ret_write);

    ret_write->store_id = request->store_id;
    if (code == RPCRT_OK) {
        code = ops_of(ctx, "then", request->then, request->n_then,
                      &ret_write->then);
    }
    if (code == RPCRT_OK) {
        code = ops_of(ctx, "otherwise", request->otherwise,
                      request->n_otherwise, &ret_write->otherwise);
    }
    return code;
}

/* -- replies --------------------------------------------------------------- */

Kv__V1__Header *
kvs_message_header(struct rpcrt_ctx *ctx, const struct kvs_header *header)
{
    Kv__V1__Header *message = rpcrt_ctx_alloc(ctx, sizeof(*message));

    if (message == NULL) {
        return NULL;
    }
    kv__v1__header__init(message);
    message->store_id = rpcrt_ctx_copy(ctx, header->store_id, KVS_ID_DIGITS);
    message->epoch = header->epoch;
    message->revision = header->revision;
    return message->store_id == NULL ? NULL : message;
}

/* Engines copied the bytes into the call's memory: the message may own them,
 * as protobuf-c puts it. */
static ProtobufCBinaryData
bytes_of(struct kvs_slice slice)
{
    union {
        const uint8_t *in;
        uint8_t *out;
    } pointer = {slice.data};

    return (ProtobufCBinaryData){slice.size, pointer.out};
}

static void
entry_fill(const struct kvs_entry *entry, Kv__V1__KeyValue *message)
{
    kv__v1__key_value__init(message);
    message->key = bytes_of(entry->key);
    message->value = bytes_of(entry->value);
    message->create_revision = entry->create_revision;
    message->mod_revision = entry->mod_revision;
    message->version = entry->version;
}

bool
kvs_message_entries(struct rpcrt_ctx *ctx, const struct kvs_result *result,
                    Kv__V1__RangeReply *ret_reply)
{
    const struct kvs_entry *entry;
    Kv__V1__KeyValue *messages;
    Kv__V1__KeyValue **pointers;
    size_t n = 0;

    ret_reply->more = result->more;
    if (result->n_entries == 0) {
        return true;
    }
    messages = rpcrt_ctx_alloc(ctx, result->n_entries * sizeof(*messages));
    pointers = rpcrt_ctx_alloc(ctx, result->n_entries * sizeof(*pointers));
    if (messages == NULL || pointers == NULL) {
        return false;
    }
    for (entry = result->entries; entry != NULL; entry = entry->next) {
        entry_fill(entry, &messages[n]);
        pointers[n] = &messages[n];
        n++;
    }
    ret_reply->entries = pointers;
    ret_reply->n_entries = n;
    return true;
}

static bool
result_range(struct rpcrt_ctx *ctx, const struct kvs_result *result,
             Kv__V1__OperationReply *reply)
{
    reply->range = rpcrt_ctx_alloc(ctx, sizeof(*reply->range));
    if (reply->range == NULL) {
        return false;
    }
    kv__v1__range_reply__init(reply->range);
    reply->kind_case = KV__V1__OPERATION_REPLY__KIND_RANGE;
    return kvs_message_entries(ctx, result, reply->range);
}

static bool
result_fill(struct rpcrt_ctx *ctx, enum kvs_op_kind kind,
            const struct kvs_result *result, Kv__V1__OperationReply *reply)
{
    kv__v1__operation_reply__init(reply);
    switch (kind) {
    case KVS_OP_RANGE:
        return result_range(ctx, result, reply);
    case KVS_OP_PUT:
        reply->put = rpcrt_ctx_alloc(ctx, sizeof(*reply->put));
        if (reply->put != NULL) {
            kv__v1__put_reply__init(reply->put);
            reply->kind_case = KV__V1__OPERATION_REPLY__KIND_PUT;
        }
        return reply->put != NULL;
    case KVS_OP_DELETE:
        reply->delete_range =
            rpcrt_ctx_alloc(ctx, sizeof(*reply->delete_range));
        if (reply->delete_range != NULL) {
            kv__v1__delete_range_reply__init(reply->delete_range);
            reply->delete_range->deleted = result->deleted;
            reply->kind_case = KV__V1__OPERATION_REPLY__KIND_DELETE_RANGE;
        }
        return reply->delete_range != NULL;
    }
    return false;
}

bool
kvs_message_results(struct rpcrt_ctx *ctx, const struct kvs_write *write,
                    Kv__V1__TxnReply *ret_reply)
{
    const struct kvs_ops *ops =
        write->succeeded ? &write->then : &write->otherwise;
    Kv__V1__OperationReply *messages;
    Kv__V1__OperationReply **pointers;
    size_t i;

    ret_reply->succeeded = write->succeeded;
    if (write->n_results == 0) {
        return true;
    }
    messages = rpcrt_ctx_alloc(ctx, write->n_results * sizeof(*messages));
    pointers = rpcrt_ctx_alloc(ctx, write->n_results * sizeof(*pointers));
    if (messages == NULL || pointers == NULL) {
        return false;
    }
    for (i = 0; i < write->n_results; i++) {
        if (!result_fill(ctx, ops->items[i].kind, &write->results[i],
                         &messages[i])) {
            return false;
        }
        pointers[i] = &messages[i];
    }
    ret_reply->replies = pointers;
    ret_reply->n_replies = write->n_results;
    return true;
}
