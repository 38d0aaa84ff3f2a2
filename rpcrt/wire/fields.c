/*
 * One field after the other; every length is checked against what is there.
 */
#include "wire/fields.h"

bool
rpcrt__fields_varint(struct rpcrt__fields *fields, uint64_t *ret_value)
{
    uint64_t value = 0;
    unsigned shift;

    for (shift = 0; shift < 64 && fields->at < fields->end; shift += 7) {
        uint8_t byte = *fields->at++;

        if (shift == 63 && byte > 1) {
            return false;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool
skip(struct rpcrt__fields *fields, uint64_t size)
{
    if (size > (uint64_t)(fields->end - fields->at)) {
        return false;
    }
    fields->at += size;
    return true;
}

bool
rpcrt__fields_next(struct rpcrt__fields *fields,
                   struct rpcrt__wire_field *field)
{
    uint64_t tag = 0;
    uint64_t size = 0;

    if (!rpcrt__fields_varint(fields, &tag) || tag >> 3 == 0 ||
        tag > UINT32_MAX) {
        return false;
    }
    field->number = tag >> 3;
    field->type = (enum rpcrt__wire_type)(tag & 7);
    switch (field->type) {
    case RPCRT__WIRE_VARINT:
        return rpcrt__fields_varint(fields, &field->value);
    case RPCRT__WIRE_FIXED64:
        return skip(fields, 8);
    case RPCRT__WIRE_FIXED32:
        return skip(fields, 4);
    case RPCRT__WIRE_BYTES:
        if (!rpcrt__fields_varint(fields, &size)) {
            return false;
        }
        field->bytes.at = fields->at;
        if (!skip(fields, size)) {
            return false;
        }
        field->bytes.end = fields->at;
        return true;
    }
    return false;
}

bool
rpcrt__field_is(const struct rpcrt__wire_field *field, unsigned number)
{
    return field->number == number && field->type == RPCRT__WIRE_BYTES;
}
