/*
 * Escapes are those that RFC 8259 asks for, and for what could play tricks with
 * a terminal or end a line.
 */
#include "wire/json_write.h"

#include "core/real.h"
#include "core/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* -- text ------------------------------------------------------------------ */

void
rpcrt__json_put(struct rpcrt__json_writer *writer, const char *data,
                size_t size)
{
    rpcrt__json_buffer_add(&writer->out, data, size);
}

void
rpcrt__json_put_text(struct rpcrt__json_writer *writer, const char *text)
{
    rpcrt__json_put(writer, text, strlen(text));
}

bool
rpcrt__json_put_string(struct rpcrt__json_writer *writer, const char *text,
                       size_t size)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    const uint8_t *data = (const uint8_t *)text;
    size_t at = 0;

    rpcrt__json_put(writer, "\"", 1);
    while (at < size) {
        size_t n = rpcrt__utf8_character_size(data + at, size - at);
        uint8_t c = data[at];
        const char *letter = n == 1 && c != 0 ? strchr(letters, c) : NULL;
        char escape[8];

        if (n == 0) {
            return false;
        }
        if (letter != NULL && (letter - letters) % 2 == 0) {
            (void)snprintf(escape, sizeof escape, "\\%c", letter[1]);
            rpcrt__json_put_text(writer, escape);
        } else if (c < 0x20 || c == 0x7f ||
                   (n == 2 && c == 0xc2 && data[at + 1] < 0xa0)) {
            (void)snprintf(escape, sizeof escape, "\\u%04x",
                           n == 1 ? c : data[at + 1]);
            rpcrt__json_put_text(writer, escape);
        } else if (n == 3 && memcmp(data + at, "\xe2\x80", 2) == 0 &&
                   (data[at + 2] | 1) == 0xa9) {
            rpcrt__json_put_text(writer,
                                 data[at + 2] == 0xa8 ? "\\u2028" : "\\u2029");
        } else {
            rpcrt__json_put(writer, text + at, n);
        }
        at += n;
    }
    rpcrt__json_put(writer, "\"", 1);
    return true;
}

static void
new_line(struct rpcrt__json_writer *writer)
{
    unsigned i;

    if (writer->pretty) {
        rpcrt__json_put(writer, "\n", 1);
        for (i = 0; i < writer->level; i++) {
            rpcrt__json_put(writer, "  ", 2);
        }
    }
}

void
rpcrt__json_put_open(struct rpcrt__json_writer *writer, const char *bracket)
{
    rpcrt__json_put(writer, bracket, 1);
    writer->level++;
    writer->first = true;
}

void
rpcrt__json_put_close(struct rpcrt__json_writer *writer, const char *bracket)
{
    writer->level--;
    if (!writer->first) {
        new_line(writer);
    }
    rpcrt__json_put(writer, bracket, 1);
    writer->first = false;
}

void
rpcrt__json_put_next(struct rpcrt__json_writer *writer)
{
    if (!writer->first) {
        rpcrt__json_put(writer, ",", 1);
    }
    new_line(writer);
    writer->first = false;
}

void
rpcrt__json_put_colon(struct rpcrt__json_writer *writer)
{
    rpcrt__json_put_text(writer, writer->pretty ? ": " : ":");
}

/* -- single values --------------------------------------------------------- */

void
rpcrt__json_put_real(struct rpcrt__json_writer *writer, double value,
                     bool is_float)
{
    char text[RPCRT__REAL_SIZE];

    if (isnan(value)) {
        rpcrt__json_put_text(writer, "\"NaN\"");
    } else if (isinf(value)) {
        rpcrt__json_put_text(writer,
                             value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
    } else {
        rpcrt__json_put(writer, text, rpcrt__real_print(text, value, is_float));
    }
}

bool
rpcrt__json_put_integer(struct rpcrt__json_writer *writer, ProtobufCType type,
                        const void *member, bool is_key)
{
    char text[32];
    char *at = text + 1;
    bool quoted = is_key;

    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        (void)snprintf(at, 24, "%" PRId32, *(const int32_t *)member);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        (void)snprintf(at, 24, "%" PRIu32, *(const uint32_t *)member);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        (void)snprintf(at, 24, "%" PRId64, *(const int64_t *)member);
        quoted = true;
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        (void)snprintf(at, 24, "%" PRIu64, *(const uint64_t *)member);
        quoted = true;
        break;
    default:
        return false;
    }
    text[0] = '"';
    rpcrt__json_put(writer, quoted ? text : at, strlen(at) + quoted);
    rpcrt__json_put(writer, "\"", quoted);
    return true;
}
