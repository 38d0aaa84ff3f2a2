/*
 * Completions of started calls that start the next one: as often as they like,
 * but neither a channel nor a call is kept alive by it.
 */
#include "protocol/peer.h"

/* -- completions ----------------------------------------------------------- */

struct loop {
    atomic_uint n_ended;
    unsigned n_left;
    atomic_uint n_over;
};

/* Start the call again, whatever came of it. */
static void
again(struct rpcrt_call *call, void *arg)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct loop *loop = arg;

    atomic_fetch_add(&loop->n_ended, 1);
    if (loop->n_left-- > 0) {
        probe_echo_start(call, &request, again, loop);
    } else {
        atomic_fetch_add(&loop->n_over, 1);
    }
}

EACH_TRANSPORT(completions, may_start_the_next_call, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct loop loops[8];
    struct rpcrt_call *calls[8];
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    memset(loops, 0, sizeof loops);
    for (unsigned i = 0; i < 8; i++) {
        loops[i].n_left = 200;
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
        probe_echo_start(calls[i], &request, again, &loops[i]);
    }
    for (unsigned i = 0; i < 8; i++) {
        bed_await(&loops[i].n_over, 1);
        cr_assert_eq(atomic_load(&loops[i].n_ended), 201u);
        cr_assert_eq(rpcrt_call_code(calls[i]), RPCRT_OK);
        rpcrt_call_free(calls[i]);
    }
    bed_close(&bed);
}

/* What a completion starts when the channel closes is cancelled, and not told:
 * it would start again for ever. */
EACH_TRANSPORT(completions, do_not_keep_a_channel_open, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct bed bed;

    for (unsigned round = 0; round < 10; round++) {
        struct loop loop = {.n_left = UINT32_MAX};
        struct rpcrt_call *call;
        unsigned n_ended;

        bed_open(&bed, transport, NULL, NULL);
        call = bed_call(bed.channel, 0);
        probe_echo_start(call, &request, again, &loop);
        while (atomic_load(&loop.n_ended) < 20 * round) {
            nap_ms(1);
        }
        rpcrt_channel_free(bed.channel);
        bed.channel = NULL;
        n_ended = atomic_load(&loop.n_ended);
        cr_assert_eq(rpcrt_call_code(call), RPCRT_CANCELLED, "%s",
                     rpcrt_code_name(rpcrt_call_code(call)));
        cr_assert_not(rpcrt_call_may_have_run(call));
        rpcrt_call_free(call);
        bed_close(&bed);
        cr_assert_eq(n_ended, atomic_load(&loop.n_ended));
    }
}

EACH_TRANSPORT(completions, do_not_keep_a_call_alive, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned round = 0; round < 50; round++) {
        struct loop loop = {.n_left = UINT32_MAX};
        struct rpcrt_call *call = bed_call(bed.channel, 0);
        unsigned n_ended;

        probe_echo_start(call, &request, again, &loop);
        while (atomic_load(&loop.n_ended) < round) {
            nap_ms(1);
        }
        rpcrt_call_free(call);
        n_ended = atomic_load(&loop.n_ended);
        nap_ms(1);
        cr_assert_eq(n_ended, atomic_load(&loop.n_ended));
    }
    bed_close(&bed);
}
