/*
 * A channel whose server is not there: it tries again with growing pauses, and
 * calls wait for it or fail at once, as they were told.
 */
#include "protocol/peer.h"
#include "transport/raw.h"

static const struct rpcrt_channel_options patient = {.backoff_ms_min = 100,
                                                     .backoff_ms_max = 400};

static void
hang_up(struct host *host, int fd)
{
    (void)host;
    (void)host_shake(fd);
}

Test(backoff, grows_while_a_call_waits, .timeout = 30)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct host host;

    host_open(&host, hang_up, NULL);
    cr_assert_eq(rpcrt_channel_new(host.address, &patient, &channel), RPCRT_OK);
    call = bed_call(channel, 2000);
    rpcrt_call_set_wait_for_ready(call, true);
    expect_code(call, RPCRT_DEADLINE_EXCEEDED,
                probe_echo(call, &request, &reply));
    cr_assert_not(rpcrt_call_may_have_run(call));
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_LOCAL);
    cr_assert_not_null(strstr(rpcrt_call_message(call), host.address), "%s",
                       rpcrt_call_message(call));
    /* At 0, 100, 260, 517, 917, 1317, 1717 ms, a fifth earlier or later. */
    cr_assert_geq(atomic_load(&host.n_connections), 3u);
    cr_assert_leq(atomic_load(&host.n_connections), 9u);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    host_close(&host);
}

Test(backoff, makes_other_calls_fail_at_once, .timeout = 30)
{
    static const struct rpcrt_channel_options options = {
        .backoff_ms_min = 5000, .backoff_ms_max = 5000};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct host host;
    int64_t began = now_ms();

    host_open(&host, hang_up, NULL);
    cr_assert_eq(rpcrt_channel_new(host.address, &options, &channel), RPCRT_OK);
    call = bed_call(channel, 0);
    for (unsigned i = 0; i < 100; i++) {
        expect_code(call, RPCRT_UNAVAILABLE,
                    probe_echo(call, &request, &reply));
        cr_assert_not(rpcrt_call_may_have_run(call));
        cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_TRANSPORT);
        cr_assert_not_null(strstr(rpcrt_call_message(call), host.address));
    }
    cr_assert_lt(now_ms() - began, 3000);
    cr_assert_eq(atomic_load(&host.n_connections), 1u);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    host_close(&host);
}

EACH_TRANSPORT(backoff, ends_when_the_server_is_there, 30)
{
    struct rpcrt_channel_options options = {.backoff_ms_min = 1,
                                            .backoff_ms_max = 20};
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    const struct rpcrt_tls *tls = NULL;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    char address[RPCRT_ADDRESS_SIZE];
    struct rpcrt_call *calls[3];
    atomic_uint n_done = 0;
    struct bed bed;

    if (strcmp(transport, "tls") == 0) {
        bed_tls(&server_tls, &client_tls);
        tls = &server_tls;
    }
    bed_open(&bed, transport, NULL, &options);
    (void)snprintf(address, sizeof address, "%s", bed.address);
    rpcrt_server_free(bed.server);
    for (unsigned i = 0; i < 3; i++) {
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
        rpcrt_call_set_wait_for_ready(calls[i], true);
        probe_echo_start(calls[i], &request, bed_done, &n_done);
    }
    nap_ms(100);
    cr_assert_eq(atomic_load(&n_done), 0u);
    bed.server = bed_serve(&bed.probe, address, tls, NULL);
    bed_await(&n_done, 3);
    for (unsigned i = 0; i < 3; i++) {
        expect_ok(calls[i], probe_echo_take(calls[i], &reply));
        rpcrt_call_free(calls[i]);
    }
    bed_close(&bed);
}
