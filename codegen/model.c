/*
 * Descriptors become lists; what refers to something else is resolved in
 * model_types.c.
 */
#include "model.h"

#include "model_types.h"
#include "names.h"
#include "options.h"
#include "source.h"

#include <string.h>

/* Numbers of the lists in descriptor.proto, as paths use them. */
enum {
    FILE_MESSAGE = 4,
    FILE_ENUM = 5,
    FILE_SERVICE = 6,
    FILE_SYNTAX = 12,
    MESSAGE_FIELD = 2,
    MESSAGE_NESTED = 3,
    MESSAGE_ENUM = 4,
    MESSAGE_ONEOF = 8,
    ENUM_VALUE = 2,
    SERVICE_METHOD = 2
};

/* What the functions below are at. */
struct reader {
    struct pool *pool;
    struct file *file;
    struct source source;
    struct source_path path;
    const char *c_scope; /* package as protobuf-c sees it */
};

static const char *
text_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static const char *
join(struct pool *pool, const char *scope, const char *name)
{
    return pool_format(pool, "%s%s%s", scope, scope[0] == '\0' ? "" : ".",
                       text_or_empty(name));
}

/* The name of a type under protobuf-c's option c_package. */
static const char *
c_scoped(const struct reader *reader, const char *full_name)
{
    const char *package = reader->file->package;
    size_t size = strlen(package);

    if (size > 0) {
        full_name += size + 1;
    }
    return join(reader->pool, reader->c_scope, full_name);
}

static void
read_enum(struct reader *reader, const char *scope,
          const Google__Protobuf__EnumDescriptorProto *proto)
{
    struct enumeration *item = &reader->file->enums[reader->file->n_enums++];
    const char *name = join(reader->pool, scope, proto->name);
    const char *c_name = c_scoped(reader, name);
    size_t i;

    item->element = source_name(&reader->source, &reader->path, name);
    item->c_type = name_c_type(reader->pool, c_name);
    item->c_lower = name_c_lower(reader->pool, c_name);
    item->c_upper = name_c_upper(reader->pool, c_name);
    item->n_values = proto->n_value;
    item->values =
        pool_array(reader->pool, proto->n_value, sizeof *item->values);
    item->value_names =
        pool_array(reader->pool, proto->n_value, sizeof *item->value_names);
    for (i = 0; i < proto->n_value; i++) {
        source_enter(&reader->path, ENUM_VALUE, i);
        item->value_names[i] = text_or_empty(proto->value[i]->name);
        item->values[i] =
            source_name(&reader->source, &reader->path,
                        join(reader->pool, name, proto->value[i]->name));
        source_leave(&reader->path);
    }
}

static void
read_oneofs(struct reader *reader, struct message *message, const char *c_name,
            const Google__Protobuf__DescriptorProto *proto)
{
    struct pool *pool = reader->pool;
    size_t i;

    message->n_oneofs = proto->n_oneof_decl;
    message->oneofs =
        pool_array(pool, proto->n_oneof_decl, sizeof *message->oneofs);
    for (i = 0; i < proto->n_oneof_decl; i++) {
        const char *name = text_or_empty(proto->oneof_decl[i]->name);
        struct oneof *oneof = &message->oneofs[i];

        source_enter(&reader->path, MESSAGE_ONEOF, i);
        oneof->element = source_name(&reader->source, &reader->path,
                                     join(pool, message->element.name, name));
        source_leave(&reader->path);
        oneof->c_name = name_c_lower(pool, name);
        oneof->c_type = name_c_type(pool, join(pool, c_name, name));
        oneof->c_upper = name_c_upper(pool, join(pool, c_name, name));
    }
}

static void
read_field(struct reader *reader, struct message *message, struct field *field,
           const Google__Protobuf__FieldDescriptorProto *proto)
{
    field->name = text_or_empty(proto->name);
    field->element =
        source_name(&reader->source, &reader->path,
                    join(reader->pool, message->element.name, field->name));
    field->c_name = name_c_field(reader->pool, field->name);
    field->proto = proto;
    if (proto->has_oneof_index && proto->oneof_index >= 0 &&
        (size_t)proto->oneof_index < message->n_oneofs) {
        field->oneof = &message->oneofs[proto->oneof_index];
        if (proto->proto3_optional) {
            /* protoc made this oneof up: it has no place of its own */
            message->oneofs[proto->oneof_index].element = field->element;
        }
    }
    field->is_binary =
        proto->type ==
            GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES ||
        options_string_as_bytes(reader->pool, proto->options);
    field->sensitive = options_sensitive(proto->options);
}

static void
read_message(struct reader *reader, const char *scope,
             const Google__Protobuf__DescriptorProto *proto)
{
    const char *name = join(reader->pool, scope, proto->name);
    const char *c_name = c_scoped(reader, name);
    struct message *message;
    size_t i;

    for (i = 0; i < proto->n_nested_type; i++) {
        source_enter(&reader->path, MESSAGE_NESTED, i);
        read_message(reader, name, proto->nested_type[i]);
        source_leave(&reader->path);
    }
    for (i = 0; i < proto->n_enum_type; i++) {
        source_enter(&reader->path, MESSAGE_ENUM, i);
        read_enum(reader, name, proto->enum_type[i]);
        source_leave(&reader->path);
    }
    message = &reader->file->messages[reader->file->n_messages++];
    message->element = source_name(&reader->source, &reader->path, name);
    message->file = reader->file;
    message->c_type = name_c_type(reader->pool, c_name);
    message->c_lower = name_c_lower(reader->pool, c_name);
    message->c_upper = name_c_upper(reader->pool, c_name);
    message->base = options_base_field(reader->pool, proto->options);
    read_oneofs(reader, message, c_name, proto);
    message->n_fields = proto->n_field;
    message->fields =
        pool_array(reader->pool, proto->n_field, sizeof *message->fields);
    for (i = 0; i < proto->n_field; i++) {
        source_enter(&reader->path, MESSAGE_FIELD, i);
        read_field(reader, message, &message->fields[i], proto->field[i]);
        source_leave(&reader->path);
    }
}

static void
read_method_options(struct pool *pool, struct method *method,
                    const Google__Protobuf__MethodOptions *options)
{
    if (options == NULL) {
        return;
    }
    method->nonblocking = options_nonblocking(options);
    method->once = options_once(options);
    method->retry = options_retry(pool, options);
    method->no_side_effects =
        options->idempotency_level ==
        GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__NO_SIDE_EFFECTS;
    method->idempotent =
        method->no_side_effects ||
        options->idempotency_level ==
            GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__IDEMPOTENT;
}

static void
read_method(struct reader *reader, const struct service *service,
            struct method *method,
            const Google__Protobuf__MethodDescriptorProto *proto)
{
    struct pool *pool = reader->pool;
    const char *name;
    bool avoid;

    method->name = text_or_empty(proto->name);
    name = join(pool, service->element.name, method->name);
    method->element = source_name(&reader->source, &reader->path, name);
    method->comment = source_comment(&reader->source, &reader->path);
    method->snake = name_snake(pool, method->name);
    avoid = name_is_taken(method->snake) || name_is_macro(method->snake);
    method->member = pool_format(pool, "%s%s", method->snake, avoid ? "_" : "");
    method->function =
        pool_format(pool, "%s_%s", service->prefix, method->snake);
    method->index = pool_format(pool, "%s_METHOD_%s", service->prefix_upper,
                                name_upper(pool, method->snake));
    method->path =
        pool_format(pool, "/%s/%s", service->element.name, method->name);
    method->request_name = text_or_empty(proto->input_type);
    method->reply_name = text_or_empty(proto->output_type);
    method->client_streaming = proto->client_streaming;
    method->server_streaming = proto->server_streaming;
    read_method_options(pool, method, proto->options);
}

static void
read_service(struct reader *reader, struct service *service,
             const Google__Protobuf__ServiceDescriptorProto *proto)
{
    struct pool *pool = reader->pool;
    const char *name = join(pool, reader->file->package, proto->name);
    size_t i;

    service->element = source_name(&reader->source, &reader->path, name);
    service->comment = source_comment(&reader->source, &reader->path);
    service->prefix = options_c_prefix(pool, proto->options);
    service->prefix_given = service->prefix != NULL;
    if (!service->prefix_given) {
        service->prefix = name_snake(pool, name);
    }
    service->prefix_upper = name_upper(pool, service->prefix);
    service->n_methods = proto->n_method;
    service->methods =
        pool_array(pool, proto->n_method, sizeof *service->methods);
    for (i = 0; i < proto->n_method; i++) {
        source_enter(&reader->path, SERVICE_METHOD, i);
        read_method(reader, service, &service->methods[i], proto->method[i]);
        source_leave(&reader->path);
    }
}

static void
count_nested(const Google__Protobuf__DescriptorProto *proto, size_t *n_messages,
             size_t *n_enums)
{
    size_t i;

    *n_messages += 1;
    *n_enums += proto->n_enum_type;
    for (i = 0; i < proto->n_nested_type; i++) {
        count_nested(proto->nested_type[i], n_messages, n_enums);
    }
}

static void
read_contents(struct reader *reader)
{
    const Google__Protobuf__FileDescriptorProto *proto = reader->file->proto;
    struct file *file = reader->file;
    size_t n_messages = 0, n_enums = proto->n_enum_type, i;

    for (i = 0; i < proto->n_message_type; i++) {
        count_nested(proto->message_type[i], &n_messages, &n_enums);
    }
    file->messages =
        pool_array(reader->pool, n_messages, sizeof *file->messages);
    file->enums = pool_array(reader->pool, n_enums, sizeof *file->enums);
    for (i = 0; i < proto->n_message_type; i++) {
        source_enter(&reader->path, FILE_MESSAGE, i);
        read_message(reader, file->package, proto->message_type[i]);
        source_leave(&reader->path);
    }
    for (i = 0; i < proto->n_enum_type; i++) {
        source_enter(&reader->path, FILE_ENUM, i);
        read_enum(reader, file->package, proto->enum_type[i]);
        source_leave(&reader->path);
    }
    file->n_services = proto->n_service;
    file->services =
        pool_array(reader->pool, proto->n_service, sizeof *file->services);
    for (i = 0; i < proto->n_service; i++) {
        source_enter(&reader->path, FILE_SERVICE, i);
        read_service(reader, &file->services[i], proto->service[i]);
        source_leave(&reader->path);
    }
}

/* The name of a file without .proto, as protoc-gen-c cuts it. */
static const char *
stem_of(struct pool *pool, const char *name)
{
    static const char *const endings[] = {".protodevel", ".proto"};
    size_t size = strlen(name), i;

    for (i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);

        if (size >= ending && strcmp(name + size - ending, endings[i]) == 0) {
            return pool_copy(pool, name, size - ending);
        }
    }
    return name;
}

static void
read_file(struct pool *pool, struct file *file,
          const Google__Protobuf__FileDescriptorProto *proto)
{
    struct file_options options = options_of_file(pool, proto->options);
    struct reader reader = {pool, file, {0}, {{0}, 0}, NULL};

    file->proto = proto;
    file->name = text_or_empty(proto->name);
    file->stem = stem_of(pool, file->name);
    file->c_name = name_of_path(pool, file->stem);
    file->package = text_or_empty(proto->package);
    file->syntax = proto->syntax == NULL ? "proto2" : proto->syntax;
    file->element = (struct element){file->name, file->name, 1, 1};
    file->no_generate = options.no_generate;
    file->const_strings = options.const_strings;
    file->use_oneof_field_name = options.use_oneof_field_name;
    reader.c_scope =
        options.c_package == NULL ? file->package : options.c_package;
    source_init(&reader.source, pool, proto);
    file->comment =
        source_comment(&reader.source, &(struct source_path){{FILE_SYNTAX}, 1});
    read_contents(&reader);
}

void
model_build(struct model *model, struct pool *pool,
            const Google__Protobuf__Compiler__CodeGeneratorRequest *request)
{
    size_t i, j;

    model->pool = pool;
    model->n_files = request->n_proto_file;
    model->files = pool_array(pool, model->n_files, sizeof *model->files);
    for (i = 0; i < model->n_files; i++) {
        struct file *file = &model->files[i];

        read_file(pool, file, request->proto_file[i]);
        file->index = i;
        for (j = 0; j < request->n_file_to_generate; j++) {
            if (strcmp(file->name, request->file_to_generate[j]) == 0) {
                file->wanted = true;
            }
        }
    }
    model_resolve(model);
}

bool
model_is_stream(const struct method *method)
{
    return method->client_streaming || method->server_streaming;
}
