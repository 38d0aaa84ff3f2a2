/*
 * The protobuf wire format, read field by field. Groups are not taken, as
 * protobuf-c does not either.
 */
#include "wire.h"

#include <string.h>

/* As deep as protoc itself reads. */
#define DEPTH_MAX 100

struct wire_field {
    uint32_t number;
    uint32_t type; /* 0 varint, 1 eight bytes, 2 length-prefixed, 5 four */
    uint64_t varint;
    struct bytes bytes;
};

/* Take a varint off the front. */
static bool
take_varint(struct bytes *bytes, uint64_t *ret_number)
{
    uint64_t number = 0;
    unsigned shift;

    for (shift = 0; shift < 70 && bytes->size > 0; shift += 7) {
        uint8_t byte = *bytes->data;

        bytes->data++;
        bytes->size--;
        if (shift < 64) {
            number |= (uint64_t)(byte & 0x7f) << shift;
        }
        if ((byte & 0x80) == 0) {
            *ret_number = number;
            return true;
        }
    }
    return false;
}

/* Take the value of a field whose number and type are known. */
static bool
take_value(struct bytes *bytes, struct wire_field *field)
{
    uint64_t size;

    switch (field->type) {
    case 0:
        return take_varint(bytes, &field->varint);
    case 1:
        size = 8;
        break;
    case 2:
        if (!take_varint(bytes, &size)) {
            return false;
        }
        break;
    case 5:
        size = 4;
        break;
    default:
        return false;
    }
    if (size > bytes->size) {
        return false;
    }
    field->bytes.data = bytes->data;
    field->bytes.size = (size_t)size;
    bytes->data += size;
    bytes->size -= (size_t)size;
    return true;
}

/* Take a field off the front. */
static bool
take_field(struct bytes *bytes, struct wire_field *ret_field)
{
    struct wire_field field = {0};
    uint64_t key;

    if (!take_varint(bytes, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff) {
        return false;
    }
    field.number = (uint32_t)(key >> 3);
    field.type = (uint32_t)(key & 7);
    if (!take_value(bytes, &field)) {
        return false;
    }
    *ret_field = field;
    return true;
}

/* Whether bytes can be a message of this kind, nested at most depth deep. */
static bool
check(const ProtobufCMessageDescriptor *descriptor, struct bytes bytes,
      unsigned depth)
{
    while (bytes.size > 0) {
        const ProtobufCFieldDescriptor *known;
        struct wire_field field;

        if (!take_field(&bytes, &field)) {
            return false;
        }
        known =
            protobuf_c_message_descriptor_get_field(descriptor, field.number);
        if (known == NULL || known->type != PROTOBUF_C_TYPE_MESSAGE ||
            field.type != 2) {
            continue;
        }
        if (depth == 0 || !check(known->descriptor, field.bytes, depth - 1)) {
            return false;
        }
    }
    return true;
}

ProtobufCMessage *
wire_unpack(struct pool *pool, const ProtobufCMessageDescriptor *descriptor,
            struct bytes bytes)
{
    ProtobufCAllocator allocator = pool_allocator(pool);

    if (!check(descriptor, bytes, DEPTH_MAX)) {
        return NULL;
    }
    return protobuf_c_message_unpack(descriptor, &allocator, bytes.size,
                                     bytes.data);
}

bool
wire_unknown_number(const ProtobufCMessage *message, uint32_t field,
                    uint64_t *ret_number)
{
    unsigned i;

    for (i = message->n_unknown_fields; i > 0; i--) {
        const ProtobufCMessageUnknownField *unknown =
            &message->unknown_fields[i - 1];
        struct bytes bytes = {unknown->data, unknown->len};

        if (unknown->tag == field &&
            unknown->wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) {
            return take_varint(&bytes, ret_number);
        }
    }
    return false;
}

/* The content of an unknown field if it is length-prefixed and the one. */
static bool
unknown_content(const ProtobufCMessageUnknownField *unknown, uint32_t field,
                struct bytes *ret_bytes)
{
    struct bytes bytes = {unknown->data, unknown->len};
    struct wire_field value = {0};

    value.type = 2;
    if (unknown->tag != field ||
        unknown->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED ||
        !take_value(&bytes, &value)) {
        return false;
    }
    *ret_bytes = value.bytes;
    return true;
}

bool
wire_unknown_bytes(const ProtobufCMessage *message, uint32_t field,
                   struct bytes *ret_bytes)
{
    unsigned i;

    for (i = message->n_unknown_fields; i > 0; i--) {
        if (unknown_content(&message->unknown_fields[i - 1], field,
                            ret_bytes)) {
            return true;
        }
    }
    return false;
}

struct bytes
wire_unknown_message(struct pool *pool, const ProtobufCMessage *message,
                     uint32_t field)
{
    struct bytes content = {NULL, 0};
    size_t size = 0;
    uint8_t *merged;
    unsigned i;

    for (i = 0; i < message->n_unknown_fields; i++) {
        size += message->unknown_fields[i].len;
    }
    merged = pool_alloc(pool, size);
    size = 0;
    for (i = 0; i < message->n_unknown_fields; i++) {
        if (unknown_content(&message->unknown_fields[i], field, &content)) {
            memcpy(merged + size, content.data, content.size);
            size += content.size;
        }
    }
    return (struct bytes){merged, size};
}

bool
wire_number(struct bytes message, uint32_t field, uint64_t *ret_number)
{
    struct wire_field found;
    bool is_there = false;

    while (take_field(&message, &found)) {
        if (found.number == field && found.type == 0) {
            *ret_number = found.varint;
            is_there = true;
        }
    }
    return is_there;
}

/* A double lies on the wire as its bits, low byte first. */
static double
double_of(struct bytes bytes)
{
    uint64_t bits = 0;
    double number;
    size_t i;

    for (i = bytes.size; i > 0; i--) {
        bits = bits << 8 | bytes.data[i - 1];
    }
    memcpy(&number, &bits, sizeof number);
    return number;
}

bool
wire_double(struct bytes message, uint32_t field, double *ret_number)
{
    struct wire_field found;
    bool is_there = false;

    while (take_field(&message, &found)) {
        if (found.number == field && found.type == 1) {
            *ret_number = double_of(found.bytes);
            is_there = true;
        }
    }
    return is_there;
}

bool
wire_bytes(struct bytes message, uint32_t field, struct bytes *ret_bytes)
{
    bool is_there = false;

    while (wire_next_bytes(&message, field, ret_bytes)) {
        is_there = true;
    }
    return is_there;
}

bool
wire_next_bytes(struct bytes *rest, uint32_t field, struct bytes *ret_bytes)
{
    struct wire_field found;

    while (take_field(rest, &found)) {
        if (found.number == field && found.type == 2) {
            *ret_bytes = found.bytes;
            return true;
        }
    }
    return false;
}
