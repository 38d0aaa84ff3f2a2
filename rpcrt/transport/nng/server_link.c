/*
 * A server's end: one REP socket with any number of listeners, and the
 * contexts that receive requests, hold them and send replies. Who listens is
 * listen.c's part.
 *
 * A slot goes RECEIVING -> HELD -> SENDING -> RECEIVING. Its operations follow
 * one another, so nobody else touches it meanwhile; what is shared stands
 * behind the lock or is atomic. A pipe that finds no context receiving is not
 * read, and then nobody sees its end: therefore receiving_min.
 */
#include "transport/nng/server_link.h"
#include "core/alloc.h"
#include <nng/protocol/reqrep0/rep.h>
#include <string.h>

/* What nng puts before a request on the wire, and more than that. */
#define HEADER_SIZE_MAX 64u

/* -- slots ----------------------------------------------------------------- */

static void
slot_receive(struct rpcrt__server_slot *slot)
{
    struct rpcrt__server_link *link = slot->link;
    if (!rpcrt__gate_enter(&link->gate)) {
        return;
    }
    slot->sending = false;
    atomic_fetch_add(&link->receiving, 1);
    nng_ctx_recv(slot->ctx, slot->aio);
    rpcrt__gate_leave(&link->gate);
}

static void
slot_sent(struct rpcrt__server_slot *slot, int rv, nng_msg *msg)
{
    struct rpcrt__server_link *link = slot->link;
    if (rv != 0) {
        nng_msg_free(msg); /* only when it is closed meanwhile */
    }
    if (rpcrt__gate_closed(&link->gate)) {
        return;
    }
    if (rv != 0) {
        /* The peer would wait for its number for ever. */
        rpcrt__server_link_cut(link, slot->peer);
    }
    link->events.on_sent(link->arg, slot->number, slot->peer);
    slot_receive(slot);
}

static void
slot_received(struct rpcrt__server_slot *slot, nng_msg *msg)
{
    struct rpcrt__server_link *link = slot->link;
    uint32_t peer = (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg));
    bool known;
    pthread_mutex_lock(&link->lock);
    known = rpcrt__peers_has(&link->peers, peer);
    pthread_mutex_unlock(&link->lock);
    if (known && nng_msg_len(msg) > link->message_size_max) {
        rpcrt__server_link_cut(link, peer); /* inproc does not check it */
        known = false;
    }
    if (!known) {
        nng_msg_free(msg);
        slot_receive(slot);
        return;
    }
    slot->peer = peer;
    link->events.on_request(link->arg, slot->number, peer,
                            rpcrt__msg_from_nng(msg));
}

static void
slot_done(void *arg)
{
    struct rpcrt__server_slot *slot = arg;
    struct rpcrt__server_link *link = slot->link;
    int rv = nng_aio_result(slot->aio);
    nng_msg *msg = rpcrt__aio_take_msg(slot->aio);
    if (slot->sending) {
        slot_sent(slot, rv, msg);
        return;
    }
    atomic_fetch_sub(&link->receiving, 1);
    if (rpcrt__gate_closed(&link->gate)) {
        nng_msg_free(msg);
        return;
    }
    rpcrt__server_link_grow(link);
    if (rv != 0) {
        slot_receive(slot);
        return;
    }
    slot_received(slot, msg);
}

/* One more slot, receiving; the lock of growing is held. */
static int
slot_open(struct rpcrt__server_link *link)
{
    struct rpcrt__server_slot *slot;
    int rv;
    slot = rpcrt__calloc(1, sizeof(*slot));
    if (slot == NULL) {
        return NNG_ENOMEM;
    }
    slot->link = link;
    slot->number = link->slots_count;
    rv = nng_aio_alloc(&slot->aio, slot_done, slot);
    if (rv != 0) {
        rpcrt__free(slot);
        return rv;
    }
    rv = nng_ctx_open(&slot->ctx, link->socket);
    if (rv != 0) {
        nng_aio_free(slot->aio);
        rpcrt__free(slot);
        return rv;
    }
    link->slots[link->slots_count++] = slot;
    slot_receive(slot);
    return 0;
}

int
rpcrt__server_link_grow(struct rpcrt__server_link *link)
{
    int rv = 0;
    if (atomic_load(&link->receiving) >= link->receiving_min ||
        !rpcrt__gate_enter(&link->gate)) {
        return 0;
    }
    pthread_mutex_lock(&link->growing);
    while (rv == 0 && link->slots_count < link->slots_max &&
           atomic_load(&link->receiving) < link->receiving_min) {
        rv = slot_open(link);
    }
    pthread_mutex_unlock(&link->growing);
    rpcrt__gate_leave(&link->gate);
    return rv;
}

void
rpcrt__server_link_reply(struct rpcrt__server_link *link, unsigned slot,
                         struct rpcrt__msg *msg)
{
    struct rpcrt__server_slot *held = link->slots[slot];
    if (!rpcrt__gate_enter(&link->gate)) {
        rpcrt__msg_free(msg);
        return;
    }
    held->sending = true;
    nng_aio_set_msg(held->aio, rpcrt__msg_to_nng(msg));
    nng_ctx_send(held->ctx, held->aio);
    rpcrt__gate_leave(&link->gate);
}

void
rpcrt__server_link_forget(struct rpcrt__server_link *link, unsigned slot)
{
    /* Receiving makes the context forget what it was to answer. */
    slot_receive(link->slots[slot]);
}

void
rpcrt__server_link_cut(struct rpcrt__server_link *link, uint32_t peer)
{
    nng_pipe pipe = {.id = peer};
    if (rpcrt__gate_enter(&link->gate)) {
        (void)nng_pipe_close(pipe);
        rpcrt__gate_leave(&link->gate);
    }
}

/* -- life ------------------------------------------------------------------ */

static int
socket_open(struct rpcrt__server_link *link)
{
    int rv = nng_rep0_open(&link->socket);
    if (rv != 0) {
        link->socket.id = 0;
        return rv;
    }
    if ((rv = nng_socket_set_int(link->socket, NNG_OPT_MAXTTL, 1)) != 0 ||
        (rv = nng_socket_set_size(link->socket, NNG_OPT_RECVMAXSZ,
                                  link->message_size_max + HEADER_SIZE_MAX)) !=
            0 ||
        (rv = nng_pipe_notify(link->socket, NNG_PIPE_EV_ADD_PRE,
                              rpcrt__server_link_pipe_event, link)) != 0 ||
        (rv = nng_pipe_notify(link->socket, NNG_PIPE_EV_REM_POST,
                              rpcrt__server_link_pipe_event, link)) != 0) {
        return rv;
    }
    return rpcrt__server_link_grow(link);
}

enum rpcrt_code
rpcrt__server_link_new(const struct rpcrt__server_link_options *options,
                       const struct rpcrt__server_link_events *events,
                       void *arg, struct rpcrt__error *ret_error,
                       struct rpcrt__server_link **ret_link)
{
    struct rpcrt__server_link *link;
    int rv = NNG_ENOMEM;
    link = rpcrt__calloc(1, sizeof(*link));
    if (link == NULL || !rpcrt__gate_init(&link->gate)) {
        rpcrt__free(link);
        return rpcrt__nng_error(ret_error, rv, "open", "server link");
    }
    (void)pthread_mutex_init(&link->lock, NULL);
    (void)pthread_mutex_init(&link->growing, NULL);
    link->events = *events;
    link->arg = arg;
    link->message_size_max = options->message_size_max;
    link->receiving_min = options->receiving_min;
    link->slots_max = options->slots_max;
    atomic_init(&link->receiving, 0);
    link->slots = rpcrt__calloc(link->slots_max, sizeof(*link->slots));
    if (link->slots != NULL) {
        rv = socket_open(link);
    }
    if (rv != 0) {
        rpcrt__server_link_free(link);
        return rpcrt__nng_error(ret_error, rv, "open", "server link");
    }
    *ret_link = link;
    return RPCRT_OK;
}

void
rpcrt__server_link_free(struct rpcrt__server_link *link)
{
    if (link == NULL) {
        return;
    }
    rpcrt__gate_close(&link->gate);
    /* Aios before contexts: nng may be about to complete one, and until it has,
     * stopping the aio looks at its context. */
    for (unsigned i = 0; i < link->slots_count; i++) {
        nng_aio_stop(link->slots[i]->aio);
    }
    for (unsigned i = 0; i < link->slots_count; i++) {
        (void)nng_ctx_close(link->slots[i]->ctx);
    }
    if (link->socket.id != 0) {
        (void)nng_close(link->socket);
    }
    for (unsigned i = 0; i < link->slots_count; i++) {
        nng_msg_free(rpcrt__aio_take_msg(link->slots[i]->aio));
        nng_aio_free(link->slots[i]->aio);
        rpcrt__free(link->slots[i]);
    }
    rpcrt__free(link->slots);
    rpcrt__server_link_listeners_free(link);
    rpcrt__peers_fini(&link->peers);
    (void)pthread_mutex_destroy(&link->growing);
    (void)pthread_mutex_destroy(&link->lock);
    rpcrt__gate_fini(&link->gate);
    rpcrt__free(link);
}
