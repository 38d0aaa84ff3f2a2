/*
 * Further attempts are calls with a completion of the runtime's, so that none
 * of them ends another on the stack where it ended itself. A call whose own
 * attempt is over while others run is idle: on no connection and in no queue.
 */
#include "client/hedge.h"

#include "client/balance.h"
#include "client/connection.h"

#include <string.h>

bool
rpcrt__hedge_is_on(const struct rpcrt_call *call)
{
    const struct rpcrt_retry_policy *policy = call->attempts.policy;

    /* The servers that could help don't know the key of this one. */
    return policy != NULL && policy->hedging_ms != 0 &&
           (call->method->flags &
            (RPCRT_METHOD_NO_SIDE_EFFECTS | RPCRT_METHOD_IDEMPOTENT)) != 0;
}

/* Whether there may be one more. */
static bool
may_start(const struct rpcrt_call *call)
{
    return !call->attempts.stopped &&
           call->attempts.n < rpcrt__attempts_max(call->attempts.policy) &&
           rpcrt__throttle_open(&call->channel->throttle) &&
           !call->channel->closing;
}

/* -- after a failure ------------------------------------------------------- */

/* An attempt failed, which `failed` tells of. Have the next one begun as the
 * server wants it; false if there is none. */
static bool
schedule_next(struct rpcrt_call *call, const struct rpcrt_call *failed)
{
    uint32_t ms = 0;
    enum rpcrt__pushback pushback = rpcrt__pushback_get(failed, &ms);
    uint64_t due_ns = rpcrt__now_ns() + ms * RPCRT__MS;

    rpcrt__throttle_failed(&call->channel->throttle);
    if (pushback == RPCRT__PUSHBACK_NEVER) {
        call->attempts.stopped = true;
    }
    rpcrt__list_remove(&call->attempts.due);
    if (!may_start(call) || due_ns >= call->deadline_ns) {
        return false;
    }
    rpcrt__attempts_schedule(call, RPCRT__NEXT_HEDGE, due_ns);
    return true;
}

bool
rpcrt__hedge_go_on(struct rpcrt_call *call, enum rpcrt_code code,
                   enum rpcrt_origin origin)
{
    bool more = schedule_next(call, call);

    if (!more && rpcrt__list_empty(&call->attempts.hedges)) {
        return false;
    }
    rpcrt__attempts_forget(call, code, origin);
    call->attempts.idle = true;
    return true;
}

/* -- the end --------------------------------------------------------------- */

/* Let those that run end by themselves: nobody wants to know. [locked] */
static void
drop(struct rpcrt_call *call, struct rpcrt__delivery *delivery)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(&call->attempts.hedges)) != NULL) {
        struct rpcrt_call *other =
            RPCRT__ELEMENT(node, struct rpcrt_call, attempts.hedge);

        other->attempts.primary = NULL;
        if (other->state != RPCRT__CALL_IDLE) {
            rpcrt__call_fail(other, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL,
                             delivery, "another attempt was faster");
        }
    }
}

void
rpcrt__hedge_end(struct rpcrt_call *call)
{
    struct rpcrt__delivery delivery;

    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&call->channel->lock);
    drop(call, &delivery);
    rpcrt__channel_unlock(call->channel, &delivery);
}

/* The memory of one arena becomes that of the other. */
static void
swap_memory(struct rpcrt__arena *a, struct rpcrt__arena *b)
{
    struct rpcrt__arena was = *a;

    a->blocks = b->blocks;
    a->size = b->size;
    a->exhausted = b->exhausted;
    b->blocks = was.blocks;
    b->size = was.size;
    b->exhausted = was.exhausted;
}

/* The call ends as one of its attempts did. [locked] */
static void
adopt(struct rpcrt_call *call, struct rpcrt_call *other,
      struct rpcrt__delivery *delivery)
{
    enum rpcrt_code code = other->outcome.code;

    if (call->connection != NULL) {
        call->attempts.may_have_run =
            call->attempts.may_have_run ||
            rpcrt__call_may_run(call, RPCRT_ORIGIN_LOCAL);
        call->origin = RPCRT_ORIGIN_LOCAL; /* nobody's fault */
        rpcrt__connection_remove(call->connection, call, true);
    }
    rpcrt__list_remove(&call->queue);
    rpcrt__list_remove(&call->attempts.due);
    drop(call, delivery); /* they send what stands in the call's memory */
    swap_memory(&call->arena, &other->arena);
    call->attempts.text = NULL;
    call->reply = other->reply;
    call->reply_size = other->reply_size;
    call->details = other->details;
    call->details_size = other->details_size;
    call->headers_came = other->headers_came;
    call->reply_headers = other->reply_headers;
    call->reply_headers.arena = &call->arena;
    call->reply_metadata = other->reply_metadata;
    call->reply_metadata.arena = &call->arena;
    call->outcome = other->outcome;
    call->endpoint = other->endpoint;
    memcpy(call->peer, other->peer, sizeof call->peer);
    call->composed = other->composed;
    call->out_sent = other->out_sent;
    call->refused = other->refused;
    if (code == RPCRT_OK) {
        rpcrt__throttle_succeeded(&call->channel->throttle);
    }
    rpcrt__call_end_now(call, code, other->origin, delivery);
}

/* Whether an attempt of the call runs, or will. [locked] */
static bool
is_alive(const struct rpcrt_call *call)
{
    return !call->attempts.idle || !rpcrt__list_empty(&call->attempts.hedges) ||
           !rpcrt__list_empty(&call->attempts.due);
}

/* A further attempt is over. */
static void
on_done(struct rpcrt_call *other, void *arg)
{
    struct rpcrt_channel *channel = other->channel;
    enum rpcrt_code code = other->outcome.code;
    struct rpcrt__delivery delivery;
    struct rpcrt_call *call;

    (void)arg;
    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&channel->lock);
    rpcrt__list_remove(&other->attempts.hedge);
    call = other->attempts.primary;
    if (call != NULL && call->state != RPCRT__CALL_IDLE) {
        call->attempts.may_have_run =
            call->attempts.may_have_run || other->may_have_run;
        if (code != RPCRT_OK &&
            rpcrt__attempts_want(call->attempts.policy, code)) {
            (void)schedule_next(call, other);
            if (!is_alive(call)) {
                adopt(call, other, &delivery);
            }
        } else if (other->origin != RPCRT_ORIGIN_LOCAL || !is_alive(call)) {
            adopt(call, other, &delivery);
        }
    }
    rpcrt__channel_unlock(channel, &delivery);
    rpcrt_call_free(other);
}

/* -- the beginning --------------------------------------------------------- */

/* A further attempt that shares the request; NULL without memory. [locked] */
static struct rpcrt_call *
make(struct rpcrt_call *call)
{
    struct rpcrt_call *other;

    if (rpcrt_call_new(call->channel, 0, &other) != RPCRT_OK) {
        return NULL;
    }
    other->method = call->method;
    other->wait_for_ready = call->wait_for_ready;
    other->reply_size_max = call->reply_size_max;
    other->deadline_ns = call->deadline_ns;
    other->avoid = call->endpoint;
    other->out = call->out;
    other->out_size = call->out_size;
    other->out_metadata_size = call->out_metadata_size;
    other->n_out_metadata = call->n_out_metadata;
    other->attempts.n = call->attempts.n;
    other->started_ns = call->started_ns;
    other->attempts.key_size = call->attempts.key_size;
    memcpy(other->attempts.extra, call->attempts.extra,
           call->attempts.key_size);
    other->attempts.primary = call;
    rpcrt__list_append(&call->attempts.hedges, &other->attempts.hedge);
    other->done = on_done;
    return other;
}

void
rpcrt__hedge_start(struct rpcrt_call *call, uint64_t now_ns,
                   struct rpcrt__delivery *delivery)
{
    struct rpcrt__attempts *attempts = &call->attempts;
    struct rpcrt_call *other;

    if (!may_start(call)) {
        return;
    }
    attempts->n++;
    if (may_start(call)) {
        rpcrt__attempts_schedule(call, RPCRT__NEXT_HEDGE,
                                 now_ns +
                                     attempts->policy->hedging_ms * RPCRT__MS);
    }
    if (attempts->idle) {
        attempts->idle = false;
        rpcrt__channel_place(call, delivery);
        return;
    }
    other = make(call);
    if (other == NULL) {
        return;
    }
    attempts->hedged = true;
    other->state = RPCRT__CALL_WAITING;
    atomic_store(&other->undelivered, true);
    /* Before the call, where who walks over the list has been. */
    rpcrt__list_append(&call->live, &other->live);
    rpcrt__channel_place(other, delivery);
}
