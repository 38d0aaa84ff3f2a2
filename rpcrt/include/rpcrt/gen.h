/*
 * Tables and entry points that generated code uses. Nothing here is for
 * programs; it may change with RPCRT_GEN_VERSION.
 */
#ifndef RPCRT_GEN_H
#define RPCRT_GEN_H

#include <protobuf-c/protobuf-c.h>
#include <rpcrt/call.h>
#include <rpcrt/ctx.h>
#include <rpcrt/server.h>
#include <rpcrt/stream.h>

RPCRT_BEGIN_DECLS

enum rpcrt_method_flags {
    RPCRT_METHOD_NONBLOCKING = 1u << 0,
    RPCRT_METHOD_NO_SIDE_EFFECTS = 1u << 1,
    RPCRT_METHOD_IDEMPOTENT = 1u << 2,
    RPCRT_METHOD_CLIENT_STREAMING = 1u << 3,
    RPCRT_METHOD_SERVER_STREAMING = 1u << 4,
    RPCRT_METHOD_ONCE = 1u << 5 /* carries an idempotency key */
};

/* What (rpcrt.v1.retry) says of a method; 0 is the default of each. */
struct rpcrt_retry_policy {
    uint32_t attempts_max; /* the first one counts */
    uint32_t backoff_ms_min;
    uint32_t backoff_ms_max;
    double backoff_factor;
    uint32_t codes;      /* 1 << code: worth another attempt */
    uint32_t hedging_ms; /* not 0: the next attempt starts after that time
                            while the others still run */
};

/* A field whose value no printer shows. */
struct rpcrt_sensitive_field {
    const ProtobufCMessageDescriptor *message;
    uint32_t number;
};

/* One .proto file: its serialized google.protobuf.FileDescriptorProto. */
struct rpcrt_file {
    const char *name; /* "kv/v1/kv.proto" */
    const uint8_t *descriptor;
    size_t descriptor_size;
    const struct rpcrt_file *const *imports; /* those that were generated */
    size_t n_imports;
    const struct rpcrt_sensitive_field *sensitive;
    size_t n_sensitive;
    const ProtobufCMessageDescriptor *const *messages; /* inner ones too */
    size_t n_messages;
};

struct rpcrt_method {
    const char *path; /* "/kv.v1.Kv/Put" */
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *reply;
    uint32_t flags;                         /* enum rpcrt_method_flags */
    const struct rpcrt_retry_policy *retry; /* NULL: none */
};

struct rpcrt_service {
    const char *name; /* "kv.v1.Kv" */
    const struct rpcrt_method *methods;
    size_t n_methods;
    const struct rpcrt_file *file;
};

/* Calls one member of a service's table; the generated server file has one a
 * method. The request is NULL if the client streams, the reply if the server
 * does. A member that is NULL answers rpcrt_ctx_unimplemented(). */
typedef enum rpcrt_code rpcrt_glue_fn(const void *table, void *self,
                                      struct rpcrt_ctx *ctx,
                                      const ProtobufCMessage *request,
                                      ProtobufCMessage *reply);

/**
 * Serve a service. Before listening.
 *
 * glue     one function a method, in the order of service->methods; kept
 * table    the struct of handlers; kept
 * Returns  OK; ALREADY_EXISTS if the name is served; FAILED_PRECONDITION once
 *          the server listens; RESOURCE_EXHAUSTED.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_server_add(struct rpcrt_server *server,
                 const struct rpcrt_service *service,
                 rpcrt_glue_fn *const *glue, const void *table, void *self);

/** Service i that the server offers, from 0, in the order of adding; NULL
 * behind the last. Not while one is being added. */
RPCRT_API const struct rpcrt_service *
rpcrt_server_service(const struct rpcrt_server *server, size_t i);

/** UNIMPLEMENTED with a text that names the method. */
RPCRT_API enum rpcrt_code rpcrt_ctx_unimplemented(struct rpcrt_ctx *ctx);

/** Told that a started call is over; on a thread of the runtime, or on the one
 * that cancels or frees the call or closes the channel. It must not block, but
 * may take the reply, and start or free the call. A call that is being freed,
 * or whose channel is, does not start again. */
typedef void rpcrt_done_fn(struct rpcrt_call *call, void *arg);

/** Make the call and wait for its end. The reply is borrowed from the call
 * until its next use. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_unary(struct rpcrt_call *call, const struct rpcrt_method *method,
                 const ProtobufCMessage *request,
                 const ProtobufCMessage **ret_reply);

/** Start the call; done is told of its end, also if it could not be sent; but
 * see rpcrt_done_fn for what is being freed. With NULL for done nobody is told:
 * rpcrt_call_wait(). With rpcrt_queue_done, and a queue as arg, the queue is.
 * The request is not needed after this returns. */
RPCRT_API void rpcrt_call_start(struct rpcrt_call *call,
                                const struct rpcrt_method *method,
                                const ProtobufCMessage *request,
                                rpcrt_done_fn *done, void *arg);

/** The outcome of a started call, once it is over. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_take(struct rpcrt_call *call, const ProtobufCMessage **ret_reply);

/* -- streams ----------------------------------------------------------------
 * A use of a method with RPCRT_METHOD_CLIENT_STREAMING or _SERVER_STREAMING:
 * open, then send and next from one thread each, then finish by one. */

/** Begin. The request is not needed after this returns; NULL if the client
 * sends a stream. What goes wrong is told by the others. A stream that the call
 * is still used for is cancelled. */
RPCRT_API void rpcrt_call_open(struct rpcrt_call *call,
                               const struct rpcrt_method *method,
                               const ProtobufCMessage *request);

/** Send one message, which is not needed after this returns; waits while the
 * window is full. False: the call is over, finish says how, or close_send was
 * called. A message that is larger than the server takes ends the call. */
RPCRT_API RPCRT_MUST_CHECK bool
rpcrt_call_send(struct rpcrt_call *call, const ProtobufCMessage *message);

/** Say that no more messages are sent; again does nothing. */
RPCRT_API void rpcrt_call_close_send(struct rpcrt_call *call);

/** Wait for the next message, borrowed until the next call of this function or
 * of finish. False: no more come, finish says why. */
RPCRT_API RPCRT_MUST_CHECK bool
rpcrt_call_next(struct rpcrt_call *call, const ProtobufCMessage **ret_message);

/** Say that no more messages are sent, wait for the end, drop messages that
 * were not taken, and say how the call ended. ret_reply: the reply of a method
 * whose server sends one message only, else NULL. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_finish(struct rpcrt_call *call, const ProtobufCMessage **ret_reply);

/** Wait for the next message of the client, borrowed until the next call of
 * this function or the end of the handler. OK and NULL: no more come. Else the
 * call is lost: CANCELLED, DEADLINE_EXCEEDED, or why the message can't be read;
 * the handler returns it. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_ctx_receive(struct rpcrt_ctx *ctx, const ProtobufCMessage **ret_message);

/** Send one message, which is not needed after this returns; waits while the
 * window is full. Else as above. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_ctx_reply(struct rpcrt_ctx *ctx, const ProtobufCMessage *message);

RPCRT_END_DECLS

#endif
