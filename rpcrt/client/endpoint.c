/*
 * Endpoints come and go, are judged by how calls on them end, and looked at.
 * Their thread is in connector.c.
 */
#include "client/balance.h"
#include "client/connection.h"

#include "core/alloc.h"
#include "core/wait.h"
#include <stdio.h>

/* -- making and freeing ---------------------------------------------------- */

struct rpcrt__endpoint *
rpcrt__endpoint_new(struct rpcrt_channel *channel, const char *address,
                    const char *server_name)
{
    struct rpcrt__endpoint *endpoint = rpcrt__calloc(1, sizeof *endpoint);

    if (endpoint == NULL) {
        return NULL;
    }
    if (!rpcrt__cond_init(&endpoint->work)) {
        rpcrt__free(endpoint);
        return NULL;
    }
    rpcrt__list_init(&endpoint->node);
    rpcrt__list_init(&endpoint->dead);
    endpoint->channel = channel;
    endpoint->number = ++channel->last_endpoint;
    endpoint->address = rpcrt__strdup(address);
    if (server_name != NULL) {
        endpoint->server_name = rpcrt__strdup(server_name);
    }
    if (endpoint->address == NULL ||
        (server_name != NULL && endpoint->server_name == NULL)) {
        rpcrt__endpoint_free(endpoint);
        return NULL;
    }
    return endpoint;
}

void
rpcrt__endpoint_free(struct rpcrt__endpoint *endpoint)
{
    (void)pthread_cond_destroy(&endpoint->work);
    rpcrt__free(endpoint->server_name);
    rpcrt__free(endpoint->address);
    rpcrt__free(endpoint);
}

void
rpcrt__endpoint_interrupt(struct rpcrt__endpoint *endpoint)
{
    if (endpoint->dialing != NULL) {
        rpcrt__client_link_cut(endpoint->dialing->link);
        pthread_cond_signal(&endpoint->dialing->settled);
    }
    pthread_cond_signal(&endpoint->work);
}

void
rpcrt__endpoint_remove(struct rpcrt__endpoint *endpoint)
{
    struct rpcrt_channel *channel = endpoint->channel;
    struct rpcrt__connection *current = endpoint->current;

    endpoint->removed = true;
    endpoint->wanted = false;
    if (endpoint->ejected_ns != 0) {
        channel->n_ejected--;
    }
    if (current == NULL) {
        channel->n_unconnected--;
    } else {
        (void)rpcrt__error_set(&current->error, RPCRT_UNAVAILABLE,
                               "%s is no longer an address of %s",
                               endpoint->address, channel->address);
        current->state = RPCRT__CONNECTION_DRAINING;
        rpcrt__channel_lost(channel, current);
        channel->n_unconnected--;
    }
    if (endpoint->started) {
        rpcrt__list_append(&channel->removed, &endpoint->node);
        rpcrt__endpoint_interrupt(endpoint);
    } else {
        rpcrt__endpoint_free(endpoint);
    }
}

/* -- health ---------------------------------------------------------------- */

/* Keep calls away, the longer the more often that was needed on end. */
static void
eject(struct rpcrt__endpoint *endpoint)
{
    const struct rpcrt_channel_options *options = &endpoint->channel->options;
    uint64_t ms = options->eject_ms_min;

    for (unsigned i = 0;
         i < endpoint->n_ejections && ms < options->eject_ms_max; i++) {
        ms *= 2;
    }
    if (ms > options->eject_ms_max) {
        ms = options->eject_ms_max;
    }
    if (endpoint->ejected_ns == 0) {
        endpoint->channel->n_ejected++;
    }
    endpoint->n_ejections++;
    endpoint->ejected_ns = rpcrt__now_ns() + ms * RPCRT__MS;
}

static void
take_back(struct rpcrt__endpoint *endpoint)
{
    endpoint->channel->n_ejected--;
    endpoint->ejected_ns = 0;
    endpoint->n_ejections = 0;
}

/* Whether a call failed so as to count; those that end together with their
 * connection are one error. */
static bool
counts(const struct rpcrt_call *call)
{
    struct rpcrt__connection *connection = call->connection;

    if (call->outcome.code != RPCRT_UNAVAILABLE || call->refused) {
        return false;
    }
    if (connection->state == RPCRT__CONNECTION_DEAD) {
        if (connection->blamed) {
            return false;
        }
        connection->blamed = true;
    }
    return true;
}

void
rpcrt__endpoint_judge(struct rpcrt__endpoint *endpoint,
                      const struct rpcrt_call *call)
{
    struct rpcrt_channel *channel = endpoint->channel;
    bool probe = endpoint->probe == call;

    if (call->outcome.code == RPCRT_UNAVAILABLE) {
        endpoint->calls_failed++;
    }
    if (endpoint->removed || call->origin == RPCRT_ORIGIN_LOCAL) {
        return; /* it says nothing about the server */
    }
    if (call->outcome.code != RPCRT_UNAVAILABLE) {
        endpoint->n_errors = 0;
        if (probe && endpoint->ejected_ns != 0) {
            take_back(endpoint);
        }
    } else if (counts(call)) {
        endpoint->n_errors++;
        if (endpoint->ejected_ns != 0) {
            if (probe) {
                eject(endpoint);
            }
        } else if (endpoint->n_errors >= channel->options.eject_errors &&
                   channel->n_ejected + 1 < channel->n_endpoints) {
            eject(endpoint);
        }
    }
}

bool
rpcrt__endpoint_is_healthy(const struct rpcrt__endpoint *endpoint,
                           uint64_t now_ns)
{
    return endpoint->ejected_ns == 0 ||
           (endpoint->probe == NULL && endpoint->ejected_ns <= now_ns);
}

/* -- looking at them ------------------------------------------------------- */

static enum rpcrt_endpoint_state
state_of(const struct rpcrt__endpoint *endpoint, uint64_t now_ns)
{
    if (endpoint->current != NULL) {
        return RPCRT_ENDPOINT_READY;
    }
    if (endpoint->wanted || endpoint->dialing != NULL) {
        return RPCRT_ENDPOINT_CONNECTING;
    }
    return endpoint->retry_ns > now_ns ? RPCRT_ENDPOINT_BACKOFF
                                       : RPCRT_ENDPOINT_IDLE;
}

static void
get_stats(const struct rpcrt__endpoint *endpoint, uint64_t now_ns,
          struct rpcrt_endpoint_stats *ret_stats)
{
    (void)snprintf(ret_stats->address, sizeof ret_stats->address, "%s",
                   endpoint->address);
    (void)snprintf(ret_stats->error, sizeof ret_stats->error, "%s",
                   endpoint->last_error.text);
    ret_stats->state = state_of(endpoint, now_ns);
    ret_stats->ejected = endpoint->ejected_ns != 0;
    ret_stats->calls_in_flight = endpoint->n_calls;
    ret_stats->calls = endpoint->calls;
    ret_stats->calls_failed = endpoint->calls_failed;
    ret_stats->connects = endpoint->connects;
    ret_stats->connects_failed = endpoint->connects_failed;
}

size_t
rpcrt_channel_get_stats(struct rpcrt_channel *channel,
                        struct rpcrt_channel_stats *ret_stats,
                        struct rpcrt_endpoint_stats *endpoints,
                        size_t n_endpoints)
{
    uint64_t now_ns = rpcrt__now_ns();
    size_t n = 0;

    pthread_mutex_lock(&channel->lock);
    while (n < n_endpoints && n < channel->n_endpoints) {
        get_stats(channel->endpoints[n], now_ns, &endpoints[n]);
        n++;
    }
    ret_stats->n_endpoints = channel->n_endpoints;
    ret_stats->calls_waiting = 0;
    for (const struct rpcrt__list *node = channel->waiting.next;
         node != &channel->waiting; node = node->next) {
        ret_stats->calls_waiting++;
    }
    (void)snprintf(ret_stats->resolve_error, sizeof ret_stats->resolve_error,
                   "%s", channel->resolve_error.text);
    pthread_mutex_unlock(&channel->lock);
    return n;
}
