/*
 * Messages as text: form, escapes, presence, what is redacted, and that nothing
 * is written past the end.
 */
#include <rpcrt/print.h>

#include "support/sample.rpc.h"
#include "support/sample2.pb-c.h"

#include <criterion/criterion.h>
#include <math.h>
#include <rpcrt/gen.h>
#include <rpcrt/limits.h>
#include <string.h>

static char buffer[4096];

static const char *
print_with(const void *message, const struct rpcrt_file *file)
{
    size_t length = rpcrt_print(message, file, buffer, sizeof buffer);

    cr_assert_lt(length, sizeof buffer);
    cr_assert_eq(strlen(buffer), length);
    return buffer;
}

static const char *
print(const void *message)
{
    static const struct rpcrt_file file = {.name = "sample.proto"};

    return print_with(message, &file);
}

Test(print, nothing_set_is_the_empty_text)
{
    Sample__V1__Everything message;

    sample__v1__everything__init(&message);
    cr_assert_str_empty(print(&message));
}

Test(print, every_kind_of_scalar)
{
    static char name[] = "blue";
    Sample__V1__Everything message;

    sample__v1__everything__init(&message);
    message.i32 = INT32_MIN;
    message.s32 = -2;
    message.sf32 = 3;
    message.i64 = INT64_MIN;
    message.s64 = -5;
    message.sf64 = 6;
    message.u32 = UINT32_MAX;
    message.f32 = 8;
    message.u64 = UINT64_MAX;
    message.f64 = 10;
    message.real = 0.1F;
    message.precise = 0.1;
    message.flag = 1;
    message.color = SAMPLE__V1__COLOR__COLOR_BLUE;
    message.name = name;
    message.data.data = (uint8_t *)name;
    message.data.len = 2;
    cr_assert_str_eq(
        print(&message),
        "i32: -2147483648 s32: -2 sf32: 3 i64: -9223372036854775808 s64: -5 "
        "sf64: 6 u32: 4294967295 f32: 8 u64: 18446744073709551615 f64: 10 "
        "real: 0.1 precise: 0.1 flag: true color: COLOR_BLUE name: \"blue\" "
        "data: \"bl\"");
}

Test(print, reals_read_back_as_they_were)
{
    Sample__V1__Everything message;

    sample__v1__everything__init(&message);
    message.real = 16777216.0F;
    message.precise = 0.1 + 0.2;
    cr_assert_str_eq(print(&message),
                     "real: 16777216 precise: 0.30000000000000004");
    message.real = -INFINITY;
    message.precise = NAN;
    cr_assert_str_eq(print(&message), "real: -inf precise: nan");
}

Test(print, unknown_enum_numbers_are_numbers)
{
    Sample__V1__Everything message;

    sample__v1__everything__init(&message);
    message.color = (Sample__V1__Color)77;
    cr_assert_str_eq(print(&message), "color: 77");
    message.color = SAMPLE__V1__COLOR__COLOR_FAR;
    cr_assert_str_eq(print(&message), "color: COLOR_FAR");
}

Test(print, repeated_fields_and_messages)
{
    static char x[] = "x";
    static char *names[] = {x, x};
    int32_t numbers[] = {1, -2};
    int64_t wide[] = {3, INT64_MAX};
    protobuf_c_boolean flags[] = {1, 0};
    Sample__V1__Color colors[] = {0, 1};
    ProtobufCBinaryData blobs[] = {{0, NULL}, {1, (uint8_t *)x}};
    Sample__V1__Inner inner;
    Sample__V1__Inner *inners[] = {&inner, &inner};
    Sample__V1__Everything message;

    sample__v1__inner__init(&inner);
    inner.value = 7;
    sample__v1__everything__init(&message);
    message.inner = &inner;
    message.n_numbers = 2;
    message.numbers = numbers;
    message.n_wide = 2;
    message.wide = wide;
    message.n_flags = 2;
    message.flags = flags;
    message.n_colors = 2;
    message.colors = colors;
    message.n_names = 2;
    message.names = names;
    message.n_blobs = 2;
    message.blobs = blobs;
    message.n_inners = 2;
    message.inners = inners;
    cr_assert_str_eq(
        print(&message),
        "inner { value: 7 } numbers: 1 numbers: -2 wide: 3 wide: "
        "9223372036854775807 flags: true flags: false colors: "
        "COLOR_UNSPECIFIED colors: COLOR_RED names: \"x\" names: \"x\" blobs: "
        "\"\" blobs: \"x\" inners { value: 7 } inners { value: 7 }");
}

Test(print, maps_and_empty_messages)
{
    static char key[] = "k";
    Sample__V1__Inner inner;
    Sample__V1__Everything__ByNameEntry entry;
    Sample__V1__Everything__ByNameEntry *entries[] = {&entry};
    Sample__V1__Node node;
    Sample__V1__Everything message;

    sample__v1__inner__init(&inner);
    sample__v1__node__init(&node);
    sample__v1__everything__by_name_entry__init(&entry);
    entry.key = key;
    entry.value = &inner;
    sample__v1__everything__init(&message);
    message.n_by_name = 1;
    message.by_name = entries;
    message.node = &node;
    cr_assert_str_eq(print(&message),
                     "by_name { key: \"k\" value { } } node { }");
}

Test(print, the_oneof_that_is_set_even_to_its_default)
{
    Sample__V1__Everything message;

    sample__v1__everything__init(&message);
    message.choice_case = SAMPLE__V1__EVERYTHING__CHOICE_NUMBER_CHOICE;
    cr_assert_str_eq(print(&message), "number_choice: 0");
    message.choice_case = SAMPLE__V1__EVERYTHING__CHOICE_NAME_CHOICE;
    message.name_choice = NULL;
    cr_assert_str_eq(print(&message), "name_choice: \"\"");
    message.choice_case = SAMPLE__V1__EVERYTHING__CHOICE_INNER_CHOICE;
    message.inner_choice = NULL;
    cr_assert_str_empty(print(&message));
}

Test(print, presence_of_proto2)
{
    static char empty[] = "";
    Sample__V2__Point point;
    Sample__V2__Old message;

    sample__v2__old__init(&message);
    cr_assert_str_eq(print(&message), "id: \"\" sure: 3");
    sample__v2__point__init(&point);
    message.id = empty;
    message.note = empty;
    message.has_count = 1;
    message.count = 0;
    message.has_blob = 1;
    message.has_flag = 1;
    message.point = &point;
    cr_assert_str_eq(print(&message),
                     "id: \"\" note: \"\" count: 0 blob: \"\" flag: false "
                     "point { x: 0 } sure: 3");
}

Test(print, escapes_as_c_does)
{
    static char name[] = "\"\\\a\b\t\n\v\f\r\x01\x7f"
                         "1\x1b[0m\xc3\xa4\xe2\x82\xac\xc2\x9b\xff\xc3";
    static uint8_t data[] = {0, 0xc3, 0xa4, 0xff};
    Sample__V1__Everything message;

    sample__v1__everything__init(&message);
    message.name = name;
    cr_assert_str_eq(print(&message),
                     "name: \"\\\"\\\\\\a\\b\\t\\n\\v\\f\\r\\001\\1771\\033[0m"
                     "\xc3\xa4\xe2\x82\xac\\302\\233\\377\\303\"");
    message.name = NULL;
    message.data.data = data;
    message.data.len = 4;
    cr_assert_str_eq(print(&message), "data: \"\\000\\303\\244\\377\"");
}

/* Where the secret can be. */
Test(print, sensitive_fields_are_redacted_at_any_depth)
{
    static const struct rpcrt_file *const imports[] = {&support_sample_proto};
    static const struct rpcrt_file middle = {.imports = imports,
                                             .n_imports = 1};
    static const struct rpcrt_file *const imports_again[] = {&middle};
    static const struct rpcrt_file outer = {.imports = imports_again,
                                            .n_imports = 1};
    static char pin[] = "1234";
    Sample__V1__Secret secret;
    Sample__V1__Inner inner;
    Sample__V1__Inner *inners[] = {&inner};
    Sample__V1__Everything__ByNameEntry entry;
    Sample__V1__Everything__ByNameEntry *entries[] = {&entry};
    Sample__V1__Everything message;

    sample__v1__secret__init(&secret);
    secret.pin = pin;
    secret.hint = pin;
    sample__v1__inner__init(&inner);
    inner.secret = &secret;
    sample__v1__everything__by_name_entry__init(&entry);
    entry.value = &inner;
    sample__v1__everything__init(&message);
    message.inner = &inner;
    message.n_inners = 1;
    message.inners = inners;
    message.n_by_name = 1;
    message.by_name = entries;
    message.choice_case = SAMPLE__V1__EVERYTHING__CHOICE_INNER_CHOICE;
    message.inner_choice = &inner;
    cr_assert_str_eq(print_with(&secret, &support_sample_proto),
                     "pin: [redacted] hint: \"1234\"");
#define SHOWN "secret { pin: [redacted] hint: \"1234\" }"
    cr_assert_str_eq(print_with(&message, &outer),
                     "inner { " SHOWN " } inners { " SHOWN
                     " } by_name { value { " SHOWN " } } inner_choice { " SHOWN
                     " }");
#undef SHOWN
}

Test(print, whole_messages_and_repeated_fields_are_redacted)
{
    static const struct rpcrt_sensitive_field fields[] = {
        {&sample__v1__everything__descriptor, 17},
        {&sample__v1__everything__descriptor, 27},
        {&sample__v1__everything__descriptor, 31},
        {&sample__v1__everything__descriptor, 41}};
    static const struct rpcrt_file file = {.sensitive = fields,
                                           .n_sensitive = 4};
    static char x[] = "x";
    static char *names[] = {x, x};
    Sample__V1__Inner inner;
    Sample__V1__Everything__ByNameEntry entry;
    Sample__V1__Everything__ByNameEntry *entries[] = {&entry};
    Sample__V1__Everything message;

    sample__v1__inner__init(&inner);
    inner.key = x;
    sample__v1__everything__by_name_entry__init(&entry);
    entry.key = x;
    sample__v1__everything__init(&message);
    message.i32 = 1;
    message.inner = &inner;
    message.n_names = 2;
    message.names = names;
    message.n_by_name = 1;
    message.by_name = entries;
    message.choice_case = SAMPLE__V1__EVERYTHING__CHOICE_NUMBER_CHOICE;
    message.number_choice = 5;
    cr_assert_str_eq(print_with(&message, &file),
                     "i32: 1 inner: [redacted] names: [redacted] by_name: "
                     "[redacted] number_choice: [redacted]");
}

/* Another copy of a descriptor, as in another library. */
Test(print, sensitive_messages_are_known_by_name_too)
{
    ProtobufCMessageDescriptor copy = sample__v1__secret__descriptor;
    static char pin[] = "1234";
    Sample__V1__Secret secret;

    sample__v1__secret__init(&secret);
    secret.base.descriptor = &copy;
    secret.pin = pin;
    cr_assert_str_eq(print_with(&secret, &support_sample_proto),
                     "pin: [redacted]");
}

Test(print, redacts_when_imports_have_no_end)
{
    static struct rpcrt_file file;
    static const struct rpcrt_file *const imports[] = {&file};
    static char pin[] = "1234";
    Sample__V1__Secret secret;

    file.imports = imports;
    file.n_imports = 1;
    sample__v1__secret__init(&secret);
    secret.hint = pin;
    cr_assert_str_eq(print_with(&secret, &file), "hint: [redacted]");
}

Test(print, unknown_fields_are_not_shown)
{
    static const uint8_t bytes[] = "\x08\x01\x7a\x01z";
    Sample__V1__Empty *message =
        sample__v1__empty__unpack(NULL, sizeof bytes - 1, bytes);

    cr_assert_not_null(message);
    cr_assert_eq(message->base.n_unknown_fields, 2);
    cr_assert_str_empty(print(message));
    sample__v1__empty__free_unpacked(message, NULL);
}

Test(print, depth_is_bounded)
{
    Sample__V1__Node node;
    size_t n_open = 0;
    const char *at;

    sample__v1__node__init(&node);
    node.left = &node;
    (void)print(&node);
    for (at = buffer; *at != '\0'; at++) {
        n_open += *at == '{';
    }
    cr_assert_eq(n_open, RPCRT_MESSAGE_DEPTH_MAX + 1);
    cr_assert_not_null(strstr(buffer, "left { ... } }"));
}

Test(print, never_writes_past_size_and_tells_the_whole_length)
{
    static char name[] = "a\xe2\x82\xac\nb";
    static char expected[] = "i32: 12345 name: \"a\xe2\x82\xac\\nb\"";
    size_t whole = sizeof expected - 1;
    Sample__V1__Everything message;
    char text[64];
    size_t size;

    sample__v1__everything__init(&message);
    message.i32 = 12345;
    message.name = name;
    for (size = 0; size < sizeof text; size++) {
        memset(text, '#', sizeof text);
        cr_assert_eq(rpcrt_print(&message.base, NULL, text, size), whole);
        cr_assert_eq(text[size], '#');
        if (size > 0) {
            size_t length = strlen(text);

            cr_assert_lt(length, size);
            cr_assert(strncmp(text, expected, length) == 0);
            /* Full, or cut before a character that does not fit. */
            cr_assert(length == whole || length + 3 >= size);
            cr_assert_neq(text[length - (length > 0)], (char)0xe2);
            cr_assert_neq(text[length - (length > 0)], (char)0x82);
        }
    }
    cr_assert_eq(rpcrt_print(&message.base, NULL, NULL, 0), whole);
}
