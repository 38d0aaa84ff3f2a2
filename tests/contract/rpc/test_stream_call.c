/*
 * The call object of a stream: used again, wrongly, or before there is anybody
 * to talk to.
 */
#include "support/stream.h"

#include <rpcrt/gen.h>
#include <string.h>

EACH_TRANSPORT(stream_call, may_be_left_and_used_again, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    const Probe__V1__EchoReply *message;
    Probe__V1__Step step = step_of(0, 1000);

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 1000, 5000, 0);
    for (unsigned i = 0; i < 20; i++) {
        probe_pour_open(call, &script.message);
        cr_assert(probe_pour_next(call, &message));
        probe_chat_open(call);
        cr_assert(probe_chat_send(call, &step));
        if (i % 2 == 0) {
            cr_assert(probe_chat_next(call, &message));
            cr_assert_eq(message->payload.len, 1000);
        }
        bed_echo(call, 1000);
    }
    /* Nobody goes on with what was left. */
    bed_await(&bed.probe.n_streaming, 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream_call, drops_what_came_when_it_is_cancelled, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    Probe__V1__Step stand = PROBE__V1__STEP__INIT;
    Probe__V1__Step *steps[2] = {&script.step, &stand};
    const Probe__V1__EchoReply *message;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 10, 100, 0);
    stand.stand = true;
    script.message.steps = steps;
    script.message.n_steps = 2;
    probe_pour_open(call, &script.message);
    cr_assert(probe_pour_next(call, &message));
    bed_await(&bed.probe.n_standing, 1);
    expect_ok(call, rpcrt_call_wait_next(call, -1));
    rpcrt_call_cancel(call);
    cr_assert_not(probe_pour_next(call, &message));
    expect_code(call, RPCRT_CANCELLED, probe_pour_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}

#define METHOD(name, flags)                                                    \
    {                                                                          \
        "/probe.v1.Probe/" name, &probe__v1__echo_request__descriptor,         \
            &probe__v1__echo_reply__descriptor, (flags), NULL                  \
    }

/* What generated code never does. */
EACH_TRANSPORT(stream_call, of_the_wrong_kind_fails_clearly, 60)
{
    static const struct rpcrt_method echo = METHOD("Echo", 0);
    static const struct rpcrt_method pour =
        METHOD("Pour", RPCRT_METHOD_SERVER_STREAMING);
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *message;
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    rpcrt_call_open(call, &echo, &request.base);
    cr_assert_not(rpcrt_call_send(call, &request.base));
    cr_assert_not(rpcrt_call_next(call, &message));
    expect_code(call, RPCRT_INVALID_ARGUMENT,
                rpcrt_call_finish(call, &message));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "Echo"));
    cr_assert_not(rpcrt_call_may_have_run(call));
    expect_code(call, RPCRT_INVALID_ARGUMENT,
                rpcrt_call_unary(call, &pour, &request.base, &message));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "Pour"));
    bed_echo(call, 100);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* Client and server were made from different .proto files. */
EACH_TRANSPORT(stream_call, of_another_kind_than_the_servers_is_refused, 60)
{
    static const struct rpcrt_method sum = METHOD("Sum", 0);
    static const struct rpcrt_method echo =
        METHOD("Echo", RPCRT_METHOD_CLIENT_STREAMING);
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *message;
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    expect_code(call, RPCRT_UNIMPLEMENTED,
                rpcrt_call_unary(call, &sum, &request.base, &message));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "Sum"));
    cr_assert_not(rpcrt_call_may_have_run(call));
    rpcrt_call_open(call, &echo, NULL);
    expect_code(call, RPCRT_UNIMPLEMENTED, rpcrt_call_finish(call, &message));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "Echo"));
    cr_assert_not(rpcrt_call_may_have_run(call));
    bed_echo(call, 100);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream_call, tells_who_served_it_and_how_long, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    const Probe__V1__EchoReply *message;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    cr_assert_eq(rpcrt_call_attempts(call), 0u);
    cr_assert_eq(rpcrt_call_duration_us(call), 0u);
    script_init(&script, 1, 10, 0);
    script.step.pause_ms = 30;
    probe_pour_open(call, &script.message);
    cr_assert_eq(rpcrt_call_wait(call, 1), RPCRT_DEADLINE_EXCEEDED);
    cr_assert_eq(rpcrt_call_wait_next(call, 1), RPCRT_DEADLINE_EXCEEDED);
    cr_assert_eq(rpcrt_call_wait_headers(call, 1), RPCRT_DEADLINE_EXCEEDED);
    cr_assert(probe_pour_next(call, &message));
    cr_assert_geq(rpcrt_call_duration_us(call), 30000u);
    expect_ok(call, rpcrt_call_wait(call, -1));
    expect_ok(call, probe_pour_finish(call));
    cr_assert_geq(rpcrt_call_duration_us(call), 30000u);
    cr_assert_lt(rpcrt_call_duration_us(call), BED_TIMEOUT_MS * 1000u);
    cr_assert_eq(rpcrt_call_attempts(call), 1u);
    cr_assert_str_eq(rpcrt_call_peer(call), bed.address);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* What was queued goes to the first server that there is. */
Test(stream_call, may_begin_before_there_is_a_server, .timeout = 60)
{
    static const struct rpcrt_channel_options options = {.backoff_ms_min = 5,
                                                         .backoff_ms_max = 10};
    const Probe__V1__SumReply *reply;
    struct rpcrt_channel *channel;
    struct rpcrt_server *server;
    struct rpcrt_call *call;
    struct probe probe = {0};
    size_t room;

    cr_assert_eq(rpcrt_channel_new("inproc://stream-early", &options, &channel),
                 RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    rpcrt_call_set_wait_for_ready(call, true);
    probe_sum_open(call);
    room = rpcrt_call_room(call);
    send_messages(call, probe_sum_send, 0, 20, 5000, 3);
    cr_assert_lt(rpcrt_call_room(call), room);
    server = bed_serve(&probe, "inproc://stream-early", NULL, NULL);
    send_messages(call, probe_sum_send, 20, 200, 5000, 3);
    expect_ok(call, probe_sum_finish(call, &reply));
    cr_assert_eq(reply->count, 200u);
    cr_assert_eq(reply->n_wrong, 0u);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
}

/* A message of the client that the server does not take. */
EACH_TRANSPORT(stream_call, ends_at_its_own_message_above_the_limit, 60)
{
    const struct rpcrt_server_options options = {.message_size_max = 10000};
    const Probe__V1__SumReply *reply;
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__Step small = step_of(0, 5000);
    Probe__V1__Step large = step_of(1, 20000);

    bed_open(&bed, transport, &options, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 1);
    probe_sum_open(call);
    cr_assert(probe_sum_send(call, &small));
    cr_assert_not(probe_sum_send(call, &large));
    cr_assert_not(probe_sum_send(call, &small));
    cr_assert_eq(rpcrt_call_room(call), 0u);
    expect_code(call, RPCRT_RESOURCE_EXHAUSTED, probe_sum_finish(call, &reply));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "10000"), "%s",
                       rpcrt_call_message(call));
    bed_await(&bed.probe.n_streaming, 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}

Test(stream_call, keeps_to_the_sizes_of_a_service_config, .timeout = 60)
{
    struct rpcrt_channel_options options = {
        .service_config =
            "{\"methodConfig\": [{\"name\": [{\"service\": "
            "\"probe.v1.Probe\"}], \"maxRequestMessageBytes\": 100, "
            "\"maxResponseMessageBytes\": 50}]}"};
    struct bed bed;
    struct rpcrt_call *call;
    const Probe__V1__EchoReply *message;
    Probe__V1__Step small = step_of(0, 10);
    Probe__V1__Step between = step_of(1, 70);
    Probe__V1__Step large = step_of(1, 200);

    bed_open(&bed, "tcp", NULL, &options);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_chat_open(call);
    cr_assert(probe_chat_send(call, &small));
    cr_assert(probe_chat_next(call, &message));
    cr_assert_not(probe_chat_send(call, &large));
    expect_code(call, RPCRT_RESOURCE_EXHAUSTED, probe_chat_finish(call));
    cr_assert_not_null(
        strstr(rpcrt_call_message(call), "the service config allows 100"));
    probe_chat_open(call);
    cr_assert(probe_chat_send(call, &between));
    cr_assert_not(probe_chat_next(call, &message));
    expect_code(call, RPCRT_RESOURCE_EXHAUSTED, probe_chat_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}
