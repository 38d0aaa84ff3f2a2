/*
 * Windows: who is slow slows down its own sender and nobody else, memory stays
 * flat, and who must not wait need not.
 */
#include "contract/rpc/stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1u << 20)

/* What both sides may hold of a stream of messages of 1 MiB: a window and a
 * message here, a queue there, and what is in the sender's hand. */
#define HELD_MAX 6u
#define GROWTH_MAX ((size_t)16 << 20)

/* Check that memory has not grown by much since then. */
static void
expect_flat(size_t before)
{
    size_t now = resident_bytes();

    cr_assert(!resident_counts() || now < before + GROWTH_MAX,
              "from %zu to %zu KiB", before >> 10, now >> 10);
}

/* Check that a stream and a unary call beside a standing one are as quick as
 * without it. */
static void
expect_unhindered(struct bed *bed, uint64_t p99_before_us)
{
    struct rpcrt_call *call = bed_call(bed->channel, BED_TIMEOUT_MS);
    struct script script;
    uint64_t p99_us = echo_p99_us(bed->channel, 500);

    cr_assert_lt(p99_us, 5 * p99_before_us + 20000);
    script_init(&script, 64, MIB, 0);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 64);
    expect_ok(call, probe_pour_finish(call));
    rpcrt_call_free(call);
}

EACH_TRANSPORT(stream_flow, lets_a_server_wait_for_a_reader_that_stands, 120)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    unsigned long long n_sent;
    uint64_t p99_us;
    size_t before;

    bed_open(&bed, transport, NULL, NULL);
    p99_us = echo_p99_us(bed.channel, 500);
    expect_unhindered(&bed, p99_us); /* warms everything up */
    before = resident_bytes();
    atomic_store(&bed.probe.n_poured, 0);
    call = bed_call(bed.channel, 0);
    script_init(&script, 1024, MIB, 0);
    probe_pour_open(call, &script.message);
    n_sent = await_standstill(&bed.probe.n_poured);
    cr_assert_leq(n_sent, HELD_MAX);
    expect_flat(before);
    expect_unhindered(&bed, p99_us);
    cr_assert_leq(atomic_load(&bed.probe.n_poured), n_sent + 64);
    expect_messages(call, probe_pour_next, &script, 0, 64);
    if (strcmp(transport, "tcp") == 0 && resident_counts()) {
        expect_messages(call, probe_pour_next, &script, 64, 1024);
        expect_no_more(call, probe_pour_next);
        expect_ok(call, probe_pour_finish(call));
    }
    expect_flat(before);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* Sends 1 GiB on a thread of its own. */
struct sender {
    struct rpcrt_call *call;
    uint64_t n;
    atomic_ullong n_sent;
};

static void *
send_all(void *arg)
{
    struct sender *sender = arg;

    for (uint64_t i = 0; i < sender->n; i++) {
        Probe__V1__Step step = step_of(i, MIB);

        step.stand = i == 0;
        if (!probe_sum_send(sender->call, &step)) {
            break;
        }
        atomic_fetch_add(&sender->n_sent, 1);
    }
    return NULL;
}

EACH_TRANSPORT(stream_flow, lets_a_client_wait_for_a_handler_that_stands, 120)
{
    bool all = strcmp(transport, "tcp") == 0 && resident_counts();
    struct sender sender = {.n = 1024};
    struct bed bed;
    const Probe__V1__SumReply *reply = NULL;
    unsigned long long n_sent;
    pthread_t thread;
    uint64_t p99_us;
    size_t before;

    bed_open(&bed, transport, NULL, NULL);
    p99_us = echo_p99_us(bed.channel, 500);
    expect_unhindered(&bed, p99_us);
    before = resident_bytes();
    sender.call = bed_call(bed.channel, 0);
    probe_sum_open(sender.call);
    cr_assert_eq(pthread_create(&thread, NULL, send_all, &sender), 0);
    n_sent = await_standstill(&sender.n_sent);
    cr_assert_leq(n_sent, HELD_MAX);
    expect_flat(before);
    expect_unhindered(&bed, p99_us);
    cr_assert_eq(atomic_load(&sender.n_sent), n_sent);
    if (all) {
        atomic_store(&bed.probe.go_on, true);
        (void)pthread_join(thread, NULL);
        expect_ok(sender.call, probe_sum_finish(sender.call, &reply));
        cr_assert_eq(reply->count, 1024);
        cr_assert_eq(reply->n_wrong, 0);
    } else {
        rpcrt_call_cancel(sender.call);
        (void)pthread_join(thread, NULL);
        expect_code(sender.call, RPCRT_CANCELLED,
                    probe_sum_finish(sender.call, &reply));
    }
    expect_flat(before);
    rpcrt_call_free(sender.call);
    bed_close(&bed);
}

/* -- many ------------------------------------------------------------------ */

#define N_STREAMS 1000u

EACH_TRANSPORT(stream_flow, carries_a_thousand_streams_beside_calls, 120)
{
    static struct rpcrt_call *calls[N_STREAMS];
    struct bed bed;
    struct rpcrt_call *unary;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    unary = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 0, 500, 0);
    for (unsigned i = 0; i < N_STREAMS; i++) {
        calls[i] = bed_call(bed.channel, 2 * BED_TIMEOUT_MS);
        probe_chat_open(calls[i]);
    }
    bed_await(&bed.probe.n_streaming, N_STREAMS);
    for (uint64_t round = 0; round < 3; round++) {
        for (unsigned i = 0; i < N_STREAMS; i++) {
            send_messages(calls[i], probe_chat_send, round, round + 1, 500, 0);
        }
        bed_echo(unary, 1000);
        for (unsigned i = 0; i < N_STREAMS; i++) {
            expect_messages(calls[i], probe_chat_next, &script, round,
                            round + 1);
        }
    }
    for (unsigned i = 0; i < N_STREAMS; i++) {
        probe_chat_close_send(calls[i]);
    }
    for (unsigned i = 0; i < N_STREAMS; i++) {
        expect_ok(calls[i], probe_chat_finish(calls[i]));
        rpcrt_call_free(calls[i]);
    }
    bed_echo(unary, 1000);
    rpcrt_call_free(unary);
    bed_close(&bed);
}

Test(stream_flow, refuses_a_stream_above_the_limit_as_not_executed,
     .timeout = 30)
{
    const struct rpcrt_server_options options = {.streams_max = 2};
    struct bed bed;
    struct rpcrt_call *calls[3];

    bed_open(&bed, "tcp", &options, NULL);
    for (unsigned i = 0; i < 2; i++) {
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
        probe_chat_open(calls[i]);
    }
    bed_await(&bed.probe.n_streaming, 2);
    calls[2] = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_chat_open(calls[2]);
    expect_no_more(calls[2], probe_chat_next);
    expect_code(calls[2], RPCRT_RESOURCE_EXHAUSTED,
                probe_chat_finish(calls[2]));
    cr_assert_not(rpcrt_call_may_have_run(calls[2]));
    expect_ok(calls[0], probe_chat_finish(calls[0]));
    bed_await(&bed.probe.n_streaming, 1);
    for (unsigned i = 0; i < 3; i++) {
        rpcrt_call_free(calls[i]);
    }
    bed_close(&bed);
}

Test(stream_flow, leaves_workers_to_unary_calls, .timeout = 30)
{
    const struct rpcrt_server_options options = {.workers_max = 2};
    struct bed bed;
    struct rpcrt_call *calls[8];
    struct rpcrt_call *unary;
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    bed_open(&bed, "tcp", &options, NULL);
    for (unsigned i = 0; i < 8; i++) {
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
        probe_chat_open(calls[i]);
    }
    bed_await(&bed.probe.n_streaming, 8);
    unary = bed_call(bed.channel, BED_TIMEOUT_MS);
    expect_ok(unary, probe_wait(unary, &request, &reply));
    rpcrt_call_free(unary);
    for (unsigned i = 0; i < 8; i++) {
        expect_ok(calls[i], probe_chat_finish(calls[i]));
        rpcrt_call_free(calls[i]);
    }
    bed_close(&bed);
}

/* -- small windows --------------------------------------------------------- */

EACH_TRANSPORT(stream_flow, works_with_the_smallest_windows, 60)
{
    const struct rpcrt_server_options server = {.stream_window = 1};
    const struct rpcrt_channel_options channel = {.stream_window = 1};
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, &server, &channel);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 200, 100000, 9);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 200);
    expect_ok(call, probe_pour_finish(call));
    probe_chat_open(call);
    for (uint64_t i = 0; i < 100; i++) {
        send_messages(call, probe_chat_send, i, i + 1, 100000, 9);
        expect_messages(call, probe_chat_next, &script, i, i + 1);
    }
    expect_ok(call, probe_chat_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}
