/*
 * Closing things of the patched nng beside one another.
 */
#include "transport/rep.h"
#include <nng/protocol/reqrep0/req.h>

/* Two threads that begin at the same moment, give or take a little. */
struct race {
    pthread_barrier_t start;
    unsigned late; /* how long the second waits */
    void (*second)(void *arg);
    void *arg;
};

static void *
race_second(void *arg)
{
    struct race *race = arg;
    (void)pthread_barrier_wait(&race->start);
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
    cr_assert_eq(pthread_barrier_init(&race.start, NULL, 2), 0);
    cr_assert_eq(pthread_create(&thread, NULL, race_second, &race), 0);
    (void)pthread_barrier_wait(&race.start);
    first(arg);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    (void)pthread_barrier_destroy(&race.start);
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
        race_run(pair_dial, pair_close_dialer, &pair, i % 100 * 20);
        cr_assert_neq(pair.result, 0);
        cr_assert_eq(nng_close(pair.socket), 0);
        if (i % 100 == 99) { /* its backlog is full */
            (void)close(silent);
            silent = raw_listen(address);
        }
    }
    (void)close(silent);
}

/* Without patch 09, caught by ASan now and then. */
Test(nng_close, dialer_can_be_closed_beside_its_socket, .timeout = 120)
{
    char address[64];
    int silent = raw_listen(address);
    for (unsigned i = 0; i < 2000; i++) {
        struct pair pair;
        pair_dial_to(&pair, address);
        race_run(pair_close_socket, pair_close_dialer, &pair, i % 100 * 20);
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

struct gatekeeper {
    pthread_mutex_t lock;
    pthread_cond_t open;
    bool opened;
    atomic_int came;
    struct rep rep;
};

static void
keep_waiting(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct gatekeeper *keeper = arg;
    (void)pipe;
    (void)event;
    atomic_fetch_add(&keeper->came, 1);
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->opened) {
        pthread_cond_wait(&keeper->open, &keeper->lock);
    }
    pthread_mutex_unlock(&keeper->lock);
}

static void *
close_rep(void *arg)
{
    struct gatekeeper *keeper = arg;
    (void)nng_close(keeper->rep.socket);
    return NULL;
}

/* Connections that have shaken hands while the listener is busy with the one
 * before. Fails without patch 11. */
static void
close_with_connections_waiting(bool ipc)
{
    struct gatekeeper keeper = {.opened = false};
    pthread_t thread;
    int fds[10];
    int before = raw_descriptors();
    int with_nng;
    pthread_mutex_init(&keeper.lock, NULL);
    pthread_cond_init(&keeper.open, NULL);
    rep_open(&keeper.rep, ipc);
    with_nng = raw_descriptors() - 1; /* less the listener's own */
    cr_assert_gt(with_nng, before);
    cr_assert_eq(nng_pipe_notify(keeper.rep.socket, NNG_PIPE_EV_ADD_PRE,
                                 keep_waiting, &keeper),
                 0);
    for (int i = 0; i < 10; i++) {
        fds[i] = raw_connect(keeper.rep.address);
        cr_assert(raw_handshake(fds[i], RAW_REQ));
    }
    cr_assert(raw_await(&keeper.came, 1));
    cr_assert_eq(pthread_create(&thread, NULL, close_rep, &keeper), 0);
    while (nng_pipe_notify(keeper.rep.socket, NNG_PIPE_EV_ADD_POST, NULL,
                           NULL) == 0 &&
           nng_socket_set_int(keeper.rep.socket, NNG_OPT_MAXTTL, 1) !=
               NNG_ECLOSED) {
        raw_nap();
    }
    pthread_mutex_lock(&keeper.lock);
    keeper.opened = true;
    pthread_cond_broadcast(&keeper.open);
    pthread_mutex_unlock(&keeper.lock);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 10; i++) {
        (void)close(fds[i]);
    }
    cr_assert(raw_await_descriptors(with_nng),
              "%d descriptors more than before", raw_descriptors() - with_nng);
}

Test(nng_close, waiting_connections_are_freed_tcp, .timeout = 60)
{
    close_with_connections_waiting(false);
}

Test(nng_close, waiting_connections_are_freed_ipc, .timeout = 60)
{
    close_with_connections_waiting(true);
}
