/*
 * Faults of bytes and connections, as a client and a server see them.
 */
#include "proxy/passage.h"

#include "transport/raw.h"

/* Milliseconds that an Echo of a size takes, its reply as large. */
static int64_t
echo_ms(struct rpcrt_call *call, size_t size)
{
    int64_t start_ms = raw_now_ms();

    bed_echo(call, size);
    return raw_now_ms() - start_ms;
}

/* A call of Hang that runs at the server, and what became of it. */
struct hanging {
    struct rpcrt_call *call;
    atomic_uint n_done;
};

static void
hang_start(struct passage *passage, struct hanging *hanging,
           uint32_t timeout_ms)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    atomic_init(&hanging->n_done, 0);
    hanging->call = bed_call(passage->channel, timeout_ms);
    probe_hang_start(hanging->call, &request, bed_done, &hanging->n_done);
    bed_await(&passage->probe.n_hanging, 1);
}

/* -- time ------------------------------------------------------------------ */

Test(proxy_bytes, nothing_is_changed_without_faults, .timeout = 60)
{
    struct passage passage;
    struct rpcrt_call *call;
    struct proxy_stats stats;

    passage_open(&passage, 1, NULL, NULL);
    call = bed_call(passage.channel, BED_TIMEOUT_MS);
    bed_echo(call, 0);
    bed_echo(call, 3000000);
    stats = passage_stats(&passage);
    cr_assert_eq(stats.connections, 1);
    cr_assert_eq(stats.open, 1);
    cr_assert_gt(stats.ways[PROXY_UP].messages, 10);
    cr_assert_gt(stats.ways[PROXY_DOWN].bytes_written, 3000000);
    cr_assert_eq(stats.ways[PROXY_UP].plain, 0);
    rpcrt_call_free(call);
    passage_close(&passage);
}

Test(proxy_bytes, latencies_of_both_ways_add_up, .timeout = 60)
{
    struct passage passage;
    struct rpcrt_call *call;
    int64_t ms;

    passage_open(&passage, 1, NULL, NULL);
    call = bed_call(passage.channel, BED_TIMEOUT_MS);
    bed_echo(call, 10);
    passage_set(&passage, "latency-ms=60", "latency-ms=90");
    ms = echo_ms(call, 10);
    cr_assert(ms >= 149 && ms < 1000, "%d ms", (int)ms);
    passage_set(&passage, NULL, NULL);
    ms = echo_ms(call, 10);
    cr_assert_lt(ms, 149, "%d ms without latency", (int)ms);
    rpcrt_call_free(call);
    passage_close(&passage);
}

Test(proxy_bytes, jitter_stays_in_its_bounds_and_varies, .timeout = 60)
{
    struct passage passage;
    struct rpcrt_call *call;
    int64_t least_ms = INT64_MAX;
    int64_t most_ms = 0;

    passage_open(&passage, 1, NULL, NULL);
    call = bed_call(passage.channel, BED_TIMEOUT_MS);
    bed_echo(call, 10);
    passage_set(&passage, "latency-ms=10,jitter-ms=100", NULL);
    for (unsigned i = 0; i < 10; i++) {
        int64_t ms = echo_ms(call, 10);

        least_ms = ms < least_ms ? ms : least_ms;
        most_ms = ms > most_ms ? ms : most_ms;
    }
    cr_assert(least_ms >= 9 && most_ms < 1000, "%d to %d ms", (int)least_ms,
              (int)most_ms);
    cr_assert_gt(most_ms - least_ms, 20);
    rpcrt_call_free(call);
    passage_close(&passage);
}

/* A second's worth of bytes: never faster, and slower by no more than the same
 * takes without a limit. A machine that is busy with something else may need
 * another try. */
static void
second_expect(struct passage *passage, const char *up, const char *down)
{
    struct rpcrt_call *call = bed_call(passage->channel, BED_TIMEOUT_MS);
    int64_t free_ms = 0;
    int64_t ms = INT64_MAX;

    for (unsigned i = 0; i < 5 && ms > 1200 + free_ms; i++) {
        passage_set(passage, NULL, NULL);
        free_ms = echo_ms(call, 1000000);
        passage_set(passage, up, down);
        ms = echo_ms(call, 1000000);
        cr_assert_geq(ms, 800, "%d ms", (int)ms);
    }
    cr_assert_leq(ms, 1200 + free_ms, "%d ms, free %d ms", (int)ms,
                  (int)free_ms);
    rpcrt_call_free(call);
}

Test(proxy_bytes, bandwidth_holds_within_a_fifth, .timeout = 60)
{
    struct passage passage;

    passage_open(&passage, 1, NULL, NULL);
    second_expect(&passage, NULL, "bytes-per-s=1000000");
    second_expect(&passage, "bytes-per-s=1000000", NULL);
    passage_close(&passage);
}

/* -- pieces ---------------------------------------------------------------- */

Test(proxy_bytes, single_bytes_are_put_together_again, .timeout = 60)
{
    struct passage passage;
    struct rpcrt_call *call;

    passage_open(&passage, 1, NULL, NULL);
    passage_set(&passage, "slice-bytes=1", "slice-bytes=1");
    call = bed_call(passage.channel, BED_TIMEOUT_MS);
    for (size_t size = 0; size < 20000; size = size * 3 + 1) {
        bed_echo(call, size);
    }
    rpcrt_call_free(call);
    passage_close(&passage);
}

/* -- ends ------------------------------------------------------------------ */

Test(proxy_bytes, a_reset_ends_calls_as_unavailable, .timeout = 60)
{
    struct passage passage;
    struct hanging hanging;

    passage_open(&passage, 1, NULL, NULL);
    hang_start(&passage, &hanging, BED_TIMEOUT_MS);
    cr_assert_eq(proxy_reset(passage.proxy, false), 1);
    bed_await(&hanging.n_done, 1);
    cr_assert_eq(rpcrt_call_code(hanging.call), RPCRT_UNAVAILABLE, "%s",
                 rpcrt_call_message(hanging.call));
    cr_assert(rpcrt_call_may_have_run(hanging.call));
    bed_await(&passage.probe.n_cancelled, 1);
    rpcrt_call_free(hanging.call);
    passage_recover(&passage);
    cr_assert_eq(passage_stats(&passage).connections, 2);
    cr_assert_eq(passage_stats(&passage).reset, 1);
    passage_close(&passage);
}

Test(proxy_bytes, a_gentle_end_is_one_too, .timeout = 60)
{
    struct passage passage;
    struct hanging hanging;

    passage_open(&passage, 1, NULL, NULL);
    hang_start(&passage, &hanging, BED_TIMEOUT_MS);
    cr_assert_eq(proxy_reset(passage.proxy, true), 1);
    bed_await(&hanging.n_done, 1);
    cr_assert_eq(rpcrt_call_code(hanging.call), RPCRT_UNAVAILABLE);
    bed_await(&passage.probe.n_cancelled, 1);
    rpcrt_call_free(hanging.call);
    passage_recover(&passage);
    passage_close(&passage);
}

Test(proxy_bytes, a_connection_ends_after_its_bytes, .timeout = 60)
{
    static const char *const faults[] = {"close-after-bytes=10000",
                                         "close-after-bytes=10000,"
                                         "close-by-reset=1"};

    for (unsigned i = 0; i < 2; i++) {
        struct passage passage;
        struct rpcrt_call *call;
        uint32_t number = 0;
        struct proxy_stats stats;

        passage_open(&passage, 1, NULL, NULL);
        passage_set(&passage, faults[i], NULL);
        call = bed_call(passage.channel, BED_TIMEOUT_MS);
        while (passage_echo(call, number) == RPCRT_OK) {
            number++;
        }
        cr_assert_eq(rpcrt_call_code(call), RPCRT_UNAVAILABLE);
        cr_assert(number > 20 && number < 60, "%u calls", number);
        passage_await_open(&passage, 0);
        stats = passage_stats(&passage);
        cr_assert_eq(stats.ways[PROXY_UP].bytes_written, 10000);
        cr_assert_eq(stats.ways[PROXY_UP].cut, 1);
        rpcrt_call_free(call);
        passage_recover(&passage);
        passage_close(&passage);
    }
}

Test(proxy_bytes, a_connection_ends_after_its_messages, .timeout = 60)
{
    struct passage passage;
    struct rpcrt_call *call;
    uint32_t number = 0;
    struct proxy_stats stats;

    passage_open(&passage, 1, NULL, NULL);
    passage_set(&passage, NULL, "close-after-messages=8");
    call = bed_call(passage.channel, BED_TIMEOUT_MS);
    while (passage_echo(call, number) == RPCRT_OK) {
        number++;
    }
    cr_assert_eq(rpcrt_call_code(call), RPCRT_UNAVAILABLE);
    /* A call of which nothing was sent goes to the next connection. */
    stats = passage_stats(&passage);
    cr_assert(number > 0 && number < 8 * stats.connections, "%u calls", number);
    cr_assert_geq(stats.ways[PROXY_DOWN].cut, 1);
    cr_assert_geq(stats.ways[PROXY_DOWN].cut + 1, stats.connections);
    rpcrt_call_free(call);
    passage_close(&passage);
}

/* A proxy before a listener of our own, and both ends of a connection. */
static struct proxy *
sockets_open(const char *faults, int *ret_client, int *ret_server)
{
    struct proxy_options options = {.listen = "tcp://127.0.0.1:0"};
    struct common_error error;
    struct proxy *proxy;
    char target[64];
    int listener = raw_listen(target);

    options.target = target;
    cr_assert_eq(
        proxy_faults_read(&options.plan.faults[PROXY_UP], faults, &error),
        RPCRT_OK);
    cr_assert_eq(proxy_start(&options, &error, &proxy), RPCRT_OK, "%s",
                 error.text);
    *ret_client = raw_connect(proxy_address(proxy));
    *ret_server = accept(listener, NULL, NULL);
    cr_assert_geq(*ret_server, 0);
    (void)close(listener);
    return proxy;
}

Test(proxy_bytes, an_end_comes_in_order_or_by_reset, .timeout = 60)
{
    static const char *const faults[] = {"close-after-bytes=10",
                                         "close-after-bytes=10,"
                                         "close-by-reset=1"};
    static const uint8_t bytes[100] = {1};

    for (unsigned i = 0; i < 2; i++) {
        uint8_t got[100];
        int client;
        int server;
        struct proxy *proxy = sockets_open(faults[i], &client, &server);

        raw_write(client, bytes, sizeof(bytes));
        cr_assert_eq(recv(client, got, sizeof(got), 0), i == 0 ? 0 : -1);
        cr_assert(i == 0 || errno == ECONNRESET);
        if (i == 0) {
            cr_assert_eq(recv(server, got, sizeof(got), MSG_WAITALL), 10);
        }
        (void)close(client);
        (void)close(server);
        proxy_stop(proxy);
    }
}

Test(proxy_bytes, one_side_may_end_before_the_other, .timeout = 60)
{
    uint8_t got[16];
    int client;
    int server;
    struct proxy *proxy = sockets_open("", &client, &server);

    raw_write(client, "ask", 3);
    cr_assert_eq(shutdown(client, SHUT_WR), 0);
    cr_assert_eq(recv(server, got, sizeof(got), MSG_WAITALL), 3);
    raw_write(server, "answer", 6);
    (void)close(server);
    cr_assert_eq(recv(client, got, sizeof(got), MSG_WAITALL), 6);
    (void)close(client);
    proxy_stop(proxy);
}

Test(proxy_bytes, a_server_that_is_gone_is_unavailable, .timeout = 60)
{
    struct passage passage;
    struct rpcrt_call *call;

    passage_open(&passage, 1, NULL, NULL);
    rpcrt_server_free(passage.server);
    passage.server = NULL;
    call = bed_call(passage.channel, BED_TIMEOUT_MS);
    cr_assert_eq(passage_echo(call, 1), RPCRT_UNAVAILABLE);
    cr_assert(!rpcrt_call_may_have_run(call));
    cr_assert_geq(passage_stats(&passage).unreachable, 1);
    rpcrt_call_free(call);
    passage_close(&passage);
}

/* -- silence --------------------------------------------------------------- */

Test(proxy_bytes, a_deadline_holds_in_a_blackhole, .timeout = 60)
{
    static const char *const holes[][2] = {{"blackhole=1", NULL},
                                           {NULL, "blackhole=1"},
                                           {"blackhole=1", "blackhole=1"}};

    for (unsigned i = 0; i < 3; i++) {
        struct passage passage;
        struct rpcrt_call *call;
        int64_t start_ms;

        passage_open(&passage, 1, NULL, NULL);
        call = bed_call(passage.channel, BED_TIMEOUT_MS);
        cr_assert_eq(passage_echo(call, 1), RPCRT_OK);
        passage_set(&passage, holes[i][0], holes[i][1]);
        rpcrt_call_set_timeout(call, 200);
        start_ms = raw_now_ms();
        cr_assert_eq(passage_echo(call, 2), RPCRT_DEADLINE_EXCEEDED);
        cr_assert_lt(raw_now_ms() - start_ms, 2000);
        passage_set(&passage, NULL, NULL);
        rpcrt_call_set_timeout(call, BED_TIMEOUT_MS);
        cr_assert_eq(passage_echo(call, 3), RPCRT_OK, "%s",
                     rpcrt_call_message(call));
        cr_assert_eq(passage_stats(&passage).connections, 1);
        rpcrt_call_free(call);
        passage_close(&passage);
    }
}

Test(proxy_bytes, a_client_finds_a_blackhole, .timeout = 60)
{
    static const struct rpcrt_channel_options quick = {
        .keepalive_ms = 100, .keepalive_timeout_ms = 200};
    struct passage passage;
    struct hanging hanging;

    passage_open(&passage, 1, NULL, &quick);
    hang_start(&passage, &hanging, BED_TIMEOUT_MS);
    passage_set(&passage, NULL, "blackhole=1");
    bed_await(&hanging.n_done, 1);
    cr_assert_eq(rpcrt_call_code(hanging.call), RPCRT_UNAVAILABLE, "%s",
                 rpcrt_call_message(hanging.call));
    passage_set(&passage, NULL, NULL);
    rpcrt_call_free(hanging.call);
    passage_recover(&passage);
    passage_close(&passage);
}

Test(proxy_bytes, a_server_finds_a_blackhole, .timeout = 60)
{
    static const struct rpcrt_server_options quick = {
        .keepalive_ms = 100, .keepalive_timeout_ms = 200};
    struct passage passage;
    struct hanging hanging;

    passage_open(&passage, 1, &quick, NULL);
    hang_start(&passage, &hanging, BED_TIMEOUT_MS);
    passage_set(&passage, "blackhole=1", NULL);
    bed_await(&passage.probe.n_cancelled, 1);
    passage_set(&passage, NULL, NULL);
    bed_await(&hanging.n_done, 1);
    cr_assert_eq(rpcrt_call_code(hanging.call), RPCRT_UNAVAILABLE, "%s",
                 rpcrt_call_message(hanging.call));
    rpcrt_call_free(hanging.call);
    passage_recover(&passage);
    passage_close(&passage);
}

Test(proxy_bytes, a_half_open_connection_is_found, .timeout = 60)
{
    static const struct rpcrt_server_options quick = {
        .keepalive_ms = 500, .keepalive_timeout_ms = 500};
    struct passage passage;
    struct hanging hanging;
    struct proxy_plan plan = {.half_open = true};
    struct common_error error;
    int64_t start_ms;

    passage_open(&passage, 1, &quick, NULL);
    hang_start(&passage, &hanging, BED_TIMEOUT_MS);
    cr_assert_eq(proxy_set_plan(passage.proxy, &plan, &error), RPCRT_OK);
    start_ms = raw_now_ms();
    rpcrt_channel_free(passage.channel);
    passage.channel = NULL;
    bed_await(&passage.probe.n_cancelled, 1);
    cr_assert_geq(raw_now_ms() - start_ms, 400, "somebody told the server");
    passage_await_open(&passage, 0);
    rpcrt_call_free(hanging.call);
    passage_close(&passage);
}
