/*
 * Requests that protoc would not send, or that no .proto can express.
 */
#include "generate.h"

#include <criterion/criterion.h>
#include <google/protobuf/compiler/plugin.pb-c.h>
#include <stdlib.h>
#include <string.h>

static struct pool *pool;

/* One file in.proto with one message M, to be changed by the test. */
static Google__Protobuf__DescriptorProto message;
static Google__Protobuf__DescriptorProto *messages[] = {&message};
static Google__Protobuf__FileDescriptorProto file;
static Google__Protobuf__FileDescriptorProto *files[] = {&file};
static Google__Protobuf__Compiler__CodeGeneratorRequest request;
static char file_name[] = "in.proto";
static char message_name[] = "M";
static char proto3[] = "proto3";
static char *wanted[] = {file_name};

static void
set_up(void)
{
    pool = pool_new();
    google__protobuf__descriptor_proto__init(&message);
    message.name = message_name;
    google__protobuf__file_descriptor_proto__init(&file);
    file.name = file_name;
    file.syntax = proto3;
    file.message_type = messages;
    file.n_message_type = 1;
    google__protobuf__compiler__code_generator_request__init(&request);
    request.proto_file = files;
    request.n_proto_file = 1;
    request.file_to_generate = wanted;
    request.n_file_to_generate = 1;
}

static void
tear_down(void)
{
    pool_free(pool);
}

TestSuite(request, .init = set_up, .fini = tear_down, .timeout = 30);

static struct output
run(void)
{
    size_t size = protobuf_c_message_get_packed_size(&request.base);
    uint8_t *data = pool_alloc(pool, size);
    struct output output;

    protobuf_c_message_pack(&request.base, data);
    cr_assert(generate(pool, (struct bytes){data, size}, &output));
    return output;
}

static void
expect_error(const char *expected)
{
    struct output output = run();

    cr_assert_not_null(output.error);
    cr_expect_str_eq(output.error, expected);
    cr_expect_eq(output.n_files, 0);
    cr_expect_eq(output.messages_request.size, 0);
}

Test(request, gets_six_files_and_leaves_messages_to_protoc_gen_c)
{
    struct output output = run();

    cr_expect_null(output.error);
    cr_expect_eq(output.n_files, 6);
    cr_expect_gt(output.messages_request.size, 0);
    cr_expect_str_eq(output.protoc_gen_c, "protoc-gen-c");
}

Test(request, may_be_empty)
{
    struct output output;
    struct bytes response;

    cr_assert(generate(pool, (struct bytes){NULL, 0}, &output));
    cr_expect_null(output.error);
    cr_expect_eq(output.n_files, 0);
    cr_expect_eq(output.messages_request.size, 0);
    response = output_serialize(&output);
    /* supported_features: proto3 optional */
    cr_expect_eq(response.size, 2);
    cr_expect_arr_eq(response.data, "\x10\x01", 2);
}

Test(request, of_other_bytes_is_refused)
{
    struct output output;

    cr_expect_not(
        generate(pool, (struct bytes){(const uint8_t *)"hello", 5}, &output));
    cr_expect_not(generate(
        pool, (struct bytes){(const uint8_t *)"\x0a\xff\xff\xff\x0f", 5},
        &output));
}

Test(request, nested_without_end_is_refused_and_crashes_nothing)
{
    /* a chain of nested messages, from the innermost outwards, in a file */
    size_t size = 0, capacity = 8u << 20, i;
    uint8_t *data = malloc(capacity);
    struct output output;

    cr_assert_not_null(data);
    for (i = 0; i < 200000; i++) {
        size_t prefix = 0, rest = size;
        uint8_t head[12];

        head[prefix++] = i + 1 < 200000 ? 0x1a : 0x22; /* nested; message */
        for (; rest >= 0x80; rest >>= 7) {
            head[prefix++] = (uint8_t)(rest | 0x80);
        }
        head[prefix++] = (uint8_t)rest;
        cr_assert_leq(size + prefix, capacity);
        size += prefix;
        memcpy(data + capacity - size, head, prefix);
    }
    cr_assert_leq(size + 12, capacity);
    {
        size_t prefix = 0, rest = size;
        uint8_t head[12];

        head[prefix++] = 0x7a; /* proto_file */
        for (; rest >= 0x80; rest >>= 7) {
            head[prefix++] = (uint8_t)(rest | 0x80);
        }
        head[prefix++] = (uint8_t)rest;
        size += prefix;
        memcpy(data + capacity - size, head, prefix);
    }
    cr_expect_not(
        generate(pool, (struct bytes){data + capacity - size, size}, &output));
    free(data);
}

Test(request, for_editions_is_refused)
{
    static char editions[] = "editions";

    file.syntax = editions;
    expect_error("in.proto:1:1: in.proto: syntax 'editions' is not supported; "
                 "proto2 and proto3 are");
}

Test(request, for_a_file_that_is_not_there_is_refused)
{
    static char other[] = "other.proto";

    wanted[0] = other;
    expect_error("'other.proto' is not in the request");
}

Test(request, with_unknown_parameters_is_refused_naming_each)
{
    static char parameters[] = "a=1,protoc_gen_c=/x/y,,b,protoc_gen_c=";

    request.parameter = parameters;
    expect_error("unknown parameter 'a=1'; there are only "
                 "comments and protoc_gen_c=PATH\n"
                 "unknown parameter 'b'; there are only "
                 "comments and protoc_gen_c=PATH\n"
                 "unknown parameter 'protoc_gen_c='; there are only "
                 "comments and protoc_gen_c=PATH");
}

Test(request, may_name_the_protoc_gen_c_to_run)
{
    static char parameters[] = "protoc_gen_c=/x/y";
    struct output output;

    request.parameter = parameters;
    output = run();
    cr_expect_null(output.error);
    cr_expect_str_eq(output.protoc_gen_c, "/x/y");
}

Test(request, with_a_file_name_that_breaks_source_is_refused)
{
    static char name[] = "a\"b\n.proto";

    file.name = name;
    wanted[0] = name;
    expect_error("a\"b?.proto:1:1: a\"b?.proto: the file's name can't stand in "
                 "C source");
}

Test(request, without_any_names_is_refused)
{
    Google__Protobuf__FieldDescriptorProto field =
        GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__INIT;
    Google__Protobuf__FieldDescriptorProto *fields[] = {&field};
    Google__Protobuf__MethodDescriptorProto method =
        GOOGLE__PROTOBUF__METHOD_DESCRIPTOR_PROTO__INIT;
    Google__Protobuf__MethodDescriptorProto *methods[] = {&method};
    Google__Protobuf__ServiceDescriptorProto service =
        GOOGLE__PROTOBUF__SERVICE_DESCRIPTOR_PROTO__INIT;
    Google__Protobuf__ServiceDescriptorProto *services[] = {&service};
    struct output output;

    message.name = NULL;
    message.field = fields;
    message.n_field = 1;
    service.method = methods;
    service.n_method = 1;
    file.service = services;
    file.n_service = 1;
    output = run();
    cr_assert_not_null(output.error);
    cr_expect(strstr(output.error, "is malformed"), "%s", output.error);
    cr_expect(strstr(output.error, "unknown type"), "%s", output.error);
}

Test(request, with_imports_in_circles_ends)
{
    Google__Protobuf__FileDescriptorProto other =
        GOOGLE__PROTOBUF__FILE_DESCRIPTOR_PROTO__INIT;
    /* whose use is looked into, through public imports */
    static char other_name[] = "google/protobuf/descriptor.proto";
    char *file_imports[] = {other_name};
    char *other_imports[] = {file_name};
    int32_t is_public[] = {0};
    Google__Protobuf__FileDescriptorProto *both[] = {&other, &file};

    other.name = other_name;
    other.syntax = proto3;
    other.dependency = other_imports;
    other.public_dependency = is_public;
    file.dependency = file_imports;
    file.public_dependency = is_public;
    file.n_dependency = other.n_dependency = 1;
    file.n_public_dependency = other.n_public_dependency = 1;
    request.proto_file = both;
    request.n_proto_file = 2;
    cr_expect_null(run().error);
}

Test(request, of_protoc_gen_c_s_error_passes_it_on)
{
    Google__Protobuf__Compiler__CodeGeneratorResponse response =
        GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__INIT;
    static char error[] = "no such thing";
    struct output output;
    uint8_t data[64];
    size_t size;

    response.error = error;
    size = protobuf_c_message_pack(&response.base, data);
    output_init(&output, pool);
    cr_assert(output_add_messages(&output, (struct bytes){data, size}));
    cr_assert_not_null(output.error);
    cr_expect_str_eq(output.error, "protoc-gen-c: no such thing");
    cr_expect_not(output_add_messages(
        &output, (struct bytes){(const uint8_t *)"hello", 5}));
}
