/*
 * The rules for requests: see check.h.
 */
#include "kv/check.h"

static enum rpcrt_code
check_key(struct kvs_slice key, struct common_error *ret_error)
{
    if (key.size == 0) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "the key is empty");
    }
    if (key.size > KVS_KEY_SIZE_MAX) {
        return common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "the key has %zu bytes, the limit is %u",
                                key.size, KVS_KEY_SIZE_MAX);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
check_value(struct kvs_slice value, struct common_error *ret_error)
{
    if (value.size > KVS_VALUE_SIZE_MAX) {
        return common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "the value has %zu bytes, the limit is %u",
                                value.size, KVS_VALUE_SIZE_MAX);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
check_span(const struct kvs_span *span, struct common_error *ret_error)
{
    if (span->end.size == 0) {
        return check_key(span->first, ret_error);
    }
    if (span->first.size > KVS_BOUND_SIZE_MAX ||
        span->end.size > KVS_BOUND_SIZE_MAX) {
        return common_error_set(
            ret_error, RPCRT_RESOURCE_EXHAUSTED,
            "%s of the interval has %zu bytes, the limit is %u",
            span->first.size > KVS_BOUND_SIZE_MAX ? "the key" : "the end",
            span->first.size > KVS_BOUND_SIZE_MAX ? span->first.size
                                                  : span->end.size,
            KVS_BOUND_SIZE_MAX);
    }
    return RPCRT_OK;
}

enum rpcrt_code
kvs_check_range(const struct kvs_range *range, struct common_error *ret_error)
{
    return check_span(&range->span, ret_error);
}

static bool
end_is_open(struct kvs_slice end)
{
    return end.size == 1 && end.data[0] == 0;
}

/* Whether a key stands in a span. */
static bool
span_has(const struct kvs_span *span, struct kvs_slice key)
{
    if (span->end.size == 0) {
        return kvs_slice_compare(span->first, key) == 0;
    }
    return kvs_slice_compare(span->first, key) <= 0 &&
           (end_is_open(span->end) || kvs_slice_compare(key, span->end) < 0);
}

static bool
span_is_empty(const struct kvs_span *span)
{
    return span->end.size > 0 && !end_is_open(span->end) &&
           kvs_slice_compare(span->first, span->end) >= 0;
}

/* Whether two spans could have a key in common: if so, the larger of the two
 * first keys stands in both. */
static bool
spans_meet(const struct kvs_span *a, const struct kvs_span *b)
{
    bool b_later = kvs_slice_compare(a->first, b->first) < 0;

    if (span_is_empty(a) || span_is_empty(b)) {
        return false;
    }
    return b_later ? span_has(a, b->first) : span_has(b, a->first);
}

static struct kvs_span
written_span(const struct kvs_op *op)
{
    struct kvs_span span = {op->key, {NULL, 0}, false};

    return op->kind == KVS_OP_PUT ? span : op->range.span;
}

static enum rpcrt_code
check_overlap(const struct kvs_ops *ops, struct common_error *ret_error)
{
    size_t i;
    size_t j;

    for (i = 1; i < ops->n_items; i++) {
        struct kvs_span span = written_span(&ops->items[i]);

        if (ops->items[i].kind == KVS_OP_RANGE) {
            continue;
        }
        for (j = 0; j < i; j++) {
            struct kvs_span other = written_span(&ops->items[j]);

            if (ops->items[j].kind != KVS_OP_RANGE &&
                spans_meet(&span, &other)) {
                return common_error_set(
                    ret_error, RPCRT_INVALID_ARGUMENT,
                    "operations %zu and %zu write the same key", j, i);
            }
        }
    }
    return RPCRT_OK;
}

static enum rpcrt_code
check_op(const struct kvs_op *op, struct common_error *ret_error)
{
    switch (op->kind) {
    case KVS_OP_PUT:
        if (check_key(op->key, ret_error) != RPCRT_OK) {
            return ret_error->code;
        }
        return check_value(op->value, ret_error);
    case KVS_OP_RANGE:
    case KVS_OP_DELETE:
        return check_span(&op->range.span, ret_error);
    }
    return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                            "unknown operation");
}

static enum rpcrt_code
check_ops(const struct kvs_ops *ops, size_t *bytes,
          struct common_error *ret_error)
{
    size_t i;

    if (ops->n_items > KVS_OPS_MAX) {
        return common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "%zu operations, the limit is %u", ops->n_items,
                                KVS_OPS_MAX);
    }
    for (i = 0; i < ops->n_items; i++) {
        const struct kvs_op *op = &ops->items[i];

        if (check_op(op, ret_error) != RPCRT_OK) {
            return ret_error->code;
        }
        *bytes += op->key.size + op->value.size + op->range.span.first.size +
                  op->range.span.end.size;
    }
    return check_overlap(ops, ret_error);
}

enum rpcrt_code
kvs_check_write(const struct kvs_write *write, struct common_error *ret_error)
{
    size_t bytes = 0;
    size_t i;

    if (write->n_compares > KVS_COMPARES_MAX) {
        return common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "%zu compares, the limit is %u",
                                write->n_compares, KVS_COMPARES_MAX);
    }
    for (i = 0; i < write->n_compares; i++) {
        const struct kvs_compare *compare = &write->compares[i];

        if (check_key(compare->key, ret_error) != RPCRT_OK ||
            check_value(compare->value, ret_error) != RPCRT_OK) {
            return ret_error->code;
        }
        bytes += compare->key.size + compare->value.size;
    }
    if (check_ops(&write->then, &bytes, ret_error) != RPCRT_OK ||
        check_ops(&write->otherwise, &bytes, ret_error) != RPCRT_OK) {
        return ret_error->code;
    }
    if (bytes > KVS_TXN_BYTES_MAX) {
        return common_error_set(
            ret_error, RPCRT_RESOURCE_EXHAUSTED,
            "the transaction has %zu bytes of keys and values, the limit is %u",
            bytes, KVS_TXN_BYTES_MAX);
    }
    return RPCRT_OK;
}
