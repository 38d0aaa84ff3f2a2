/*
 * What a caller may expect of a method that is executed once for each
 * idempotency key.
 */
#include "flaky.h"

#include "support/faulty_alloc.h"
#include "support/proxy/proxy.h"

#include <rpcrt/queue.h>
#include <rpcrt/retry.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct rpcrt_retry_policy quick = {.attempts_max = 5,
                                                .backoff_ms_min = 10,
                                                .backoff_ms_max = 40,
                                                .backoff_factor = 2,
                                                .codes = 1u
                                                         << RPCRT_UNAVAILABLE};

struct ground {
    struct flaky flaky;
    struct rpcrt_server *server;
    struct proxy *proxy; /* NULL: none */
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct rpcrt_call *other;
    struct rpcrt_method once;
};

static void
ground_open(struct ground *ground, const struct rpcrt_server_options *options)
{
    memset(ground, 0, sizeof *ground);
    flaky_init(&ground->flaky);
    ground->server =
        flaky_serve(&ground->flaky, "tcp://127.0.0.1:0", NULL, options);
    cr_assert_eq(rpcrt_channel_new(rpcrt_server_address(ground->server, 0),
                                   NULL, &ground->channel),
                 RPCRT_OK, "%s", rpcrt_last_error());
    ground->call = bed_call(ground->channel, BED_TIMEOUT_MS);
    ground->other = bed_call(ground->channel, BED_TIMEOUT_MS);
    ground->once = flaky_method(FLAKY_ONCE, &quick);
}

/* With a proxy that can cut the connection. */
static void
ground_open_cut(struct ground *ground)
{
    struct proxy_options options = {.listen = "tcp://127.0.0.1:0"};
    struct common_error error;

    ground_open(ground, NULL);
    rpcrt_call_free(ground->call);
    rpcrt_call_free(ground->other);
    rpcrt_channel_free(ground->channel);
    options.target = rpcrt_server_address(ground->server, 0);
    cr_assert_eq(proxy_start(&options, &error, &ground->proxy), RPCRT_OK, "%s",
                 error.text);
    cr_assert_eq(
        rpcrt_channel_new(proxy_address(ground->proxy), NULL, &ground->channel),
        RPCRT_OK, "%s", rpcrt_last_error());
    ground->call = bed_call(ground->channel, BED_TIMEOUT_MS);
    ground->other = bed_call(ground->channel, BED_TIMEOUT_MS);
}

static void
ground_close(struct ground *ground)
{
    rpcrt_call_free(ground->call);
    rpcrt_call_free(ground->other);
    rpcrt_channel_free(ground->channel);
    proxy_stop(ground->proxy);
    rpcrt_server_free(ground->server);
}

static void
set(struct rpcrt_call *call, const char *key, const char *value)
{
    cr_assert_eq(rpcrt_call_set_metadata_text(call, key, value), RPCRT_OK);
}

static unsigned
executed(struct ground *ground)
{
    return atomic_load(&ground->flaky.n_executed);
}

/* -- repeats --------------------------------------------------------------- */

Test(once, has_a_key_of_its_own_for_each_use, .timeout = 30)
{
    char key[FLAKY_TEXT_SIZE];
    struct ground ground;
    uint64_t count;

    ground_open(&ground, NULL);
    expect_ok(ground.call, flaky_call(ground.call, &ground.once, &count));
    memcpy(key, ground.flaky.key, sizeof key);
    cr_assert_eq(strlen(key), 32);
    expect_ok(ground.call, flaky_call(ground.call, &ground.once, &count));
    cr_assert_eq(count, 2);
    cr_assert_str_neq(key, ground.flaky.key);
    ground_close(&ground);
}

Test(once, answers_a_repeat_without_executing_it, .timeout = 30)
{
    struct ground ground;
    uint64_t count = 0;

    ground_open(&ground, NULL);
    set(ground.call, RPCRT_IDEMPOTENCY_KEY, "one");
    set(ground.other, RPCRT_IDEMPOTENCY_KEY, "two");
    expect_ok(ground.call, flaky_call(ground.call, &ground.once, &count));
    expect_ok(ground.other, flaky_call(ground.other, &ground.once, &count));
    cr_assert_eq(count, 2);
    expect_ok(ground.call, flaky_call(ground.call, &ground.once, &count));
    cr_assert_eq(count, 1);
    expect_ok(ground.other, flaky_call(ground.other, &ground.once, &count));
    cr_assert_eq(count, 2);
    cr_assert_eq(executed(&ground), 2);
    ground_close(&ground);
}

Test(once, repeats_a_failure_with_text_details_and_trailers, .timeout = 30)
{
    struct ground ground;
    uint64_t count;
    size_t size;

    ground_open(&ground, NULL);
    ground.flaky.lines[0].code = RPCRT_NOT_FOUND;
    ground.flaky.lines[0].details = "details";
    ground.flaky.lines[0].details_size = 7;
    ground.flaky.lines[0].push_back = true;
    ground.flaky.lines[0].push_back_ms = 5;
    set(ground.call, RPCRT_IDEMPOTENCY_KEY, "one");
    for (unsigned i = 0; i < 3; i++) {
        expect_code(ground.call, RPCRT_NOT_FOUND,
                    flaky_call(ground.call, &ground.once, &count));
        cr_assert_str_eq(rpcrt_call_message(ground.call), "scripted");
        cr_assert_eq(rpcrt_call_origin(ground.call), RPCRT_ORIGIN_HANDLER);
        cr_assert_arr_eq(rpcrt_call_details(ground.call, &size), "details", 7);
        cr_assert_str_eq(
            rpcrt_call_metadata(ground.call, RPCRT_RETRY_PUSHBACK, NULL), "5");
    }
    cr_assert_eq(executed(&ground), 1);
    ground_close(&ground);
}

Test(once, refuses_the_key_of_another_request, .timeout = 30)
{
    struct ground ground;
    uint64_t count = 0;

    ground_open(&ground, NULL);
    set(ground.call, RPCRT_IDEMPOTENCY_KEY, "one");
    expect_ok(ground.call,
              flaky_call_number(ground.call, &ground.once, 1, &count));
    expect_code(ground.call, RPCRT_INVALID_ARGUMENT,
                flaky_call_number(ground.call, &ground.once, 2, &count));
    cr_assert_not_null(strstr(rpcrt_call_message(ground.call),
                              "key belongs to another request"));
    cr_assert_not(rpcrt_call_may_have_run(ground.call));
    expect_ok(ground.call,
              flaky_call_number(ground.call, &ground.once, 1, &count));
    cr_assert_eq(executed(&ground), 1);
    ground_close(&ground);
}

Test(once, refuses_an_empty_key, .timeout = 30)
{
    struct ground ground;
    uint64_t count;

    ground_open(&ground, NULL);
    set(ground.call, RPCRT_IDEMPOTENCY_KEY, "");
    expect_code(ground.call, RPCRT_INVALID_ARGUMENT,
                flaky_call(ground.call, &ground.once, &count));
    cr_assert_not(rpcrt_call_may_have_run(ground.call));
    cr_assert_eq(executed(&ground), 0);
    ground_close(&ground);
}

Test(once, keeps_callers_and_methods_apart, .timeout = 30)
{
    struct rpcrt_method more = flaky_method(FLAKY_ONCE_MORE, NULL);
    struct ground ground;
    uint64_t count = 0;

    ground_open(&ground, NULL);
    set(ground.call, RPCRT_IDEMPOTENCY_KEY, "one");
    set(ground.other, RPCRT_IDEMPOTENCY_KEY, "one");
    set(ground.other, "authorization", "Bearer other");
    expect_ok(ground.call, flaky_call(ground.call, &ground.once, &count));
    expect_ok(ground.other, flaky_call(ground.other, &ground.once, &count));
    cr_assert_eq(count, 2);
    expect_ok(ground.call, flaky_call(ground.call, &more, &count));
    cr_assert_eq(count, 3);
    expect_ok(ground.other, flaky_call(ground.other, &ground.once, &count));
    cr_assert_eq(count, 2);
    ground_close(&ground);
}

Test(once, lets_a_repeat_wait_for_the_first, .timeout = 30)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct ground ground;
    struct rpcrt_call *calls[8];
    atomic_uint n_done = 0;

    ground_open(&ground, NULL);
    atomic_store(&ground.flaky.hold, true);
    for (unsigned i = 0; i < 8; i++) {
        calls[i] = bed_call(ground.channel, BED_TIMEOUT_MS);
        set(calls[i], RPCRT_IDEMPOTENCY_KEY, "one");
        rpcrt_call_start(calls[i], &ground.once, &request.base, bed_done,
                         &n_done);
    }
    bed_await(&ground.flaky.n_running, 1);
    rpcrt_call_cancel(calls[7]);
    bed_await(&n_done, 1);
    atomic_store(&ground.flaky.hold, false);
    bed_await(&n_done, 8);
    for (unsigned i = 0; i < 7; i++) {
        const ProtobufCMessage *reply = NULL;

        expect_ok(calls[i], rpcrt_call_take(calls[i], &reply));
        cr_assert_eq(
            ((const Probe__V1__CountReply *)(const void *)reply)->count, 1);
        rpcrt_call_free(calls[i]);
    }
    rpcrt_call_free(calls[7]);
    cr_assert_eq(executed(&ground), 1);
    ground_close(&ground);
}

/* -- lost connections ------------------------------------------------------ */

Test(once, goes_on_when_its_connection_is_lost, .timeout = 30)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;
    struct ground ground;
    atomic_uint n_done = 0;

    ground_open_cut(&ground);
    atomic_store(&ground.flaky.hold, true);
    rpcrt_call_start(ground.call, &ground.once, &request.base, bed_done,
                     &n_done);
    bed_await(&ground.flaky.n_running, 1);
    cr_assert_eq(proxy_reset(ground.proxy, false), 1);
    /* The second attempt reaches the server while the first runs. */
    for (struct proxy_stats stats = {.connections = 0};
         stats.connections < 2;) {
        proxy_get_stats(ground.proxy, &stats);
    }
    atomic_store(&ground.flaky.hold, false);
    bed_await(&n_done, 1);
    expect_ok(ground.call, rpcrt_call_take(ground.call, &reply));
    cr_assert_eq(((const Probe__V1__CountReply *)(const void *)reply)->count,
                 1);
    cr_assert_geq(rpcrt_call_attempts(ground.call), 2);
    cr_assert_eq(executed(&ground), 1);
    cr_assert_eq(atomic_load(&ground.flaky.n_cancelled), 0);
    ground_close(&ground);
}

Test(once, is_cancelled_at_its_deadline_when_nobody_comes_back, .timeout = 30)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_method once = flaky_method(FLAKY_ONCE, NULL);
    struct ground ground;
    atomic_uint n_done = 0;

    ground_open_cut(&ground);
    ground.flaky.lines[0].hang = true;
    rpcrt_call_set_timeout(ground.call, 300);
    rpcrt_call_start(ground.call, &once, &request.base, bed_done, &n_done);
    bed_await(&ground.flaky.n_running, 1);
    (void)proxy_reset(ground.proxy, false);
    bed_await(&n_done, 1);
    cr_assert_eq(rpcrt_call_code(ground.call), RPCRT_UNAVAILABLE);
    cr_assert_eq(atomic_load(&ground.flaky.n_cancelled), 0);
    bed_await(&ground.flaky.n_cancelled, 1);
    ground_close(&ground);
}

Test(once, is_cancelled_when_its_client_says_so, .timeout = 30)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct ground ground;
    atomic_uint n_done = 0;

    ground_open(&ground, NULL);
    ground.flaky.lines[0].hang = true;
    rpcrt_call_start(ground.call, &ground.once, &request.base, bed_done,
                     &n_done);
    bed_await(&ground.flaky.n_running, 1);
    rpcrt_call_cancel(ground.call);
    bed_await(&ground.flaky.n_cancelled, 1);
    ground_close(&ground);
}

Test(once, does_not_keep_a_server_from_ending, .timeout = 30)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_method once = flaky_method(FLAKY_ONCE, NULL);
    struct ground ground;
    atomic_uint n_done = 0;

    ground_open_cut(&ground);
    ground.flaky.lines[0].hang = true;
    rpcrt_call_set_timeout(ground.call, 0);
    rpcrt_call_start(ground.call, &once, &request.base, bed_done, &n_done);
    bed_await(&ground.flaky.n_running, 1);
    (void)proxy_reset(ground.proxy, false);
    bed_await(&n_done, 1);
    ground_close(&ground);
    cr_assert_eq(atomic_load(&ground.flaky.n_cancelled), 1);
}

/* -- another server -------------------------------------------------------- */

/* A call whose server is replaced by another one at the same address while it
 * runs. */
static enum rpcrt_code
call_through_a_restart(struct ground *ground, const struct rpcrt_method *method,
                       struct flaky *successor)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;
    atomic_uint n_done = 0;
    char address[RPCRT_ADDRESS_SIZE];

    (void)snprintf(address, sizeof address, "%s",
                   rpcrt_server_address(ground->server, 0));
    ground->flaky.lines[0].hang = true;
    rpcrt_call_set_wait_for_ready(ground->call, true);
    rpcrt_call_start(ground->call, method, &request.base, bed_done, &n_done);
    bed_await(&ground->flaky.n_running, 1);
    rpcrt_server_free(ground->server);
    flaky_init(successor);
    ground->server = flaky_serve(successor, address, NULL, NULL);
    bed_await(&n_done, 1);
    return rpcrt_call_take(ground->call, &reply);
}

Test(once, is_not_tried_at_another_server, .timeout = 30)
{
    struct ground ground;
    struct flaky successor;

    ground_open(&ground, NULL);
    expect_code(ground.call, RPCRT_UNAVAILABLE,
                call_through_a_restart(&ground, &ground.once, &successor));
    cr_assert(rpcrt_call_may_have_run(ground.call));
    cr_assert_not_null(strstr(rpcrt_call_message(ground.call),
                              "may have executed the call is gone"),
                       "%s", rpcrt_call_message(ground.call));
    cr_assert_eq(executed(&ground), 1);
    cr_assert_eq(atomic_load(&successor.n_executed), 0);
    ground_close(&ground);
}

Test(once, is_tried_anywhere_when_the_handler_keeps_keys, .timeout = 30)
{
    struct rpcrt_method more = flaky_method(FLAKY_ONCE_MORE, &quick);
    struct ground ground;
    struct flaky successor;

    ground_open(&ground, NULL);
    expect_ok(ground.call, call_through_a_restart(&ground, &more, &successor));
    cr_assert_eq(atomic_load(&successor.n_executed), 1);
    cr_assert_str_eq(ground.flaky.key, successor.key);
    ground_close(&ground);
}

Test(once, is_not_tried_at_another_server_of_a_list, .timeout = 30)
{
    struct rpcrt_channel_options options = {.balancing = RPCRT_ROUND_ROBIN};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *reply;
    struct ground ground;
    struct flaky other;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    char list[2 * RPCRT_ADDRESS_SIZE];
    atomic_uint n_done = 0;

    ground_open_cut(&ground);
    flaky_init(&other);
    server = flaky_serve(&other, "tcp://127.0.0.1:0", NULL, NULL);
    (void)snprintf(list, sizeof list, "%s,%s", proxy_address(ground.proxy),
                   rpcrt_server_address(server, 0));
    cr_assert_eq(rpcrt_channel_new(list, &options, &channel), RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    atomic_store(&ground.flaky.hold, true);
    while (atomic_load(&ground.flaky.n_running) == 0) {
        n_done = 0;
        rpcrt_call_start(call, &ground.once, &request.base, bed_done, &n_done);
        while (atomic_load(&n_done) == 0 &&
               atomic_load(&ground.flaky.n_running) == 0) {
            (void)sched_yield();
        }
    }
    atomic_store(&other.n_executed, 0);
    (void)proxy_reset(ground.proxy, false);
    for (struct proxy_stats stats = {.connections = 0};
         stats.connections < 2;) {
        proxy_get_stats(ground.proxy, &stats);
        cr_assert_eq(atomic_load(&n_done), 0, "%s", rpcrt_call_message(call));
    }
    atomic_store(&ground.flaky.hold, false);
    bed_await(&n_done, 1);
    expect_ok(call, rpcrt_call_take(call, &reply));
    cr_assert_eq(executed(&ground), 1);
    cr_assert_eq(atomic_load(&other.n_executed), 0);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
    ground_close(&ground);
}

/* -- bounds ---------------------------------------------------------------- */

Test(once, forgets_the_oldest_and_says_so, .timeout = 30)
{
    struct rpcrt_server_options options = {.once_count_max = 2};
    struct ground ground;
    uint64_t count = 0;

    ground_open(&ground, &options);
    set(ground.call, RPCRT_IDEMPOTENCY_KEY, "one");
    expect_ok(ground.call, flaky_call(ground.call, &ground.once, &count));
    for (unsigned i = 0; i < 2; i++) {
        expect_ok(ground.other, flaky_call(ground.other, &ground.once, &count));
    }
    set(ground.call, RPCRT_FIRST_ATTEMPT, "100");
    expect_code(ground.call, RPCRT_FAILED_PRECONDITION,
                flaky_call(ground.call, &ground.once, &count));
    cr_assert_eq(executed(&ground), 3);
    ground_close(&ground);
}

Test(once, forgets_after_its_time, .timeout = 30)
{
    struct rpcrt_server_options options = {.once_ms = 50};
    struct timespec pause = {.tv_nsec = 80 * 1000000};
    struct ground ground;
    uint64_t count = 0;

    ground_open(&ground, &options);
    set(ground.call, RPCRT_IDEMPOTENCY_KEY, "one");
    expect_ok(ground.call, flaky_call(ground.call, &ground.once, &count));
    (void)nanosleep(&pause, NULL); /* the time is what is tested */
    expect_ok(ground.call, flaky_call(ground.call, &ground.once, &count));
    cr_assert_eq(count, 2);
    ground_close(&ground);
}

Test(once, refuses_when_all_that_it_remembers_is_running, .timeout = 30)
{
    struct rpcrt_server_options options = {.once_count_max = 1};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_method once = flaky_method(FLAKY_ONCE, NULL);
    struct ground ground;
    atomic_uint n_done = 0;
    uint64_t count;

    ground_open(&ground, &options);
    atomic_store(&ground.flaky.hold, true);
    rpcrt_call_start(ground.call, &once, &request.base, bed_done, &n_done);
    bed_await(&ground.flaky.n_running, 1);
    expect_code(ground.other, RPCRT_RESOURCE_EXHAUSTED,
                flaky_call(ground.other, &once, &count));
    cr_assert_not(rpcrt_call_may_have_run(ground.other));
    atomic_store(&ground.flaky.hold, false);
    bed_await(&n_done, 1);
    ground_close(&ground);
}

Test(once, takes_no_more_memory_for_more_keys, .timeout = 200)
{
    struct rpcrt_server_options options = {.once_count_max = 1000,
                                           .once_bytes_max = 256u << 10};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_method once = flaky_method(FLAKY_ONCE, NULL);
    struct ground ground;
    struct rpcrt_queue *queue;
    struct rpcrt_call *calls[64];
    struct rpcrt_call *call;
    size_t bytes_at_first = 0;

    faulty_alloc_install();
    ground_open(&ground, &options);
    cr_assert_eq(rpcrt_queue_new(&queue), RPCRT_OK);
    for (unsigned i = 0; i < 64; i++) {
        calls[i] = bed_call(ground.channel, BED_TIMEOUT_MS);
        rpcrt_call_start(calls[i], &once, &request.base, rpcrt_queue_done,
                         queue);
    }
    for (unsigned i = 0; i < 100000; i++) {
        const ProtobufCMessage *reply = NULL;

        cr_assert_eq(rpcrt_queue_wait_any(queue, -1, &call), RPCRT_OK);
        expect_ok(call, rpcrt_call_take(call, &reply));
        rpcrt_call_start(call, &once, &request.base, rpcrt_queue_done, queue);
        if (i == 10000) {
            bytes_at_first = faulty_alloc_live_bytes();
        }
    }
    /* What is in flight varies; that many keys would take ten times as much. */
    cr_assert_lt(faulty_alloc_live_bytes(), bytes_at_first + (1u << 20),
                 "%zu bytes, %zu at first", faulty_alloc_live_bytes(),
                 bytes_at_first);
    for (unsigned i = 0; i < 64; i++) {
        rpcrt_call_free(calls[i]);
    }
    rpcrt_queue_free(queue);
    ground_close(&ground);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}

/* Each allocation of both sides fails in turn: a call may be lost, but is
 * executed once at the most, and nothing stays behind. */
Test(once, comes_through_each_allocation_failing, .timeout = 100)
{
    struct ground ground;
    uint64_t count;

    faulty_alloc_install();
    ground_open(&ground, NULL);
    rpcrt_call_set_wait_for_ready(ground.call, true);
    for (uint32_t n = 0; n < 60; n++) {
        enum rpcrt_code code;
        unsigned effects;

        faulty_alloc_fail_at(n % 20);
        code = flaky_call_number(ground.call, &ground.once, n, &count);
        faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
        effects = atomic_load(&ground.flaky.effects[n]);
        cr_assert(code == RPCRT_OK ? effects == 1 : effects <= 1,
                  "%u: %s, %u effects", n, rpcrt_call_message(ground.call),
                  effects);
    }
    ground_close(&ground);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}

/* -- faults ---------------------------------------------------------------- */

/* Calls while the connection is cut again and again: whatever they end with,
 * none is executed twice, and those that end OK once. */
Test(once, holds_while_connections_are_cut, .timeout = 120)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_call *calls[16];
    uint32_t numbers[16];
    unsigned n_ok = 0;
    struct ground ground;

    ground_open_cut(&ground);
    for (unsigned i = 0; i < 16; i++) {
        calls[i] = bed_call(ground.channel, BED_TIMEOUT_MS);
        rpcrt_call_set_wait_for_ready(calls[i], true);
    }
    for (unsigned round = 0; round < 25; round++) {
        atomic_uint n_done = 0;
        unsigned before = executed(&ground);

        for (unsigned i = 0; i < 16; i++) {
            numbers[i] = round * 16 + i;
            request.payload.data = (uint8_t *)&numbers[i];
            request.payload.len = sizeof numbers[i];
            rpcrt_call_start(calls[i], &ground.once, &request.base, bed_done,
                             &n_done);
        }
        while (executed(&ground) < before + round % 8 + 1) {
            (void)sched_yield();
        }
        (void)proxy_reset(ground.proxy, false);
        bed_await(&n_done, 16);
        for (unsigned i = 0; i < 16; i++) {
            bool ok = rpcrt_call_code(calls[i]) == RPCRT_OK;
            unsigned effects = atomic_load(&ground.flaky.effects[numbers[i]]);

            n_ok += ok;
            cr_assert(ok ? effects == 1 : effects <= 1,
                      "call %u: %s, %u effects", numbers[i],
                      rpcrt_call_message(calls[i]), effects);
        }
    }
    cr_assert_gt(n_ok, 300);
    for (unsigned i = 0; i < 16; i++) {
        rpcrt_call_free(calls[i]);
    }
    ground_close(&ground);
}
