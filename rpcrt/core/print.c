/*
 * Messages as text. When in doubt a value is redacted. Unknown fields are not
 * shown: a newer .proto may call them sensitive.
 */
#include <rpcrt/print.h>

#include "core/member.h"
#include "core/real.h"
#include "core/utf8.h"

#include <inttypes.h>
#include <rpcrt/gen.h>
#include <rpcrt/limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct out {
    char *text;
    size_t size;
    size_t length; /* of the whole text, also what does not fit */
    const struct rpcrt_file *file;
    bool first; /* nothing was written since the text or a message began */
};

static void print_message(struct out *out, const ProtobufCMessage *message,
                          unsigned depth);

static void
put(struct out *out, const char *data, size_t size)
{
    size_t left = out->length < out->size ? out->size - out->length : 0;

    if (size > 0 && left > 0) {
        memcpy(out->text + out->length, data, size < left ? size : left);
    }
    out->length += size;
}

static void
put_text(struct out *out, const char *text)
{
    put(out, text, strlen(text));
}

/* For numbers: what is formatted is short. */
static void put_format(struct out *out, const char *format, ...)
    RPCRT_PRINTF(2, 3);

static void
put_format(struct out *out, const char *format, ...)
{
    char text[64];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof text) {
        put(out, text, (size_t)n);
    }
}

/* -- values -----------------------------------------------------------------*/

static void
put_escaped(struct out *out, uint8_t byte)
{
    static const char letters[] = "\aa\bb\tt\nn\vv\ff\rr\"\"\\\\";
    size_t i;

    for (i = 0; letters[i] != '\0'; i += 2) {
        if (letters[i] == (char)byte) {
            put_format(out, "\\%c", letters[i + 1]);
            return;
        }
    }
    /* Octal, as it ends after three digits whatever follows. */
    put_format(out, "\\%03o", byte);
}

/* Between quotes. Whole UTF-8 characters of a string stay, but for control
 * characters, which could play tricks with a terminal. */
static void
print_bytes(struct out *out, const uint8_t *data, size_t size, bool is_string)
{
    size_t at = 0;

    put(out, "\"", 1);
    while (at < size) {
        size_t n = rpcrt__utf8_character_size(data + at, size - at);
        bool plain = n == 1 && data[at] >= 0x20 && data[at] != 0x7f &&
                     data[at] != '"' && data[at] != '\\';
        bool wide = is_string && n > 1 &&
                    !(n == 2 && data[at] == 0xc2 && data[at + 1] < 0xa0);

        if (plain || wide) {
            put(out, (const char *)data + at, n);
            at += n;
        } else {
            put_escaped(out, data[at++]);
        }
    }
    put(out, "\"", 1);
}

static void
print_real(struct out *out, double value, bool is_float)
{
    char text[RPCRT__REAL_SIZE];

    put(out, text, rpcrt__real_print(text, value, is_float));
}

static void
print_enum(struct out *out, const ProtobufCFieldDescriptor *field, int number)
{
    const ProtobufCEnumValue *value;

    value = protobuf_c_enum_descriptor_get_value(field->descriptor, number);
    if (value != NULL) {
        put_text(out, value->name);
    } else {
        put_format(out, "%d", number);
    }
}

/* One value; `member` points to it as the generated struct has it. */
static void
print_value(struct out *out, const ProtobufCFieldDescriptor *field,
            const void *member, unsigned depth)
{
    const ProtobufCBinaryData *bytes;
    const char *string;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        put_format(out, "%" PRId32, *(const int32_t *)member);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        put_format(out, "%" PRIu32, *(const uint32_t *)member);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        put_format(out, "%" PRId64, *(const int64_t *)member);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        put_format(out, "%" PRIu64, *(const uint64_t *)member);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        print_real(out, (double)*(const float *)member, true);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        print_real(out, *(const double *)member, false);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        put_text(out, *(const protobuf_c_boolean *)member ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(out, field, *(const int *)member);
        break;
    case PROTOBUF_C_TYPE_STRING:
        string = *(const char *const *)member;
        string = string != NULL ? string : "";
        print_bytes(out, (const uint8_t *)string, strlen(string), true);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        bytes = member;
        print_bytes(out, bytes->data, bytes->data != NULL ? bytes->len : 0,
                    false);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
    default:
        print_message(out, *(const ProtobufCMessage *const *)member, depth);
        break;
    }
}

/* -- fields -----------------------------------------------------------------*/

static void
print_field(struct out *out, const ProtobufCMessageDescriptor *descriptor,
            const ProtobufCFieldDescriptor *field,
            const ProtobufCMessage *message, unsigned depth)
{
    size_t n = rpcrt__member_count(field, message);
    size_t i;

    if (n > 0 && out->file != NULL &&
        rpcrt__member_is_sensitive(out->file, descriptor, field->id)) {
        put_text(out, out->first ? "" : " ");
        put_text(out, field->name);
        put_text(out, ": [redacted]");
        out->first = false;
        return;
    }
    for (i = 0; i < n; i++) {
        put_text(out, out->first ? "" : " ");
        put_text(out, field->name);
        put_text(out, field->type == PROTOBUF_C_TYPE_MESSAGE ? " " : ": ");
        out->first = false;
        print_value(out, field, rpcrt__member_at(field, message, i), depth);
    }
}

static void
print_fields(struct out *out, const ProtobufCMessage *message, unsigned depth)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    unsigned i;

    out->first = true;
    for (i = 0; i < descriptor->n_fields; i++) {
        print_field(out, descriptor, &descriptor->fields[i], message, depth);
    }
}

/* A message within another, which is at `depth`. */
static void
print_message(struct out *out, const ProtobufCMessage *message, unsigned depth)
{
    if (message == NULL) {
        put_text(out, "{}");
    } else if (depth == RPCRT_MESSAGE_DEPTH_MAX) {
        put_text(out, "{ ... }");
    } else {
        put_text(out, "{ ");
        print_fields(out, message, depth + 1);
        put_text(out, out->first ? "}" : " }");
    }
    out->first = false;
}

size_t
rpcrt_print(const ProtobufCMessage *message, const struct rpcrt_file *file,
            char *text, size_t size)
{
    struct out out = {.text = text, .size = size, .file = file};

    print_fields(&out, message, 0);
    if (out.length < size) {
        text[out.length] = '\0';
    } else if (size > 0) {
        text[rpcrt__utf8_cut(text, size - 1)] = '\0';
    }
    return out.length;
}
