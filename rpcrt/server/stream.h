/*
 * What a served call has in addition when its client or the server streams:
 * messages between the session's frames and a handler that may wait for them.
 * The session's lock guards it but for the arena, which belongs to the thread
 * that receives.
 */
#ifndef RPCRT_SERVER_STREAM_H
#define RPCRT_SERVER_STREAM_H

#include "server/ctx.h"
#include "wire/flow.h"

struct rpcrt__stream {
    struct rpcrt_ctx *ctx;
    struct rpcrt__inflow in;
    struct rpcrt__outflow out;
    pthread_cond_t changed; /* what a handler may wait for */
    unsigned n_waiting;
    struct rpcrt__error failure; /* why the handler can't go on; OK: it can */
    struct rpcrt__arena arena;   /* of the message that the handler reads */
    struct rpcrt__notice on_room;
    struct rpcrt__task room_task; /* calls it */
    bool room_again;              /* more came while it ran */
    bool counted;                 /* in server->n_streams */
    size_t charged;               /* of the session's byte budget */
    size_t received;              /* bytes of all messages */
    size_t sent;
};

/* Give a call a stream if its method has one. RESOURCE_EXHAUSTED without
 * memory. */
RPCRT_MUST_CHECK enum rpcrt_code rpcrt__stream_new(struct rpcrt_ctx *ctx);

/* NULL does nothing. */
void rpcrt__stream_free(struct rpcrt__stream *stream);

/* -- [session's lock] ------------------------------------------------------ */

/* A DATA frame of a client that streams. What it does wrong towards the session
 * is the error; what is too much for the call ends that. */
RPCRT_MUST_CHECK enum rpcrt_code rpcrt__stream_data(
    struct rpcrt__stream *stream, const struct rpcrt__frame *frame,
    struct rpcrt__ctx_notices *notices, struct rpcrt__error *ret_error);

/* A WINDOW frame. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__stream_grant(struct rpcrt__stream *stream, uint32_t bytes,
                    struct rpcrt__error *ret_error);

/* A frame of messages was written; before that there was `room`. */
void rpcrt__stream_drained(struct rpcrt__stream *stream, size_t room);

/* Count what is buffered towards the session's budget. */
void rpcrt__stream_charge(struct rpcrt__stream *stream);

/* The handler is through: what the client still sends is for nobody. */
void rpcrt__stream_close(struct rpcrt__stream *stream);

/* The session needs the call no more: whoever waits returns. */
void rpcrt__stream_release(struct rpcrt__stream *stream);

#endif
