/*
 * Messages made at run time: their fields, in the form that protoc-gen-c gives
 * them. Where each field lies in the struct is the business of types_layout.c.
 */
#include "wire/types.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of google/protobuf/descriptor.proto, and of rpcrt/v1/options.proto;
 * generated code does not tell that it imports that one. */
enum { MESSAGE_FIELD = 2, MESSAGE_ONEOF = 8 };
enum { FIELD_NAME = 1, FIELD_NUMBER = 3, FIELD_LABEL = 4, FIELD_TYPE = 5 };
enum { FIELD_TYPE_NAME = 6, FIELD_DEFAULT = 7, FIELD_OPTIONS = 8 };
enum { FIELD_ONEOF = 9 };
enum { OPTION_PACKED = 2, OPTION_DEPRECATED = 3, OPTION_SENSITIVE = 58100 };
enum { LABEL_OPTIONAL = 1, LABEL_REQUIRED = 2, LABEL_REPEATED = 3 };
enum { TYPE_GROUP = 10, TYPE_MESSAGE = 11, TYPE_ENUM = 14, TYPE_LAST = 18 };

static const ProtobufCType c_types[TYPE_LAST + 1] = {
    [1] = PROTOBUF_C_TYPE_DOUBLE,    [2] = PROTOBUF_C_TYPE_FLOAT,
    [3] = PROTOBUF_C_TYPE_INT64,     [4] = PROTOBUF_C_TYPE_UINT64,
    [5] = PROTOBUF_C_TYPE_INT32,     [6] = PROTOBUF_C_TYPE_FIXED64,
    [7] = PROTOBUF_C_TYPE_FIXED32,   [8] = PROTOBUF_C_TYPE_BOOL,
    [9] = PROTOBUF_C_TYPE_STRING,    [11] = PROTOBUF_C_TYPE_MESSAGE,
    [12] = PROTOBUF_C_TYPE_BYTES,    [13] = PROTOBUF_C_TYPE_UINT32,
    [14] = PROTOBUF_C_TYPE_ENUM,     [15] = PROTOBUF_C_TYPE_SFIXED32,
    [16] = PROTOBUF_C_TYPE_SFIXED64, [17] = PROTOBUF_C_TYPE_SINT32,
    [18] = PROTOBUF_C_TYPE_SINT64};

/* -- reading --------------------------------------------------------------- */

static void
options_read(struct rpcrt_types *types, struct rpcrt__fields options,
             struct rpcrt__types_field *field)
{
    struct rpcrt__wire_field option;

    while (rpcrt__types_next(types, &options, &option)) {
        if (option.type != RPCRT__WIRE_VARINT) {
            continue;
        }
        if (option.number == OPTION_PACKED) {
            field->packed_given = true;
            field->packed = option.value != 0;
        } else if (option.number == OPTION_DEPRECATED) {
            field->deprecated = option.value != 0;
        } else if (option.number == OPTION_SENSITIVE) {
            field->sensitive = option.value != 0;
        }
    }
}

static void
number_read(const struct rpcrt__wire_field *from,
            struct rpcrt__types_field *field)
{
    switch (from->number) {
    case FIELD_NUMBER:
        field->number = from->value;
        break;
    case FIELD_LABEL:
        field->label = from->value;
        break;
    case FIELD_TYPE:
        field->type = from->value;
        break;
    case FIELD_ONEOF:
        field->oneof = from->value < UINT32_MAX ? from->value + 1 : UINT32_MAX;
        break;
    default:
        break;
    }
}

static void
field_read(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
           struct rpcrt__fields proto, struct rpcrt__types_field *field)
{
    struct rpcrt__fields name = {proto.at, proto.at};
    struct rpcrt__wire_field from;

    field->label = LABEL_OPTIONAL;
    while (rpcrt__types_next(types, &proto, &from)) {
        if (from.type == RPCRT__WIRE_VARINT) {
            number_read(&from, field);
        } else if (rpcrt__field_is(&from, FIELD_NAME)) {
            name = from.bytes;
        } else if (rpcrt__field_is(&from, FIELD_TYPE_NAME)) {
            field->type_name = from.bytes;
        } else if (rpcrt__field_is(&from, FIELD_DEFAULT)) {
            field->default_text = from.bytes;
            field->has_default = true;
        } else if (rpcrt__field_is(&from, FIELD_OPTIONS)) {
            options_read(types, from.bytes, field);
        }
    }
    if (rpcrt__types_ok(types)) {
        field->name = rpcrt__types_name(types, symbol->name, name);
    }
}

static int
compare_numbers(const void *a, const void *b)
{
    const struct rpcrt__types_field *left = a;
    const struct rpcrt__types_field *right = b;

    return (left->number > right->number) - (left->number < right->number);
}

/* All fields by their numbers; NULL: that has been told. */
static struct rpcrt__types_field *
fields_read(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
            unsigned *ret_n)
{
    struct rpcrt__fields proto = symbol->proto;
    size_t n_max = rpcrt__types_count(types, proto, MESSAGE_FIELD);
    struct rpcrt__types_field *fields;
    struct rpcrt__wire_field from;
    unsigned n = 0;

    if (n_max > RPCRT__TYPES_FIELDS_MAX) {
        (void)rpcrt__types_fail(
            types, RPCRT_RESOURCE_EXHAUSTED, "%s: %s: more than %u fields",
            symbol->file->own.name, symbol->name, RPCRT__TYPES_FIELDS_MAX);
        return NULL;
    }
    fields = rpcrt__types_alloc(types, n_max + 1, sizeof *fields);
    while (rpcrt__types_next(types, &proto, &from)) {
        if (rpcrt__field_is(&from, MESSAGE_FIELD)) {
            field_read(types, symbol, from.bytes, &fields[n++]);
        }
    }
    if (!rpcrt__types_ok(types)) {
        return NULL;
    }
    qsort(fields, n, sizeof *fields, compare_numbers);
    *ret_n = n;
    return fields;
}

/* -- checking -------------------------------------------------------------- */

static bool
refuse(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
       const struct rpcrt__types_field *field, const char *what)
{
    return rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT, "%s: %s.%s: %s",
                             symbol->file->own.name, symbol->name, field->name,
                             what);
}

static bool
field_check(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
            const struct rpcrt__types_field *field, size_t n_oneofs)
{
    if (field->number == 0 || field->number > RPCRT__TYPES_NUMBER_MAX) {
        return refuse(types, symbol, field, "a number that no field can have");
    }
    if (field->label < LABEL_OPTIONAL || field->label > LABEL_REPEATED ||
        (field->label == LABEL_REQUIRED && symbol->file->is_proto3)) {
        return refuse(types, symbol, field, "neither optional nor repeated");
    }
    if (field->type == TYPE_GROUP) {
        return rpcrt__types_fail(
            types, RPCRT_UNIMPLEMENTED, "%s: %s.%s: groups are not supported",
            symbol->file->own.name, symbol->name, field->name);
    }
    if (field->type == 0 || field->type > TYPE_LAST) {
        return refuse(types, symbol, field, "of no known type");
    }
    if (field->oneof > n_oneofs ||
        (field->oneof > 0 && field->label != LABEL_OPTIONAL)) {
        return refuse(types, symbol, field, "in a oneof that can't have it");
    }
    return true;
}

/* -- making ---------------------------------------------------------------- */

static ProtobufCLabel
label_of(const struct rpcrt__types_field *field, bool is_proto3)
{
    switch (field->label) {
    case LABEL_REPEATED:
        return PROTOBUF_C_LABEL_REPEATED;
    case LABEL_REQUIRED:
        return PROTOBUF_C_LABEL_REQUIRED;
    default:
        return is_proto3 ? PROTOBUF_C_LABEL_NONE : PROTOBUF_C_LABEL_OPTIONAL;
    }
}

static bool
is_packed(const struct rpcrt__types_field *field,
          const ProtobufCFieldDescriptor *made, bool is_proto3)
{
    return made->label == PROTOBUF_C_LABEL_REPEATED &&
           made->type != PROTOBUF_C_TYPE_STRING &&
           made->type != PROTOBUF_C_TYPE_BYTES &&
           made->type != PROTOBUF_C_TYPE_MESSAGE &&
           (field->packed_given ? field->packed : is_proto3);
}

/* The message or enum that a field is of. */
static const void *
reference(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
          const struct rpcrt__types_field *field)
{
    const char *where = rpcrt__types_join(types, symbol->name, field->name);
    const struct rpcrt__types_symbol *found =
        where != NULL
            ? rpcrt__types_resolve(types, symbol->file, where, field->type_name)
            : NULL;

    if (found == NULL) {
        return NULL;
    }
    if ((found->kind == RPCRT__TYPES_ENUM) != (field->type == TYPE_ENUM)) {
        (void)refuse(types, symbol, field, "an enum for a message, or so");
    }
    return &found->made;
}

static void
field_make(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
           const struct rpcrt__types_field *field,
           ProtobufCFieldDescriptor *made)
{
    bool is_proto3 = symbol->file->is_proto3;

    made->name = field->name;
    made->id = (uint32_t)field->number;
    made->label = label_of(field, is_proto3);
    made->type = c_types[field->type];
    made->flags = 0;
    if (field->oneof > 0) {
        made->flags |= PROTOBUF_C_FIELD_FLAG_ONEOF;
    }
    if (is_packed(field, made, is_proto3)) {
        made->flags |= PROTOBUF_C_FIELD_FLAG_PACKED;
    }
    if (field->deprecated) {
        made->flags |= PROTOBUF_C_FIELD_FLAG_DEPRECATED;
    }
    if (field->type == TYPE_MESSAGE || field->type == TYPE_ENUM) {
        made->descriptor = reference(types, symbol, field);
    }
    /* protobuf-c would write defaults of a oneof over each other. */
    if (!rpcrt__types_ok(types) || field->oneof > 0) {
        return;
    }
    if (field->has_default) {
        made->default_value = rpcrt__types_default(types, symbol, field, made);
    } else if (made->label == PROTOBUF_C_LABEL_NONE &&
               made->type == PROTOBUF_C_TYPE_STRING) {
        made->default_value = protobuf_c_empty_string;
    }
}

static int32_t
number_at(const void *items, unsigned i)
{
    const ProtobufCFieldDescriptor *fields = items;

    return (int32_t)fields[i].id;
}

struct name_index {
    const char *name;
    unsigned index;
};

static int
compare_names(const void *a, const void *b)
{
    const struct name_index *left = a;
    const struct name_index *right = b;

    return strcmp(left->name, right->name);
}

/* Which field is where if they are sorted by name. */
static const unsigned *
sort_by_name(struct rpcrt_types *types,
             const struct rpcrt__types_symbol *symbol,
             const ProtobufCFieldDescriptor *fields, unsigned n)
{
    struct name_index *names =
        rpcrt__types_alloc(types, (size_t)n + 1, sizeof *names);
    unsigned *sorted = rpcrt__types_alloc(types, (size_t)n + 1, sizeof *sorted);
    unsigned i;

    if (!rpcrt__types_ok(types)) {
        return NULL;
    }
    for (i = 0; i < n; i++) {
        names[i] = (struct name_index){fields[i].name, i};
    }
    qsort(names, n, sizeof *names, compare_names);
    for (i = 0; i < n; i++) {
        sorted[i] = names[i].index;
        if (i > 0 && strcmp(names[i].name, names[i - 1].name) == 0) {
            (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                    "%s: %s: two fields are named %s",
                                    symbol->file->own.name, symbol->name,
                                    names[i].name);
        }
    }
    return sorted;
}

/* Fill the descriptor, and tell the file of the message. */
static void
finish(struct rpcrt_types *types, struct rpcrt__types_symbol *symbol,
       const ProtobufCFieldDescriptor *fields, unsigned n, size_t size)
{
    ProtobufCMessageDescriptor *made = &symbol->made.message;
    struct rpcrt__types_file *file = symbol->file;

    made->magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC;
    made->name = symbol->name;
    made->c_name = symbol->name;
    made->package_name = file->package;
    made->sizeof_message = size;
    made->n_fields = n;
    made->fields = fields;
    made->fields_sorted_by_name = sort_by_name(types, symbol, fields, n);
    made->n_field_ranges =
        rpcrt__types_ranges(types, n, number_at, fields, &made->field_ranges);
    file->messages[file->own.n_messages++] = made;
}

/* Note the sensitive ones among the fields, for the file's list. */
static void
sensitive_add(struct rpcrt_types *types, struct rpcrt__types_symbol *symbol,
              const struct rpcrt__types_field *fields, unsigned n)
{
    struct rpcrt__types_file *file = symbol->file;
    unsigned i;

    for (i = 0; i < n; i++) {
        struct rpcrt__types_secret *secret;

        if (!fields[i].sensitive) {
            continue;
        }
        secret = rpcrt__types_alloc(types, 1, sizeof *secret);
        if (secret != NULL) {
            secret->field.message = &symbol->made.message;
            secret->field.number = (uint32_t)fields[i].number;
            secret->next = file->secrets;
            file->secrets = secret;
            file->own.n_sensitive++;
        }
    }
}

void
rpcrt__types_make_message(struct rpcrt_types *types,
                          struct rpcrt__types_symbol *symbol)
{
    size_t n_oneofs = rpcrt__types_count(types, symbol->proto, MESSAGE_ONEOF);
    unsigned n = 0;
    const struct rpcrt__types_field *fields = fields_read(types, symbol, &n);
    ProtobufCFieldDescriptor *made =
        rpcrt__types_alloc(types, (size_t)n + 1, sizeof *made);
    size_t size;
    unsigned i;

    for (i = 0; i < n && rpcrt__types_ok(types); i++) {
        if (!field_check(types, symbol, &fields[i], n_oneofs)) {
            return;
        }
        if (i > 0 && fields[i].number == fields[i - 1].number) {
            (void)refuse(types, symbol, &fields[i],
                         "another field has its number");
            return;
        }
        field_make(types, symbol, &fields[i], &made[i]);
    }
    if (!rpcrt__types_ok(types)) {
        return;
    }
    size = rpcrt__types_layout(types, fields, made, n, n_oneofs);
    finish(types, symbol, made, n, size);
    sensitive_add(types, symbol, fields, n);
}
