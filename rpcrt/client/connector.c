/*
 * The thread of a channel that makes connections and frees those that are lost.
 *
 * What a channel is doing, by what is set: nothing (idle), `dialing`, `current`
 * (ready), or `retry_ns` in the future (the last attempt failed: calls that do
 * not wait for a connection fail at once with the reason).
 */
#include "client/connection.h"

/* Exponential, with a jitter of a fifth either way. */
static uint64_t
backoff_ns(const struct rpcrt_channel *channel)
{
    uint64_t ms = channel->options.backoff_ms_min;
    uint64_t max_ms = channel->options.backoff_ms_max;
    uint64_t spread;

    for (unsigned i = 1; i < channel->n_failures && ms < max_ms; i++) {
        ms = ms * 8 / 5 + 1;
    }
    if (ms > max_ms) {
        ms = max_ms;
    }
    spread = ms * RPCRT__MS * 2 / 5;
    return ms * RPCRT__MS - spread / 2 +
           (spread > 0 ? rpcrt__random() % spread : 0);
}

void
rpcrt__channel_lost(struct rpcrt_channel *channel,
                    struct rpcrt__connection *connection)
{
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    if (channel->current == connection) {
        channel->current = NULL;
        channel->last_error = connection->error;
    }
    RPCRT__LIST_EACH(node, following, &connection->sending)
    {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, queue);

        if (!call->composed) {
            connection->n_calls--;
            call->connection = NULL;
            call->state = RPCRT__CALL_WAITING;
            rpcrt__list_remove(&call->queue);
            rpcrt__list_append(&channel->waiting, &call->queue);
        }
    }
    if (connection->state == RPCRT__CONNECTION_DRAINING &&
        connection->n_calls == 0) {
        connection->state = RPCRT__CONNECTION_DEAD;
        rpcrt__client_link_cut(connection->link);
    }
    if (connection->state == RPCRT__CONNECTION_DEAD &&
        connection != channel->dialing) {
        rpcrt__list_remove(&connection->node);
        rpcrt__list_append(&channel->dead, &connection->node);
        if (connection->useful) {
            channel->n_failures = 0;
        } else {
            channel->n_failures++;
            channel->retry_ns = rpcrt__now_ns() + backoff_ns(channel);
        }
    }
    pthread_cond_signal(&channel->work);
}

void
rpcrt__channel_fail_call(struct rpcrt_channel *channel, struct rpcrt_call *call,
                         struct rpcrt__delivery *delivery)
{
    /* Whatever came between: to the caller it is that he can't get through,
     * but for a server, or this end, that has all it can have. */
    enum rpcrt_code code = channel->last_error.code == RPCRT_RESOURCE_EXHAUSTED
                               ? RPCRT_RESOURCE_EXHAUSTED
                               : RPCRT_UNAVAILABLE;

    rpcrt__call_fail(call, code, RPCRT_ORIGIN_TRANSPORT, delivery, "%s",
                     channel->last_error.text);
}

/* No connection can be had: calls that do not wait for one end. [locked] */
static void
connect_failed(struct rpcrt_channel *channel, const struct rpcrt__error *error,
               struct rpcrt__delivery *delivery)
{
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    channel->last_error = *error;
    channel->n_failures++;
    channel->retry_ns = rpcrt__now_ns() + backoff_ns(channel);
    RPCRT__LIST_EACH(node, following, &channel->waiting)
    {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, queue);

        if (!call->wait_for_ready) {
            rpcrt__channel_fail_call(channel, call, delivery);
        }
    }
}

/* [locked] */
static void
connect_succeeded(struct rpcrt_channel *channel,
                  struct rpcrt__connection *connection,
                  struct rpcrt__delivery *delivery)
{
    struct rpcrt__list *node;

    channel->current = connection;
    channel->retry_ns = 0;
    rpcrt__list_append(&channel->connections, &connection->node);
    while ((node = rpcrt__list_take(&channel->waiting)) != NULL) {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, queue);

        if (!rpcrt__connection_add(connection, call)) {
            rpcrt__call_fail(call, RPCRT_RESOURCE_EXHAUSTED, RPCRT_ORIGIN_LOCAL,
                             delivery, "%s: no memory", call->method->path);
        }
    }
    rpcrt__channel_wake(channel, rpcrt__now_ns() +
                                     channel->options.keepalive_ms * RPCRT__MS);
}

/* One attempt. [locked; unlocks meanwhile] */
static void
connect_once(struct rpcrt_channel *channel)
{
    struct rpcrt__connection *connection = NULL;
    struct rpcrt__delivery delivery;
    struct rpcrt__error error = {.code = RPCRT_OK};
    enum rpcrt_code code;

    rpcrt__delivery_init(&delivery);
    code = rpcrt__connection_new(channel, &error, &connection);
    if (code == RPCRT_OK) {
        channel->dialing = connection;
        channel->dial_deadline_ns = rpcrt__deadline_ns(
            rpcrt__now_ns(), channel->options.connect_timeout_ms);
        rpcrt__channel_wake(channel, channel->dial_deadline_ns);
        pthread_mutex_unlock(&channel->lock);
        code = rpcrt__connection_open(connection, &error);
        pthread_mutex_lock(&channel->lock);
        channel->dialing = NULL;
    }
    /* What was up when it was opened may have ended since. */
    if (code == RPCRT_OK && connection->state == RPCRT__CONNECTION_UP &&
        !channel->closing) {
        connect_succeeded(channel, connection, &delivery);
        connection = NULL;
    } else {
        if (code == RPCRT_OK) {
            error = connection->error;
        }
        if (connection != NULL) {
            connection->state = RPCRT__CONNECTION_DEAD; /* freed right here */
        }
        connect_failed(channel, &error, &delivery);
    }
    rpcrt__channel_unlock(channel, &delivery);
    if (connection != NULL) {
        rpcrt__connection_free(connection);
    }
    pthread_mutex_lock(&channel->lock);
}

/* Free what is over. [locked; unlocks meanwhile] */
static void
clean_up(struct rpcrt_channel *channel)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(&channel->dead)) != NULL) {
        pthread_mutex_unlock(&channel->lock);
        rpcrt__connection_free(
            RPCRT__ELEMENT(node, struct rpcrt__connection, node));
        pthread_mutex_lock(&channel->lock);
    }
}

static void
sleep_until(struct rpcrt_channel *channel, uint64_t due_ns)
{
    struct timespec until = {.tv_sec = (time_t)(due_ns / (1000 * RPCRT__MS)),
                             .tv_nsec = (long)(due_ns % (1000 * RPCRT__MS))};

    if (due_ns == RPCRT__NEVER) {
        (void)pthread_cond_wait(&channel->work, &channel->lock);
    } else {
        (void)pthread_cond_timedwait(&channel->work, &channel->lock, &until);
    }
}

void *
rpcrt__channel_connector(void *arg)
{
    struct rpcrt_channel *channel = arg;

    pthread_mutex_lock(&channel->lock);
    for (;;) {
        bool wanted;
        uint64_t now_ns;

        clean_up(channel);
        if (!rpcrt__list_empty(&channel->dead)) {
            continue; /* came while the lock was given up */
        }
        if (channel->closing) {
            break;
        }
        wanted =
            channel->current == NULL && !rpcrt__list_empty(&channel->waiting);
        now_ns = rpcrt__now_ns();
        if (!wanted) {
            sleep_until(channel, RPCRT__NEVER);
        } else if (now_ns < channel->retry_ns) {
            sleep_until(channel, channel->retry_ns);
        } else {
            connect_once(channel);
        }
    }
    pthread_mutex_unlock(&channel->lock);
    return NULL;
}
