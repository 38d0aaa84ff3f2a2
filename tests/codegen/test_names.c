/*
 * Names of C: ours, and those of protoc-gen-c.
 */
#include "names.h"

#include <criterion/criterion.h>

static struct pool *pool;

static void
set_up(void)
{
    pool = pool_new();
}

static void
tear_down(void)
{
    pool_free(pool);
}

TestSuite(names, .init = set_up, .fini = tear_down);

static void
expect_snake(const char *name, const char *expected)
{
    cr_expect_str_eq(name_snake(pool, name), expected, "of '%s'", name);
}

Test(names, are_in_snake_case_with_single_underscores)
{
    expect_snake("Put", "put");
    expect_snake("ListPets", "list_pets");
    expect_snake("GetHTTPInfo", "get_http_info");
    expect_snake("HTTPGreeter2", "http_greeter2");
    expect_snake("GetV2", "get_v2");
    expect_snake("already_snake", "already_snake");
    expect_snake("kv.v1.Kv", "kv_v1_kv");
    expect_snake("__Foo__Bar__", "foo_bar");
    expect_snake("ABC", "abc");
    expect_snake("aB", "a_b");
    expect_snake("_", "");
    expect_snake("", "");
}

Test(names, of_types_are_those_of_protoc_gen_c)
{
    const char *name = "shop.v1.HTTPPet.innerKind_x";

    cr_expect_str_eq(name_c_type(pool, name), "Shop__V1__HTTPPet__InnerKindX");
    cr_expect_str_eq(name_c_lower(pool, name),
                     "shop__v1__httppet__inner_kind_x");
    cr_expect_str_eq(name_c_upper(pool, name),
                     "SHOP__V1__HTTPPET__INNER_KIND_X");
    cr_expect_str_eq(name_c_type(pool, "_Foo"), "Foo");
    cr_expect_str_eq(name_c_lower(pool, "_Foo"), "__foo");
    cr_expect_str_eq(name_c_upper(pool, "M._x"), "M___X");
}

Test(names, of_fields_are_in_lower_case_and_no_word_of_c)
{
    cr_expect_str_eq(name_c_field(pool, "camelCase"), "camelcase");
    cr_expect_str_eq(name_c_field(pool, "class"), "class_");
    cr_expect_str_eq(name_c_field(pool, "INT"), "int_");
    cr_expect_str_eq(name_c_field(pool, "xor_eq"), "xor_eq_");
    cr_expect_str_eq(name_c_field(pool, "and"), "and_");
    cr_expect_str_eq(name_c_field(pool, "restrict"), "restrict");
}

Test(names, that_a_compiler_takes_are_known)
{
    static const char *const taken[] = {
        "EOF",
        "_Alignas",
        "_Bool",
        "_Pragma",
        "alignas",
        "restrict",
        "unix",
        "errno",
        "int",
        "xor_eq",
        "and",
        "size_t",
        "nullptr",
        "typeof",
        "thread_local",
        "NULL",
        "FILE",
        "_Float32x",
        "ProtobufCMessage",
    };
    size_t i;

    for (i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        cr_expect(name_is_taken(taken[i]), "%s", taken[i]);
    }
    cr_expect_not(name_is_taken("put"));
    cr_expect_not(name_is_taken(""));
    cr_expect_not(name_is_taken("ints"));
}

Test(names, of_paths_are_identifiers)
{
    cr_expect_str_eq(name_of_path(pool, "kv/v1/kv"), "kv_v1_kv");
    cr_expect_str_eq(name_of_path(pool, "a-b c.d"), "a_b_c_d");
    cr_expect_str_eq(name_of_path(pool, "3d"), "file_3d");
}

Test(names, can_be_told_from_what_is_none)
{
    cr_expect(name_is_identifier("_a1"));
    cr_expect_not(name_is_identifier(""));
    cr_expect_not(name_is_identifier("1a"));
    cr_expect_not(name_is_identifier("a-b"));
    cr_expect_not(name_is_identifier("a\xc3\xa4"));
    cr_expect(name_is_full("a.b1._c"));
    cr_expect(name_is_full(""));
    cr_expect_not(name_is_full("a."));
    cr_expect_not(name_is_full(".a"));
    cr_expect_not(name_is_full("a..b"));
    cr_expect_not(name_is_full("a.1b"));
    cr_expect_not(name_is_full("a\nb"));
}
