/*
 * A channel: options, the connector thread, deadlines, and how ended calls get
 * to their owners.
 *
 * States, by what is set: nothing (idle), `dialing`, `current` (ready), or
 * `retry_ns` in the future (the last attempt failed: calls that do not wait
 * for a connection fail at once with the reason).
 */
#include "client/channel.h"

#include "client/connection.h"
#include "core/alloc.h"
#include <string.h>

/* The channel whose completions this thread is delivering: calls that they
 * start are sent together when all are through. */
static _Thread_local struct rpcrt_channel *delivering;

/* -- deliveries ------------------------------------------------------------- */

void
rpcrt__delivery_init(struct rpcrt__delivery *delivery)
{
    rpcrt__list_init(&delivery->node);
    rpcrt__list_init(&delivery->ended);
    delivery->thread = pthread_self();
    atomic_init(&delivery->current, NULL);
}

/* [locked] */
static void
move_delivery(struct rpcrt__delivery *from, struct rpcrt__delivery *to)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(&from->ended)) != NULL) {
        RPCRT__ELEMENT(node, struct rpcrt_call, queue)->delivery = to;
        rpcrt__list_append(&to->ended, node);
    }
}

void
rpcrt__channel_deliver_later(struct rpcrt_channel *channel,
                             struct rpcrt__delivery *delivery)
{
    if (!channel->closed) {
        /* A completion that tries again at once must not fill a thread. */
        uint64_t pause_ns = delivering == channel ? RPCRT__MS : 0;

        move_delivery(delivery, &channel->later);
        rpcrt__channel_wake(channel, rpcrt__now_ns() + pause_ns);
    }
}

bool
rpcrt__channel_is_over(const struct rpcrt_channel *channel,
                       const struct rpcrt_call *call)
{
    return call->freeing || (channel->closing && delivering == channel);
}

static bool
has_callbacks(const struct rpcrt__delivery *delivery)
{
    for (struct rpcrt__list *node = delivery->ended.next;
         node != &delivery->ended; node = node->next) {
        if (RPCRT__ELEMENT(node, struct rpcrt_call, queue)->done != NULL) {
            return true;
        }
    }
    return false;
}

static void
deliver_all(struct rpcrt__delivery *delivery)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(&delivery->ended)) != NULL) {
        rpcrt__call_deliver(RPCRT__ELEMENT(node, struct rpcrt_call, queue),
                            delivery);
    }
}

void
rpcrt__channel_unlock(struct rpcrt_channel *channel,
                      struct rpcrt__delivery *delivery)
{
    struct rpcrt_channel *outer = delivering;

    if (!has_callbacks(delivery)) {
        rpcrt__channel_pump(channel);
        pthread_mutex_unlock(&channel->lock);
        deliver_all(delivery);
        return;
    }
    rpcrt__list_append(&channel->deliveries, &delivery->node);
    pthread_mutex_unlock(&channel->lock);
    delivering = channel;
    deliver_all(delivery);
    delivering = outer;
    pthread_mutex_lock(&channel->lock);
    rpcrt__list_remove(&delivery->node);
    pthread_cond_broadcast(&channel->delivered);
    rpcrt__channel_pump(channel);
    pthread_mutex_unlock(&channel->lock);
}

void
rpcrt__channel_pump(struct rpcrt_channel *channel)
{
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    if (delivering == channel) {
        return;
    }
    RPCRT__LIST_EACH(node, following, &channel->connections)
    {
        rpcrt__connection_pump(
            RPCRT__ELEMENT(node, struct rpcrt__connection, node));
    }
}

/* -- time ------------------------------------------------------------------- */

void
rpcrt__channel_wake(struct rpcrt_channel *channel, uint64_t due_ns)
{
    if (due_ns < channel->wake_ns) {
        channel->wake_ns = due_ns;
        rpcrt__timer_set(&channel->timer, due_ns);
    }
}

/* End the calls whose time is over; returns the first deadline of the rest. */
static uint64_t
expire_calls(struct rpcrt_channel *channel, uint64_t now_ns,
             struct rpcrt__delivery *delivery)
{
    uint64_t next_ns = RPCRT__NEVER;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    RPCRT__LIST_EACH(node, following, &channel->calls)
    {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, live);

        if (call->deadline_ns > now_ns) {
            if (call->deadline_ns < next_ns) {
                next_ns = call->deadline_ns;
            }
            continue;
        }
        rpcrt__call_fail(call, RPCRT_DEADLINE_EXCEEDED, RPCRT_ORIGIN_LOCAL,
                         delivery, "%s: no answer to %s within its deadline%s%s",
                         channel->address, call->method->path,
                         channel->current == NULL ? "; " : "",
                         channel->current == NULL ? channel->last_error.text
                                                  : "");
    }
    return next_ns;
}

static uint64_t
min_ns(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
on_timer(void *arg, uint64_t now_ns)
{
    struct rpcrt_channel *channel = arg;
    struct rpcrt__delivery delivery;
    struct rpcrt__list *node;
    struct rpcrt__list *following;
    uint64_t next_ns;

    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&channel->lock);
    move_delivery(&channel->later, &delivery);
    next_ns = expire_calls(channel, now_ns, &delivery);
    RPCRT__LIST_EACH(node, following, &channel->connections)
    {
        next_ns = min_ns(next_ns,
                         rpcrt__connection_tick(
                             RPCRT__ELEMENT(node, struct rpcrt__connection,
                                            node),
                             now_ns, &delivery));
    }
    if (channel->dialing != NULL) {
        if (now_ns >= channel->dial_deadline_ns) {
            rpcrt__client_link_cut(channel->dialing->link);
        } else {
            next_ns = min_ns(next_ns, channel->dial_deadline_ns);
        }
    }
    /* Many deadlines close to each other cost one look a millisecond. */
    if (next_ns < now_ns + RPCRT__MS) {
        next_ns = now_ns + RPCRT__MS;
    }
    channel->wake_ns = next_ns;
    rpcrt__channel_unlock(channel, &delivery);
    return next_ns;
}

/* -- connecting ------------------------------------------------------------- */

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
    enum rpcrt_code code =
        channel->last_error.code == RPCRT_RESOURCE_EXHAUSTED
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
            rpcrt__call_fail(call, RPCRT_RESOURCE_EXHAUSTED,
                             RPCRT_ORIGIN_LOCAL, delivery, "%s: no memory",
                             call->method->path);
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

static void *
connector_main(void *arg)
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
        wanted = channel->current == NULL &&
                 !rpcrt__list_empty(&channel->waiting);
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

/* -- making and freeing ----------------------------------------------------- */

static void
fill_defaults(struct rpcrt_channel_options *options)
{
#define DEFAULT(member, value)                                                 \
    options->member = options->member == 0 ? (value) : options->member
    DEFAULT(message_size_max, RPCRT_MESSAGE_SIZE_MAX);
    DEFAULT(arena_size_max, RPCRT_ARENA_SIZE_MAX);
    DEFAULT(contexts, RPCRT_CONTEXTS);
    DEFAULT(connect_timeout_ms, RPCRT_CONNECT_TIMEOUT_MS);
    DEFAULT(backoff_ms_min, RPCRT_BACKOFF_MIN_MS);
    DEFAULT(backoff_ms_max, RPCRT_BACKOFF_MAX_MS);
    DEFAULT(keepalive_ms, RPCRT_KEEPALIVE_MS);
    DEFAULT(keepalive_timeout_ms, RPCRT_KEEPALIVE_TIMEOUT_MS);
#undef DEFAULT
}

static enum rpcrt_code
check_options(const struct rpcrt_channel *channel,
              struct rpcrt__error *ret_error)
{
    const struct rpcrt_channel_options *options = &channel->options;

    if (options->contexts < 2 || options->contexts > RPCRT_CONTEXTS_MAX) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "channel %s: contexts must be 2 to %u",
                                channel->address, RPCRT_CONTEXTS_MAX);
    }
    if (options->message_size_max > UINT32_MAX / 2) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "channel %s: message_size_max must be below "
                                "2 GiB",
                                channel->address);
    }
    return rpcrt__address_check(channel->address, options->tls != NULL, false,
                                ret_error);
}

static bool
init_sync(struct rpcrt_channel *channel)
{
    pthread_condattr_t attr;
    bool made = false;

    if (pthread_condattr_init(&attr) != 0) {
        return false;
    }
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (pthread_mutex_init(&channel->lock, NULL) == 0) {
        made = pthread_cond_init(&channel->work, &attr) == 0 &&
               pthread_cond_init(&channel->delivered, NULL) == 0;
    }
    (void)pthread_condattr_destroy(&attr);
    return made;
}

/* Strings, certificates; what can fail for the caller's reasons. */
static enum rpcrt_code
prepare(struct rpcrt_channel *channel, const char *address,
        struct rpcrt__error *ret_error)
{
    const struct rpcrt_tls *tls = channel->options.tls;
    enum rpcrt_code code;

    if (address == NULL) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "channel: no address");
    }
    channel->address = rpcrt__strdup(address);
    if (channel->address == NULL || !init_sync(channel)) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "channel %s: no memory", address);
    }
    code = check_options(channel, ret_error);
    if (code != RPCRT_OK || tls == NULL) {
        return code;
    }
    code = rpcrt__tls_identity_new(tls, false, ret_error, &channel->tls);
    if (code == RPCRT_OK && tls->server_name != NULL) {
        channel->server_name = rpcrt__strdup(tls->server_name);
        if (channel->server_name == NULL) {
            code = rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                    "channel %s: no memory", address);
        }
    }
    channel->options.tls = NULL; /* the caller's; not kept */
    return code;
}

static enum rpcrt_code
start_threads(struct rpcrt_channel *channel, struct rpcrt__error *ret_error)
{
    if (rpcrt__timer_init(&channel->timer, on_timer, channel) != RPCRT_OK) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "channel %s: can't start a thread",
                                channel->address);
    }
    if (pthread_create(&channel->connector, NULL, connector_main, channel) !=
        0) {
        rpcrt__timer_fini(&channel->timer);
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "channel %s: can't start a thread",
                                channel->address);
    }
    return RPCRT_OK;
}

static void
free_memory(struct rpcrt_channel *channel)
{
    rpcrt__tls_identity_free(channel->tls);
    rpcrt__free(channel->server_name);
    rpcrt__free(channel->address);
    rpcrt__free(channel);
}

enum rpcrt_code
rpcrt_channel_new(const char *address,
                  const struct rpcrt_channel_options *options,
                  struct rpcrt_channel **ret_channel)
{
    struct rpcrt_channel *channel = rpcrt__calloc(1, sizeof *channel);
    struct rpcrt__error error = {.code = RPCRT_OK};
    enum rpcrt_code code;

    if (channel == NULL) {
        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                               "channel: no memory");
        return rpcrt__last_error_set(&error);
    }
    atomic_init(&channel->refs, 1);
    if (options != NULL) {
        channel->options = *options;
    }
    fill_defaults(&channel->options);
    rpcrt__list_init(&channel->connections);
    rpcrt__list_init(&channel->dead);
    rpcrt__list_init(&channel->calls);
    rpcrt__list_init(&channel->waiting);
    rpcrt__delivery_init(&channel->later);
    rpcrt__list_init(&channel->deliveries);
    channel->wake_ns = RPCRT__NEVER;
    code = prepare(channel, address, &error);
    if (code == RPCRT_OK) {
        code = start_threads(channel, &error);
    }
    if (code != RPCRT_OK) {
        free_memory(channel);
        return rpcrt__last_error_set(&error);
    }
    *ret_channel = channel;
    return RPCRT_OK;
}

/* End everything that runs. */
static void
close_channel(struct rpcrt_channel *channel)
{
    struct rpcrt__delivery delivery;
    struct rpcrt__list *node;
    struct rpcrt__list *following;
    struct rpcrt__error error;

    (void)rpcrt__error_set(&error, RPCRT_CANCELLED, "the channel was closed");
    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&channel->lock);
    channel->closing = true;
    RPCRT__LIST_EACH(node, following, &channel->calls)
    {
        rpcrt__call_fail(RPCRT__ELEMENT(node, struct rpcrt_call, live),
                         RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL, &delivery,
                         "%s: the channel was closed", channel->address);
    }
    RPCRT__LIST_EACH(node, following, &channel->connections)
    {
        rpcrt__connection_kill(
            RPCRT__ELEMENT(node, struct rpcrt__connection, node), &error,
            &delivery);
    }
    if (channel->dialing != NULL) {
        rpcrt__client_link_cut(channel->dialing->link);
        pthread_cond_signal(&channel->dialing->settled);
    }
    pthread_cond_signal(&channel->work);
    rpcrt__channel_unlock(channel, &delivery);
}

/* What the timer would have delivered. */
static void
deliver_rest(struct rpcrt_channel *channel)
{
    struct rpcrt__delivery delivery;

    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&channel->lock);
    channel->closed = true;
    move_delivery(&channel->later, &delivery);
    rpcrt__channel_unlock(channel, &delivery);
}

void
rpcrt_channel_free(struct rpcrt_channel *channel)
{
    if (channel == NULL) {
        return;
    }
    close_channel(channel);
    (void)pthread_join(channel->connector, NULL);
    rpcrt__timer_fini(&channel->timer);
    deliver_rest(channel);
    rpcrt__channel_unref(channel);
}

void
rpcrt__channel_ref(struct rpcrt_channel *channel)
{
    atomic_fetch_add(&channel->refs, 1);
}

void
rpcrt__channel_unref(struct rpcrt_channel *channel)
{
    if (atomic_fetch_sub(&channel->refs, 1) == 1) {
        (void)pthread_cond_destroy(&channel->delivered);
        (void)pthread_cond_destroy(&channel->work);
        (void)pthread_mutex_destroy(&channel->lock);
        free_memory(channel);
    }
}

const char *
rpcrt_channel_address(const struct rpcrt_channel *channel)
{
    return channel->address;
}
