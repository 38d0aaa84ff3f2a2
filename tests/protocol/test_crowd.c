/*
 * Many clients at once, each with several calls under way: all are served, and
 * when they have left nothing is.
 */
#include "protocol/peer.h"
#include "transport/raw.h"

#define N_CLIENTS 200u
#define N_CALLS 4u

struct client {
    struct rpcrt_channel *channel;
    struct rpcrt_call *calls[N_CALLS];
};

static void
client_open(struct client *client, struct bed *bed,
            const struct rpcrt_channel_options *options)
{
    cr_assert_eq(rpcrt_channel_new(bed->address, options, &client->channel),
                 RPCRT_OK);
    for (unsigned i = 0; i < N_CALLS; i++) {
        client->calls[i] = bed_call(client->channel, 50000);
        /* 200 TLS handshakes at once may take longer than the ten seconds
         * that nng gives each of them on a slow machine. */
        rpcrt_call_set_wait_for_ready(client->calls[i], true);
    }
}

static void
client_start(struct client *client, atomic_uint *n_done)
{
    static uint8_t payload[70000];
    Probe__V1__EchoRequest echo = PROBE__V1__ECHO_REQUEST__INIT;
    Probe__V1__WaitRequest wait = PROBE__V1__WAIT_REQUEST__INIT;

    echo.payload.data = payload;
    echo.payload.len = sizeof payload;
    wait.ms = 1;
    probe_echo_start(client->calls[0], &echo, bed_done, n_done);
    probe_wait_start(client->calls[1], &wait, bed_done, n_done);
    probe_later_start(client->calls[2], &wait, bed_done, n_done);
    probe_count_start(client->calls[3], &echo, bed_done, n_done);
}

static void
await_done(atomic_uint *n_done, unsigned n)
{
    int64_t end = now_ms() + 50000;

    while (atomic_load(n_done) < n && now_ms() < end) {
        nap_ms(1);
    }
    cr_assert_eq(atomic_load(n_done), n);
}

EACH_TRANSPORT(crowd, of_200_clients_is_served, 120)
{
    static struct client clients[N_CLIENTS];
    struct rpcrt_channel_options options = {.contexts = 4,
                                            .connect_timeout_ms = 50000};
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    struct rpcrt_server_stats stats;
    atomic_uint n_done = 0;
    struct census before;
    struct bed bed;
    int64_t end;

    if (strcmp(transport, "tls") == 0) {
        bed_tls(&server_tls, &client_tls);
        options.tls = &client_tls;
    }
    bed_open(&bed, transport, NULL, &options);
    client_open(&clients[0], &bed, &options);
    bed_echo(clients[0].calls[0], 1);
    before = census_take();
    for (unsigned i = 1; i < N_CLIENTS; i++) {
        client_open(&clients[i], &bed, &options);
    }
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        client_start(&clients[i], &n_done);
    }
    await_done(&n_done, N_CLIENTS * N_CALLS);
    rpcrt_server_get_stats(bed.server, &stats);
    cr_assert_geq(stats.sessions_opened, N_CLIENTS);
    cr_assert_eq(atomic_load(&bed.probe.n_counted), N_CLIENTS);
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        for (unsigned j = 0; j < N_CALLS; j++) {
            cr_assert_eq(rpcrt_call_code(clients[i].calls[j]), RPCRT_OK, "%s",
                         rpcrt_call_message(clients[i].calls[j]));
            rpcrt_call_free(clients[i].calls[j]);
        }
        rpcrt_channel_free(clients[i].channel);
    }
    end = now_ms() + PEER_PATIENCE_MS;
    do {
        rpcrt_server_get_stats(bed.server, &stats);
    } while (stats.sessions > 0 && now_ms() < end);
    cr_assert_eq(stats.sessions, 0u);
    cr_assert_eq(stats.calls_running, 0u);
    before.n_threads += RPCRT_WORKERS_MAX;
    census_check(&before);
    bed_close(&bed);
    raw_assert_no_leaks();
}

/* Connections that come and never say anything do not keep the others out. */
Test(crowd, of_mute_connections_keeps_nobody_out, .timeout = 60)
{
    struct peer mute[300];
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, "tcp", NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (unsigned i = 0; i < 300; i++) {
        if (i % 3 == 0) {
            mute[i].fd = raw_connect(bed.address); /* no handshake even */
        } else {
            peer_connect(&mute[i], bed.address);
        }
    }
    bed_echo(call, 1000);
    for (unsigned i = 0; i < 300; i++) {
        peer_close(&mute[i]);
    }
    bed_echo(call, 1000);
    rpcrt_call_free(call);
    bed_close(&bed);
}
