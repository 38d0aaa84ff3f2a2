/*
 * What streams may take of a server: bytes under way, bytes that wait, threads;
 * and what becomes of them when it drains.
 */
#include "protocol/peer.h"

#include <string.h>

#define SIZE 10000u
/* What a reply of that size costs: its tag and length, and 32 bytes. */
#define COST (SIZE + 3 + 32)

/* Steps for the probe's handlers, serialized: stand still; send 100 replies of
 * SIZE bytes; and a script of the latter. */
#define STAND "\x18\x01"
#define SEND_100 "\x28\x64\x30\x90\x4e"
#define POUR_100 "\x0a\x05" SEND_100

static void
await_poured(struct bed *bed, unsigned long long n)
{
    int64_t end = now_ms() + PEER_PATIENCE_MS;

    while (atomic_load(&bed->probe.n_poured) < n) {
        cr_assert_lt(now_ms(), end, "%llu of %llu",
                     atomic_load(&bed->probe.n_poured), n);
        nap_ms(1);
    }
}

static uint64_t last_call; /* of the peer's */

/* Count messages of a call that begin, and see whether it ends, until an echo
 * comes that was called behind. */
struct seen {
    unsigned n_begun;
    bool ended; /* by DATA or STATUS */
    uint8_t code;
};

static struct seen
see(struct peer *peer, uint64_t call, uint32_t grant)
{
    struct seen seen = {0};
    uint64_t echo = ++last_call;
    bool over = false;
    struct bytes message;
    struct frame frame;

    message = peer_message(peer, 3);
    if (grant > 0) {
        put_window(&message, call, grant);
    }
    put_call(&message, echo, ECHO, 0, NULL, 0);
    cr_assert(peer_send(peer, &message));
    while (!over) {
        size_t at = HEADER_SIZE;

        cr_assert(peer_receive(peer, PEER_PATIENCE_MS, &message));
        while (next_frame(&message, &at, &frame)) {
            bool mine = frame.call == call;

            seen.n_begun +=
                mine && frame.type == DATA && (frame.flags & START) != 0;
            seen.ended |=
                mine && (frame.type == STATUS || (frame.flags & END) != 0);
            seen.code = mine && frame.type == STATUS ? frame.payload[0] : 0;
            over |= frame.call == echo;
        }
        bytes_free(&message);
        if (!over) { /* a credit for the next */
            message = peer_message(peer, 3);
            cr_assert(peer_send(peer, &message));
        }
    }
    return seen;
}

/* Take the first messages of Pour, until the window is used up and the handler
 * waits. */
static void
take_first(struct bed *bed, struct peer *peer)
{
    const unsigned n_first = STREAM_WINDOW / COST + 1;
    struct bytes message = peer_message(peer, 3);
    unsigned n = 0;

    put_call(&message, ++last_call, POUR, 0, POUR_100, 7);
    cr_assert(peer_send(peer, &message));
    while (n < n_first) {
        n += see(peer, 1, 0).n_begun;
    }
    cr_assert_eq(n, n_first);
    await_poured(bed, n_first + RPCRT_STREAM_QUEUE / COST + 1);
}

/* -- windows --------------------------------------------------------------- */

Test(stream_limits, window_of_the_client_holds_the_server, .timeout = 30)
{
    const unsigned n_first = STREAM_WINDOW / COST + 1;
    struct seen seen;
    struct peer peer;
    struct bed bed;

    bed_open(&bed, "tcp", NULL, NULL);
    peer_open(&peer, bed.address, 4);
    take_first(&bed, &peer);
    seen = see(&peer, 1, 0);
    cr_assert_eq(seen.n_begun, 0, "%u", seen.n_begun);
    seen = see(&peer, 1, n_first * COST - STREAM_WINDOW); /* up to 0 */
    cr_assert_eq(seen.n_begun, 0, "%u", seen.n_begun);
    seen = see(&peer, 1, 1);
    cr_assert_eq(seen.n_begun, 1, "%u", seen.n_begun);
    await_poured(&bed, n_first + RPCRT_STREAM_QUEUE / COST + 2);
    seen = see(&peer, 1, 2 * COST);
    cr_assert_eq(seen.n_begun, 2, "%u", seen.n_begun);
    cr_assert_not(seen.ended);
    cr_assert_eq(atomic_load(&bed.probe.n_streaming), 1u);
    peer_close(&peer);
    bed_await(&bed.probe.n_lost, 1);
    bed_close(&bed);
}

/* -- bytes that wait ------------------------------------------------------- */

/* A message of Sum, and whether its handler takes it: it stands still once it
 * has taken the first. */
static void
put_step(struct bytes *message, uint64_t call, bool stand)
{
    static char payload[SIZE] = "\x0a\x8d\x4e"; /* 9997 bytes */

    if (stand) {
        put_start(message, 0, call, 2, STAND, 2);
    } else {
        put_start(message, 0, call, sizeof payload, payload, sizeof payload);
    }
}

Test(stream_limits, of_bytes_that_wait_for_handlers, .timeout = 30)
{
    static const struct rpcrt_server_options options = {.session_bytes_max =
                                                            200000};
    struct bytes message;
    struct frame frame;
    struct peer peer;
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    peer_open(&peer, bed.address, 4);
    message = peer_message(&peer, 3);
    for (uint64_t call = 1; call <= 2; call++) {
        put_open(&message, call, SUM, 0);
        put_step(&message, call, true);
    }
    cr_assert(peer_send(&peer, &message));
    bed_await(&bed.probe.n_standing, 2);
    message = peer_message(&peer, 3);
    for (unsigned i = 0; i < 10; i++) {
        put_step(&message, 1, false);
        put_step(&message, 2, false);
    }
    cr_assert(peer_send(&peer, &message));
    cr_assert(peer_await(&peer, STATUS, 2, &message, &frame));
    cr_assert_eq((enum rpcrt_code)frame.payload[0], RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(frame.flags, 0);
    bytes_free(&message);
    bed_await(&bed.probe.n_standing, 1); /* it was told */
    /* The other one has what was its due. */
    message = peer_message(&peer, 3);
    put_step(&message, 1, false);
    put_frame(&message, DATA, END, 0, 1, NULL, 0);
    cr_assert(peer_send(&peer, &message));
    atomic_store(&bed.probe.go_on, true);
    cr_assert(peer_await(&peer, DATA, 1, &message, &frame));
    cr_assert_eq(frame.flags, START | END);
    cr_assert_eq(frame.payload[4], 0x08); /* 12 messages were summed up */
    cr_assert_eq(frame.payload[5], 12);
    bytes_free(&message);
    peer_close(&peer);
    bed_close(&bed);
}

Test(stream_limits, of_bytes_that_wait_for_clients, .timeout = 30)
{
    static const struct rpcrt_server_options options = {.session_bytes_max =
                                                            400000};
    struct bytes message;
    struct seen seen;
    struct peer peer;
    struct bed bed;
    uint64_t call;

    bed_open(&bed, "tcp", &options, NULL);
    peer_open(&peer, bed.address, 4);
    take_first(&bed, &peer);
    message = peer_message(&peer, 3);
    put_call(&message, ++last_call, POUR, 0, POUR_100, 7);
    call = last_call;
    cr_assert(peer_send(&peer, &message));
    do {
        seen = see(&peer, call, SIZE);
    } while (!seen.ended);
    cr_assert_eq((enum rpcrt_code)seen.code, RPCRT_RESOURCE_EXHAUSTED);
    bed_await(&bed.probe.n_lost, 1);
    seen = see(&peer, 1, 1u << 30);
    cr_assert_gt(seen.n_begun, 0);
    peer_close(&peer);
    bed_close(&bed);
}

/* -- threads --------------------------------------------------------------- */

Test(stream_limits, threads_of_handlers_end_with_them, .timeout = 60)
{
    static const struct rpcrt_server_options options = {.workers_max = 2};
    struct rpcrt_call *calls[40];
    Probe__V1__Step step = PROBE__V1__STEP__INIT;
    const Probe__V1__SumReply *reply;
    const unsigned n = sizeof calls / sizeof calls[0];
    struct bed bed;

    bed_open(&bed, "inproc", &options, NULL);
    step.stand = true;
    for (unsigned round = 0; round < 2; round++) {
        int64_t end = now_ms() + PEER_PATIENCE_MS;

        atomic_store(&bed.probe.go_on, false);
        for (unsigned i = 0; i < n; i++) {
            calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
            probe_sum_open(calls[i]);
            cr_assert(probe_sum_send(calls[i], &step));
        }
        bed_await(&bed.probe.n_standing, n);
        cr_assert_geq(census_workers(), n);
        atomic_store(&bed.probe.go_on, true);
        for (unsigned i = 0; i < n; i++) {
            expect_ok(calls[i], probe_sum_finish(calls[i], &reply));
            rpcrt_call_free(calls[i]);
        }
        while (census_workers() > options.workers_max && now_ms() < end) {
            nap_ms(1);
        }
        cr_assert_leq(census_workers(), options.workers_max);
    }
    bed_close(&bed);
}

Test(stream_limits, methods_with_streams_always_may_block, .timeout = 30)
{
    static const char path[] = "/probe.v1.Probe/Chat";
    static const struct probe_service nothing;
    struct rpcrt_server *server;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(probe_serve(server, &nothing, NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_server_set_blocking(server, path, true), RPCRT_OK);
    cr_assert_eq(rpcrt_server_set_blocking(server, path, false),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(rpcrt_last_error(), path), "%s",
                       rpcrt_last_error());
    rpcrt_server_free(server);
}

/* -- draining -------------------------------------------------------------- */

struct drain {
    struct rpcrt_server *server;
    uint32_t timeout_ms;
    enum rpcrt_code code;
    pthread_t thread;
};

static void *
drain_main(void *arg)
{
    struct drain *drain = arg;

    drain->code = rpcrt_server_drain(drain->server, drain->timeout_ms);
    return NULL;
}

/* Pour stands still while the server drains. */
static void
begin_drain(struct drain *drain, struct bed *bed, struct rpcrt_call *call,
            uint32_t timeout_ms)
{
    Probe__V1__Script script = PROBE__V1__SCRIPT__INIT;
    Probe__V1__Step step = PROBE__V1__STEP__INIT;
    Probe__V1__Step *steps[] = {&step};
    struct rpcrt_call *other = bed_call(bed->channel, BED_TIMEOUT_MS);
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    step.stand = true;
    step.n_replies = 3;
    script.steps = steps;
    script.n_steps = 1;
    probe_pour_open(call, &script);
    bed_await(&bed->probe.n_standing, 1);
    drain->server = bed->server;
    drain->timeout_ms = timeout_ms;
    cr_assert_eq(pthread_create(&drain->thread, NULL, drain_main, drain), 0);
    while (probe_echo(other, &request, &reply) == RPCRT_OK) {
    }
    rpcrt_call_free(other);
}

EACH_TRANSPORT(stream_limits, drain_lets_streams_finish, 30)
{
    struct drain drain = {0};
    struct rpcrt_call *call;
    const Probe__V1__EchoReply *message;
    struct bed bed;
    unsigned n = 0;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    begin_drain(&drain, &bed, call, BED_TIMEOUT_MS);
    atomic_store(&bed.probe.go_on, true);
    while (probe_pour_next(call, &message)) {
        n++;
    }
    cr_assert_eq(n, 3);
    expect_ok(call, probe_pour_finish(call));
    (void)pthread_join(drain.thread, NULL);
    cr_assert_eq(drain.code, RPCRT_OK);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream_limits, drain_cancels_streams_that_take_too_long, 30)
{
    struct drain drain = {0};
    struct rpcrt_call *call;
    const Probe__V1__EchoReply *message;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    begin_drain(&drain, &bed, call, 100);
    cr_assert_not(probe_pour_next(call, &message));
    expect_code(call, RPCRT_UNAVAILABLE, probe_pour_finish(call));
    cr_assert(rpcrt_call_may_have_run(call));
    (void)pthread_join(drain.thread, NULL);
    cr_assert_eq(drain.code, RPCRT_DEADLINE_EXCEEDED);
    bed_await(&bed.probe.n_lost, 1);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- records --------------------------------------------------------------- */

struct record {
    atomic_uint n;
    size_t request_size;
    size_t reply_size;
};

static void
keep_record(void *arg, const struct rpcrt_call_record *record)
{
    struct record *kept = arg;

    kept->request_size = record->request_size;
    kept->reply_size = record->reply_size;
    atomic_fetch_add(&kept->n, 1);
}

Test(stream_limits, record_has_the_bytes_of_all_messages, .timeout = 30)
{
    struct record kept = {0};
    struct rpcrt_server_options options = {.call_log = keep_record,
                                           .call_log_arg = &kept};
    Probe__V1__Step step = PROBE__V1__STEP__INIT;
    const Probe__V1__EchoReply *message;
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    step.n_replies = 5;
    step.reply_size = 100;
    probe_chat_open(call);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert(probe_chat_send(call, &step));
    }
    rpcrt_call_close_send(call);
    while (probe_chat_next(call, &message)) {
    }
    expect_ok(call, probe_chat_finish(call));
    bed_await(&kept.n, 1);
    cr_assert_eq(kept.request_size, 2 * 4u, "%zu", kept.request_size);
    cr_assert_eq(kept.reply_size, 10 * 102u, "%zu", kept.reply_size);
    rpcrt_call_free(call);
    bed_close(&bed);
}
