/*
 * Streams on a channel with several addresses: each stays with its server.
 */
#include "balance/fleet.h"

#include <string.h>

static const struct rpcrt_channel_options in_turns = {.balancing =
                                                          RPCRT_ROUND_ROBIN,
                                                      .backoff_ms_min = 10,
                                                      .backoff_ms_max = 50,
                                                      .eject_errors = 1};

static void
open_streams(struct fleet *fleet, struct rpcrt_call *calls[4])
{
    fleet_open(fleet, 2, NULL);
    fleet_dial(fleet, fleet->list, &in_turns);
    cr_assert_eq(fleet_count(fleet, 1), 1u);
    fleet_await(fleet, 2, RPCRT_ENDPOINT_READY, false);
    for (unsigned i = 0; i < 4; i++) {
        calls[i] = bed_call(fleet->channel, BED_TIMEOUT_MS);
        probe_chat_open(calls[i]);
    }
}

Test(balance, streams_spread_and_stay, .timeout = 60)
{
    struct rpcrt_call *calls[4];
    struct fleet fleet;

    open_streams(&fleet, calls);
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 4; i++) {
            cr_assert(fleet_chat(calls[i]));
        }
    }
    cr_assert_eq(atomic_load(&fleet.ships[0].n_hanging), 2u);
    cr_assert_eq(atomic_load(&fleet.ships[1].n_hanging), 2u);
    for (unsigned i = 0; i < 4; i++) {
        probe_chat_close_send(calls[i]);
        expect_ok(calls[i], probe_chat_finish(calls[i]));
        rpcrt_call_free(calls[i]);
    }
    cr_assert_eq(fleet_stats(&fleet, fleet.ships[0].address).calls_in_flight,
                 0u);
    fleet_close(&fleet);
}

Test(balance, a_stream_whose_server_is_gone_ends_and_the_others_go_on,
     .timeout = 60)
{
    struct rpcrt_call *calls[4];
    struct fleet fleet;
    unsigned n_lost = 0;

    open_streams(&fleet, calls);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert(fleet_chat(calls[i]));
    }
    fleet_sink(&fleet, 0);
    for (unsigned i = 0; i < 4; i++) {
        bool lost =
            strcmp(rpcrt_call_peer(calls[i]), fleet.ships[0].address) == 0;

        n_lost += lost;
        cr_assert_eq(fleet_chat(calls[i]), !lost);
        probe_chat_close_send(calls[i]);
        expect_code(calls[i], lost ? RPCRT_UNAVAILABLE : RPCRT_OK,
                    probe_chat_finish(calls[i]));
        /* The next use goes where there is a server. */
        probe_chat_open(calls[i]);
        cr_assert(fleet_chat(calls[i]), "%s", rpcrt_call_message(calls[i]));
        cr_assert_str_eq(rpcrt_call_peer(calls[i]), fleet.ships[1].address);
        rpcrt_call_free(calls[i]);
    }
    cr_assert_eq(n_lost, 2u);
    fleet_close(&fleet);
}
