/*
 * Descriptors made by hand: those that make no sense are refused with a text
 * that says where, and defaults are what they say.
 */
#include <rpcrt/rpcrt.h>
#include <rpcrt/types.h>

#include <criterion/criterion.h>
#include <string.h>

#define OUT_SIZE ((size_t)1 << 14)

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

/* -- enums and names ------------------------------------------------------- */

Test(types, names_of_an_enum_may_share_a_number)
{
    static const struct {
        const char *name;
        int32_t number;
    } values[] = {{"ZERO", 0}, {"TWO", 2}, {"ALSO_TWO", 2}, {"MINUS", -1}};
    static struct out file;
    static struct out type;
    static struct out value;
    const ProtobufCEnumDescriptor *made;
    struct rpcrt_types *types = NULL;
    unsigned i;

    add_text(&type, 1, "E");
    for (i = 0; i < 4; i++) {
        value.size = 0;
        add_text(&value, 1, values[i].name);
        add_number(&value, 2, (uint64_t)(int64_t)values[i].number);
        add_inner(&type, 2, &value);
    }
    add_text(&file, 1, "a.proto");
    add_inner(&file, 5, &type);
    cr_assert_eq(rpcrt_types_new(&types), RPCRT_OK);
    cr_assert_eq(rpcrt_types_add(types, file.bytes, file.size), RPCRT_OK);
    cr_assert_eq(rpcrt_types_link(types), RPCRT_OK, "%s", rpcrt_last_error());
    made = rpcrt_types_enum(types, "E");
    cr_assert_not_null(made);
    cr_assert_eq(made->n_values, 3);
    for (i = 0; i < 4; i++) {
        const ProtobufCEnumValue *found =
            protobuf_c_enum_descriptor_get_value_by_name(made, values[i].name);

        cr_assert_not_null(found, "%s", values[i].name);
        cr_assert_eq(found->value, values[i].number);
    }
    cr_assert_str_eq(protobuf_c_enum_descriptor_get_value(made, 2)->name,
                     "TWO");
    cr_assert_null(protobuf_c_enum_descriptor_get_value(made, 1));
    rpcrt_types_free(types);
}

Test(types, an_enum_has_values_of_32_bits)
{
    static struct out file;
    static struct out type;
    static struct out value;

    add_text(&type, 1, "E");
    add_text(&file, 1, "a.proto");
    add_inner(&file, 5, &type);
    expect_refused(&file, RPCRT_INVALID_ARGUMENT,
                   "a.proto: E: an enum without values");
    add_text(&value, 1, "A");
    add_number(&value, 2, UINT64_C(1) << 31);
    add_inner(&type, 2, &value);
    file.size = 0;
    add_text(&file, 1, "a.proto");
    add_inner(&file, 5, &type);
    expect_refused(&file, RPCRT_INVALID_ARGUMENT, "more than 32 bits");
}

/* Else names, nested, would take the square of their memory. */
Test(types, full_names_have_an_end)
{
    static struct out file;
    static struct out inner;
    static struct out outer;
    char name[300];

    memset(name, 'M', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    add_text(&inner, 1, name);
    add_text(&outer, 1, name);
    add_inner(&outer, 3, &inner);
    add_text(&file, 1, "a.proto");
    add_inner(&file, 4, &outer);
    expect_refused(&file, RPCRT_INVALID_ARGUMENT, "a name of more than");
}
