/*
 * One value at a time, by the type of its field; ranges are checked here.
 */
#include "wire/json_scalar.h"

#include "core/real.h"
#include "wire/fields.h"
#include "wire/json_forms.h"

#include <math.h>
#include <string.h>

#define VARINT_MAX 10

const char rpcrt__json_no_name[] = "no such name in the enum";

/* -- the wire -------------------------------------------------------------- */

static size_t
varint(uint64_t value, uint8_t bytes[VARINT_MAX])
{
    size_t n = 0;

    while (value >= 0x80) {
        bytes[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[n++] = (uint8_t)value;
    return n;
}

static void
add_varint(uint64_t value, struct rpcrt__json_buffer *out)
{
    uint8_t bytes[VARINT_MAX];

    rpcrt__json_buffer_add(out, bytes, varint(value, bytes));
}

static void
add_tag(uint32_t number, enum rpcrt__wire_type type,
        struct rpcrt__json_buffer *out)
{
    add_varint((uint64_t)number << 3 | type, out);
}

void
rpcrt__json_add_varint(uint32_t number, uint64_t value,
                       struct rpcrt__json_buffer *out)
{
    add_tag(number, RPCRT__WIRE_VARINT, out);
    add_varint(value, out);
}

void
rpcrt__json_add_bytes(uint32_t number, struct rpcrt__json_slice bytes,
                      struct rpcrt__json_buffer *out)
{
    add_tag(number, RPCRT__WIRE_BYTES, out);
    add_varint(bytes.size, out);
    rpcrt__json_buffer_add(out, bytes.data, bytes.size);
}

/* Little-endian. */
static void
add_fixed(uint32_t number, uint64_t value, unsigned size,
          struct rpcrt__json_buffer *out)
{
    uint8_t bytes[8];
    unsigned i;

    for (i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    add_tag(number, size == 8 ? RPCRT__WIRE_FIXED64 : RPCRT__WIRE_FIXED32, out);
    rpcrt__json_buffer_add(out, bytes, size);
}

size_t
rpcrt__json_begin(uint32_t number, struct rpcrt__json_buffer *out)
{
    add_tag(number, RPCRT__WIRE_BYTES, out);
    rpcrt__json_buffer_add(out, "", 1);
    return out->size;
}

void
rpcrt__json_finish(size_t mark, struct rpcrt__json_buffer *out)
{
    size_t size = out->size - mark;
    uint8_t bytes[VARINT_MAX];
    size_t n = varint(size, bytes);

    /* One byte was kept for the length. */
    if (n > 1) {
        (void)rpcrt__json_buffer_extend(out, n - 1);
    }
    if (!out->failed) {
        memmove(out->data + mark + n - 1, out->data + mark, size);
        memcpy(out->data + mark - 1, bytes, n);
    }
}

/* -- values ---------------------------------------------------------------- */

/* An integer of so many bits, or NULL and why not. */
static const char *
read_integer(const struct rpcrt__json_token *token, bool is_signed,
             unsigned size, uint64_t *ret_bits)
{
    uint64_t max = UINT64_MAX >> (64 - size + is_signed);
    uint64_t value = 0;
    bool negative = false;

    if (!rpcrt__json_integer_parse(token->text, &negative, &value)) {
        return "not an integer";
    }
    negative = negative && value > 0;
    if (negative ? !is_signed || value > max + 1 : value > max) {
        return "out of range";
    }
    *ret_bits = negative ? 0 - value : value;
    return NULL;
}

static uint64_t
zigzag(uint64_t bits)
{
    return bits << 1 ^ (0 - (bits >> 63));
}

static const char *
add_integer(const ProtobufCFieldDescriptor *field,
            const struct rpcrt__json_token *token,
            struct rpcrt__json_buffer *out)
{
    uint64_t bits = 0;
    bool is_wide = false;
    bool is_signed = true;
    const char *problem;

    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        is_signed = false;
        is_wide = true;
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        is_wide = true;
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        is_signed = false;
        break;
    default:
        break;
    }
    problem = read_integer(token, is_signed, is_wide ? 64 : 32, &bits);
    if (problem != NULL) {
        return problem;
    }
    switch (field->type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
        add_fixed(field->id, bits, is_wide ? 8 : 4, out);
        break;
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SINT64:
        rpcrt__json_add_varint(field->id, zigzag(bits), out);
        break;
    default:
        rpcrt__json_add_varint(field->id, bits, out);
        break;
    }
    return NULL;
}

static bool
is_word(const struct rpcrt__json_token *token, const char *word)
{
    return token->text.size == strlen(word) &&
           memcmp(token->text.data, word, token->text.size) == 0;
}

static const char *
add_real(const ProtobufCFieldDescriptor *field,
         const struct rpcrt__json_token *token, struct rpcrt__json_buffer *out)
{
    bool is_float = field->type == PROTOBUF_C_TYPE_FLOAT;
    size_t size = token->text.size;
    double value = 0.0;
    float narrow;
    uint64_t bits = 0;
    uint32_t narrow_bits = 0;

    if (token->quoted && is_word(token, "NaN")) {
        value = (double)NAN;
    } else if (token->quoted && is_word(token, "Infinity")) {
        value = (double)INFINITY;
    } else if (token->quoted && is_word(token, "-Infinity")) {
        value = (double)-INFINITY;
    } else if (size == 0 ||
               rpcrt__json_number_size(token->text.data, size) != size) {
        return "not a number";
    } else if (!rpcrt__real_parse(token->text.data, size, is_float, &value)) {
        return "out of range";
    }
    if (is_float) {
        narrow = (float)value;
        memcpy(&narrow_bits, &narrow, sizeof narrow);
        add_fixed(field->id, narrow_bits, 4, out);
    } else {
        memcpy(&bits, &value, sizeof value);
        add_fixed(field->id, bits, 8, out);
    }
    return NULL;
}

static const char *
add_bool(const ProtobufCFieldDescriptor *field,
         const struct rpcrt__json_token *token, struct rpcrt__json_buffer *out)
{
    bool is_true = is_word(token, "true");

    if (token->quoted != token->is_key ||
        (!is_true && !is_word(token, "false"))) {
        return "neither true nor false";
    }
    rpcrt__json_add_varint(field->id, is_true, out);
    return NULL;
}

static const char *
add_enum(const ProtobufCFieldDescriptor *field,
         const struct rpcrt__json_token *token, struct rpcrt__json_buffer *out)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;
    uint64_t number = 0;
    const char *problem;
    unsigned i;

    if (!token->quoted) {
        problem = read_integer(token, true, 32, &number);
        if (problem != NULL) {
            return "neither a name nor a number of the enum";
        }
        rpcrt__json_add_varint(field->id, number, out);
        return NULL;
    }
    for (i = 0; type->values_by_name != NULL && i < type->n_value_names; i++) {
        const ProtobufCEnumValueIndex *name = &type->values_by_name[i];

        if (is_word(token, name->name)) {
            rpcrt__json_add_varint(
                field->id, (uint64_t)(int64_t)type->values[name->index].value,
                out);
            return NULL;
        }
    }
    return rpcrt__json_no_name;
}

const char *
rpcrt__json_scalar_add(const ProtobufCFieldDescriptor *field,
                       const struct rpcrt__json_token *token,
                       struct rpcrt__json_buffer *out)
{
    size_t mark;

    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return add_bool(field, token, out);
    case PROTOBUF_C_TYPE_ENUM:
        return add_enum(field, token, out);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return add_real(field, token, out);
    case PROTOBUF_C_TYPE_STRING:
        if (!token->quoted) {
            return "not a string";
        }
        if (memchr(token->text.data, '\0', token->text.size) != NULL) {
            return "U+0000 in a string";
        }
        rpcrt__json_add_bytes(field->id, token->text, out);
        return NULL;
    case PROTOBUF_C_TYPE_BYTES:
        mark = rpcrt__json_begin(field->id, out);
        if (!token->quoted || !rpcrt__json_base64_parse(token->text, out)) {
            return "not base64 in a string";
        }
        rpcrt__json_finish(mark, out);
        return NULL;
    default:
        return add_integer(field, token, out);
    }
}
