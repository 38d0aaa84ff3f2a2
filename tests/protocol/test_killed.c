/*
 * Processes that are killed in the middle of their work, clients and servers:
 * who is left goes on, and no effect happens twice.
 */
#include "protocol/peer.h"
#include "protocol/spawn.h"
#include "transport/raw.h"

#include <signal.h>

/* -- clients --------------------------------------------------------------- */

/* A client with calls of every kind under way, until it is killed. */
CHILD(be_a_client)
{
    static uint8_t payload[300000];
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_channel *channel;
    struct rpcrt_call *hanging;
    struct rpcrt_call *call;
    atomic_uint n_done = 0;

    (void)shared;
    if (rpcrt_channel_new(address, NULL, &channel) != RPCRT_OK ||
        rpcrt_call_new(channel, 0, &hanging) != RPCRT_OK ||
        rpcrt_call_new(channel, 0, &call) != RPCRT_OK) {
        return 1;
    }
    probe_hang_start(hanging, &request, bed_done, &n_done);
    request.payload.data = payload;
    for (;;) {
        request.payload.len = request.payload.len == 0 ? sizeof payload : 0;
        if (probe_echo(call, &request, &reply) != RPCRT_OK) {
            return 2;
        }
    }
}

static void
kill_clients(const char *transport)
{
    struct nursery nursery;
    struct rpcrt_server_stats stats;
    struct rpcrt_call *good;
    struct census before;
    struct bed bed;
    int64_t end;

    nursery_open(&nursery, "be_a_client", 0);
    bed_open(&bed, transport, NULL, NULL);
    good = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(good, 10);
    before = census_take();
    for (unsigned i = 0; i < 40; i++) {
        pid_t pid = nursery_spawn(&nursery, bed.address);

        bed_await(&bed.probe.n_hanging, 1);
        nap_ms(i % 5);
        bed_echo(good, 1000);
        cr_assert_eq(kill(pid, SIGKILL), 0);
        bed_await(&bed.probe.n_cancelled, i + 1);
        cr_assert_eq(child_reap(pid), 128 + SIGKILL);
    }
    end = now_ms() + PEER_PATIENCE_MS;
    do {
        bed_echo(good, 10);
        rpcrt_server_get_stats(bed.server, &stats);
    } while (stats.sessions > 1 && now_ms() < end);
    cr_assert_eq(stats.sessions, 1u);
    cr_assert_eq(stats.sessions_opened, stats.sessions_closed + 1);
    before.n_threads += RPCRT_WORKERS_MAX;
    census_check(&before);
    rpcrt_call_free(good);
    bed_close(&bed);
    nursery_close(&nursery);
}

Test(killed, clients_are_noticed_and_forgotten_tcp, .timeout = 60)
{
    kill_clients("tcp");
}

Test(killed, clients_are_noticed_and_forgotten_ipc, .timeout = 60)
{
    kill_clients("ipc");
}

/* -- servers --------------------------------------------------------------- */

struct tally {
    atomic_ullong n_counted;
};

/* Serve Count, which counts in shared memory, until killed or told to end. */
static enum rpcrt_code
count(void *self, struct rpcrt_ctx *ctx, const Probe__V1__EchoRequest *request,
      Probe__V1__CountReply *reply)
{
    struct tally *tally = self;

    (void)ctx;
    (void)request;
    reply->count = atomic_fetch_add(&tally->n_counted, 1) + 1;
    return RPCRT_OK;
}

CHILD(be_a_server)
{
    static const struct probe_service service = {.count = count};
    struct rpcrt_server *server;
    int code;

    if (rpcrt_server_new(NULL, &server) != RPCRT_OK ||
        probe_serve(server, &service, shared) != RPCRT_OK) {
        return 1;
    }
    /* The one before may not be wholly gone. */
    for (unsigned i = 0; rpcrt_server_listen(server, address, NULL) != RPCRT_OK;
         i++) {
        if (i > 2000) {
            return 2;
        }
        nap_ms(1);
    }
    child_say(rpcrt_server_address(server, 0));
    code = rpcrt_server_run(server);
    rpcrt_server_free(server);
    return code;
}

/* What a thread that counts has seen. */
struct counter {
    struct rpcrt_channel *channel;
    atomic_bool ending;
    uint64_t n_ok;
    uint64_t n_maybe;    /* failed, may have been executed */
    uint64_t n_not;      /* failed, was not */
    enum rpcrt_code odd; /* a code that can't be */
    bool wait_for_ready;
    pthread_t thread;
};

static void *
counter_main(void *arg)
{
    struct counter *counter = arg;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    struct rpcrt_call *call;

    if (rpcrt_call_new(counter->channel, 10000, &call) != RPCRT_OK) {
        counter->odd = RPCRT_RESOURCE_EXHAUSTED;
        return NULL;
    }
    rpcrt_call_set_wait_for_ready(call, counter->wait_for_ready);
    while (!atomic_load(&counter->ending)) {
        enum rpcrt_code code = probe_count(call, &request, &reply);

        if (code == RPCRT_OK) {
            counter->n_ok++;
        } else if (code != RPCRT_UNAVAILABLE) {
            counter->odd = code;
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

#define N_COUNTERS 4u

static void
counters_start(struct counter *counters, struct rpcrt_channel *channel)
{
    memset(counters, 0, N_COUNTERS * sizeof *counters);
    for (unsigned i = 0; i < N_COUNTERS; i++) {
        counters[i].channel = channel;
        counters[i].wait_for_ready = i % 2 == 0;
        cr_assert_eq(pthread_create(&counters[i].thread, NULL, counter_main,
                                    &counters[i]),
                     0);
    }
}

/* Wait until there is load again. */
static void
await_more(const atomic_ullong *n_counted)
{
    uint64_t seen = atomic_load(n_counted);
    int64_t end = now_ms() + PEER_PATIENCE_MS;

    while (atomic_load(n_counted) < seen + 20) {
        cr_assert_lt(now_ms(), end, "nothing is counted any more");
        nap_ms(1);
    }
}

/* Each reply OK is one execution; beyond those only what may have run has. */
static void
counters_check(struct counter *counters, const atomic_ullong *n_counted)
{
    uint64_t n_ok = 0;
    uint64_t n_maybe = 0;
    uint64_t n;

    for (unsigned i = 0; i < N_COUNTERS; i++) {
        atomic_store(&counters[i].ending, true);
    }
    for (unsigned i = 0; i < N_COUNTERS; i++) {
        (void)pthread_join(counters[i].thread, NULL);
        cr_assert_eq(counters[i].odd, RPCRT_OK, "%s",
                     rpcrt_code_name(counters[i].odd));
        n_ok += counters[i].n_ok;
        n_maybe += counters[i].n_maybe;
    }
    n = atomic_load(n_counted);
    cr_assert_gt(n_ok, 0u);
    cr_assert_leq(n_ok, n);
    cr_assert_leq(n, n_ok + n_maybe);
}

static void
kill_servers(const char *first_address)
{
    static const struct rpcrt_channel_options options = {.backoff_ms_min = 1,
                                                         .backoff_ms_max = 5};
    struct counter counters[N_COUNTERS];
    struct nursery nursery;
    struct rpcrt_channel *channel;
    struct tally *tally;
    struct census before;
    char address[RPCRT_ADDRESS_SIZE];
    pid_t pid;

    nursery_open(&nursery, "be_a_server", sizeof *tally);
    tally = nursery.shared;
    pid = nursery_spawn(&nursery, first_address);
    nursery_hear(&nursery, address, sizeof address);
    /* nng's own threads and descriptors come with the first connection. */
    cr_assert_eq(rpcrt_channel_new(address, &options, &channel), RPCRT_OK);
    counters_start(counters, channel);
    await_more(&tally->n_counted);
    counters_check(counters, &tally->n_counted);
    rpcrt_channel_free(channel);
    before = census_take();
    atomic_store(&tally->n_counted, 0);
    cr_assert_eq(rpcrt_channel_new(address, &options, &channel), RPCRT_OK);
    counters_start(counters, channel);
    for (unsigned i = 0; i < 15; i++) {
        char again[RPCRT_ADDRESS_SIZE];

        await_more(&tally->n_counted);
        cr_assert_eq(kill(pid, SIGKILL), 0);
        cr_assert_eq(child_reap(pid), 128 + SIGKILL);
        pid = nursery_spawn(&nursery, address);
        nursery_hear(&nursery, again, sizeof again);
        cr_assert_str_eq(again, address);
    }
    /* The last one ends in order. */
    counters_check(counters, &tally->n_counted);
    cr_assert_eq(kill(pid, SIGTERM), 0);
    cr_assert_eq(child_reap(pid), 0);
    rpcrt_channel_free(channel);
    census_check(&before);
    nursery_close(&nursery);
}

Test(killed, servers_run_nothing_twice_tcp, .timeout = 60)
{
    kill_servers("tcp://127.0.0.1:0");
}

Test(killed, servers_run_nothing_twice_ipc, .timeout = 60)
{
    char address[64];

    raw_ipc_address(address);
    kill_servers(address);
    (void)unlink(address + strlen("ipc://"));
}

/* -- servers that are closed and come back --------------------------------- */

EACH_TRANSPORT(killed, or_closed_servers_run_nothing_twice, 60)
{
    struct rpcrt_channel_options options = {.backoff_ms_min = 1,
                                            .backoff_ms_max = 5};
    struct counter counters[N_COUNTERS];
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    const struct rpcrt_tls *tls = NULL;
    char address[RPCRT_ADDRESS_SIZE];
    struct bed bed;

    if (strcmp(transport, "tls") == 0) {
        bed_tls(&server_tls, &client_tls);
        tls = &server_tls;
    }
    bed_open(&bed, transport, NULL, &options);
    (void)snprintf(address, sizeof address, "%s", bed.address);
    counters_start(counters, bed.channel);
    for (unsigned i = 0; i < 40; i++) {
        await_more(&bed.probe.n_counted);
        if (i % 2 == 0) {
            (void)rpcrt_server_drain(bed.server, i % 20);
        }
        rpcrt_server_free(bed.server);
        bed.server = bed_serve(&bed.probe, address, tls, NULL);
    }
    counters_check(counters, &bed.probe.n_counted);
    bed_close(&bed);
}
