/*
 * Enums made at run time, and ranges of numbers, by which protobuf-c looks for
 * values of enums and fields of messages.
 */
#include "wire/types.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of google/protobuf/descriptor.proto. */
enum { ENUM_VALUE = 2, VALUE_NAME = 1, VALUE_NUMBER = 2 };

/* -- ranges ---------------------------------------------------------------- */

unsigned
rpcrt__types_ranges(struct rpcrt_types *types, unsigned n,
                    int32_t (*number_at)(const void *items, unsigned i),
                    const void *items, const ProtobufCIntRange **ret_ranges)
{
    ProtobufCIntRange *ranges =
        rpcrt__types_alloc(types, (size_t)n + 1, sizeof *ranges);
    unsigned n_ranges = 0;
    unsigned i;

    if (ranges == NULL) {
        return 0;
    }
    for (i = 0; i < n; i++) {
        int32_t number = number_at(items, i);

        if (i == 0 || number != number_at(items, i - 1) + 1) {
            ranges[n_ranges].start_value = number;
            ranges[n_ranges++].orig_index = i;
        }
    }
    /* One more tells where the last one ends. */
    ranges[n_ranges].orig_index = n;
    *ret_ranges = ranges;
    return n_ranges;
}

/* -- enums ----------------------------------------------------------------- */

/* A value as it is declared; several names may have the same number. */
struct value {
    const char *name;
    int32_t number;
    unsigned order;
};

static int
compare_numbers(const void *a, const void *b)
{
    const struct value *left = a;
    const struct value *right = b;

    if (left->number != right->number) {
        return left->number < right->number ? -1 : 1;
    }
    return left->order < right->order ? -1 : 1;
}

static int
compare_names(const void *a, const void *b)
{
    const ProtobufCEnumValueIndex *left = a;
    const ProtobufCEnumValueIndex *right = b;

    return strcmp(left->name, right->name);
}

static int32_t
number_at(const void *items, unsigned i)
{
    const ProtobufCEnumValue *values = items;

    return values[i].value;
}

static void
value_read(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
           struct rpcrt__fields proto, struct value *value)
{
    struct rpcrt__fields name = {proto.at, proto.at};
    struct rpcrt__wire_field field;
    int64_t number = 0;

    while (rpcrt__types_next(types, &proto, &field)) {
        if (rpcrt__field_is(&field, VALUE_NAME)) {
            name = field.bytes;
        } else if (field.number == VALUE_NUMBER &&
                   field.type == RPCRT__WIRE_VARINT) {
            number = (int64_t)field.value;
        }
    }
    if (number < INT32_MIN || number > INT32_MAX) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "%s: %s: a value that has more than 32 bits",
                                symbol->file->own.name, symbol->name);
    }
    if (rpcrt__types_ok(types)) {
        value->name = rpcrt__types_name(types, symbol->name, name);
        value->number = (int32_t)number;
    }
}

/* All values, ascending; NULL: that has been told. */
static struct value *
values_read(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
            unsigned *ret_n)
{
    struct rpcrt__fields fields = symbol->proto;
    size_t n_max = rpcrt__types_count(types, fields, ENUM_VALUE);
    struct value *values = rpcrt__types_alloc(types, n_max + 1, sizeof *values);
    struct rpcrt__wire_field field;
    unsigned n = 0;

    if (n_max == 0) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "%s: %s: an enum without values",
                                symbol->file->own.name, symbol->name);
    }
    while (rpcrt__types_next(types, &fields, &field)) {
        if (rpcrt__field_is(&field, ENUM_VALUE)) {
            values[n].order = n;
            value_read(types, symbol, field.bytes, &values[n++]);
        }
    }
    if (!rpcrt__types_ok(types)) {
        return NULL;
    }
    qsort(values, n, sizeof *values, compare_numbers);
    *ret_n = n;
    return values;
}

void
rpcrt__types_make_enum(struct rpcrt_types *types,
                       struct rpcrt__types_symbol *symbol)
{
    ProtobufCEnumDescriptor *made = &symbol->made.enumeration;
    unsigned n_names = 0;
    const struct value *all = values_read(types, symbol, &n_names);
    ProtobufCEnumValue *values =
        rpcrt__types_alloc(types, (size_t)n_names + 1, sizeof *values);
    ProtobufCEnumValueIndex *names =
        rpcrt__types_alloc(types, (size_t)n_names + 1, sizeof *names);
    unsigned n = 0;
    unsigned i;

    if (!rpcrt__types_ok(types)) {
        return;
    }
    for (i = 0; i < n_names; i++) {
        if (i == 0 || all[i].number != all[i - 1].number) {
            values[n].name = all[i].name;
            values[n].c_name = all[i].name;
            values[n++].value = all[i].number;
        }
        names[i].name = all[i].name;
        names[i].index = n - 1;
    }
    qsort(names, n_names, sizeof *names, compare_names);
    made->magic = PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC;
    made->name = symbol->name;
    made->short_name = symbol->name;
    made->c_name = symbol->name;
    made->package_name = symbol->file->package;
    made->n_values = n;
    made->values = values;
    made->n_value_names = n_names;
    made->values_by_name = names;
    made->n_value_ranges =
        rpcrt__types_ranges(types, n, number_at, values, &made->value_ranges);
}
