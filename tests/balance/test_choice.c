/*
 * Where calls go when a channel has several addresses that are well, or dead.
 */
#include "balance/fleet.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct rpcrt_channel_options in_turns = {
    .balancing = RPCRT_ROUND_ROBIN, .backoff_ms_min = 10, .backoff_ms_max = 50};
static const struct rpcrt_channel_options least = {.balancing =
                                                       RPCRT_LEAST_IN_FLIGHT};

Test(balance, calls_spread_evenly, .timeout = 60)
{
    struct fleet fleet;

    fleet_open(&fleet, 3, NULL);
    fleet_dial(&fleet, fleet.list, &in_turns);
    cr_assert_eq(fleet_count(&fleet, 1), 1u);
    fleet_await(&fleet, 3, RPCRT_ENDPOINT_READY, false);
    for (unsigned i = 0; i < 3; i++) {
        (void)fleet_calls(&fleet, i);
    }
    cr_assert_eq(fleet_count(&fleet, 300), 300u);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(fleet_calls(&fleet, i), 100u);
    }
    fleet_close(&fleet);
}

Test(balance, picks_the_first_by_default, .timeout = 60)
{
    struct fleet fleet;

    fleet_open(&fleet, 3, NULL);
    fleet_dial(&fleet, fleet.list, NULL);
    cr_assert_eq(fleet_count(&fleet, 50), 50u);
    cr_assert_eq(fleet_calls(&fleet, 0), 50u);
    cr_assert_str_eq(rpcrt_call_peer(fleet.call), fleet.ships[0].address);
    cr_assert_eq(fleet_stats(&fleet, fleet.ships[0].address).calls, 50u);
    cr_assert_eq(fleet_stats(&fleet, fleet.ships[1].address).state,
                 RPCRT_ENDPOINT_IDLE);
    fleet_close(&fleet);
}

Test(balance, goes_on_to_the_next_when_the_first_is_down, .timeout = 60)
{
    struct fleet fleet;

    fleet_open(&fleet, 3, NULL);
    fleet_dial(&fleet, fleet.list, NULL);
    fleet_sink(&fleet, 0);
    fleet_sink(&fleet, 1);
    cr_assert_eq(fleet_count(&fleet, 20), 20u, "%s",
                 rpcrt_call_message(fleet.call));
    cr_assert_eq(fleet_calls(&fleet, 2), 20u);
    cr_assert_str_eq(rpcrt_call_peer(fleet.call), fleet.ships[2].address);
    fleet_close(&fleet);
}

Test(balance, avoids_who_is_busy, .timeout = 60)
{
    struct rpcrt_call *hanging[10];
    atomic_uint n_done = 0;
    struct fleet fleet;

    fleet_open(&fleet, 2, NULL);
    fleet_dial(&fleet, fleet.list, &least);
    cr_assert_eq(fleet_count(&fleet, 1), 1u);
    fleet_await(&fleet, 2, RPCRT_ENDPOINT_READY, false);
    for (unsigned i = 0; i < 10; i++) {
        hanging[i] = fleet_hang(&fleet, &n_done);
    }
    bed_await(&fleet.ships[0].n_hanging, 5);
    bed_await(&fleet.ships[1].n_hanging, 5);
    /* Those of the first one end; from now on it has fewer. */
    for (unsigned i = 0; i < 10; i++) {
        if (strcmp(rpcrt_call_peer(hanging[i]), fleet.ships[0].address) == 0) {
            rpcrt_call_cancel(hanging[i]);
        }
    }
    bed_await(&n_done, 5);
    (void)fleet_calls(&fleet, 0);
    (void)fleet_calls(&fleet, 1);
    cr_assert_eq(fleet_count(&fleet, 40), 40u);
    cr_assert_eq(fleet_calls(&fleet, 0), 40u);
    for (unsigned i = 0; i < 10; i++) {
        rpcrt_call_free(hanging[i]);
    }
    fleet_close(&fleet);
}

/* -- dead addresses -------------------------------------------------------- */

static void
expect_no_delay(const char *list, const struct rpcrt_channel_options *options,
                struct fleet *fleet)
{
    fleet_dial(fleet, list, options);
    for (unsigned i = 0; i < 30; i++) {
        int64_t began_ms = now_ms();

        cr_assert_eq(fleet_count(fleet, 1), 1u, "%s",
                     rpcrt_call_message(fleet->call));
        cr_assert_lt(now_ms() - began_ms, 2000, "call %u took too long", i);
    }
}

Test(balance, a_dead_address_delays_no_call, .timeout = 60)
{
    char list[2 * RPCRT_ADDRESS_SIZE];
    struct silence silence;
    struct fleet fleet;

    silence_open(&silence);
    fleet_open(&fleet, 1, NULL);
    (void)snprintf(list, sizeof list, "%s,%s", silence.address,
                   fleet.ships[0].address);
    expect_no_delay(list, &in_turns, &fleet);
    fleet_close(&fleet);
    silence_close(&silence);
}

Test(balance, the_first_being_dead_delays_no_call, .timeout = 60)
{
    char list[3 * RPCRT_ADDRESS_SIZE];
    char refused[64];
    struct silence silence;
    struct fleet fleet;

    silence_open(&silence);
    nobody(refused);
    fleet_open(&fleet, 1, NULL);
    (void)snprintf(list, sizeof list, "%s,%s,%s", silence.address, refused,
                   fleet.ships[0].address);
    expect_no_delay(list, NULL, &fleet);
    fleet_close(&fleet);
    silence_close(&silence);
}

Test(balance, an_error_names_every_address, .timeout = 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    char list[3 * RPCRT_ADDRESS_SIZE];
    char refused[2][64];
    struct fleet fleet;

    fleet_open(&fleet, 0, NULL);
    nobody(refused[0]);
    nobody(refused[1]);
    (void)snprintf(list, sizeof list, "%s,%s", refused[0], refused[1] + 6);
    fleet_dial(&fleet, list, &in_turns);
    for (unsigned i = 0; i < 3; i++) {
        expect_code(fleet.call, RPCRT_UNAVAILABLE,
                    probe_echo(fleet.call, &request, &reply));
        cr_assert(strstr(rpcrt_call_message(fleet.call), refused[0]) != NULL &&
                      strstr(rpcrt_call_message(fleet.call), refused[1]) !=
                          NULL,
                  "%s", rpcrt_call_message(fleet.call));
        cr_assert_eq(rpcrt_call_origin(fleet.call), RPCRT_ORIGIN_TRANSPORT);
        cr_assert_not(rpcrt_call_may_have_run(fleet.call));
    }
    fleet_close(&fleet);
}

Test(balance, a_call_that_waits_takes_whoever_comes, .timeout = 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    atomic_uint n_done = 0;
    struct fleet fleet;

    fleet_open(&fleet, 3, NULL);
    fleet_dial(&fleet, fleet.list, &in_turns);
    for (unsigned i = 0; i < 3; i++) {
        fleet_sink(&fleet, i);
    }
    rpcrt_call_set_wait_for_ready(fleet.call, true);
    probe_count_start(fleet.call, &request, bed_done, &n_done);
    fleet_await(&fleet, 3, RPCRT_ENDPOINT_BACKOFF, false);
    cr_assert_eq(atomic_load(&n_done), 0u);
    fleet_raise(&fleet, 1);
    bed_await(&n_done, 1);
    expect_ok(fleet.call, probe_count_take(fleet.call, &reply));
    cr_assert_eq(fleet_calls(&fleet, 1), 1u);
    fleet_close(&fleet);
}

Test(balance, a_server_that_restarts_gets_calls_again, .timeout = 60)
{
    struct fleet fleet;

    fleet_open(&fleet, 2, NULL);
    fleet_dial(&fleet, fleet.list, &in_turns);
    (void)fleet_count(&fleet, 1);
    fleet_await(&fleet, 2, RPCRT_ENDPOINT_READY, false);
    fleet_sink(&fleet, 0);
    fleet_await(&fleet, 1, RPCRT_ENDPOINT_READY, false);
    (void)fleet_calls(&fleet, 1);
    cr_assert_eq(fleet_count(&fleet, 20), 20u, "%s",
                 rpcrt_call_message(fleet.call));
    cr_assert_eq(fleet_calls(&fleet, 1), 20u);
    fleet_raise(&fleet, 0);
    fleet_await(&fleet, 2, RPCRT_ENDPOINT_READY, true);
    (void)fleet_calls(&fleet, 0);
    cr_assert_eq(fleet_count(&fleet, 20), 20u);
    cr_assert_eq(fleet_calls(&fleet, 0), 10u);
    fleet_close(&fleet);
}

/* -- everything at once ---------------------------------------------------- */

struct caller {
    struct fleet *fleet;
    pthread_t thread;
    atomic_bool *ending;
    unsigned n_ok;
    unsigned n_wrong;
};

static void *
call_on_and_on(void *arg)
{
    struct caller *caller = arg;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    struct rpcrt_call *call;

    if (rpcrt_call_new(caller->fleet->channel, BED_TIMEOUT_MS, &call) !=
        RPCRT_OK) {
        return NULL;
    }
    while (!atomic_load(caller->ending)) {
        enum rpcrt_code code = probe_count(call, &request, &reply);

        caller->n_ok += code == RPCRT_OK;
        caller->n_wrong += code != RPCRT_OK && code != RPCRT_UNAVAILABLE;
    }
    rpcrt_call_free(call);
    return NULL;
}

Test(balance, servers_come_and_go_under_load, .timeout = 120)
{
    static const struct rpcrt_channel_options options = {
        .balancing = RPCRT_LEAST_IN_FLIGHT,
        .backoff_ms_min = 1,
        .backoff_ms_max = 5,
        .eject_errors = 2,
        .eject_ms_min = 1,
        .eject_ms_max = 20};
    struct caller callers[4];
    atomic_bool ending = false;
    struct fleet fleet;

    fleet_open(&fleet, 3, NULL);
    fleet_dial(&fleet, fleet.list, &options);
    for (unsigned i = 0; i < 4; i++) {
        callers[i] = (struct caller){.fleet = &fleet, .ending = &ending};
        cr_assert_eq(pthread_create(&callers[i].thread, NULL, call_on_and_on,
                                    &callers[i]),
                     0);
    }
    for (unsigned i = 0; i < 30; i++) {
        fleet_sink(&fleet, i % 3);
        (void)poll(NULL, 0, 5);
        fleet_raise(&fleet, i % 3);
        atomic_store(&fleet.ships[(i + 1) % 3].failing, i % 2 == 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        atomic_store(&fleet.ships[i].failing, false);
    }
    fleet_await(&fleet, 3, RPCRT_ENDPOINT_READY, true);
    atomic_store(&ending, true);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(pthread_join(callers[i].thread, NULL), 0);
        cr_assert_gt(callers[i].n_ok, 0u);
        cr_assert_eq(callers[i].n_wrong, 0u);
    }
    fleet_close(&fleet);
}

/* -- lists ----------------------------------------------------------------- */

Test(balance, a_list_that_cannot_be_is_refused_with_the_wrong_item)
{
    static const struct {
        const char *address;
        const char *words;
    } bad[] = {
        {"tcp://127.0.0.1:1,", "tcp://: the port is missing"},
        {"tcp://127.0.0.1:1,,127.0.0.1:2", "tcp://: the port is missing"},
        {"tcp://127.0.0.1:1,127.0.0.2", "tcp://127.0.0.2: the port is missing"},
        {"tcp://127.0.0.1:1,udp://127.0.0.1:2", "udp://127.0.0.1:2"},
        {"127.0.0.1:1,tcp://127.0.0.1:2", "127.0.0.1:1: begins with none"},
        {"tcp://127.0.0.1:1,tls+tcp://127.0.0.1:2", "needs certificates"},
        {"dns:///localhost", "localhost: the port is missing"},
        {"file://list", "must begin with a slash"},
        {"tcp://127.0.0.1:1,file:///list", "file:///list"},
    };
    struct rpcrt_channel_options options = {.balancing = 7};
    struct rpcrt_channel *channel;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(rpcrt_channel_new(bad[i].address, NULL, &channel),
                     RPCRT_INVALID_ARGUMENT, "%s", bad[i].address);
        cr_assert_not_null(strstr(rpcrt_last_error(), bad[i].words), "%s: %s",
                           bad[i].address, rpcrt_last_error());
    }
    cr_assert_eq(rpcrt_channel_new("tcp://127.0.0.1:1", &options, &channel),
                 RPCRT_INVALID_ARGUMENT);
}

Test(balance, schemes_can_be_mixed, .timeout = 60)
{
    char list[3 * RPCRT_ADDRESS_SIZE];
    struct bed bed;
    struct fleet fleet;

    bed_open(&bed, "ipc", NULL, NULL);
    fleet_open(&fleet, 1, NULL);
    (void)snprintf(list, sizeof list, "%s,%s", bed.address,
                   fleet.ships[0].address);
    fleet_dial(&fleet, list, &in_turns);
    (void)fleet_count(&fleet, 1);
    fleet_await(&fleet, 2, RPCRT_ENDPOINT_READY, false);
    (void)fleet_calls(&fleet, 0);
    atomic_store(&bed.probe.n_counted, 0);
    cr_assert_eq(fleet_count(&fleet, 10), 10u);
    cr_assert_eq(fleet_calls(&fleet, 0), 5u);
    cr_assert_eq(atomic_load(&bed.probe.n_counted), 5u);
    fleet_close(&fleet);
    bed_close(&bed);
}
