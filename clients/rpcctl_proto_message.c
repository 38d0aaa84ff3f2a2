/*
 * Messages as the text of a .proto: fields with their options, maps, oneofs,
 * and what is declared within.
 */
#include "rpcctl_proto.h"

#include <string.h>

/* Numbers of google/protobuf/descriptor.proto, and of our options. */
enum { MESSAGE_FIELD = 2, MESSAGE_NESTED = 3, MESSAGE_ENUM = 4 };
enum { MESSAGE_ONEOF = 8, OPTION_SENSITIVE = 58100 };

static const char *const type_names[] = {
    "?",       "double",   "float",    "int64",  "uint64",  "int32", "fixed64",
    "fixed32", "bool",     "string",   "group",  "message", "bytes", "uint32",
    "enum",    "sfixed32", "sfixed64", "sint32", "sint64"};

/* -- types ----------------------------------------------------------------- */

static const char *
type_text(const struct rpcctl_proto *proto,
          const Google__Protobuf__FieldDescriptorProto *field)
{
    size_t type = (size_t)field->type;

    if (field->type_name != NULL) {
        return rpcctl_proto_type(proto, field->type_name);
    }
    return type_names[type < sizeof type_names / sizeof type_names[0] ? type
                                                                      : 0];
}

/* The entry of a map that a field is; NULL if it is none. */
static const Google__Protobuf__DescriptorProto *
map_entry(const Google__Protobuf__DescriptorProto *message,
          const Google__Protobuf__FieldDescriptorProto *field)
{
    const char *name =
        field->type_name != NULL ? strrchr(field->type_name, '.') : NULL;
    size_t i;

    for (i = 0; name != NULL && i < message->n_nested_type; i++) {
        const Google__Protobuf__DescriptorProto *inner =
            message->nested_type[i];

        if (inner->options != NULL && inner->options->map_entry &&
            inner->n_field == 2 && strcmp(inner->name, name + 1) == 0) {
            return inner;
        }
    }
    return NULL;
}

/* What stands before the type, but for a map or within a oneof. */
static const char *
label_text(const struct rpcctl_proto *proto,
           const Google__Protobuf__FieldDescriptorProto *field)
{
    bool is_proto3 = proto->file->syntax != NULL &&
                     strcmp(proto->file->syntax, "proto3") == 0;

    switch (field->label) {
    case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED:
        return "repeated ";
    case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REQUIRED:
        return "required ";
    default:
        return !is_proto3 || field->proto3_optional ? "optional " : "";
    }
}

/* -- options --------------------------------------------------------------- */

/* Add an option: "[" before the first, "]" is the caller's. */
static void
put_option(struct rpcctl_proto *proto, bool *is_first, const char *name,
           const char *value, bool quoted)
{
    (void)fprintf(proto->out, "%s%s = %s", *is_first ? " [" : ", ", name,
                  quoted ? "\"" : "");
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;

        if (quoted && (c == '"' || c == '\\')) {
            (void)fprintf(proto->out, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            (void)fprintf(proto->out, "\\%03o", c);
        } else {
            (void)fputc(c, proto->out);
        }
    }
    (void)fputs(quoted ? "\"" : "", proto->out);
    *is_first = false;
}

/* Whether a field has another name in JSON than usual. */
static bool
has_json_name(const Google__Protobuf__FieldDescriptorProto *field)
{
    const char *usual = field->name;
    const char *name = field->json_name;

    if (name == NULL) {
        return false;
    }
    for (; *usual != '\0'; usual++) {
        bool upper = false;

        for (; *usual == '_'; usual++) {
            upper = true;
        }
        if (*usual == '\0') {
            break;
        }
        if (*name++ != (upper && *usual >= 'a' && *usual <= 'z'
                            ? (char)(*usual - 'a' + 'A')
                            : *usual)) {
            return true;
        }
    }
    return *name != '\0';
}

static bool
is_sensitive(const Google__Protobuf__FieldOptions *options)
{
    unsigned i;

    for (i = 0; i < options->base.n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field =
            &options->base.unknown_fields[i];

        if (field->tag == OPTION_SENSITIVE && field->len > 0 &&
            field->data[0] != 0) {
            return true;
        }
    }
    return false;
}

static void
put_options(struct rpcctl_proto *proto,
            const Google__Protobuf__FieldDescriptorProto *field)
{
    const Google__Protobuf__FieldOptions *options = field->options;
    bool is_text =
        field->type ==
            GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING ||
        field->type ==
            GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES;
    bool is_first = true;

    if (field->default_value != NULL) {
        put_option(proto, &is_first, "default", field->default_value, is_text);
    }
    if (has_json_name(field)) {
        put_option(proto, &is_first, "json_name", field->json_name, true);
    }
    if (options != NULL && options->has_packed) {
        put_option(proto, &is_first, "packed",
                   options->packed ? "true" : "false", false);
    }
    if (options != NULL && options->deprecated) {
        put_option(proto, &is_first, "deprecated", "true", false);
    }
    if (options != NULL && is_sensitive(options)) {
        put_option(proto, &is_first, "(rpcrt.v1.sensitive)", "true", false);
    }
    (void)fputs(is_first ? "" : "]", proto->out);
}

/* -- fields ---------------------------------------------------------------- */

static void
put_field(struct rpcctl_proto *proto,
          const Google__Protobuf__DescriptorProto *message, size_t i,
          bool in_oneof)
{
    const Google__Protobuf__FieldDescriptorProto *field = message->field[i];
    const Google__Protobuf__DescriptorProto *entry = map_entry(message, field);

    rpcctl_proto_enter(proto, MESSAGE_FIELD, i);
    rpcctl_proto_comment(proto);
    rpcctl_proto_indent(proto);
    if (entry != NULL) {
        (void)fprintf(proto->out, "map<%s, %s>",
                      type_text(proto, entry->field[0]),
                      type_text(proto, entry->field[1]));
    } else {
        (void)fprintf(proto->out, "%s%s",
                      in_oneof ? "" : label_text(proto, field),
                      type_text(proto, field));
    }
    (void)fprintf(proto->out, " %s = %d", field->name, field->number);
    put_options(proto, field);
    (void)fputs(";\n", proto->out);
    rpcctl_proto_leave(proto);
}

/* Whether a field is in a oneof that somebody wrote. */
static bool
is_in_oneof(const Google__Protobuf__FieldDescriptorProto *field)
{
    return field->has_oneof_index && !field->proto3_optional;
}

/* The oneof of a field, where its first field is. */
static void
put_oneof(struct rpcctl_proto *proto,
          const Google__Protobuf__DescriptorProto *message, size_t first)
{
    int32_t index = message->field[first]->oneof_index;
    size_t i;

    for (i = 0; i < first; i++) {
        if (is_in_oneof(message->field[i]) &&
            message->field[i]->oneof_index == index) {
            return;
        }
    }
    if (index < 0 || (size_t)index >= message->n_oneof_decl) {
        return;
    }
    rpcctl_proto_enter(proto, MESSAGE_ONEOF, (size_t)index);
    rpcctl_proto_comment(proto);
    rpcctl_proto_leave(proto);
    rpcctl_proto_indent(proto);
    (void)fprintf(proto->out, "oneof %s {\n",
                  rpcctl_proto_word(message->oneof_decl[index]->name));
    proto->indent++;
    for (i = first; i < message->n_field; i++) {
        if (is_in_oneof(message->field[i]) &&
            message->field[i]->oneof_index == index) {
            put_field(proto, message, i, true);
        }
    }
    proto->indent--;
    rpcctl_proto_indent(proto);
    (void)fputs("}\n", proto->out);
}

static void
put_reserved(struct rpcctl_proto *proto,
             const Google__Protobuf__DescriptorProto *message)
{
    size_t i;

    for (i = 0; i < message->n_reserved_range; i++) {
        const Google__Protobuf__DescriptorProto__ReservedRange *range =
            message->reserved_range[i];

        rpcctl_proto_indent(proto);
        if (range->end - 1 > range->start) {
            (void)fprintf(proto->out, "reserved %d to %d;\n", range->start,
                          range->end - 1);
        } else {
            (void)fprintf(proto->out, "reserved %d;\n", range->start);
        }
    }
    for (i = 0; i < message->n_reserved_name; i++) {
        rpcctl_proto_indent(proto);
        (void)fprintf(proto->out, "reserved \"%s\";\n",
                      rpcctl_proto_word(message->reserved_name[i]));
    }
}

/* Messages and enums within, but the entries of maps. */
static void
put_declarations(struct rpcctl_proto *proto,
                 const Google__Protobuf__DescriptorProto *message)
{
    size_t i;

    for (i = 0; i < message->n_nested_type; i++) {
        const Google__Protobuf__DescriptorProto *inner =
            message->nested_type[i];

        if (inner->options == NULL || !inner->options->map_entry) {
            rpcctl_proto_enter(proto, MESSAGE_NESTED, i);
            rpcctl_proto_message(proto, inner);
            rpcctl_proto_leave(proto);
        }
    }
    for (i = 0; i < message->n_enum_type; i++) {
        rpcctl_proto_enter(proto, MESSAGE_ENUM, i);
        rpcctl_proto_enum(proto, message->enum_type[i]);
        rpcctl_proto_leave(proto);
    }
}

void
rpcctl_proto_message(struct rpcctl_proto *proto,
                     const Google__Protobuf__DescriptorProto *message)
{
    size_t i;

    rpcctl_proto_comment(proto);
    rpcctl_proto_indent(proto);
    (void)fprintf(proto->out, "message %s {\n", message->name);
    proto->indent++;
    put_declarations(proto, message);
    for (i = 0; i < message->n_field; i++) {
        if (is_in_oneof(message->field[i])) {
            put_oneof(proto, message, i);
        } else {
            put_field(proto, message, i, false);
        }
    }
    put_reserved(proto, message);
    proto->indent--;
    rpcctl_proto_indent(proto);
    (void)fputs("}\n", proto->out);
}
