/*
 * Subject "nng": bare REQ/REP, the floor. One socket on either side, a context
 * for each call in flight, answers made where the request arrives. A single
 * call is made by a blocking caller, as with the other subjects.
 */
#include "bench/subject.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
must(int code, const char *what)
{
    if (code != 0) {
        subject_fail("%s: %s", what, nng_strerror(code));
    }
}

/* -- server --------------------------------------------------------------- */

struct worker {
    nng_ctx ctx;
    nng_aio *aio;
    bool sending;
};

/* A request came, or its answer left. */
static void
worker_step(void *arg)
{
    struct worker *worker = arg;
    int code = nng_aio_result(worker->aio);

    if (code == NNG_ECLOSED) {
        return;
    }
    must(code, "serve");
    worker->sending = !worker->sending;
    if (worker->sending) {
        /* The request's message goes back as the answer. */
        nng_aio_set_msg(worker->aio, nng_aio_get_msg(worker->aio));
        nng_ctx_send(worker->ctx, worker->aio);
    } else {
        nng_ctx_recv(worker->ctx, worker->aio);
    }
}

static void
serve(const struct subject_args *args)
{
    struct worker *workers = calloc(args->depth, sizeof(*workers));
    nng_socket socket;
    nng_listener listener;
    int port;

    if (workers == NULL) {
        subject_fail("no memory");
    }
    must(nng_rep0_open(&socket), "open");
    must(nng_listener_create(&listener, socket, "tcp://127.0.0.1:0"), "listen");
    must(nng_listener_set_bool(listener, NNG_OPT_TCP_NODELAY, true), "nodelay");
    must(nng_listener_start(listener, 0), "listen");
    must(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), "port");
    for (unsigned i = 0; i < args->depth; i++) {
        must(nng_ctx_open(&workers[i].ctx, socket), "context");
        must(nng_aio_alloc(&workers[i].aio, worker_step, &workers[i]), "aio");
        nng_ctx_recv(workers[i].ctx, workers[i].aio);
    }
    subject_serve((unsigned)port);
    nng_close(socket);
}

/* -- client --------------------------------------------------------------- */

struct call {
    struct client *client;
    unsigned slot;
    nng_ctx ctx;
    nng_aio *aio;
    bool sent;
};

struct client {
    nng_socket socket;
    struct load *load;
    struct call *calls; /* one a slot */
};

static nng_msg *
request_new(void)
{
    nng_msg *msg;

    must(nng_msg_alloc(&msg, SUBJECT_PAYLOAD_SIZE), "message");
    memset(nng_msg_body(msg), 'x', SUBJECT_PAYLOAD_SIZE);
    return msg;
}

static void
reply_take(nng_msg *msg)
{
    if (nng_msg_len(msg) != SUBJECT_PAYLOAD_SIZE) {
        subject_fail("a reply of %zu bytes", nng_msg_len(msg));
    }
    nng_msg_free(msg);
}

static void
call_start(void *arg, unsigned slot)
{
    struct client *client = arg;
    struct call *call = &client->calls[slot];

    call->sent = false;
    nng_aio_set_msg(call->aio, request_new());
    nng_ctx_send(call->ctx, call->aio);
}

static void
call_step(void *arg)
{
    struct call *call = arg;

    must(nng_aio_result(call->aio), "call");
    if (!call->sent) {
        call->sent = true;
        nng_ctx_recv(call->ctx, call->aio);
        return;
    }
    reply_take(nng_aio_get_msg(call->aio));
    if (load_answered(call->client->load, call->slot)) {
        call_start(call->client, call->slot);
    }
}

static void
call_once(void *arg)
{
    struct client *client = arg;
    nng_msg *msg = request_new();

    must(nng_sendmsg(client->socket, msg, 0), "send");
    must(nng_recvmsg(client->socket, &msg, 0), "receive");
    reply_take(msg);
}

static void
client_open(struct client *client, unsigned port)
{
    char address[64];
    nng_dialer dialer;

    snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", port);
    must(nng_req0_open(&client->socket), "open");
    must(nng_socket_set_ms(client->socket, NNG_OPT_REQ_RESENDTIME, 0),
         "resend");
    must(nng_dialer_create(&dialer, client->socket, address), "dial");
    must(nng_dialer_set_bool(dialer, NNG_OPT_TCP_NODELAY, true), "nodelay");
    must(nng_dialer_start(dialer, 0), "dial");
}

static void
calls_open(struct client *client, unsigned depth)
{
    client->calls = calloc(depth, sizeof(*client->calls));
    if (client->calls == NULL) {
        subject_fail("no memory");
    }
    for (unsigned i = 0; i < depth; i++) {
        struct call *call = &client->calls[i];

        call->client = client;
        call->slot = i;
        must(nng_ctx_open(&call->ctx, client->socket), "context");
        must(nng_aio_alloc(&call->aio, call_step, call), "aio");
    }
}

static void
measure(const struct subject_args *args)
{
    struct client client = {.load = load_new(args->depth)};

    client_open(&client, args->port);
    if (args->depth == 1 && strcmp(args->name, "nng") == 0) {
        load_run_blocking(client.load, args->seconds, call_once, &client);
    } else {
        calls_open(&client, args->depth);
        load_run(client.load, args->seconds, call_start, &client);
    }
    load_print(client.load);
    nng_close(client.socket);
    load_free(client.load);
}

int
main(int argc, char **argv)
{
    return subject_main(argc, argv, serve, measure);
}
