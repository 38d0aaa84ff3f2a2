/*
 * Handlers in unusual situations: told too late, answering each other's calls,
 * answering at the very moment when nobody waits any more.
 */
#include "protocol/peer.h"
#include "transport/raw.h"

/* A service of this file's own handlers. */
struct stage {
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    struct rpcrt_channel *next; /* to another stage */
    _Atomic(struct rpcrt_ctx *) waiting;
    atomic_uint n_waiting;
    atomic_uint n_told;
    atomic_uint n_begun;
    atomic_uint n_inner; /* ended calls of handlers */
    _Atomic enum rpcrt_code inner_code;
};

static void
stage_open(struct stage *stage, const struct probe_service *service)
{
    memset(stage, 0, sizeof *stage);
    cr_assert_eq(rpcrt_server_new(NULL, &stage->server), RPCRT_OK);
    cr_assert_eq(probe_serve(stage->server, service, stage), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(stage->server, "tcp://127.0.0.1:0", NULL),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new(rpcrt_server_address(stage->server, 0), NULL,
                                   &stage->channel),
                 RPCRT_OK);
}

static void
stage_close(struct stage *stage)
{
    rpcrt_channel_free(stage->channel);
    rpcrt_server_free(stage->server);
}

/* -- a handler that calls out too late ------------------------------------- */

/* Call Hang at the next stage, but only once this call is over. */
static enum rpcrt_code
relay_too_late(void *self, struct rpcrt_ctx *ctx,
               const Probe__V1__RelayRequest *request,
               Probe__V1__EchoReply *reply)
{
    struct stage *stage = self;
    Probe__V1__EchoRequest inner = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *inner_reply;
    struct rpcrt_call *call;

    (void)request;
    (void)reply;
    atomic_fetch_add(&stage->n_begun, 1);
    while (!rpcrt_ctx_cancelled(ctx)) {
        nap_ms(1);
    }
    if (rpcrt_call_new(stage->next, 0, &call) != RPCRT_OK) {
        return rpcrt_ctx_no_memory(ctx);
    }
    rpcrt_call_set_parent(call, ctx);
    atomic_store(&stage->inner_code, probe_hang(call, &inner, &inner_reply));
    rpcrt_call_free(call);
    atomic_fetch_add(&stage->n_inner, 1);
    return RPCRT_OK;
}

Test(handlers, whose_call_is_over_can_call_nobody, .timeout = 30)
{
    static const struct probe_service service = {.relay = relay_too_late};
    Probe__V1__RelayRequest request = PROBE__V1__RELAY_REQUEST__INIT;
    struct rpcrt_call *call;
    atomic_uint n_done = 0;
    struct stage stage;
    struct bed back;

    bed_open(&back, "tcp", NULL, NULL);
    stage_open(&stage, &service);
    stage.next = back.channel;
    call = bed_call(stage.channel, 0);
    probe_relay_start(call, &request, bed_done, &n_done);
    bed_await(&stage.n_begun, 1);
    rpcrt_call_cancel(call);
    bed_await(&stage.n_inner, 1);
    cr_assert_eq(atomic_load(&stage.inner_code), RPCRT_CANCELLED);
    cr_assert_eq(atomic_load(&back.probe.n_hanging), 0u);
    rpcrt_call_free(call);
    stage_close(&stage);
    bed_close(&back);
}

/* The same at any moment around the end. */
static enum rpcrt_code
relay_at_once(void *self, struct rpcrt_ctx *ctx,
              const Probe__V1__RelayRequest *request,
              Probe__V1__EchoReply *reply)
{
    struct stage *stage = self;
    Probe__V1__EchoRequest inner = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *inner_reply;
    struct rpcrt_call *call;

    (void)request;
    (void)reply;
    atomic_fetch_add(&stage->n_begun, 1);
    if (rpcrt_call_new(stage->next, 0, &call) != RPCRT_OK) {
        return rpcrt_ctx_no_memory(ctx);
    }
    rpcrt_call_set_parent(call, ctx);
    atomic_store(&stage->inner_code, probe_hang(call, &inner, &inner_reply));
    rpcrt_call_free(call);
    atomic_fetch_add(&stage->n_inner, 1);
    return RPCRT_OK;
}

Test(handlers, never_outlast_their_call_in_calls_of_their_own, .timeout = 60)
{
    static const struct probe_service service = {.relay = relay_at_once};
    Probe__V1__RelayRequest request = PROBE__V1__RELAY_REQUEST__INIT;
    struct rpcrt_call *call;
    struct stage stage;
    struct bed back;

    bed_open(&back, "tcp", NULL, NULL);
    stage_open(&stage, &service);
    stage.next = back.channel;
    call = bed_call(stage.channel, 0);
    for (unsigned i = 0; i < 150; i++) {
        struct timespec nap = {.tv_nsec = i % 30 * 20000};
        atomic_uint n_done = 0;

        probe_relay_start(call, &request, bed_done, &n_done);
        if (i % 3 > 0) {
            bed_await(&stage.n_begun, i + 1);
        }
        (void)nanosleep(&nap, NULL);
        rpcrt_call_cancel(call);
        bed_await(&n_done, 1);
        if (i % 3 > 0) {
            bed_await(&stage.n_inner, i + 1);
        } else {
            /* It may never have begun. */
            atomic_store(&stage.n_begun, i + 1);
            for (unsigned ms = 0;
                 ms < 50 && atomic_load(&stage.n_inner) < i + 1; ms++) {
                nap_ms(1);
            }
            if (atomic_load(&stage.n_inner) < i + 1) {
                bed_await(&back.probe.n_hanging, 0);
                atomic_store(&stage.n_inner, i + 1);
            }
            atomic_store(&stage.n_begun, i + 1);
        }
    }
    rpcrt_call_free(call);
    stage_close(&stage);
    bed_await(&back.probe.n_hanging, 0);
    bed_close(&back);
}

/* -- one handler answers another's call ------------------------------------ */

static void
told(void *arg)
{
    struct stage *stage = arg;

    atomic_fetch_add(&stage->n_told, 1);
}

/* Wait until Echo comes, on any thread, or for ever. */
static enum rpcrt_code
wait_for_echo(void *self, struct rpcrt_ctx *ctx,
              const Probe__V1__WaitRequest *request,
              Probe__V1__EchoReply *reply)
{
    struct stage *stage = self;

    (void)request;
    (void)reply;
    rpcrt_ctx_on_cancel(ctx, told, stage);
    atomic_store(&stage->waiting, ctx);
    atomic_fetch_add(&stage->n_waiting, 1);
    return RPCRT_LATER;
}

static enum rpcrt_code
answer_the_waiting(void *self, struct rpcrt_ctx *ctx,
                   const Probe__V1__EchoRequest *request,
                   Probe__V1__EchoReply *reply)
{
    struct stage *stage = self;
    struct rpcrt_ctx *waiting = atomic_exchange(&stage->waiting, NULL);

    (void)ctx;
    (void)request;
    (void)reply;
    if (waiting != NULL) {
        rpcrt_ctx_finish(waiting, RPCRT_OK);
    }
    return RPCRT_OK;
}

static const struct probe_service lock_service = {.echo = answer_the_waiting,
                                                  .later = wait_for_echo};

EACH_TRANSPORT(handlers, may_answer_the_calls_of_others, 30)
{
    Probe__V1__WaitRequest wait = PROBE__V1__WAIT_REQUEST__INIT;
    Probe__V1__EchoRequest echo = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_call *waiting;
    struct rpcrt_call *call;
    struct stage stage;

    (void)transport;
    stage_open(&stage, &lock_service);
    waiting = bed_call(stage.channel, BED_TIMEOUT_MS);
    call = bed_call(stage.channel, BED_TIMEOUT_MS);
    for (unsigned i = 0; i < 50; i++) {
        atomic_uint n_done = 0;

        probe_later_start(waiting, &wait, bed_done, &n_done);
        bed_await(&stage.n_waiting, i + 1);
        expect_ok(call, probe_echo(call, &echo, &reply));
        bed_await(&n_done, 1);
        expect_ok(waiting, probe_later_take(waiting, &reply));
    }
    rpcrt_call_free(waiting);
    rpcrt_call_free(call);
    stage_close(&stage);
}

/* The cancel of a call, and the call whose handler answers it, in one
 * message. */
Test(handlers, may_answer_a_call_whose_cancel_came_with_theirs, .timeout = 30)
{
    struct stage stage;
    struct peer peer;

    stage_open(&stage, &lock_service);
    peer_connect(&peer, rpcrt_server_address(stage.server, 0));
    for (unsigned i = 0; i < 30; i++) {
        struct bytes message = peer_message(&peer, 2);
        struct frame frame;

        if (i == 0) {
            put_hello(&message, 4, 1000);
            put_method(&message, 0, "/probe.v1.Probe/Later");
            put_method(&message, 1, "/probe.v1.Probe/Echo");
        }
        put_call(&message, 2 * i + 1, 0, 0, NULL, 0);
        cr_assert(peer_send(&peer, &message));
        if (i == 0) {
            cr_assert(peer_await(&peer, HELLO, 0, &message, &frame));
            bytes_free(&message);
        }
        bed_await(&stage.n_waiting, i + 1);
        message = peer_message(&peer, 2);
        put_frame(&message, CANCEL, 0, 0, 2 * i + 1, NULL, 0);
        put_call(&message, 2 * i + 2, 1, 0, NULL, 0);
        cr_assert(peer_send(&peer, &message));
        cr_assert(peer_await(&peer, DATA, 2 * i + 2, &message, &frame));
        bytes_free(&message);
        bed_await(&stage.n_told, i + 1);
    }
    peer_close(&peer);
    stage_close(&stage);
}

/* -- an answer, and the end of the call at the same time ------------------- */

static void
finish_as_cancelled(void *arg)
{
    rpcrt_ctx_finish(arg, RPCRT_CANCELLED);
}

static enum rpcrt_code
wait_for_cancel(void *self, struct rpcrt_ctx *ctx,
                const Probe__V1__WaitRequest *request,
                Probe__V1__EchoReply *reply)
{
    struct stage *stage = self;

    (void)request;
    (void)reply;
    atomic_fetch_add(&stage->n_waiting, 1);
    rpcrt_ctx_on_cancel(ctx, finish_as_cancelled, ctx);
    return RPCRT_LATER;
}

Test(handlers, may_finish_when_they_are_told_of_the_end, .timeout = 60)
{
    static const struct probe_service service = {.later = wait_for_cancel};
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_server_stats stats;
    struct rpcrt_call *call;
    struct stage stage;
    int64_t end;

    stage_open(&stage, &service);
    call = bed_call(stage.channel, 2);
    for (unsigned i = 0; i < 100; i++) {
        /* By the deadline, which comes before, at or behind its start. */
        rpcrt_call_set_timeout(call, 1 + i % 4);
        expect_code(call, RPCRT_DEADLINE_EXCEEDED,
                    probe_later(call, &request, &reply));
    }
    end = now_ms() + PEER_PATIENCE_MS;
    do {
        rpcrt_server_get_stats(stage.server, &stats);
    } while (stats.calls_running > 0 && now_ms() < end);
    cr_assert_eq(stats.calls_running, 0u);
    rpcrt_call_free(call);
    stage_close(&stage);
}

EACH_TRANSPORT(handlers, may_answer_at_the_moment_of_the_deadline, 60)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    struct rpcrt_call *calls[16];
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 16; i++) {
        calls[i] = bed_call(bed.channel, 3);
    }
    for (unsigned round = 0; round < 40; round++) {
        atomic_uint n_done = 0;

        for (unsigned i = 0; i < 16; i++) {
            request.ms = (i + round) % 5;
            rpcrt_call_set_timeout(calls[i], 1 + (i * 7 + round) % 4);
            if (i % 2 == 0) {
                probe_later_start(calls[i], &request, bed_done, &n_done);
            } else {
                probe_wait_start(calls[i], &request, bed_done, &n_done);
            }
        }
        bed_await(&n_done, 16);
        for (unsigned i = 0; i < 16; i++) {
            enum rpcrt_code code = rpcrt_call_code(calls[i]);

            cr_assert(code == RPCRT_OK || code == RPCRT_DEADLINE_EXCEEDED,
                      "%s: %s", rpcrt_code_name(code),
                      rpcrt_call_message(calls[i]));
        }
    }
    for (unsigned i = 0; i < 16; i++) {
        rpcrt_call_free(calls[i]);
    }
    bed_close(&bed);
}

/* Calls that wait for each other's end, as those that wait for a lock do: who
 * is told first answers all. */
struct pack {
    pthread_mutex_t lock;
    struct rpcrt_ctx *waiting[8];
    unsigned n_waiting;
    atomic_uint n_come;
    atomic_uint n_answered;
};

static void
answer_pack(void *arg)
{
    struct pack *pack = arg;
    struct rpcrt_ctx *waiting[8];
    unsigned n;

    pthread_mutex_lock(&pack->lock);
    n = pack->n_waiting;
    memcpy(waiting, pack->waiting, sizeof waiting);
    pack->n_waiting = 0;
    pthread_mutex_unlock(&pack->lock);
    for (unsigned i = 0; i < n; i++) {
        rpcrt_ctx_finish(waiting[i], RPCRT_ABORTED);
        atomic_fetch_add(&pack->n_answered, 1);
    }
}

static enum rpcrt_code
join_pack(void *self, struct rpcrt_ctx *ctx,
          const Probe__V1__WaitRequest *request, Probe__V1__EchoReply *reply)
{
    struct pack *pack = self;

    (void)request;
    (void)reply;
    rpcrt_ctx_on_cancel(ctx, answer_pack, pack);
    pthread_mutex_lock(&pack->lock);
    pack->waiting[pack->n_waiting++] = ctx;
    pthread_mutex_unlock(&pack->lock);
    atomic_fetch_add(&pack->n_come, 1);
    return RPCRT_LATER;
}

Test(handlers, that_are_told_together_may_answer_each_other, .timeout = 30)
{
    static const struct probe_service service = {.later = join_pack};
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    struct rpcrt_channel *channel;
    struct rpcrt_server *server;
    struct pack pack = {.lock = PTHREAD_MUTEX_INITIALIZER};

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(probe_serve(server, &service, &pack), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, "tcp://127.0.0.1:0", NULL),
                 RPCRT_OK);
    for (unsigned round = 0; round < 10; round++) {
        struct rpcrt_call *calls[4];
        atomic_uint n_done = 0;

        cr_assert_eq(
            rpcrt_channel_new(rpcrt_server_address(server, 0), NULL, &channel),
            RPCRT_OK);
        for (unsigned i = 0; i < 4; i++) {
            /* All at their deadline, all when the client leaves. */
            calls[i] = bed_call(channel, round % 2 == 0 ? 500 : 0);
            probe_later_start(calls[i], &request, bed_done, &n_done);
        }
        if (round % 2 == 0) {
            bed_await(&n_done, 4);
        } else {
            bed_await(&pack.n_come, 4 * round + 4);
        }
        rpcrt_channel_free(channel);
        bed_await(&pack.n_answered, 4 * round + 4);
        for (unsigned i = 0; i < 4; i++) {
            rpcrt_call_free(calls[i]);
        }
    }
    rpcrt_server_free(server);
}
