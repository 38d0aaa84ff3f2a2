/*
 * Default values of proto2, which descriptors give as text: numbers in decimal,
 * names of an enum's values, strings as they are, bytes escaped as in C.
 */
#include "wire/types.h"

#include "core/real.h"
#include "core/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As it lies in a message. */
union value {
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    float real32;
    double real64;
    protobuf_c_boolean flag;
    ProtobufCBinaryData bytes;
};

static bool
is_digits(const char *text)
{
    size_t sign = *text == '-' ? 1 : 0;

    return text[sign] != '\0' &&
           strspn(text + sign, "0123456789") == strlen(text + sign);
}

static bool
signed_read(const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
    long long number;

    errno = 0;
    number = strtoll(text, NULL, 10);
    *ret_number = number;
    return is_digits(text) && errno == 0 && number >= min && number <= max;
}

static bool
unsigned_read(const char *text, uint64_t max, uint64_t *ret_number)
{
    unsigned long long number;

    errno = 0;
    number = strtoull(text, NULL, 10);
    *ret_number = number;
    return is_digits(text) && *text != '-' && errno == 0 && number <= max;
}

static bool
real_read(const char *text, bool is_float, double *ret_number)
{
    size_t sign = *text == '-' ? 1 : 0;

    if (strcmp(text + sign, "inf") == 0) {
        *ret_number = sign > 0 ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (strcmp(text + sign, "nan") == 0) {
        *ret_number = (double)NAN;
        return true;
    }
    return text[sign] >= '0' && text[sign] <= '9' &&
           strspn(text, "0123456789.eE+-") == strlen(text) &&
           rpcrt__real_parse(text, strlen(text), is_float, ret_number);
}

static bool
flag_read(const char *text, protobuf_c_boolean *ret_flag)
{
    *ret_flag = strcmp(text, "true") == 0;
    return *ret_flag || strcmp(text, "false") == 0;
}

static bool
enum_read(const ProtobufCEnumDescriptor *type, const char *text,
          int32_t *ret_number)
{
    unsigned i;

    for (i = 0; i < type->n_value_names; i++) {
        if (strcmp(type->values_by_name[i].name, text) == 0) {
            *ret_number = type->values[type->values_by_name[i].index].value;
            return true;
        }
    }
    return false;
}

/* -- bytes ----------------------------------------------------------------- */

/* The number of up to `n_max` digits; moves *at behind them. */
static unsigned
digits_read(const char **at, unsigned base, unsigned n_max)
{
    static const char digits[] = "0123456789abcdef";
    unsigned number = 0;

    for (; n_max > 0 && **at != '\0'; n_max--, (*at)++) {
        char c = **at >= 'A' && **at <= 'F' ? (char)(**at - 'A' + 'a') : **at;
        const char *digit = strchr(digits, c);

        if (digit == NULL || digit >= digits + base) {
            break;
        }
        number = number * base + (unsigned)(digit - digits);
    }
    return number;
}

/* What stands behind a backslash. */
static uint8_t
escape_read(const char **at)
{
    static const char letters[] = "abfnrtv";
    static const char meanings[] = "\a\b\f\n\r\t\v";
    const char *letter;
    char c = **at;

    if (c >= '0' && c <= '7') {
        return (uint8_t)digits_read(at, 8, 3);
    }
    (*at)++;
    if (c == 'x' || c == 'X') {
        return (uint8_t)digits_read(at, 16, 2);
    }
    letter = strchr(letters, c);
    return (uint8_t)(letter != NULL ? meanings[letter - letters] : c);
}

static bool
bytes_read(struct rpcrt_types *types, const char *text,
           ProtobufCBinaryData *ret_bytes)
{
    uint8_t *data = rpcrt__types_alloc(types, strlen(text) + 1, 1);
    size_t n = 0;

    while (data != NULL && *text != '\0') {
        if (*text != '\\') {
            data[n++] = (uint8_t)*text++;
        } else if (*++text == '\0') {
            return false;
        } else {
            data[n++] = escape_read(&text);
        }
    }
    *ret_bytes = (ProtobufCBinaryData){n, data};
    return true;
}

/* -- all of them ----------------------------------------------------------- */

static bool
number_read(const ProtobufCFieldDescriptor *field, const char *text,
            union value *value)
{
    int64_t number = 0;
    uint64_t positive = 0;
    double real = 0;
    bool done;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return signed_read(text, INT64_MIN, INT64_MAX, &value->i64);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return unsigned_read(text, UINT64_MAX, &value->u64);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        done = unsigned_read(text, UINT32_MAX, &positive);
        value->u32 = (uint32_t)positive;
        return done;
    case PROTOBUF_C_TYPE_FLOAT:
        done = real_read(text, true, &real);
        value->real32 = (float)real;
        return done;
    case PROTOBUF_C_TYPE_DOUBLE:
        return real_read(text, false, &value->real64);
    default:
        done = signed_read(text, INT32_MIN, INT32_MAX, &number);
        value->i32 = (int32_t)number;
        return done;
    }
}

static bool
value_read(struct rpcrt_types *types, const ProtobufCFieldDescriptor *field,
           const char *text, union value *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return flag_read(text, &value->flag);
    case PROTOBUF_C_TYPE_ENUM:
        return enum_read(field->descriptor, text, &value->i32);
    case PROTOBUF_C_TYPE_BYTES:
        return bytes_read(types, text, &value->bytes);
    case PROTOBUF_C_TYPE_MESSAGE:
        return false;
    default:
        return number_read(field, text, value);
    }
}

const void *
rpcrt__types_default(struct rpcrt_types *types,
                     const struct rpcrt__types_symbol *symbol,
                     const struct rpcrt__types_field *field,
                     const ProtobufCFieldDescriptor *made)
{
    size_t size = (size_t)(field->default_text.end - field->default_text.at);
    char *text = rpcrt__types_alloc(types, size + 1, 1);
    union value *value = rpcrt__types_alloc(types, 1, sizeof *value);
    bool done = false;

    if (text == NULL || value == NULL) {
        return NULL;
    }
    if (size > 0) {
        memcpy(text, field->default_text.at, size);
    }
    if (made->label != PROTOBUF_C_LABEL_REPEATED &&
        rpcrt__utf8_valid_size((const uint8_t *)text, size) == size) {
        if (made->type == PROTOBUF_C_TYPE_STRING) {
            return text;
        }
        done = value_read(types, made, text, value);
    }
    if (!done) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "%s: %s.%s: its default makes no sense",
                                symbol->file->own.name, symbol->name,
                                field->name);
        return NULL;
    }
    return value;
}
