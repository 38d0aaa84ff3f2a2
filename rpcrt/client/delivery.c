/*
 * How calls that ended get to their owners: outside of the channel's lock, a
 * batch at a time; what completions start is sent when the batch is through.
 */
#include "client/balance.h"
#include "client/connection.h"

/* The channel whose completions this thread is delivering: calls that they
 * start are sent together when all are through. */
static _Thread_local struct rpcrt_channel *delivering;

void
rpcrt__delivery_init(struct rpcrt__delivery *delivery)
{
    rpcrt__list_init(&delivery->node);
    rpcrt__list_init(&delivery->ended);
    delivery->thread = pthread_self();
    atomic_init(&delivery->current, NULL);
}

void
rpcrt__delivery_move(struct rpcrt__delivery *from, struct rpcrt__delivery *to)
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

        rpcrt__delivery_move(delivery, &channel->later);
        rpcrt__channel_wake(channel, rpcrt__now_ns() + pause_ns);
    }
}

bool
rpcrt__channel_is_over(const struct rpcrt_channel *channel,
                       const struct rpcrt_call *call)
{
    return call->freeing || (channel->closing && delivering == channel);
}

bool
rpcrt__call_in_delivery(const struct rpcrt_call *call)
{
    struct rpcrt__list *deliveries = &call->channel->deliveries;

    if (atomic_load(&call->undelivered)) {
        return true;
    }
    for (struct rpcrt__list *node = deliveries->next; node != deliveries;
         node = node->next) {
        struct rpcrt__delivery *delivery =
            RPCRT__ELEMENT(node, struct rpcrt__delivery, node);

        if (atomic_load(&delivery->current) == call &&
            !pthread_equal(delivery->thread, pthread_self())) {
            return true;
        }
    }
    return false;
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

    if (channel->unplaced) {
        rpcrt__channel_place_waiting(channel, delivery);
    }
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
