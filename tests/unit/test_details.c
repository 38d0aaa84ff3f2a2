/*
 * Details of failures: their bytes, that nothing in them can mislead a reader,
 * and their way from a handler to its caller.
 */
#include "wire/details.h"

#include "support/probe.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t bytes[RPCRT__DETAILS_ENCODED_MAX];
static struct rpcrt_error_info info;
static uint32_t code;

/* Decode from the heap, where a read behind the end is seen. */
static bool
decode(const void *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    bool ok;

    cr_assert_not_null(copy);
    memcpy(copy + 1, data, size);
    info = (struct rpcrt_error_info){.n_entries = 77};
    ok = rpcrt__details_decode(copy + 1, size, &code, &info);
    if (!ok) {
        cr_assert_eq(info.n_entries, 77);
    }
    free(copy);
    return ok;
}

/* A Status with one detail: {type_url, value}. */
static bool
decode_any(const char *type_url, const void *value, size_t value_size)
{
    uint8_t status[1024];
    size_t url_size = strlen(type_url);
    size_t size = 0;

    cr_assert(value_size < 100 && url_size < 100);
    status[size++] = 3 << 3 | 2;
    status[size++] = (uint8_t)(url_size + value_size + 4);
    cr_assert(url_size + value_size + 4 < 128);
    status[size++] = 1 << 3 | 2;
    status[size++] = (uint8_t)url_size;
    memcpy(status + size, type_url, url_size);
    size += url_size;
    status[size++] = 2 << 3 | 2;
    status[size++] = (uint8_t)value_size;
    memcpy(status + size, value, value_size);
    return decode(status, size + value_size);
}

#define URL "type.googleapis.com/google.rpc.ErrorInfo"

Test(details, have_the_bytes_of_the_messages)
{
    static const char expected[] = "\x08\x09\x12\x04poor\x1a\x48"
                                   "\x0a\x28" URL "\x12\x1c"
                                   "\x0a\x05"
                                   "FUNDS"
                                   "\x12\x06"
                                   "pay.v1"
                                   "\x1a\x0b\x0a\x04"
                                   "have"
                                   "\x12\x03"
                                   "250";
    struct rpcrt_error_info given = {.reason = "FUNDS", .domain = "pay.v1"};

    cr_assert(rpcrt__details_add(&given, "have", "250"));
    cr_assert_eq(
        rpcrt__details_encode(RPCRT_FAILED_PRECONDITION, "poor", &given, bytes),
        sizeof expected - 1);
    cr_assert_arr_eq(bytes, expected, sizeof expected - 1);
    cr_assert(decode(bytes, sizeof expected - 1));
    cr_assert_eq(code, RPCRT_FAILED_PRECONDITION);
    cr_assert_str_eq(info.reason, "FUNDS");
    cr_assert_str_eq(info.domain, "pay.v1");
    cr_assert_eq(info.n_entries, 1);
    cr_assert_str_eq(rpcrt_error_info_get(&info, "have"), "250");
    cr_assert_null(rpcrt_error_info_get(&info, "hav"));
}

Test(details, fit_with_every_text_at_its_longest)
{
    struct rpcrt_error_info given = {.n_entries = 0};
    char text[2 * RPCRT_TEXT_SIZE];
    char name[RPCRT_REASON_SIZE_MAX + 1];
    size_t size;
    size_t i;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    rpcrt__details_text(given.reason, sizeof given.reason, text);
    rpcrt__details_text(given.domain, sizeof given.domain, text);
    for (i = 0; i < RPCRT_INFO_ENTRIES_MAX; i++) {
        memset(name, 'a' + (int)i, sizeof name - 1);
        name[sizeof name - 1] = '\0';
        cr_assert(rpcrt__details_add(&given, name, text));
    }
    cr_assert_not(rpcrt__details_add(&given, "more", "x"));
    cr_assert(rpcrt__details_add(&given, name, "again"));
    size = rpcrt__details_encode(RPCRT_ABORTED, text, &given, bytes);
    cr_assert_leq(size, sizeof bytes);
    cr_assert(decode(bytes, size));
    cr_assert_eq(info.n_entries, RPCRT_INFO_ENTRIES_MAX);
    cr_assert_eq(strlen(info.reason), RPCRT_REASON_SIZE_MAX);
    cr_assert_str_eq(rpcrt_error_info_get(&info, name), "again");
}

Test(details, are_cut_at_a_character)
{
    char text[] = "123456789\xc3\xa4";
    char field[11];

    rpcrt__details_text(field, sizeof field, text);
    cr_assert_str_eq(field, "123456789");
}

Test(details, that_are_cut_off_are_not_read)
{
    struct rpcrt_error_info given = {.reason = "R", .domain = "D"};
    size_t size;
    size_t i;

    cr_assert(rpcrt__details_add(&given, "name", "value"));
    size = rpcrt__details_encode(RPCRT_ABORTED, "text", &given, bytes);
    for (i = 0; i < size; i++) {
        cr_assert_not(decode(bytes, i), "%zu of %zu bytes", i, size);
    }
}

Test(details, of_other_types_are_skipped)
{
    cr_assert(decode_any(URL, "\x0a\x01R", 3));
    cr_assert(decode_any("/google.rpc.ErrorInfo", "\x0a\x01R", 3));
    cr_assert_not(decode_any("google.rpc.ErrorInfo", "\x0a\x01R", 3));
    cr_assert_not(decode_any("x/my.google.rpc.ErrorInfo", "\x0a\x01R", 3));
    cr_assert_not(decode_any("x/google.rpc.ErrorInfos", "\x0a\x01R", 3));
    cr_assert_not(decode_any("", "\x0a\x01R", 3));
    cr_assert_not(decode("", 0));
}

Test(details, that_are_no_text_are_not_read)
{
    cr_assert_not(decode_any(URL, "\x0a\x01\xff", 3));
    cr_assert_not(decode_any(URL, "\x0a\x01\0", 3));
    cr_assert_not(decode_any(URL, "\x1a\x03\x12\x01\xc3", 5));
}

Test(details, with_fields_of_later_versions_are_read)
{
    /* A varint, eight bytes, four bytes and a text, all unknown. */
    cr_assert(decode_any(URL,
                         "\x50\xff\x01\x51"
                         "12345678\x55"
                         "1234\x52\x01z\x0a\x01R",
                         23));
    cr_assert_str_eq(info.reason, "R");
}

Test(details, that_break_the_format_are_not_read)
{
    static const struct {
        const char *bytes;
        size_t size;
    } broken[] = {
        {"\x00\x01", 2},                                      /* field 0 */
        {"\x53\x54", 2},                                      /* a group */
        {"\x56\x01", 2},                                      /* no wire type */
        {"\x50\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}, /* 65 bits */
        {"\x80\x80\x80\x80\x80\x01\x01", 7}, /* a tag of 36 bits */
        {"\x52\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
    };
    size_t i;

    for (i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        cr_assert_not(decode_any(URL, broken[i].bytes, broken[i].size), "%zu",
                      i);
    }
}

Test(details, have_the_last_value_of_a_field_and_of_an_entry)
{
    cr_assert(decode_any(URL,
                         "\x0a\x01R\x0a\x01S"
                         "\x1a\x06\x0a\x01k\x12\x01v\x1a\x06\x0a\x01k\x12\x01w",
                         22));
    cr_assert_str_eq(info.reason, "S");
    cr_assert_eq(info.n_entries, 1);
    cr_assert_str_eq(rpcrt_error_info_get(&info, "k"), "w");
}

/* -- from a handler to its caller ------------------------------------------ */

static enum rpcrt_code
refuse(void *self, struct rpcrt_ctx *ctx, const Probe__V1__EchoRequest *request,
       Probe__V1__EchoReply *reply)
{
    char long_text[RPCRT_INFO_VALUE_SIZE_MAX + 2];
    enum rpcrt_code refused;

    (void)self;
    (void)request;
    (void)reply;
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    refused = rpcrt_ctx_refuse(ctx, RPCRT_FAILED_PRECONDITION, "payment.v1",
                               "INSUFFICIENT_FUNDS", "only %d", 250);
    rpcrt_ctx_refuse_with(ctx, "have", "250");
    rpcrt_ctx_refuse_with(ctx, "need", "900");
    rpcrt_ctx_refuse_with(ctx, "long", long_text);
    rpcrt_ctx_refuse_with(ctx, "no text", "\xff");
    return refused;
}

/* Refused first, then failed for another reason. */
static enum rpcrt_code
change_mind(void *self, struct rpcrt_ctx *ctx,
            const Probe__V1__EchoRequest *request, Probe__V1__EchoReply *reply)
{
    (void)refuse(self, ctx, request, reply);
    return rpcrt_ctx_fail(ctx, RPCRT_ABORTED, "try again");
}

static const struct probe_service refusing = {.echo = refuse,
                                              .meet = change_mind};

Test(details, come_from_a_handler_to_its_caller, .timeout = 30)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(probe_serve(server, &refusing, NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, "inproc://refusing", NULL),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new("inproc://refusing", NULL, &channel),
                 RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    expect_code(call, RPCRT_FAILED_PRECONDITION,
                probe_echo(call, &request, &reply));
    cr_expect_str_eq(rpcrt_call_message(call), "only 250");
    cr_assert(rpcrt_call_error_info(call, &info));
    cr_expect_str_eq(info.reason, "INSUFFICIENT_FUNDS");
    cr_expect_str_eq(info.domain, "payment.v1");
    cr_expect_eq(info.n_entries, 2);
    cr_expect_str_eq(rpcrt_error_info_get(&info, "have"), "250");
    cr_expect_str_eq(rpcrt_error_info_get(&info, "need"), "900");
    expect_code(call, RPCRT_UNIMPLEMENTED, probe_hang(call, &request, &reply));
    cr_expect_not(rpcrt_call_error_info(call, &info));
    expect_code(call, RPCRT_ABORTED, probe_meet(call, &request, &reply));
    cr_expect_not(rpcrt_call_error_info(call, &info));
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
}
