/*
 * The thread of an endpoint, which makes connections and frees those that are
 * lost: what blocks. It starts with the first dial, so that an address that
 * nobody needs costs nothing, and one that does not answer holds up no other.
 */
#include "client/balance.h"
#include "client/connection.h"
#include "core/wait.h"

/* Exponential, with a jitter of a fifth either way. */
static uint64_t
backoff_ns(const struct rpcrt__endpoint *endpoint)
{
    const struct rpcrt_channel_options *options = &endpoint->channel->options;
    uint64_t ms = options->backoff_ms_min;
    uint64_t max_ms = options->backoff_ms_max;
    uint64_t spread;

    for (unsigned i = 1; i < endpoint->n_failures && ms < max_ms; i++) {
        ms = ms * 8 / 5 + 1;
    }
    if (ms > max_ms) {
        ms = max_ms;
    }
    spread = ms * RPCRT__MS * 2 / 5;
    return ms * RPCRT__MS - spread / 2 +
           (spread > 0 ? rpcrt__random() % spread : 0);
}

static void
set_current(struct rpcrt__endpoint *endpoint,
            struct rpcrt__connection *connection)
{
    if (connection == NULL) {
        endpoint->channel->n_unconnected++;
    } else {
        endpoint->channel->n_unconnected--;
    }
    endpoint->current = connection;
}

/* The connection that took new calls is lost, or takes no more: the next one
 * can be made at once if this one was good for something, or stood long. */
static void
lose_current(struct rpcrt__endpoint *endpoint)
{
    const struct rpcrt__connection *connection = endpoint->current;
    uint64_t now_ns = rpcrt__now_ns();

    set_current(endpoint, NULL);
    endpoint->last_error = connection->error;
    if (connection->useful ||
        now_ns - connection->up_ns >
            endpoint->channel->options.backoff_ms_max * RPCRT__MS) {
        endpoint->n_failures = 0;
    } else {
        endpoint->n_failures++;
        endpoint->retry_ns = now_ns + backoff_ns(endpoint);
    }
    rpcrt__channel_resolve_again(endpoint->channel);
}

void
rpcrt__channel_lost(struct rpcrt_channel *channel,
                    struct rpcrt__connection *connection)
{
    struct rpcrt__endpoint *endpoint = connection->endpoint;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    if (endpoint->current == connection) {
        lose_current(endpoint);
    }
    RPCRT__LIST_EACH(node, following, &connection->sending)
    {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, queue);

        if (!call->composed) {
            rpcrt__connection_let_go(connection, call);
            rpcrt__list_append(&channel->waiting, &call->queue);
        }
    }
    if (connection->state == RPCRT__CONNECTION_DRAINING &&
        connection->n_calls == 0) {
        connection->state = RPCRT__CONNECTION_DEAD;
        rpcrt__client_link_cut(connection->link);
    }
    if (connection->state == RPCRT__CONNECTION_DEAD &&
        connection != endpoint->dialing) {
        rpcrt__list_remove(&connection->node);
        rpcrt__list_append(&endpoint->dead, &connection->node);
    }
    channel->unplaced = true;
    pthread_cond_signal(&endpoint->work);
}

/* No connection can be had. [locked] */
static void
connect_failed(struct rpcrt__endpoint *endpoint,
               const struct rpcrt__error *error)
{
    endpoint->last_error = *error;
    endpoint->connects_failed++;
    endpoint->n_failures++;
    endpoint->retry_ns = rpcrt__now_ns() + backoff_ns(endpoint);
    rpcrt__channel_resolve_again(endpoint->channel);
}

/* [locked] */
static void
connect_succeeded(struct rpcrt__endpoint *endpoint,
                  struct rpcrt__connection *connection)
{
    struct rpcrt_channel *channel = endpoint->channel;

    set_current(endpoint, connection);
    connection->up_ns = rpcrt__now_ns();
    endpoint->connects++;
    endpoint->retry_ns = 0;
    rpcrt__list_append(&channel->connections, &connection->node);
    channel->unplaced = true;
    rpcrt__channel_wake(channel, connection->up_ns +
                                     channel->options.keepalive_ms * RPCRT__MS);
}

/* Make a connection and open it. [locked; unlocks meanwhile] */
static enum rpcrt_code
dial(struct rpcrt__endpoint *endpoint, struct rpcrt__error *ret_error,
     struct rpcrt__connection **ret_connection)
{
    struct rpcrt_channel *channel = endpoint->channel;
    struct rpcrt__connection *connection;
    enum rpcrt_code code =
        rpcrt__connection_new(endpoint, ret_error, &connection);

    if (code != RPCRT_OK) {
        return code;
    }
    *ret_connection = connection;
    endpoint->n_connections++;
    endpoint->dialing = connection;
    endpoint->dial_deadline_ns = rpcrt__deadline_ns(
        rpcrt__now_ns(), channel->options.connect_timeout_ms);
    rpcrt__channel_wake(channel, endpoint->dial_deadline_ns);
    pthread_mutex_unlock(&channel->lock);
    code = rpcrt__connection_open(connection, ret_error);
    pthread_mutex_lock(&channel->lock);
    endpoint->dialing = NULL;
    if (code == RPCRT_OK && connection->state != RPCRT__CONNECTION_UP) {
        /* It was up when it was opened, and has ended since. */
        *ret_error = connection->error;
        code = ret_error->code;
    }
    return code;
}

/* One attempt. [locked; unlocks meanwhile] */
static void
connect_once(struct rpcrt__endpoint *endpoint)
{
    struct rpcrt_channel *channel = endpoint->channel;
    struct rpcrt__connection *connection = NULL;
    struct rpcrt__delivery delivery;
    struct rpcrt__error error = {.code = RPCRT_OK};
    enum rpcrt_code code;

    rpcrt__delivery_init(&delivery);
    endpoint->wanted = false;
    code = dial(endpoint, &error, &connection);
    if (!channel->closing && !endpoint->removed) {
        if (code == RPCRT_OK) {
            connect_succeeded(endpoint, connection);
            connection = NULL;
        } else {
            connect_failed(endpoint, &error);
            rpcrt__channel_give_up(channel, &delivery);
        }
    }
    if (connection != NULL) {
        connection->state = RPCRT__CONNECTION_DEAD; /* freed right here */
    }
    rpcrt__channel_unlock(channel, &delivery);
    if (connection != NULL) {
        rpcrt__connection_free(connection);
    }
    pthread_mutex_lock(&channel->lock);
    endpoint->n_connections -= connection != NULL;
}

/* Free what is over. [locked; unlocks meanwhile] */
static void
clean_up(struct rpcrt__endpoint *endpoint)
{
    struct rpcrt_channel *channel = endpoint->channel;
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(&endpoint->dead)) != NULL) {
        pthread_mutex_unlock(&channel->lock);
        rpcrt__connection_free(
            RPCRT__ELEMENT(node, struct rpcrt__connection, node));
        pthread_mutex_lock(&channel->lock);
        endpoint->n_connections--;
    }
}

static void *
run(void *arg)
{
    struct rpcrt__endpoint *endpoint = arg;
    struct rpcrt_channel *channel = endpoint->channel;

    pthread_mutex_lock(&channel->lock);
    for (;;) {
        bool over;

        clean_up(endpoint);
        over = channel->closing || endpoint->removed;
        if (over && endpoint->n_connections == 0) {
            break;
        }
        if (!over && endpoint->wanted) {
            connect_once(endpoint);
        } else if (rpcrt__list_empty(&endpoint->dead)) {
            (void)pthread_cond_wait(&endpoint->work, &channel->lock);
        }
    }
    endpoint->ended = true;
    rpcrt__channel_resolve_again(channel); /* it is to be joined */
    pthread_mutex_unlock(&channel->lock);
    return NULL;
}

void
rpcrt__endpoint_dial(struct rpcrt__endpoint *endpoint, uint64_t now_ns)
{
    struct rpcrt__error error;

    if (!endpoint->started &&
        pthread_create(&endpoint->thread, NULL, run, endpoint) != 0) {
        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                               "connect %s: can't start a thread",
                               endpoint->address);
        connect_failed(endpoint, &error);
        return;
    }
    endpoint->started = true;
    endpoint->wanted = true;
    endpoint->dial_began_ns = now_ns;
    pthread_cond_signal(&endpoint->work);
}

uint64_t
rpcrt__endpoint_tick(struct rpcrt__endpoint *endpoint, uint64_t now_ns)
{
    if (endpoint->dialing == NULL) {
        return RPCRT__NEVER;
    }
    if (now_ns >= endpoint->dial_deadline_ns) {
        rpcrt__client_link_cut(endpoint->dialing->link);
        return RPCRT__NEVER;
    }
    return endpoint->dial_deadline_ns;
}
