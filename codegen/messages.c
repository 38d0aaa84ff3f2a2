/*
 * Descriptors changed and serialized.
 */
#include "messages.h"

#include <string.h>

static struct bytes
serialize(struct pool *pool, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = pool_alloc(pool, size);

    return (struct bytes){data, protobuf_c_message_pack(message, data)};
}

/* Take indexes of imports that are gone out of a list, and shift the rest. */
static size_t
renumber(const struct file *file, int32_t *indexes, size_t n_indexes)
{
    size_t i, kept = 0;
    int32_t j, shift;

    for (i = 0; i < n_indexes; i++) {
        if (indexes[i] < 0 || (size_t)indexes[i] >= file->n_imports ||
            file->imports[indexes[i]].is_dropped) {
            continue;
        }
        shift = 0;
        for (j = 0; j < indexes[i]; j++) {
            shift += file->imports[j].is_dropped;
        }
        indexes[kept++] = indexes[i] - shift;
    }
    return kept;
}

static void
drop_imports(const struct file *file,
             Google__Protobuf__FileDescriptorProto *proto)
{
    size_t i, kept = 0;

    proto->n_public_dependency =
        renumber(file, proto->public_dependency, proto->n_public_dependency);
    proto->n_weak_dependency =
        renumber(file, proto->weak_dependency, proto->n_weak_dependency);
    for (i = 0; i < proto->n_dependency; i++) {
        if (!file->imports[i].is_dropped) {
            proto->dependency[kept++] = proto->dependency[i];
        }
    }
    proto->n_dependency = kept;
}

static size_t
drop_extensions(Google__Protobuf__FieldDescriptorProto **extensions,
                size_t n_extensions)
{
    size_t i, kept = 0;

    for (i = 0; i < n_extensions; i++) {
        if (!model_is_options_type(extensions[i]->extendee)) {
            extensions[kept++] = extensions[i];
        }
    }
    return kept;
}

static void
rewrite_message(Google__Protobuf__DescriptorProto *message)
{
    size_t i;

    for (i = 0; i < message->n_field; i++) {
        message->field[i]->has_proto3_optional = false;
        message->field[i]->proto3_optional = false;
    }
    message->n_extension =
        drop_extensions(message->extension, message->n_extension);
    for (i = 0; i < message->n_nested_type; i++) {
        rewrite_message(message->nested_type[i]);
    }
}

static void
rewrite_file(const struct file *file,
             Google__Protobuf__FileDescriptorProto *proto)
{
    size_t i;

    for (i = 0; i < proto->n_message_type; i++) {
        rewrite_message(proto->message_type[i]);
    }
    proto->n_service = 0;
    proto->n_extension = drop_extensions(proto->extension, proto->n_extension);
    drop_imports(file, proto);
}

struct bytes
messages_request(const struct model *model,
                 Google__Protobuf__Compiler__CodeGeneratorRequest *request)
{
    size_t i;

    request->parameter = NULL;
    for (i = 0; i < request->n_proto_file; i++) {
        rewrite_file(&model->files[i], request->proto_file[i]);
    }
    return serialize(model->pool, &request->base);
}

/* A copy of a list of 32-bit numbers. */
static int32_t *
copy_numbers(struct pool *pool, const int32_t *numbers, size_t n_numbers)
{
    int32_t *copy = pool_array(pool, n_numbers, sizeof *copy);

    if (n_numbers > 0) {
        memcpy(copy, numbers, n_numbers * sizeof *copy);
    }
    return copy;
}

/* Fields of a file whose entries are counted anew when imports are dropped. */
static bool
is_import(const Google__Protobuf__SourceCodeInfo__Location *location)
{
    return location->n_path > 0 &&
           (location->path[0] == 3 || location->path[0] == 10 ||
            location->path[0] == 11);
}

/* What documents a declaration, and where it stands; NULL: nothing does. */
static Google__Protobuf__SourceCodeInfo *
comments(struct pool *pool, const Google__Protobuf__SourceCodeInfo *info)
{
    Google__Protobuf__SourceCodeInfo *kept = pool_array(pool, 1, sizeof *kept);
    size_t i;

    google__protobuf__source_code_info__init(kept);
    kept->location = pool_array(pool, info->n_location, sizeof *kept->location);
    for (i = 0; i < info->n_location; i++) {
        const Google__Protobuf__SourceCodeInfo__Location *location =
            info->location[i];
        Google__Protobuf__SourceCodeInfo__Location *copy;

        if ((location->leading_comments != NULL ||
             location->trailing_comments != NULL) &&
            !is_import(location)) {
            copy = pool_array(pool, 1, sizeof *copy);
            *copy = *location;
            copy->n_leading_detached_comments = 0;
            kept->location[kept->n_location++] = copy;
        }
    }
    return kept->n_location > 0 ? kept : NULL;
}

struct bytes
messages_descriptor(struct pool *pool, const struct file *file,
                    bool with_comments)
{
    Google__Protobuf__FileDescriptorProto proto = *file->proto;
    size_t i;

    if (proto.source_code_info != NULL) {
        proto.source_code_info =
            with_comments ? comments(pool, proto.source_code_info) : NULL;
    }
    /* Extensions of options are part of the descriptor: what they extend must
     * remain imported. */
    if (!file->extends_options) {
        proto.dependency =
            pool_array(pool, proto.n_dependency, sizeof *proto.dependency);
        for (i = 0; i < proto.n_dependency; i++) {
            proto.dependency[i] = file->proto->dependency[i];
        }
        proto.public_dependency = copy_numbers(pool, proto.public_dependency,
                                               proto.n_public_dependency);
        proto.weak_dependency =
            copy_numbers(pool, proto.weak_dependency, proto.n_weak_dependency);
        drop_imports(file, &proto);
    }
    return serialize(pool, &proto.base);
}
