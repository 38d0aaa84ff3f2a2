/*
 * Channels and servers end at any moment, whatever they are doing, and leave
 * nothing behind: no thread, descriptor or byte.
 */
#include "protocol/peer.h"
#include "support/faulty_alloc.h"
#include "transport/raw.h"

#define N_CALLS 8u

/* Between two looks at the clock; nap_ms() is too coarse here. */
static void
nap_us(unsigned us)
{
    struct timespec nap = {.tv_nsec = (long)us * 1000};

    (void)nanosleep(&nap, NULL);
}

/* What both ends of a transport want. */
struct ends {
    struct rpcrt_channel_options options; /* quick to come back */
    struct rpcrt_tls client;
    struct rpcrt_tls server;
    const struct rpcrt_tls *tls; /* the server's, or NULL */
};

static void
ends_init(struct ends *ends, const char *transport)
{
    memset(ends, 0, sizeof *ends);
    ends->options.backoff_ms_min = 1;
    ends->options.backoff_ms_max = 2;
    if (strcmp(transport, "tls") == 0) {
        bed_tls(&ends->server, &ends->client);
        ends->options.tls = &ends->client;
        ends->tls = &ends->server;
    }
}

static void
await_no_memory(void)
{
    int64_t end = now_ms() + PEER_PATIENCE_MS;

    while (faulty_alloc_live() > 0 && now_ms() < end) {
        nap_us(100);
    }
    cr_assert_eq(faulty_alloc_live(), 0);
}

/* -- a channel ends -------------------------------------------------------- */

/* Start calls of several kinds and sizes. */
static void
start_calls(struct rpcrt_call **calls, atomic_uint *n_done)
{
    static uint8_t payload[100000];
    Probe__V1__EchoRequest echo = PROBE__V1__ECHO_REQUEST__INIT;
    Probe__V1__WaitRequest wait = PROBE__V1__WAIT_REQUEST__INIT;

    wait.ms = 1;
    echo.payload.data = payload;
    for (unsigned i = 0; i < N_CALLS; i++) {
        echo.payload.len = i == 3 ? sizeof payload : 20;
        if (i % 4 == 0) {
            probe_wait_start(calls[i], &wait, bed_done, n_done);
        } else if (i % 4 == 1) {
            probe_hang_start(calls[i], &echo, bed_done, n_done);
        } else {
            probe_echo_start(calls[i], &echo, bed_done, n_done);
        }
    }
}

/* One channel's life, cut short after a while. */
static void
live(const char *address, const struct rpcrt_channel_options *options,
     unsigned us)
{
    struct rpcrt_channel *channel;
    struct rpcrt_call *calls[N_CALLS];
    atomic_uint n_done = 0;

    cr_assert_eq(rpcrt_channel_new(address, options, &channel), RPCRT_OK);
    for (unsigned i = 0; i < N_CALLS; i++) {
        calls[i] = bed_call(channel, 0);
    }
    start_calls(calls, &n_done);
    nap_us(us);
    for (unsigned i = 0; i < N_CALLS; i++) {
        rpcrt_call_free(calls[i]);
    }
    cr_assert_eq(atomic_load(&n_done), N_CALLS);
    rpcrt_channel_free(channel);
}

EACH_TRANSPORT(lifecycle, a_channel_ends_under_load, 60)
{
    struct bed bed;
    struct census before;
    struct ends ends;

    faulty_alloc_install();
    ends_init(&ends, transport);
    bed_open(&bed, transport, NULL, NULL);
    live(bed.address, &ends.options, 20000);
    before = census_take();
    for (unsigned i = 0; i < 250; i++) {
        live(bed.address, &ends.options, i % 50 * 60);
    }
    bed_await(&bed.probe.n_hanging, 0);
    before.n_threads += RPCRT_WORKERS_MAX; /* the server may have more by now */
    census_check(&before);
    bed_close(&bed);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
    raw_assert_no_leaks();
}

/* -- a server ends --------------------------------------------------------- */

struct load {
    struct rpcrt_channel *channel;
    atomic_bool ending;
    atomic_uint n_answered;
    atomic_uint n_lost;
    atomic_uint n_odd; /* ended as they must not */
    pthread_t thread;
};

static void *
load_main(void *arg)
{
    struct load *load = arg;
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_call *call;

    if (rpcrt_call_new(load->channel, 5000, &call) != RPCRT_OK) {
        return NULL;
    }
    while (!atomic_load(&load->ending)) {
        enum rpcrt_code code = probe_wait(call, &request, &reply);

        if (code == RPCRT_OK) {
            atomic_fetch_add(&load->n_answered, 1);
        } else if (code == RPCRT_UNAVAILABLE) {
            atomic_fetch_add(&load->n_lost, 1);
            nap_us(100);
        } else {
            atomic_fetch_add(&load->n_odd, 1);
        }
    }
    rpcrt_call_free(call);
    return NULL;
}

/* Wait until calls are answered again. */
static void
await_answer(struct load *load)
{
    unsigned seen = atomic_load(&load->n_answered);
    int64_t end = now_ms() + PEER_PATIENCE_MS;

    while (atomic_load(&load->n_answered) == seen) {
        cr_assert_lt(now_ms(), end, "no call is answered any more");
        nap_us(100);
    }
}

EACH_TRANSPORT(lifecycle, a_server_ends_under_load, 60)
{
    struct ends ends;
    struct bed bed;
    struct rpcrt_call *call;
    struct load loads[3];
    struct census before;
    char address[RPCRT_ADDRESS_SIZE];

    faulty_alloc_install();
    ends_init(&ends, transport);
    bed_open(&bed, transport, NULL, &ends.options);
    call = bed_call(bed.channel, 0);
    bed_echo(call, 1);
    rpcrt_call_free(call);
    (void)snprintf(address, sizeof address, "%s", bed.address);
    rpcrt_channel_free(bed.channel);
    rpcrt_server_free(bed.server);
    before = census_take();
    cr_assert_eq(rpcrt_channel_new(address, &ends.options, &bed.channel),
                 RPCRT_OK);
    memset(loads, 0, sizeof loads);
    for (unsigned i = 0; i < 3; i++) {
        loads[i].channel = bed.channel;
        cr_assert_eq(
            pthread_create(&loads[i].thread, NULL, load_main, &loads[i]), 0);
    }
    for (unsigned i = 0; i < 150; i++) {
        bed.server = bed_serve(&bed.probe, address, ends.tls, NULL);
        if (i % 10 == 0) {
            await_answer(&loads[0]);
        }
        nap_us(i % 40 * 250);
        rpcrt_server_free(bed.server);
    }
    bed.server = bed_serve(&bed.probe, address, ends.tls, NULL);
    for (unsigned i = 0; i < 3; i++) {
        atomic_store(&loads[i].ending, true);
        (void)pthread_join(loads[i].thread, NULL);
        cr_assert_eq(atomic_load(&loads[i].n_odd), 0u);
    }
    bed_close(&bed);
    census_check(&before);
    cr_assert_eq(faulty_alloc_live(), 0);
    raw_assert_no_leaks();
}

/* -- before there is a connection ------------------------------------------ */

/* Free a channel whose call waits for a connection to come; the call ends. */
static void
give_up_dialing(const char *address,
                const struct rpcrt_channel_options *options, unsigned us)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    atomic_uint n_done = 0;
    int64_t began = now_ms();

    cr_assert_eq(rpcrt_channel_new(address, options, &channel), RPCRT_OK);
    call = bed_call(channel, 0);
    probe_echo_start(call, &request, bed_done, &n_done);
    nap_us(us);
    rpcrt_call_free(call);
    cr_assert_eq(atomic_load(&n_done), 1u);
    rpcrt_channel_free(channel);
    cr_assert_lt(now_ms() - began, 3000);
}

Test(lifecycle, a_channel_ends_while_nobody_shakes_hands, .timeout = 60)
{
    struct census before;
    char address[64];
    int fd = raw_listen(address); /* connections stand in its queue */

    give_up_dialing(address, NULL, 20000);
    before = census_take();
    for (unsigned i = 0; i < 100; i++) {
        give_up_dialing(address, NULL, i % 50 * 50);
    }
    census_check(&before);
    (void)close(fd);
    raw_assert_no_leaks();
}

Test(lifecycle, a_channel_ends_while_nobody_says_hello, .timeout = 60)
{
    struct census before;
    struct host host;

    host_open(&host, host_mute, NULL);
    give_up_dialing(host.address, NULL, 20000);
    before = census_take();
    for (unsigned i = 0; i < 150; i++) {
        give_up_dialing(host.address, NULL, i % 75 * 50);
    }
    census_check(&before);
    host_close(&host);
    raw_assert_no_leaks();
}

Test(lifecycle, a_channel_ends_while_the_connection_is_refused, .timeout = 60)
{
    struct census before;
    char address[64];

    (void)close(raw_listen(address));
    give_up_dialing(address, NULL, 20000);
    before = census_take();
    for (unsigned i = 0; i < 100; i++) {
        give_up_dialing(address, NULL, i % 50 * 50);
    }
    census_check(&before);
    raw_assert_no_leaks();
}

/* -- a connection ends by itself ------------------------------------------- */

Test(lifecycle, a_server_that_never_says_hello_costs_one_call, .timeout = 60)
{
    static const struct rpcrt_channel_options options = {
        .connect_timeout_ms = 20, .backoff_ms_min = 1, .backoff_ms_max = 1};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct host host;

    host_open(&host, host_mute, NULL);
    cr_assert_eq(rpcrt_channel_new(host.address, &options, &channel), RPCRT_OK);
    call = bed_call(channel, 0);
    for (unsigned i = 0; i < 100; i++) {
        expect_code(call, RPCRT_UNAVAILABLE,
                    probe_echo(call, &request, &reply));
        cr_assert_not(rpcrt_call_may_have_run(call));
    }
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    host_close(&host);
    raw_assert_no_leaks();
}

/* -- answers that come late ------------------------------------------------ */

EACH_TRANSPORT(lifecycle, a_server_ends_while_others_answer_its_calls, 60)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    struct bed bed;
    struct rpcrt_call *calls[N_CALLS];
    struct rpcrt_server_stats stats;

    faulty_alloc_install();
    for (unsigned i = 0; i < 100; i++) {
        atomic_uint n_done = 0;

        bed_open(&bed, transport, NULL, NULL);
        request.ms = i % 3;
        for (unsigned j = 0; j < N_CALLS; j++) {
            calls[j] = bed_call(bed.channel, 0);
            probe_later_start(calls[j], &request, bed_done, &n_done);
        }
        do {
            nap_us(50);
            rpcrt_server_get_stats(bed.server, &stats);
        } while (stats.calls_started == 0);
        rpcrt_server_free(bed.server);
        bed.server = NULL;
        for (unsigned j = 0; j < N_CALLS; j++) {
            rpcrt_call_free(calls[j]);
        }
        cr_assert_eq(atomic_load(&n_done), N_CALLS);
        bed_close(&bed);
        await_no_memory(); /* threads of the handlers may be on their way */
    }
}
