/*
 * From the bytes of a message to what they mean for calls. A message has been
 * put in order before it comes here; an error of this file ends the session.
 */
#include "client/stream.h"

#include <inttypes.h>
#include <string.h>

static struct rpcrt_call *
find_call(const struct rpcrt__connection *connection, uint64_t id)
{
    struct rpcrt__idnode *node = rpcrt__idmap_find(&connection->calls, id);

    return node == NULL ? NULL : RPCRT__ELEMENT(node, struct rpcrt_call, by_id);
}

static enum rpcrt_code
on_hello(struct rpcrt__connection *connection, const struct rpcrt__frame *frame,
         struct rpcrt__error *ret_error)
{
    struct rpcrt__hello hello;

    if (connection->state != RPCRT__CONNECTION_HELLO) {
        return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                "protocol: second HELLO");
    }
    rpcrt__get_hello(frame, &hello);
    if (hello.contexts < 2 || hello.contexts > connection->credits.contexts) {
        return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                "protocol: the server takes %" PRIu32
                                " contexts of %u",
                                hello.contexts, connection->credits.contexts);
    }
    rpcrt__client_credits_shrink(&connection->credits, hello.contexts);
    connection->message_size_max = hello.message_size_max;
    connection->instance = hello.instance;
    connection->stream_window = hello.stream_window < RPCRT__WINDOW_MAX
                                    ? hello.stream_window
                                    : RPCRT__WINDOW_MAX;
    connection->state = RPCRT__CONNECTION_UP;
    pthread_cond_signal(&connection->settled);
    return RPCRT_OK;
}

/* Texts come from a peer: only what can be printed stays. */
static void
copy_text(struct rpcrt__error *error, const uint8_t *text, size_t size)
{
    (void)rpcrt__error_set(error, error->code, "%.*s", (int)size,
                           (const char *)text);
    for (char *c = error->text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t' &&
            *c != '\r') {
            *c = '?';
        }
    }
}

static enum rpcrt_code
on_goaway(struct rpcrt__connection *connection,
          const struct rpcrt__frame *frame, struct rpcrt__error *ret_error)
{
    bool hello = connection->state == RPCRT__CONNECTION_HELLO;
    enum rpcrt_code code = frame->aux > RPCRT_UNAUTHENTICATED || frame->aux == 0
                               ? RPCRT_UNKNOWN
                               : (enum rpcrt_code)frame->aux;

    connection->error.code = code;
    copy_text(&connection->error, frame->payload, frame->size);
    /* Of a server that shuts down, or that has found fault with this session:
     * then the connection ends behind it. */
    if (hello || code != RPCRT_UNAVAILABLE) {
        *ret_error = connection->error;
        return code;
    }
    if (connection->state == RPCRT__CONNECTION_UP) {
        connection->state = RPCRT__CONNECTION_DRAINING;
    }
    return RPCRT_OK;
}

/* Make room for a reply whose size is told. False: the call has ended. */
static bool
open_reply(struct rpcrt_call *call, uint32_t size,
           struct rpcrt__delivery *delivery)
{
    size_t size_max = call->reply_size_max;

    if (size > size_max) {
        rpcrt__call_fail(call, RPCRT_RESOURCE_EXHAUSTED, RPCRT_ORIGIN_LOCAL,
                         delivery,
                         "%s: reply of %" PRIu32 " bytes, the channel takes "
                         "%zu",
                         call->method->path, size, size_max);
        return false;
    }
    call->reply = rpcrt__arena_alloc(&call->arena, size);
    if (call->reply == NULL) {
        rpcrt__call_fail(call, RPCRT_RESOURCE_EXHAUSTED, RPCRT_ORIGIN_LOCAL,
                         delivery,
                         "%s: no memory for a reply of %" PRIu32 " bytes",
                         call->method->path, size);
        return false;
    }
    call->reply_open = true;
    call->reply_size = size;
    call->reply_got = 0;
    return true;
}

/* Whether the server sends any number of messages. */
static bool
is_many(const struct rpcrt_call *call)
{
    return (call->method->flags & RPCRT_METHOD_SERVER_STREAMING) != 0;
}

/* A part of one of many replies. */
static enum rpcrt_code
on_stream_data(struct rpcrt__connection *connection, struct rpcrt_call *call,
               const struct rpcrt__frame *frame,
               struct rpcrt__delivery *delivery, struct rpcrt__error *ret_error)
{
    enum rpcrt_code code = rpcrt__call_stream_data(call, frame, ret_error);

    if (code == RPCRT_INVALID_ARGUMENT) {
        return code;
    }
    call->reply_open = true;
    if (code != RPCRT_OK) {
        rpcrt__call_fail(call, code, RPCRT_ORIGIN_LOCAL, delivery, "%s: %s",
                         call->method->path, ret_error->text);
    } else if ((frame->flags & RPCRT__END) != 0) {
        connection->useful = true;
        rpcrt__call_end(call, RPCRT_OK, RPCRT_ORIGIN_HANDLER, delivery);
    }
    return RPCRT_OK;
}

/* A part of the only reply. */
static enum rpcrt_code
on_reply_data(struct rpcrt__connection *connection, struct rpcrt_call *call,
              const struct rpcrt__frame *frame,
              struct rpcrt__delivery *delivery, struct rpcrt__error *ret_error)
{
    const uint8_t *data = frame->payload;
    uint32_t size = frame->size;

    if ((frame->flags & RPCRT__START) != 0) {
        if (call->reply_open) {
            return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                    "protocol: second reply to one call");
        }
        if (!open_reply(call, rpcrt__get_u32(data), delivery)) {
            return RPCRT_OK;
        }
        data += 4;
        size -= 4;
    }
    if (!call->reply_open || size > call->reply_size - call->reply_got) {
        return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                "protocol: reply is longer than announced");
    }
    memcpy(call->reply + call->reply_got, data, size);
    call->reply_got += size;
    if ((frame->flags & RPCRT__END) != 0) {
        if (call->reply_got < call->reply_size) {
            return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                    "protocol: reply is shorter than "
                                    "announced");
        }
        connection->useful = true;
        rpcrt__call_end(call, RPCRT_OK, RPCRT_ORIGIN_HANDLER, delivery);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
on_data(struct rpcrt__connection *connection, const struct rpcrt__frame *frame,
        struct rpcrt__delivery *delivery, struct rpcrt__error *ret_error)
{
    struct rpcrt_call *call = find_call(connection, frame->call);

    if (call == NULL) {
        return RPCRT_OK; /* it ended meanwhile */
    }
    return is_many(call)
               ? on_stream_data(connection, call, frame, delivery, ret_error)
               : on_reply_data(connection, call, frame, delivery, ret_error);
}

static enum rpcrt_code
on_window(struct rpcrt__connection *connection,
          const struct rpcrt__frame *frame, struct rpcrt__error *ret_error)
{
    struct rpcrt_call *call = find_call(connection, frame->call);
    enum rpcrt_code code;

    if (call == NULL) {
        return RPCRT_OK;
    }
    if ((call->method->flags & RPCRT_METHOD_CLIENT_STREAMING) == 0) {
        return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                "protocol: WINDOW of a call that sends one "
                                "message");
    }
    code = rpcrt__outflow_grant(&call->stream->out,
                                rpcrt__get_u32(frame->payload), ret_error);
    rpcrt__call_stream_schedule(call);
    return code;
}

static enum rpcrt_code
on_headers(struct rpcrt__connection *connection,
           const struct rpcrt__frame *frame, struct rpcrt__delivery *delivery,
           struct rpcrt__error *ret_error)
{
    struct rpcrt_call *call = find_call(connection, frame->call);
    struct rpcrt__headers headers;
    enum rpcrt_code code;

    if (call == NULL) {
        return RPCRT_OK;
    }
    if (call->headers_came || call->reply_open) {
        return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                "protocol: HEADERS behind %s",
                                call->headers_came ? "HEADERS" : "DATA");
    }
    rpcrt__get_headers(frame, &headers);
    code = rpcrt__metadata_decode(&call->reply_headers, headers.metadata,
                                  headers.metadata_size, headers.n_metadata,
                                  ret_error);
    if (code == RPCRT_INVALID_ARGUMENT) {
        return code;
    }
    call->headers_came = true;
    if (code != RPCRT_OK) {
        rpcrt__call_fail(call, code, RPCRT_ORIGIN_LOCAL, delivery,
                         "%s: headers: %s", call->method->path,
                         ret_error->text);
    } else if (call->streaming) {
        rpcrt__call_stream_wake(call);
    }
    return RPCRT_OK;
}

/* Whether what came of the reply, or the replies, is all of it. */
static bool
is_whole(const struct rpcrt_call *call)
{
    return is_many(call)
               ? call->stream->in.partial == NULL
               : call->reply_open && call->reply_got == call->reply_size;
}

static enum rpcrt_code
on_status(struct rpcrt__connection *connection,
          const struct rpcrt__frame *frame, struct rpcrt__delivery *delivery,
          struct rpcrt__error *ret_error)
{
    struct rpcrt_call *call = find_call(connection, frame->call);
    struct rpcrt__status status;
    enum rpcrt_code code;
    enum rpcrt_origin origin;

    if (call == NULL) {
        return RPCRT_OK;
    }
    rpcrt__get_status(frame, &status);
    code = status.code > RPCRT_UNAUTHENTICATED ? RPCRT_UNKNOWN
                                               : (enum rpcrt_code)status.code;
    origin = status.origin == RPCRT_ORIGIN_HANDLER ? RPCRT_ORIGIN_HANDLER
                                                   : RPCRT_ORIGIN_RUNTIME;
    if (code == RPCRT_OK && !is_whole(call)) {
        return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                "protocol: status OK without a reply");
    }
    if (rpcrt__metadata_decode(&call->reply_metadata, status.metadata,
                               status.metadata_size, status.n_metadata,
                               ret_error) == RPCRT_INVALID_ARGUMENT) {
        return RPCRT_INVALID_ARGUMENT;
    }
    if (status.details_size > 0 &&
        status.details_size <= RPCRT_DETAILS_SIZE_MAX) {
        call->details = rpcrt__arena_copy(&call->arena, status.details,
                                          status.details_size);
        call->details_size = call->details == NULL ? 0 : status.details_size;
    }
    copy_text(&call->outcome, status.text, status.text_size);
    call->refused = (frame->flags & RPCRT__REFUSED) != 0;
    connection->useful = true;
    rpcrt__call_end(call, code, origin, delivery);
    return RPCRT_OK;
}

static enum rpcrt_code
on_frame(struct rpcrt__connection *connection, const struct rpcrt__frame *frame,
         struct rpcrt__delivery *delivery, struct rpcrt__error *ret_error)
{
    if (connection->state == RPCRT__CONNECTION_HELLO &&
        frame->type != RPCRT__FRAME_HELLO &&
        frame->type != RPCRT__FRAME_GOAWAY) {
        return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                "protocol: the server did not begin with "
                                "HELLO");
    }
    switch (frame->type) {
    case RPCRT__FRAME_HELLO:
        return on_hello(connection, frame, ret_error);
    case RPCRT__FRAME_GOAWAY:
        return on_goaway(connection, frame, ret_error);
    case RPCRT__FRAME_DATA:
        return on_data(connection, frame, delivery, ret_error);
    case RPCRT__FRAME_STATUS:
        return on_status(connection, frame, delivery, ret_error);
    case RPCRT__FRAME_WINDOW:
        return on_window(connection, frame, ret_error);
    case RPCRT__FRAME_HEADERS:
        return on_headers(connection, frame, delivery, ret_error);
    case RPCRT__FRAME_PING:
        connection->pong_due = true;
        return RPCRT_OK;
    default: /* PONG: that it came is all that counts */
        return RPCRT_OK;
    }
}

enum rpcrt_code
rpcrt__connection_receive(struct rpcrt__connection *connection,
                          const uint8_t *bytes, size_t size,
                          struct rpcrt__delivery *delivery,
                          struct rpcrt__error *ret_error)
{
    size_t at = RPCRT__HEADER_SIZE;
    struct rpcrt__frame frame;
    enum rpcrt_code code = RPCRT_OK;

    while (code == RPCRT_OK && rpcrt__next_frame(bytes, size, &at, &frame)) {
        code = on_frame(connection, &frame, delivery, ret_error);
    }
    return code;
}
