/*
 * One direction of a stream: messages between a user and the frames of a call,
 * and the window that keeps a fast sender from filling a slow receiver. No I/O,
 * no lock: whoever has the call guards it.
 *
 * The window counts bytes of messages, and RPCRT__MESSAGE_COST for each. A
 * message may be begun while the window is above 0, and is then sent whole,
 * which can take the window below 0; so a message larger than the window gets
 * through, and a receiver holds no more than the window and one message. What
 * the receiver's user has taken is granted anew by WINDOW frames.
 */
#ifndef RPCRT_WIRE_FLOW_H
#define RPCRT_WIRE_FLOW_H

#include "core/error.h"
#include "core/list.h"
#include "wire/native.h"

#define RPCRT__MESSAGE_COST 32u
/* No window ever grows beyond that. */
#define RPCRT__WINDOW_MAX INT32_MAX

/* A message in the queue of either direction. */
struct rpcrt__piece {
    struct rpcrt__list node;
    uint32_t size;
    uint32_t done; /* bytes sent, or received */
    bool begun;    /* its START has been sent */
    uint8_t bytes[];
};

/* Make one; NULL without memory. Free with rpcrt__free(). */
struct rpcrt__piece *rpcrt__piece_new(uint32_t size);

/* -- sending --------------------------------------------------------------- */

struct rpcrt__outflow {
    struct rpcrt__list pieces; /* the first may be partly sent */
    int64_t window;
    size_t queued;     /* cost of what is left of all pieces */
    size_t queued_max; /* above that the user waits */
    bool closed;       /* no more messages */
    bool end_sent;     /* and the other side knows */
};

void rpcrt__outflow_init(struct rpcrt__outflow *flow, uint32_t window,
                         size_t queued_max);
/* Free what is queued. */
void rpcrt__outflow_fini(struct rpcrt__outflow *flow);

/* Queue a message; the flow owns it from here on. */
void rpcrt__outflow_add(struct rpcrt__outflow *flow,
                        struct rpcrt__piece *piece);

/* Bytes that the user may queue without waiting. */
size_t rpcrt__outflow_room(const struct rpcrt__outflow *flow);

/* The other side grants bytes. INVALID_ARGUMENT for more than can be. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__outflow_grant(struct rpcrt__outflow *flow, uint32_t bytes,
                     struct rpcrt__error *ret_error);

/* Whether a frame of a message can be sent. An END that is due counts if
 * `with_end`: a client's; a server's stream ends with its status. */
bool rpcrt__outflow_ready(const struct rpcrt__outflow *flow, bool with_end);

/* Write the next DATA frame of a flow that is ready; returns where it ends, or
 * NULL if it is not worth the room. The last one has END if `with_end`. */
uint8_t *rpcrt__outflow_put(struct rpcrt__outflow *flow, uint64_t call,
                            bool with_end, uint8_t *at, const uint8_t *end);

/* -- receiving ------------------------------------------------------------- */

struct rpcrt__inflow {
    struct rpcrt__list pieces;    /* whole messages, oldest first */
    struct rpcrt__piece *partial; /* or NULL */
    size_t buffered;              /* cost of both */
    uint32_t window;              /* at the start */
    int64_t left;                 /* of it, as the sender must see it */
    uint32_t owed;                /* taken by the user, not granted yet */
    bool ended;
};

void rpcrt__inflow_init(struct rpcrt__inflow *flow, uint32_t window);
/* Free what is queued. */
void rpcrt__inflow_fini(struct rpcrt__inflow *flow);

/* Take a DATA frame in. RESOURCE_EXHAUSTED ends the call: a message above
 * size_max, or no memory. INVALID_ARGUMENT ends the session: a message that
 * begins inside of another, beyond the window or behind the end, has more bytes
 * than announced, or less when the end comes. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__inflow_data(struct rpcrt__inflow *flow, const struct rpcrt__frame *frame,
                   size_t size_max, struct rpcrt__error *ret_error);

/* Give the oldest whole message to the user, who frees it; NULL if there is
 * none. */
struct rpcrt__piece *rpcrt__inflow_take(struct rpcrt__inflow *flow);

/* Whether a grant is worth a frame. */
bool rpcrt__inflow_owes(const struct rpcrt__inflow *flow);

/* Write a WINDOW frame of all that is owed; NULL if there is no room. */
uint8_t *rpcrt__inflow_put_grant(struct rpcrt__inflow *flow, uint64_t call,
                                 uint8_t *at, const uint8_t *end);

#endif
