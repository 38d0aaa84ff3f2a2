/*
 * The lists follow what protoc-gen-c 1.4.1 writes and what emit_*.c write.
 * Macros, types, tags and functions are one list: C and C++ tell some of them
 * apart, but not without warnings.
 */
#include "symbols.h"

#include "names.h"

#include <string.h>

static void
add_all(struct scope *scope, const struct element *owner, const char *name,
        const char *const *endings, size_t n_endings)
{
    size_t i;

    for (i = 0; i < n_endings; i++) {
        scope_add(scope, owner, name, endings[i]);
    }
}

static void
add_default(struct scope *scope, const struct message *message,
            const struct field *field)
{
    const char *name;

    if (field->proto->default_value != NULL) {
        name =
            pool_format(scope->pool, "%s__%s__default_value", message->c_lower,
                        name_c_lower(scope->pool, field->name));
        scope_add(scope, &field->element, name, "");
        scope_add(scope, &field->element, name, "_data");
    }
}

static void
add_oneof_case(struct scope *scope, const struct field *field)
{
    const char *name;

    if (field->oneof != NULL) {
        name = pool_format(scope->pool, "%s_%s", field->oneof->c_upper,
                           name_c_upper(scope->pool, field->name));
        scope_add(scope, &field->element, name, "");
    }
}

/* The functions of emit_optional.c. */
static void
add_optional(struct scope *scope, const struct message *message,
             const struct field *field)
{
    static const char *const verbs[] = {"has", "set", "clear"};
    size_t i;

    for (i = 0; field->proto->proto3_optional && i < 3; i++) {
        scope_add(scope, &field->element,
                  pool_format(scope->pool, "%s__%s_%s", message->c_lower,
                              verbs[i], field->c_name),
                  "");
    }
}

static void
add_message(struct scope *scope, const struct message *message)
{
    static const char *const endings[] = {
        "__init",          "__get_packed_size",
        "__pack",          "__pack_to_buffer",
        "__unpack",        "__free_unpacked",
        "__descriptor",    "__field_descriptors",
        "__number_ranges", "__field_indices_by_name",
    };
    size_t i;

    scope_add(scope, &message->element, message->c_type, "");
    scope_add(scope, &message->element, message->c_type, "_Closure");
    scope_add(scope, &message->element, message->c_upper, "__INIT");
    add_all(scope, &message->element, message->c_lower, endings,
            sizeof endings / sizeof endings[0]);
    for (i = 0; i < message->n_oneofs; i++) {
        const struct oneof *oneof = &message->oneofs[i];

        scope_add(scope, &oneof->element, oneof->c_type, "Case");
        scope_add(scope, &oneof->element, oneof->c_upper, "__NOT_SET");
        scope_add(scope, &oneof->element,
                  pool_format(scope->pool, "_%s", oneof->c_upper),
                  "__CASE_IS_INT_SIZE");
    }
    for (i = 0; i < message->n_fields; i++) {
        add_default(scope, message, &message->fields[i]);
        add_oneof_case(scope, &message->fields[i]);
        add_optional(scope, message, &message->fields[i]);
    }
}

static void
add_enum(struct scope *scope, const struct enumeration *item)
{
    static const char *const endings[] = {
        "__descriptor", "__enum_values_by_number", "__value_ranges",
        "__enum_values_by_name"};
    size_t i;

    scope_add(scope, &item->element, item->c_type, "");
    scope_add(scope, &item->element,
              pool_format(scope->pool, "_%s", item->c_type), "");
    scope_add(scope, &item->element,
              pool_format(scope->pool, "_%s", item->c_upper), "_IS_INT_SIZE");
    add_all(scope, &item->element, item->c_lower, endings,
            sizeof endings / sizeof endings[0]);
    for (i = 0; i < item->n_values; i++) {
        scope_add(scope, &item->values[i],
                  pool_format(scope->pool, "%s__%s", item->c_upper,
                              item->value_names[i]),
                  "");
    }
}

/* Functions of a method, those of the client and of the server: a program may
 * include both headers. */
static void
add_method(struct scope *scope, const struct method *method)
{
    static const char *const unary[] = {"", "_start", "_take"};
    static const char *const stream[] = {"_open", "_finish"};
    static const char *const up[] = {"_send", "_close_send", "_receive"};
    static const char *const down[] = {"_next", "_reply"};
    const struct element *owner = &method->element;

    scope_add(scope, owner, method->index, "");
    if (!model_is_stream(method)) {
        add_all(scope, owner, method->function, unary, 3);
        return;
    }
    add_all(scope, owner, method->function, stream, 2);
    if (method->client_streaming) {
        add_all(scope, owner, method->function, up, 3);
    }
    if (method->server_streaming) {
        add_all(scope, owner, method->function, down, 2);
    }
}

static void
add_service(struct scope *scope, const struct service *service)
{
    static const char *const endings[] = {"_rpc", "_method", "_service",
                                          "_serve"};
    size_t i;

    add_all(scope, &service->element, service->prefix, endings,
            sizeof endings / sizeof endings[0]);
    for (i = 0; i < service->n_methods; i++) {
        add_method(scope, &service->methods[i]);
    }
}

void
symbols_of_file(struct scope *scope, const struct file *file)
{
    static const char *const guards[] = {"_RPC_H", "_CLIENT_H", "_SERVER_H"};
    size_t i;

    scope_add(scope, &file->element, file->c_name, "_proto");
    add_all(scope, &file->element, name_upper(scope->pool, file->c_name),
            guards, sizeof guards / sizeof guards[0]);
    for (i = 0; !file->no_generate && i < file->n_messages; i++) {
        add_message(scope, &file->messages[i]);
    }
    for (i = 0; !file->no_generate && i < file->n_enums; i++) {
        add_enum(scope, &file->enums[i]);
    }
    for (i = 0; i < file->n_services; i++) {
        add_service(scope, &file->services[i]);
    }
}

/* Whether protoc-gen-c adds a member has_x, as it does in proto2. */
static bool
has_has(const struct message *message, const struct field *field)
{
    const Google__Protobuf__FieldDescriptorProto *proto = field->proto;

    return strcmp(message->file->syntax, "proto2") == 0 &&
           field->oneof == NULL && field->message_type == NULL &&
           proto->label ==
               GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_OPTIONAL &&
           (field->is_binary ||
            proto->type !=
                GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING);
}

void
symbols_of_message(struct scope *scope, const struct message *message)
{
    size_t i;

    scope_add(scope, &message->element, message->base, "");
    for (i = 0; i < message->n_fields; i++) {
        const struct field *field = &message->fields[i];

        scope_add(scope, &field->element, field->c_name, "");
        if (field->proto->label ==
            GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED) {
            scope_add(scope, &field->element, "n_", field->c_name);
        }
        if (has_has(message, field)) {
            scope_add(scope, &field->element, "has_", field->c_name);
        }
    }
    for (i = 0; i < message->n_oneofs; i++) {
        scope_add(scope, &message->oneofs[i].element, message->oneofs[i].c_name,
                  "_case");
    }
}
