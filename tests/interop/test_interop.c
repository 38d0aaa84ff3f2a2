/*
 * gRPC's interoperation cases, over the native transports; their names and
 * numbers are those of its description. Not here:
 *   client_compressed_*, server_compressed_*: rpcrt does not compress
 *   cacheable_unary: asks for the verb GET and a proxy that caches
 *   compute_engine_*, jwt_token_creds, oauth2_auth_token, per_rpc_creds,
 *   google_default_credentials: accounts of Google's cloud
 *   orca_*: loads reported to a balancer of that cloud
 *   max_concurrent_streams_connection_scaling: a setting of HTTP/2
 *   long_lived_channel: waits for hours
 */
#include "grpc/testing/test.client.h"
#include "interop/service.h"
#include "support/probe.h"

#include <stdio.h>
#include <string.h>

/* The names of what is called, without what each begins with. */
#define empty_call grpc_testing_test_service_empty_call
#define unary_call grpc_testing_test_service_unary_call
#define unary_call_start grpc_testing_test_service_unary_call_start
#define unary_call_take grpc_testing_test_service_unary_call_take
#define output_open grpc_testing_test_service_streaming_output_call_open
#define output_next grpc_testing_test_service_streaming_output_call_next
#define output_finish grpc_testing_test_service_streaming_output_call_finish
#define input_open grpc_testing_test_service_streaming_input_call_open
#define input_send grpc_testing_test_service_streaming_input_call_send
#define input_finish grpc_testing_test_service_streaming_input_call_finish
#define duplex_open grpc_testing_test_service_full_duplex_call_open
#define duplex_send grpc_testing_test_service_full_duplex_call_send
#define duplex_next grpc_testing_test_service_full_duplex_call_next
#define duplex_close_send grpc_testing_test_service_full_duplex_call_close_send
#define duplex_finish grpc_testing_test_service_full_duplex_call_finish
#define half_open grpc_testing_test_service_half_duplex_call_open
#define half_send grpc_testing_test_service_half_duplex_call_send
#define half_next grpc_testing_test_service_half_duplex_call_next
#define half_finish grpc_testing_test_service_half_duplex_call_finish

static const int32_t request_sizes[] = {27182, 8, 1828, 45904};
static const int32_t reply_sizes[] = {31415, 9, 2653, 58979};

static uint8_t zeros[300000];

static struct rpcrt_call *
set_up(struct bed *bed, const char *transport)
{
    bed_open_with(bed, transport, interop_serve, NULL);
    return bed_call(bed->channel, BED_TIMEOUT_MS);
}

static void
tear_down(struct bed *bed, struct rpcrt_call *call)
{
    rpcrt_call_free(call);
    bed_close(bed);
}

/* A payload of zeros. */
static Grpc__Testing__Payload
payload_of(int32_t size)
{
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;

    payload.body.data = zeros;
    payload.body.len = (size_t)size;
    return payload;
}

static void
expect_payload(const Grpc__Testing__Payload *payload, size_t size)
{
    cr_assert_not_null(payload);
    cr_assert_eq(payload->body.len, size);
    for (size_t i = 0; i < size; i++) {
        cr_assert_eq(payload->body.data[i], 0);
    }
}

/* A request of full duplex: a payload of that size, an answer of that. */
struct turn {
    Grpc__Testing__StreamingOutputCallRequest message;
    Grpc__Testing__Payload payload;
    Grpc__Testing__ResponseParameters parameters;
    Grpc__Testing__ResponseParameters *list[1];
};

static void
turn_init(struct turn *turn, int32_t request_size, int32_t reply_size)
{
    grpc__testing__streaming_output_call_request__init(&turn->message);
    grpc__testing__response_parameters__init(&turn->parameters);
    turn->payload = payload_of(request_size);
    turn->parameters.size = reply_size;
    turn->list[0] = &turn->parameters;
    turn->message.payload = &turn->payload;
    turn->message.response_parameters = turn->list;
    turn->message.n_response_parameters = 1;
}

/* Make the large unary call, checked. */
static void
large_unary(struct rpcrt_call *call)
{
    Grpc__Testing__SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;
    Grpc__Testing__Payload payload = payload_of(271828);
    const Grpc__Testing__SimpleResponse *reply = NULL;

    request.response_size = 314159;
    request.payload = &payload;
    expect_ok(call, unary_call(call, &request, &reply));
    expect_payload(reply->payload, 314159);
}

/* -- calls ----------------------------------------------------------------- */

EACH_TRANSPORT(interop, empty_unary, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
    const Grpc__Testing__Empty *reply = NULL;

    expect_ok(call, empty_call(call, &request, &reply));
    cr_assert_eq(grpc__testing__empty__get_packed_size(reply), 0);
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, large_unary, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);

    large_unary(call);
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, client_streaming, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    const Grpc__Testing__StreamingInputCallResponse *reply = NULL;

    input_open(call);
    for (size_t i = 0; i < 4; i++) {
        Grpc__Testing__StreamingInputCallRequest message =
            GRPC__TESTING__STREAMING_INPUT_CALL_REQUEST__INIT;
        Grpc__Testing__Payload payload = payload_of(request_sizes[i]);

        message.payload = &payload;
        cr_assert(input_send(call, &message));
    }
    expect_ok(call, input_finish(call, &reply));
    cr_assert_eq(reply->aggregated_payload_size, 74922);
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, server_streaming, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    Grpc__Testing__StreamingOutputCallRequest request =
        GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;
    Grpc__Testing__ResponseParameters parameters[4];
    Grpc__Testing__ResponseParameters *list[4];
    const Grpc__Testing__StreamingOutputCallResponse *message = NULL;

    for (size_t i = 0; i < 4; i++) {
        grpc__testing__response_parameters__init(&parameters[i]);
        parameters[i].size = reply_sizes[i];
        list[i] = &parameters[i];
    }
    request.response_parameters = list;
    request.n_response_parameters = 4;
    output_open(call, &request);
    for (size_t i = 0; i < 4; i++) {
        cr_assert(output_next(call, &message));
        expect_payload(message->payload, (size_t)reply_sizes[i]);
    }
    cr_assert_not(output_next(call, &message));
    expect_ok(call, output_finish(call));
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, ping_pong, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    const Grpc__Testing__StreamingOutputCallResponse *message = NULL;
    struct turn turn;

    duplex_open(call);
    for (size_t i = 0; i < 4; i++) {
        turn_init(&turn, request_sizes[i], reply_sizes[i]);
        cr_assert(duplex_send(call, &turn.message));
        cr_assert(duplex_next(call, &message));
        expect_payload(message->payload, (size_t)reply_sizes[i]);
    }
    duplex_close_send(call);
    cr_assert_not(duplex_next(call, &message));
    expect_ok(call, duplex_finish(call));
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, half_duplex, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    const Grpc__Testing__StreamingOutputCallResponse *message = NULL;
    struct turn turn;

    half_open(call);
    for (size_t i = 0; i < 4; i++) {
        turn_init(&turn, request_sizes[i], reply_sizes[i]);
        cr_assert(half_send(call, &turn.message));
    }
    grpc_testing_test_service_half_duplex_call_close_send(call);
    for (size_t i = 0; i < 4; i++) {
        cr_assert(half_next(call, &message));
        expect_payload(message->payload, (size_t)reply_sizes[i]);
    }
    expect_ok(call, half_finish(call));
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, empty_stream, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    const Grpc__Testing__StreamingOutputCallResponse *message = NULL;

    duplex_open(call);
    duplex_close_send(call);
    cr_assert_not(duplex_next(call, &message));
    expect_ok(call, duplex_finish(call));
    tear_down(&bed, call);
}

/* -- metadata and statuses ------------------------------------------------- */

static const char initial_value[] = "test_initial_metadata_value";
static const uint8_t trailing_value[] = {0xab, 0xab, 0xab};

static void
expect_metadata(struct rpcrt_call *call)
{
    const char *value;
    size_t size = 0;

    value = rpcrt_call_header(call, ECHO_INITIAL, &size);
    cr_assert_str_eq(value, initial_value);
    value = rpcrt_call_metadata(call, ECHO_TRAILING, &size);
    cr_assert_eq(size, 3);
    cr_assert_arr_eq(value, trailing_value, 3);
}

EACH_TRANSPORT(interop, custom_metadata, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    const Grpc__Testing__StreamingOutputCallResponse *message = NULL;
    struct turn turn;

    cr_assert_eq(
        rpcrt_call_set_metadata_text(call, ECHO_INITIAL, initial_value),
        RPCRT_OK);
    cr_assert_eq(
        rpcrt_call_set_metadata(call, ECHO_TRAILING, trailing_value, 3),
        RPCRT_OK);
    large_unary(call);
    expect_metadata(call);
    turn_init(&turn, 271828, 314159);
    duplex_open(call);
    cr_assert(duplex_send(call, &turn.message));
    duplex_close_send(call);
    cr_assert(duplex_next(call, &message));
    expect_payload(message->payload, 314159);
    expect_ok(call, duplex_finish(call));
    expect_metadata(call);
    tear_down(&bed, call);
}

/* Ask for code 2 and a text, by a unary call and a stream. */
static void
expect_status(struct rpcrt_call *call, char *text)
{
    Grpc__Testing__EchoStatus status;
    Grpc__Testing__SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;
    const Grpc__Testing__SimpleResponse *reply = NULL;
    const Grpc__Testing__StreamingOutputCallResponse *message = NULL;
    struct turn turn;

    grpc__testing__echo_status__init(&status);
    status.code = 2;
    status.message = text;
    request.response_status = &status;
    expect_code(call, RPCRT_UNKNOWN, unary_call(call, &request, &reply));
    cr_assert_str_eq(rpcrt_call_message(call), text);
    turn_init(&turn, 0, 0);
    turn.message.response_status = &status;
    duplex_open(call);
    cr_assert(duplex_send(call, &turn.message));
    duplex_close_send(call);
    cr_assert_not(duplex_next(call, &message));
    expect_code(call, RPCRT_UNKNOWN, duplex_finish(call));
    cr_assert_str_eq(rpcrt_call_message(call), text);
}

EACH_TRANSPORT(interop, status_code_and_message, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    char text[] = "test status message";

    expect_status(call, text);
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, special_status_message, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    char text[] = "\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba "
                  "and non-BMP \xf0\x9f\x98\x88\t\n";

    expect_status(call, text);
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, unimplemented_method_and_service, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
    const Grpc__Testing__Empty *reply = NULL;

    expect_code(
        call, RPCRT_UNIMPLEMENTED,
        grpc_testing_test_service_unimplemented_call(call, &request, &reply));
    expect_code(call, RPCRT_UNIMPLEMENTED,
                grpc_testing_unimplemented_service_unimplemented_call(
                    call, &request, &reply));
    tear_down(&bed, call);
}

/* -- ends before their time ------------------------------------------------ */

EACH_TRANSPORT(interop, cancel_after_begin, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    const Grpc__Testing__StreamingInputCallResponse *reply = NULL;

    input_open(call);
    rpcrt_call_cancel(call);
    expect_code(call, RPCRT_CANCELLED, input_finish(call, &reply));
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, cancel_after_first_response, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    const Grpc__Testing__StreamingOutputCallResponse *message = NULL;
    struct turn turn;

    turn_init(&turn, 27182, 31415);
    duplex_open(call);
    cr_assert(duplex_send(call, &turn.message));
    cr_assert(duplex_next(call, &message));
    expect_payload(message->payload, 31415);
    rpcrt_call_cancel(call);
    expect_code(call, RPCRT_CANCELLED, duplex_finish(call));
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, timeout_on_sleeping_server, 30)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    const Grpc__Testing__StreamingOutputCallResponse *message = NULL;
    struct turn turn;

    large_unary(call); /* so that the connection stands */
    rpcrt_call_set_timeout(call, 1);
    turn_init(&turn, 27182, 31415);
    turn.parameters.interval_us = 1000000;
    duplex_open(call);
    if (duplex_send(call, &turn.message)) {
        cr_assert_not(duplex_next(call, &message));
    }
    expect_code(call, RPCRT_DEADLINE_EXCEEDED, duplex_finish(call));
    tear_down(&bed, call);
}

/* -- many ------------------------------------------------------------------ */

EACH_TRANSPORT(interop, rpc_soak, 60)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);

    for (unsigned i = 0; i < 100; i++) {
        large_unary(call);
    }
    tear_down(&bed, call);
}

EACH_TRANSPORT(interop, channel_soak, 60)
{
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    struct rpcrt_channel_options options = {.tls = NULL};
    struct rpcrt_tls server_tls, client_tls;

    rpcrt_call_free(call);
    if (strcmp(transport, "tls") == 0) {
        bed_tls(&server_tls, &client_tls);
        options.tls = &client_tls;
    }
    for (unsigned i = 0; i < 20; i++) {
        rpcrt_channel_free(bed.channel);
        cr_assert_eq(rpcrt_channel_new(bed.address, &options, &bed.channel),
                     RPCRT_OK);
        call = bed_call(bed.channel, BED_TIMEOUT_MS);
        large_unary(call);
        rpcrt_call_free(call);
    }
    bed_close(&bed);
}

#define N_CALLS 1000u

EACH_TRANSPORT(interop, concurrent_large_unary, 60)
{
    static struct rpcrt_call *calls[N_CALLS];
    struct bed bed;
    struct rpcrt_call *call = set_up(&bed, transport);
    Grpc__Testing__SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;
    Grpc__Testing__Payload payload = payload_of(27182);
    const Grpc__Testing__SimpleResponse *reply = NULL;

    request.response_size = 31415;
    request.payload = &payload;
    for (unsigned i = 0; i < N_CALLS; i++) {
        calls[i] = bed_call(bed.channel, 2 * BED_TIMEOUT_MS);
        unary_call_start(calls[i], &request, NULL, NULL);
    }
    for (unsigned i = 0; i < N_CALLS; i++) {
        cr_assert_eq(rpcrt_call_wait(calls[i], -1), RPCRT_OK);
        expect_ok(calls[i], unary_call_take(calls[i], &reply));
        expect_payload(reply->payload, 31415);
        rpcrt_call_free(calls[i]);
    }
    tear_down(&bed, call);
}
