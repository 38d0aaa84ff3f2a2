/*
 * Overload control of a server: what runs, what waits, what is refused.
 */
#include "support/stream.h"

#include <string.h>

#define CALLS_MAX 200u

struct crowd {
    struct rpcrt_call *calls[CALLS_MAX];
    size_t n_calls;
    atomic_uint n_done;
};

static struct bed bed;
static struct crowd crowd;

static void
open_bed(struct rpcrt_server_options options)
{
    bed_open(&bed, "tcp", &options, NULL);
}

static struct rpcrt_call *
crowd_call(uint32_t timeout_ms)
{
    cr_assert_lt(crowd.n_calls, CALLS_MAX);
    return crowd.calls[crowd.n_calls++] = bed_call(bed.channel, timeout_ms);
}

/* Start calls that stay until they are cancelled. */
static void
hang(size_t n)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    while (n-- > 0) {
        probe_hang_start(crowd_call(BED_TIMEOUT_MS), &request, bed_done,
                         &crowd.n_done);
    }
}

/* Start calls that take so long. */
static void
take_time(size_t n, uint32_t ms, uint32_t timeout_ms)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;

    request.ms = ms;
    while (n-- > 0) {
        probe_wait_start(crowd_call(timeout_ms), &request, bed_done,
                         &crowd.n_done);
    }
}

static void
close_bed(void)
{
    while (crowd.n_calls > 0) {
        rpcrt_call_free(crowd.calls[--crowd.n_calls]);
    }
    bed_close(&bed);
}

static struct rpcrt_server_stats
stats(void)
{
    struct rpcrt_server_stats now;

    rpcrt_server_get_stats(bed.server, &now);
    return now;
}

static void
await_queue(uint32_t n)
{
    while (stats().calls_queued != n) {
        rpcrt_call_free(bed_call(bed.channel, 0)); /* the test's time ends it */
    }
}

Test(overload, lets_so_many_run_at_once, .timeout = 30)
{
    open_bed((struct rpcrt_server_options){.running_calls_max = 2});
    hang(5);
    bed_await(&bed.probe.n_hanging, 2);
    await_queue(3);
    cr_assert_eq(stats().calls_limit, 2);
    rpcrt_call_cancel(crowd.calls[0]);
    bed_await(&bed.probe.n_cancelled, 1);
    bed_await(&bed.probe.n_hanging, 2);
    await_queue(2);
    close_bed();
}

Test(overload, counts_who_answers_later_as_running, .timeout = 30)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    uint64_t start_us;

    open_bed((struct rpcrt_server_options){.running_calls_max = 1});
    start_us = now_us();
    request.ms = 40;
    for (unsigned i = 0; i < 3; i++) {
        probe_later_start(crowd_call(BED_TIMEOUT_MS), &request, bed_done,
                          &crowd.n_done);
    }
    bed_await(&crowd.n_done, 3);
    cr_assert_geq(now_us() - start_us, 118000);
    close_bed();
}

Test(overload, does_not_stop_streams_nor_what_never_blocks, .timeout = 30)
{
    struct rpcrt_call *call;
    struct script script;

    open_bed((struct rpcrt_server_options){.running_calls_max = 1,
                                           .queue_calls_max = 1});
    hang(2);
    bed_await(&bed.probe.n_hanging, 1);
    await_queue(1);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 100);
    script_init(&script, 10, 100, 0);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 10);
    expect_ok(call, probe_pour_finish(call));
    rpcrt_call_free(call);
    close_bed();
}

Test(overload, refuses_at_once_who_finds_no_place_to_wait, .timeout = 30)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    struct rpcrt_call *call;

    open_bed((struct rpcrt_server_options){.running_calls_max = 1,
                                           .queue_calls_max = 2});
    hang(3);
    bed_await(&bed.probe.n_hanging, 1);
    await_queue(2);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    expect_code(call, RPCRT_RESOURCE_EXHAUSTED,
                probe_count(call, &request, &reply));
    cr_assert_not(rpcrt_call_may_have_run(call));
    cr_assert_eq(stats().calls_refused, 1);
    rpcrt_call_cancel(crowd.calls[0]);
    bed_await(&bed.probe.n_cancelled, 1);
    await_queue(1);
    rpcrt_call_cancel(crowd.calls[1]);
    rpcrt_call_cancel(crowd.calls[2]);
    expect_ok(call, probe_count(call, &request, &reply));
    cr_assert_eq(atomic_load(&bed.probe.n_counted), 1);
    rpcrt_call_free(call);
    close_bed();
}

/* Count what was shed, each "not executed" and with a time to come back. */
static unsigned
count_shed(uint64_t expected_ms)
{
    unsigned n_shed = 0;

    for (size_t i = 0; i < crowd.n_calls; i++) {
        const struct rpcrt_call *call = crowd.calls[i];
        uint64_t delay_ms = 0;

        if (rpcrt_call_code(call) == RPCRT_OK) {
            continue;
        }
        cr_assert_eq(rpcrt_call_code(call), RPCRT_RESOURCE_EXHAUSTED, "%s",
                     rpcrt_call_message(call));
        cr_assert_not(rpcrt_call_may_have_run(call));
        cr_assert(rpcrt_call_retry_info(call, &delay_ms));
        cr_assert_eq(delay_ms, expected_ms);
        n_shed++;
    }
    return n_shed;
}

Test(overload, sheds_what_waits_too_long, .timeout = 60)
{
    unsigned n_shed;

    open_bed((struct rpcrt_server_options){
        .running_calls_max = 1, .queue_target_ms = 5, .queue_interval_ms = 20});
    take_time(CALLS_MAX, 5, BED_TIMEOUT_MS);
    bed_await(&crowd.n_done, CALLS_MAX);
    n_shed = count_shed(20);
    cr_assert_gt(n_shed, CALLS_MAX / 2);
    cr_assert_lt(n_shed, CALLS_MAX - 2);
    cr_assert_eq(stats().calls_shed, n_shed);
    cr_assert_eq(stats().calls_queued, 0);
    close_bed();
}

Test(overload, sheds_nothing_while_the_queue_is_short, .timeout = 60)
{
    open_bed((struct rpcrt_server_options){.running_calls_max = 4,
                                           .queue_target_ms = 1000,
                                           .queue_interval_ms = 20});
    take_time(CALLS_MAX, 5, BED_TIMEOUT_MS);
    bed_await(&crowd.n_done, CALLS_MAX);
    cr_assert_eq(count_shed(20), 0);
    close_bed();
}

Test(overload, sheds_what_cannot_be_done_in_time, .timeout = 60)
{
    open_bed((struct rpcrt_server_options){.running_calls_max = 1,
                                           .queue_interval_ms = 30});
    take_time(1, 300, BED_TIMEOUT_MS);
    bed_await(&crowd.n_done, 1);
    take_time(1, 300, BED_TIMEOUT_MS);
    /* On its turn after 300 ms it has 200 left. */
    take_time(1, 300, 500);
    take_time(1, 300, 10000);
    bed_await(&crowd.n_done, 4);
    cr_assert_eq(count_shed(30), 1);
    cr_assert_eq(rpcrt_call_code(crowd.calls[2]), RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(stats().calls_shed, 1);
    close_bed();
}

Test(overload, finds_a_limit_itself, .timeout = 60)
{
    open_bed((struct rpcrt_server_options){.running_calls_adapt = true});
    cr_assert_eq(stats().calls_limit, 4);
    for (unsigned i = 0; i < 10 && stats().calls_limit < 6; i++) {
        crowd.n_calls = 0;
        atomic_store(&crowd.n_done, 0);
        take_time(100, 5, BED_TIMEOUT_MS);
        bed_await(&crowd.n_done, 100);
        for (size_t k = 0; k < 100; k++) {
            rpcrt_call_free(crowd.calls[k]);
        }
    }
    crowd.n_calls = 0;
    /* They wait, so that more are better. */
    cr_assert_geq(stats().calls_limit, 6);
    close_bed();
}

Test(overload, lets_those_finish_that_wait_when_it_drains, .timeout = 60)
{
    open_bed((struct rpcrt_server_options){.running_calls_max = 1});
    take_time(20, 5, BED_TIMEOUT_MS);
    while (stats().calls_started < 20) {
        rpcrt_call_free(bed_call(bed.channel, 0));
    }
    cr_assert_eq(rpcrt_server_drain(bed.server, 10000), RPCRT_OK);
    bed_await(&crowd.n_done, 20);
    cr_assert_eq(count_shed(0), 0);
    close_bed();
}

Test(overload, ends_with_the_server, .timeout = 60)
{
    open_bed((struct rpcrt_server_options){.running_calls_max = 1});
    hang(50);
    bed_await(&bed.probe.n_hanging, 1);
    await_queue(49);
    rpcrt_server_free(bed.server);
    bed.server = NULL;
    bed_await(&crowd.n_done, 50);
    cr_assert_eq(atomic_load(&bed.probe.n_cancelled), 1);
    close_bed();
}
