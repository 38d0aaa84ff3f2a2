/*
 * A server that drains: what runs finishes, what comes is refused as not
 * executed, and clients that have nothing to do leave without an error.
 */
#include "protocol/peer.h"
#include "protocol/spawn.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct drain {
    struct rpcrt_server *server;
    uint32_t timeout_ms;
    enum rpcrt_code code;
    atomic_uint n_over;
    pthread_t thread;
};

static void *
drain_main(void *arg)
{
    struct drain *drain = arg;

    drain->code = rpcrt_server_drain(drain->server, drain->timeout_ms);
    atomic_fetch_add(&drain->n_over, 1);
    return NULL;
}

static void
drain_start(struct drain *drain, struct rpcrt_server *server,
            uint32_t timeout_ms)
{
    memset(drain, 0, sizeof *drain);
    drain->server = server;
    drain->timeout_ms = timeout_ms;
    cr_assert_eq(pthread_create(&drain->thread, NULL, drain_main, drain), 0);
}

static enum rpcrt_code
drain_end(struct drain *drain)
{
    (void)pthread_join(drain->thread, NULL);
    return drain->code;
}

static void
await_started(struct rpcrt_server *server, uint64_t n)
{
    struct rpcrt_server_stats stats;
    int64_t end = now_ms() + PEER_PATIENCE_MS;

    do {
        rpcrt_server_get_stats(server, &stats);
        cr_assert_lt(now_ms(), end);
    } while (stats.calls_started < n);
}

/* -- what runs ------------------------------------------------------------- */

EACH_TRANSPORT(drain, lets_running_calls_finish, 30)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    Probe__V1__EchoRequest echo = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_call *calls[4];
    struct rpcrt_call *late;
    atomic_uint n_done = 0;
    struct drain drain;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    late = bed_call(bed.channel, BED_TIMEOUT_MS);
    request.ms = 400;
    for (unsigned i = 0; i < 4; i++) {
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
        probe_wait_start(calls[i], &request, bed_done, &n_done);
    }
    await_started(bed.server, 4);
    drain_start(&drain, bed.server, BED_TIMEOUT_MS);
    for (unsigned i = 0; i < 10; i++) {
        enum rpcrt_code code = probe_echo(late, &echo, &reply);

        if (code != RPCRT_OK) { /* before the server has begun to drain */
            cr_assert_eq(code, RPCRT_UNAVAILABLE);
            cr_assert_not(rpcrt_call_may_have_run(late));
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        bed_await(&n_done, 4);
        expect_ok(calls[i], probe_wait_take(calls[i], &reply));
    }
    cr_assert_eq(drain_end(&drain), RPCRT_OK);
    expect_code(late, RPCRT_UNAVAILABLE, probe_echo(late, &echo, &reply));
    for (unsigned i = 0; i < 4; i++) {
        rpcrt_call_free(calls[i]);
    }
    rpcrt_call_free(late);
    bed_close(&bed);
}

EACH_TRANSPORT(drain, loses_no_large_reply, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_call *calls[6];
    atomic_uint n_done = 0;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    request.reply_size = (4u << 20) - 16;
    for (unsigned i = 0; i < 6; i++) {
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
        probe_echo_start(calls[i], &request, bed_done, &n_done);
    }
    await_started(bed.server, 6);
    cr_assert_eq(rpcrt_server_drain(bed.server, BED_TIMEOUT_MS), RPCRT_OK);
    rpcrt_server_free(bed.server);
    bed.server = NULL;
    bed_await(&n_done, 6);
    for (unsigned i = 0; i < 6; i++) {
        expect_ok(calls[i], probe_echo_take(calls[i], &reply));
        cr_assert_eq(reply->payload.len, request.reply_size);
        rpcrt_call_free(calls[i]);
    }
    bed_close(&bed);
}

EACH_TRANSPORT(drain, cancels_what_does_not_finish, 30)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_call *call;
    atomic_uint n_done = 0;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, 0);
    probe_hang_start(call, &request, bed_done, &n_done);
    bed_await(&bed.probe.n_hanging, 1);
    cr_assert_eq(rpcrt_server_drain(bed.server, 100), RPCRT_DEADLINE_EXCEEDED);
    bed_await(&bed.probe.n_cancelled, 1);
    bed_await(&n_done, 1);
    cr_assert_neq(probe_hang_take(call, &reply), RPCRT_OK);
    cr_assert(rpcrt_call_may_have_run(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- who is idle ----------------------------------------------------------- */

EACH_TRANSPORT(drain, sends_idle_clients_away_without_an_error, 30)
{
    struct rpcrt_channel_options options = {.backoff_ms_min = 1,
                                            .backoff_ms_max = 2};
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    const struct rpcrt_tls *tls = NULL;
    char address[RPCRT_ADDRESS_SIZE];
    struct rpcrt_call *call;
    struct bed bed;

    if (strcmp(transport, "tls") == 0) {
        bed_tls(&server_tls, &client_tls);
        tls = &server_tls;
    }
    bed_open(&bed, transport, NULL, &options);
    (void)snprintf(address, sizeof address, "%s", bed.address);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (unsigned i = 0; i < 10; i++) {
        int64_t began;

        bed_echo(call, 10);
        began = now_ms();
        cr_assert_eq(rpcrt_server_drain(bed.server, BED_TIMEOUT_MS), RPCRT_OK);
        cr_assert_lt(now_ms() - began, 5000);
        rpcrt_server_free(bed.server);
        bed.server = bed_serve(&bed.probe, address, tls, NULL);
    }
    bed_echo(call, 10);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* Who had not said HELLO when the others were told. */
Test(drain, sends_those_away_that_just_came, .timeout = 30)
{
    struct rpcrt_server_stats stats;
    struct bytes message;
    struct frame frame;
    struct drain drain;
    struct peer peer;
    struct bed bed;

    bed_open(&bed, "tcp", NULL, NULL);
    peer_connect(&peer, bed.address);
    do {
        rpcrt_server_get_stats(bed.server, &stats);
    } while (stats.sessions == 0);
    drain_start(&drain, bed.server, BED_TIMEOUT_MS);
    nap_ms(50);
    message = peer_message(&peer, 1);
    put_hello(&message, 4, 1000);
    put_method(&message, 0, "/probe.v1.Probe/Count");
    put_call(&message, 1, 0, 0, NULL, 0);
    cr_assert(peer_send(&peer, &message));
    cr_assert(peer_await(&peer, GOAWAY, 0, &message, &frame));
    cr_assert_eq((enum rpcrt_code)frame.aux, RPCRT_UNAVAILABLE);
    cr_assert(find_frame(&message, HELLO, 0, &frame));
    cr_assert(find_frame(&message, STATUS, 1, &frame));
    cr_assert_eq((enum rpcrt_code)frame.payload[0], RPCRT_UNAVAILABLE);
    cr_assert_eq(frame.flags, REFUSED);
    bytes_free(&message);
    peer_close(&peer);
    cr_assert_eq(drain_end(&drain), RPCRT_OK);
    cr_assert_eq(atomic_load(&bed.probe.n_counted), 0u);
    bed_close(&bed);
}

/* A client that does not go holds the server up until its time is over, and
 * then is no reason to report calls that were cancelled. */
Test(drain, waits_for_nobody_longer_than_told, .timeout = 30)
{
    int64_t began;
    struct peer peer;
    struct bed bed;

    bed_open(&bed, "tcp", NULL, NULL);
    peer_open(&peer, bed.address, 4);
    began = now_ms();
    cr_assert_eq(rpcrt_server_drain(bed.server, 200), RPCRT_OK);
    cr_assert_lt(now_ms() - began, 5000);
    cr_assert(peer_ended(&peer));
    peer_close(&peer);
    bed_close(&bed);
}

/* -- under load ------------------------------------------------------------ */

struct counter {
    struct rpcrt_channel *channel;
    atomic_bool ending;
    uint64_t n_ok;
    uint64_t n_not;
    uint64_t n_maybe;
    pthread_t thread;
};

static void *
counter_main(void *arg)
{
    struct counter *counter = arg;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    struct rpcrt_call *call;

    if (rpcrt_call_new(counter->channel, 5000, &call) != RPCRT_OK) {
        return NULL;
    }
    while (!atomic_load(&counter->ending)) {
        if (probe_count(call, &request, &reply) == RPCRT_OK) {
            counter->n_ok++;
        } else if (rpcrt_call_may_have_run(call)) {
            counter->n_maybe++;
        } else {
            counter->n_not++;
            nap_ms(1);
        }
    }
    rpcrt_call_free(call);
    return NULL;
}

/* No call is lost: each that was executed is answered. */
EACH_TRANSPORT(drain, loses_no_call_under_load, 60)
{
    struct counter counters[4];
    struct bed bed;

    for (unsigned round = 0; round < 10; round++) {
        uint64_t n_ok = 0;

        bed_open(&bed, transport, NULL, NULL);
        memset(counters, 0, sizeof counters);
        for (unsigned i = 0; i < 4; i++) {
            counters[i].channel = bed.channel;
            cr_assert_eq(pthread_create(&counters[i].thread, NULL, counter_main,
                                        &counters[i]),
                         0);
        }
        while (atomic_load(&bed.probe.n_counted) < 50 + round) {
            nap_ms(1);
        }
        cr_assert_eq(rpcrt_server_drain(bed.server, BED_TIMEOUT_MS), RPCRT_OK);
        for (unsigned i = 0; i < 4; i++) {
            atomic_store(&counters[i].ending, true);
            (void)pthread_join(counters[i].thread, NULL);
            n_ok += counters[i].n_ok;
            cr_assert_eq(counters[i].n_maybe, 0u);
        }
        cr_assert_eq(n_ok, atomic_load(&bed.probe.n_counted));
        bed_close(&bed);
    }
}

/* -- a program that serves ------------------------------------------------- */

CHILD(be_a_program)
{
    static const struct rpcrt_server_options options = {.drain_timeout_ms =
                                                            300};
    struct probe probe;
    struct rpcrt_server *server;
    int code;

    (void)shared;
    memset(&probe, 0, sizeof probe);
    server = bed_serve(&probe, address, NULL, &options);
    child_say(rpcrt_server_address(server, 0));
    code = rpcrt_server_run(server);
    rpcrt_server_free(server);
    return code;
}

/* Start a call in another process, end that process by a signal, and return its
 * exit code. */
static int
end_by_signal(int number, bool hang, enum rpcrt_code *ret_code)
{
    Probe__V1__WaitRequest wait = PROBE__V1__WAIT_REQUEST__INIT;
    Probe__V1__EchoRequest echo = PROBE__V1__ECHO_REQUEST__INIT;
    struct nursery nursery;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    atomic_uint n_done = 0;
    char address[RPCRT_ADDRESS_SIZE];
    const Probe__V1__EchoReply *reply;
    pid_t pid;
    int code;

    nursery_open(&nursery, "be_a_program", 0);
    pid = nursery_spawn(&nursery, "tcp://127.0.0.1:0");
    nursery_hear(&nursery, address, sizeof address);
    cr_assert_eq(rpcrt_channel_new(address, NULL, &channel), RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    bed_echo(call, 10); /* it runs, so signals are caught */
    wait.ms = 150;
    if (hang) {
        probe_hang_start(call, &echo, bed_done, &n_done);
    } else {
        probe_wait_start(call, &wait, bed_done, &n_done);
    }
    nap_ms(50);
    cr_assert_eq(kill(pid, number), 0);
    bed_await(&n_done, 1);
    *ret_code = probe_echo_take(call, &reply);
    code = child_reap(pid);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    nursery_close(&nursery);
    return code;
}

Test(drain, ends_a_program_at_sigterm_with_0, .timeout = 30)
{
    enum rpcrt_code code;

    cr_assert_eq(end_by_signal(SIGTERM, false, &code), 0);
    cr_assert_eq(code, RPCRT_OK, "%s", rpcrt_code_name(code));
}

Test(drain, ends_a_program_at_sigint_with_0, .timeout = 30)
{
    enum rpcrt_code code;

    cr_assert_eq(end_by_signal(SIGINT, false, &code), 0);
    cr_assert_eq(code, RPCRT_OK, "%s", rpcrt_code_name(code));
}

Test(drain, ends_a_program_that_hangs_with_1, .timeout = 30)
{
    enum rpcrt_code code;

    cr_assert_eq(end_by_signal(SIGTERM, true, &code), 1);
    cr_assert_neq(code, RPCRT_OK);
}

static void *
stop_main(void *arg)
{
    nap_ms(20);
    rpcrt_server_stop(arg);
    return NULL;
}

Test(drain, begins_when_the_server_is_stopped, .timeout = 30)
{
    pthread_t thread;
    struct bed bed;

    bed_open(&bed, "inproc", NULL, NULL);
    cr_assert_eq(pthread_create(&thread, NULL, stop_main, bed.server), 0);
    cr_assert_eq(rpcrt_server_run(bed.server), 0);
    (void)pthread_join(thread, NULL);
    bed_close(&bed);
}
