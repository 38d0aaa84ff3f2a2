/*
 * The life of a connection: DIALING, HELLO, UP, DRAINING, DEAD; which messages
 * leave and which are taken, by the rules of wire/credits.h. Each event ends
 * with a pump, so that one request always stands at the server while the
 * connection is up.
 */
#include "client/connection.h"

#include "core/alloc.h"
#include "core/wait.h"
#include <string.h>

static void on_reply(void *arg, unsigned slot, struct rpcrt__msg *msg);
static void on_down(void *arg, const struct rpcrt__error *why);

static const struct rpcrt__client_link_events link_events = {
    .on_reply = on_reply, .on_down = on_down};

/* -- making and freeing ---------------------------------------------------- */

static enum rpcrt_code
new_link(struct rpcrt__connection *connection, struct rpcrt__error *ret_error)
{
    const struct rpcrt_channel *channel = connection->channel;
    struct rpcrt__client_link_options options = {
        .address = connection->endpoint->address,
        .tls = channel->tls,
        .server_name = channel->server_name != NULL
                           ? channel->server_name
                           : connection->endpoint->server_name,
        .slots = channel->options.contexts,
        .message_size_max = RPCRT_TRANSPORT_MESSAGE_MAX};

    return rpcrt__client_link_new(&options, &link_events, connection, ret_error,
                                  &connection->link);
}

enum rpcrt_code
rpcrt__connection_new(struct rpcrt__endpoint *endpoint,
                      struct rpcrt__error *ret_error,
                      struct rpcrt__connection **ret_connection)
{
    struct rpcrt_channel *channel = endpoint->channel;
    struct rpcrt__connection *connection = rpcrt__calloc(1, sizeof *connection);
    enum rpcrt_code code;

    if (connection == NULL || !rpcrt__cond_init(&connection->settled)) {
        rpcrt__free(connection);
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "connect %s: no memory", endpoint->address);
    }
    connection->channel = channel;
    connection->endpoint = endpoint;
    rpcrt__list_init(&connection->node);
    rpcrt__list_init(&connection->sending);
    rpcrt__idmap_init(&connection->calls);
    rpcrt__client_credits_init(&connection->credits, channel->options.contexts);
    rpcrt__reorder_init(&connection->replies, channel->options.contexts);
    connection->session = rpcrt__random() | 1u; /* 0 is no session */
    connection->methods = rpcrt__calloc(RPCRT_METHODS_PER_SESSION_MAX,
                                        sizeof connection->methods[0]);
    if (connection->methods == NULL) {
        code = rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "connect %s: no memory", endpoint->address);
    } else {
        code = new_link(connection, ret_error);
    }
    if (code != RPCRT_OK) {
        rpcrt__connection_free(connection);
        return code;
    }
    *ret_connection = connection;
    return RPCRT_OK;
}

void
rpcrt__connection_free(struct rpcrt__connection *connection)
{
    struct rpcrt__arrival arrival;

    rpcrt__client_link_free(connection->link);
    while (rpcrt__reorder_drop(&connection->replies, &arrival)) {
        rpcrt__msg_free(arrival.msg);
    }
    rpcrt__idmap_fini(&connection->calls);
    rpcrt__free(connection->cancels);
    rpcrt__free(connection->methods);
    (void)pthread_cond_destroy(&connection->settled);
    rpcrt__free(connection);
}

/* -- sending --------------------------------------------------------------- */

/* Send a message whose frames take `size` bytes of it, header included. */
static void
send_message(struct rpcrt__connection *connection, struct rpcrt__msg *msg,
             size_t size)
{
    struct rpcrt__header header = {.keep = connection->credits.keep,
                                   .session = connection->session};
    unsigned slot =
        rpcrt__client_credits_send(&connection->credits, &header.seq);

    (void)rpcrt__put_header(rpcrt__msg_body(msg), &header);
    rpcrt__msg_trim(msg, size);
    rpcrt__client_link_send(connection->link, slot, msg);
}

void
rpcrt__connection_pump(struct rpcrt__connection *connection)
{
    bool up = connection->state == RPCRT__CONNECTION_UP ||
              connection->state == RPCRT__CONNECTION_DRAINING;

    while (up && rpcrt__client_credits_can_send(&connection->credits)) {
        struct rpcrt__msg *msg;

        if (!rpcrt__connection_has_frames(connection) &&
            !rpcrt__client_credits_must_send(&connection->credits)) {
            return;
        }
        msg = rpcrt__msg_new(rpcrt__connection_estimate(connection));
        if (msg == NULL) {
            rpcrt__client_link_cut(connection->link);
            return;
        }
        send_message(connection, msg,
                     rpcrt__connection_compose(connection, rpcrt__msg_body(msg),
                                               rpcrt__msg_size(msg)));
    }
    if (up && rpcrt__connection_has_frames(connection)) {
        rpcrt__client_credits_starved(&connection->credits);
    }
}

bool
rpcrt__connection_add(struct rpcrt__connection *connection,
                      struct rpcrt_call *call)
{
    size_t needed = connection->n_calls + connection->n_cancels + 1;

    if (needed > connection->cancels_room) {
        size_t room = needed * 2 + 14;
        uint64_t *cancels = rpcrt__calloc(room, sizeof cancels[0]);

        if (cancels == NULL) {
            return false;
        }
        if (connection->n_cancels > 0) {
            memcpy(cancels, connection->cancels,
                   connection->n_cancels * sizeof cancels[0]);
        }
        rpcrt__free(connection->cancels);
        connection->cancels = cancels;
        connection->cancels_room = room;
    }
    connection->n_calls++;
    call->connection = connection;
    call->state = RPCRT__CALL_SENDING;
    rpcrt__list_append(&connection->sending, &call->queue);
    return true;
}

static void
forget(struct rpcrt__connection *connection, struct rpcrt_call *call)
{
    struct rpcrt__endpoint *endpoint = connection->endpoint;

    connection->n_calls--;
    endpoint->n_calls--;
    if (endpoint->probe == call) {
        endpoint->probe = NULL;
    }
    call->connection = NULL;
}

void
rpcrt__connection_let_go(struct rpcrt__connection *connection,
                         struct rpcrt_call *call)
{
    forget(connection, call);
    call->state = RPCRT__CALL_WAITING;
    rpcrt__list_remove(&call->queue);
}

void
rpcrt__connection_remove(struct rpcrt__connection *connection,
                         struct rpcrt_call *call, bool tell)
{
    rpcrt__endpoint_judge(connection->endpoint, call);
    forget(connection, call);
    if (call->composed) {
        (void)rpcrt__idmap_remove(&connection->calls, call->by_id.id);
        if (tell && connection->state != RPCRT__CONNECTION_DEAD) {
            connection->cancels[connection->n_cancels++] = call->by_id.id;
        }
    }
    if (call->state == RPCRT__CALL_SENDING) {
        rpcrt__list_remove(&call->queue);
    }
    if (connection->state == RPCRT__CONNECTION_DRAINING &&
        connection->n_calls == 0) {
        rpcrt__channel_lost(connection->channel, connection);
    }
}

/* -- the end --------------------------------------------------------------- */

static void
end_composed(struct rpcrt__connection *connection, struct rpcrt_call *call,
             struct rpcrt__delivery *delivery)
{
    bool whole = call->out_sent == call->out_size;

    rpcrt__call_fail(call, RPCRT_UNAVAILABLE, RPCRT_ORIGIN_TRANSPORT, delivery,
                     "%s: connection lost: %s; %s",
                     connection->endpoint->address, connection->error.text,
                     whole ? "the call may have been executed"
                           : "the call was not executed");
}

void
rpcrt__connection_kill(struct rpcrt__connection *connection,
                       const struct rpcrt__error *why,
                       struct rpcrt__delivery *delivery)
{
    struct rpcrt_channel *channel = connection->channel;
    struct rpcrt__list moved;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    if (connection->state == RPCRT__CONNECTION_DEAD) {
        return;
    }
    /* A goaway has said more than the end that follows it. */
    if (connection->error.code == RPCRT_OK) {
        connection->error = *why;
    }
    connection->state = RPCRT__CONNECTION_DEAD;
    rpcrt__list_init(&moved);
    RPCRT__LIST_EACH(node, following, &channel->calls)
    {
        struct rpcrt_call *call = RPCRT__ELEMENT(node, struct rpcrt_call, live);

        if (call->connection != connection) {
            continue;
        }
        if (call->composed) {
            end_composed(connection, call, delivery);
        } else {
            rpcrt__connection_let_go(connection, call);
            rpcrt__list_append(&moved, &call->queue);
        }
    }
    rpcrt__list_move(&channel->waiting, &moved);
    rpcrt__list_move(&moved, &channel->waiting);
    rpcrt__client_link_cut(connection->link);
    pthread_cond_signal(&connection->settled);
    rpcrt__channel_lost(channel, connection);
}

uint64_t
rpcrt__connection_tick(struct rpcrt__connection *connection, uint64_t now_ns,
                       struct rpcrt__delivery *delivery)
{
    const struct rpcrt_channel_options *options = &connection->channel->options;
    uint64_t silent_ns = now_ns - connection->heard_ns;
    uint64_t gap_due_ns =
        connection->gap_ns == 0
            ? RPCRT__NEVER
            : connection->gap_ns + RPCRT_STALL_TIMEOUT_MS * RPCRT__MS;
    uint64_t keepalive_ns = options->keepalive_ms * RPCRT__MS;
    uint64_t timeout_ns = options->keepalive_timeout_ms * RPCRT__MS;
    struct rpcrt__error error;

    if (connection->heard_ns >= connection->pinged_ns) {
        connection->pinged_ns = 0;
    }
    if (now_ns >= gap_due_ns) {
        (void)rpcrt__error_set(&error, RPCRT_UNAVAILABLE,
                               "protocol: a message is missing");
        rpcrt__connection_kill(connection, &error, delivery);
        return RPCRT__NEVER;
    }
    if (connection->heard_ns >= now_ns || silent_ns < keepalive_ns) {
        uint64_t due_ns = connection->heard_ns + keepalive_ns;

        return due_ns < gap_due_ns ? due_ns : gap_due_ns;
    }
    if (connection->pinged_ns == 0) {
        connection->pinged_ns = now_ns;
        connection->ping_due = true;
        rpcrt__connection_pump(connection);
    } else if (now_ns - connection->pinged_ns >= timeout_ns) {
        (void)rpcrt__error_set(&error, RPCRT_UNAVAILABLE,
                               "no sign of life for %llu ms",
                               (unsigned long long)(silent_ns / RPCRT__MS));
        rpcrt__connection_kill(connection, &error, delivery);
        return RPCRT__NEVER;
    }
    return connection->pinged_ns + timeout_ns < gap_due_ns
               ? connection->pinged_ns + timeout_ns
               : gap_due_ns;
}

/* -- events of the link ---------------------------------------------------- */

/* Read a reply's header and put it in its place. The message is the reorder
 * buffer's on OK. */
static enum rpcrt_code
put_in_order(struct rpcrt__connection *connection, unsigned slot,
             struct rpcrt__msg *msg, struct rpcrt__error *ret_error)
{
    struct rpcrt__header header;
    struct rpcrt__arrival arrival = {.msg = msg, .slot = slot};
    enum rpcrt_code code =
        rpcrt__read_message(rpcrt__msg_body(msg), rpcrt__msg_size(msg),
                            RPCRT__SERVER, &header, ret_error);

    if (code != RPCRT_OK) {
        return code;
    }
    /* 0: the server could not read which session it was. */
    if (header.session != connection->session && header.session != 0) {
        return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                "protocol: reply for another session");
    }
    if (!rpcrt__reorder_put(&connection->replies, header.seq, arrival)) {
        return rpcrt__error_set(ret_error, RPCRT_INTERNAL,
                                "protocol: impossible sequence number");
    }
    return RPCRT_OK;
}

static enum rpcrt_code
take_in_order(struct rpcrt__connection *connection,
              struct rpcrt__delivery *delivery, struct rpcrt__error *ret_error)
{
    struct rpcrt__arrival arrival;
    enum rpcrt_code code = RPCRT_OK;
    bool moved = false;

    while (code == RPCRT_OK &&
           rpcrt__reorder_take(&connection->replies, &arrival)) {
        const uint8_t *bytes = rpcrt__msg_body(arrival.msg);

        rpcrt__client_credits_reply(&connection->credits, arrival.slot,
                                    (bytes[1] & RPCRT__MORE) != 0);
        code = rpcrt__connection_receive(connection, bytes,
                                         rpcrt__msg_size(arrival.msg), delivery,
                                         ret_error);
        rpcrt__msg_free(arrival.msg);
        moved = true;
    }
    if (connection->replies.n_waiting == 0) {
        connection->gap_ns = 0;
    } else if (moved || connection->gap_ns == 0) {
        connection->gap_ns = connection->heard_ns;
        rpcrt__channel_wake(connection->channel,
                            connection->gap_ns +
                                RPCRT_STALL_TIMEOUT_MS * RPCRT__MS);
    }
    return code;
}

static void
on_reply(void *arg, unsigned slot, struct rpcrt__msg *msg)
{
    struct rpcrt__connection *connection = arg;
    struct rpcrt_channel *channel = connection->channel;
    struct rpcrt__delivery delivery;
    struct rpcrt__error error = {.code = RPCRT_OK};
    enum rpcrt_code code;

    rpcrt__delivery_init(&delivery);
    delivery.tells = true;
    pthread_mutex_lock(&channel->lock);
    if (connection->state == RPCRT__CONNECTION_DEAD) {
        rpcrt__msg_free(msg);
        pthread_mutex_unlock(&channel->lock);
        return;
    }
    connection->heard_ns = rpcrt__now_ns();
    code = put_in_order(connection, slot, msg, &error);
    if (code != RPCRT_OK) {
        rpcrt__msg_free(msg);
    } else {
        code = take_in_order(connection, &delivery, &error);
    }
    if (code != RPCRT_OK) {
        rpcrt__connection_kill(connection, &error, &delivery);
    } else if (connection->state == RPCRT__CONNECTION_DRAINING) {
        rpcrt__channel_lost(channel, connection);
    }
    rpcrt__channel_unlock(channel, &delivery);
}

static void
on_down(void *arg, const struct rpcrt__error *why)
{
    struct rpcrt__connection *connection = arg;
    struct rpcrt_channel *channel = connection->channel;
    struct rpcrt__delivery delivery;

    rpcrt__delivery_init(&delivery);
    delivery.tells = true;
    pthread_mutex_lock(&channel->lock);
    rpcrt__connection_kill(connection, why, &delivery);
    rpcrt__channel_unlock(channel, &delivery);
}

/* -- opening --------------------------------------------------------------- */

static bool
send_hello(struct rpcrt__connection *connection)
{
    struct rpcrt__hello hello = {
        .contexts = connection->channel->options.contexts,
        .message_size_max =
            (uint32_t)connection->channel->options.message_size_max,
        .stream_window = connection->channel->options.stream_window};
    size_t size = RPCRT__HEADER_SIZE + RPCRT__FRAME_SIZE + RPCRT__HELLO_SIZE;
    struct rpcrt__msg *msg = rpcrt__msg_new(size);

    if (msg == NULL) {
        return false;
    }
    (void)rpcrt__put_hello(
        rpcrt__put_frame(rpcrt__msg_body(msg) + RPCRT__HEADER_SIZE,
                         RPCRT__FRAME_HELLO, 0, 0, 0, RPCRT__HELLO_SIZE),
        &hello);
    send_message(connection, msg, size);
    return true;
}

static void
wait_for_hello(struct rpcrt__connection *connection)
{
    struct rpcrt_channel *channel = connection->channel;
    const struct rpcrt__endpoint *endpoint = connection->endpoint;
    bool in_time = true;

    while (in_time && connection->state == RPCRT__CONNECTION_HELLO &&
           !channel->closing && !endpoint->removed) {
        in_time = rpcrt__cond_wait(&connection->settled, &channel->lock,
                                   endpoint->dial_deadline_ns);
    }
}

enum rpcrt_code
rpcrt__connection_open(struct rpcrt__connection *connection,
                       struct rpcrt__error *ret_error)
{
    struct rpcrt_channel *channel = connection->channel;
    const char *address = connection->endpoint->address;
    enum rpcrt_code code = rpcrt__client_link_dial(connection->link, ret_error);

    if (code != RPCRT_OK) {
        return code;
    }
    pthread_mutex_lock(&channel->lock);
    if (connection->state == RPCRT__CONNECTION_DIALING) {
        connection->state = RPCRT__CONNECTION_HELLO;
        connection->heard_ns = rpcrt__now_ns();
        if (send_hello(connection)) {
            wait_for_hello(connection);
        }
    }
    if (connection->state == RPCRT__CONNECTION_UP) {
        code = RPCRT_OK;
    } else if (connection->error.code != RPCRT_OK) {
        code = connection->error.code == RPCRT_RESOURCE_EXHAUSTED
                   ? RPCRT_RESOURCE_EXHAUSTED
                   : RPCRT_UNAVAILABLE;
        code = rpcrt__error_set(ret_error, code, "connect %s: %s", address,
                                connection->error.text);
    } else {
        code = rpcrt__error_set(ret_error, RPCRT_UNAVAILABLE,
                                "connect %s: the server did not answer within "
                                "%u ms",
                                address, channel->options.connect_timeout_ms);
    }
    pthread_mutex_unlock(&channel->lock);
    return code;
}
