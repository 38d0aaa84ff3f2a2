/*
 * One use of a call, from start to end. A blocking use is a started one that
 * the thread waits for.
 */
#define _GNU_SOURCE /* sem_clockwait() */
#include "client/balance.h"
#include "client/hedge.h"
#include "client/queue.h"
#include "client/stream.h"
#include "core/wait.h"

#include <errno.h>
#include <string.h>

/* -- the end of a use ------------------------------------------------------ */

void
rpcrt__call_end(struct rpcrt_call *call, enum rpcrt_code code,
                enum rpcrt_origin origin, struct rpcrt__delivery *delivery)
{
    if (!rpcrt__attempts_go_on(call, code, origin)) {
        rpcrt__call_end_now(call, code, origin, delivery);
    }
}

void
rpcrt__call_end_now(struct rpcrt_call *call, enum rpcrt_code code,
                    enum rpcrt_origin origin, struct rpcrt__delivery *delivery)
{
    call->outcome.code = code;
    call->origin = origin;
    call->ended_ns =
        call->connection != NULL && (origin == RPCRT_ORIGIN_HANDLER ||
                                     origin == RPCRT_ORIGIN_RUNTIME)
            ? call->connection->heard_ns
            : rpcrt__now_ns();
    call->may_have_run = rpcrt__call_may_run(call, origin);
    rpcrt__attempts_tell(call);
    rpcrt__list_remove(&call->live);
    if (call->connection != NULL) {
        rpcrt__connection_remove(call->connection, call,
                                 origin == RPCRT_ORIGIN_LOCAL);
    }
    rpcrt__list_remove(&call->queue);
    call->state = RPCRT__CALL_IDLE;
    call->delivery = delivery;
    rpcrt__list_append(&delivery->ended, &call->queue);
    if (call->streaming) {
        rpcrt__call_stream_end(call);
    }
}

void
rpcrt__call_fail(struct rpcrt_call *call, enum rpcrt_code code,
                 enum rpcrt_origin origin, struct rpcrt__delivery *delivery,
                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)rpcrt__text_format(call->outcome.text, sizeof call->outcome.text,
                             format, args);
    va_end(args);
    rpcrt__call_end(call, code, origin, delivery);
}

/* The use is over, its owner not told yet. */
static void
leave(struct rpcrt_call *call)
{
    rpcrt__call_end_chain(call);
    if (call->is_child) {
        call->is_child = false;
        rpcrt__child_end(&call->child);
    }
}

void
rpcrt__call_deliver(struct rpcrt_call *call, struct rpcrt__delivery *delivery)
{
    if (call->attempts.hedged) {
        rpcrt__hedge_end(call);
    }
    leave(call);
    if (call->done == NULL) {
        if (atomic_exchange(&call->blocked, RPCRT__OVER) == RPCRT__ASLEEP) {
            (void)sem_post(&call->over);
        }
        return;
    }
    atomic_store(&delivery->current, call);
    atomic_store(&call->undelivered, false);
    call->done(call, call->done_arg);
    atomic_store(&delivery->current, NULL);
}

void
rpcrt_call_cancel(struct rpcrt_call *call)
{
    struct rpcrt_channel *channel = call->channel;
    struct rpcrt__delivery delivery;

    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&channel->lock);
    if (call->state != RPCRT__CALL_IDLE) {
        rpcrt__call_fail(call, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL, &delivery,
                         "%s: cancelled by the caller", call->method->path);
    }
    rpcrt__channel_unlock(channel, &delivery);
}

/* A parent was cancelled. It runs under the lock of all parents, which a
 * completion may take: so the connector delivers. */
static void
cancel_child(void *arg)
{
    struct rpcrt_call *call = arg;
    struct rpcrt_channel *channel = call->channel;
    struct rpcrt__delivery delivery;

    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&channel->lock);
    if (call->state != RPCRT__CALL_IDLE) {
        rpcrt__call_fail(call, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL, &delivery,
                         "%s: the call that it was made for is over",
                         call->method->path);
        rpcrt__channel_deliver_later(channel, &delivery);
    } else {
        call->parent_gone = true;
    }
    rpcrt__channel_release(channel);
}

/* -- the start of a use ---------------------------------------------------- */

/* Forget the last use. */
static void
reset(struct rpcrt_call *call, const struct rpcrt_method *method)
{
    rpcrt__arena_reset(&call->arena);
    rpcrt__metadata_init(&call->reply_headers, &call->arena);
    rpcrt__metadata_init(&call->reply_metadata, &call->arena);
    call->headers_came = false;
    if (call->method != method) {
        call->method = method;
        call->method_session = 0;
    }
    rpcrt__attempts_reset(&call->attempts);
    call->parent_gone = false;
    call->composed = false;
    call->endpoint = 0;
    call->avoid = 0;
    call->out_sent = 0;
    call->reply_open = false;
    call->reply = NULL;
    call->reply_message = NULL;
    call->may_have_run = false;
    call->refused = false;
    call->slots = NULL;
    call->has_span = false;
    call->details = NULL;
    call->details_size = 0;
    call->outcome.code = RPCRT_OK;
    call->outcome.text[0] = '\0';
    call->origin = RPCRT_ORIGIN_LOCAL;
}

/* The parent's name for what goes on, unless the caller gave one. */
static enum rpcrt_code
inherit_call_id(struct rpcrt_call *call)
{
    const char *call_id;

    if (call->parent == NULL) {
        if (call->call_id_inherited) {
            rpcrt__metadata_remove(&call->metadata, "call-id");
            call->call_id_inherited = false;
        }
        return RPCRT_OK;
    }
    if (!call->call_id_inherited &&
        rpcrt__metadata_get(&call->metadata, "call-id", NULL) != NULL) {
        return RPCRT_OK;
    }
    call_id = rpcrt__ctx_parent(call->parent)->call_id;
    if (rpcrt__metadata_set(&call->metadata, "call-id", call_id,
                            strlen(call_id), &call->outcome) == RPCRT_OK) {
        call->call_id_inherited = true;
    }
    return call->outcome.code;
}

/* Metadata and request, which a stream of the client has not, as bytes in the
 * call's memory. */
static enum rpcrt_code
serialize(struct rpcrt_call *call, const ProtobufCMessage *request)
{
    size_t metadata_size;
    size_t size = 0;

    if (inherit_call_id(call) != RPCRT_OK ||
        rpcrt__call_carry_trace(call) != RPCRT_OK) {
        return call->outcome.code;
    }
    metadata_size = call->metadata.encoded_size;
    if (request != NULL) {
        size = protobuf_c_message_get_packed_size(request);
    }
    if (size > UINT32_MAX / 2) {
        return rpcrt__error_set(&call->outcome, RPCRT_RESOURCE_EXHAUSTED,
                                "%s: request of %zu bytes", call->method->path,
                                size);
    }
    call->out = rpcrt__arena_alloc(&call->arena, metadata_size + size);
    if (call->out == NULL) {
        return rpcrt__error_set(&call->outcome, RPCRT_RESOURCE_EXHAUSTED,
                                "%s: no memory for a request of %zu bytes",
                                call->method->path, size);
    }
    rpcrt__metadata_encode(&call->metadata, call->out);
    if (request != NULL) {
        (void)protobuf_c_message_pack(request, call->out + metadata_size);
    }
    call->out_size = (uint32_t)(metadata_size + size);
    call->out_metadata_size = (uint32_t)metadata_size;
    call->n_out_metadata = (uint16_t)call->metadata.n_entries;
    return RPCRT_OK;
}

static void
set_deadline(struct rpcrt_call *call)
{
    call->started_ns = rpcrt__now_ns();
    call->deadline_ns = rpcrt__deadline_ns(call->started_ns, call->timeout_ms);
    if (call->parent != NULL) {
        uint64_t parent_ns = rpcrt__ctx_parent(call->parent)->deadline_ns;

        if (parent_ns < call->deadline_ns) {
            call->deadline_ns = parent_ns;
        }
    }
}

/* From here on the channel has the call. */
static void
launch(struct rpcrt_call *call)
{
    struct rpcrt_channel *channel = call->channel;
    struct rpcrt__delivery delivery;
    bool ready = call->outcome.code == RPCRT_OK;
    enum rpcrt_code code = call->outcome.code;

    rpcrt__delivery_init(&delivery);
    pthread_mutex_lock(&channel->lock);
    if (call->done != NULL && rpcrt__channel_is_over(channel, call)) {
        (void)rpcrt__error_set(&call->outcome, RPCRT_CANCELLED,
                               "%s: the call or its channel is being freed",
                               call->method->path);
        pthread_mutex_unlock(&channel->lock);
        leave(call);
        if (call->completion_queue != NULL) {
            rpcrt_queue_done(call, call->completion_queue);
        }
        return;
    }
    call->state = RPCRT__CALL_WAITING;
    atomic_store(&call->undelivered, call->done != NULL);
    rpcrt__list_append(&channel->calls, &call->live);
    if (call->parent_gone) {
        rpcrt__call_fail(call, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL, &delivery,
                         "%s: the call that it was made for is over",
                         call->method->path);
    } else if (!ready) {
        rpcrt__call_end(call, code, RPCRT_ORIGIN_LOCAL, &delivery);
    } else {
        rpcrt__channel_wake(channel, call->deadline_ns);
        rpcrt__attempts_launched(call);
        rpcrt__channel_place(call, &delivery);
    }
    if (call->done != NULL && !rpcrt__list_empty(&delivery.ended)) {
        /* Not on this stack: it may be a completion that started the call. */
        rpcrt__channel_deliver_later(channel, &delivery);
    }
    rpcrt__channel_unlock(channel, &delivery);
}

/* What each use begins with. */
static void
prepare(struct rpcrt_call *call, const struct rpcrt_method *method,
        rpcrt_done_fn *done, void *arg)
{
    rpcrt__call_stream_leave(call);
    rpcrt__queue_leave(call);
    reset(call, method);
    call->done = done;
    call->done_arg = arg;
    if (done == rpcrt_queue_done) {
        rpcrt__queue_join(arg, call);
    } else if (done == NULL) {
        atomic_store(&call->blocked, RPCRT__AWAKE);
    }
    rpcrt__call_begin_chain(call);
    set_deadline(call);
}

/* And what it ends with, also if its outcome says that it can't begin. */
static void
go(struct rpcrt_call *call, const ProtobufCMessage *request)
{
    if (call->outcome.code == RPCRT_OK &&
        serialize(call, request) == RPCRT_OK) {
        rpcrt__attempts_begin(call);
    }
    if (call->outcome.code == RPCRT_OK && call->parent != NULL) {
        call->is_child = rpcrt__child_begin(
            &call->child, rpcrt__ctx_parent(call->parent), cancel_child, call);
        if (!call->is_child) {
            call->parent_gone = true;
        }
    }
    launch(call);
}

static bool
is_stream(const struct rpcrt_method *method)
{
    return (method->flags & (RPCRT_METHOD_CLIENT_STREAMING |
                             RPCRT_METHOD_SERVER_STREAMING)) != 0;
}

void
rpcrt_call_start(struct rpcrt_call *call, const struct rpcrt_method *method,
                 const ProtobufCMessage *request, rpcrt_done_fn *done,
                 void *arg)
{
    prepare(call, method, done, arg);
    if (is_stream(method)) {
        (void)rpcrt__error_set(&call->outcome, RPCRT_INVALID_ARGUMENT,
                               "%s: a stream is opened, not started",
                               method->path);
    }
    go(call, request);
}

void
rpcrt_call_open(struct rpcrt_call *call, const struct rpcrt_method *method,
                const ProtobufCMessage *request)
{
    bool sends = (method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0;

    prepare(call, method, NULL, NULL);
    if (!is_stream(method)) {
        (void)rpcrt__error_set(&call->outcome, RPCRT_INVALID_ARGUMENT,
                               "%s: is started, as it is no stream",
                               method->path);
    } else if (!rpcrt__call_stream_begin(call)) {
        (void)rpcrt__error_set(&call->outcome, RPCRT_RESOURCE_EXHAUSTED,
                               "%s: no memory for a stream", method->path);
    }
    go(call, sends ? NULL : request);
}

/* -- waiting --------------------------------------------------------------- */

/* Looking for the end for a while before going to sleep, as others do, made a
 * lone call slower on every machine measured: the core is needed for the
 * transport's threads. */
bool
rpcrt__call_wait_over(struct rpcrt_call *call, uint64_t end_ns)
{
    struct timespec end = {.tv_sec = (time_t)(end_ns / (1000 * RPCRT__MS)),
                           .tv_nsec = (long)(end_ns % (1000 * RPCRT__MS))};
    int expected = RPCRT__AWAKE;
    int failed;
    bool over;

    if (!atomic_compare_exchange_strong(&call->blocked, &expected,
                                        RPCRT__ASLEEP)) {
        return true;
    }
    do {
        failed = end_ns == RPCRT__NEVER
                     ? sem_wait(&call->over)
                     : sem_clockwait(&call->over, CLOCK_MONOTONIC, &end);
    } while (failed != 0 && errno == EINTR);
    expected = RPCRT__ASLEEP;
    over = !atomic_compare_exchange_strong(&call->blocked, &expected,
                                           RPCRT__AWAKE);
    if (over && failed != 0) {
        /* It ended when the time was over: the post is there, or under way. */
        while (sem_wait(&call->over) != 0 && errno == EINTR) {
        }
    }
    return over;
}

enum rpcrt_code
rpcrt_call_wait(struct rpcrt_call *call, int timeout_ms)
{
    struct rpcrt_channel *channel = call->channel;
    uint64_t end_ns = rpcrt__wait_end_ns(timeout_ms);
    bool in_time = true;
    bool over;

    pthread_mutex_lock(&channel->lock);
    while (call->done != NULL && rpcrt__call_in_delivery(call) && in_time) {
        in_time = rpcrt__cond_wait(&channel->delivered, &channel->lock, end_ns);
    }
    over = !rpcrt__call_in_delivery(call);
    pthread_mutex_unlock(&channel->lock);
    if (call->done == NULL) {
        over = rpcrt__call_wait_over(call, end_ns);
    }
    if (!over) {
        return RPCRT_DEADLINE_EXCEEDED;
    }
    rpcrt__queue_leave(call);
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt_call_unary(struct rpcrt_call *call, const struct rpcrt_method *method,
                 const ProtobufCMessage *request,
                 const ProtobufCMessage **ret_reply)
{
    rpcrt_call_start(call, method, request, NULL, NULL);
    (void)rpcrt__call_wait_over(call, RPCRT__NEVER);
    return rpcrt_call_take(call, ret_reply);
}
