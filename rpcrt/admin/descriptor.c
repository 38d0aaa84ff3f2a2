/*
 * Looking into serialized descriptors. The numbers of fields are those of
 * google/protobuf/descriptor.proto.
 */
#include "admin/descriptor.h"

#include <string.h>

/* -- fields of a message --------------------------------------------------- */

struct bytes {
    const uint8_t *data;
    size_t size;
};

struct field {
    uint32_t number;
    uint64_t value;     /* of a varint */
    struct bytes bytes; /* of what has a length */
};

enum wire_type { VARINT = 0, FIXED64 = 1, SIZED = 2, FIXED32 = 5 };

static bool
take_varint(struct bytes *rest, uint64_t *ret_value)
{
    uint64_t value = 0;
    unsigned shift = 0;

    while (rest->size > 0 && shift < 64) {
        uint8_t byte = *rest->data;

        rest->data++;
        rest->size--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *ret_value = value;
            return true;
        }
        shift += 7;
    }
    return false;
}

static bool
take_bytes(struct bytes *rest, uint64_t size, struct bytes *ret_bytes)
{
    if (size > rest->size) {
        return false;
    }
    *ret_bytes = (struct bytes){rest->data, (size_t)size};
    rest->data += size;
    rest->size -= (size_t)size;
    return true;
}

/* False at the end, and where nothing can be read. */
static bool
take_field(struct bytes *rest, struct field *ret_field)
{
    struct field field = {0, 0, {NULL, 0}};
    uint64_t tag = 0;
    bool ok = take_varint(rest, &tag);

    field.number = (uint32_t)(tag >> 3);
    switch (tag & 7) {
    case VARINT:
        ok = ok && take_varint(rest, &field.value);
        break;
    case FIXED64:
        ok = ok && take_bytes(rest, 8, &field.bytes);
        break;
    case SIZED:
        ok = ok && take_varint(rest, &field.value) &&
             take_bytes(rest, field.value, &field.bytes);
        break;
    case FIXED32:
        ok = ok && take_bytes(rest, 4, &field.bytes);
        break;
    default:
        ok = false;
    }
    if (ok) {
        *ret_field = field;
    }
    return ok;
}

/* The last field of a number; empty if there is none. */
static struct field
find_field(struct bytes message, uint32_t number)
{
    struct field found = {number, 0, {NULL, 0}};
    struct field field;

    while (take_field(&message, &field)) {
        if (field.number == number) {
            found = field;
        }
    }
    return found;
}

static bool
equal(struct bytes bytes, const char *text)
{
    return strlen(text) == bytes.size &&
           (bytes.size == 0 || memcmp(bytes.data, text, bytes.size) == 0);
}

/* -- declarations ---------------------------------------------------------- */

#define NAME 1u         /* of every kind of declaration */
#define PACKAGE 2u      /* of a file */
#define ENUM_VALUE 2u   /* of an enum */
#define EXTENDEE 2u     /* of an extension */
#define FIELD_NUMBER 3u /* of an extension */

/* What declares something, and what is declared. */
enum kind {
    OTHER, /* no declaration */
    WHOLE_FILE,
    MESSAGE,
    ENUM,
    SERVICE,
    LEAF, /* field, oneof, method */
    EXTENSION
};

static enum kind
kind_of(enum kind scope, uint32_t number)
{
    static const enum kind kinds[][9] = {
        [WHOLE_FILE] =
            {[4] = MESSAGE, [5] = ENUM, [6] = SERVICE, [7] = EXTENSION},
        [MESSAGE] = {[2] = LEAF,
                     [3] = MESSAGE,
                     [4] = ENUM,
                     [6] = EXTENSION,
                     [8] = LEAF},
        [SERVICE] = {[2] = LEAF},
        [EXTENSION] = {OTHER}};

    return number < sizeof kinds[0] / sizeof kinds[0][0] ? kinds[scope][number]
                                                         : OTHER;
}

/* Values of an enum are named as if they stood beside it. */
static bool
has_value(struct bytes declaration, const char *name)
{
    struct field field;

    while (take_field(&declaration, &field)) {
        if (field.number == ENUM_VALUE &&
            equal(find_field(field.bytes, NAME).bytes, name)) {
            return true;
        }
    }
    return false;
}

static bool
declares(struct bytes scope, enum kind kind, const char *name)
{
    struct field field;

    while (take_field(&scope, &field)) {
        enum kind inner = kind_of(kind, field.number);
        struct bytes own = find_field(field.bytes, NAME).bytes;

        if (inner == OTHER) {
            continue;
        }
        if (equal(own, name) ||
            (inner == ENUM && has_value(field.bytes, name))) {
            return true;
        }
        if (own.size > 0 &&
            strncmp(name, (const char *)own.data, own.size) == 0 &&
            name[own.size] == '.' &&
            declares(field.bytes, inner, name + own.size + 1)) {
            return true;
        }
    }
    return false;
}

bool
rpcrt__file_declares(const struct rpcrt_file *file, const char *symbol)
{
    struct bytes bytes = {file->descriptor, file->descriptor_size};
    struct bytes package = find_field(bytes, PACKAGE).bytes;

    if (package.size > 0) {
        if (strncmp(symbol, (const char *)package.data, package.size) != 0 ||
            symbol[package.size] != '.') {
            return false;
        }
        symbol += package.size + 1;
    }
    return declares(bytes, WHOLE_FILE, symbol);
}

/* -- extensions ------------------------------------------------------------ */

/* A type as fields name it: ".kv.v1.Kv". */
static bool
names_type(struct bytes name, const char *type)
{
    return name.size > 0 && name.data[0] == '.' &&
           equal((struct bytes){name.data + 1, name.size - 1}, type);
}

static bool
each_extension(struct bytes scope, enum kind kind, const char *type,
               rpcrt__extension_fn *fn, void *arg)
{
    struct field field;
    bool go_on = true;

    while (go_on && take_field(&scope, &field)) {
        enum kind inner = kind_of(kind, field.number);

        if (inner == MESSAGE) {
            go_on = each_extension(field.bytes, inner, type, fn, arg);
        } else if (inner == EXTENSION &&
                   names_type(find_field(field.bytes, EXTENDEE).bytes, type)) {
            go_on =
                fn(arg, (int32_t)find_field(field.bytes, FIELD_NUMBER).value);
        }
    }
    return go_on;
}

bool
rpcrt__file_each_extension(const struct rpcrt_file *file, const char *type,
                           rpcrt__extension_fn *fn, void *arg)
{
    struct bytes bytes = {file->descriptor, file->descriptor_size};

    return each_extension(bytes, WHOLE_FILE, type, fn, arg);
}
