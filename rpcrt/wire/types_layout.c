/*
 * Where the fields of a message that is made at run time lie in its struct, as
 * a compiler would place those that protoc-gen-c declares: behind the base a
 * count for a repeated field, a flag for an optional one where its value tells
 * no presence, and a number and a union for a oneof.
 */
#include "wire/types.h"

#include <stdalign.h>

/* One oneof; offsets are 0 until a field of it has come. */
struct oneof {
    unsigned number_at;
    unsigned union_at;
};

struct storage {
    size_t size;
    size_t alignment;
};

#define STORAGE(type)                                                          \
    (struct storage)                                                           \
    {                                                                          \
        sizeof(type), alignof(type)                                            \
    }

static struct storage
storage_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return STORAGE(uint64_t);
    case PROTOBUF_C_TYPE_DOUBLE:
        return STORAGE(double);
    case PROTOBUF_C_TYPE_BOOL:
        return STORAGE(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_BYTES:
        return STORAGE(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return STORAGE(void *);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
    default:
        return STORAGE(uint32_t);
    }
}

/* The largest of all, for a union. */
union any_value {
    uint64_t number;
    double real;
    ProtobufCBinaryData bytes;
    void *pointer;
};

/* The offset of the next member; it fits: RPCRT__TYPES_FIELDS_MAX. */
static unsigned
place(size_t *size, struct storage storage)
{
    size_t at = (*size + storage.alignment - 1) & ~(storage.alignment - 1);

    *size = at + storage.size;
    return (unsigned)at;
}

static void
place_in_oneof(size_t *size, struct oneof *oneof,
               ProtobufCFieldDescriptor *made)
{
    if (oneof->union_at == 0) {
        oneof->number_at = place(size, STORAGE(uint32_t));
        oneof->union_at = place(size, STORAGE(union any_value));
    }
    made->quantifier_offset = oneof->number_at;
    made->offset = oneof->union_at;
}

size_t
rpcrt__types_layout(struct rpcrt_types *types,
                    const struct rpcrt__types_field *fields,
                    ProtobufCFieldDescriptor *made, unsigned n_fields,
                    size_t n_oneofs)
{
    struct oneof *oneofs =
        rpcrt__types_alloc(types, n_oneofs + 1, sizeof *oneofs);
    size_t size = sizeof(ProtobufCMessage);
    unsigned i;

    for (i = 0; i < n_fields && oneofs != NULL; i++) {
        ProtobufCFieldDescriptor *field = &made[i];

        if (fields[i].oneof > 0) {
            place_in_oneof(&size, &oneofs[fields[i].oneof - 1], field);
            continue;
        }
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            field->quantifier_offset = place(&size, STORAGE(size_t));
            field->offset = place(&size, STORAGE(void *));
            continue;
        }
        if (field->label == PROTOBUF_C_LABEL_OPTIONAL &&
            field->type != PROTOBUF_C_TYPE_STRING &&
            field->type != PROTOBUF_C_TYPE_MESSAGE) {
            field->quantifier_offset =
                place(&size, STORAGE(protobuf_c_boolean));
        }
        field->offset = place(&size, storage_of(field->type));
    }
    /* Whole, as a struct is. */
    (void)place(&size, (struct storage){0, alignof(max_align_t)});
    return size;
}
