/*
 * How a call ends when its time is over, when it is cancelled and when the
 * connection is lost: before any of it was sent, when half of it was, and when
 * all of it was. And calls that never end do not hold up the others.
 */
#include "protocol/peer.h"
#include "transport/raw.h"

/* -- a server that holds two requests -------------------------------------- */

/* With two contexts: the first message behind HELLO and one more are all that
 * can leave. */
struct holder {
    atomic_uint n_messages; /* behind HELLO, on the first connection */
    atomic_uint n_calls;
    atomic_bool leaving; /* end the first connection */
};

static void
answer_honestly(struct host *host, int fd)
{
    struct bytes message;
    struct bytes reply = {0};
    struct frame frame;
    uint32_t request;
    uint64_t session;
    uint64_t seq = 1;
    bool alive = host_hello(host, fd, &session);

    while (alive && host_receive(host, fd, &request, &message)) {
        size_t at = HEADER_SIZE;

        put_header(&reply, 0, session, seq++);
        while (next_frame(&message, &at, &frame)) {
            if (frame.type == CALL) {
                put_frame(&reply, DATA, START | END, 0, frame.call, "\0\0\0\0",
                          4);
            }
        }
        bytes_free(&message);
        alive = host_reply(fd, request, &reply);
    }
}

static void
hold_two(struct host *host, int fd)
{
    struct holder *holder = host->arg;
    struct bytes message;
    struct frame frame;
    uint32_t request;
    uint64_t session;

    if (atomic_load(&host->n_connections) > 1) {
        answer_honestly(host, fd);
        return;
    }
    if (!host_hello(host, fd, &session)) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (!host_receive(host, fd, &request, &message)) {
            return;
        }
        for (size_t at = HEADER_SIZE; next_frame(&message, &at, &frame);) {
            atomic_fetch_add(&holder->n_calls, frame.type == CALL);
        }
        bytes_free(&message);
        atomic_fetch_add(&holder->n_messages, 1);
    }
    while (!atomic_load(&holder->leaving) && !atomic_load(&host->ending)) {
        nap_ms(1);
    }
}

/* -- the situation --------------------------------------------------------- */

/* A large call of which two messages have left, and a small one behind it. */
struct scene {
    struct holder holder;
    struct host host;
    struct rpcrt_channel *channel;
    struct rpcrt_call *half;
    struct rpcrt_call *unsent;
    atomic_uint n_half;
    atomic_uint n_unsent;
};

static void
scene_open(struct scene *scene, uint32_t timeout_ms)
{
    static const struct rpcrt_channel_options options = {
        .contexts = 2, .backoff_ms_min = 1, .backoff_ms_max = 2};
    static uint8_t payload[3u << 20];
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    memset(scene, 0, sizeof *scene);
    host_open(&scene->host, hold_two, &scene->holder);
    cr_assert_eq(
        rpcrt_channel_new(scene->host.address, &options, &scene->channel),
        RPCRT_OK);
    scene->half = bed_call(scene->channel, timeout_ms);
    scene->unsent = bed_call(scene->channel, timeout_ms);
    request.payload.data = payload;
    request.payload.len = sizeof payload;
    probe_echo_start(scene->half, &request, bed_done, &scene->n_half);
    bed_await(&scene->holder.n_messages, 2);
    request.payload.len = 0;
    probe_echo_start(scene->unsent, &request, bed_done, &scene->n_unsent);
}

static void
scene_close(struct scene *scene)
{
    rpcrt_call_free(scene->half);
    rpcrt_call_free(scene->unsent);
    rpcrt_channel_free(scene->channel);
    host_close(&scene->host);
}

static void
expect_end(struct rpcrt_call *call, atomic_uint *n_done, enum rpcrt_code code,
           enum rpcrt_origin origin, bool may_have_run)
{
    const Probe__V1__EchoReply *reply;

    bed_await(n_done, 1);
    expect_code(call, code, probe_echo_take(call, &reply));
    cr_assert_eq(rpcrt_call_origin(call), origin, "%s",
                 rpcrt_origin_text(rpcrt_call_origin(call)));
    cr_assert_eq(rpcrt_call_may_have_run(call), may_have_run);
}

Test(outcome, of_a_call_not_wholly_sent_at_its_deadline, .timeout = 30)
{
    struct scene scene;

    scene_open(&scene, 300);
    expect_end(scene.half, &scene.n_half, RPCRT_DEADLINE_EXCEEDED,
               RPCRT_ORIGIN_LOCAL, false);
    expect_end(scene.unsent, &scene.n_unsent, RPCRT_DEADLINE_EXCEEDED,
               RPCRT_ORIGIN_LOCAL, false);
    cr_assert_eq(atomic_load(&scene.holder.n_calls), 1u);
    scene_close(&scene);
}

Test(outcome, of_a_call_not_wholly_sent_that_is_cancelled, .timeout = 30)
{
    struct scene scene;

    scene_open(&scene, 0);
    rpcrt_call_cancel(scene.half);
    rpcrt_call_cancel(scene.unsent);
    expect_end(scene.half, &scene.n_half, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL,
               false);
    expect_end(scene.unsent, &scene.n_unsent, RPCRT_CANCELLED,
               RPCRT_ORIGIN_LOCAL, false);
    scene_close(&scene);
}

/* What was begun is lost, what was not goes to the next connection. */
Test(outcome, of_a_call_not_wholly_sent_on_a_lost_connection, .timeout = 30)
{
    struct scene scene;

    scene_open(&scene, BED_TIMEOUT_MS);
    atomic_store(&scene.holder.leaving, true);
    expect_end(scene.half, &scene.n_half, RPCRT_UNAVAILABLE,
               RPCRT_ORIGIN_TRANSPORT, false);
    expect_end(scene.unsent, &scene.n_unsent, RPCRT_OK, RPCRT_ORIGIN_HANDLER,
               true);
    cr_assert_eq(atomic_load(&scene.host.n_connections), 2u);
    scene_close(&scene);
}

Test(outcome, of_a_call_not_wholly_sent_on_a_closed_channel, .timeout = 30)
{
    struct scene scene;

    scene_open(&scene, 0);
    rpcrt_channel_free(scene.channel);
    expect_end(scene.half, &scene.n_half, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL,
               false);
    expect_end(scene.unsent, &scene.n_unsent, RPCRT_CANCELLED,
               RPCRT_ORIGIN_LOCAL, false);
    rpcrt_call_free(scene.half);
    rpcrt_call_free(scene.unsent);
    host_close(&scene.host);
    raw_assert_no_leaks();
}

/* -- calls that were sent -------------------------------------------------- */

/* Two small calls that leave in one message each and are never answered. */
static void
sent_call(struct scene *scene, uint32_t timeout_ms)
{
    static const struct rpcrt_channel_options options = {.contexts = 2};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    memset(scene, 0, sizeof *scene);
    host_open(&scene->host, hold_two, &scene->holder);
    cr_assert_eq(
        rpcrt_channel_new(scene->host.address, &options, &scene->channel),
        RPCRT_OK);
    scene->half = bed_call(scene->channel, timeout_ms);
    scene->unsent = bed_call(scene->channel, timeout_ms);
    probe_echo_start(scene->half, &request, bed_done, &scene->n_half);
    bed_await(&scene->holder.n_calls, 1);
    probe_echo_start(scene->unsent, &request, bed_done, &scene->n_unsent);
    bed_await(&scene->holder.n_calls, 2);
}

static void
expect_ends(struct scene *scene, enum rpcrt_code code, enum rpcrt_origin origin)
{
    expect_end(scene->half, &scene->n_half, code, origin, true);
    expect_end(scene->unsent, &scene->n_unsent, code, origin, true);
    scene_close(scene);
}

Test(outcome, of_a_call_that_was_sent_at_its_deadline, .timeout = 30)
{
    struct scene scene;

    sent_call(&scene, 300);
    expect_ends(&scene, RPCRT_DEADLINE_EXCEEDED, RPCRT_ORIGIN_LOCAL);
}

Test(outcome, of_a_call_that_was_sent_and_cancelled, .timeout = 30)
{
    struct scene scene;

    sent_call(&scene, 0);
    rpcrt_call_cancel(scene.half);
    rpcrt_call_cancel(scene.unsent);
    expect_ends(&scene, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL);
}

Test(outcome, of_a_call_that_was_sent_on_a_lost_connection, .timeout = 30)
{
    struct scene scene;

    sent_call(&scene, 0);
    atomic_store(&scene.holder.leaving, true);
    expect_ends(&scene, RPCRT_UNAVAILABLE, RPCRT_ORIGIN_TRANSPORT);
}

/* -- calls that never end -------------------------------------------------- */

/* The next call and a cancel get through beside so many that hang. */
static void
hang_many(const char *transport, uint32_t contexts, unsigned n)
{
    const struct rpcrt_channel_options options = {.contexts = contexts};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_call **calls = calloc(n, sizeof *calls);
    struct rpcrt_call *next;
    atomic_uint n_done = 0;
    struct bed bed;

    cr_assert_not_null(calls);
    bed_open(&bed, transport, NULL, &options);
    for (unsigned i = 0; i < n; i++) {
        calls[i] = bed_call(bed.channel, 0);
        probe_hang_start(calls[i], &request, bed_done, &n_done);
        if (i == 0) {
            /* More than workers, and messages are taken by several threads: the
             * others could get all workers first. */
            bed_await(&bed.probe.n_hanging, 1);
        }
    }
    bed_await(&bed.probe.n_hanging,
              n < RPCRT_WORKERS_MAX ? n : RPCRT_WORKERS_MAX);
    next = bed_call(bed.channel, 2000);
    for (unsigned i = 0; i < 10; i++) {
        bed_echo(next, 100);
    }
    bed_echo(next, 1u << 20);
    rpcrt_call_cancel(calls[0]); /* the first is running */
    bed_await(&bed.probe.n_cancelled, 1);
    bed_echo(next, 100);
    for (unsigned i = 0; i < n; i++) {
        rpcrt_call_free(calls[i]);
    }
    cr_assert_eq(atomic_load(&n_done), n);
    bed_await(&bed.probe.n_hanging, 0);
    rpcrt_call_free(next);
    bed_close(&bed);
    free(calls);
}

EACH_TRANSPORT(outcome, of_a_call_does_not_depend_on_those_that_hang, 60)
{
    hang_many(transport, 2, 2);
    hang_many(transport, 2, 20);
    hang_many(transport, 4, 40);
    hang_many(transport, 0, RPCRT_CONTEXTS * 10);
}

/* -- no more messages than needed ------------------------------------------ */

EACH_TRANSPORT(outcome, of_a_lone_call_is_one_message_each_way, 30)
{
    struct rpcrt_server_stats before;
    struct rpcrt_server_stats after;
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 10);
    bed_echo(call, 10);
    rpcrt_server_get_stats(bed.server, &before);
    for (unsigned i = 0; i < 100; i++) {
        bed_echo(call, 10);
    }
    nap_ms(100); /* and then there is silence */
    rpcrt_server_get_stats(bed.server, &after);
    cr_assert_eq(after.messages_received - before.messages_received, 100);
    cr_assert_eq(after.messages_sent - before.messages_sent, 100);
    cr_assert_eq(after.messages_empty - before.messages_empty, 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- a handler that blocks ------------------------------------------------- */

EACH_TRANSPORT(outcome, of_others_does_not_wait_for_a_handler_that_blocks, 30)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    struct rpcrt_channel_options options = {.tls = NULL};
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    struct rpcrt_server_stats stats;
    struct rpcrt_channel *channel;
    struct rpcrt_call *gone;
    struct rpcrt_call *call;
    atomic_uint n_done = 0;
    struct bed bed;
    int64_t began;

    bed_open(&bed, transport, NULL, NULL);
    if (strcmp(transport, "tls") == 0) {
        bed_tls(&server_tls, &client_tls);
        options.tls = &client_tls;
    }
    cr_assert_eq(rpcrt_channel_new(bed.address, &options, &channel), RPCRT_OK);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 10);
    gone = bed_call(channel, 0);
    request.ms = 3000;
    probe_wait_start(gone, &request, bed_done, &n_done);
    do {
        rpcrt_server_get_stats(bed.server, &stats);
    } while (stats.calls_started < 2);
    began = now_ms();
    rpcrt_call_free(gone);
    rpcrt_channel_free(channel);
    do {
        bed_echo(call, 10);
        rpcrt_server_get_stats(bed.server, &stats);
    } while (stats.sessions == 2 && now_ms() - began < 2500);
    cr_assert_eq(stats.sessions, 1u);
    cr_assert_geq(stats.calls_running, 1u, "the handler ended before");
    rpcrt_call_free(call);
    bed_close(&bed);
}
