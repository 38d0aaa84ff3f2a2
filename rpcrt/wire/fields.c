/*
 * One field after the other; every length is checked against what is there.
 */
#include "wire/fields.h"

#include <string.h>

/* False if it is malformed or cut off. */
static bool
read_varint(struct rpcrt__fields *fields, uint64_t *ret_value)
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

    if (!read_varint(fields, &tag) || tag >> 3 == 0 || tag > UINT32_MAX) {
        return false;
    }
    field->number = tag >> 3;
    field->type = (enum rpcrt__wire_type)(tag & 7);
    switch (field->type) {
    case RPCRT__WIRE_VARINT:
        return read_varint(fields, &field->value);
    case RPCRT__WIRE_FIXED64:
        return skip(fields, 8);
    case RPCRT__WIRE_FIXED32:
        return skip(fields, 4);
    case RPCRT__WIRE_BYTES:
        if (!read_varint(fields, &size)) {
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

/* -- writing --------------------------------------------------------------- */

static uint8_t *
put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static size_t
varint_size(uint64_t value)
{
    size_t size = 1;

    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

uint8_t *
rpcrt__put_varint_field(uint8_t *at, unsigned number, uint64_t value)
{
    return put_varint(put_varint(at, number << 3 | RPCRT__WIRE_VARINT), value);
}

uint8_t *
rpcrt__put_bytes_header(uint8_t *at, unsigned number, size_t size)
{
    return put_varint(put_varint(at, number << 3 | RPCRT__WIRE_BYTES), size);
}

size_t
rpcrt__bytes_field_size(unsigned number, size_t size)
{
    return varint_size(number << 3) + varint_size(size) + size;
}

uint8_t *
rpcrt__put_text_field(uint8_t *at, unsigned number, const char *text)
{
    size_t size = strlen(text);

    if (size == 0) {
        return at;
    }
    at = rpcrt__put_bytes_header(at, number, size);
    memcpy(at, text, size);
    return at + size;
}

size_t
rpcrt__text_field_size(unsigned number, const char *text)
{
    size_t size = strlen(text);

    return size == 0 ? 0 : rpcrt__bytes_field_size(number, size);
}
