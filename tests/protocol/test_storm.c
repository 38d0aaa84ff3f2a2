/*
 * A great many things at once: cancels beside answers, deadlines that pass
 * together, methods beyond what a connection numbers.
 */
#include "protocol/peer.h"

#include <stdio.h>
#include <stdlib.h>

/* -- cancels --------------------------------------------------------------- */

struct canceller {
    struct rpcrt_call *call;
    atomic_bool ending;
    pthread_t thread;
};

static void *
cancel_all_the_time(void *arg)
{
    struct canceller *canceller = arg;

    while (!atomic_load(&canceller->ending)) {
        rpcrt_call_cancel(canceller->call);
    }
    return NULL;
}

EACH_TRANSPORT(storm, of_cancels_beside_answers_ends_each_call_once, 60)
{
    Probe__V1__EchoRequest echo = PROBE__V1__ECHO_REQUEST__INIT;
    Probe__V1__WaitRequest wait = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct canceller canceller;
    struct rpcrt_call *good;
    struct bed bed;
    int64_t end = now_ms() + 1000;

    bed_open(&bed, transport, NULL, NULL);
    memset(&canceller, 0, sizeof canceller);
    good = bed_call(bed.channel, BED_TIMEOUT_MS);
    canceller.call = bed_call(bed.channel, 0);
    cr_assert_eq(pthread_create(&canceller.thread, NULL, cancel_all_the_time,
                                &canceller),
                 0);
    for (unsigned i = 0; now_ms() < end; i++) {
        enum rpcrt_code code = i % 2 == 0
                                   ? probe_echo(canceller.call, &echo, &reply)
                                   : probe_wait(canceller.call, &wait, &reply);

        cr_assert(code == RPCRT_OK || code == RPCRT_CANCELLED, "%s: %s",
                  rpcrt_code_name(code), rpcrt_call_message(canceller.call));
    }
    atomic_store(&canceller.ending, true);
    (void)pthread_join(canceller.thread, NULL);
    bed_echo(good, 1000);
    rpcrt_call_free(canceller.call);
    rpcrt_call_free(good);
    bed_close(&bed);
}

/* -- deadlines ------------------------------------------------------------- */

#define N_CALLS 6000u

/* More than a connection may have in flight: the rest is refused at once. */
Test(storm, of_deadlines_passes, .timeout = 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    static struct rpcrt_call *calls[N_CALLS];
    unsigned n_expired = 0;
    atomic_uint n_done = 0;
    struct bed bed;
    int64_t began;

    bed_open(&bed, "tcp", NULL, NULL);
    calls[0] = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(calls[0], 1);
    began = now_ms();
    for (unsigned i = 0; i < N_CALLS; i++) {
        if (i > 0) {
            calls[i] = bed_call(bed.channel, 0);
        }
        rpcrt_call_set_timeout(calls[i], 300 + i % 100);
        probe_hang_start(calls[i], &request, bed_done, &n_done);
    }
    bed_await(&n_done, N_CALLS);
    for (unsigned i = 0; i < N_CALLS; i++) {
        enum rpcrt_code code = rpcrt_call_code(calls[i]);

        cr_assert(code == RPCRT_DEADLINE_EXCEEDED ||
                      code == RPCRT_RESOURCE_EXHAUSTED,
                  "%s", rpcrt_call_message(calls[i]));
        n_expired += code == RPCRT_DEADLINE_EXCEEDED;
        rpcrt_call_free(calls[i]);
    }
    cr_assert_geq(n_expired, RPCRT_SESSION_CALLS_MAX);
    cr_assert_lt(now_ms() - began, 15000);
    bed_await(&bed.probe.n_hanging, 0);
    bed_close(&bed);
}

/* -- methods --------------------------------------------------------------- */

#define N_METHODS (RPCRT_METHODS_PER_SESSION_MAX + 80)

Test(storm, of_methods_mixes_up_none, .timeout = 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    static struct rpcrt_method methods[N_METHODS];
    static char paths[N_METHODS][32];
    static struct rpcrt_call *calls[N_METHODS];
    struct bed bed;

    bed_open(&bed, "tcp", NULL, NULL);
    for (unsigned i = 0; i < N_METHODS; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "/no.Such/Method%u.", i);
        methods[i] = (struct rpcrt_method){
            .path = paths[i],
            .request = &probe__v1__echo_request__descriptor,
            .reply = &probe__v1__echo_reply__descriptor};
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
    }
    for (unsigned round = 0; round < 3; round++) {
        atomic_uint n_done = 0;

        /* Backwards too, so that old numbers meet new ones. */
        for (unsigned i = 0; i < N_METHODS; i++) {
            unsigned j = round == 1 ? N_METHODS - 1 - i : i;

            rpcrt_call_start(calls[j], &methods[j], &request.base, bed_done,
                             &n_done);
        }
        bed_await(&n_done, N_METHODS);
        for (unsigned i = 0; i < N_METHODS; i++) {
            cr_assert_eq(rpcrt_call_code(calls[i]), RPCRT_UNIMPLEMENTED);
            cr_assert_not_null(strstr(rpcrt_call_message(calls[i]), paths[i]),
                               "%s: %s", paths[i],
                               rpcrt_call_message(calls[i]));
        }
        bed_echo(calls[round], 100);
    }
    for (unsigned i = 0; i < N_METHODS; i++) {
        rpcrt_call_free(calls[i]);
    }
    bed_close(&bed);
}
