/*
 * A channel: its options, its deadlines, its beginning and its end.
 */
#include "client/balance.h"
#include "client/connection.h"
#include "client/resolve.h"

#include "core/alloc.h"
#include "core/wait.h"
#include <string.h>

/* -- time ------------------------------------------------------------------ */

void
rpcrt__channel_wake(struct rpcrt_channel *channel, uint64_t due_ns)
{
    if (due_ns < channel->wake_ns) {
        channel->wake_ns = due_ns;
        rpcrt__timer_set(&channel->timer, due_ns);
    }
}

/* No answer to a call in time: say who owes it, or why it went nowhere. */
static void
expire(struct rpcrt_call *call, struct rpcrt__delivery *delivery)
{
    const struct rpcrt_channel *channel = call->channel;
    struct rpcrt__error why;
    bool none = rpcrt__channel_why(channel, &why);

    rpcrt__call_fail(call, RPCRT_DEADLINE_EXCEEDED, RPCRT_ORIGIN_LOCAL,
                     delivery, "%s: no answer to %s within its deadline%s%s",
                     call->endpoint != 0 ? call->peer : channel->address,
                     call->method->path, none ? "; " : "",
                     none ? why.text : "");
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
        struct rpcrt_call *call = RPCRT__ELEMENT(node, struct rpcrt_call, live);

        if (call->deadline_ns <= now_ns) {
            expire(call, delivery);
        } else if (call->deadline_ns < next_ns) {
            next_ns = call->deadline_ns;
        }
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
    delivery.tells = true;
    pthread_mutex_lock(&channel->lock);
    rpcrt__delivery_move(&channel->later, &delivery);
    next_ns = expire_calls(channel, now_ns, &delivery);
    next_ns = min_ns(next_ns, rpcrt__attempts_tick(channel, now_ns, &delivery));
    RPCRT__LIST_EACH(node, following, &channel->connections)
    {
        next_ns = min_ns(
            next_ns, rpcrt__connection_tick(
                         RPCRT__ELEMENT(node, struct rpcrt__connection, node),
                         now_ns, &delivery));
    }
    for (size_t i = 0; i < channel->n_endpoints; i++) {
        next_ns = min_ns(next_ns,
                         rpcrt__endpoint_tick(channel->endpoints[i], now_ns));
    }
    if (!rpcrt__list_empty(&channel->waiting)) {
        next_ns = min_ns(next_ns, rpcrt__channel_dial(channel, now_ns));
    }
    /* Many deadlines close to each other cost one look a millisecond. */
    if (next_ns < now_ns + RPCRT__MS) {
        next_ns = now_ns + RPCRT__MS;
    }
    channel->wake_ns = next_ns;
    rpcrt__channel_unlock(channel, &delivery);
    return next_ns;
}

/* -- making and freeing ---------------------------------------------------- */

static void
fill_defaults(struct rpcrt_channel_options *options)
{
#define DEFAULT(member, value)                                                 \
    options->member = options->member == 0 ? (value) : options->member
    DEFAULT(message_size_max, RPCRT_MESSAGE_SIZE_MAX);
    DEFAULT(arena_size_max, RPCRT_ARENA_SIZE_MAX);
    DEFAULT(stream_window, RPCRT_STREAM_WINDOW);
    DEFAULT(contexts, RPCRT_CONTEXTS);
    DEFAULT(connect_timeout_ms, RPCRT_CONNECT_TIMEOUT_MS);
    DEFAULT(backoff_ms_min, RPCRT_BACKOFF_MIN_MS);
    DEFAULT(backoff_ms_max, RPCRT_BACKOFF_MAX_MS);
    DEFAULT(keepalive_ms, RPCRT_KEEPALIVE_MS);
    DEFAULT(keepalive_timeout_ms, RPCRT_KEEPALIVE_TIMEOUT_MS);
    DEFAULT(eject_errors, RPCRT_EJECT_ERRORS);
    DEFAULT(eject_ms_min, RPCRT_EJECT_MS);
    DEFAULT(eject_ms_max, RPCRT_EJECT_MAX_MS);
#undef DEFAULT
}

static enum rpcrt_code
check_options(const struct rpcrt_channel *channel,
              struct rpcrt__error *ret_error, enum rpcrt__target_kind *ret_kind)
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
    if ((unsigned)options->balancing > RPCRT_LEAST_IN_FLIGHT) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "channel %s: no such balancing: %d",
                                channel->address, (int)options->balancing);
    }
    if (options->stream_window > INT32_MAX) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "channel %s: stream_window must be below 2 GiB",
                                channel->address);
    }
    return rpcrt__target_check(channel->address, options->tls != NULL,
                               ret_error, ret_kind);
}

static bool
init_sync(struct rpcrt_channel *channel)
{
    return pthread_mutex_init(&channel->lock, NULL) == 0 &&
           rpcrt__cond_init(&channel->delivered);
}

/* What the service config says of it; the program's own choice comes first. */
static void
apply_balancing(struct rpcrt_channel *channel)
{
    static const enum rpcrt_balancing choices[] = {
        [RPCRT__CONFIG_BALANCING_UNSAID] = RPCRT_PICK_FIRST,
        [RPCRT__CONFIG_PICK_FIRST] = RPCRT_PICK_FIRST,
        [RPCRT__CONFIG_ROUND_ROBIN] = RPCRT_ROUND_ROBIN,
        [RPCRT__CONFIG_LEAST_REQUEST] = RPCRT_LEAST_IN_FLIGHT};

    if (channel->options.balancing == RPCRT_PICK_FIRST) {
        channel->options.balancing = choices[channel->config->balancing];
    }
}

/* Read the service config, if there is one. */
static enum rpcrt_code
prepare_config(struct rpcrt_channel *channel, struct rpcrt__error *ret_error)
{
    const char *json = channel->options.service_config;
    enum rpcrt_code code;

    channel->options.service_config = NULL; /* the caller's; not kept */
    if (json == NULL) {
        return RPCRT_OK;
    }
    code = rpcrt__config_new(json, ret_error, &channel->config);
    if (code == RPCRT_OK) {
        channel->throttle.tokens_max = channel->config->tokens_max;
        channel->throttle.token_ratio = channel->config->token_ratio;
        channel->throttle.tokens = channel->config->tokens_max;
        apply_balancing(channel);
    }
    return code;
}

/* Strings, certificates; what can fail for the caller's reasons. */
static enum rpcrt_code
prepare(struct rpcrt_channel *channel, const char *address,
        struct rpcrt__error *ret_error, enum rpcrt__target_kind *ret_kind)
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
    code = check_options(channel, ret_error, ret_kind);
    if (code == RPCRT_OK) {
        code = prepare_config(channel, ret_error);
    }
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
start(struct rpcrt_channel *channel, enum rpcrt__target_kind kind,
      struct rpcrt__error *ret_error)
{
    enum rpcrt_code code;

    if (rpcrt__timer_init(&channel->timer, on_timer, channel) != RPCRT_OK) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "channel %s: can't start a thread",
                                channel->address);
    }
    code = rpcrt__channel_resolve(channel, kind, ret_error);
    if (code != RPCRT_OK) {
        rpcrt__timer_fini(&channel->timer);
    }
    return code;
}

static void
free_memory(struct rpcrt_channel *channel)
{
    rpcrt__channel_free_endpoints(channel);
    rpcrt__tls_identity_free(channel->tls);
    rpcrt__config_free(channel->config);
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
    enum rpcrt__target_kind kind = RPCRT__TARGET_FIXED;
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
    rpcrt__list_init(&channel->removed);
    rpcrt__list_init(&channel->calls);
    rpcrt__list_init(&channel->waiting);
    rpcrt__list_init(&channel->attempts_due);
    rpcrt__delivery_init(&channel->later);
    rpcrt__list_init(&channel->deliveries);
    rpcrt__list_init(&channel->events);
    channel->wake_ns = RPCRT__NEVER;
    code = prepare(channel, address, &error, &kind);
    if (code == RPCRT_OK) {
        code = start(channel, kind, &error);
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
    for (size_t i = 0; i < channel->n_endpoints; i++) {
        rpcrt__endpoint_interrupt(channel->endpoints[i]);
    }
    RPCRT__LIST_EACH(node, following, &channel->removed)
    {
        rpcrt__endpoint_interrupt(
            RPCRT__ELEMENT(node, struct rpcrt__endpoint, node));
    }
    rpcrt__channel_resolve_again(channel);
    rpcrt__channel_unlock(channel, &delivery);
}

/* What the timer would have delivered. */
static void
deliver_rest(struct rpcrt_channel *channel)
{
    struct rpcrt__delivery delivery;

    rpcrt__delivery_init(&delivery);
    delivery.tells = true;
    pthread_mutex_lock(&channel->lock);
    channel->closed = true;
    rpcrt__delivery_move(&channel->later, &delivery);
    rpcrt__channel_unlock(channel, &delivery);
}

void
rpcrt_channel_free(struct rpcrt_channel *channel)
{
    if (channel == NULL) {
        return;
    }
    close_channel(channel);
    rpcrt__channel_join(channel);
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
        (void)pthread_mutex_destroy(&channel->lock);
        free_memory(channel);
    }
}

const char *
rpcrt_channel_address(const struct rpcrt_channel *channel)
{
    return channel->address;
}
