/*
 * What a caller may expect when a policy gives a call several attempts.
 */
#include "flaky.h"

#include <stdio.h>
#include <string.h>

static const struct rpcrt_retry_policy quick = {
    .attempts_max = 4,
    .backoff_ms_min = 5,
    .backoff_ms_max = 20,
    .backoff_factor = 2,
    .codes = 1u << RPCRT_UNAVAILABLE | 1u << RPCRT_ABORTED};

/* The first n executions fail with a code. */
static void
fail_first(struct attempt_ground *ground, unsigned n, enum rpcrt_code code)
{
    for (unsigned i = 0; i < n; i++) {
        ground->flaky.lines[i].code = code;
    }
}

static unsigned
executed(struct attempt_ground *ground)
{
    return atomic_load(&ground->flaky.n_executed);
}

/* -- which calls ----------------------------------------------------------- */

Test(retry, brings_a_call_through_failures, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &quick);
    struct attempt_ground ground;
    uint64_t count = 0;

    attempt_ground_open(&ground, NULL);
    fail_first(&ground, 3, RPCRT_UNAVAILABLE);
    for (unsigned i = 0; i < 3; i++) {
        ground.flaky.lines[4 + i].code = RPCRT_ABORTED;
    }
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert_eq(count, 4);
    cr_assert_eq(rpcrt_call_attempts(ground.call), 4);
    cr_assert_str_eq(ground.flaky.previous, "3");
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert_eq(count, 8);
    cr_assert_eq(rpcrt_call_attempts(ground.call), 4);
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert_eq(rpcrt_call_attempts(ground.call), 1);
    cr_assert_str_eq(ground.flaky.previous, "");
    attempt_ground_close(&ground);
}

Test(retry, ends_with_the_last_failure_and_how_many_there_were, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &quick);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    fail_first(&ground, 10, RPCRT_UNAVAILABLE);
    ground.flaky.lines[3].code = RPCRT_ABORTED;
    expect_code(ground.call, RPCRT_ABORTED,
                flaky_call(ground.call, &read, &count));
    cr_assert_eq(executed(&ground), 4);
    cr_assert_eq(rpcrt_call_attempts(ground.call), 4);
    cr_assert_str_eq(rpcrt_call_message(ground.call), "scripted; attempt 4");
    cr_assert_eq(rpcrt_call_origin(ground.call), RPCRT_ORIGIN_HANDLER);
    attempt_ground_close(&ground);
}

Test(retry, is_not_for_other_codes, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &quick);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    fail_first(&ground, 1, RPCRT_INTERNAL);
    expect_code(ground.call, RPCRT_INTERNAL,
                flaky_call(ground.call, &read, &count));
    cr_assert_eq(executed(&ground), 1);
    attempt_ground_close(&ground);
}

#define CONFIG(policy)                                                         \
    "{\"methodConfig\": [{\"name\": [{\"service\": \"flaky.v1.Flaky\"}],"      \
    " " policy "}]}"
#define CONFIG_RETRY                                                           \
    "\"retryPolicy\": {\"maxAttempts\": 4, \"initialBackoff\": \"0.005s\","    \
    " \"maxBackoff\": \"0.02s\", \"backoffMultiplier\": 2,"                    \
    " \"retryableStatusCodes\": [\"UNAVAILABLE\"]}"

Test(retry, is_never_of_a_method_that_does_not_say_it_may, .timeout = 30)
{
    struct rpcrt_method plain = flaky_method(FLAKY_PLAIN, &quick);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, CONFIG(CONFIG_RETRY));
    fail_first(&ground, 1, RPCRT_UNAVAILABLE);
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &plain, &count));
    cr_assert_eq(executed(&ground), 1);
    cr_assert_eq(rpcrt_call_attempts(ground.call), 1);
    attempt_ground_close(&ground);
}

Test(retry, comes_from_the_service_config_before_the_method, .timeout = 30)
{
    static const struct rpcrt_retry_policy one_more = {
        .attempts_max = 2, .codes = 1u << RPCRT_ABORTED};
    struct rpcrt_method read = flaky_method(FLAKY_READ, &one_more);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, CONFIG(CONFIG_RETRY));
    fail_first(&ground, 3, RPCRT_UNAVAILABLE);
    ground.flaky.lines[4].code = RPCRT_ABORTED;
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert_eq(count, 4);
    expect_code(ground.call, RPCRT_ABORTED,
                flaky_call(ground.call, &read, &count));
    attempt_ground_close(&ground);
}

/* -- time ------------------------------------------------------------------ */

Test(retry, waits_between_attempts_more_each_time, .timeout = 30)
{
    static const struct rpcrt_retry_policy slow = {.attempts_max = 4,
                                                   .backoff_ms_min = 50,
                                                   .backoff_ms_max = 100,
                                                   .backoff_factor = 3,
                                                   .codes = 1u
                                                            << RPCRT_ABORTED};
    struct rpcrt_method read = flaky_method(FLAKY_READ, &slow);
    struct attempt_ground ground;
    uint64_t start = flaky_now();
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    fail_first(&ground, 3, RPCRT_ABORTED);
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    /* 50, 100 and 100, each less a fifth */
    cr_assert_geq(flaky_since(start), 200);
    attempt_ground_close(&ground);
}

static const struct rpcrt_retry_policy patient = {.attempts_max = 5,
                                                  .backoff_ms_min = 60000,
                                                  .backoff_ms_max = 60000,
                                                  .codes =
                                                      1u << RPCRT_UNAVAILABLE};

Test(retry, does_not_wait_beyond_the_deadline, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &patient);
    struct attempt_ground ground;
    uint64_t start = flaky_now();
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    fail_first(&ground, 1, RPCRT_UNAVAILABLE);
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &read, &count));
    cr_assert_lt(flaky_since(start), 10000);
    cr_assert_eq(executed(&ground), 1);
    attempt_ground_close(&ground);
}

Test(retry, ends_at_the_deadline_of_the_whole_call, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &quick);
    struct attempt_ground ground;
    uint64_t start;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    fail_first(&ground, 1, RPCRT_UNAVAILABLE);
    ground.flaky.lines[1].hang = true;
    rpcrt_call_set_timeout(ground.call, 200);
    start = flaky_now();
    expect_code(ground.call, RPCRT_DEADLINE_EXCEEDED,
                flaky_call(ground.call, &read, &count));
    cr_assert(flaky_since(start) >= 195 && flaky_since(start) < 5000);
    cr_assert_eq(rpcrt_call_attempts(ground.call), 2);
    cr_assert_not_null(strstr(rpcrt_call_message(ground.call),
                              "attempt 2; the one before: scripted"));
    bed_await(&ground.flaky.n_cancelled, 1);
    attempt_ground_close(&ground);
}

static void *
cancel_after_the_first(void *arg)
{
    struct attempt_ground *ground = arg;

    bed_await(&ground->flaky.n_executed, 1);
    bed_await(&ground->flaky.n_running, 0);
    rpcrt_call_cancel(ground->call);
    return NULL;
}

Test(retry, is_cancelled_between_attempts, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &patient);
    struct attempt_ground ground;
    pthread_t thread;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    rpcrt_call_set_timeout(ground.call, 0);
    fail_first(&ground, 5, RPCRT_UNAVAILABLE);
    cr_assert_eq(pthread_create(&thread, NULL, cancel_after_the_first, &ground),
                 0);
    expect_code(ground.call, RPCRT_CANCELLED,
                flaky_call(ground.call, &read, &count));
    (void)pthread_join(thread, NULL);
    cr_assert_eq(executed(&ground), 1);
    cr_assert(rpcrt_call_may_have_run(ground.call));
    attempt_ground_close(&ground);
}

Test(retry, is_over_when_the_channel_is_freed, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &patient);
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct attempt_ground ground;
    atomic_uint n_done = 0;

    attempt_ground_open(&ground, NULL);
    rpcrt_call_set_timeout(ground.call, 0);
    fail_first(&ground, 5, RPCRT_UNAVAILABLE);
    rpcrt_call_start(ground.call, &read, &request.base, bed_done, &n_done);
    bed_await(&ground.flaky.n_executed, 1);
    bed_await(&ground.flaky.n_running, 0);
    rpcrt_channel_free(ground.channel);
    cr_assert_eq(atomic_load(&n_done), 1);
    cr_assert_eq(rpcrt_call_code(ground.call), RPCRT_CANCELLED);
    rpcrt_call_free(ground.call);
    rpcrt_server_free(ground.server);
}

static void *
drain(void *server)
{
    (void)rpcrt_server_drain(server, 5000);
    return NULL;
}

/* -- what the server says -------------------------------------------------- */

Test(retry, comes_when_the_server_wants_it, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &patient);
    struct attempt_ground ground;
    uint64_t start;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    fail_first(&ground, 1, RPCRT_UNAVAILABLE);
    ground.flaky.lines[0].push_back = true;
    ground.flaky.lines[0].push_back_ms = 60;
    start = flaky_now();
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert(flaky_since(start) >= 59 && flaky_since(start) < 10000);
    attempt_ground_close(&ground);
}

Test(retry, comes_when_a_retry_info_says_so, .timeout = 30)
{
    /* google.rpc.Status{details: Any{RetryInfo{retry_delay: 70 ms}}} */
    static const char status[] =
        "\x1a\x33\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
        "\x12\x07\x0a\x05\x10\x80\xbf\xb0\x21";
    struct rpcrt_method read = flaky_method(FLAKY_READ, &patient);
    struct attempt_ground ground;
    uint64_t start;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    fail_first(&ground, 1, RPCRT_UNAVAILABLE);
    ground.flaky.lines[0].details = status;
    ground.flaky.lines[0].details_size = sizeof status - 1;
    start = flaky_now();
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert(flaky_since(start) >= 69 && flaky_since(start) < 10000);
    attempt_ground_close(&ground);
}

Test(retry, does_not_come_when_the_server_does_not_want_it, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &quick);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    fail_first(&ground, 2, RPCRT_UNAVAILABLE);
    ground.flaky.lines[0].push_back = true;
    ground.flaky.lines[0].push_back_ms = -1;
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &read, &count));
    cr_assert_eq(executed(&ground), 1);
    attempt_ground_close(&ground);
}

Test(retry, is_throttled_while_half_of_the_tokens_are_gone, .timeout = 30)
{
    struct rpcrt_method read = flaky_method(FLAKY_READ, &quick);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, "{\"retryThrottling\":"
                                 " {\"maxTokens\": 4, \"tokenRatio\": 0.5}}");
    fail_first(&ground, 5, RPCRT_UNAVAILABLE);
    /* 4 tokens: after the first failure 3 are left, after the second 2 */
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &read, &count));
    cr_assert_eq(executed(&ground), 2);
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &read, &count));
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &read, &count));
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                flaky_call(ground.call, &read, &count));
    cr_assert_eq(executed(&ground), 5);
    /* Eight calls bring it back to 4 from 0. */
    for (unsigned i = 0; i < 8; i++) {
        expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    }
    ground.flaky.lines[13].code = RPCRT_UNAVAILABLE;
    expect_ok(ground.call, flaky_call(ground.call, &read, &count));
    cr_assert_eq(rpcrt_call_attempts(ground.call), 2);
    attempt_ground_close(&ground);
}

Test(retry, is_not_needed_where_another_server_takes_over, .timeout = 30)
{
    struct rpcrt_method plain = flaky_method(FLAKY_PLAIN, NULL);
    struct rpcrt_channel_options options = {.balancing = RPCRT_ROUND_ROBIN};
    struct attempt_ground ground;
    struct flaky other;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    char list[2 * RPCRT_ADDRESS_SIZE];
    pthread_t thread;
    uint64_t count;

    attempt_ground_open(&ground, NULL);
    flaky_init(&other);
    server = flaky_serve(&other, "tcp://127.0.0.1:0", NULL, NULL);
    (void)snprintf(list, sizeof list, "%s,%s",
                   rpcrt_server_address(ground.server, 0),
                   rpcrt_server_address(server, 0));
    cr_assert_eq(rpcrt_channel_new(list, &options, &channel), RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    /* A method that must not run twice, while a server drains. */
    cr_assert_eq(pthread_create(&thread, NULL, drain, ground.server), 0);
    for (unsigned i = 0; i < 300; i++) {
        expect_ok(call, flaky_call(call, &plain, &count));
    }
    (void)pthread_join(thread, NULL);
    cr_assert_eq(executed(&ground) + atomic_load(&other.n_executed), 300);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
    attempt_ground_close(&ground);
}

/* -- the rest of a service config ------------------------------------------ */

Test(retry, config_bounds_time_and_sizes, .timeout = 30)
{
    struct rpcrt_method plain = flaky_method(FLAKY_PLAIN, NULL);
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *reply;
    struct attempt_ground ground;
    uint8_t payload[64] = {0};
    uint64_t start;
    uint64_t count;

    attempt_ground_open(&ground, CONFIG("\"timeout\": \"0.1s\","
                                        "\"maxRequestMessageBytes\": 20"));
    expect_ok(ground.call, flaky_call(ground.call, &plain, &count));
    request.payload.data = payload;
    request.payload.len = sizeof payload;
    expect_code(ground.call, RPCRT_RESOURCE_EXHAUSTED,
                rpcrt_call_unary(ground.call, &plain, &request.base, &reply));
    cr_assert_not_null(
        strstr(rpcrt_call_message(ground.call), "the service config allows"));
    ground.flaky.lines[1].hang = true;
    start = flaky_now();
    expect_code(ground.call, RPCRT_DEADLINE_EXCEEDED,
                flaky_call(ground.call, &plain, &count));
    cr_assert_lt(flaky_since(start), 10000);
    attempt_ground_close(&ground);
}

Test(retry, config_bounds_replies, .timeout = 30)
{
    struct rpcrt_method plain = flaky_method(FLAKY_PLAIN, NULL);
    struct attempt_ground ground;
    uint64_t count;

    attempt_ground_open(&ground, CONFIG("\"maxResponseMessageBytes\": 1"));
    expect_code(ground.call, RPCRT_RESOURCE_EXHAUSTED,
                flaky_call(ground.call, &plain, &count));
    attempt_ground_close(&ground);
}

Test(retry, config_makes_calls_wait_for_a_connection, .timeout = 30)
{
    struct rpcrt_channel_options options = {
        .service_config = CONFIG("\"waitForReady\": true")};
    struct rpcrt_method plain = flaky_method(FLAKY_PLAIN, NULL);
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    uint64_t count;

    cr_assert_eq(rpcrt_channel_new("inproc://nobody-here", &options, &channel),
                 RPCRT_OK);
    call = bed_call(channel, 100);
    expect_code(call, RPCRT_DEADLINE_EXCEEDED,
                flaky_call(call, &plain, &count));
    rpcrt_call_set_wait_for_ready(call, false);
    rpcrt_call_set_timeout(call, BED_TIMEOUT_MS);
    expect_code(call, RPCRT_UNAVAILABLE, flaky_call(call, &plain, &count));
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
}

Test(retry, config_that_is_wrong_is_refused_with_its_place)
{
    struct rpcrt_channel_options options = {
        .service_config = "{\n  \"methodConfig\": [ { \"timeout\": 5 } ]\n}"};
    struct rpcrt_channel *channel;

    cr_assert_eq(rpcrt_channel_new("inproc://x", &options, &channel),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert_str_eq(rpcrt_last_error(),
                     "service config: line 2, column 34: "
                     "methodConfig[0].timeout: not a string");
}
