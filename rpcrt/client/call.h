/*
 * Inside of a call: what its user set, and the use that runs. From start to end
 * of a use the channel's lock guards it; the rest of the time its owner does.
 */
#ifndef RPCRT_CLIENT_CALL_H
#define RPCRT_CLIENT_CALL_H

#include "client/channel.h"
#include "client/retry.h"
#include "core/arena.h"
#include "core/idmap.h"
#include "core/lineage.h"
#include "core/metadata.h"
#include "core/slots.h"
#include <rpcrt/gen.h>
#include <rpcrt/trace.h>
#include <semaphore.h>

enum rpcrt__call_state {
    RPCRT__CALL_IDLE,    /* not started, or over */
    RPCRT__CALL_WAITING, /* for a connection */
    RPCRT__CALL_SENDING, /* on a connection, not all of it composed */
    RPCRT__CALL_SENT
};

/* Of the thread that waits for a use without a completion. */
enum rpcrt__blocked { RPCRT__AWAKE, RPCRT__ASLEEP, RPCRT__OVER };

/* Of a call in its completion queue. */
enum rpcrt__place {
    RPCRT__PLACE_RUNNING,
    RPCRT__PLACE_LEAVING, /* runs, and is being freed */
    RPCRT__PLACE_ENDED
};

struct rpcrt__call_stream;

struct rpcrt_call {
    struct rpcrt_channel *channel;
    uint32_t timeout_ms;
    bool wait_for_ready;
    bool wait_chosen; /* by the caller, over the service config */
    struct rpcrt_ctx *parent;
    struct rpcrt__metadata metadata; /* on the heap: outlives a use */
    bool call_id_inherited;          /* "call-id" in it is the parent's */

    enum rpcrt__call_state state;
    bool freeing;                     /* is not to be started again */
    atomic_bool undelivered;          /* with a completion, not yet told */
    struct rpcrt__delivery *delivery; /* while it is undelivered */
    struct rpcrt__list live;          /* in channel->calls */
    struct rpcrt__list queue;         /* waiting, in a send queue, or ended */
    struct rpcrt__idnode by_id;       /* in connection->calls once composed */
    struct rpcrt__connection *connection;
    uint64_t endpoint;             /* the number of the last one; 0: none yet */
    char peer[RPCRT_ADDRESS_SIZE]; /* its address */
    uint64_t avoid; /* an endpoint that is taken only if it is the only one */
    struct rpcrt__child child;
    bool is_child;    /* the parent knows of this use */
    bool parent_gone; /* cancelled before the channel had the call */
    const struct rpcrt_method *method;
    uint64_t method_session; /* the connection that method_id is good for */
    uint16_t method_id;
    const struct rpcrt__config_method *config; /* of that method: */
    const struct rpcrt_method *configured_method;
    uint32_t request_size_max; /* of a message of a stream, too */
    size_t reply_size_max;
    uint64_t deadline_ns;
    struct rpcrt__attempts attempts;
    uint64_t started_ns;
    uint64_t ended_ns;
    bool composed;    /* some of it may have left */
    bool refused;     /* the server says that it was not executed */
    unsigned n_begun; /* of the channel's interceptors */
    struct rpcrt__slot *slots;

    struct rpcrt_trace trace; /* that the caller set */
    char *trace_state;
    bool traced;
    struct rpcrt_trace span; /* of this use */
    bool has_span;
    bool trace_carried; /* metadata has what the runtime put there */

    struct rpcrt__arena arena; /* request bytes, reply bytes, reply */
    uint8_t *out;              /* metadata, then the message */
    uint32_t out_size;
    uint32_t out_metadata_size;
    uint32_t out_sent;
    uint16_t n_out_metadata;

    uint8_t *reply;
    uint32_t reply_size;
    uint32_t reply_got;
    bool reply_open; /* its size is known */
    ProtobufCMessage *reply_message;

    struct rpcrt__error outcome;
    enum rpcrt_origin origin;
    bool may_have_run;
    const uint8_t *details;
    size_t details_size;
    bool headers_came;
    struct rpcrt__metadata reply_headers;
    struct rpcrt__metadata reply_metadata;

    bool streaming;                    /* this use, and `stream` is there */
    struct rpcrt__call_stream *stream; /* of this use or an earlier one */
    rpcrt_event_fn *on_event;
    void *event_arg;
    struct rpcrt__list event_node; /* in channel->events */
    bool telling;                  /* a thread is in on_event() */
    pthread_t teller;
    bool tell_again;

    _Atomic(rpcrt_done_fn *) done; /* NULL: a thread waits for the use, or
                                      will */
    void *done_arg;
    atomic_int blocked; /* enum rpcrt__blocked */
    sem_t over;

    void *tag;
    _Atomic(struct rpcrt_queue *) completion_queue; /* NULL: in none */
    struct rpcrt__list place_node; /* the rest by the queue's lock */
    enum rpcrt__place place;
};

/* Whether the handler may have run in the attempt that ends with this origin.
 * [locked] */
static inline bool
rpcrt__call_may_run(const struct rpcrt_call *call, enum rpcrt_origin origin)
{
    return !call->refused &&
           (origin == RPCRT_ORIGIN_HANDLER ||
            (call->composed && call->out_sent == call->out_size));
}

/* End the use that runs: take it from every list, keep the outcome (whose text
 * the caller has set), and add it to what is to be delivered; unless there is
 * another attempt. [locked] */
void rpcrt__call_end(struct rpcrt_call *call, enum rpcrt_code code,
                     enum rpcrt_origin origin,
                     struct rpcrt__delivery *delivery);

/* The same, whatever a policy says. [locked] */
void rpcrt__call_end_now(struct rpcrt_call *call, enum rpcrt_code code,
                         enum rpcrt_origin origin,
                         struct rpcrt__delivery *delivery);

/* The same with a text. [locked] */
void rpcrt__call_fail(struct rpcrt_call *call, enum rpcrt_code code,
                      enum rpcrt_origin origin,
                      struct rpcrt__delivery *delivery, const char *format, ...)
    RPCRT_PRINTF(5, 6);

/* Tell the owner that the use is over; the call may be gone on return. */
void rpcrt__call_deliver(struct rpcrt_call *call,
                         struct rpcrt__delivery *delivery);

/* Whether a use with a completion runs, or its completion does on another
 * thread. [locked] */
bool rpcrt__call_in_delivery(const struct rpcrt_call *call);

/* Put the trace that the call is a part of into its metadata; what is not OK is
 * the outcome. */
enum rpcrt_code rpcrt__call_carry_trace(struct rpcrt_call *call);

/* Wait for the end of a use without a completion; false when the time is over.
 * At once if there was none. */
bool rpcrt__call_wait_over(struct rpcrt_call *call, uint64_t end_ns);

#endif
