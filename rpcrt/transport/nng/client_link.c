/*
 * A client's connection: one REQ socket that is dialed once, with a context
 * for each slot. Who may use a slot when is the caller's business.
 *
 * nng must not redial, resend or time anything out here: a request that went
 * to a second pipe would be executed by somebody who does not know its session.
 */
#include "transport/nng/link_nng.h"
#include "core/alloc.h"
#include "transport/nng/tls.h"
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <string.h>

/* Longer than any link is down before it is freed. */
#define NO_REDIAL_MS (24 * 3600 * 1000)

/* What nng puts before a request on the wire, and more than that. */
#define HEADER_SIZE_MAX 64u

struct slot {
    struct rpcrt__client_link *link;
    unsigned number;
    bool waiting; /* sent; else the aio's operation is the send */
    bool open;
    nng_ctx ctx;
    nng_aio *aio;
};

enum state { NEW, DIALING, UP, DOWN };

struct rpcrt__client_link {
    struct rpcrt__client_link_events events;
    void *arg;
    char address[RPCRT_ADDRESS_SIZE];
    size_t message_size_max;
    nng_socket socket;
    nng_dialer dialer;
    struct rpcrt__tls_end *tls;
    struct rpcrt__gate gate;

    pthread_mutex_t lock; /* of the rest up to the slots */
    enum state state;
    bool cut;       /* before it was up */
    bool connected; /* pipe is set: the one pipe that there will be */
    bool gone;      /* that pipe is gone */
    bool blamed;    /* why is set */
    nng_pipe pipe;
    struct rpcrt__error why;
    char tls_reason[RPCRT_TEXT_SIZE]; /* empty: none */

    unsigned slots_count;
    struct slot slots[];
};

/* -- the end of the connection --------------------------------------------- */

/* Note why the connection ends, if nobody did yet, and end it. */
static void
link_fail(struct rpcrt__client_link *link, int nng_code)
{
    bool connected;
    pthread_mutex_lock(&link->lock);
    if (!link->blamed) {
        link->blamed = true;
        (void)rpcrt__nng_error(&link->why, nng_code, "connection to",
                               link->address);
        link->why.code = RPCRT_UNAVAILABLE;
    }
    connected = link->connected && !link->gone;
    pthread_mutex_unlock(&link->lock);
    if (connected && rpcrt__gate_enter(&link->gate)) {
        (void)nng_pipe_close(link->pipe);
        rpcrt__gate_leave(&link->gate);
    }
}

static void
pipe_came(struct rpcrt__client_link *link, nng_pipe pipe)
{
    bool refused;
    pthread_mutex_lock(&link->lock);
    refused = link->connected || link->cut;
    if (!refused) {
        link->connected = true;
        link->pipe = pipe;
    }
    pthread_mutex_unlock(&link->lock);
    if (refused) {
        (void)nng_pipe_close(pipe);
    }
}

static void
pipe_went(struct rpcrt__client_link *link, nng_pipe pipe)
{
    struct rpcrt__error why;
    bool tell = false;
    pthread_mutex_lock(&link->lock);
    if (link->connected && nng_pipe_id(link->pipe) == nng_pipe_id(pipe)) {
        link->gone = true;
        if (!link->blamed) {
            link->blamed = true;
            (void)rpcrt__error_set(&link->why, RPCRT_UNAVAILABLE,
                                   "connection to %s: lost", link->address);
        }
        tell = link->state == UP && !rpcrt__gate_closed(&link->gate);
        if (link->state == UP) {
            link->state = DOWN;
        }
        why = link->why;
    }
    pthread_mutex_unlock(&link->lock);
    if (tell) {
        link->events.on_down(link->arg, &why);
    }
}

static void
pipe_event(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    if (event == NNG_PIPE_EV_ADD_PRE) {
        pipe_came(arg, pipe);
    } else {
        pipe_went(arg, pipe);
    }
}

static void
tls_failed(void *arg, const char *peer, const char *reason)
{
    struct rpcrt__client_link *link = arg;
    (void)peer;
    pthread_mutex_lock(&link->lock);
    (void)snprintf(link->tls_reason, sizeof(link->tls_reason), "%s", reason);
    pthread_mutex_unlock(&link->lock);
}

/* -- exchanges ------------------------------------------------------------- */

static void
slot_done(void *arg)
{
    struct slot *slot = arg;
    struct rpcrt__client_link *link = slot->link;
    int rv = nng_aio_result(slot->aio);
    nng_msg *msg = rpcrt__aio_take_msg(slot->aio);
    if (rv == 0 && !slot->waiting) {
        slot->waiting = true;
        if (rpcrt__gate_enter(&link->gate)) {
            nng_ctx_recv(slot->ctx, slot->aio);
            rpcrt__gate_leave(&link->gate);
        }
        return;
    }
    if (rv == 0 && nng_msg_len(msg) > link->message_size_max) {
        rv = NNG_EMSGSIZE; /* inproc does not check it */
    }
    if (rv != 0) {
        nng_msg_free(msg);
        link_fail(link, rv);
        return;
    }
    if (rpcrt__gate_closed(&link->gate)) {
        nng_msg_free(msg);
        return;
    }
    link->events.on_reply(link->arg, slot->number, rpcrt__msg_from_nng(msg));
}

void
rpcrt__client_link_send(struct rpcrt__client_link *link, unsigned slot,
                        struct rpcrt__msg *msg)
{
    struct slot *used = &link->slots[slot];
    if (!rpcrt__gate_enter(&link->gate)) {
        rpcrt__msg_free(msg);
        return;
    }
    used->waiting = false;
    nng_aio_set_msg(used->aio, rpcrt__msg_to_nng(msg));
    nng_ctx_send(used->ctx, used->aio);
    rpcrt__gate_leave(&link->gate);
}

/* -- life ------------------------------------------------------------------ */

static int
socket_open(struct rpcrt__client_link *link)
{
    int rv = nng_req0_open(&link->socket);
    if (rv != 0) {
        link->socket.id = 0;
        return rv;
    }
    /* Before any context is opened: they copy the resend time. */
    if ((rv = nng_socket_set_ms(link->socket, NNG_OPT_REQ_RESENDTIME,
                                NNG_DURATION_INFINITE)) != 0 ||
        (rv = nng_socket_set_ms(link->socket, NNG_OPT_RECONNMINT,
                                NO_REDIAL_MS)) != 0 ||
        (rv = nng_socket_set_int(link->socket, NNG_OPT_MAXTTL, 1)) != 0 ||
        (rv = nng_socket_set_size(link->socket, NNG_OPT_RECVMAXSZ,
                                  link->message_size_max + HEADER_SIZE_MAX)) !=
            0 ||
        (rv = nng_pipe_notify(link->socket, NNG_PIPE_EV_ADD_PRE, pipe_event,
                              link)) != 0 ||
        (rv = nng_pipe_notify(link->socket, NNG_PIPE_EV_REM_POST, pipe_event,
                              link)) != 0) {
        return rv;
    }
    for (unsigned i = 0; i < link->slots_count; i++) {
        struct slot *slot = &link->slots[i];
        slot->link = link;
        slot->number = i;
        if ((rv = nng_aio_alloc(&slot->aio, slot_done, slot)) != 0) {
            slot->aio = NULL;
            return rv;
        }
        if ((rv = nng_ctx_open(&slot->ctx, link->socket)) != 0) {
            return rv;
        }
        slot->open = true;
    }
    rv = nng_dialer_create(&link->dialer, link->socket, link->address);
    if (rv == 0 && link->tls != NULL) {
        rv = nng_dialer_set_ptr(link->dialer, NNG_OPT_TLS_CONFIG,
                                rpcrt__tls_end_config(link->tls));
    }
    return rv;
}

/* Before the dialer, which asks for the engine. */
static enum rpcrt_code
tls_prepare(struct rpcrt__client_link *link,
            const struct rpcrt__client_link_options *options,
            const struct rpcrt__address *address,
            struct rpcrt__error *ret_error)
{
    struct rpcrt__tls_end_options end = {
        .identity = options->tls,
        .server_name =
            options->server_name != NULL ? options->server_name : address->host,
        .report = tls_failed,
        .arg = link,
    };
    if (options->tls == NULL) {
        return RPCRT_OK;
    }
    return rpcrt__tls_end_new(&end, ret_error, &link->tls);
}

enum rpcrt_code
rpcrt__client_link_new(const struct rpcrt__client_link_options *options,
                       const struct rpcrt__client_link_events *events,
                       void *arg, struct rpcrt__error *ret_error,
                       struct rpcrt__client_link **ret_link)
{
    struct rpcrt__client_link *link = NULL;
    struct rpcrt__address address;
    enum rpcrt_code code;
    int rv;
    code = rpcrt__address_check(options->address, options->tls != NULL, false,
                                ret_error);
    if (code != RPCRT_OK) {
        return code;
    }
    (void)rpcrt__address_parse(options->address, false, ret_error, &address);
    link =
        rpcrt__calloc(1, sizeof(*link) + options->slots * sizeof(struct slot));
    if (link == NULL) {
        return rpcrt__nng_error(ret_error, NNG_ENOMEM, "connect",
                                options->address);
    }
    link->events = *events;
    link->arg = arg;
    link->message_size_max = options->message_size_max;
    link->slots_count = options->slots;
    (void)snprintf(link->address, sizeof(link->address), "%s",
                   options->address);
    if (!rpcrt__gate_init(&link->gate)) {
        rpcrt__free(link);
        return rpcrt__nng_error(ret_error, NNG_ENOMEM, "connect",
                                options->address);
    }
    (void)pthread_mutex_init(&link->lock, NULL);
    code = tls_prepare(link, options, &address, ret_error);
    if (code == RPCRT_OK && (rv = socket_open(link)) != 0) {
        code = rpcrt__nng_error(ret_error, rv, "connect", link->address);
    }
    if (code != RPCRT_OK) {
        rpcrt__client_link_free(link);
        return code;
    }
    *ret_link = link;
    return RPCRT_OK;
}

/* What came of dialing; under no lock. */
static enum rpcrt_code
dial_end(struct rpcrt__client_link *link, int rv,
         struct rpcrt__error *ret_error)
{
    enum rpcrt_code code = RPCRT_OK;
    pthread_mutex_lock(&link->lock);
    if (rv == 0 && link->connected && !link->gone && !link->cut) {
        link->state = UP;
    } else {
        link->state = DOWN;
        if (link->cut) {
            rv = NNG_ECANCELED;
        } else if (rv == 0 || rv == NNG_ECLOSED) {
            rv = NNG_ECONNSHUT;
        }
        if (rv != NNG_ECANCELED && link->tls_reason[0] != '\0') {
            code =
                rpcrt__error_set(ret_error, RPCRT_UNAVAILABLE, "connect %s: %s",
                                 link->address, link->tls_reason);
        } else {
            code = rpcrt__nng_error(ret_error, rv, "connect", link->address);
        }
    }
    pthread_mutex_unlock(&link->lock);
    return code;
}

enum rpcrt_code
rpcrt__client_link_dial(struct rpcrt__client_link *link,
                        struct rpcrt__error *ret_error)
{
    bool cut;
    int rv = NNG_ECANCELED;
    pthread_mutex_lock(&link->lock);
    link->state = DIALING;
    cut = link->cut;
    pthread_mutex_unlock(&link->lock);
    if (!cut && rpcrt__gate_enter(&link->gate)) {
        rv = nng_dialer_start(link->dialer, 0);
        rpcrt__gate_leave(&link->gate);
    }
    return dial_end(link, rv, ret_error);
}

void
rpcrt__client_link_cut(struct rpcrt__client_link *link)
{
    enum state state;
    bool first;
    if (!rpcrt__gate_enter(&link->gate)) {
        return;
    }
    pthread_mutex_lock(&link->lock);
    state = link->state;
    first = !link->cut;
    link->cut = true;
    if (!link->blamed) {
        link->blamed = true;
        (void)rpcrt__nng_error(&link->why, NNG_ECLOSED, "connection to",
                               link->address);
    }
    pthread_mutex_unlock(&link->lock);
    /* Closing the dialer is the one way to end its dial. Closing it beside the
     * socket is what nng can't do: the gate keeps them apart. */
    if (state == DIALING && first) {
        (void)nng_dialer_close(link->dialer);
    } else if (state == UP) {
        (void)nng_pipe_close(link->pipe);
    }
    rpcrt__gate_leave(&link->gate);
}

void
rpcrt__client_link_free(struct rpcrt__client_link *link)
{
    if (link == NULL) {
        return;
    }
    rpcrt__gate_close(&link->gate);
    /* Aios before contexts: nng may be about to complete one, and until it has,
     * stopping the aio looks at its context. */
    for (unsigned i = 0; i < link->slots_count; i++) {
        if (link->slots[i].aio != NULL) {
            nng_aio_stop(link->slots[i].aio);
        }
    }
    for (unsigned i = 0; i < link->slots_count; i++) {
        if (link->slots[i].open) {
            (void)nng_ctx_close(link->slots[i].ctx);
        }
    }
    if (link->socket.id != 0) {
        (void)nng_close(link->socket);
    }
    for (unsigned i = 0; i < link->slots_count; i++) {
        if (link->slots[i].aio != NULL) {
            nng_msg_free(rpcrt__aio_take_msg(link->slots[i].aio));
            nng_aio_free(link->slots[i].aio);
        }
    }
    rpcrt__tls_end_free(link->tls);
    (void)pthread_mutex_destroy(&link->lock);
    rpcrt__gate_fini(&link->gate);
    rpcrt__free(link);
}
