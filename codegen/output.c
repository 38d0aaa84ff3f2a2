/*
 * Files are kept as texts and become messages at the end.
 */
#include "output.h"

#include <google/protobuf/compiler/plugin.pb-c.h>
#include <string.h>

void
output_init(struct output *output, struct pool *pool)
{
    memset(output, 0, sizeof *output);
    output->pool = pool;
    output->protoc_gen_c = "protoc-gen-c";
}

void
output_add(struct output *output, const char *name, const char *content)
{
    if (output->n_files == output->capacity) {
        size_t capacity = 2 * output->capacity + 16;
        struct output_file *grown =
            pool_array(output->pool, capacity, sizeof *grown);

        if (output->n_files > 0) {
            memcpy(grown, output->files, output->n_files * sizeof *grown);
        }
        output->files = grown;
        output->capacity = capacity;
    }
    output->files[output->n_files++] = (struct output_file){name, content};
}

bool
output_add_messages(struct output *output, struct bytes response)
{
    Google__Protobuf__Compiler__CodeGeneratorResponse *decoded =
        (void *)wire_unpack(
            output->pool,
            &google__protobuf__compiler__code_generator_response__descriptor,
            response);
    size_t i;

    if (decoded == NULL) {
        return false;
    }
    if (decoded->error != NULL && decoded->error[0] != '\0') {
        output->error = pool_format(output->pool, "%s: %s",
                                    output->protoc_gen_c, decoded->error);
    }
    for (i = 0; i < decoded->n_file; i++) {
        const char *name = decoded->file[i]->name;
        const char *content = decoded->file[i]->content;

        if (name == NULL || content == NULL) {
            return false;
        }
        output_add(output, name, content);
    }
    return true;
}

struct bytes
output_serialize(const struct output *output)
{
    Google__Protobuf__Compiler__CodeGeneratorResponse response =
        GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__INIT;
    struct pool *pool = output->pool;
    uint8_t *data;
    size_t size, i;

    response.has_supported_features = true;
    response.supported_features =
        GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__FEATURE__FEATURE_PROTO3_OPTIONAL;
    if (output->error != NULL) {
        response.error = pool_copy(pool, output->error, strlen(output->error));
    } else {
        response.n_file = output->n_files;
        response.file =
            pool_array(pool, output->n_files, sizeof(struct output_file *));
    }
    for (i = 0; i < response.n_file; i++) {
        const struct output_file *from = &output->files[i];
        Google__Protobuf__Compiler__CodeGeneratorResponse__File *file =
            pool_alloc(pool, sizeof *file);

        google__protobuf__compiler__code_generator_response__file__init(file);
        file->name = pool_copy(pool, from->name, strlen(from->name));
        file->content = pool_copy(pool, from->content, strlen(from->content));
        response.file[i] = file;
    }
    size = protobuf_c_message_get_packed_size(&response.base);
    data = pool_alloc(pool, size);
    protobuf_c_message_pack(&response.base, data);
    return (struct bytes){data, size};
}
