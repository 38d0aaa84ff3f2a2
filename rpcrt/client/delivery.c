/*
 * How calls that ended get to their owners: outside of the channel's lock, a
 * batch at a time; what completions start is sent when the batch is through.
 */
#include "client/balance.h"
#include "client/stream.h"

/* The channel whose completions this thread is delivering: calls that they
 * start are sent together when all are through. */
static _Thread_local struct rpcrt_channel *delivering;

void
rpcrt__delivery_init(struct rpcrt__delivery *delivery)
{
    rpcrt__list_init(&delivery->node);
    rpcrt__list_init(&delivery->ended);
    delivery->tells = false;
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

/* -- events of streams ----------------------------------------------------- */

void
rpcrt__channel_add_event(struct rpcrt_channel *channel, struct rpcrt_call *call)
{
    if (rpcrt__list_empty(&call->event_node)) {
        rpcrt__list_append(&channel->events, &call->event_node);
    }
}

void
rpcrt__channel_drop_events(struct rpcrt_channel *channel,
                           struct rpcrt_call *call)
{
    call->on_event = NULL;
    while (call->telling && !pthread_equal(call->teller, pthread_self())) {
        (void)pthread_cond_wait(&channel->delivered, &channel->lock);
    }
}

/* Wake the threads that wait for streams; who is to be called back stays in the
 * list. As late as that: they need the lock. [locked] */
static void
wake_streams(struct rpcrt_channel *channel)
{
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    RPCRT__LIST_EACH(node, following, &channel->events)
    {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, event_node);

        rpcrt__call_stream_signal(call);
        if (call->on_event == NULL) {
            rpcrt__list_remove(node);
        }
    }
}

/* One thread at a time tells one owner. [locked; unlocks meanwhile] */
static void
tell_owners(struct rpcrt_channel *channel)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(&channel->events)) != NULL) {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, event_node);

        call->tell_again = true;
        if (call->telling) {
            continue;
        }
        call->telling = true;
        call->teller = pthread_self();
        while (call->tell_again && call->on_event != NULL) {
            rpcrt_event_fn *on_event = call->on_event;
            void *arg = call->event_arg;

            call->tell_again = false;
            pthread_mutex_unlock(&channel->lock);
            on_event(call, arg);
            pthread_mutex_lock(&channel->lock);
            wake_streams(channel);
        }
        call->telling = false;
        pthread_cond_broadcast(&channel->delivered);
    }
}

/* [locked; unlocks] */
static void
release(struct rpcrt_channel *channel, bool tells)
{
    rpcrt__channel_pump(channel);
    wake_streams(channel);
    if (tells) {
        tell_owners(channel);
    } else if (!rpcrt__list_empty(&channel->events) && !channel->closed) {
        /* Not on this stack: its owner may hold a lock of his own. */
        rpcrt__channel_wake(channel, rpcrt__now_ns());
    }
    pthread_mutex_unlock(&channel->lock);
}

void
rpcrt__channel_release(struct rpcrt_channel *channel)
{
    release(channel, false);
}

/* -- both ------------------------------------------------------------------ */

void
rpcrt__channel_unlock(struct rpcrt_channel *channel,
                      struct rpcrt__delivery *delivery)
{
    struct rpcrt_channel *outer = delivering;

    if (channel->unplaced) {
        rpcrt__channel_place_waiting(channel, delivery);
    }
    if (!has_callbacks(delivery)) {
        release(channel, delivery->tells);
        deliver_all(delivery);
        return;
    }
    rpcrt__list_append(&channel->deliveries, &delivery->node);
    wake_streams(channel);
    pthread_mutex_unlock(&channel->lock);
    delivering = channel;
    deliver_all(delivery);
    delivering = outer;
    pthread_mutex_lock(&channel->lock);
    rpcrt__list_remove(&delivery->node);
    pthread_cond_broadcast(&channel->delivered);
    release(channel, delivery->tells);
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
