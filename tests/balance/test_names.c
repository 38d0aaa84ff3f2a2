/*
 * Names with several addresses, which may change, and one that nobody answers
 * for.
 */
#include "balance/fleet.h"
#include "balance/names.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static const struct rpcrt_channel_options in_turns = {.balancing =
                                                          RPCRT_ROUND_ROBIN,
                                                      .resolve_ms = 5,
                                                      .backoff_ms_min = 10,
                                                      .backoff_ms_max = 50};

/* A server on every address of this machine, and its port. */
static const char *
open_everywhere(struct bed *bed, char ret_address[2][64])
{
    const char *port;

    memset(bed, 0, sizeof *bed);
    bed->server = bed_serve(&bed->probe, "tcp://0.0.0.0:0", NULL, NULL);
    port = strrchr(rpcrt_server_address(bed->server, 0), ':') + 1;
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(ret_address[i], 64, "tcp://127.0.0.%u:%s", i + 1, port);
    }
    return port;
}

Test(balance, every_address_behind_a_name_gets_calls, .timeout = 60)
{
    char addresses[2][64];
    char name[64];
    struct fleet fleet;
    struct bed bed;

    atomic_store(&names_shop, 1u << 1 | 1u << 2);
    (void)snprintf(name, sizeof name, "dns:///shop.test:%s",
                   open_everywhere(&bed, addresses));
    fleet_open(&fleet, 0, NULL);
    fleet_dial(&fleet, name, &in_turns);
    (void)fleet_count(&fleet, 1);
    fleet_await(&fleet, 2, RPCRT_ENDPOINT_READY, false);
    cr_assert_eq(fleet_count(&fleet, 20), 20u);
    cr_assert_geq(fleet_stats(&fleet, addresses[0]).calls, 10u);
    cr_assert_geq(fleet_stats(&fleet, addresses[1]).calls, 10u);
    fleet_close(&fleet);
    rpcrt_server_free(bed.server);
}

Test(balance, a_name_that_moves_is_followed, .timeout = 60)
{
    char addresses[2][64];
    char name[64];
    struct fleet fleet;
    struct bed bed;

    atomic_store(&names_shop, 1u << 1);
    (void)snprintf(name, sizeof name, "dns:///shop.test:%s",
                   open_everywhere(&bed, addresses));
    fleet_open(&fleet, 0, NULL);
    fleet_dial(&fleet, name, &in_turns);
    for (unsigned i = 0; i < 20; i++) {
        int64_t until_ms = now_ms() + BED_TIMEOUT_MS;

        atomic_store(&names_shop, 1u << (1 + i % 2));
        do {
            cr_assert_lt(now_ms(), until_ms);
            cr_assert_eq(fleet_count(&fleet, 1), 1u, "%s",
                         rpcrt_call_message(fleet.call));
        } while (strcmp(rpcrt_call_peer(fleet.call), addresses[i % 2]) != 0);
    }
    /* A name that nobody knows any more changes nothing. */
    atomic_store(&names_shop, 0);
    (void)poll(NULL, 0, 50);
    cr_assert_eq(fleet_count(&fleet, 5), 5u);
    fleet_close(&fleet);
    rpcrt_server_free(bed.server);
}

Test(balance, a_look_up_that_hangs_holds_up_no_close, .timeout = 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    struct fleet fleet;
    int64_t began_ms = now_ms();

    fleet_open(&fleet, 0, NULL);
    fleet_dial(&fleet, "dns:///slow.test:1", NULL);
    rpcrt_call_set_timeout(fleet.call, 50);
    expect_code(fleet.call, RPCRT_DEADLINE_EXCEEDED,
                probe_count(fleet.call, &request, &reply));
    bed_await(&names_running, 1);
    fleet_close(&fleet);
    cr_assert_lt(now_ms() - began_ms, 5000);
    cr_assert_eq(atomic_load(&names_running), 1u);
    atomic_store(&names_answered, 1);
    bed_await(&names_running, 0);
}
