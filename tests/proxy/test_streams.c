/*
 * Streams on a bad network: delays, slices, and messages that overtake each
 * other or come twice harm none of them; what breaks the connection ends them
 * clearly, at both ends.
 */
#include "proxy/passage.h"
#include "support/stream.h"

#include <stdio.h>

/* A silent peer is found soon. */
static const struct rpcrt_channel_options quick = {
    .keepalive_ms = 100,
    .keepalive_timeout_ms = 200,
    .backoff_ms_min = 1,
    .backoff_ms_max = 10,
};

/* Messages and sizes of one round. */
#define N 100u
#define SIZE 30000u

/* Every kind of stream, checked. */
static void
round_trip(struct passage *passage, uint32_t n, uint32_t size, uint32_t seed)
{
    struct rpcrt_call *call = bed_call(passage->channel, 2 * BED_TIMEOUT_MS);
    const Probe__V1__SumReply *reply = NULL;
    struct script script;

    script_init(&script, n, size, seed);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, n);
    expect_no_more(call, probe_pour_next);
    expect_ok(call, probe_pour_finish(call));

    probe_sum_open(call);
    send_messages(call, probe_sum_send, 0, n, size, seed);
    expect_ok(call, probe_sum_finish(call, &reply));
    cr_assert_eq(reply->count, n);
    cr_assert_eq(reply->n_wrong, 0);

    probe_chat_open(call);
    for (uint32_t i = 0; i < n / 10; i++) {
        send_messages(call, probe_chat_send, i, i + 1, size, seed);
        expect_messages(call, probe_chat_next, &script, i, i + 1);
    }
    expect_ok(call, probe_chat_finish(call));
    rpcrt_call_free(call);
}

Test(proxy_streams, arrive_whole_on_a_slow_and_uneven_way, .timeout = 120)
{
    struct passage passage;

    passage_open(&passage, 1, NULL, NULL);
    passage_set(&passage, "latency-ms=3,jitter-ms=5", "latency-ms=2");
    round_trip(&passage, N, SIZE, 1);
    passage_set(&passage, "bytes-per-s=2000000", "bytes-per-s=2000000");
    round_trip(&passage, N, SIZE, 2);
    passage_set(&passage, "slice-bytes=1", "slice-bytes=1");
    round_trip(&passage, 20, 500, 3);
    cr_assert_eq(passage_stats(&passage).connections, 1);
    passage_close(&passage);
}

Test(proxy_streams, arrive_in_order_though_messages_overtake_others,
     .timeout = 120)
{
    struct passage passage;

    passage_open(&passage, 3, NULL, NULL);
    passage_set(&passage, "reorder=200,spare-messages=1",
                "reorder=200,spare-messages=1");
    for (uint32_t seed = 1; seed < 6; seed++) {
        round_trip(&passage, N, SIZE, seed);
    }
    cr_assert_eq(passage_stats(&passage).connections, 1);
    cr_assert_gt(passage_stats(&passage).ways[PROXY_DOWN].reordered, 2);
    passage_close(&passage);
}

Test(proxy_streams, arrive_once_though_messages_come_twice, .timeout = 120)
{
    struct passage passage;

    passage_open(&passage, 1, NULL, NULL);
    passage_set(&passage, NULL, "duplicate=1000");
    round_trip(&passage, N, SIZE, 1);
    cr_assert_gt(passage_stats(&passage).ways[PROXY_DOWN].duplicated, 10);
    passage_close(&passage);
}

/* -- broken connections ---------------------------------------------------- */

/* Open a stream that has begun to flow. */
static void
begin(struct rpcrt_call *call)
{
    struct script script;

    script_init(&script, UINT32_MAX, 1000, 0);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 10);
}

/* Take what still comes; the end is that of a lost connection, at the server
 * too, and the next stream finds another one. */
static void
expect_lost(struct passage *passage, struct rpcrt_call *call)
{
    const Probe__V1__EchoReply *message = NULL;

    while (probe_pour_next(call, &message)) {
    }
    expect_code(call, RPCRT_UNAVAILABLE, probe_pour_finish(call));
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_TRANSPORT);
    cr_assert(rpcrt_call_may_have_run(call));
    rpcrt_call_free(call);
    passage_set(passage, NULL, NULL);
    bed_await(&passage->probe.n_streaming, 0);
    passage_recover(passage);
    round_trip(passage, 10, 1000, 1);
}

Test(proxy_streams, end_with_a_connection_that_is_reset, .timeout = 60)
{
    struct passage passage;
    struct rpcrt_call *call;

    for (unsigned gently = 0; gently < 2; gently++) {
        passage_open(&passage, 1, NULL, &quick);
        call = bed_call(passage.channel, BED_TIMEOUT_MS);
        begin(call);
        cr_assert_eq(proxy_reset(passage.proxy, gently != 0), 1);
        expect_lost(&passage, call);
        passage_close(&passage);
    }
}

Test(proxy_streams, end_wherever_a_connection_breaks, .timeout = 120)
{
    for (unsigned bytes = 1000; bytes < 200000; bytes += 23456) {
        struct passage passage;
        struct rpcrt_call *call;
        const Probe__V1__EchoReply *message = NULL;
        struct script script;
        char fault[64];
        uint64_t i;

        (void)snprintf(fault, sizeof(fault), "close-after-bytes=%u", bytes);
        passage_open(&passage, bytes, NULL, &quick);
        passage_set(&passage, NULL, fault);
        call = bed_call(passage.channel, BED_TIMEOUT_MS);
        script_init(&script, UINT32_MAX, 1000, 0);
        probe_pour_open(call, &script.message);
        for (i = 0; probe_pour_next(call, &message); i++) {
            cr_assert(probe_is_pattern(message->payload, i));
        }
        cr_assert_leq(i, bytes / 1000);
        expect_lost(&passage, call);
        passage_close(&passage);
    }
}

Test(proxy_streams, end_when_the_peer_falls_silent, .timeout = 60)
{
    static const struct rpcrt_server_options quick_server = {
        .keepalive_ms = 100, .keepalive_timeout_ms = 200};
    struct passage passage;
    struct rpcrt_call *call;

    for (unsigned up = 0; up < 2; up++) {
        passage_open(&passage, 1, &quick_server, &quick);
        call = bed_call(passage.channel, BED_TIMEOUT_MS);
        begin(call);
        passage_set(&passage, up ? "blackhole=1" : NULL,
                    up ? NULL : "blackhole=1");
        expect_lost(&passage, call);
        passage_close(&passage);
    }
}

/* -- a lost message -------------------------------------------------------- */

Test(proxy_streams, that_lose_a_message_end_instead_of_skipping_it,
     .timeout = 60)
{
    struct passage passage;
    struct rpcrt_call *call;
    const Probe__V1__EchoReply *message = NULL;
    uint64_t i;

    passage_open(&passage, 5, NULL, &quick);
    call = bed_call(passage.channel, 1000);
    begin(call);
    passage_set(&passage, NULL, "drop=1000,harm-max=1");
    for (i = 10; probe_pour_next(call, &message); i++) {
        cr_assert(probe_is_pattern(message->payload, i));
    }
    cr_assert_neq(probe_pour_finish(call), RPCRT_OK);
    cr_assert_eq(passage_stats(&passage).ways[PROXY_DOWN].dropped, 1);
    rpcrt_call_free(call);
    passage_set(&passage, NULL, NULL);
    (void)proxy_reset(passage.proxy, false);
    bed_await(&passage.probe.n_streaming, 0);
    passage_recover(&passage);
    passage_close(&passage);
}
