/*
 * One connection of a channel: a session of the native protocol over a client
 * link. It composes messages from calls and takes replies apart. It is made
 * and freed by its endpoint's thread; everything else is [locked].
 */
#ifndef RPCRT_CLIENT_CONNECTION_H
#define RPCRT_CLIENT_CONNECTION_H

#include "client/call.h"
#include "client/endpoint.h"
#include "wire/credits.h"
#include "wire/native.h"

enum rpcrt__connection_state {
    RPCRT__CONNECTION_DIALING,
    RPCRT__CONNECTION_HELLO, /* waits for the server's first message */
    RPCRT__CONNECTION_UP,
    RPCRT__CONNECTION_DRAINING, /* takes no new calls */
    RPCRT__CONNECTION_DEAD
};

struct rpcrt__connection {
    struct rpcrt__list node; /* in channel->connections or endpoint->dead */
    struct rpcrt_channel *channel;
    struct rpcrt__endpoint *endpoint;
    struct rpcrt__client_link *link;
    enum rpcrt__connection_state state;
    pthread_cond_t settled;    /* HELLO is over */
    struct rpcrt__error error; /* why it is dead or draining */
    bool blamed; /* its loss has been counted against the endpoint */
    uint64_t session;
    uint64_t instance;         /* of the server, by its HELLO */
    uint32_t message_size_max; /* the server's */
    uint32_t stream_window;    /* that it gives each stream */
    struct rpcrt__client_credits credits;
    struct rpcrt__reorder replies;

    struct rpcrt__idmap calls; /* composed, not ended */
    size_t n_calls;            /* sending or sent */
    uint64_t next_call;
    struct rpcrt__list sending;
    uint64_t *cancels; /* to be sent; room for every call that is open */
    size_t n_cancels;
    size_t cancels_room;
    bool ping_due;
    bool pong_due;
    bool useful;     /* a call was answered */
    uint64_t gap_ns; /* since when a reply is missing; 0: none is */
    uint64_t up_ns;  /* since when it takes calls */
    uint64_t heard_ns;
    uint64_t pinged_ns;                  /* 0: no answer is owed */
    const struct rpcrt_method **methods; /* numbered by the order of use */
    size_t n_methods;
};

/* Prepare a connection. */
enum rpcrt_code
rpcrt__connection_new(struct rpcrt__endpoint *endpoint,
                      struct rpcrt__error *ret_error,
                      struct rpcrt__connection **ret_connection);

/* Dial and exchange the first messages; blocks; without the lock. */
enum rpcrt_code rpcrt__connection_open(struct rpcrt__connection *connection,
                                       struct rpcrt__error *ret_error);

/* Free it, when no call is on it; waits for callbacks; without the lock. */
void rpcrt__connection_free(struct rpcrt__connection *connection);

/* Take a call over. False, and the call untouched, when there is no memory. */
bool rpcrt__connection_add(struct rpcrt__connection *connection,
                           struct rpcrt_call *call);

/* Let go of a call that ends; the server is told if it does not know. */
void rpcrt__connection_remove(struct rpcrt__connection *connection,
                              struct rpcrt_call *call, bool tell);

/* Let go of a call of which nothing was composed: it waits again. */
void rpcrt__connection_let_go(struct rpcrt__connection *connection,
                              struct rpcrt_call *call);

/* Send what waits for as long as a slot is free. */
void rpcrt__connection_pump(struct rpcrt__connection *connection);

/* It is over: calls that were composed end, the others wait for the next
 * connection. Nothing if it is dead already. */
void rpcrt__connection_kill(struct rpcrt__connection *connection,
                            const struct rpcrt__error *why,
                            struct rpcrt__delivery *delivery);

/* Look after signs of life; returns when to look again. */
uint64_t rpcrt__connection_tick(struct rpcrt__connection *connection,
                                uint64_t now_ns,
                                struct rpcrt__delivery *delivery);

/* Parts of connection.c that stand in files of their own. */

/* How large the next message can become at the most. */
size_t rpcrt__connection_estimate(const struct rpcrt__connection *connection);

/* Fill the body of a message behind the place of its header with what waits;
 * returns its size. */
size_t rpcrt__connection_compose(struct rpcrt__connection *connection,
                                 uint8_t *body, size_t size);
bool rpcrt__connection_has_frames(const struct rpcrt__connection *connection);
enum rpcrt_code rpcrt__connection_receive(struct rpcrt__connection *connection,
                                          const uint8_t *bytes, size_t size,
                                          struct rpcrt__delivery *delivery,
                                          struct rpcrt__error *ret_error);

#endif
