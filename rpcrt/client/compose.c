/*
 * From calls to the bytes of a message: control frames first, then the calls
 * that have something to send, in turns of one frame.
 */
#include "client/stream.h"

#include <string.h>

/* Less than this of a large request is not worth a frame. */
#define CHUNK_MIN 1024u

bool
rpcrt__connection_has_frames(const struct rpcrt__connection *connection)
{
    return connection->ping_due || connection->pong_due ||
           connection->n_cancels > 0 ||
           !rpcrt__list_empty(&connection->sending);
}

static uint8_t *
put_control(struct rpcrt__connection *connection, uint8_t *at,
            const uint8_t *end)
{
    size_t n = 0;

    if (connection->pong_due) {
        at = rpcrt__put_frame(at, RPCRT__FRAME_PONG, 0, 0, 0, 0);
        connection->pong_due = false;
    }
    if (connection->ping_due) {
        at = rpcrt__put_frame(at, RPCRT__FRAME_PING, 0, 0, 0, 0);
        connection->ping_due = false;
    }
    while (n < connection->n_cancels &&
           (size_t)(end - at) >= RPCRT__FRAME_SIZE) {
        at = rpcrt__put_frame(at, RPCRT__FRAME_CANCEL, 0, 0,
                              connection->cancels[n++], 0);
    }
    if (n > 0) {
        connection->n_cancels -= n;
        memmove(connection->cancels, connection->cancels + n,
                connection->n_cancels * sizeof connection->cancels[0]);
    }
    return at;
}

/* The number of the call's method on this connection; tells whether the
 * server must learn it. Once all numbers are taken the last one changes its
 * meaning with each use. */
static uint16_t
method_number(struct rpcrt__connection *connection, struct rpcrt_call *call,
              bool *ret_new)
{
    size_t i = 0;

    *ret_new = false;
    if (call->method_session == connection->session) {
        return call->method_id;
    }
    while (i < connection->n_methods &&
           connection->methods[i] != call->method) {
        i++;
    }
    *ret_new = i == connection->n_methods;
    return (uint16_t)(i < RPCRT_METHODS_PER_SESSION_MAX ? i : i - 1);
}

static uint32_t
milliseconds_left(uint64_t deadline_ns)
{
    uint64_t now_ns;
    uint64_t left;

    if (deadline_ns == RPCRT__NEVER) {
        return 0;
    }
    now_ns = rpcrt__now_ns();
    left = deadline_ns > now_ns
               ? (deadline_ns - now_ns + RPCRT__MS - 1) / RPCRT__MS
               : 1;
    return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

static void
remember_method(struct rpcrt__connection *connection, struct rpcrt_call *call,
                uint16_t number)
{
    connection->methods[number] = call->method;
    if (number == connection->n_methods) {
        connection->n_methods++;
    }
    if (number < RPCRT_METHODS_PER_SESSION_MAX - 1) {
        call->method_session = connection->session;
        call->method_id = number;
    }
}

/* The frames that open a call; NULL if they don't fit. */
static uint8_t *
put_open(struct rpcrt__connection *connection, struct rpcrt_call *call,
         uint8_t *at, const uint8_t *end)
{
    size_t path_size = strlen(call->method->path);
    uint32_t message_size = call->out_size - call->out_metadata_size;
    uint32_t data_size = message_size;
    uint32_t extra_size = rpcrt__extra_size(call);
    bool learn;
    bool streams = (call->method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0;
    uint16_t number = method_number(connection, call, &learn);
    uint32_t metadata_size = extra_size + call->out_metadata_size;
    size_t fixed = (learn ? RPCRT__FRAME_SIZE + path_size : 0) +
                   RPCRT__FRAME_SIZE + RPCRT__CALL_SIZE + metadata_size;
    size_t room = (size_t)(end - at);
    struct rpcrt__call_open open = {
        .message_size = message_size,
        .metadata_size = metadata_size,
        .n_metadata =
            (uint16_t)(call->attempts.n_extra + call->n_out_metadata)};

    if (data_size > RPCRT_DATA_FRAME_MAX) {
        data_size = RPCRT_DATA_FRAME_MAX;
    }
    if (room < fixed + (data_size < CHUNK_MIN ? data_size : CHUNK_MIN)) {
        return NULL;
    }
    if (data_size > room - fixed) {
        data_size = (uint32_t)(room - fixed);
    }
    if (learn) {
        at = rpcrt__put_frame(at, RPCRT__FRAME_METHOD, 0, number, 0,
                              (uint32_t)path_size);
        memcpy(at, call->method->path, path_size);
        at += path_size;
    }
    remember_method(connection, call, number);
    open.timeout_ms = milliseconds_left(call->deadline_ns);
    rpcrt__idmap_add(&connection->calls, &call->by_id, ++connection->next_call);
    at = rpcrt__put_frame(at, RPCRT__FRAME_CALL, streams ? 0 : RPCRT__END,
                          number, call->by_id.id,
                          RPCRT__CALL_SIZE + metadata_size + data_size);
    at = rpcrt__put_call_open(at, &open);
    if (extra_size > 0) {
        memcpy(at, call->attempts.extra, extra_size);
        at += extra_size;
    }
    call->out_sent = call->out_metadata_size + data_size;
    memcpy(at, call->out, call->out_sent);
    call->composed = true;
    if (streams) {
        call->stream->out.window = connection->stream_window;
    }
    return at + call->out_sent;
}

/* The next frame of a request that is under way; NULL if it is not worth it. */
static uint8_t *
put_data(struct rpcrt_call *call, uint8_t *at, const uint8_t *end)
{
    uint32_t size = call->out_size - call->out_sent;
    size_t room = (size_t)(end - at);

    if (room <
        RPCRT__FRAME_SIZE + (size < CHUNK_MIN ? size : (uint32_t)CHUNK_MIN)) {
        return NULL;
    }
    room -= RPCRT__FRAME_SIZE;
    if (size > RPCRT_DATA_FRAME_MAX) {
        size = RPCRT_DATA_FRAME_MAX;
    }
    if (size > room) {
        size = (uint32_t)room;
    }
    at = rpcrt__put_frame(at, RPCRT__FRAME_DATA, 0, 0, call->by_id.id, size);
    memcpy(at, call->out + call->out_sent, size);
    call->out_sent += size;
    return at + size;
}

static uint8_t *
put_next(struct rpcrt__connection *connection, struct rpcrt_call *call,
         uint8_t *at, const uint8_t *end)
{
    if (!call->composed) {
        return put_open(connection, call, at, end);
    }
    return call->out_sent < call->out_size
               ? put_data(call, at, end)
               : rpcrt__call_stream_put(call, at, end);
}

static bool
has_more(const struct rpcrt_call *call)
{
    return call->out_sent < call->out_size ||
           (call->streaming && rpcrt__call_stream_has_frames(call));
}

/* Bytes of all frames that a call can send now, or more. */
static size_t
frames_size(const struct rpcrt_call *call)
{
    size_t rest = call->composed ? call->out_size - call->out_sent
                                 : RPCRT__FRAME_SIZE + RPCRT_METHOD_PATH_MAX +
                                       RPCRT__CALL_SIZE + RPCRT__EXTRA_SIZE +
                                       call->out_size;

    rest += (rest / RPCRT_DATA_FRAME_MAX + 1) * RPCRT__FRAME_SIZE;
    return call->streaming ? rest + rpcrt__call_stream_frames_size(call) : rest;
}

size_t
rpcrt__connection_estimate(const struct rpcrt__connection *connection)
{
    size_t size =
        RPCRT__HEADER_SIZE + (2 + connection->n_cancels) * RPCRT__FRAME_SIZE;
    const struct rpcrt__list *node = connection->sending.next;

    for (; node != &connection->sending && size < RPCRT_TRANSPORT_MESSAGE_MAX;
         node = node->next) {
        size += frames_size((
            const struct rpcrt_call *)(const void *)((const char *)node -
                                                     offsetof(struct rpcrt_call,
                                                              queue)));
    }
    return size < RPCRT_TRANSPORT_MESSAGE_MAX ? size
                                              : RPCRT_TRANSPORT_MESSAGE_MAX;
}

size_t
rpcrt__connection_compose(struct rpcrt__connection *connection, uint8_t *body,
                          size_t size)
{
    uint8_t *at = body + RPCRT__HEADER_SIZE;
    const uint8_t *end = body + size;

    at = put_control(connection, at, end);
    while (!rpcrt__list_empty(&connection->sending)) {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(connection->sending.next, struct rpcrt_call, queue);
        uint8_t *next = put_next(connection, call, at, end);

        if (next == NULL) {
            break;
        }
        at = next;
        rpcrt__list_remove(&call->queue);
        if (has_more(call)) {
            rpcrt__list_append(&connection->sending, &call->queue);
        } else {
            call->state = RPCRT__CALL_SENT;
        }
    }
    return (size_t)(at - body);
}
