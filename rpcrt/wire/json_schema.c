/*
 * Reads the serialized descriptors in place. That is slow, so what was found is
 * kept for the time of one message.
 */
#include "wire/json_schema.h"

#include <rpcrt/gen.h>
#include <stdint.h>
#include <string.h>

#define GOOGLE "google.protobuf."
#define IMPORT_DEPTH_MAX 64

/* Numbers of google/protobuf/descriptor.proto. */
enum { FILE_PACKAGE = 2, FILE_MESSAGE = 4 };
enum { MESSAGE_NAME = 1, MESSAGE_FIELD = 2, MESSAGE_NESTED = 3 };
enum { MESSAGE_OPTIONS = 7, OPTIONS_MAP_ENTRY = 7 };
enum { FIELD_NAME = 1, FIELD_NUMBER = 3, FIELD_JSON_NAME = 10 };

static bool
slice_is(struct rpcrt__json_slice slice, const char *data, size_t size)
{
    return slice.size == size &&
           (size == 0 || memcmp(slice.data, data, size) == 0);
}

static struct rpcrt__json_slice
slice_of(const struct rpcrt__wire_field *field)
{
    struct rpcrt__json_slice slice = {
        (const char *)field->bytes.at,
        (size_t)(field->bytes.end - field->bytes.at)};

    return slice;
}

void
rpcrt__json_schema_init(struct rpcrt__json_schema *schema,
                        const struct rpcrt_file *file)
{
    memset(schema, 0, sizeof *schema);
    schema->file = file;
}

/* -- types with a form of their own ---------------------------------------- */

/* Types of fields 1, 2, ... as letters, repeated ones in upper case. Somebody
 * may have a message of that name with other fields. */
static bool
has_shape(const ProtobufCMessageDescriptor *descriptor, const char *shape)
{
    static const char letters[] = "i??l??u?w?fdoesbm";
    unsigned i;

    if (descriptor->n_fields != strlen(shape)) {
        return false;
    }
    for (i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        char letter = letters[field->type];

        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            letter = (char)(letter - 'a' + 'A');
        }
        if (field->id != i + 1 || letter != shape[i]) {
            return false;
        }
    }
    return true;
}

static enum rpcrt__json_kind
well_known(const ProtobufCMessageDescriptor *descriptor)
{
    static const struct {
        const char *name;
        const char *shape;
        enum rpcrt__json_kind kind;
    } types[] = {
        {"Any", "sb", RPCRT__JSON_ANY},
        {"BoolValue", "o", RPCRT__JSON_WRAPPER},
        {"BytesValue", "b", RPCRT__JSON_WRAPPER},
        {"DoubleValue", "d", RPCRT__JSON_WRAPPER},
        {"Duration", "li", RPCRT__JSON_DURATION},
        {"Empty", "", RPCRT__JSON_EMPTY},
        {"FieldMask", "S", RPCRT__JSON_FIELD_MASK},
        {"FloatValue", "f", RPCRT__JSON_WRAPPER},
        {"Int32Value", "i", RPCRT__JSON_WRAPPER},
        {"Int64Value", "l", RPCRT__JSON_WRAPPER},
        {"ListValue", "M", RPCRT__JSON_LIST_VALUE},
        {"StringValue", "s", RPCRT__JSON_WRAPPER},
        {"Struct", "M", RPCRT__JSON_STRUCT},
        {"Timestamp", "li", RPCRT__JSON_TIMESTAMP},
        {"UInt32Value", "u", RPCRT__JSON_WRAPPER},
        {"UInt64Value", "w", RPCRT__JSON_WRAPPER},
        {"Value", "edsomm", RPCRT__JSON_VALUE},
    };
    size_t prefix = sizeof GOOGLE - 1;
    size_t i;

    if (strncmp(descriptor->name, GOOGLE, prefix) != 0) {
        return RPCRT__JSON_ORDINARY;
    }
    for (i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(descriptor->name + prefix, types[i].name) == 0 &&
            has_shape(descriptor, types[i].shape) &&
            (types[i].kind != RPCRT__JSON_STRUCT ||
             has_shape(descriptor->fields[0].descriptor, "sm"))) {
            return types[i].kind;
        }
    }
    return RPCRT__JSON_ORDINARY;
}

/* -- messages -------------------------------------------------------------- */

/* Find a message by its name behind the package: "Outer.Inner". */
static bool
find_message(struct rpcrt__fields within, unsigned number,
             struct rpcrt__json_slice name, struct rpcrt__fields *ret_proto)
{
    const char *dot = memchr(name.data, '.', name.size);
    size_t size = dot != NULL ? (size_t)(dot - name.data) : name.size;
    struct rpcrt__json_slice rest = {dot, name.size - size};
    struct rpcrt__wire_field field;
    struct rpcrt__wire_field inner;

    while (within.at < within.end && rpcrt__fields_next(&within, &field)) {
        struct rpcrt__fields message = field.bytes;

        if (!rpcrt__field_is(&field, number)) {
            continue;
        }
        while (message.at < message.end &&
               rpcrt__fields_next(&message, &inner)) {
            if (rpcrt__field_is(&inner, MESSAGE_NAME) &&
                slice_is(slice_of(&inner), name.data, size)) {
                if (dot != NULL) {
                    rest.data++;
                    rest.size--;
                    return find_message(field.bytes, MESSAGE_NESTED, rest,
                                        ret_proto);
                }
                *ret_proto = field.bytes;
                return true;
            }
        }
    }
    return false;
}

static bool
find_in_file(const struct rpcrt_file *file, const char *name,
             struct rpcrt__fields *ret_proto)
{
    struct rpcrt__fields whole = {file->descriptor,
                                  file->descriptor + file->descriptor_size};
    struct rpcrt__json_slice package = {"", 0};
    struct rpcrt__json_slice rest = {name, strlen(name)};
    struct rpcrt__fields fields = whole;
    struct rpcrt__wire_field field;

    while (fields.at < fields.end && rpcrt__fields_next(&fields, &field)) {
        if (rpcrt__field_is(&field, FILE_PACKAGE)) {
            package = slice_of(&field);
        }
    }
    if (package.size > 0) {
        if (rest.size <= package.size || name[package.size] != '.' ||
            memcmp(name, package.data, package.size) != 0) {
            return false;
        }
        rest.data += package.size + 1;
        rest.size -= package.size + 1;
    }
    return find_message(whole, FILE_MESSAGE, rest, ret_proto);
}

static bool
find_proto(const struct rpcrt_file *file, const char *name, unsigned depth,
           struct rpcrt__fields *ret_proto)
{
    size_t i;

    if (find_in_file(file, name, ret_proto)) {
        return true;
    }
    for (i = 0; i < file->n_imports && depth < IMPORT_DEPTH_MAX; i++) {
        if (find_proto(file->imports[i], name, depth + 1, ret_proto)) {
            return true;
        }
    }
    return false;
}

static bool
is_map_entry(const ProtobufCMessageDescriptor *descriptor,
             struct rpcrt__fields proto)
{
    struct rpcrt__wire_field field;
    bool is_entry = false;

    while (proto.at < proto.end && rpcrt__fields_next(&proto, &field)) {
        struct rpcrt__fields options = field.bytes;

        if (!rpcrt__field_is(&field, MESSAGE_OPTIONS)) {
            continue;
        }
        while (options.at < options.end &&
               rpcrt__fields_next(&options, &field)) {
            if (field.number == OPTIONS_MAP_ENTRY &&
                field.type == RPCRT__WIRE_VARINT) {
                is_entry = field.value != 0;
            }
        }
    }
    return is_entry && descriptor->n_fields == 2 &&
           descriptor->fields[0].id == 1 && descriptor->fields[1].id == 2 &&
           descriptor->fields[0].label != PROTOBUF_C_LABEL_REPEATED &&
           descriptor->fields[1].label != PROTOBUF_C_LABEL_REPEATED;
}

bool
rpcrt__json_type_get(struct rpcrt__json_schema *schema,
                     const ProtobufCMessageDescriptor *descriptor,
                     struct rpcrt__json_type *ret_type)
{
    size_t slot = ((uintptr_t)descriptor >> 5) % RPCRT__JSON_TYPES;
    struct rpcrt__json_type *type = &schema->types[slot];
    struct rpcrt__json_type found = {.descriptor = descriptor};

    if (type->descriptor != descriptor) {
        /* Without names, if optimize_for is CODE_SIZE. */
        if (descriptor->name == NULL) {
            return false;
        }
        found.kind = well_known(descriptor);
        if (found.kind == RPCRT__JSON_ORDINARY) {
            if (schema->file == NULL ||
                !find_proto(schema->file, descriptor->name, 0, &found.proto)) {
                return false;
            }
            if (is_map_entry(descriptor, found.proto)) {
                found.kind = RPCRT__JSON_MAP_ENTRY;
            }
        }
        found.ahead = found.proto;
        *type = found;
    }
    *ret_type = *type;
    return true;
}

bool
rpcrt__json_is_map(struct rpcrt__json_schema *schema,
                   const ProtobufCFieldDescriptor *field)
{
    struct rpcrt__json_type type;

    return field->type == PROTOBUF_C_TYPE_MESSAGE &&
           field->label == PROTOBUF_C_LABEL_REPEATED &&
           rpcrt__json_type_get(schema, field->descriptor, &type) &&
           type.kind == RPCRT__JSON_MAP_ENTRY;
}

static const ProtobufCMessageDescriptor *
find_descriptor(const struct rpcrt_file *file, struct rpcrt__json_slice name,
                unsigned depth)
{
    const ProtobufCMessageDescriptor *found = NULL;
    size_t i;

    for (i = 0; i < file->n_messages; i++) {
        const char *full = file->messages[i]->name;

        if (full != NULL && slice_is(name, full, strlen(full))) {
            return file->messages[i];
        }
    }
    for (i = 0;
         i < file->n_imports && found == NULL && depth < IMPORT_DEPTH_MAX;
         i++) {
        found = find_descriptor(file->imports[i], name, depth + 1);
    }
    return found;
}

const ProtobufCMessageDescriptor *
rpcrt__json_type_by_url(const struct rpcrt__json_schema *schema,
                        struct rpcrt__json_slice url)
{
    size_t i;

    for (i = url.size; i > 0; i--) {
        if (url.data[i - 1] == '/') {
            struct rpcrt__json_slice name = {url.data + i, url.size - i};

            return schema->file != NULL ? find_descriptor(schema->file, name, 0)
                                        : NULL;
        }
    }
    return NULL;
}

/* -- fields ---------------------------------------------------------------- */

/* One FieldDescriptorProto. */
struct field_names {
    uint64_t number;
    struct rpcrt__json_slice name;
    struct rpcrt__json_slice json_name;
};

/* The next field of a DescriptorProto. */
static bool
next_field(struct rpcrt__fields *proto, struct field_names *ret_names)
{
    struct rpcrt__wire_field field;

    while (proto->at < proto->end && rpcrt__fields_next(proto, &field)) {
        struct rpcrt__fields inner = field.bytes;

        if (!rpcrt__field_is(&field, MESSAGE_FIELD)) {
            continue;
        }
        memset(ret_names, 0, sizeof *ret_names);
        while (inner.at < inner.end && rpcrt__fields_next(&inner, &field)) {
            if (rpcrt__field_is(&field, FIELD_NAME)) {
                ret_names->name = slice_of(&field);
            } else if (rpcrt__field_is(&field, FIELD_JSON_NAME)) {
                ret_names->json_name = slice_of(&field);
            } else if (field.number == FIELD_NUMBER &&
                       field.type == RPCRT__WIRE_VARINT) {
                ret_names->number = field.value;
            }
        }
        return true;
    }
    return false;
}

/* The next character of a name in lowerCamelCase; 0 at its end. */
static char
next_camel(struct rpcrt__json_slice *name)
{
    bool upper = false;

    while (name->size > 0) {
        char c = *name->data;

        name->data++;
        name->size--;
        if (c == '_') {
            upper = true;
        } else {
            return upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        }
    }
    return '\0';
}

static bool
is_camel(struct rpcrt__json_slice name, struct rpcrt__json_slice camel)
{
    size_t i;

    for (i = 0; i < camel.size; i++) {
        char c = next_camel(&name);

        if (c == '\0' || c != camel.data[i]) {
            return false;
        }
    }
    return next_camel(&name) == '\0';
}

/* The field's name in the part of the .proto that is left; an empty one if it
 * is not there. */
static struct rpcrt__json_slice
name_ahead(struct rpcrt__fields *proto, uint32_t number)
{
    struct field_names names = {.number = 0};

    while (next_field(proto, &names)) {
        if (names.number == number) {
            return names.json_name;
        }
    }
    names.json_name.size = 0;
    return names.json_name;
}

struct rpcrt__json_slice
rpcrt__json_field_name(struct rpcrt__json_type *type,
                       const ProtobufCFieldDescriptor *field,
                       struct rpcrt__json_buffer *scratch)
{
    struct rpcrt__json_slice original = {field->name, strlen(field->name)};
    struct rpcrt__json_slice name = name_ahead(&type->ahead, field->id);
    char c;

    if (name.size == 0) {
        type->ahead = type->proto;
        name = name_ahead(&type->ahead, field->id);
    }
    if (name.size == 0) {
        /* Whoever made the .proto left the ordinary name out. */
        scratch->size = 0;
        while ((c = next_camel(&original)) != '\0') {
            rpcrt__json_buffer_add(scratch, &c, 1);
        }
        name.data = (const char *)scratch->data;
        name.size = scratch->size;
    }
    return name;
}

const ProtobufCFieldDescriptor *
rpcrt__json_field_by_name(const struct rpcrt__json_type *type,
                          struct rpcrt__json_slice name)
{
    struct rpcrt__fields proto = type->proto;
    struct field_names names = {.number = 0};
    uint64_t number = 0;

    while (next_field(&proto, &names)) {
        if (names.json_name.size > 0
                ? slice_is(name, names.json_name.data, names.json_name.size)
                : is_camel(names.name, name)) {
            number = names.number;
            break;
        }
        if (slice_is(name, names.name.data, names.name.size)) {
            number = names.number;
        }
    }
    return number > 0 && number <= UINT32_MAX
               ? protobuf_c_message_descriptor_get_field(type->descriptor,
                                                         (unsigned)number)
               : NULL;
}
