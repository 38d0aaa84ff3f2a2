/*
 * RetryInfo and BadRequest: their bytes, which protoc made of the messages of
 * google/rpc, that nothing in them can mislead a reader, and their way from a
 * handler to its caller.
 */
#include "wire/details.h"

#include "support/probe.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL "type.googleapis.com/google.rpc."

/* Status { code: 8 message: "busy" details: RetryInfo { 1.5 s } } */
static const char busy[] = "\010\010\022\004busy\0326\012\050" URL
                           "RetryInfo\022\012\012\010\010\001\020\200\312\265"
                           "\356\001";
/* Status { code: 3 message: "bad" details: ErrorInfo { reason: "BAD" domain:
 * "pay.v1" } details: BadRequest { "card.number": "too short", "amount":
 * "negative" } } */
static const char bad[] =
    "\010\003\022\003bad\0329\012\050" URL
    "ErrorInfo\022\015\012\003BAD\022\006pay.v1\032[\012\051" URL
    "BadRequest\022.\012\030\012\013card.number\022\011too short\012\022\012"
    "\006amount\022\010negative";

static uint8_t bytes[RPCRT_DETAILS_SIZE_MAX];
static uint8_t value[RPCRT__DETAIL_MAX];
static struct rpcrt_violation violations[4];

/* Both from the heap, where a read behind the end is seen. */
static bool
delay_decode(const void *status, size_t size, uint64_t *ret_delay_ms)
{
    uint8_t *copy = malloc(size + 1);
    bool ok;

    cr_assert_not_null(copy);
    memcpy(copy + 1, status, size);
    ok = rpcrt__retry_info_decode(copy + 1, size, ret_delay_ms);
    free(copy);
    return ok;
}

static size_t
violations_decode(const void *status, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    size_t n;

    cr_assert_not_null(copy);
    memcpy(copy + 1, status, size);
    n = rpcrt__violations_decode(copy + 1, size, violations, 4);
    free(copy);
    return n;
}

/* A Status with a detail alone. */
static size_t
status_with(const char *type, const void *detail, size_t size)
{
    return rpcrt__details_put(bytes, 0, type, detail, size, bytes,
                              sizeof bytes);
}

/* -- RetryInfo ------------------------------------------------------------- */

Test(details_retry, has_the_bytes_of_the_message)
{
    uint8_t begun[RPCRT__DETAILS_ENCODED_MAX];
    size_t size = rpcrt__details_begin(RPCRT_RESOURCE_EXHAUSTED, "busy", begun);
    uint64_t delay_ms = 0;

    size = rpcrt__details_put(begun, size, RPCRT__RETRY_INFO, value,
                              rpcrt__retry_info_encode(1500, value), bytes,
                              sizeof bytes);
    cr_assert_eq(size, sizeof busy - 1);
    cr_assert_arr_eq(bytes, busy, size);
    cr_assert(delay_decode(busy, size, &delay_ms));
    cr_assert_eq(delay_ms, 1500);
}

Test(details_retry, comes_back_as_it_was_sent)
{
    static const uint64_t delays_ms[] = {
        0, 1, 999, 1000, 86400, UINT64_C(315576000000000)};
    uint64_t delay_ms = 7;

    for (size_t i = 0; i < sizeof delays_ms / sizeof delays_ms[0]; i++) {
        size_t size =
            status_with(RPCRT__RETRY_INFO, value,
                        rpcrt__retry_info_encode(delays_ms[i], value));

        cr_assert(delay_decode(bytes, size, &delay_ms));
        cr_assert_eq(delay_ms, delays_ms[i]);
    }
    cr_assert(
        delay_decode(bytes,
                     status_with(RPCRT__RETRY_INFO, value,
                                 rpcrt__retry_info_encode(UINT64_MAX, value)),
                     &delay_ms));
    cr_assert_eq(delay_ms, UINT64_C(315576000000000));
}

Test(details_retry, that_makes_no_sense_is_not_read)
{
    static const struct {
        const char *value;
        size_t size;
    } wrong[] = {
        /* -1 s, -1 ns, 10^9 ns, 315576000001 s */
        {"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13},
        {"\x0a\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13},
        {"\x0a\x06\x10\x80\x94\xeb\xdc\x03", 8},
        {"\x0a\x07\x08\x81\xbc\xae\xce\x97\x09", 9},
        {"\x0a\x05\x08\x01", 4},
    };
    uint64_t delay_ms = 7;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        size_t size =
            status_with(RPCRT__RETRY_INFO, wrong[i].value, wrong[i].size);

        cr_expect_not(delay_decode(bytes, size, &delay_ms), "%zu", i);
    }
    cr_expect_eq(delay_ms, 7);
    for (size_t size = 0; size < sizeof busy - 1; size++) {
        cr_expect_not(delay_decode(busy, size, &delay_ms), "%zu bytes", size);
    }
    cr_expect_not(delay_decode(bad, sizeof bad - 1, &delay_ms));
}

Test(details_retry, that_is_too_short_for_a_millisecond_is_one)
{
    uint64_t delay_ms = 7;
    size_t size = status_with(RPCRT__RETRY_INFO, "\x0a\x02\x10\x01", 4);

    cr_assert(delay_decode(bytes, size, &delay_ms));
    cr_assert_eq(delay_ms, 1);
}

/* -- BadRequest ------------------------------------------------------------ */

Test(details_request, has_the_bytes_of_the_message)
{
    uint8_t begun[RPCRT__DETAILS_ENCODED_MAX];
    struct rpcrt_error_info info = {.reason = "BAD", .domain = "pay.v1"};
    size_t size =
        rpcrt__details_encode(RPCRT_INVALID_ARGUMENT, "bad", &info, begun);
    size_t n = rpcrt__violation_encode("card.number", "too short", value);

    n += rpcrt__violation_encode("amount", "negative", value + n);
    size = rpcrt__details_put(begun, size, RPCRT__BAD_REQUEST, value, n, bytes,
                              sizeof bytes);
    cr_assert_eq(size, sizeof bad - 1);
    cr_assert_arr_eq(bytes, bad, size);
    cr_assert_eq(violations_decode(bad, size), 2);
    cr_assert_str_eq(violations[0].field, "card.number");
    cr_assert_str_eq(violations[0].text, "too short");
    cr_assert_str_eq(violations[1].field, "amount");
    cr_assert_str_eq(violations[1].text, "negative");
}

Test(details_request, that_is_cut_off_is_not_read)
{
    /* It is the last detail, whose first byte stands at 68. */
    for (size_t size = 0; size < sizeof bad - 1; size++) {
        cr_expect_eq(violations_decode(bad, size), 0, "%zu bytes", size);
    }
}

Test(details_request, that_is_no_text_is_not_read)
{
    size_t size = status_with(RPCRT__BAD_REQUEST, "\x0a\x03\x0a\x01\xff", 5);

    cr_assert_eq(violations_decode(bytes, size), 0);
}

Test(details_request, tells_of_more_violations_than_are_taken)
{
    size_t n = 0;
    size_t size;

    for (unsigned i = 0; i < 6; i++) {
        n += rpcrt__violation_encode("f", "wrong", value + n);
    }
    size = status_with(RPCRT__BAD_REQUEST, value, n);
    cr_assert_eq(violations_decode(bytes, size), 6);
    cr_assert_str_eq(violations[3].text, "wrong");
}

Test(details_request, cuts_what_is_too_long)
{
    char longest[2 * RPCRT_VIOLATION_TEXT_MAX];
    size_t size;

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    size = rpcrt__violation_encode(longest, longest, value);
    cr_assert_leq(size, RPCRT__VIOLATION_MAX);
    size = status_with(RPCRT__BAD_REQUEST, value, size);
    cr_assert_eq(violations_decode(bytes, size), 1);
    cr_assert_eq(strlen(violations[0].field), RPCRT_VIOLATION_FIELD_MAX);
    cr_assert_eq(strlen(violations[0].text), RPCRT_VIOLATION_TEXT_MAX);
}

/* -- one among others ------------------------------------------------------ */

Test(details, keep_what_a_new_one_does_not_replace)
{
    size_t n = rpcrt__retry_info_encode(1500, value);
    size_t size =
        rpcrt__details_put((const uint8_t *)bad, sizeof bad - 1,
                           RPCRT__RETRY_INFO, value, n, bytes, sizeof bytes);
    struct rpcrt_error_info info = {.reason = "WORSE"};
    struct rpcrt_error_info found;
    uint8_t again[RPCRT_DETAILS_SIZE_MAX];
    uint64_t delay_ms = 0;
    uint32_t code = 0;

    cr_assert_gt(size, sizeof bad - 1);
    n = rpcrt__error_info_encode(&info, value);
    size = rpcrt__details_put(bytes, size, RPCRT__ERROR_INFO, value, n, again,
                              sizeof again);
    cr_assert(rpcrt__details_decode(again, size, &code, &found));
    cr_assert_eq(code, RPCRT_INVALID_ARGUMENT);
    cr_assert_str_eq(found.reason, "WORSE");
    cr_assert_eq(violations_decode(again, size), 2);
    cr_assert(delay_decode(again, size, &delay_ms));
    cr_assert_eq(delay_ms, 1500);
}

Test(details, are_never_larger_than_their_room)
{
    size_t n = rpcrt__retry_info_encode(1500, value);
    size_t size;

    for (size_t room = 0; room < sizeof busy - 1; room++) {
        size = rpcrt__details_put((const uint8_t *)busy, sizeof busy - 1,
                                  RPCRT__RETRY_INFO, value, n, bytes, room);
        cr_assert_eq(size, 0, "%zu", room);
    }
    cr_assert_eq(rpcrt__details_put((const uint8_t *)busy, sizeof busy - 1,
                                    RPCRT__RETRY_INFO, value, n, bytes,
                                    sizeof busy - 1),
                 sizeof busy - 1);
    cr_assert_arr_eq(bytes, busy, sizeof busy - 1);
    cr_assert_eq(rpcrt__details_put((const uint8_t *)busy, sizeof busy - 2,
                                    RPCRT__RETRY_INFO, value, n, bytes,
                                    sizeof bytes),
                 0);
}

/* -- from a handler to its caller ------------------------------------------ */

static enum rpcrt_code
push_back(void *self, struct rpcrt_ctx *ctx,
          const Probe__V1__EchoRequest *request, Probe__V1__EchoReply *reply)
{
    enum rpcrt_code code;

    (void)self;
    (void)request;
    (void)reply;
    code = rpcrt_ctx_refuse_retry_after(ctx, RPCRT_UNAVAILABLE, 40, "not %s",
                                        "now");
    rpcrt_ctx_add_retry_info(ctx, 250);
    return code;
}

static enum rpcrt_code
find_fault(void *self, struct rpcrt_ctx *ctx,
           const Probe__V1__EchoRequest *request, Probe__V1__EchoReply *reply)
{
    enum rpcrt_code code =
        rpcrt_ctx_fail(ctx, RPCRT_INVALID_ARGUMENT, "two things");

    (void)self;
    (void)request;
    (void)reply;
    rpcrt_ctx_add_violation(ctx, "payload", "%d bytes", 0);
    rpcrt_ctx_add_violation(ctx, "no text", "\xff");
    rpcrt_ctx_add_violation(ctx, "reply_size", "too large");
    rpcrt_ctx_add_retry_info(ctx, 0);
    return code;
}

/* So many that not all of them find room. */
static enum rpcrt_code
find_many_faults(void *self, struct rpcrt_ctx *ctx,
                 const Probe__V1__EchoRequest *request,
                 Probe__V1__EchoReply *reply)
{
    enum rpcrt_code code = rpcrt_ctx_refuse(ctx, RPCRT_INVALID_ARGUMENT,
                                            "probe", "MANY", "many things");

    (void)self;
    (void)request;
    (void)reply;
    for (unsigned i = 0; i < 100; i++) {
        rpcrt_ctx_add_violation(ctx, "payload", "%0200u", i);
    }
    rpcrt_ctx_refuse_with(ctx, "count", "100");
    return code;
}

static const struct probe_service service = {
    .echo = push_back, .meet = find_fault, .hang = find_many_faults};

static void
check_replies(struct rpcrt_call *call)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_error_info info;
    uint64_t delay_ms = 0;

    expect_code(call, RPCRT_UNAVAILABLE, probe_echo(call, &request, &reply));
    cr_expect_str_eq(rpcrt_call_message(call), "not now");
    cr_expect(rpcrt_call_retry_info(call, &delay_ms));
    cr_expect_eq(delay_ms, 250);
    cr_expect_eq(rpcrt_call_violations(call, violations, 4), 0);
    expect_code(call, RPCRT_INVALID_ARGUMENT,
                probe_meet(call, &request, &reply));
    cr_expect_eq(rpcrt_call_violations(call, violations, 4), 2);
    cr_expect_str_eq(violations[0].text, "0 bytes");
    cr_expect_str_eq(violations[1].field, "reply_size");
    cr_expect(rpcrt_call_retry_info(call, &delay_ms));
    cr_expect_eq(delay_ms, 0);
    expect_code(call, RPCRT_INVALID_ARGUMENT,
                probe_hang(call, &request, &reply));
    cr_expect_gt(rpcrt_call_violations(call, violations, 4), 30);
    cr_expect_lt(rpcrt_call_violations(call, violations, 4), 40);
    cr_expect(rpcrt_call_error_info(call, &info));
    cr_expect_str_eq(info.reason, "MANY");
}

Test(details_retry, comes_from_a_handler_to_its_caller, .timeout = 30)
{
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(probe_serve(server, &service, NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, "inproc://details", NULL),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new("inproc://details", NULL, &channel),
                 RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    check_replies(call);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
}
