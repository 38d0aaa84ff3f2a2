/*
 * The choice among endpoints: by the channel's option, passing over those that
 * are ejected as long as there are others.
 */
#include "client/balance.h"

#include "client/connection.h"
#include <string.h>

/* -- where to -------------------------------------------------------------- */

/* The endpoint that a call goes to, or NULL: none is connected. With `any`,
 * health does not count. */
static struct rpcrt__endpoint *
pick(struct rpcrt_channel *channel, const struct rpcrt_call *call, bool any)
{
    enum rpcrt_balancing how = channel->options.balancing;
    uint64_t now_ns = channel->n_ejected > 0 ? rpcrt__now_ns() : 0;
    struct rpcrt__endpoint *best = NULL;
    size_t at = how == RPCRT_PICK_FIRST ? 0 : channel->next_endpoint;

    for (size_t i = 0; i < channel->n_endpoints; i++, at++) {
        struct rpcrt__endpoint *endpoint =
            channel->endpoints[at % channel->n_endpoints];

        if (endpoint->current == NULL ||
            !rpcrt__attempts_fit(call, endpoint->current) ||
            (!any && !rpcrt__endpoint_is_healthy(endpoint, now_ns))) {
            continue;
        }
        if (best == NULL || best->number == call->avoid ||
            (how == RPCRT_LEAST_IN_FLIGHT && endpoint->number != call->avoid &&
             endpoint->n_calls < best->n_calls)) {
            best = endpoint;
        }
        if (how != RPCRT_LEAST_IN_FLIGHT && best->number != call->avoid) {
            break;
        }
    }
    if (how != RPCRT_PICK_FIRST && best != NULL) {
        channel->next_endpoint = (at + 1) % channel->n_endpoints;
    }
    return best;
}

/* Note where the call went, for rpcrt_call_peer(). */
static void
set_peer(struct rpcrt_call *call, const struct rpcrt__endpoint *endpoint)
{
    if (call->endpoint != endpoint->number) {
        call->endpoint = endpoint->number;
        memcpy(call->peer, endpoint->address, strlen(endpoint->address) + 1);
    }
}

static void
give(struct rpcrt__endpoint *endpoint, struct rpcrt_call *call,
     struct rpcrt__delivery *delivery)
{
    struct rpcrt__connection *connection = endpoint->current;
    uint32_t size = call->out_size - call->out_metadata_size;

    set_peer(call, endpoint);
    if (size > connection->message_size_max) {
        rpcrt__call_fail(
            call, RPCRT_RESOURCE_EXHAUSTED, RPCRT_ORIGIN_LOCAL, delivery,
            "%s: request of %u bytes, the server takes %u", call->method->path,
            size, connection->message_size_max);
    } else if (!rpcrt__connection_add(connection, call)) {
        rpcrt__call_fail(call, RPCRT_RESOURCE_EXHAUSTED, RPCRT_ORIGIN_LOCAL,
                         delivery, "%s: no memory", call->method->path);
    } else {
        endpoint->calls++;
        endpoint->n_calls++;
        if (endpoint->ejected_ns != 0) {
            endpoint->probe = call;
        }
    }
}

/* -- dialing --------------------------------------------------------------- */

uint64_t
rpcrt__channel_dial(struct rpcrt_channel *channel, uint64_t now_ns)
{
    bool first_only = channel->options.balancing == RPCRT_PICK_FIRST;
    bool awaited = !rpcrt__list_empty(&channel->waiting);
    uint64_t next_ns = RPCRT__NEVER;

    if (channel->closing || (!awaited && first_only)) {
        return next_ns;
    }
    for (size_t i = 0; i < channel->n_endpoints; i++) {
        struct rpcrt__endpoint *endpoint = channel->endpoints[i];
        uint64_t due_ns;

        if (endpoint->current != NULL) {
            continue;
        }
        if (endpoint->retry_ns > now_ns) {
            due_ns = endpoint->retry_ns;
        } else {
            if (!endpoint->wanted && endpoint->dialing == NULL) {
                rpcrt__endpoint_dial(endpoint, now_ns);
            }
            due_ns =
                endpoint->dial_began_ns + RPCRT_DIAL_STAGGER_MS * RPCRT__MS;
            if (!first_only || due_ns <= now_ns) {
                continue;
            }
            if (i + 1 == channel->n_endpoints) {
                break;
            }
            return due_ns;
        }
        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    return awaited ? next_ns : RPCRT__NEVER;
}

static void
dial_now(struct rpcrt_channel *channel)
{
    uint64_t next_ns = rpcrt__channel_dial(channel, rpcrt__now_ns());

    if (next_ns != RPCRT__NEVER) {
        rpcrt__channel_wake(channel, next_ns);
    }
}

/* Whether a connection is about to come, or may. */
static bool
is_hopeful(const struct rpcrt_channel *channel)
{
    uint64_t now_ns = rpcrt__now_ns();

    for (size_t i = 0; i < channel->n_endpoints; i++) {
        const struct rpcrt__endpoint *endpoint = channel->endpoints[i];

        if (endpoint->current == NULL &&
            (endpoint->wanted || endpoint->dialing != NULL ||
             endpoint->retry_ns <= now_ns)) {
            return true;
        }
    }
    return channel->n_endpoints == 0 && channel->resolve_error.code == RPCRT_OK;
}

/* -- placing --------------------------------------------------------------- */

/* End a call because no connection can be had, with the last reason. */
static void
fail_unplaced(struct rpcrt_channel *channel, struct rpcrt_call *call,
              struct rpcrt__delivery *delivery)
{
    struct rpcrt__error why;
    enum rpcrt_code code;

    if (!rpcrt__channel_why(channel, &why)) {
        (void)rpcrt__error_set(&why, RPCRT_UNAVAILABLE,
                               "%s: no connection to the server that may have "
                               "executed the call",
                               channel->address);
    }
    /* Whatever came between: to the caller it is that he can't get through,
     * but for a server, or this end, that has all it can have. */
    code = why.code == RPCRT_RESOURCE_EXHAUSTED ? why.code : RPCRT_UNAVAILABLE;
    rpcrt__call_fail(call, code, RPCRT_ORIGIN_TRANSPORT, delivery, "%s",
                     why.text);
}

/* Give the call away if there is a connection for it. */
static bool
place_now(struct rpcrt_channel *channel, struct rpcrt_call *call,
          struct rpcrt__delivery *delivery)
{
    struct rpcrt__endpoint *endpoint = pick(channel, call, false);

    if (endpoint == NULL && channel->n_ejected > 0 && !is_hopeful(channel)) {
        /* Better one that may fail than none. */
        endpoint = pick(channel, call, true);
    }
    if (endpoint == NULL && call->attempts.bound &&
        channel->n_unconnected == 0) {
        rpcrt__attempts_end_stray(call, delivery);
        return true;
    }
    if (endpoint == NULL) {
        return false;
    }
    rpcrt__list_remove(&call->queue);
    give(endpoint, call, delivery);
    return true;
}

void
rpcrt__channel_place(struct rpcrt_call *call, struct rpcrt__delivery *delivery)
{
    struct rpcrt_channel *channel = call->channel;

    if (channel->closing) {
        rpcrt__call_fail(call, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL, delivery,
                         "%s: the channel was closed", channel->address);
        return;
    }
    if (place_now(channel, call, delivery)) {
        if (channel->n_unconnected > 0 &&
            channel->options.balancing != RPCRT_PICK_FIRST) {
            dial_now(channel);
        }
    } else if (!call->wait_for_ready && !is_hopeful(channel)) {
        fail_unplaced(channel, call, delivery);
    } else {
        rpcrt__list_append(&channel->waiting, &call->queue);
        dial_now(channel);
    }
}

void
rpcrt__channel_place_waiting(struct rpcrt_channel *channel,
                             struct rpcrt__delivery *delivery)
{
    struct rpcrt__list pending;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    channel->unplaced = false;
    if (rpcrt__list_empty(&channel->waiting) || channel->closing) {
        return;
    }
    rpcrt__list_init(&pending);
    rpcrt__list_move(&channel->waiting, &pending);
    RPCRT__LIST_EACH(node, following, &pending)
    {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, queue);

        if (!place_now(channel, call, delivery)) {
            rpcrt__list_remove(node);
            rpcrt__list_append(&channel->waiting, node);
        }
    }
    dial_now(channel);
}

/* -- when there is none ---------------------------------------------------- */

bool
rpcrt__channel_why(const struct rpcrt_channel *channel,
                   struct rpcrt__error *ret_why)
{
    struct rpcrt__error so_far = channel->resolve_error;

    *ret_why = so_far;
    for (size_t i = 0; i < channel->n_endpoints; i++) {
        const struct rpcrt__endpoint *endpoint = channel->endpoints[i];
        const struct rpcrt__error *error = &endpoint->last_error;

        if (endpoint->current != NULL) {
            return false;
        }
        if (error->text[0] == '\0') {
            continue;
        }
        if (so_far.text[0] == '\0') {
            *ret_why = *error;
        } else {
            (void)rpcrt__error_set(
                ret_why,
                so_far.code == error->code ? error->code : RPCRT_UNAVAILABLE,
                "%s; %s", so_far.text, error->text);
        }
        so_far = *ret_why;
    }
    if (ret_why->text[0] == '\0') {
        (void)rpcrt__error_set(ret_why, RPCRT_UNAVAILABLE, "still connecting");
    }
    return true;
}

void
rpcrt__channel_give_up(struct rpcrt_channel *channel,
                       struct rpcrt__delivery *delivery)
{
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    rpcrt__channel_place_waiting(channel, delivery);
    if (is_hopeful(channel)) {
        return;
    }
    RPCRT__LIST_EACH(node, following, &channel->waiting)
    {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, queue);

        if (!call->wait_for_ready) {
            fail_unplaced(channel, call, delivery);
        }
    }
}
