/*
 * Calls that are started and completed by a callback.
 */
#include "support/probe.h"

#include <string.h>
#include <unistd.h>

#define N_CALLS 1000u

EACH_TRANSPORT(async, has_thousands_in_flight_from_one_thread, 60)
{
    static struct rpcrt_call *calls[N_CALLS];
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    atomic_uint n_done = 0;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (uint8_t round = 0; round < 3; round++) {
        for (unsigned i = 0; i < N_CALLS; i++) {
            uint8_t payload[2] = {round, (uint8_t)i};

            if (round == 0) {
                calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
            }
            request.payload.data = payload;
            request.payload.len = sizeof payload;
            probe_echo_start(calls[i], &request, bed_done, &n_done);
        }
        bed_await(&n_done, N_CALLS * (round + 1u));
        for (unsigned i = 0; i < N_CALLS; i++) {
            expect_ok(calls[i], probe_echo_take(calls[i], &reply));
            cr_assert_eq(reply->payload.len, 2u);
            cr_assert_eq(reply->payload.data[0], round);
            cr_assert_eq(reply->payload.data[1], (uint8_t)i);
        }
    }
    for (unsigned i = 0; i < N_CALLS; i++) {
        rpcrt_call_free(calls[i]);
    }
    bed_close(&bed);
}

/* A call that starts itself again until it has had enough. */
struct chain {
    Probe__V1__EchoRequest request;
    unsigned left;
    enum rpcrt_code code;
    atomic_uint n_over;
};

static void
go_on(struct rpcrt_call *call, void *arg)
{
    struct chain *chain = arg;
    const Probe__V1__EchoReply *reply;

    chain->code = probe_echo_take(call, &reply);
    if (--chain->left > 0) {
        probe_echo_start(call, &chain->request, go_on, chain);
    } else {
        atomic_store(&chain->n_over, 1);
    }
}

EACH_TRANSPORT(async, starts_the_next_from_a_completion, 60)
{
    struct chain chain = {.request = PROBE__V1__ECHO_REQUEST__INIT,
                          .left = 2000};
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_echo_start(call, &chain.request, go_on, &chain);
    bed_await(&chain.n_over, 1);
    cr_assert_eq(chain.code, RPCRT_OK);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* Without a server each start fails at once. */
Test(async, is_told_when_it_can_not_be_sent, .timeout = 60)
{
    struct chain chain = {.request = PROBE__V1__ECHO_REQUEST__INIT,
                          .left = 300};
    struct rpcrt_channel_options options = {.backoff_ms_min = 60000,
                                            .backoff_ms_max = 60000};
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;

    cr_assert_eq(rpcrt_channel_new("inproc://nobody", &options, &channel),
                 RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    probe_echo_start(call, &chain.request, go_on, &chain);
    bed_await(&chain.n_over, 1);
    cr_assert_eq(chain.code, RPCRT_UNAVAILABLE);
    cr_assert_not(rpcrt_call_may_have_run(call));
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
}

EACH_TRANSPORT(async, is_completed_before_free_returns, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    atomic_uint n_done = 0;
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 200; i++) {
        call = bed_call(bed.channel, BED_TIMEOUT_MS);
        if (i % 2 == 0) {
            probe_hang_start(call, &request, bed_done, &n_done);
        } else {
            probe_echo_start(call, &request, bed_done, &n_done);
        }
        if (i % 3 == 0) {
            (void)usleep(500);
        }
        rpcrt_call_free(call);
        cr_assert_eq(atomic_load(&n_done), i + 1);
    }
    bed_await(&bed.probe.n_hanging, 0);
    bed_close(&bed);
}

static void
free_it(struct rpcrt_call *call, void *arg)
{
    rpcrt_call_free(call);
    atomic_fetch_add((atomic_uint *)arg, 1);
}

EACH_TRANSPORT(async, may_free_its_call_when_it_completes, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    atomic_uint n_done = 0;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 500; i++) {
        probe_echo_start(bed_call(bed.channel, BED_TIMEOUT_MS), &request,
                         free_it, &n_done);
    }
    bed_await(&n_done, 500);
    bed_close(&bed);
}

/* Starts itself again for ever. */
static void
never_stop(struct rpcrt_call *call, void *arg)
{
    struct chain *chain = arg;
    const Probe__V1__EchoReply *reply;

    chain->code = probe_echo_take(call, &reply);
    atomic_fetch_add(&chain->n_over, 1);
    probe_echo_start(call, &chain->request, never_stop, chain);
}

EACH_TRANSPORT(async, ends_when_a_call_that_restarts_itself_is_freed, 60)
{
    struct chain chain = {.request = PROBE__V1__ECHO_REQUEST__INIT};
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 50; i++) {
        struct rpcrt_call *call = bed_call(bed.channel, BED_TIMEOUT_MS);

        atomic_store(&chain.n_over, 0);
        probe_echo_start(call, &chain.request, never_stop, &chain);
        while (atomic_load(&chain.n_over) < i % 5) {
            (void)usleep(100);
        }
        rpcrt_call_free(call);
    }
    bed_close(&bed);
}

EACH_TRANSPORT(async, ends_when_the_channel_of_a_call_that_restarts_is_freed,
               60)
{
    struct chain chain = {.request = PROBE__V1__ECHO_REQUEST__INIT};
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_echo_start(call, &chain.request, never_stop, &chain);
    while (atomic_load(&chain.n_over) < 100) {
        (void)usleep(100);
    }
    bed_close(&bed);
    cr_assert_eq(rpcrt_call_code(call), RPCRT_CANCELLED);
    rpcrt_call_free(call);
}
