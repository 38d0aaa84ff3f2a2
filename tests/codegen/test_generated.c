/*
 * Generated code at work: optional fields and tables.
 */
#include "codegen/optional.rpc.h"
#include "codegen/optional.server.h"

#include <criterion/criterion.h>
#include <google/protobuf/descriptor.pb-c.h>
#include <stdlib.h>
#include <string.h>

/* Pack and unpack a message. */
static Codegen__V1__Fields *
send_through(const Codegen__V1__Fields *fields)
{
    size_t size = codegen__v1__fields__get_packed_size(fields);
    uint8_t *data = malloc(size + 1);
    Codegen__V1__Fields *copy;

    cr_assert_not_null(data);
    codegen__v1__fields__pack(fields, data);
    copy = codegen__v1__fields__unpack(NULL, size, data);
    free(data);
    cr_assert_not_null(copy);
    return copy;
}

Test(generated, optional_fields_are_absent_at_first)
{
    Codegen__V1__Fields fields = CODEGEN__V1__FIELDS__INIT;
    Codegen__V1__Fields *copy = send_through(&fields);

    cr_expect_not(codegen__v1__fields__has_number(&fields));
    cr_expect_eq(codegen__v1__fields__get_packed_size(&fields), 0);
    cr_expect_not(codegen__v1__fields__has_number(copy));
    cr_expect_not(codegen__v1__fields__has_text(copy));
    cr_expect_not(codegen__v1__fields__has_inner(copy));
    codegen__v1__fields__free_unpacked(copy, NULL);
}

Test(generated, optional_fields_carry_their_default_value_when_set)
{
    Codegen__V1__Fields fields = CODEGEN__V1__FIELDS__INIT;
    Codegen__V1__Fields inner = CODEGEN__V1__FIELDS__INIT;
    Codegen__V1__Fields *copy;
    char text[] = "";

    codegen__v1__fields__set_number(&fields, 0);
    codegen__v1__fields__set_text(&fields, text);
    codegen__v1__fields__set_data(&fields, (ProtobufCBinaryData){0, NULL});
    codegen__v1__fields__set_inner(&fields, &inner);
    copy = send_through(&fields);
    cr_expect(codegen__v1__fields__has_number(copy));
    cr_expect_eq(copy->number, 0);
    cr_expect(codegen__v1__fields__has_text(copy));
    cr_expect_str_eq(copy->text, "");
    cr_expect(codegen__v1__fields__has_data(copy));
    cr_expect(codegen__v1__fields__has_inner(copy));
    cr_expect_not(codegen__v1__fields__has_number(copy->inner));
    codegen__v1__fields__free_unpacked(copy, NULL);
}

Test(generated, optional_fields_are_absent_once_cleared)
{
    Codegen__V1__Fields fields = CODEGEN__V1__FIELDS__INIT;
    Codegen__V1__Fields *copy;

    codegen__v1__fields__set_number(&fields, 7);
    cr_expect(codegen__v1__fields__has_number(&fields));
    codegen__v1__fields__clear_number(&fields);
    copy = send_through(&fields);
    cr_expect_not(codegen__v1__fields__has_number(copy));
    codegen__v1__fields__free_unpacked(copy, NULL);
}

Test(generated, methods_have_paths_types_and_flags)
{
    const struct rpcrt_method *methods = optional_rpc.methods;

    cr_assert_str_eq(optional_rpc.name, "codegen.v1.Optional");
    cr_assert_eq(optional_rpc.n_methods, 6);
    cr_expect_eq(optional_rpc.file, &codegen_optional_proto);
    cr_expect_str_eq(methods[OPTIONAL_METHOD_PLAIN].path,
                     "/codegen.v1.Optional/Plain");
    cr_expect_eq(methods[OPTIONAL_METHOD_PLAIN].request,
                 &codegen__v1__fields__descriptor);
    cr_expect_eq(methods[OPTIONAL_METHOD_PLAIN].flags, 0);
    cr_expect_eq(methods[OPTIONAL_METHOD_READ].flags,
                 RPCRT_METHOD_NO_SIDE_EFFECTS | RPCRT_METHOD_IDEMPOTENT);
    cr_expect_eq(methods[OPTIONAL_METHOD_DELETE].flags,
                 RPCRT_METHOD_NONBLOCKING | RPCRT_METHOD_IDEMPOTENT);
    cr_expect_eq(methods[OPTIONAL_METHOD_PAY].flags, RPCRT_METHOD_ONCE);
    cr_expect_eq(methods[OPTIONAL_METHOD_WATCH].flags,
                 RPCRT_METHOD_IDEMPOTENT | RPCRT_METHOD_SERVER_STREAMING);
    cr_expect_eq(methods[OPTIONAL_METHOD_TALK].flags,
                 RPCRT_METHOD_CLIENT_STREAMING | RPCRT_METHOD_SERVER_STREAMING);
}

Test(generated, methods_have_the_retry_policy_of_their_file)
{
    const struct rpcrt_method *methods = optional_rpc.methods;
    const struct rpcrt_retry_policy *retry = methods[OPTIONAL_METHOD_PAY].retry;

    cr_expect_null(methods[OPTIONAL_METHOD_READ].retry);
    cr_assert_not_null(retry);
    cr_expect_eq(retry->attempts_max, 4);
    cr_expect_eq(retry->backoff_ms_min, 10);
    cr_expect_eq(retry->backoff_ms_max, 200);
    cr_expect_float_eq(retry->backoff_factor, 1.5, 0);
    cr_expect_eq(retry->codes, 1u << RPCRT_UNAVAILABLE | 1u << RPCRT_ABORTED);
    cr_expect_eq(retry->hedging_ms, 0);
}

Test(generated, sensitive_fields_are_listed)
{
    cr_assert_eq(codegen_optional_proto.n_sensitive, 2);
    cr_expect_eq(codegen_optional_proto.sensitive[0].message,
                 &codegen__v1__fields__descriptor);
    cr_expect_eq(codegen_optional_proto.sensitive[0].number, 2);
    cr_expect_eq(codegen_optional_proto.sensitive[1].number, 6);
}

Test(generated, the_descriptor_is_the_file_without_what_only_protoc_needs)
{
    const struct rpcrt_file *file = &codegen_optional_proto;
    Google__Protobuf__FileDescriptorProto *proto =
        google__protobuf__file_descriptor_proto__unpack(
            NULL, file->descriptor_size, file->descriptor);

    cr_assert_not_null(proto);
    cr_expect_str_eq(file->name, "codegen/optional.proto");
    cr_expect_str_eq(proto->name, "codegen/optional.proto");
    cr_expect_eq(file->n_imports, 0);
    cr_expect_eq(proto->n_dependency, 0);
    cr_expect_null(proto->source_code_info);
    cr_expect_eq(proto->n_service, 1);
    cr_expect(proto->message_type[0]->field[0]->proto3_optional);
    cr_expect_str_eq(proto->message_type[0]->field[0]->json_name, "number");
    google__protobuf__file_descriptor_proto__free_unpacked(proto, NULL);
}
