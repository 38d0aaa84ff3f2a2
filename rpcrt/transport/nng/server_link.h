/*
 * The inside of a server link, for its two halves: server_link.c (slots and
 * life) and listen.c (listeners and peers).
 */
#ifndef RPCRT_TRANSPORT_NNG_SERVER_LINK_H
#define RPCRT_TRANSPORT_NNG_SERVER_LINK_H

#include "transport/nng/link_nng.h"
#include "transport/nng/peers.h"
#include "transport/nng/tls.h"

struct rpcrt__server_slot {
    struct rpcrt__server_link *link;
    unsigned number;
    bool sending;  /* what the aio does; else it receives, or is at rest */
    uint32_t peer; /* of the request held */
    nng_ctx ctx;
    nng_aio *aio;
};

struct rpcrt__server_listener {
    struct rpcrt__server_listener *next;
    struct rpcrt__server_link *link;
    nng_listener listener;
    struct rpcrt__tls_end *tls;
    char address[RPCRT_ADDRESS_SIZE];
};

struct rpcrt__server_link {
    struct rpcrt__server_link_events events;
    void *arg;
    size_t message_size_max;
    unsigned receiving_min;
    unsigned slots_max;
    nng_socket socket;
    struct rpcrt__gate gate;

    atomic_uint receiving;
    pthread_mutex_t growing; /* of the two that follow */
    unsigned slots_count;
    struct rpcrt__server_slot **slots; /* place for slots_max; an entry is set
                                          before its number is told */

    pthread_mutex_t lock; /* of the rest */
    struct rpcrt__peers peers;
    struct rpcrt__server_listener *listeners;
};

/* Open slots until receiving_min receive or slots_max are open; 0, or an error
 * of nng. */
int rpcrt__server_link_grow(struct rpcrt__server_link *link);

/* A connection comes or goes: for nng_pipe_notify(). */
void rpcrt__server_link_pipe_event(nng_pipe pipe, nng_pipe_ev event, void *arg);

void rpcrt__server_link_listeners_free(struct rpcrt__server_link *link);

#endif
