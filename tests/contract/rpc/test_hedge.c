/*
 * What a caller may expect when attempts run side by side.
 */
#include "flaky.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

static const struct rpcrt_retry_policy hedged = {
    .attempts_max = 3, .hedging_ms = 30, .codes = 1u << RPCRT_UNAVAILABLE};

/* The same with one further attempt, however slow the machine is. */
static const struct rpcrt_retry_policy one_more = {
    .attempts_max = 2, .hedging_ms = 30, .codes = 1u << RPCRT_UNAVAILABLE};

Test(hedge, is_answered_by_the_next_attempt_when_the_first_hangs, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &one_more);
    struct attempt_ground ground;
    uint64_t start;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    ground.flaky.lines[0].hang = true;
    start = flaky_now();
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert(flaky_since(start) >= 29 && flaky_since(start) < 10000);
    cr_assert_eq(count, 2);
    cr_assert_eq(rpcrt_call_attempts(ground.call), 2);
    cr_assert_str_eq(ground.flaky.previous, "1");
    /* The first one is told to stop. */
    bed_await(&ground.flaky.n_cancelled, 1);
    attempt_ground_close(&ground);
}

Test(hedge, is_answered_by_the_first_when_that_is_faster, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &hedged);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    ground.flaky.lines[0].wait_ms = 100;
    ground.flaky.lines[1].hang = true;
    ground.flaky.lines[2].hang = true;
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert_eq(count, 1);
    bed_await(&ground.flaky.n_running, 0);
    attempt_ground_close(&ground);
}

Test(hedge, is_one_attempt_when_that_is_fast, .timeout = 30)
{
    static const struct rpcrt_retry_policy slow = {.attempts_max = 3,
                                                   .hedging_ms = 10000};
    struct rpcrt_method read = flaky_method(FLAKY_READ, &slow);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    for (unsigned i = 0; i < 50; i++) {
        expect_ok(ground.call, flaky_call(ground.call, &read, &count));
        cr_assert_eq(rpcrt_call_attempts(ground.call), 1);
    }
    cr_assert_eq(atomic_load(&ground.flaky.n_executed), 50);
    attempt_ground_close(&ground);
}

Test(hedge, begins_the_next_at_once_after_a_failure, .timeout = 30)
{
    static const struct rpcrt_retry_policy slow = {.attempts_max = 3,
                                                   .hedging_ms = 60000,
                                                   .codes =
                                                       1u << RPCRT_UNAVAILABLE};
    struct rpcrt_method read = flaky_method(FLAKY_READ, &slow);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    ground.flaky.lines[0].code = RPCRT_UNAVAILABLE;
    ground.flaky.lines[1].code = RPCRT_UNAVAILABLE;
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert_eq(count, 3);
    cr_assert_eq(rpcrt_call_attempts(ground.call), 3);
    attempt_ground_close(&ground);
}

Test(hedge, ends_with_a_code_that_is_not_in_the_list, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &one_more);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    ground.flaky.lines[0].hang = true;
    ground.flaky.lines[1].code = RPCRT_NOT_FOUND;
    expect_code(ground.call, RPCRT_NOT_FOUND,
                flaky_call(ground.call, &read, &count));
    cr_assert_str_eq(rpcrt_call_message(ground.call), "scripted; attempt 2");
    cr_assert_eq(rpcrt_call_origin(ground.call), RPCRT_ORIGIN_HANDLER);
    bed_await(&ground.flaky.n_running, 0);
    attempt_ground_close(&ground);
}

Test(hedge, fails_when_all_attempts_have, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &hedged);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    for (unsigned i = 0; i < 3; i++) {
        ground.flaky.lines[i].code = RPCRT_UNAVAILABLE;
        ground.flaky.lines[i].wait_ms = 100;
    }
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &read, &count));
    cr_assert_eq(atomic_load(&ground.flaky.n_executed), 3);
    cr_assert(rpcrt_call_may_have_run(ground.call));
    attempt_ground_close(&ground);
}

Test(hedge, goes_no_further_when_the_server_does_not_want_it, .timeout = 30)
{
    static const struct rpcrt_retry_policy slow = {.attempts_max = 3,
                                                   .hedging_ms = 60000,
                                                   .codes =
                                                       1u << RPCRT_UNAVAILABLE};
    struct rpcrt_method read = flaky_method(FLAKY_READ, &slow);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    ground.flaky.lines[0].code = RPCRT_UNAVAILABLE;
    ground.flaky.lines[0].push_back = true;
    ground.flaky.lines[0].push_back_ms = -1;
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &read, &count));
    cr_assert_eq(atomic_load(&ground.flaky.n_executed), 1);
    cr_assert_eq(rpcrt_call_attempts(ground.call), 1);
    attempt_ground_close(&ground);
}

Test(hedge, is_throttled, .timeout = 30)
{
    static const struct rpcrt_retry_policy slow = {
        .attempts_max = 3, .hedging_ms = 500, .codes = 1u << RPCRT_UNAVAILABLE};
    struct rpcrt_method read = flaky_method(FLAKY_READ, &slow);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, "{\"retryThrottling\":"
                                 " {\"maxTokens\": 2, \"tokenRatio\": 0.1}}");
    ground.flaky.lines[0].code = RPCRT_UNAVAILABLE;
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &read, &count));
    ground.flaky.lines[1].wait_ms = 1000;
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert_eq(atomic_load(&ground.flaky.n_executed), 2);
    attempt_ground_close(&ground);
}

Test(hedge, is_not_of_a_method_whose_key_one_server_knows, .timeout = 30)
{
    struct rpcrt_method once = flaky_method(FLAKY_ONCE, &hedged);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    ground.flaky.lines[0].wait_ms = 150;
    expect_ok(ground.call, flaky_call(ground.call, &once, &count));
    cr_assert_eq(atomic_load(&ground.flaky.n_executed), 1);
    cr_assert_eq(rpcrt_call_attempts(ground.call), 1);
    attempt_ground_close(&ground);
}

Test(hedge, goes_to_another_server, .timeout = 30)
{
    struct rpcrt_channel_options options = {.balancing = RPCRT_ROUND_ROBIN};
    struct rpcrt_method read = flaky_method(FLAKY_READ, &one_more);
    struct rpcrt_method plain = flaky_method(FLAKY_PLAIN, NULL);
    struct attempt_ground ground;
    struct flaky other;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    char list[2 * RPCRT_ADDRESS_SIZE];
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    flaky_init(&other);
    server = flaky_serve(&other, "tcp://127.0.0.1:0", NULL, NULL);
    (void)snprintf(list, sizeof list, "%s,%s",
                   rpcrt_server_address(ground.server, 0),
                   rpcrt_server_address(server, 0));
    cr_assert_eq(rpcrt_channel_new(list, &options, &channel), RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    while (atomic_load(&ground.flaky.n_executed) == 0 ||
           atomic_load(&other.n_executed) == 0) {
        expect_ok(call, flaky_call(call, &plain, &count));
    }
    atomic_store(&ground.flaky.n_executed, 0);
    atomic_store(&other.n_executed, 0);
    for (unsigned i = 0; i < FLAKY_LINES_MAX; i++) {
        ground.flaky.lines[i].hang = true;
    }
    /* Whichever the first attempt goes to. */
    for (unsigned i = 0; i < 4; i++) {
        expect_ok(call, flaky_call(call, &read, &count));
        cr_assert_str_eq(rpcrt_call_peer(call),
                         rpcrt_server_address(server, 0));
    }
    cr_assert_eq(atomic_load(&other.n_executed), 4);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
    attempt_ground_close(&ground);
}

Test(hedge, is_cancelled_with_all_attempts, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &hedged);
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct attempt_ground ground;
    atomic_uint n_done = 0;

    attempt_ground_open(&ground, NULL);
    for (unsigned i = 0; i < 3; i++) {
        ground.flaky.lines[i].hang = true;
    }
    rpcrt_call_start(ground.call, &read, &request.base, bed_done, &n_done);
    bed_await(&ground.flaky.n_running, 3);
    rpcrt_call_cancel(ground.call);
    bed_await(&n_done, 1);
    cr_assert_eq(rpcrt_call_code(ground.call), RPCRT_CANCELLED);
    bed_await(&ground.flaky.n_cancelled, 3);
    attempt_ground_close(&ground);
}

Test(hedge, is_freed_and_its_channel_too_while_attempts_run, .timeout = 60)
{
    static const struct rpcrt_retry_policy fast = {
        .attempts_max = 5, .hedging_ms = 1, .codes = 1u << RPCRT_UNAVAILABLE};
    struct rpcrt_method read = flaky_method(FLAKY_READ, &fast);
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    atomic_uint n_done = 0;

    for (unsigned i = 0; i < 10; i++) {
        struct attempt_ground ground;

        attempt_ground_open(&ground, NULL);
        for (unsigned line = 0; line < FLAKY_LINES_MAX; line++) {
            ground.flaky.lines[line].hang = true;
        }
        rpcrt_call_start(ground.call, &read, &request.base, bed_done, &n_done);
        while (atomic_load(&ground.flaky.n_running) < i % 5 + 1) {
            (void)sched_yield();
        }
        if (i % 2 == 0) {
            rpcrt_channel_free(ground.channel);
            rpcrt_call_free(ground.call);
        } else {
            rpcrt_call_free(ground.call);
            rpcrt_channel_free(ground.channel);
        }
        cr_assert_eq(atomic_load(&n_done), i + 1);
        rpcrt_server_free(ground.server);
    }
}

/* Many calls whose attempts race: each ends once, with a reply of its own. */
Test(hedge, has_one_winner_however_they_race, .timeout = 60)
{
    static const struct rpcrt_retry_policy fast = {
        .attempts_max = 5, .hedging_ms = 1, .codes = 1u << RPCRT_UNAVAILABLE};
    struct rpcrt_method read = flaky_method(FLAKY_READ, &fast);
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_call *calls[32];
    struct attempt_ground ground;
    atomic_uint n_done = 0;
    unsigned n_started = 0;

    attempt_ground_open(&ground, NULL);
    for (unsigned i = 0; i < 32; i++) {
        calls[i] = bed_call(ground.channel, BED_TIMEOUT_MS);
    }
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 32; i++) {
            rpcrt_call_start(calls[i], &read, &request.base, bed_done, &n_done);
            n_started++;
        }
        bed_await(&n_done, n_started);
        for (unsigned i = 0; i < 32; i++) {
            const ProtobufCMessage *reply = NULL;

            expect_ok(calls[i], rpcrt_call_take(calls[i], &reply));
            cr_assert_gt(
                ((const Probe__V1__CountReply *)(const void *)reply)->count, 0);
        }
    }
    for (unsigned i = 0; i < 32; i++) {
        rpcrt_call_free(calls[i]);
    }
    attempt_ground_close(&ground);
}
