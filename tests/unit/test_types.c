/*
 * Types made at run time do what the generated ones of the same .proto do, on
 * random messages; and descriptors that make no sense are refused with a text
 * that says where.
 */
#include <rpcrt/json.h>
#include <rpcrt/rpcrt.h>
#include <rpcrt/types.h>

#include "kv/v1/kv.rpc.h"
#include "payment/v1/payment.rpc.h"
#include "petstore/v1/petstore.rpc.h"
#include "support/faulty_alloc.h"
#include "support/json.rpc.h"
#include "support/probe.rpc.h"
#include "support/sample.rpc.h"
#include "support/sample2.rpc.h"
#include "wire/guard.h"

#include <criterion/criterion.h>
#include <rpcrt/gen.h>
#include <stdlib.h>
#include <string.h>

static const struct rpcrt_file *const generated[] = {
    &support_json_proto,
    &support_sample_proto,
    &support_sample2_proto,
    &support_probe_proto,
    &kv_v1_kv_proto,
    &payment_v1_payment_proto,
    &petstore_v1_petstore_proto};
#define N_GENERATED (sizeof generated / sizeof generated[0])

/* Importers first, so that imports come late. */
static void
add_with_imports(struct rpcrt_types *types, const struct rpcrt_file *file)
{
    size_t i;

    cr_assert_eq(
        rpcrt_types_add(types, file->descriptor, file->descriptor_size),
        RPCRT_OK, "%s", rpcrt_last_error());
    for (i = 0; i < file->n_imports; i++) {
        add_with_imports(types, file->imports[i]);
    }
}

static struct rpcrt_types *
types_of(const struct rpcrt_file *file)
{
    struct rpcrt_types *types = NULL;

    cr_assert_eq(rpcrt_types_new(&types), RPCRT_OK);
    add_with_imports(types, file);
    cr_assert_eq(rpcrt_types_link(types), RPCRT_OK, "%s", rpcrt_last_error());
    return types;
}

/* -- random messages ------------------------------------------------------- */

static uint64_t state = 1;

static uint64_t
random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

#define OUT_SIZE ((size_t)1 << 16)

struct out {
    uint8_t bytes[OUT_SIZE];
    size_t size;
};

static void
put_varint(struct out *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        out->bytes[out->size++] = (uint8_t)(value | 0x80);
    }
    out->bytes[out->size++] = (uint8_t)value;
}

static void put_message(struct out *out,
                        const ProtobufCMessageDescriptor *descriptor,
                        unsigned depth);

static void
put_value(struct out *out, const ProtobufCFieldDescriptor *field,
          unsigned depth)
{
    static const char *const texts[] = {"", "a", "z\xc3\xa4hlen", "x y"};
    static const uint64_t numbers[] = {0, 1, 5, 300, UINT64_MAX, INT64_MAX};
    uint64_t number = numbers[random_number() % 6];
    const char *text = texts[random_number() % 4];
    struct out *inner;
    size_t size = 8;

    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        size = 4;
        /* fall through */
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        put_varint(out, (uint64_t)field->id << 3 | (size == 4 ? 5 : 1));
        memset(out->bytes + out->size, (int)(number & 0x3f), size);
        out->size += size;
        return;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        put_varint(out, (uint64_t)field->id << 3 | 2);
        put_varint(out, strlen(text));
        memcpy(out->bytes + out->size, text, strlen(text));
        out->size += strlen(text);
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        inner = malloc(sizeof *inner);
        inner->size = 0;
        put_message(inner, field->descriptor, depth + 1);
        put_varint(out, (uint64_t)field->id << 3 | 2);
        put_varint(out, inner->size);
        memcpy(out->bytes + out->size, inner->bytes, inner->size);
        out->size += inner->size;
        free(inner);
        return;
    default:
        put_varint(out, (uint64_t)field->id << 3);
        put_varint(out, number);
    }
}

static void
put_message(struct out *out, const ProtobufCMessageDescriptor *descriptor,
            unsigned depth)
{
    unsigned i;

    for (i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        uint64_t n = random_number() % 4;

        n = field->label == PROTOBUF_C_LABEL_REQUIRED   ? n > 0
            : field->label == PROTOBUF_C_LABEL_REPEATED ? n
                                                        : n > 1;
        if (depth > 3 && field->type == PROTOBUF_C_TYPE_MESSAGE) {
            n = 0;
        }
        for (; n > 0 && out->size < OUT_SIZE / 16; n--) {
            put_value(out, field, depth);
        }
    }
}

/* -- comparing ------------------------------------------------------------- */

static void
compare_json(const ProtobufCMessage *expected, const struct rpcrt_file *file,
             const ProtobufCMessage *actual, const struct rpcrt_file *made)
{
    struct rpcrt_json_options options = {.emit_defaults =
                                             random_number() % 2 == 0};
    struct rpcrt_json_error error;
    struct rpcrt_json_error made_error;
    ProtobufCMessage *parsed = NULL;
    char *text = NULL;
    char *made_text = NULL;
    enum rpcrt_code code =
        rpcrt_json_print(expected, file, &options, &text, NULL, &error);

    cr_assert_eq(
        rpcrt_json_print(actual, made, &options, &made_text, NULL, &made_error),
        code);
    if (code != RPCRT_OK) {
        cr_assert_str_eq(error.text, made_error.text);
        return;
    }
    cr_assert_str_eq(made_text, text);
    code = rpcrt_json_parse(text, strlen(text), actual->descriptor, made, NULL,
                            &parsed, &made_error);
    if (code == RPCRT_OK) {
        protobuf_c_message_free_unpacked(parsed, NULL);
    } else {
        cr_assert_eq(rpcrt_json_parse(text, strlen(text), expected->descriptor,
                                      file, NULL, &parsed, &error),
                     code);
        cr_assert_str_eq(made_error.text, error.text);
    }
    free(text);
    free(made_text);
}

/* Whether the message could be read; by both or by none. */
static bool
compare_message(const ProtobufCMessageDescriptor *expected,
                const struct rpcrt_file *file,
                const ProtobufCMessageDescriptor *actual,
                const struct rpcrt_file *made, const struct out *in)
{
    struct rpcrt__error error;
    struct rpcrt__error made_error;
    enum rpcrt_code code =
        rpcrt__guard_check(expected, in->bytes, in->size, &error);
    ProtobufCMessage *message;
    ProtobufCMessage *made_message;
    uint8_t *packed;
    uint8_t *made_packed;
    size_t size;

    cr_assert_eq(rpcrt__guard_check(actual, in->bytes, in->size, &made_error),
                 code);
    if (code != RPCRT_OK) {
        cr_assert_str_eq(made_error.text, error.text);
        return false;
    }
    message = protobuf_c_message_unpack(expected, NULL, in->size, in->bytes);
    made_message = protobuf_c_message_unpack(actual, NULL, in->size, in->bytes);
    cr_assert_not_null(message);
    cr_assert_not_null(made_message);
    size = protobuf_c_message_get_packed_size(message);
    cr_assert_eq(protobuf_c_message_get_packed_size(made_message), size);
    packed = malloc(size + 1);
    made_packed = malloc(size + 1);
    cr_assert_eq(protobuf_c_message_pack(message, packed), size);
    cr_assert_eq(protobuf_c_message_pack(made_message, made_packed), size);
    cr_assert(memcmp(made_packed, packed, size) == 0, "%s", expected->name);
    compare_json(message, file, made_message, made);
    protobuf_c_message_free_unpacked(message, NULL);
    protobuf_c_message_free_unpacked(made_message, NULL);
    free(packed);
    free(made_packed);
    return true;
}

Test(types, do_what_generated_ones_do, .timeout = 120)
{
    struct out *out = malloc(sizeof *out);
    size_t n_read = 0;
    size_t i;
    size_t j;
    unsigned k;

    for (i = 0; i < N_GENERATED; i++) {
        const struct rpcrt_file *file = generated[i];
        struct rpcrt_types *types = types_of(file);
        const struct rpcrt_file *made = rpcrt_types_file(types, file->name);

        cr_assert_eq(made->n_messages, file->n_messages);
        for (j = 0; j < file->n_messages; j++) {
            const ProtobufCMessageDescriptor *expected = file->messages[j];
            const ProtobufCMessageDescriptor *actual =
                rpcrt_types_message(types, expected->name);

            cr_assert_not_null(actual, "%s", expected->name);
            for (k = 0; k < 60; k++) {
                out->size = 0;
                put_message(out, expected, 0);
                n_read +=
                    compare_message(expected, file, actual, made, out) ? 1 : 0;
            }
        }
        rpcrt_types_free(types);
    }
    cr_assert_gt(n_read, 1000);
    free(out);
}

Test(types, services_have_the_paths_and_flags_of_generated_ones)
{
    struct rpcrt_types *types = types_of(&kv_v1_kv_proto);
    const struct rpcrt_service *made = rpcrt_types_service(types, kv_rpc.name);
    size_t i;

    cr_assert_not_null(made);
    cr_assert_eq(made->n_methods, kv_rpc.n_methods);
    for (i = 0; i < made->n_methods; i++) {
        const struct rpcrt_method *method = &kv_rpc.methods[i];
        const char *name = strrchr(method->path, '/') + 1;
        const struct rpcrt_file *file = NULL;

        cr_assert_eq(rpcrt_types_method(types, made->name, name, &file),
                     &made->methods[i]);
        cr_assert_str_eq(made->methods[i].path, method->path);
        cr_assert_str_eq(made->methods[i].request->name, method->request->name);
        cr_assert_str_eq(made->methods[i].reply->name, method->reply->name);
        cr_assert_eq(made->methods[i].flags,
                     method->flags & ~(unsigned)RPCRT_METHOD_NONBLOCKING);
        cr_assert_str_eq(file->name, kv_v1_kv_proto.name);
    }
    rpcrt_types_free(types);
}

/* -- descriptors by hand --------------------------------------------------- */

static void
add_bytes(struct out *out, unsigned number, const void *data, size_t size)
{
    put_varint(out, (uint64_t)number << 3 | 2);
    put_varint(out, size);
    memcpy(out->bytes + out->size, data, size);
    out->size += size;
}

static void
add_text(struct out *out, unsigned number, const char *text)
{
    if (text != NULL) {
        add_bytes(out, number, text, strlen(text));
    }
}

static void
add_number(struct out *out, unsigned number, uint64_t value)
{
    put_varint(out, (uint64_t)number << 3);
    put_varint(out, value);
}

static void
add_inner(struct out *out, unsigned number, const struct out *inner)
{
    add_bytes(out, number, inner->bytes, inner->size);
}

/* One field, of message M beside enum E with A = 0 and B = -2, in a.proto. */
struct field_case {
    const char *name;
    uint64_t number;
    uint64_t label;
    uint64_t type;
    const char *type_name;
    const char *default_text;
    uint64_t oneof; /* index + 1 */
    const char *syntax;
    enum rpcrt_code code;
    const char *text; /* part of the error */
};

static void
build(const struct field_case *c, unsigned n_fields, struct out *file)
{
    static struct out field;
    static struct out message;
    static struct out value;
    static struct out type;

    file->size = message.size = type.size = 0;
    add_text(&message, 1, "M");
    for (; n_fields > 0; n_fields--, c++) {
        field.size = 0;
        add_text(&field, 1, c->name);
        add_number(&field, 3, c->number);
        add_number(&field, 4, c->label);
        add_number(&field, 5, c->type);
        add_text(&field, 6, c->type_name);
        add_text(&field, 7, c->default_text);
        if (c->oneof > 0) {
            add_number(&field, 9, c->oneof - 1);
        }
        add_inner(&message, 2, &field);
    }
    add_text(&message, 8, "");
    add_text(&type, 1, "E");
    value.size = 0;
    add_text(&value, 1, "A");
    add_number(&value, 2, 0);
    add_inner(&type, 2, &value);
    value.size = 0;
    add_text(&value, 1, "B");
    add_number(&value, 2, (uint64_t)-2);
    add_inner(&type, 2, &value);
    add_text(file, 1, "a.proto");
    add_text(file, 2, "p.q");
    add_inner(file, 4, &message);
    add_inner(file, 5, &type);
    add_text(file, 12, c[-1].syntax);
}

Test(types, a_field_that_makes_no_sense_is_named)
{
    static const struct field_case cases[] = {
        {"x", 0, 1, 5, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "a.proto: p.q.M.x: a number"},
        {"x", 536870912, 1, 5, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "M.x: a number"},
        {"x", UINT64_MAX, 1, 5, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "M.x: a number"},
        {"x", 1, 4, 5, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "neither optional"},
        {"x", 1, 2, 5, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "neither optional"},
        {"x", 1, 1, 0, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "of no known type"},
        {"x", 1, 1, 19, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "of no known type"},
        {"x", 1, 1, 10, ".p.q.M", NULL, 0, NULL, RPCRT_UNIMPLEMENTED,
         "groups are not supported"},
        {"x", 1, 1, 11, ".p.q.N", NULL, 0, "proto3", RPCRT_NOT_FOUND,
         "a.proto: p.q.M.x: there is no type p.q.N"},
        {"x", 1, 1, 11, "M", NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "not given in full"},
        {"x", 1, 1, 11, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "not given in full"},
        {"x", 1, 1, 11, ".p.q.E", NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "an enum for a message"},
        {"x", 1, 1, 14, ".p.q.M", NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "an enum for a message"},
        {"x", 1, 1, 5, NULL, NULL, 2, "proto3", RPCRT_OK, NULL},
        {"x", 1, 1, 5, NULL, NULL, 3, "proto3", RPCRT_INVALID_ARGUMENT,
         "in a oneof that can't have it"},
        {"x", 1, 1, 5, NULL, NULL, UINT64_MAX, "proto3", RPCRT_INVALID_ARGUMENT,
         "in a oneof that can't have it"},
        {"x", 1, 3, 5, NULL, NULL, 1, "proto3", RPCRT_INVALID_ARGUMENT,
         "in a oneof that can't have it"},
        {"a b", 1, 1, 5, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "no proper name"},
        {"\x1b[2J", 1, 1, 5, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "no proper name"},
        {"", 1, 1, 5, NULL, NULL, 0, "proto3", RPCRT_INVALID_ARGUMENT,
         "no proper name"},
        {"x", 1, 1, 5, NULL, "2147483648", 0, "proto2", RPCRT_INVALID_ARGUMENT,
         "p.q.M.x: its default"},
        {"x", 1, 1, 5, NULL, "-2147483648", 0, "proto2", RPCRT_OK, NULL},
        {"x", 1, 1, 13, NULL, "-1", 0, "proto2", RPCRT_INVALID_ARGUMENT,
         "its default"},
        {"x", 1, 1, 4, NULL, "18446744073709551616", 0, "proto2",
         RPCRT_INVALID_ARGUMENT, "its default"},
        {"x", 1, 1, 1, NULL, "1e", 0, "proto2", RPCRT_OK, NULL},
        {"x", 1, 1, 1, NULL, "one", 0, "proto2", RPCRT_INVALID_ARGUMENT,
         "its default"},
        {"x", 1, 1, 8, NULL, "yes", 0, "proto2", RPCRT_INVALID_ARGUMENT,
         "its default"},
        {"x", 1, 1, 9, NULL, "\xff", 0, "proto2", RPCRT_INVALID_ARGUMENT,
         "its default"},
        {"x", 1, 1, 12, NULL, "a\\", 0, "proto2", RPCRT_INVALID_ARGUMENT,
         "its default"},
        {"x", 1, 1, 14, ".p.q.E", "C", 0, "proto2", RPCRT_INVALID_ARGUMENT,
         "its default"},
        {"x", 1, 1, 11, ".p.q.M", "C", 0, "proto2", RPCRT_INVALID_ARGUMENT,
         "its default"},
        {"x", 1, 3, 5, NULL, "1", 0, "proto2", RPCRT_INVALID_ARGUMENT,
         "its default"},
    };
    static struct out file;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rpcrt_types *types = NULL;

        build(&cases[i], 1, &file);
        if (cases[i].oneof == 2) {
            /* There is only one oneof, the first. */
            continue;
        }
        cr_assert_eq(rpcrt_types_new(&types), RPCRT_OK);
        cr_assert_eq(rpcrt_types_add(types, file.bytes, file.size), RPCRT_OK,
                     "%s", rpcrt_last_error());
        cr_assert_eq(rpcrt_types_link(types), cases[i].code, "case %zu: %s", i,
                     rpcrt_last_error());
        if (cases[i].text != NULL) {
            cr_assert_not_null(strstr(rpcrt_last_error(), cases[i].text),
                               "case %zu: %s", i, rpcrt_last_error());
        }
        rpcrt_types_free(types);
    }
}

static void
expect_refused(const struct out *file, enum rpcrt_code code, const char *text)
{
    struct rpcrt_types *types = NULL;
    enum rpcrt_code actual;

    cr_assert_eq(rpcrt_types_new(&types), RPCRT_OK);
    actual = rpcrt_types_add(types, file->bytes, file->size);
    if (actual == RPCRT_OK) {
        actual = rpcrt_types_link(types);
    }
    cr_assert_eq(actual, code);
    cr_assert_not_null(strstr(rpcrt_last_error(), text), "%s",
                       rpcrt_last_error());
    rpcrt_types_free(types);
}

Test(types, two_fields_have_neither_one_number_nor_one_name)
{
    struct field_case two[2] = {
        {"x", 1, 1, 5, NULL, NULL, 0, "proto3", RPCRT_OK, NULL},
        {"y", 1, 1, 5, NULL, NULL, 0, "proto3", RPCRT_OK, NULL}};
    static struct out file;

    build(two, 2, &file);
    expect_refused(&file, RPCRT_INVALID_ARGUMENT,
                   "another field has its number");
    two[1] = two[0];
    two[1].number = 2;
    build(two, 2, &file);
    expect_refused(&file, RPCRT_INVALID_ARGUMENT, "two fields are named x");
}

Test(types, defaults_of_proto2_are_those_of_a_new_message)
{
    static const struct field_case cases[] = {
        {"i", 1, 1, 5, NULL, "-7", 0, "proto2", RPCRT_OK, NULL},
        {"u", 2, 1, 4, NULL, "18446744073709551615", 0, "proto2", RPCRT_OK,
         NULL},
        {"d", 3, 1, 1, NULL, "-inf", 0, "proto2", RPCRT_OK, NULL},
        {"f", 4, 1, 2, NULL, "0.25", 0, "proto2", RPCRT_OK, NULL},
        {"b", 5, 1, 8, NULL, "true", 0, "proto2", RPCRT_OK, NULL},
        {"s", 6, 1, 9, NULL, "text", 0, "proto2", RPCRT_OK, NULL},
        {"y", 7, 1, 12, NULL, "\\000\\n\\x41\\\"z", 0, "proto2", RPCRT_OK,
         NULL},
        {"e", 8, 1, 14, ".p.q.E", "B", 0, "proto2", RPCRT_OK, NULL}};
    static struct out file;
    struct rpcrt_types *types = NULL;
    const ProtobufCMessageDescriptor *type;
    const ProtobufCBinaryData *bytes;
    ProtobufCMessage *message;
    const char *at[8];
    unsigned i;

    build(cases, 8, &file);
    cr_assert_eq(rpcrt_types_new(&types), RPCRT_OK);
    cr_assert_eq(rpcrt_types_add(types, file.bytes, file.size), RPCRT_OK);
    cr_assert_eq(rpcrt_types_link(types), RPCRT_OK, "%s", rpcrt_last_error());
    type = rpcrt_types_message(types, "p.q.M");
    message = protobuf_c_message_unpack(type, NULL, 0, NULL);
    for (i = 0; i < 8; i++) {
        at[i] = (const char *)message + type->fields[i].offset;
    }
    cr_assert_eq(*(const int32_t *)(const void *)at[0], -7);
    cr_assert_eq(*(const uint64_t *)(const void *)at[1], UINT64_MAX);
    cr_assert_lt(*(const double *)(const void *)at[2], -1e308);
    cr_assert_float_eq(*(const float *)(const void *)at[3], 0.25, 0);
    cr_assert_eq(*(const protobuf_c_boolean *)(const void *)at[4], 1);
    cr_assert_str_eq(*(const char *const *)(const void *)at[5], "text");
    bytes = (const void *)at[6];
    cr_assert_eq(bytes->len, 5);
    cr_assert_arr_eq(bytes->data, "\0\nA\"z", 5);
    cr_assert_eq(*(const int32_t *)(const void *)at[7], -2);
    cr_assert_eq(protobuf_c_message_get_packed_size(message), 0);
    protobuf_c_message_free_unpacked(message, NULL);
    rpcrt_types_free(types);
}

/* -- files ----------------------------------------------------------------- */

Test(types, a_file_that_is_malformed_is_refused)
{
    static struct out file;
    static struct out inner;

    expect_refused(&file, RPCRT_INVALID_ARGUMENT, "name of its file");
    add_text(&file, 1, "a b.proto");
    expect_refused(&file, RPCRT_INVALID_ARGUMENT, "name of its file");
    file.size = 0;
    add_text(&file, 1, "a.proto");
    add_text(&file, 12, "editions");
    expect_refused(&file, RPCRT_UNIMPLEMENTED, "a.proto: neither proto2");
    file.size = 0;
    add_text(&file, 1, "a.proto");
    add_text(&file, 2, "a..b");
    expect_refused(&file, RPCRT_INVALID_ARGUMENT, "a.proto");
    file.size = 0;
    add_text(&file, 1, "a.proto");
    add_text(&inner, 1, "M");
    put_varint(&inner, 2 << 3 | 2);
    put_varint(&inner, 100);
    add_inner(&file, 4, &inner);
    expect_refused(&file, RPCRT_INVALID_ARGUMENT, "malformed");
}

Test(types, messages_within_messages_have_an_end)
{
    static struct out file;
    static struct out message;
    static struct out outer;
    unsigned i;

    for (i = 0; i < 200; i++) {
        outer.size = 0;
        add_text(&outer, 1, "M");
        add_inner(&outer, 3, &message);
        message = outer;
    }
    add_text(&file, 1, "a.proto");
    add_inner(&file, 4, &message);
    expect_refused(&file, RPCRT_INVALID_ARGUMENT, "a.proto");
}

Test(types, a_name_belongs_to_one_file)
{
    struct rpcrt_types *types = NULL;
    static struct out file;
    static struct out message;

    add_text(&message, 1, "M");
    add_text(&file, 1, "a.proto");
    add_inner(&file, 4, &message);
    cr_assert_eq(rpcrt_types_new(&types), RPCRT_OK);
    cr_assert_eq(rpcrt_types_add(types, file.bytes, file.size), RPCRT_OK);
    cr_assert_eq(rpcrt_types_add(types, file.bytes, file.size), RPCRT_OK);
    file.size = 0;
    add_text(&file, 1, "b.proto");
    add_inner(&file, 4, &message);
    cr_assert_eq(rpcrt_types_add(types, file.bytes, file.size), RPCRT_OK);
    cr_assert_eq(rpcrt_types_link(types), RPCRT_ALREADY_EXISTS);
    cr_assert_str_eq(rpcrt_last_error(), "a.proto and b.proto: both have M");
    rpcrt_types_free(types);
}

Test(types, imports_that_were_not_added_are_told_once)
{
    struct rpcrt_types *types = NULL;
    static struct out file;

    add_text(&file, 1, "a.proto");
    add_text(&file, 3, "b.proto");
    add_text(&file, 3, "a.proto");
    add_text(&file, 3, "c.proto");
    cr_assert_eq(rpcrt_types_new(&types), RPCRT_OK);
    cr_assert_eq(rpcrt_types_add(types, file.bytes, file.size), RPCRT_OK);
    cr_assert_str_eq(rpcrt_types_missing(types), "b.proto");
    file.size = 0;
    add_text(&file, 1, "c.proto");
    add_text(&file, 3, "d.proto");
    cr_assert_eq(rpcrt_types_add(types, file.bytes, file.size), RPCRT_OK);
    cr_assert_str_eq(rpcrt_types_missing(types), "d.proto");
    cr_assert_null(rpcrt_types_missing(types));
    /* Nothing of them is used. */
    cr_assert_eq(rpcrt_types_link(types), RPCRT_OK);
    cr_assert_eq(rpcrt_types_add(types, file.bytes, file.size),
                 RPCRT_FAILED_PRECONDITION);
    rpcrt_types_free(types);
}

Test(types, secrets_are_redacted)
{
    struct rpcrt_types *types = types_of(&petstore_v1_petstore_proto);
    const struct rpcrt_file *file =
        rpcrt_types_file(types, petstore_v1_petstore_proto.name);
    const ProtobufCMessageDescriptor *type =
        rpcrt_types_message(types, "petstore.v1.LoginRequest");
    struct rpcrt_json_options options = {.redact = true};
    ProtobufCMessage *message = NULL;
    static const char text[] = "{\"password\":\"secret\"}";
    char *shown = NULL;

    cr_assert_not_null(type);
    cr_assert_eq(
        rpcrt_json_parse(text, strlen(text), type, file, NULL, &message, NULL),
        RPCRT_OK);
    cr_assert_eq(rpcrt_json_print(message, file, &options, &shown, NULL, NULL),
                 RPCRT_OK);
    cr_assert_str_eq(shown, "{\"password\":\"[redacted]\"}");
    free(shown);
    protobuf_c_message_free_unpacked(message, NULL);
    rpcrt_types_free(types);
}

Test(types, without_memory_it_says_so_and_loses_nothing)
{
    struct rpcrt_types *types;
    enum rpcrt_code code;
    uint64_t n;

    faulty_alloc_install();
    for (n = 0;; n++) {
        const struct rpcrt_file *file = &support_sample_proto;

        faulty_alloc_fail_at(n);
        types = NULL;
        code = rpcrt_types_new(&types);
        if (code == RPCRT_OK) {
            code =
                rpcrt_types_add(types, file->descriptor, file->descriptor_size);
        }
        if (code == RPCRT_OK) {
            code = rpcrt_types_link(types);
        }
        rpcrt_types_free(types);
        cr_assert_eq(faulty_alloc_live(), 0);
        if (!faulty_alloc_failed()) {
            break;
        }
        cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED);
    }
    faulty_alloc_remove();
    cr_assert_gt(n, 2);
    cr_assert_eq(code, RPCRT_OK);
}
