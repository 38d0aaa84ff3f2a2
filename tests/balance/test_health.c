/*
 * Servers that fail, go silent or want to be left, and what a channel with
 * several of them does about it.
 */
#include "balance/fleet.h"

#include "support/proxy/proxy.h"
#include <poll.h>
#include <stdio.h>
#include <string.h>

static const struct rpcrt_channel_options in_turns = {.balancing =
                                                          RPCRT_ROUND_ROBIN,
                                                      .backoff_ms_min = 10,
                                                      .backoff_ms_max = 50,
                                                      .eject_errors = 3,
                                                      .eject_ms_min = 300,
                                                      .eject_ms_max = 600};

static void
open_all(struct fleet *fleet, unsigned n,
         const struct rpcrt_channel_options *options)
{
    fleet_open(fleet, n, NULL);
    fleet_dial(fleet, fleet->list, options);
    cr_assert_eq(fleet_count(fleet, 1), 1u);
    fleet_await(fleet, n, RPCRT_ENDPOINT_READY, false);
    for (unsigned i = 0; i < n; i++) {
        (void)fleet_calls(fleet, i);
    }
}

/* Calls until a server is ejected, or is not any more. */
static void
await_ejected(struct fleet *fleet, unsigned ship, bool ejected)
{
    int64_t until_ms = now_ms() + BED_TIMEOUT_MS;

    while (fleet_stats(fleet, fleet->ships[ship].address).ejected != ejected) {
        cr_assert_lt(now_ms(), until_ms);
        (void)fleet_count(fleet, 1);
    }
}

Test(balance, a_failing_server_gets_no_calls_until_a_probe_succeeds,
     .timeout = 60)
{
    struct fleet fleet;
    int64_t began_ms;

    open_all(&fleet, 3, &in_turns);
    atomic_store(&fleet.ships[1].failing, true);
    cr_assert_eq(fleet_count(&fleet, 9), 6u);
    cr_assert_eq(fleet_calls(&fleet, 1), 3u);
    began_ms = now_ms();
    cr_assert(fleet_stats(&fleet, fleet.ships[1].address).ejected);
    cr_assert_eq(fleet_count(&fleet, 30), 30u);
    cr_assert_eq(fleet_calls(&fleet, 1), 0u);
    /* Each probe fails and is one call; the pause doubles: at 300, 900 and
     * 1500 ms. */
    while (now_ms() - began_ms < 1300) {
        (void)fleet_count(&fleet, 1);
    }
    cr_assert_eq(fleet_calls(&fleet, 1), 2u);
    atomic_store(&fleet.ships[1].failing, false);
    await_ejected(&fleet, 1, false);
    cr_assert_geq(now_ms() - began_ms, 1500);
    cr_assert_eq(fleet_calls(&fleet, 1), 1u);
    (void)fleet_calls(&fleet, 0);
    cr_assert_eq(fleet_count(&fleet, 30), 30u);
    cr_assert_eq(fleet_calls(&fleet, 0), 10u);
    cr_assert_eq(fleet_calls(&fleet, 1), 10u);
    fleet_close(&fleet);
}

Test(balance, the_first_being_ejected_the_second_is_taken, .timeout = 60)
{
    struct rpcrt_channel_options options = in_turns;
    struct fleet fleet;

    options.balancing = RPCRT_PICK_FIRST;
    fleet_open(&fleet, 2, NULL);
    fleet_dial(&fleet, fleet.list, &options);
    atomic_store(&fleet.ships[0].failing, true);
    cr_assert_eq(fleet_count(&fleet, 20), 17u);
    cr_assert_eq(fleet_calls(&fleet, 0), 3u);
    atomic_store(&fleet.ships[0].failing, false);
    await_ejected(&fleet, 0, false);
    (void)fleet_calls(&fleet, 0);
    cr_assert_eq(fleet_count(&fleet, 20), 20u);
    cr_assert_eq(fleet_calls(&fleet, 0), 20u);
    fleet_close(&fleet);
}

Test(balance, never_are_all_ejected, .timeout = 60)
{
    struct fleet fleet;

    open_all(&fleet, 2, &in_turns);
    atomic_store(&fleet.ships[0].failing, true);
    atomic_store(&fleet.ships[1].failing, true);
    cr_assert_eq(fleet_count(&fleet, 30), 0u);
    cr_assert_neq(fleet_stats(&fleet, fleet.ships[0].address).ejected,
                  fleet_stats(&fleet, fleet.ships[1].address).ejected);
    cr_assert_eq(fleet_calls(&fleet, 0) + fleet_calls(&fleet, 1), 30u);
    fleet_close(&fleet);
}

Test(balance, who_is_ejected_is_better_than_nobody, .timeout = 60)
{
    struct fleet fleet;

    open_all(&fleet, 2, &in_turns);
    atomic_store(&fleet.ships[0].failing, true);
    await_ejected(&fleet, 0, true);
    atomic_store(&fleet.ships[0].failing, false);
    fleet_sink(&fleet, 1);
    fleet_await(&fleet, 1, RPCRT_ENDPOINT_READY, false);
    cr_assert_eq(fleet_count(&fleet, 1), 1u, "%s",
                 rpcrt_call_message(fleet.call));
    cr_assert_not(fleet_stats(&fleet, fleet.ships[0].address).ejected);
    fleet_close(&fleet);
}

Test(balance, other_errors_eject_nobody, .timeout = 60)
{
    struct rpcrt_channel_options options = in_turns;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct fleet fleet;

    options.eject_errors = 1;
    open_all(&fleet, 2, &options);
    for (unsigned i = 0; i < 10; i++) {
        expect_code(fleet.call, RPCRT_UNIMPLEMENTED,
                    probe_missing(fleet.call, &request, &reply));
    }
    rpcrt_call_set_timeout(fleet.call, 20);
    expect_code(fleet.call, RPCRT_DEADLINE_EXCEEDED,
                probe_hang(fleet.call, &request, &reply));
    cr_assert_not(fleet_stats(&fleet, fleet.ships[0].address).ejected);
    cr_assert_not(fleet_stats(&fleet, fleet.ships[1].address).ejected);
    fleet_close(&fleet);
}

/* -- silence --------------------------------------------------------------- */

Test(balance, a_silent_server_is_found_and_the_others_go_on, .timeout = 60)
{
    struct rpcrt_channel_options options = {.balancing = RPCRT_ROUND_ROBIN,
                                            .keepalive_ms = 100,
                                            .keepalive_timeout_ms = 200,
                                            .connect_timeout_ms = 200,
                                            .backoff_ms_min = 10,
                                            .backoff_ms_max = 50};
    struct proxy_options proxied = {.listen = "tcp://127.0.0.1:0", .seed = 1};
    struct proxy_plan plan = {.half_open = false};
    char list[2 * RPCRT_ADDRESS_SIZE];
    struct common_error error;
    struct rpcrt_call *hanging[2];
    atomic_uint n_done = 0;
    struct proxy *proxy;
    struct fleet fleet;

    fleet_open(&fleet, 2, NULL);
    proxied.target = fleet.ships[0].address;
    cr_assert_eq(proxy_start(&proxied, &error, &proxy), RPCRT_OK);
    (void)snprintf(list, sizeof list, "%s,%s", proxy_address(proxy),
                   fleet.ships[1].address);
    fleet_dial(&fleet, list, &options);
    (void)fleet_count(&fleet, 1);
    fleet_await(&fleet, 2, RPCRT_ENDPOINT_READY, false);
    hanging[0] = fleet_hang(&fleet, &n_done);
    hanging[1] = fleet_hang(&fleet, &n_done);
    bed_await(&fleet.ships[0].n_hanging, 1);
    bed_await(&fleet.ships[1].n_hanging, 1);
    cr_assert_eq(
        proxy_faults_read(&plan.faults[PROXY_DOWN], "blackhole=1", &error),
        RPCRT_OK, "%s", error.text);
    cr_assert_eq(proxy_set_plan(proxy, &plan, &error), RPCRT_OK);
    bed_await(&n_done, 1);
    for (unsigned i = 0; i < 2; i++) {
        if (strcmp(rpcrt_call_peer(hanging[i]), proxy_address(proxy)) == 0) {
            cr_assert_eq(rpcrt_call_code(hanging[i]), RPCRT_UNAVAILABLE);
            cr_assert_not_null(
                strstr(rpcrt_call_message(hanging[i]), "no sign of life"));
            cr_assert_not_null(
                strstr(rpcrt_call_message(hanging[i]), proxy_address(proxy)));
        }
    }
    cr_assert_eq(fleet_count(&fleet, 20), 20u, "%s",
                 rpcrt_call_message(fleet.call));
    cr_assert_eq(atomic_load(&n_done), 1u);
    rpcrt_call_free(hanging[0]);
    rpcrt_call_free(hanging[1]);
    fleet_close(&fleet);
    proxy_stop(proxy);
}

/* -- the age of connections ------------------------------------------------ */

static void
again(struct rpcrt_call *call, void *arg)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    atomic_uint *n_done = arg;

    enum rpcrt_code code = probe_count_take(call, &reply);

    if (code == RPCRT_CANCELLED) {
        return; /* the test is over */
    }
    if (code != RPCRT_OK) {
        (void)fprintf(stderr, "%s\n", rpcrt_call_message(call));
        atomic_store(n_done, UINT32_MAX / 2);
    } else if (atomic_fetch_add(n_done, 1) < 1000000) {
        probe_count_start(call, &request, again, arg);
    }
}

Test(balance, an_old_connection_is_left_without_an_error, .timeout = 60)
{
    static const struct rpcrt_server_options old = {.connection_age_ms = 50};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_server_stats stats = {.sessions_opened = 0};
    struct rpcrt_call *calls[16];
    atomic_uint n_done = 0;
    struct fleet fleet;

    fleet_open(&fleet, 1, &old);
    fleet_dial(&fleet, fleet.list, NULL);
    for (unsigned i = 0; i < 16; i++) {
        calls[i] = bed_call(fleet.channel, BED_TIMEOUT_MS);
        probe_count_start(calls[i], &request, again, &n_done);
    }
    while (stats.sessions_closed < 6) {
        rpcrt_server_get_stats(fleet.ships[0].server, &stats);
        (void)poll(NULL, 0, 1);
    }
    cr_assert_lt(atomic_load(&n_done), UINT32_MAX / 2);
    cr_assert_eq(stats.sessions_cut, 0u);
    cr_assert_leq(stats.sessions_opened - stats.sessions_closed, 2u);
    for (unsigned i = 0; i < 16; i++) {
        rpcrt_call_free(calls[i]);
    }
    cr_assert_eq(fleet_stats(&fleet, fleet.ships[0].address).calls_failed, 0u);
    fleet_close(&fleet);
}

Test(balance, a_call_that_outlives_its_connection_ends_after_the_grace,
     .timeout = 60)
{
    static const struct rpcrt_server_options old = {
        .connection_age_ms = 50, .connection_age_grace_ms = 300};
    static const struct rpcrt_channel_options options = {.backoff_ms_max = 10};
    struct rpcrt_call *hanging;
    atomic_uint n_done = 0;
    struct fleet fleet;
    int64_t began_ms;

    fleet_open(&fleet, 1, &old);
    fleet_dial(&fleet, fleet.list, &options);
    began_ms = now_ms();
    hanging = fleet_hang(&fleet, &n_done);
    bed_await(&n_done, 1);
    cr_assert_geq(now_ms() - began_ms, 300);
    cr_assert_eq(rpcrt_call_code(hanging), RPCRT_UNAVAILABLE);
    cr_assert(rpcrt_call_may_have_run(hanging));
    cr_assert_eq(fleet_count(&fleet, 5), 5u);
    rpcrt_call_free(hanging);
    fleet_close(&fleet);
}
