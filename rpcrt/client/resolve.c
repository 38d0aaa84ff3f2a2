/*
 * Keeping the endpoints of a channel in step with what its address stands for.
 */
#include "client/resolve.h"

#include "client/balance.h"
#include "core/alloc.h"
#include "core/wait.h"
#include <string.h>

/* After a failure names and files are looked at no sooner than that. */
#define PAUSE_MS 1000u

struct rpcrt__resolver {
    pthread_t thread;
    pthread_cond_t work;
    uint64_t period_ns;
    bool again; /* soon */
    bool away;  /* in a look-up, without the lock */
};

/* -- the list -------------------------------------------------------------- */

static struct rpcrt__endpoint *
find(struct rpcrt__endpoint **endpoints, size_t n,
     const struct rpcrt__server *server)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = endpoints[i]->server_name;

        if (strcmp(endpoints[i]->address, server->address) == 0 &&
            strcmp(name == NULL ? "" : name, server->server_name) == 0) {
            return endpoints[i];
        }
    }
    return NULL;
}

static bool
is_among(struct rpcrt__endpoint **endpoints, size_t n,
         const struct rpcrt__endpoint *endpoint)
{
    for (size_t i = 0; i < n; i++) {
        if (endpoints[i] == endpoint) {
            return true;
        }
    }
    return false;
}

/* The endpoints of a list, in its order: those that there are, and new ones.
 * NULL without memory; then nothing was made. */
static struct rpcrt__endpoint **
make_endpoints(struct rpcrt_channel *channel,
               const struct rpcrt__servers *servers)
{
    struct rpcrt__endpoint **made =
        rpcrt__calloc(servers->n, sizeof(struct rpcrt__endpoint *));
    bool ok = made != NULL;
    size_t n = 0;

    while (ok && n < servers->n) {
        const struct rpcrt__server *server = &servers->list[n];

        made[n] = find(channel->endpoints, channel->n_endpoints, server);
        if (made[n] == NULL) {
            made[n] = rpcrt__endpoint_new(
                channel, server->address,
                server->server_name[0] == '\0' ? NULL : server->server_name);
        }
        ok = made[n] != NULL;
        n += ok;
    }
    while (!ok && n > 0) {
        n--;
        if (!is_among(channel->endpoints, channel->n_endpoints, made[n])) {
            rpcrt__endpoint_free(made[n]);
        }
    }
    if (!ok) {
        rpcrt__free(made);
    }
    return ok ? made : NULL;
}

/* Take a list over; false, and nothing changed, without memory. [locked] */
static bool
take_over(struct rpcrt_channel *channel, const struct rpcrt__servers *servers)
{
    struct rpcrt__endpoint **old = channel->endpoints;
    size_t n_old = channel->n_endpoints;
    struct rpcrt__endpoint **endpoints = make_endpoints(channel, servers);

    if (endpoints == NULL) {
        return false;
    }
    channel->endpoints = endpoints;
    channel->n_endpoints = servers->n;
    channel->unplaced = true;
    for (size_t i = 0; i < servers->n; i++) {
        if (!is_among(old, n_old, endpoints[i])) {
            channel->n_unconnected++;
        }
    }
    for (size_t i = 0; i < n_old; i++) {
        if (!is_among(endpoints, servers->n, old[i])) {
            rpcrt__endpoint_remove(old[i]);
        }
    }
    rpcrt__free(old);
    return true;
}

/* -- the thread ------------------------------------------------------------ */

/* One look. [locked; unlocks meanwhile] */
static void
look(struct rpcrt_channel *channel)
{
    struct rpcrt__error error = {.code = RPCRT_OK};
    struct rpcrt__delivery delivery;
    struct rpcrt__servers servers;
    enum rpcrt_code code;

    channel->resolver->again = false;
    channel->resolver->away = true;
    pthread_mutex_unlock(&channel->lock);
    rpcrt__servers_init(&servers);
    code = rpcrt__target_resolve(channel->address, channel->tls != NULL, &error,
                                 &servers);
    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&channel->lock);
    channel->resolver->away = false;
    if (!channel->closing) {
        if (code == RPCRT_OK && !take_over(channel, &servers)) {
            (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                                   "%s: no memory", channel->address);
        }
        channel->resolve_error = error;
        if (error.code != RPCRT_OK) {
            rpcrt__channel_give_up(channel, &delivery);
        }
    }
    rpcrt__servers_fini(&servers);
    rpcrt__channel_unlock(channel, &delivery);
    pthread_mutex_lock(&channel->lock);
}

/* Join endpoints that were removed: all, or those that have ended. [locked;
 * unlocks meanwhile] */
static void
join_removed(struct rpcrt_channel *channel, bool all)
{
    struct rpcrt__list *node = channel->removed.next;

    while (node != &channel->removed) {
        struct rpcrt__endpoint *endpoint =
            RPCRT__ELEMENT(node, struct rpcrt__endpoint, node);

        if (!all && !endpoint->ended) {
            node = node->next;
            continue;
        }
        rpcrt__list_remove(node);
        pthread_mutex_unlock(&channel->lock);
        (void)pthread_join(endpoint->thread, NULL);
        rpcrt__endpoint_free(endpoint);
        pthread_mutex_lock(&channel->lock);
        node = channel->removed.next;
    }
}

/* Wait until it is time to look again. [locked; unlocks meanwhile] */
static void
rest(struct rpcrt_channel *channel)
{
    struct rpcrt__resolver *resolver = channel->resolver;
    uint64_t began_ns = rpcrt__now_ns();
    uint64_t pause_ns = PAUSE_MS * RPCRT__MS;
    uint64_t soon_ns =
        began_ns +
        (resolver->period_ns < pause_ns ? resolver->period_ns : pause_ns);
    bool in_time = true;

    resolver->again = channel->n_endpoints == 0;
    while (in_time && !channel->closing) {
        join_removed(channel, false);
        if (!channel->closing) {
            in_time = rpcrt__cond_wait(
                &resolver->work, &channel->lock,
                resolver->again ? soon_ns : began_ns + resolver->period_ns);
        }
    }
}

static void *
run(void *arg)
{
    struct rpcrt_channel *channel = arg;

    pthread_mutex_lock(&channel->lock);
    while (!channel->closing) {
        look(channel);
        rest(channel);
    }
    pthread_mutex_unlock(&channel->lock);
    rpcrt__channel_unref(channel);
    return NULL;
}

void
rpcrt__channel_resolve_again(struct rpcrt_channel *channel)
{
    if (channel->resolver != NULL) {
        channel->resolver->again = true;
        pthread_cond_signal(&channel->resolver->work);
    }
}

/* -- life ------------------------------------------------------------------ */

static enum rpcrt_code
start(struct rpcrt_channel *channel, enum rpcrt__target_kind kind,
      struct rpcrt__error *ret_error)
{
    struct rpcrt__resolver *resolver = rpcrt__calloc(1, sizeof *resolver);
    uint64_t ms = channel->options.resolve_ms;

    if (resolver == NULL || !rpcrt__cond_init(&resolver->work)) {
        rpcrt__free(resolver);
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "channel %s: no memory", channel->address);
    }
    if (ms == 0) {
        ms = kind == RPCRT__TARGET_FILE ? RPCRT_FILE_LOOK_MS : RPCRT_RESOLVE_MS;
    }
    resolver->period_ns = ms * RPCRT__MS;
    channel->resolver = resolver;
    rpcrt__channel_ref(channel);
    if (pthread_create(&resolver->thread, NULL, run, channel) != 0) {
        channel->resolver = NULL;
        (void)pthread_cond_destroy(&resolver->work);
        rpcrt__free(resolver);
        (void)atomic_fetch_sub(&channel->refs, 1);
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "channel %s: can't start a thread",
                                channel->address);
    }
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__channel_resolve(struct rpcrt_channel *channel,
                       enum rpcrt__target_kind kind,
                       struct rpcrt__error *ret_error)
{
    struct rpcrt__servers servers;
    enum rpcrt_code code;

    if (kind != RPCRT__TARGET_FIXED) {
        return start(channel, kind, ret_error);
    }
    rpcrt__servers_init(&servers);
    code = rpcrt__target_resolve(channel->address, channel->tls != NULL,
                                 ret_error, &servers);
    if (code == RPCRT_OK && !take_over(channel, &servers)) {
        code = rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "channel %s: no memory", channel->address);
    }
    rpcrt__servers_fini(&servers);
    return code;
}

void
rpcrt__channel_join(struct rpcrt_channel *channel)
{
    bool away = false;

    pthread_mutex_lock(&channel->lock);
    if (channel->resolver != NULL) {
        away = channel->resolver->away;
        if (away) {
            (void)pthread_detach(channel->resolver->thread);
        }
    }
    pthread_mutex_unlock(&channel->lock);
    if (channel->resolver != NULL && !away) {
        (void)pthread_join(channel->resolver->thread, NULL);
    }
    for (size_t i = 0; i < channel->n_endpoints; i++) {
        if (channel->endpoints[i]->started) {
            (void)pthread_join(channel->endpoints[i]->thread, NULL);
        }
    }
    pthread_mutex_lock(&channel->lock);
    join_removed(channel, true);
    pthread_mutex_unlock(&channel->lock);
}

void
rpcrt__channel_free_endpoints(struct rpcrt_channel *channel)
{
    for (size_t i = 0; i < channel->n_endpoints; i++) {
        rpcrt__endpoint_free(channel->endpoints[i]);
    }
    rpcrt__free(channel->endpoints);
    if (channel->resolver != NULL) {
        (void)pthread_cond_destroy(&channel->resolver->work);
        rpcrt__free(channel->resolver);
    }
}
