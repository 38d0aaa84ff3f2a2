/*
 * Closing things of the patched nng beside one another.
 */
#include "transport/rep.h"
#include <nng/protocol/reqrep0/req.h>
#include <sched.h>

/* Two threads that begin at the same moment, give or take a little: they spin
 * until both are there, as waking up would take longer than what they race for.
 */
struct race {
    atomic_int there;
    unsigned late; /* how long the second waits */
    void (*second)(void *arg);
    void *arg;
};

static void
race_start(struct race *race)
{
    atomic_fetch_add(&race->there, 1);
    for (unsigned i = 0; atomic_load(&race->there) < 2; i++) {
        if (i % 4096 == 4095) {
            (void)sched_yield(); /* there may be one core only */
        }
    }
}

static void *
race_second(void *arg)
{
    struct race *race = arg;
    race_start(race);
    for (volatile unsigned i = 0; i < race->late; i++) {
    }
    race->second(race->arg);
    return NULL;
}

static void
race_run(void (*first)(void *), void (*second)(void *), void *arg,
         unsigned late)
{
    struct race race = {.late = late, .second = second, .arg = arg};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, race_second, &race), 0);
    race_start(&race);
    first(arg);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

/* -- contexts -------------------------------------------------------------- */

struct pair {
    nng_socket socket;
    nng_ctx ctx;
    nng_dialer dialer;
    int result;
};

static void
pair_close_socket(void *arg)
{
    struct pair *pair = arg;
    (void)nng_close(pair->socket);
}

static void
pair_use_context(void *arg)
{
    struct pair *pair = arg;
    nng_ctx more;
    int value;
    for (int i = 0; i < 20; i++) {
        (void)nng_ctx_get_ms(pair->ctx, NNG_OPT_REQ_RESENDTIME, &value);
        if (nng_ctx_open(&more, pair->socket) == 0) {
            (void)nng_ctx_close(more);
        }
    }
    (void)nng_ctx_close(pair->ctx);
}

/* Without patch 04, hangs or is caught by ASan a few times in a thousand. */
Test(nng_close, socket_can_be_closed_beside_its_contexts, .timeout = 120)
{
    for (unsigned i = 0; i < 2000; i++) {
        struct pair pair;
        cr_assert_eq(nng_req0_open(&pair.socket), 0);
        cr_assert_eq(nng_ctx_open(&pair.ctx, pair.socket), 0);
        race_run(pair_close_socket, pair_use_context, &pair, i % 50 * 40);
    }
}

/* Crashes without patch 05. */
Test(nng_close, receive_can_be_cancelled_before_its_request_left, .timeout = 60)
{
    nng_socket socket;
    nng_ctx ctx;
    nng_aio *sending;
    nng_aio *receiving;
    nng_msg *msg;
    cr_assert_eq(nng_req0_open(&socket), 0);
    cr_assert_eq(nng_ctx_open(&ctx, socket), 0);
    cr_assert_eq(nng_aio_alloc(&sending, NULL, NULL), 0);
    cr_assert_eq(nng_aio_alloc(&receiving, NULL, NULL), 0);
    cr_assert_eq(nng_msg_alloc(&msg, 8), 0);
    nng_aio_set_msg(sending, msg);
    nng_ctx_send(ctx, sending); /* there is nobody to send to */
    nng_ctx_recv(ctx, receiving);
    nng_aio_cancel(receiving);
    nng_aio_wait(receiving);
    cr_assert_eq(nng_aio_result(receiving), NNG_ECANCELED);
    nng_aio_cancel(sending);
    nng_aio_wait(sending);
    cr_assert_eq(nng_aio_result(sending), NNG_ECANCELED);
    cr_assert_eq(nng_aio_get_msg(sending), msg);
    nng_msg_free(msg);
    nng_aio_free(sending);
    nng_aio_free(receiving);
    cr_assert_eq(nng_close(socket), 0);
}

/* -- dialers --------------------------------------------------------------- */

static void
pair_dial(void *arg)
{
    struct pair *pair = arg;
    pair->result = nng_dialer_start(pair->dialer, 0);
}

static void
pair_close_dialer(void *arg)
{
    struct pair *pair = arg;
    (void)nng_dialer_close(pair->dialer);
}

static void
pair_dial_to(struct pair *pair, const char *address)
{
    cr_assert_eq(nng_req0_open(&pair->socket), 0);
    cr_assert_eq(nng_dialer_create(&pair->dialer, pair->socket, address), 0);
}

/* Hangs without patch 10. */
Test(nng_close, dialing_ends_when_closed_at_any_moment, .timeout = 120)
{
    char address[64];
    int silent = raw_listen(address);
    for (unsigned i = 0; i < 3000; i++) {
        struct pair pair;
        pair_dial_to(&pair, address);
        race_run(pair_dial, pair_close_dialer, &pair, i % 100 * 10);
        cr_assert_neq(pair.result, 0);
        cr_assert_eq(nng_close(pair.socket), 0);
        if (i % 100 == 99) { /* its backlog is full */
            (void)close(silent);
            silent = raw_listen(address);
        }
    }
    (void)close(silent);
}

/* -- pipes ----------------------------------------------------------------- */

struct reply {
    struct rep rep;
    nng_aio *aio;
};

static void
reply_send(void *arg)
{
    struct reply *reply = arg;
    nng_send_aio(reply->rep.socket, reply->aio);
}

static void
reply_close_pipe(void *arg)
{
    struct reply *reply = arg;
    (void)nng_pipe_close(reply->rep.last);
}

/* Leaks a few times in a thousand without patch 06, which ASan tells. */
Test(nng_close, reply_to_a_pipe_that_closes_is_freed, .timeout = 120)
{
    struct reply reply;
    rep_open(&reply.rep, true);
    cr_assert_eq(nng_aio_alloc(&reply.aio, NULL, NULL), 0);
    for (unsigned i = 0; i < 2000; i++) {
        int fd = rep_client(&reply.rep);
        raw_request(fd, reply.rep.address, i, "x", 1);
        nng_recv_aio(reply.rep.socket, reply.aio);
        nng_aio_wait(reply.aio);
        cr_assert_eq(nng_aio_result(reply.aio), 0);
        race_run(reply_send, reply_close_pipe, &reply, i % 100 * 10);
        nng_aio_wait(reply.aio);
        if (nng_aio_result(reply.aio) != 0) {
            nng_msg_free(nng_aio_get_msg(reply.aio));
        }
        (void)close(fd);
    }
    nng_aio_free(reply.aio);
    cr_assert_eq(nng_close(reply.rep.socket), 0);
    raw_assert_no_leaks();
}

/* -- listeners ------------------------------------------------------------- */

/* Holds the callback of a connection that comes, and with it whoever closes the
 * endpoint that it came through. */
struct gatekeeper {
    pthread_mutex_t lock;
    pthread_cond_t open;
    bool opened;
    atomic_int came;
    struct rep rep;
    nng_listener listener;
};

static void
keep_waiting(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct gatekeeper *keeper = arg;
    (void)event;
    keeper->listener = nng_pipe_listener(pipe);
    atomic_fetch_add(&keeper->came, 1);
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->opened) {
        pthread_cond_wait(&keeper->open, &keeper->lock);
    }
    pthread_mutex_unlock(&keeper->lock);
}

static void
keeper_begin(struct gatekeeper *keeper, bool ipc)
{
    keeper->opened = false;
    atomic_init(&keeper->came, 0);
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_cond_init(&keeper->open, NULL);
    rep_open(&keeper->rep, ipc);
    cr_assert_eq(nng_pipe_notify(keeper->rep.socket, NNG_PIPE_EV_ADD_PRE,
                                 keep_waiting, keeper),
                 0);
}

static void
keeper_let_in(struct gatekeeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->opened = true;
    pthread_cond_broadcast(&keeper->open);
    pthread_mutex_unlock(&keeper->lock);
}

static void *
close_socket(void *arg)
{
    struct gatekeeper *keeper = arg;
    (void)nng_close(keeper->rep.socket);
    return NULL;
}

static void *
close_listener(void *arg)
{
    struct gatekeeper *keeper = arg;
    (void)nng_listener_close(keeper->listener);
    return NULL;
}

/* Wait until the socket is being closed. */
static void
await_closing(nng_socket socket)
{
    int ttl;
    while (nng_socket_get_int(socket, NNG_OPT_MAXTTL, &ttl) == 0) {
        raw_nap();
    }
}

/* Wait until the listener is being closed. */
static void
await_listener_closing(nng_listener listener)
{
    size_t size;
    while (nng_listener_get_size(listener, NNG_OPT_RECVMAXSZ, &size) == 0) {
        raw_nap();
    }
}

/* Without patch 09, the listener is freed below the thread that closes it,
 * which ASan tells. */
Test(nng_close, listener_can_be_closed_beside_its_socket, .timeout = 60)
{
    for (int i = 0; i < 20; i++) {
        struct gatekeeper keeper;
        pthread_t threads[2];
        int fd;
        keeper_begin(&keeper, true);
        fd = raw_connect(keeper.rep.address);
        cr_assert(raw_handshake(fd, RAW_REQ));
        cr_assert(raw_await(&keeper.came, 1));
        cr_assert_eq(pthread_create(&threads[0], NULL, close_listener, &keeper),
                     0);
        await_listener_closing(keeper.listener);
        cr_assert_eq(pthread_create(&threads[1], NULL, close_socket, &keeper),
                     0);
        await_closing(keeper.rep.socket);
        keeper_let_in(&keeper);
        cr_assert_eq(pthread_join(threads[0], NULL), 0);
        cr_assert_eq(pthread_join(threads[1], NULL), 0);
        (void)close(fd);
    }
}

/* Connections that have shaken hands while the listener is busy with the one
 * before. Fails without patch 11. */
static void
close_with_connections_waiting(bool ipc)
{
    struct gatekeeper keeper;
    pthread_t thread;
    int fds[10];
    int before;
    keeper_begin(&keeper, ipc);
    before = raw_descriptors() - 1; /* less the listener's own */
    for (int i = 0; i < 10; i++) {
        fds[i] = raw_connect(keeper.rep.address);
        cr_assert(raw_handshake(fds[i], RAW_REQ));
    }
    cr_assert(raw_await(&keeper.came, 1));
    cr_assert_eq(pthread_create(&thread, NULL, close_socket, &keeper), 0);
    await_closing(keeper.rep.socket);
    keeper_let_in(&keeper);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 10; i++) {
        (void)close(fds[i]);
    }
    cr_assert(raw_await_descriptors(before), "%d descriptors more than before",
              raw_descriptors() - before);
}

Test(nng_close, waiting_connections_are_freed_tcp, .timeout = 60)
{
    close_with_connections_waiting(false);
}

Test(nng_close, waiting_connections_are_freed_ipc, .timeout = 60)
{
    close_with_connections_waiting(true);
}
