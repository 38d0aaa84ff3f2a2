/*
 * Attempts one after the other. A call that waits for its next attempt is on no
 * connection and in no queue, but in channel->attempts_due, which the channel's
 * timer looks at; so nothing is started where an attempt ends.
 */
#include "client/retry.h"

#include "client/balance.h"
#include "client/connection.h"
#include "client/hedge.h"

#include <inttypes.h>
#include <string.h>

/* Servers in a row that may say that they are going away. */
#define ELSEWHERE_MAX 2u

/* -- the beginning --------------------------------------------------------- */

void
rpcrt__attempts_init(struct rpcrt__attempts *attempts)
{
    rpcrt__list_init(&attempts->due);
    rpcrt__list_init(&attempts->hedges);
    rpcrt__list_init(&attempts->hedge);
}

void
rpcrt__attempts_reset(struct rpcrt__attempts *attempts)
{
    attempts->policy = NULL;
    attempts->n = 1;
    attempts->n_elsewhere = 0;
    attempts->may_have_run = false;
    attempts->bound = false;
    attempts->text = NULL;
    attempts->hedged = false;
    attempts->idle = false;
    attempts->stopped = false;
}

/* What the service config says about the call's use. */
static void
apply_config(struct rpcrt_call *call)
{
    const struct rpcrt__config *config = call->channel->config;
    const struct rpcrt__config_method *method = call->config;
    uint32_t size = call->out_size - call->out_metadata_size;

    if (config != NULL && call->configured_method != call->method) {
        method = rpcrt__config_find(config, call->method->path);
        call->config = method;
        call->configured_method = call->method;
    }
    if (!call->wait_chosen) {
        call->wait_for_ready = method != NULL && method->wait_for_ready;
    }
    call->request_size_max = UINT32_MAX;
    call->reply_size_max = call->channel->options.message_size_max;
    if (method == NULL) {
        return;
    }
    if (method->timeout_ms != 0) {
        uint64_t end_ns =
            rpcrt__deadline_ns(rpcrt__now_ns(), method->timeout_ms);

        call->deadline_ns =
            end_ns < call->deadline_ns ? end_ns : call->deadline_ns;
    }
    if (method->has_reply_max &&
        method->reply_size_max < call->reply_size_max) {
        call->reply_size_max = method->reply_size_max;
    }
    if (method->has_request_max) {
        call->request_size_max = method->request_size_max;
    }
    if (size > call->request_size_max) {
        (void)rpcrt__error_set(&call->outcome, RPCRT_RESOURCE_EXHAUSTED,
                               "%s: request of %" PRIu32 " bytes, the service "
                               "config allows %" PRIu32,
                               call->method->path, size,
                               call->request_size_max);
    }
}

/* NULL: one attempt. Whatever is configured, only a method that says it may be
 * executed again is; and not a stream. */
static const struct rpcrt_retry_policy *
choose_policy(const struct rpcrt_call *call)
{
    uint32_t flags = call->method->flags;

    if ((flags & (RPCRT_METHOD_NO_SIDE_EFFECTS | RPCRT_METHOD_IDEMPOTENT |
                  RPCRT_METHOD_ONCE)) == 0 ||
        (flags & (RPCRT_METHOD_CLIENT_STREAMING |
                  RPCRT_METHOD_SERVER_STREAMING)) != 0) {
        return NULL;
    }
    return call->config != NULL && call->config->policy.attempts_max > 0
               ? &call->config->policy
               : call->method->retry;
}

void
rpcrt__attempts_begin(struct rpcrt_call *call)
{
    apply_config(call);
    call->attempts.policy = choose_policy(call);
    rpcrt__extra_begin(call);
}

void
rpcrt__attempts_launched(struct rpcrt_call *call)
{
    if (rpcrt__hedge_is_on(call) && call->state != RPCRT__CALL_IDLE) {
        rpcrt__attempts_schedule(
            call, RPCRT__NEXT_HEDGE,
            call->started_ns + call->attempts.policy->hedging_ms * RPCRT__MS);
    }
}

/* -- after a failure ------------------------------------------------------- */

void
rpcrt__attempts_schedule(struct rpcrt_call *call, enum rpcrt__next next,
                         uint64_t due_ns)
{
    call->attempts.next = next;
    call->attempts.due_ns = due_ns;
    rpcrt__list_remove(&call->attempts.due);
    rpcrt__list_append(&call->channel->attempts_due, &call->attempts.due);
    rpcrt__channel_wake(call->channel, due_ns);
}

void
rpcrt__attempts_forget(struct rpcrt_call *call, enum rpcrt_code code,
                       enum rpcrt_origin origin)
{
    struct rpcrt__attempts *attempts = &call->attempts;
    bool once = (call->method->flags &
                 (RPCRT_METHOD_ONCE | RPCRT_METHOD_IDEMPOTENT |
                  RPCRT_METHOD_NO_SIDE_EFFECTS)) == RPCRT_METHOD_ONCE;

    attempts->code = code;
    attempts->origin = origin;
    attempts->text = rpcrt__arena_copy(&call->arena, call->outcome.text,
                                       strlen(call->outcome.text));
    call->outcome.text[0] = '\0';
    if (rpcrt__call_may_run(call, origin)) {
        attempts->may_have_run = true;
        if (once && !attempts->bound && call->connection != NULL) {
            attempts->bound = true;
            attempts->instance = call->connection->instance;
        }
    }
    if (call->connection != NULL) {
        call->outcome.code = code;
        call->origin = origin;
        rpcrt__connection_remove(call->connection, call, false);
    }
    rpcrt__list_remove(&call->queue);
    call->avoid = call->endpoint;
    call->state = RPCRT__CALL_WAITING;
    call->composed = false;
    call->out_sent = 0;
    call->reply_open = false;
    call->reply = NULL;
    call->refused = false;
    call->details = NULL;
    call->details_size = 0;
    call->headers_came = false;
    rpcrt__metadata_init(&call->reply_headers, &call->arena);
    rpcrt__metadata_init(&call->reply_metadata, &call->arena);
}

/* gRFC A6: initial * multiplier^(n - 1), cut, with a jitter of a fifth. */
static uint64_t
backoff_ns(const struct rpcrt_retry_policy *policy, uint32_t n)
{
    double factor = policy->backoff_factor > 0 ? policy->backoff_factor
                                               : RPCRT_RETRY_BACKOFF_FACTOR;
    double ms = policy->backoff_ms_min > 0 ? policy->backoff_ms_min
                                           : RPCRT_RETRY_BACKOFF_MIN_MS;
    double max_ms = policy->backoff_ms_max > 0 ? policy->backoff_ms_max
                                               : RPCRT_RETRY_BACKOFF_MAX_MS;
    uint64_t ns;

    for (uint32_t i = 1; i < n && ms < max_ms; i++) {
        ms *= factor;
    }
    ns = (uint64_t)((ms < max_ms ? ms : max_ms) * (double)RPCRT__MS);
    return ns - ns / 5 + (ns > 0 ? rpcrt__random() % (ns / 5 * 2 + 1) : 0);
}

/* What a server refused because it is going away may be sent to another one,
 * whatever the method is. */
static bool
go_on_elsewhere(struct rpcrt_call *call, enum rpcrt_code code,
                enum rpcrt_origin origin)
{
    const struct rpcrt__connection *connection = call->connection;

    /* What a stream has sent is not kept. */
    if (call->streaming || !call->refused || code != RPCRT_UNAVAILABLE ||
        connection == NULL || call->attempts.n_elsewhere == ELSEWHERE_MAX ||
        (call->channel->n_endpoints == 1 &&
         connection->endpoint->current == connection)) {
        return false;
    }
    call->attempts.n_elsewhere++;
    rpcrt__attempts_forget(call, code, origin);
    rpcrt__attempts_schedule(call, RPCRT__NEXT_AGAIN, rpcrt__now_ns());
    return true;
}

uint32_t
rpcrt__attempts_max(const struct rpcrt_retry_policy *policy)
{
    uint32_t n_max =
        policy->attempts_max == 0 ? RPCRT_RETRY_ATTEMPTS : policy->attempts_max;

    return n_max < RPCRT_ATTEMPTS_MAX ? n_max : RPCRT_ATTEMPTS_MAX;
}

bool
rpcrt__attempts_want(const struct rpcrt_retry_policy *policy,
                     enum rpcrt_code code)
{
    uint32_t codes = policy->codes == 0 && policy->hedging_ms == 0
                         ? UINT32_C(1) << RPCRT_UNAVAILABLE
                         : policy->codes;

    return (codes >> code & 1) != 0;
}

/* Another attempt by the policy, which has the code. */
static bool
go_on_later(struct rpcrt_call *call, enum rpcrt_code code,
            enum rpcrt_origin origin)
{
    struct rpcrt__attempts *attempts = &call->attempts;
    struct rpcrt__throttle *throttle = &call->channel->throttle;
    uint32_t ms = 0;
    enum rpcrt__pushback pushback = rpcrt__pushback_get(call, &ms);
    uint64_t due_ns = rpcrt__now_ns();

    rpcrt__throttle_failed(throttle);
    due_ns += pushback == RPCRT__PUSHBACK_AFTER
                  ? ms * RPCRT__MS
                  : backoff_ns(attempts->policy, attempts->n);
    if (attempts->n >= rpcrt__attempts_max(attempts->policy) ||
        pushback == RPCRT__PUSHBACK_NEVER || !rpcrt__throttle_open(throttle) ||
        due_ns >= call->deadline_ns) {
        return false;
    }
    rpcrt__attempts_forget(call, code, origin);
    rpcrt__attempts_schedule(call, RPCRT__NEXT_RETRY, due_ns);
    return true;
}

bool
rpcrt__attempts_go_on(struct rpcrt_call *call, enum rpcrt_code code,
                      enum rpcrt_origin origin)
{
    const struct rpcrt_retry_policy *policy = call->attempts.policy;

    rpcrt__list_remove(&call->attempts.due);
    if (code == RPCRT_OK || origin == RPCRT_ORIGIN_LOCAL ||
        call->channel->closing) {
        if (code == RPCRT_OK && policy != NULL) {
            rpcrt__throttle_succeeded(&call->channel->throttle);
        }
        return false;
    }
    if (go_on_elsewhere(call, code, origin)) {
        return true;
    }
    if (policy == NULL || !rpcrt__attempts_want(policy, code)) {
        return false;
    }
    return rpcrt__hedge_is_on(call) ? rpcrt__hedge_go_on(call, code, origin)
                                    : go_on_later(call, code, origin);
}

/* -- the next attempt ------------------------------------------------------ */

bool
rpcrt__attempts_fit(const struct rpcrt_call *call,
                    const struct rpcrt__connection *connection)
{
    return !call->attempts.bound ||
           call->attempts.instance == connection->instance;
}

void
rpcrt__attempts_end_stray(struct rpcrt_call *call,
                          struct rpcrt__delivery *delivery)
{
    const char *why = call->attempts.text == NULL ? "" : call->attempts.text;

    call->attempts.policy = NULL;
    (void)rpcrt__error_set(&call->outcome, call->attempts.code,
                           "%s; the server that may have executed the call is "
                           "gone, and no other one can know",
                           why);
    rpcrt__call_end(call, call->attempts.code, call->attempts.origin, delivery);
}

static void
begin_next(struct rpcrt_call *call, uint64_t now_ns,
           struct rpcrt__delivery *delivery)
{
    enum rpcrt__next next = call->attempts.next;

    rpcrt__list_remove(&call->attempts.due);
    call->attempts.next = RPCRT__NEXT_NONE;
    if (next == RPCRT__NEXT_HEDGE) {
        rpcrt__hedge_start(call, now_ns, delivery);
    } else {
        call->attempts.n += next == RPCRT__NEXT_RETRY;
        call->attempts.idle = false;
        rpcrt__channel_place(call, delivery);
    }
}

uint64_t
rpcrt__attempts_tick(struct rpcrt_channel *channel, uint64_t now_ns,
                     struct rpcrt__delivery *delivery)
{
    uint64_t next_ns = RPCRT__NEVER;
    struct rpcrt__list due;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    /* What begins may fail at once, and be due again. */
    rpcrt__list_init(&due);
    RPCRT__LIST_EACH(node, following, &channel->attempts_due)
    {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, attempts.due);

        if (call->attempts.due_ns <= now_ns) {
            rpcrt__list_remove(node);
            rpcrt__list_append(&due, node);
        }
    }
    while ((node = rpcrt__list_take(&due)) != NULL) {
        begin_next(RPCRT__ELEMENT(node, struct rpcrt_call, attempts.due),
                   now_ns, delivery);
    }
    for (node = channel->attempts_due.next; node != &channel->attempts_due;
         node = node->next) {
        uint64_t due_ns = RPCRT__ELEMENT(node, struct rpcrt_call, attempts.due)
                              ->attempts.due_ns;

        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    return next_ns;
}

/* -- the outcome ----------------------------------------------------------- */

void
rpcrt__attempts_tell(struct rpcrt_call *call)
{
    const struct rpcrt__attempts *attempts = &call->attempts;
    char text[RPCRT_TEXT_SIZE];

    call->may_have_run = call->may_have_run || attempts->may_have_run;
    if (attempts->n == 1 || attempts->primary != NULL ||
        call->outcome.code == RPCRT_OK) {
        return;
    }
    memcpy(text, call->outcome.text, sizeof text);
    (void)rpcrt__error_set(
        &call->outcome, call->outcome.code, "%s; attempt %" PRIu32 "%s%s", text,
        attempts->n,
        call->origin == RPCRT_ORIGIN_LOCAL && attempts->text != NULL
            ? "; the one before: "
            : "",
        call->origin == RPCRT_ORIGIN_LOCAL && attempts->text != NULL
            ? attempts->text
            : "");
}
