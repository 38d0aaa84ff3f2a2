/*
 * A message as JSON, by its descriptor. Bounded depth, one growing buffer; what
 * an Any holds is unpacked by the options' allocator for as long as it is
 * written.
 */
#include <rpcrt/json.h>

#include "core/error.h"
#include "core/member.h"
#include "wire/guard.h"
#include "wire/json_buffer.h"
#include "wire/json_forms.h"
#include "wire/json_schema.h"
#include "wire/json_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct print {
    struct rpcrt__json_writer writer;
    struct rpcrt__json_buffer scratch;
    struct rpcrt__json_schema schema;
    const struct rpcrt_json_options *options;
    struct rpcrt__error error;
};

static bool print_message(struct print *print, const ProtobufCMessage *message,
                          unsigned depth);
static bool print_missing(struct print *print,
                          const ProtobufCMessageDescriptor *descriptor,
                          unsigned depth);

/* Returns false. */
static bool
refuse(struct print *print, enum rpcrt_code code,
       const ProtobufCMessage *message, const char *what)
{
    const char *name = message->descriptor->name;

    (void)rpcrt__error_set(&print->error, code, "%s: %s",
                           name != NULL ? name : "a message without names",
                           what);
    return false;
}

/* -- single values --------------------------------------------------------- */

static void
print_enum(struct print *print, const ProtobufCFieldDescriptor *field,
           int32_t number)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(type, number);
    char text[16];

    if (type->name != NULL &&
        strcmp(type->name, "google.protobuf.NullValue") == 0) {
        rpcrt__json_put_text(&print->writer, "null");
    } else if (print->options->enum_numbers || value == NULL ||
               value->name == NULL) {
        (void)snprintf(text, sizeof text, "%" PRId32, number);
        rpcrt__json_put_text(&print->writer, text);
    } else {
        (void)rpcrt__json_put_string(&print->writer, value->name,
                                     strlen(value->name));
    }
}

/* One value of a field; `member` points to it as the generated struct has it.
 * A key of a map is always in quotes. */
static bool
print_value(struct print *print, const ProtobufCFieldDescriptor *field,
            const void *member, const ProtobufCMessage *message, bool is_key,
            unsigned depth)
{
    const ProtobufCBinaryData *bytes = member;
    const ProtobufCMessage *inner;
    const char *string;

    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        rpcrt__json_put_real(&print->writer, (double)*(const float *)member,
                             true);
        return true;
    case PROTOBUF_C_TYPE_DOUBLE:
        rpcrt__json_put_real(&print->writer, *(const double *)member, false);
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        rpcrt__json_put(&print->writer, "\"", is_key);
        rpcrt__json_put_text(&print->writer, *(const protobuf_c_boolean *)member
                                                 ? "true"
                                                 : "false");
        rpcrt__json_put(&print->writer, "\"", is_key);
        return true;
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(print, field, *(const int32_t *)member);
        return true;
    case PROTOBUF_C_TYPE_STRING:
        string = *(const char *const *)member;
        string = string != NULL ? string : "";
        return rpcrt__json_put_string(&print->writer, string, strlen(string)) ||
               refuse(print, RPCRT_INVALID_ARGUMENT, message,
                      "a string that is not UTF-8");
    case PROTOBUF_C_TYPE_BYTES:
        rpcrt__json_put(&print->writer, "\"", 1);
        rpcrt__json_base64_print(bytes->data,
                                 bytes->data != NULL ? bytes->len : 0,
                                 &print->writer.out);
        rpcrt__json_put(&print->writer, "\"", 1);
        return true;
    case PROTOBUF_C_TYPE_MESSAGE:
        inner = *(const ProtobufCMessage *const *)member;
        return inner != NULL ? print_message(print, inner, depth + 1)
                             : print_missing(print, field->descriptor, depth);
    default:
        return rpcrt__json_put_integer(&print->writer, field->type, member,
                                       is_key);
    }
}

/* -- fields ---------------------------------------------------------------- */

static bool
print_array(struct print *print, const ProtobufCFieldDescriptor *field,
            const ProtobufCMessage *message, unsigned depth)
{
    size_t n = rpcrt__member_count(field, message);
    size_t i;

    rpcrt__json_put_open(&print->writer, "[");
    for (i = 0; i < n; i++) {
        rpcrt__json_put_next(&print->writer);
        if (!print_value(print, field, rpcrt__member_at(field, message, i),
                         message, false, depth)) {
            return false;
        }
    }
    rpcrt__json_put_close(&print->writer, "]");
    return true;
}

static bool
print_map(struct print *print, const ProtobufCFieldDescriptor *field,
          const ProtobufCMessage *message, unsigned depth)
{
    size_t n = rpcrt__member_count(field, message);
    size_t i;

    rpcrt__json_put_open(&print->writer, "{");
    for (i = 0; i < n; i++) {
        const void *at = rpcrt__member_at(field, message, i);
        const ProtobufCMessage *entry = *(const ProtobufCMessage *const *)at;
        const ProtobufCFieldDescriptor *fields = entry->descriptor->fields;

        rpcrt__json_put_next(&print->writer);
        if (!print_value(print, &fields[0],
                         rpcrt__member_at(&fields[0], entry, 0), entry, true,
                         depth)) {
            return false;
        }
        rpcrt__json_put_colon(&print->writer);
        if (!print_value(print, &fields[1],
                         rpcrt__member_at(&fields[1], entry, 0), entry, false,
                         depth + 1)) {
            return false;
        }
    }
    rpcrt__json_put_close(&print->writer, "}");
    return true;
}

/* Whether a field is there to be written. */
static bool
is_shown(const struct print *print, const ProtobufCFieldDescriptor *field,
         const ProtobufCMessage *message)
{
    if (rpcrt__member_count(field, message) > 0) {
        return true;
    }
    return print->options->emit_defaults &&
           (field->label == PROTOBUF_C_LABEL_REPEATED ||
            (field->label == PROTOBUF_C_LABEL_NONE &&
             field->type != PROTOBUF_C_TYPE_MESSAGE &&
             (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0));
}

static bool
print_field(struct print *print, struct rpcrt__json_type *type,
            const ProtobufCFieldDescriptor *field,
            const ProtobufCMessage *message, unsigned depth)
{
    struct rpcrt__json_slice name = {field->name, strlen(field->name)};

    if (!print->options->proto_names) {
        name = rpcrt__json_field_name(type, field, &print->scratch);
    }
    rpcrt__json_put_next(&print->writer);
    if (!rpcrt__json_put_string(&print->writer, name.data, name.size)) {
        return refuse(print, RPCRT_INVALID_ARGUMENT, message,
                      "a name that is not UTF-8");
    }
    rpcrt__json_put_colon(&print->writer);
    if (print->options->redact &&
        (print->schema.file == NULL ||
         rpcrt__member_is_sensitive(print->schema.file, message->descriptor,
                                    field->id))) {
        rpcrt__json_put_text(&print->writer, "\"[redacted]\"");
        return true;
    }
    if (rpcrt__json_is_map(&print->schema, field)) {
        return print_map(print, field, message, depth);
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return print_array(print, field, message, depth);
    }
    return print_value(print, field, rpcrt__member_at(field, message, 0),
                       message, false, depth);
}

/* The members of an object that was begun. */
static bool
print_fields(struct print *print, struct rpcrt__json_type *type,
             const ProtobufCMessage *message, unsigned depth)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    unsigned i;

    for (i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

        if (is_shown(print, field, message) &&
            !print_field(print, type, field, message, depth)) {
            return false;
        }
    }
    return true;
}

/* -- types with a form of their own ---------------------------------------- */

/* A Timestamp or a Duration. */
static bool
print_time(struct print *print, enum rpcrt__json_kind kind,
           const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *fields = message->descriptor->fields;
    const int64_t *seconds = rpcrt__member_at(&fields[0], message, 0);
    const int32_t *nanos = rpcrt__member_at(&fields[1], message, 0);
    char text[RPCRT__JSON_TIME_SIZE];

    if (!(kind == RPCRT__JSON_TIMESTAMP
              ? rpcrt__json_timestamp_print(*seconds, *nanos, text)
              : rpcrt__json_duration_print(*seconds, *nanos, text))) {
        return refuse(print, RPCRT_INVALID_ARGUMENT, message, "out of range");
    }
    return rpcrt__json_put_string(&print->writer, text, strlen(text));
}

static bool
print_field_mask(struct print *print, const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[0];
    size_t n = rpcrt__member_count(field, message);
    struct rpcrt__json_buffer *paths = &print->scratch;
    size_t i;

    paths->size = 0;
    for (i = 0; i < n; i++) {
        const void *at = rpcrt__member_at(field, message, i);

        rpcrt__json_buffer_add(paths, ",", i > 0);
        if (!rpcrt__json_path_print(*(const char *const *)at, paths)) {
            return refuse(print, RPCRT_INVALID_ARGUMENT, message,
                          "a path that is not in snake_case");
        }
    }
    return rpcrt__json_put_string(&print->writer, (const char *)paths->data,
                                  paths->size) ||
           refuse(print, RPCRT_INVALID_ARGUMENT, message,
                  "a path that is not UTF-8");
}

/* Whichever field of a Value is set. */
static bool
print_any_value(struct print *print, const ProtobufCMessage *message,
                unsigned depth)
{
    unsigned i;

    for (i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const void *member = rpcrt__member_at(field, message, 0);

        if (rpcrt__member_count(field, message) == 0) {
            continue;
        }
        if (field->type == PROTOBUF_C_TYPE_DOUBLE &&
            !isfinite(*(const double *)member)) {
            return refuse(print, RPCRT_INVALID_ARGUMENT, message,
                          "a number that JSON does not have");
        }
        return print_value(print, field, member, message, false, depth);
    }
    rpcrt__json_put_text(&print->writer, "null");
    return true;
}

/* What an Any holds, unpacked. */
static bool
print_content(struct print *print, const ProtobufCMessage *content,
              struct rpcrt__json_slice url, unsigned depth)
{
    struct rpcrt__json_type type;

    if (!rpcrt__json_type_get(&print->schema, content->descriptor, &type)) {
        return refuse(print, RPCRT_NOT_FOUND, content, "no such type");
    }
    rpcrt__json_put_open(&print->writer, "{");
    rpcrt__json_put_next(&print->writer);
    rpcrt__json_put_text(&print->writer, "\"@type\"");
    rpcrt__json_put_colon(&print->writer);
    if (!rpcrt__json_put_string(&print->writer, url.data, url.size)) {
        return refuse(print, RPCRT_INVALID_ARGUMENT, content,
                      "a type that is not UTF-8");
    }
    if (type.kind <= RPCRT__JSON_MAP_ENTRY || type.kind == RPCRT__JSON_EMPTY) {
        if (!print_fields(print, &type, content, depth + 1)) {
            return false;
        }
    } else {
        rpcrt__json_put_next(&print->writer);
        rpcrt__json_put_text(&print->writer, "\"value\"");
        rpcrt__json_put_colon(&print->writer);
        if (!print_message(print, content, depth + 1)) {
            return false;
        }
    }
    rpcrt__json_put_close(&print->writer, "}");
    return true;
}

static bool
print_any(struct print *print, const ProtobufCMessage *message, unsigned depth)
{
    const ProtobufCFieldDescriptor *fields = message->descriptor->fields;
    const void *text = rpcrt__member_at(&fields[0], message, 0);
    const ProtobufCBinaryData *bytes = rpcrt__member_at(&fields[1], message, 0);
    const char *string = *(const char *const *)text;
    struct rpcrt__json_slice url = {string != NULL ? string : "", 0};
    ProtobufCAllocator *allocator = print->writer.out.allocator;
    const ProtobufCMessageDescriptor *descriptor;
    ProtobufCMessage *content;
    bool done;

    url.size = strlen(url.data);
    if (url.size == 0 && bytes->len == 0) {
        rpcrt__json_put_text(&print->writer, "{}");
        return true;
    }
    descriptor = rpcrt__json_type_by_url(&print->schema, url);
    if (descriptor == NULL) {
        (void)rpcrt__error_set(&print->error, RPCRT_NOT_FOUND,
                               "google.protobuf.Any: no type \"%s\"", url.data);
        return false;
    }
    if (rpcrt__guard_check(descriptor, bytes->data, bytes->len,
                           &print->error) != RPCRT_OK) {
        return false;
    }
    content = protobuf_c_message_unpack(descriptor, allocator, bytes->len,
                                        bytes->data);
    if (content == NULL) {
        return refuse(print, RPCRT_RESOURCE_EXHAUSTED, message, "no memory");
    }
    done = print_content(print, content, url, depth);
    protobuf_c_message_free_unpacked(content, allocator);
    return done;
}

/* -- messages -------------------------------------------------------------- */

static bool
print_ordinary(struct print *print, struct rpcrt__json_type *type,
               const ProtobufCMessage *message, unsigned depth)
{
    rpcrt__json_put_open(&print->writer, "{");
    if (!print_fields(print, type, message, depth)) {
        return false;
    }
    rpcrt__json_put_close(&print->writer, "}");
    return true;
}

static bool
print_message(struct print *print, const ProtobufCMessage *message,
              unsigned depth)
{
    const ProtobufCFieldDescriptor *fields = message->descriptor->fields;
    struct rpcrt__json_type type;

    if (depth > RPCRT_MESSAGE_DEPTH_MAX) {
        return refuse(print, RPCRT_RESOURCE_EXHAUSTED, message,
                      "messages nested too deep");
    }
    if (print->writer.out.failed) {
        return refuse(print, RPCRT_RESOURCE_EXHAUSTED, message, "no memory");
    }
    if (!rpcrt__json_type_get(&print->schema, message->descriptor, &type)) {
        return refuse(print, RPCRT_NOT_FOUND, message,
                      "not in the tables of this .proto");
    }
    switch (type.kind) {
    case RPCRT__JSON_ANY:
        return print_any(print, message, depth);
    case RPCRT__JSON_TIMESTAMP:
    case RPCRT__JSON_DURATION:
        return print_time(print, type.kind, message);
    case RPCRT__JSON_FIELD_MASK:
        return print_field_mask(print, message);
    case RPCRT__JSON_STRUCT:
        return print_map(print, &fields[0], message, depth);
    case RPCRT__JSON_VALUE:
        return print_any_value(print, message, depth);
    case RPCRT__JSON_LIST_VALUE:
        return print_array(print, &fields[0], message, depth);
    case RPCRT__JSON_WRAPPER:
        return print_value(print, &fields[0],
                           rpcrt__member_at(&fields[0], message, 0), message,
                           false, depth);
    case RPCRT__JSON_ORDINARY:
    case RPCRT__JSON_MAP_ENTRY:
    case RPCRT__JSON_EMPTY:
    default:
        return print_ordinary(print, &type, message, depth);
    }
}

/* A message that is absent where there must be one: an empty one. */
static bool
print_missing(struct print *print, const ProtobufCMessageDescriptor *descriptor,
              unsigned depth)
{
    ProtobufCAllocator *allocator = print->writer.out.allocator;
    ProtobufCMessage *message =
        allocator->alloc(allocator->allocator_data, descriptor->sizeof_message);
    bool done;

    if (message == NULL) {
        print->writer.out.failed = true;
        return false;
    }
    rpcrt__member_init_all(descriptor, message);
    done = print_message(print, message, depth + 1);
    allocator->free(allocator->allocator_data, message);
    return done;
}

enum rpcrt_code
rpcrt_json_print(const ProtobufCMessage *message, const struct rpcrt_file *file,
                 const struct rpcrt_json_options *options, char **ret_text,
                 size_t *ret_size, struct rpcrt_json_error *ret_error)
{
    static const struct rpcrt_json_options defaults;
    struct print print = {.options = options != NULL ? options : &defaults};
    ProtobufCAllocator *allocator =
        rpcrt__json_allocator(print.options->allocator);
    bool done;

    rpcrt__json_buffer_init(&print.writer.out, allocator);
    rpcrt__json_buffer_init(&print.scratch, allocator);
    rpcrt__json_schema_init(&print.schema, file);
    print.writer.pretty = print.options->pretty;
    done = print_message(&print, message, 0);
    rpcrt__json_put(&print.writer, "", 1);
    if (print.writer.out.failed || print.scratch.failed) {
        done = refuse(&print, RPCRT_RESOURCE_EXHAUSTED, message, "no memory");
    }
    rpcrt__json_buffer_fini(&print.scratch);
    if (done) {
        *ret_text = (char *)print.writer.out.data;
        if (ret_size != NULL) {
            *ret_size = print.writer.out.size - 1;
        }
        return RPCRT_OK;
    }
    rpcrt__json_buffer_fini(&print.writer.out);
    if (ret_error != NULL) {
        memset(ret_error, 0, sizeof *ret_error);
        ret_error->code = print.error.code;
        memcpy(ret_error->text, print.error.text, sizeof ret_error->text);
    }
    return print.error.code;
}
