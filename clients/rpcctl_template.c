/*
 * rpcctl template: the JSON of a request with something in every field, to be
 * changed by its reader. A message with a value in each field is made as bytes,
 * and printed as any other; what is recursive is left out where it comes again.
 */
#include "rpcctl.h"

#include <stdlib.h>
#include <string.h>

/* Types may be used so often that all of it would have no end. */
#define DEPTH_MAX 12u
#define SIZE_MAX_BYTES ((size_t)64 << 10)

struct path {
    const struct path *outer;
    const ProtobufCMessageDescriptor *type;
    unsigned depth;
};

static void put_message(FILE *out, const ProtobufCMessageDescriptor *type,
                        const struct path *outer);

static void
put_varint(FILE *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        (void)fputc((int)(value & 0x7f) | 0x80, out);
    }
    (void)fputc((int)value, out);
}

static void
put_tag(FILE *out, const ProtobufCFieldDescriptor *field, unsigned wire_type)
{
    put_varint(out, (uint64_t)field->id << 3 | wire_type);
}

static bool
is_within(const struct path *path, const ProtobufCMessageDescriptor *type)
{
    for (; path != NULL; path = path->outer) {
        if (path->type == type || path->depth >= DEPTH_MAX) {
            return true;
        }
    }
    return false;
}

static void
put_inner(FILE *out, const ProtobufCFieldDescriptor *field,
          const struct path *path)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *inner;

    if (is_within(path, field->descriptor) ||
        ftell(out) > (long)SIZE_MAX_BYTES) {
        return;
    }
    inner = open_memstream(&bytes, &size);
    if (inner == NULL) {
        return;
    }
    put_message(inner, field->descriptor, path);
    (void)fclose(inner);
    put_tag(out, field, 2);
    put_varint(out, size);
    (void)fwrite(bytes, 1, size, out);
    free(bytes);
}

/* Zero, or the first of an enum that has none. */
static uint64_t
number_for(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;

    return field->type != PROTOBUF_C_TYPE_ENUM ||
                   protobuf_c_enum_descriptor_get_value(type, 0) != NULL
               ? 0
               : (uint64_t)(int64_t)type->values[0].value;
}

static void
put_field(FILE *out, const ProtobufCFieldDescriptor *field,
          const struct path *path)
{
    static const char zeroes[8];

    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        put_inner(out, field, path);
        break;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        put_tag(out, field, 2);
        put_varint(out, 0);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        put_tag(out, field, 5);
        (void)fwrite(zeroes, 1, 4, out);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        put_tag(out, field, 1);
        (void)fwrite(zeroes, 1, 8, out);
        break;
    default:
        put_tag(out, field, 0);
        put_varint(out, number_for(field));
    }
}

/* Whether a field before it is of the same oneof. */
static bool
has_rival(const ProtobufCMessageDescriptor *type, unsigned index)
{
    const ProtobufCFieldDescriptor *field = &type->fields[index];
    unsigned i;

    for (i = 0; i < index; i++) {
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
            (type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
            type->fields[i].quantifier_offset == field->quantifier_offset) {
            return true;
        }
    }
    return false;
}

static void
put_message(FILE *out, const ProtobufCMessageDescriptor *type,
            const struct path *outer)
{
    struct path path = {outer, type, outer != NULL ? outer->depth + 1 : 0};
    unsigned i;

    /* {} says more than "@type" of nothing. */
    if (strcmp(type->name, "google.protobuf.Any") == 0) {
        return;
    }
    for (i = 0; i < type->n_fields; i++) {
        if (!has_rival(type, i)) {
            put_field(out, &type->fields[i], &path);
        }
    }
}

int
rpcctl_template(struct cli *cli, int argc, char **argv)
{
    struct rpcctl_method what = {NULL, NULL, NULL};
    ProtobufCMessage *message = NULL;
    int exit_code = CLI_EXIT_FAILED;
    char *bytes = NULL;
    size_t size = 0;
    FILE *out;

    (void)argc;
    if (!rpcctl_method_load(cli, argv[0], &what, &exit_code)) {
        return exit_code;
    }
    out = open_memstream(&bytes, &size);
    if (out != NULL) {
        put_message(out, what.method->request, NULL);
        (void)fclose(out);
        message = protobuf_c_message_unpack(what.method->request, NULL, size,
                                            (const uint8_t *)bytes);
    }
    rpcctl_options.defaults = true;
    if (message == NULL) {
        exit_code = cli_fail(cli, "%s has required fields that are recursive",
                             what.method->request->name);
    } else {
        exit_code =
            rpcctl_print(cli, message, what.file, false) ? 0 : CLI_EXIT_FAILED;
        protobuf_c_message_free_unpacked(message, NULL);
    }
    free(bytes);
    rpcrt_types_free(what.types);
    return exit_code;
}
