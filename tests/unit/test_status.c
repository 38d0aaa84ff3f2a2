/*
 * Codes, origins and the version as text.
 */
#include <criterion/criterion.h>
#include <rpcrt/rpcrt.h>
#include <stdio.h>

Test(status, codes_have_the_numbers_of_grpc)
{
    cr_assert_eq(RPCRT_OK, 0);
    cr_assert_eq(RPCRT_INVALID_ARGUMENT, 3);
    cr_assert_eq(RPCRT_RESOURCE_EXHAUSTED, 8);
    cr_assert_eq(RPCRT_UNAVAILABLE, 14);
    cr_assert_eq(RPCRT_UNAUTHENTICATED, 16);
}

Test(status, names_and_texts)
{
    cr_assert_str_eq(rpcrt_code_name(RPCRT_OK), "OK");
    cr_assert_str_eq(rpcrt_code_name(RPCRT_NOT_FOUND), "NOT_FOUND");
    cr_assert_str_eq(rpcrt_code_text(RPCRT_NOT_FOUND), "not found");
    cr_assert_str_eq(rpcrt_origin_text(RPCRT_ORIGIN_RUNTIME), "server runtime");
}

Test(status, every_code_has_a_name_of_its_own)
{
    int code;
    int other;

    for (code = 0; code <= 16; code++) {
        for (other = 0; other < code; other++) {
            cr_assert_str_neq(rpcrt_code_name((enum rpcrt_code)code),
                              rpcrt_code_name((enum rpcrt_code)other));
        }
    }
}

Test(status, numbers_that_are_no_code_read_unknown)
{
    cr_assert_str_eq(rpcrt_code_name((enum rpcrt_code)17), "UNKNOWN");
    cr_assert_str_eq(rpcrt_code_name((enum rpcrt_code)77), "UNKNOWN");
    cr_assert_str_eq(rpcrt_code_name(RPCRT_LATER), "UNKNOWN");
    cr_assert_str_eq(rpcrt_code_text((enum rpcrt_code)77), "unknown");
    cr_assert_str_eq(rpcrt_origin_text((enum rpcrt_origin)77), "unknown");
}

Test(version, text_is_made_of_the_numbers)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%d.%d.%d", RPCRT_VERSION_MAJOR,
                   RPCRT_VERSION_MINOR, RPCRT_VERSION_PATCH);
    cr_assert_str_eq(rpcrt_version(), text);
}
