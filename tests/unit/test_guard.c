/*
 * The guard before unpacking: what it refuses, in which words, and that
 * protobuf-c can unpack what passes.
 */
#include "wire/guard.h"
#include "support/sample.pb-c.h"
#include "support/sample2.pb-c.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const ProtobufCMessageDescriptor *everything =
    &sample__v1__everything__descriptor;
static const ProtobufCMessageDescriptor *node = &sample__v1__node__descriptor;
static const ProtobufCMessageDescriptor *old = &sample__v2__old__descriptor;
static const ProtobufCMessageDescriptor *wide = &sample__v2__wide__descriptor;

static struct rpcrt__error error;

/* Checks a copy that ends where its memory does, so that AddressSanitizer sees
 * a look beyond it. */
static enum rpcrt_code
check(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
      size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    ProtobufCMessage *message;
    enum rpcrt_code code;

    cr_assert_not_null(copy);
    memcpy(copy, bytes, size);
    error.text[0] = '\0';
    code = rpcrt__guard_check(descriptor, copy, size, &error);
    if (code == RPCRT_OK) {
        message = protobuf_c_message_unpack(descriptor, NULL, size, copy);
        cr_assert_not_null(message);
        protobuf_c_message_free_unpacked(message, NULL);
    } else {
        cr_assert_eq(error.code, code);
    }
    free(copy);
    return code;
}

static void
expect_taken(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
             size_t size)
{
    cr_assert_eq(check(descriptor, bytes, size), RPCRT_OK, "%s", error.text);
}

static void
expect_refused(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
               size_t size, const char *text)
{
    cr_assert_eq(check(descriptor, bytes, size), RPCRT_INVALID_ARGUMENT, "%s",
                 text);
    cr_assert_str_eq(error.text, text);
}

#define TAKEN(descriptor, bytes)                                               \
    expect_taken(descriptor, bytes, sizeof(bytes) - 1)
#define REFUSED(descriptor, bytes, text)                                       \
    expect_refused(descriptor, bytes, sizeof(bytes) - 1, text)

Test(guard, takes_every_kind_of_field)
{
    static char first[] = "first";
    static char text[] = "t\xc3\xb6ne";
    Sample__V1__Inner inner;
    Sample__V1__Inner *inners[] = {&inner, &inner};
    Sample__V1__Everything__ByNameEntry entry;
    Sample__V1__Everything__ByNameEntry *entries[] = {&entry};
    Sample__V1__Node leaf;
    Sample__V1__Everything message;
    int32_t numbers[] = {0, -1, INT32_MAX, INT32_MIN};
    double reals[] = {0.5, -1e300};
    protobuf_c_boolean flags[] = {1, 0, 1};
    uint8_t bytes[1000];
    size_t size;

    sample__v1__inner__init(&inner);
    sample__v1__everything__by_name_entry__init(&entry);
    sample__v1__node__init(&leaf);
    sample__v1__everything__init(&message);
    inner.key = first;
    inner.value = INT64_MIN;
    entry.key = text;
    entry.value = &inner;
    leaf.label = text;
    leaf.which_case = SAMPLE__V1__NODE__WHICH_LEAF;
    leaf.leaf = -5;
    message.i32 = -3;
    message.sf64 = INT64_MIN;
    message.f32 = 1;
    message.real = 1.5F;
    message.precise = 2.5;
    message.flag = 1;
    message.color = SAMPLE__V1__COLOR__COLOR_FAR;
    message.name = text;
    message.data.data = bytes;
    message.data.len = 3;
    message.inner = &inner;
    message.n_numbers = 4;
    message.numbers = numbers;
    message.n_loose = 4;
    message.loose = numbers;
    message.n_reals = 2;
    message.reals = reals;
    message.n_flags = 3;
    message.flags = flags;
    message.n_inners = 2;
    message.inners = inners;
    message.n_by_name = 1;
    message.by_name = entries;
    message.choice_case = SAMPLE__V1__EVERYTHING__CHOICE_NODE_CHOICE;
    message.node_choice = &leaf;
    message.node = &leaf;
    memset(bytes, 0, sizeof bytes);
    size = sample__v1__everything__get_packed_size(&message);
    cr_assert_lt(size, sizeof bytes);
    cr_assert_eq(sample__v1__everything__pack(&message, bytes), size);
    expect_taken(everything, bytes, size);
}

Test(guard, takes_the_empty_message)
{
    TAKEN(everything, "");
    cr_assert_eq(rpcrt__guard_check(everything, NULL, 0, &error), RPCRT_OK);
    cr_assert_eq(
        rpcrt__guard_check(&sample__v1__empty__descriptor, NULL, 0, &error),
        RPCRT_OK);
}

Test(guard, takes_packed_and_loose_whatever_was_declared)
{
    TAKEN(everything, "\xaa\x01\x03\x01\x80\x01"); /* numbers, packed */
    TAKEN(everything, "\xa8\x01\x01\xa8\x01\x02"); /* numbers, loose */
    TAKEN(everything, "\xf2\x01\x02\x01\x02");     /* loose, packed */
    TAKEN(everything, "\xaa\x01\x00");             /* packed, none */
}

Test(guard, takes_longer_forms_than_needed)
{
    TAKEN(everything, "\x88\x00\x80\x00");     /* tag and varint */
    TAKEN(everything, "\x7a\x81\x80\x00\x61"); /* length */
    TAKEN(everything, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

Test(guard, takes_unknown_fields)
{
    /* 47: varint; 48: 64 bits; 49: bytes that are no text; 50: 32 bits */
    TAKEN(everything, "\xf8\x02\x05\x81\x03"
                      "12345678\x8a\x03\x02\xff\x00\x95\x03"
                      "1234");
    TAKEN(&sample__v1__empty__descriptor, "\x08\x05");
    /* the highest number there is */
    TAKEN(everything, "\xf8\xff\xff\xff\x0f\x05");
}

Test(guard, names_message_field_and_offset)
{
    REFUSED(everything,
            "\x08\x05\x7a\x03"
            "a\xff"
            "b",
            "sample.v1.Everything.name: invalid UTF-8 at byte 5");
    REFUSED(everything, "\x8a\x01\x03\x0a\x01\xff",
            "sample.v1.Inner.key: invalid UTF-8 at byte 5");
}

Test(guard, refuses_bad_strings)
{
    REFUSED(everything,
            "\x7a\x03"
            "a\0b",
            "sample.v1.Everything.name: zero byte in a string at byte 3");
    REFUSED(everything, "\xda\x01\x01z\xda\x01\x02\xc3(",
            "sample.v1.Everything.names: invalid UTF-8 at byte 7");
    REFUSED(everything, "\xd2\x02\x01\x80",
            "sample.v1.Everything.name_choice: invalid UTF-8 at byte 3");
    /* a key of the map */
    REFUSED(everything, "\xfa\x01\x03\x0a\x01\xff",
            "sample.v1.Everything.ByNameEntry.key: invalid UTF-8 at byte 5");
    /* but bytes may be anything */
    TAKEN(everything, "\x82\x01\x03\x00\xff\x00");
}

Test(guard, refuses_bad_tags)
{
    REFUSED(everything, "\x00\x01", "sample.v1.Everything: bad tag at byte 0");
    REFUSED(everything, "\x08\x01\x07\x01",
            "sample.v1.Everything: bad tag at byte 2");
    /* field 0 in more bytes than needed */
    REFUSED(everything, "\x80\x00\x01",
            "sample.v1.Everything: bad tag at byte 0");
    /* cut off */
    REFUSED(everything, "\x08\x01\x88",
            "sample.v1.Everything: bad tag at byte 2");
    /* above 2^29 - 1 */
    REFUSED(everything, "\xf8\xff\xff\xff\x1f\x05",
            "sample.v1.Everything: bad tag at byte 0");
    REFUSED(everything, "\x88\x80\x80\x80\x80\x00\x05",
            "sample.v1.Everything: bad tag at byte 0");
}

Test(guard, refuses_groups_and_unknown_wire_types)
{
    REFUSED(everything, "\xfb\x02\xfc\x02",
            "sample.v1.Everything: a group at byte 2");
    REFUSED(everything, "\xfc\x02", "sample.v1.Everything: a group at byte 2");
    REFUSED(everything, "\xfe\x02",
            "sample.v1.Everything: unknown wire type at byte 2");
    REFUSED(everything, "\xff\x02",
            "sample.v1.Everything: unknown wire type at byte 2");
}

Test(guard, refuses_the_wrong_wire_type)
{
    REFUSED(everything, "\x0d\x01\x02\x03\x04",
            "sample.v1.Everything.i32: wrong wire type at byte 1");
    /* protobuf-c takes any wire type for a bool */
    REFUSED(everything, "\x6a\x01\x01",
            "sample.v1.Everything.flag: wrong wire type at byte 1");
    REFUSED(everything, "\x6d\x01\x01\x01\x01",
            "sample.v1.Everything.flag: wrong wire type at byte 1");
    REFUSED(everything, "\x78\x01",
            "sample.v1.Everything.name: wrong wire type at byte 1");
    REFUSED(everything, "\xd8\x01\x01",
            "sample.v1.Everything.names: wrong wire type at byte 2");
    REFUSED(everything, "\x0a\x01\x01",
            "sample.v1.Everything.i32: wrong wire type at byte 1");
}

Test(guard, refuses_what_is_cut_off)
{
    REFUSED(everything, "\x08",
            "sample.v1.Everything.i32: bad varint at byte 1");
    REFUSED(everything, "\x08\x80\x80",
            "sample.v1.Everything.i32: bad varint at byte 1");
    REFUSED(everything, "\x1d\x01\x02\x03",
            "sample.v1.Everything.sf32: cut off at byte 1");
    REFUSED(everything, "\x31\x01\x02\x03\x04\x05\x06\x07",
            "sample.v1.Everything.sf64: cut off at byte 1");
    REFUSED(everything,
            "\x7a\x05"
            "four",
            "sample.v1.Everything.name: bad length at byte 1");
    REFUSED(everything, "\xfa\x02\x01",
            "sample.v1.Everything: bad length at byte 2");
    /* an inner message that claims more than the outer one has */
    REFUSED(everything,
            "\x8a\x01\x02\x0a\x05"
            "12345",
            "sample.v1.Inner.key: bad length at byte 4");
}

Test(guard, refuses_numbers_that_are_too_long)
{
    REFUSED(everything, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            "sample.v1.Everything.i32: bad varint at byte 1");
    REFUSED(everything, "\x7a\xff\xff\xff\xff\x7f",
            "sample.v1.Everything.name: bad length at byte 1");
    REFUSED(everything, "\x7a\x80\x80\x80\x80\x80\x00",
            "sample.v1.Everything.name: bad length at byte 1");
}

Test(guard, refuses_bad_packed_fields)
{
    REFUSED(everything, "\xaa\x01\x02\x01\x80",
            "sample.v1.Everything.numbers: bad varint at byte 4");
    REFUSED(everything, "\xba\x01\x05\x01\x02\x03\x04\x05",
            "sample.v1.Everything.quads: bad packed length at byte 3");
    REFUSED(everything, "\xc2\x01\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09",
            "sample.v1.Everything.reals: bad packed length at byte 3");
    REFUSED(everything,
            "\xca\x01\x0b\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
            "sample.v1.Everything.flags: bad varint at byte 3");
}

/* `depth` messages, one in the other, built from the innermost. */
static size_t
nest(uint8_t *bytes, size_t room, unsigned depth)
{
    size_t at = room;

    while (depth-- > 0) {
        size_t size = room - at;

        if (size > 127) {
            bytes[--at] = (uint8_t)(size >> 7);
            bytes[--at] = (uint8_t)(size | 0x80);
        } else {
            bytes[--at] = (uint8_t)size;
        }
        bytes[--at] = 0x12; /* left */
    }
    return at;
}

Test(guard, bounds_the_depth)
{
    static uint8_t bytes[4096];
    size_t at = nest(bytes, sizeof bytes, RPCRT_MESSAGE_DEPTH_MAX);

    expect_taken(node, bytes + at, sizeof bytes - at);
    at = nest(bytes, sizeof bytes, RPCRT_MESSAGE_DEPTH_MAX + 1);
    cr_assert_eq(check(node, bytes + at, sizeof bytes - at),
                 RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(error.text, "sample.v1.Node.left: messages nested too "
                                 "deep at byte 239");
    /* what is unknown is not nested */
    expect_taken(&sample__v1__empty__descriptor, bytes + at, sizeof bytes - at);
}

Test(guard, survives_messages_made_to_recurse)
{
    static uint8_t bytes[100000];
    size_t at = nest(bytes, sizeof bytes, 5000);

    cr_assert_eq(check(node, bytes + at, sizeof bytes - at),
                 RPCRT_RESOURCE_EXHAUSTED);
}

Test(guard, bounds_unknown_fields)
{
    static uint8_t bytes[2 * RPCRT_UNKNOWN_FIELDS_MAX + 2];
    size_t i;

    for (i = 0; i < sizeof bytes; i += 2) {
        bytes[i] = 0x78; /* 15 */
        bytes[i + 1] = 0;
    }
    expect_taken(node, bytes, sizeof bytes - 2);
    cr_assert_eq(check(node, bytes, sizeof bytes), RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(error.text, "sample.v1.Node: too many unknown fields at "
                                 "byte 8192");
}

Test(guard, counts_unknown_fields_of_inner_messages_too)
{
    static const uint8_t child[] = {0x1a, 0x02, 0x78, 0x00}; /* with one */
    static uint8_t bytes[4 * RPCRT_UNKNOWN_FIELDS_MAX + 4];
    size_t i;

    for (i = 0; i < sizeof bytes; i += sizeof child) {
        memcpy(bytes + i, child, sizeof child);
    }
    expect_taken(node, bytes, sizeof bytes - 4);
    cr_assert_eq(check(node, bytes, sizeof bytes), RPCRT_RESOURCE_EXHAUSTED);
}

Test(guard, refuses_sizes_that_protobuf_has_not)
{
    cr_assert_eq(rpcrt__guard_check(node, (const uint8_t *)"",
                                    (size_t)INT32_MAX + 1, &error),
                 RPCRT_RESOURCE_EXHAUSTED);
}

Test(guard, refuses_a_single_message_that_comes_twice)
{
    REFUSED(everything, "\x8a\x01\x00\x08\x01\x8a\x01\x00",
            "sample.v1.Everything.inner: given twice at byte 5");
    REFUSED(everything, "\xe2\x02\x00\xe2\x02\x00",
            "sample.v1.Everything.inner_choice: given twice at byte 3");
    /* one at each level, repeated ones, and other fields */
    TAKEN(node, "\x12\x02\x12\x00\x1a\x00\x1a\x00");
    TAKEN(everything, "\x08\x01\x08\x02\x7a\x01z\x7a\x01y");
}

/* Why: protobuf-c cannot merge messages whose oneof is not set. */
Test(guard, protobuf_c_still_fails_to_merge)
{
    static const uint8_t bytes[] = {0x12, 0x00, 0x12, 0x00};

    cr_assert_null(protobuf_c_message_unpack(node, NULL, sizeof bytes, bytes));
}

Test(guard, takes_a_oneof_that_changes)
{
    TAKEN(everything, "\xc8\x02\x05\xd2\x02\x01z\xda\x02\x02zz\xe2\x02\x00"
                      "\xc8\x02\x05\xd2\x02\x01z");
}

Test(guard, requires_required_fields)
{
    TAKEN(old, "\x0a\x01i\x32\x02\x08\x01");
    REFUSED(old, "\x32\x02\x08\x01",
            "sample.v2.Old.id: required, but missing from the message that "
            "ends at byte 4");
    REFUSED(old, "\x0a\x01i",
            "sample.v2.Old.point: required, but missing from the message that "
            "ends at byte 3");
    REFUSED(old, "\x0a\x01i\x32\x02\x10\x01",
            "sample.v2.Point.x: required, but missing from the message that "
            "ends at byte 7");
    REFUSED(old, "",
            "sample.v2.Old.id: required, but missing from the message that "
            "ends at byte 0");
}

Test(guard, watches_all_fields_of_a_wide_message)
{
    /* text64 and needed100 are required; point10 and point130 are single. */
    static const char good[] = "\x82\x04\x01t\xa0\x06\x01\x52\x02\x08\x01"
                               "\x92\x08\x02\x08\x01";

    TAKEN(wide, good);
    expect_refused(wide, good, 7 - 3,
                   "sample.v2.Wide.needed100: required, but missing from the "
                   "message that ends at byte 4");
    expect_refused(wide, good + 4, 3,
                   "sample.v2.Wide.text64: required, but missing from the "
                   "message that ends at byte 3");
    REFUSED(wide,
            "\x82\x04\x01t\xa0\x06\x01\x92\x08\x02\x08\x01\x92\x08\x02\x08\x01",
            "sample.v2.Wide.point130: given twice at byte 12");
    REFUSED(wide, "\x82\x04\x01t\xa0\x06\x01\x52\x02\x08\x01\x52\x02\x08\x01",
            "sample.v2.Wide.point10: given twice at byte 11");
}

/* Every beginning of a good message, and every change of one byte of it, ends
 * in an answer that protobuf-c agrees with. */
Test(guard, agrees_with_protobuf_c_on_damaged_messages)
{
    static const char good[] = "\x08\x96\x01\x7a\x05hello\x8a\x01\x04\x0a\x02hi"
                               "\xaa\x01\x03\x01\x80\x01\xa2\x06\x03\x12\x01z";
    char bytes[sizeof good - 1];
    size_t i;
    int value;

    for (i = 0; i < sizeof bytes; i++) {
        (void)check(everything, good, i);
        for (value = 0; value < 256; value++) {
            memcpy(bytes, good, sizeof bytes);
            bytes[i] = (char)value;
            (void)check(everything, bytes, sizeof bytes);
        }
    }
}
