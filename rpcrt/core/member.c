/*
 * protobuf-c's rules of presence are its own: proto3's scalars have none,
 * proto2's optional ones have a flag, and of strings the pointer tells.
 */
#include "core/member.h"

#include <rpcrt/gen.h>
#include <string.h>

/* Imports of imports that are looked into. */
#define IMPORT_DEPTH_MAX 64

/* Bytes from one element of a repeated field to the next. */
static size_t
element_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
        return sizeof(char *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(ProtobufCMessage *);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
    default:
        return 4;
    }
}

/* Whether a field of proto3 that tells no presence has its default. */
static bool
is_default(const ProtobufCFieldDescriptor *field, const void *member)
{
    const char *string;

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        string = *(const char *const *)member;
        return string == NULL || *string == '\0';
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)member)->len == 0;
    case PROTOBUF_C_TYPE_FLOAT:
        return *(const float *)member == 0.0F;
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *)member == 0.0;
    default:
        if (element_size(field->type) == 8) {
            return *(const uint64_t *)member == 0;
        }
        return *(const uint32_t *)member == 0;
    }
}

size_t
rpcrt__member_count(const ProtobufCFieldDescriptor *field,
                    const ProtobufCMessage *message)
{
    const void *member = (const char *)message + field->offset;
    const void *quantifier = (const char *)message + field->quantifier_offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return *(const size_t *)quantifier;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
        *(const uint32_t *)quantifier != field->id) {
        return 0;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return *(const void *const *)member != NULL;
    }
    if (field->label == PROTOBUF_C_LABEL_REQUIRED ||
        (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        return 1;
    }
    if (field->label == PROTOBUF_C_LABEL_NONE) {
        return !is_default(field, member);
    }
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const void *string = *(const char *const *)member;

        return string != NULL && string != field->default_value;
    }
    return *(const protobuf_c_boolean *)quantifier != 0;
}

const void *
rpcrt__member_at(const ProtobufCFieldDescriptor *field,
                 const ProtobufCMessage *message, size_t i)
{
    const char *member = (const char *)message + field->offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        const void *array = member;

        member = *(const char *const *)array;
    }
    return member + i * element_size(field->type);
}

void
rpcrt__member_init_all(const ProtobufCMessageDescriptor *descriptor,
                       ProtobufCMessage *message)
{
    unsigned i;

    if (descriptor->message_init != NULL) {
        protobuf_c_message_init(descriptor, message);
        return;
    }
    memset(message, 0, descriptor->sizeof_message);
    message->descriptor = descriptor;
    for (i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        char *member = (char *)message + field->offset;

        if (field->default_value == NULL) {
            continue;
        }
        if (field->type == PROTOBUF_C_TYPE_STRING) {
            memcpy(member, &field->default_value, sizeof field->default_value);
        } else {
            memcpy(member, field->default_value, element_size(field->type));
        }
    }
}

static bool
file_redacts(const struct rpcrt_file *file,
             const ProtobufCMessageDescriptor *message, uint32_t number,
             unsigned depth)
{
    size_t i;

    if (depth == IMPORT_DEPTH_MAX) {
        return true;
    }
    for (i = 0; i < file->n_sensitive; i++) {
        const struct rpcrt_sensitive_field *field = &file->sensitive[i];

        /* Two libraries may each have a copy of the descriptor. */
        if (field->number == number &&
            (field->message == message ||
             strcmp(field->message->name, message->name) == 0)) {
            return true;
        }
    }
    for (i = 0; i < file->n_imports; i++) {
        if (file_redacts(file->imports[i], message, number, depth + 1)) {
            return true;
        }
    }
    return false;
}

bool
rpcrt__member_is_sensitive(const struct rpcrt_file *file,
                           const ProtobufCMessageDescriptor *message,
                           uint32_t number)
{
    return file_redacts(file, message, number, 0);
}
