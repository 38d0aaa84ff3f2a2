/*
 * Inside of a served call. It is born when its CALL frame comes and goes back
 * to the pool when two parties are through with it: the handler (`handled`)
 * and the session (`released`: answered, cancelled, or the client is gone).
 * The session's lock guards both flags and all links.
 */
#ifndef RPCRT_SERVER_CTX_H
#define RPCRT_SERVER_CTX_H

#include "core/arena.h"
#include "core/lineage.h"
#include "core/metadata.h"
#include "core/slots.h"
#include "server/overload.h"
#include "server/server.h"
#include <rpcrt/trace.h>

struct rpcrt__repeat;
struct rpcrt__session;
struct rpcrt__stream;

/* A function of the user's: not concerned, is to be called, is running. A call
 * is not recycled before that is settled. */
enum rpcrt__notice_state {
    RPCRT__NOTICE_NONE,
    RPCRT__NOTICE_PENDING,
    RPCRT__NOTICE_RUNNING
};

struct rpcrt__notice {
    enum rpcrt__notice_state state;
    pthread_t notifier;
    bool *over; /* the notifier's, while it runs */
    void (*fn)(void *arg);
    void *arg;
};

/* The HEADERS frame: can be added to, is to be sent, was sent or is not needed
 * any more. */
enum rpcrt__headers_state {
    RPCRT__HEADERS_OPEN,
    RPCRT__HEADERS_DUE,
    RPCRT__HEADERS_DONE
};

struct rpcrt_ctx {
    struct rpcrt__task task;    /* to be run, or answered */
    struct rpcrt__list pooled;  /* in the server's pool, or to be recycled */
    struct rpcrt__list live;    /* in session->live until released */
    struct rpcrt__list notice;  /* on_cancel is to be called */
    struct rpcrt__list outbox;  /* in session->outbox */
    struct rpcrt__idnode by_id; /* in session->calls until released */
    struct rpcrt_server *server;
    struct rpcrt__session *session; /* holds a reference */
    struct rpcrt__served *served;
    struct rpcrt__arena arena;
    struct rpcrt__parent parent; /* knows the deadline, and whether the call is
                                    cancelled */
    struct rpcrt__metadata metadata;       /* received */
    struct rpcrt__metadata headers;        /* to be sent before the reply */
    struct rpcrt__metadata reply_metadata; /* and at the end: trailers */
    enum rpcrt__headers_state headers_state;
    struct rpcrt__stream *stream; /* NULL: one message either way */
    uint64_t started_ns;
    uint64_t complete_by_ns; /* when the whole request must be here */

    uint8_t *request;
    uint32_t request_size;
    uint32_t request_got;
    ProtobufCMessage *reply;
    bool refused;     /* the handler was never called */
    unsigned n_begun; /* of the server's interceptors */
    bool governed;    /* counts as running under overload control */
    uint64_t turn_ns; /* when it began to wait for its turn, then had it */
    struct rpcrt__slot *slots;
    const struct rpcrt_trace *trace; /* of its own, or NULL */
    struct rpcrt__repeat *repeat;    /* NULL: has no idempotency key */

    bool handled;
    bool released;
    struct rpcrt__notice on_cancel;
    size_t charged; /* of the session's byte budget */

    struct rpcrt__error outcome;
    enum rpcrt_origin origin;
    const uint8_t *details;
    size_t details_size;
    uint8_t *out; /* the reply, serialized */
    uint32_t out_size;
    uint32_t out_sent;
    bool out_started;
    bool answered;   /* what follows is the end of the answer */
    uint8_t *status; /* payload of STATUS; NULL: OK without metadata */
    uint32_t status_size;
    char call_id[68];
};

/* When the call ends if nothing happens: its deadline, or earlier if its
 * request stays incomplete. */
static inline uint64_t
rpcrt__ctx_due_ns(const struct rpcrt_ctx *ctx)
{
    return ctx->complete_by_ns < ctx->parent.deadline_ns
               ? ctx->complete_by_ns
               : ctx->parent.deadline_ns;
}

static inline bool
rpcrt__ctx_client_streams(const struct rpcrt_ctx *ctx)
{
    return (ctx->served->method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0;
}

static inline bool
rpcrt__ctx_server_streams(const struct rpcrt_ctx *ctx)
{
    return (ctx->served->method->flags & RPCRT_METHOD_SERVER_STREAMING) != 0;
}

static inline bool
rpcrt__ctx_streams(const struct rpcrt_ctx *ctx)
{
    return rpcrt__ctx_client_streams(ctx) || rpcrt__ctx_server_streams(ctx);
}

/* Take a context from the pool, or make one; NULL without memory. */
struct rpcrt_ctx *rpcrt__ctx_take(struct rpcrt__session *session);

/* Free what the pool holds. */
void rpcrt__ctx_pool_free(struct rpcrt_server *server);

/* Unpack the request and run the handler; then the answer is serialized, and
 * true returned. False: the handler answers later, or has. Without a lock. */
bool rpcrt__ctx_run(struct rpcrt_ctx *ctx);

/* The same as a task of the executor, answer and all. */
void rpcrt__ctx_task(struct rpcrt__task *task);

/* Serialize outcome and reply. Without a lock. */
void rpcrt__ctx_serialize(struct rpcrt_ctx *ctx, enum rpcrt_code code);

/* The same when both are serialized already. */
void rpcrt__ctx_serialized(struct rpcrt_ctx *ctx);

/* Calls that were cancelled under a session's lock are told behind it. */
struct rpcrt__ctx_notices {
    struct rpcrt__list recycle; /* by ctx->pooled */
    struct rpcrt__list notify;  /* by ctx->notice */
};
void rpcrt__ctx_notices_init(struct rpcrt__ctx_notices *notices);

/* The session needs the call no more; `cancelled` if nobody wants its answer.
 * [session's lock] */
void rpcrt__ctx_release(struct rpcrt_ctx *ctx, bool cancelled,
                        struct rpcrt__ctx_notices *notices);

/* Nobody waits any more for a call that went on when it was released.
 * [session's lock] */
void rpcrt__ctx_abandon(struct rpcrt_ctx *ctx,
                        struct rpcrt__ctx_notices *notices);

/* The handler is through, or will never run. [session's lock] */
void rpcrt__ctx_handled(struct rpcrt_ctx *ctx,
                        struct rpcrt__ctx_notices *notices);

/* No headers can be added any more; those that there are have to be sent.
 * [session's lock] */
void rpcrt__ctx_close_headers(struct rpcrt_ctx *ctx);

/* Wait while a notice runs on another thread. [session's lock, given up
 * meanwhile] */
void rpcrt__notice_await(struct rpcrt__session *session,
                         struct rpcrt__notice *notice);

/* The same for all notices of a call. */
void rpcrt__ctx_await_notices(struct rpcrt_ctx *ctx);

/* Call on_room of a stream; a task of the executor. */
void rpcrt__ctx_room_task(struct rpcrt__task *task);

/* -- frames, in server/frames.c; [session's lock] -------------------------- */

/* Whether the call has something to send now. */
bool rpcrt__ctx_has_frame(const struct rpcrt_ctx *ctx);

/* Write the next frame of a call that has one; returns where it ends, or NULL
 * if it is not worth the room. ret_last: it ends the call. */
uint8_t *rpcrt__ctx_put_frame(struct rpcrt_ctx *ctx, uint8_t *at,
                              const uint8_t *end, bool *ret_last);

/* Bytes that all that can be sent now may take. */
size_t rpcrt__ctx_frames_size(const struct rpcrt_ctx *ctx);

/* Tell handlers, recycle the rest. Without a lock. */
void rpcrt__ctx_notices_run(struct rpcrt__ctx_notices *notices);

#endif
