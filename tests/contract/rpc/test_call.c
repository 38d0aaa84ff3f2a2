/*
 * What a caller may expect of a call, over every transport.
 */
#include "support/probe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

EACH_TRANSPORT(call, brings_the_reply_back, 30)
{
    struct bed bed;
    struct rpcrt_call *call;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (size_t size = 0; size < 300; size += 37) {
        bed_echo(call, size);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(call, carries_messages_up_to_the_limit, 60)
{
    static const size_t sizes[] = {65535,  65536,   65537,          262144,
                                   262145, 1000000, (4u << 20) - 16};
    struct bed bed;
    struct rpcrt_call *call;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bed_echo(call, sizes[i]);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(call, is_answered_by_a_worker, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    request.ms = 5;
    expect_ok(call, probe_wait(call, &request, &reply));
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(call, is_answered_later_from_another_thread, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (uint32_t ms = 0; ms < 20; ms++) {
        request.ms = ms % 3;
        expect_ok(call, probe_later(call, &request, &reply));
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(call, carries_code_text_details_and_metadata_of_a_failure, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__FailRequest request = PROBE__V1__FAIL_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    uint8_t details[] = {8, 5, 0, 255};
    char text[] = "t\xc3\xa9xt";
    size_t size;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    request.text = text;
    request.details.data = details;
    request.details.len = sizeof details;
    for (unsigned code = 1; code <= RPCRT_UNAUTHENTICATED; code++) {
        request.code = code;
        expect_code(call, (enum rpcrt_code)code,
                    probe_fail(call, &request, &reply));
        cr_assert_str_eq(rpcrt_call_message(call), "t\xc3\xa9xt");
        cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_HANDLER);
        cr_assert(rpcrt_call_may_have_run(call));
        cr_assert_arr_eq(rpcrt_call_details(call, &size), details, 4);
        cr_assert_eq(size, 4);
        cr_assert_str_eq(rpcrt_call_metadata(call, "probe-trailer", NULL),
                         "seen");
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

Test(call, refuses_a_code_that_is_none, .timeout = 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__FailRequest request = PROBE__V1__FAIL_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    bed_open(&bed, "inproc", NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    request.code = 77;
    expect_code(call, RPCRT_INTERNAL, probe_fail(call, &request, &reply));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "77"));
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(call, ends_at_its_deadline_at_both_ends, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 10); /* so that it stands */
    rpcrt_call_set_timeout(call, 50);
    expect_code(call, RPCRT_DEADLINE_EXCEEDED,
                probe_hang(call, &request, &reply));
    cr_assert(rpcrt_call_may_have_run(call));
    bed_await(&bed.probe.n_hanging, 0);
    bed_await(&bed.probe.n_cancelled, 1);
    rpcrt_call_set_timeout(call, BED_TIMEOUT_MS);
    bed_echo(call, 10); /* the channel still works */
    rpcrt_call_free(call);
    bed_close(&bed);
}

static void *
cancel_when_it_hangs(void *arg)
{
    struct bed *bed = ((void **)arg)[0];

    bed_await(&bed->probe.n_hanging, 1);
    rpcrt_call_cancel(((void **)arg)[1]);
    return NULL;
}

EACH_TRANSPORT(call, is_cancelled_at_both_ends, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    void *args[2];
    pthread_t thread;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, 0);
    args[0] = &bed;
    args[1] = call;
    cr_assert_eq(pthread_create(&thread, NULL, cancel_when_it_hangs, args), 0);
    expect_code(call, RPCRT_CANCELLED, probe_hang(call, &request, &reply));
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_LOCAL);
    (void)pthread_join(thread, NULL);
    bed_await(&bed.probe.n_hanging, 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}

Test(call, of_a_handler_ends_with_the_call_that_it_serves, .timeout = 30)
{
    struct bed front;
    struct bed back;
    struct rpcrt_call *call;
    Probe__V1__RelayRequest request = PROBE__V1__RELAY_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    bed_open(&back, "tcp", NULL, NULL);
    bed_open(&front, "tcp", NULL, NULL);
    front.probe.next = back.channel;
    call = bed_call(front.channel, 100);
    expect_code(call, RPCRT_DEADLINE_EXCEEDED,
                probe_relay(call, &request, &reply));
    bed_await(&back.probe.n_hanging, 0);
    cr_assert_eq(atomic_load(&back.probe.n_cancelled), 1u);
    rpcrt_call_free(call);
    bed_close(&front);
    bed_close(&back);
}

Test(call, of_a_handler_is_cancelled_with_the_call_that_it_serves,
     .timeout = 30)
{
    struct bed front;
    struct bed back;
    struct rpcrt_call *call;
    Probe__V1__RelayRequest request = PROBE__V1__RELAY_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    void *args[2];
    pthread_t thread;

    bed_open(&back, "tcp", NULL, NULL);
    bed_open(&front, "tcp", NULL, NULL);
    front.probe.next = back.channel;
    call = bed_call(front.channel, 0);
    args[0] = &back;
    args[1] = call;
    cr_assert_eq(pthread_create(&thread, NULL, cancel_when_it_hangs, args), 0);
    expect_code(call, RPCRT_CANCELLED, probe_relay(call, &request, &reply));
    (void)pthread_join(thread, NULL);
    bed_await(&back.probe.n_hanging, 0);
    rpcrt_call_free(call);
    bed_close(&front);
    bed_close(&back);
}

EACH_TRANSPORT(call, is_seen_by_its_handler, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__DescribeReply *reply;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, 10000);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "probe-header", "value"),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "call-id", "abc-1"),
                 RPCRT_OK);
    expect_ok(call, probe_describe(call, &request, &reply));
    cr_assert_str_eq(reply->metadata, "value");
    cr_assert_str_eq(reply->call_id, "abc-1");
    cr_assert_str_eq(reply->method, "/probe.v1.Probe/Describe");
    cr_assert_str_eq(reply->peer_name,
                     strcmp(transport, "tls") == 0 ? "dev-client" : "");
    cr_assert_eq(strncmp(reply->peer, transport, strlen(transport)), 0, "%s",
                 reply->peer);
    cr_assert_gt(reply->time_left_ms, 5000);
    cr_assert_leq(reply->time_left_ms, 10000);
    cr_assert_str_eq(rpcrt_call_metadata(call, "probe-trailer", NULL), "seen");
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(call, of_a_method_that_nobody_serves_is_unimplemented, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    static const struct rpcrt_method nowhere = {
        .path = "/no.Such/Method",
        .request = &probe__v1__echo_request__descriptor,
        .reply = &probe__v1__echo_reply__descriptor};
    const ProtobufCMessage *raw;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    expect_code(call, RPCRT_UNIMPLEMENTED,
                probe_missing(call, &request, &reply));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "Missing"));
    cr_assert_not(rpcrt_call_may_have_run(call));
    expect_code(call, RPCRT_UNIMPLEMENTED,
                rpcrt_call_unary(call, &nowhere, &request.base, &raw));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "/no.Such/Method"));
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_RUNTIME);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(call, may_wait_for_a_later_one_of_its_batch, 30)
{
    struct bed bed;
    struct rpcrt_call *calls[2];
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    atomic_uint n_done = 0;

    bed_open(&bed, transport, NULL, NULL);
    calls[0] = bed_call(bed.channel, BED_TIMEOUT_MS);
    calls[1] = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (unsigned i = 0; i < 20; i++) {
        /* Started together before the connection stands the first time. */
        probe_meet_start(calls[0], &request, bed_done, &n_done);
        expect_ok(calls[1], probe_meet(calls[1], &request, &reply));
        bed_await(&n_done, i + 1);
        expect_ok(calls[0], probe_meet_take(calls[0], &reply));
    }
    rpcrt_call_free(calls[0]);
    rpcrt_call_free(calls[1]);
    bed_close(&bed);
}
