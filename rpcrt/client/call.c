/*
 * A call: what its user sets and reads, and how a use starts and ends. A
 * blocking use is a started one that the thread waits for.
 */
#include "client/call.h"

#include "client/connection.h"
#include "core/alloc.h"
#include "wire/guard.h"
#include <errno.h>
#include <string.h>

/* Of a thread that is blocked in a call. */
enum { NOBODY_SLEEPS, SLEEPS, OVER };

/* -- making and setting ----------------------------------------------------- */

enum rpcrt_code
rpcrt_call_new(struct rpcrt_channel *channel, uint32_t timeout_ms,
               struct rpcrt_call **ret_call)
{
    struct rpcrt_call *call = rpcrt__calloc(1, sizeof *call);

    if (call == NULL) {
        struct rpcrt__error error;

        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                               "call on %s: no memory", channel->address);
        return rpcrt__last_error_set(&error);
    }
    rpcrt__channel_ref(channel);
    call->channel = channel;
    call->timeout_ms = timeout_ms;
    rpcrt__list_init(&call->live);
    rpcrt__list_init(&call->queue);
    rpcrt__child_init(&call->child);
    rpcrt__metadata_init(&call->metadata, NULL);
    rpcrt__arena_init(&call->arena, channel->options.arena_size_max);
    rpcrt__metadata_init(&call->reply_metadata, &call->arena);
    atomic_init(&call->undelivered, false);
    atomic_init(&call->blocked, OVER);
    (void)sem_init(&call->over, 0, 0);
    *ret_call = call;
    return RPCRT_OK;
}

/* Whether a completion of the call is under way on another thread. [locked] */
static bool
being_delivered(const struct rpcrt_call *call)
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

void
rpcrt_call_free(struct rpcrt_call *call)
{
    if (call == NULL) {
        return;
    }
    pthread_mutex_lock(&call->channel->lock);
    call->freeing = true;
    pthread_mutex_unlock(&call->channel->lock);
    rpcrt_call_cancel(call);
    pthread_mutex_lock(&call->channel->lock);
    if (atomic_load(&call->undelivered) &&
        (call->delivery == &call->channel->later ||
         pthread_equal(call->delivery->thread, pthread_self()))) {
        /* Nobody has begun to deliver it, or this thread has, and frees in one
         * completion a call that ended together with another. */
        struct rpcrt__delivery delivery;

        rpcrt__delivery_init(&delivery);
        rpcrt__list_remove(&call->queue);
        pthread_mutex_unlock(&call->channel->lock);
        rpcrt__call_deliver(call, &delivery);
        pthread_mutex_lock(&call->channel->lock);
    }
    while (being_delivered(call)) {
        pthread_cond_wait(&call->channel->delivered, &call->channel->lock);
    }
    pthread_mutex_unlock(&call->channel->lock);
    rpcrt__metadata_fini(&call->metadata);
    rpcrt__arena_fini(&call->arena);
    (void)sem_destroy(&call->over);
    rpcrt__channel_unref(call->channel);
    rpcrt__free(call);
}

void
rpcrt_call_set_timeout(struct rpcrt_call *call, uint32_t timeout_ms)
{
    call->timeout_ms = timeout_ms;
}

void
rpcrt_call_set_parent(struct rpcrt_call *call, struct rpcrt_ctx *parent)
{
    call->parent = parent;
}

void
rpcrt_call_set_wait_for_ready(struct rpcrt_call *call, bool wait)
{
    call->wait_for_ready = wait;
}

enum rpcrt_code
rpcrt_call_set_metadata(struct rpcrt_call *call, const char *key,
                        const void *value, size_t size)
{
    struct rpcrt__error error;
    enum rpcrt_code code =
        rpcrt__metadata_set(&call->metadata, key, value, size, &error);

    if (code == RPCRT_OK && strcmp(key, "call-id") == 0) {
        call->call_id_inherited = false;
    }
    return code == RPCRT_OK ? code : rpcrt__last_error_set(&error);
}

enum rpcrt_code
rpcrt_call_set_metadata_text(struct rpcrt_call *call, const char *key,
                             const char *value)
{
    return rpcrt_call_set_metadata(call, key, value, strlen(value));
}

/* -- the end of a use ------------------------------------------------------- */

void
rpcrt__call_end(struct rpcrt_call *call, enum rpcrt_code code,
                enum rpcrt_origin origin, struct rpcrt__delivery *delivery)
{
    call->outcome.code = code;
    call->origin = origin;
    call->may_have_run =
        origin == RPCRT_ORIGIN_HANDLER ||
        (call->composed && call->out_sent == call->out_size && !call->refused);
    rpcrt__list_remove(&call->live);
    if (call->connection != NULL) {
        rpcrt__connection_remove(call->connection, call,
                                 origin == RPCRT_ORIGIN_LOCAL);
    }
    rpcrt__list_remove(&call->queue);
    call->state = RPCRT__CALL_IDLE;
    call->delivery = delivery;
    rpcrt__list_append(&delivery->ended, &call->queue);
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

static void
end_child(struct rpcrt_call *call)
{
    if (call->is_child) {
        call->is_child = false;
        rpcrt__child_end(&call->child);
    }
}

void
rpcrt__call_deliver(struct rpcrt_call *call, struct rpcrt__delivery *delivery)
{
    end_child(call);
    if (call->done == NULL) {
        atomic_store(&call->undelivered, false);
        if (atomic_exchange(&call->blocked, OVER) == SLEEPS) {
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
        rpcrt__channel_pump(channel);
    } else {
        call->parent_gone = true;
    }
    pthread_mutex_unlock(&channel->lock);
}

/* -- the start of a use ----------------------------------------------------- */

/* Forget the last use. */
static void
reset(struct rpcrt_call *call, const struct rpcrt_method *method)
{
    rpcrt__arena_reset(&call->arena);
    rpcrt__metadata_init(&call->reply_metadata, &call->arena);
    if (call->method != method) {
        call->method = method;
        call->method_session = 0;
    }
    call->parent_gone = false;
    call->composed = false;
    call->out_sent = 0;
    call->reply_open = false;
    call->reply = NULL;
    call->reply_message = NULL;
    call->may_have_run = false;
    call->refused = false;
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

/* Metadata and request as bytes in the call's memory. */
static enum rpcrt_code
serialize(struct rpcrt_call *call, const ProtobufCMessage *request)
{
    size_t metadata_size;
    size_t size;

    if (inherit_call_id(call) != RPCRT_OK) {
        return call->outcome.code;
    }
    metadata_size = call->metadata.encoded_size;
    size = protobuf_c_message_get_packed_size(request);
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
    (void)protobuf_c_message_pack(request, call->out + metadata_size);
    call->out_size = (uint32_t)(metadata_size + size);
    call->out_metadata_size = (uint32_t)metadata_size;
    call->n_out_metadata = (uint16_t)call->metadata.n_entries;
    return RPCRT_OK;
}

static void
set_deadline(struct rpcrt_call *call)
{
    uint64_t now_ns = 0;

    if (call->timeout_ms != 0) {
        now_ns = rpcrt__now_ns();
    }
    call->deadline_ns = rpcrt__deadline_ns(now_ns, call->timeout_ms);
    if (call->parent != NULL) {
        uint64_t parent_ns = rpcrt__ctx_parent(call->parent)->deadline_ns;

        if (parent_ns < call->deadline_ns) {
            call->deadline_ns = parent_ns;
        }
    }
}

/* Give the call to a connection, or let it wait for one. [locked] */
static void
place(struct rpcrt_call *call, struct rpcrt__delivery *delivery)
{
    struct rpcrt_channel *channel = call->channel;
    struct rpcrt__connection *current = channel->current;
    uint32_t size = call->out_size - call->out_metadata_size;

    if (channel->closing) {
        rpcrt__call_fail(call, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL, delivery,
                         "%s: the channel was closed", channel->address);
    } else if (current != NULL && size > current->message_size_max) {
        rpcrt__call_fail(call, RPCRT_RESOURCE_EXHAUSTED, RPCRT_ORIGIN_LOCAL,
                         delivery,
                         "%s: request of %u bytes, the server takes %u",
                         call->method->path, size, current->message_size_max);
    } else if (current != NULL) {
        if (!rpcrt__connection_add(current, call)) {
            rpcrt__call_fail(call, RPCRT_RESOURCE_EXHAUSTED,
                             RPCRT_ORIGIN_LOCAL, delivery, "%s: no memory",
                             call->method->path);
        }
    } else if (!call->wait_for_ready && channel->dialing == NULL &&
               channel->retry_ns > rpcrt__now_ns()) {
        rpcrt__channel_fail_call(channel, call, delivery);
    } else {
        rpcrt__list_append(&channel->waiting, &call->queue);
        pthread_cond_signal(&channel->work);
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
        pthread_mutex_unlock(&channel->lock);
        end_child(call);
        return;
    }
    call->state = RPCRT__CALL_WAITING;
    atomic_store(&call->undelivered, true);
    rpcrt__list_append(&channel->calls, &call->live);
    if (call->parent_gone) {
        rpcrt__call_fail(call, RPCRT_CANCELLED, RPCRT_ORIGIN_LOCAL, &delivery,
                         "%s: the call that it was made for is over",
                         call->method->path);
    } else if (!ready) {
        rpcrt__call_end(call, code, RPCRT_ORIGIN_LOCAL, &delivery);
    } else {
        rpcrt__channel_wake(channel, call->deadline_ns);
        place(call, &delivery);
    }
    if (call->done != NULL && !rpcrt__list_empty(&delivery.ended)) {
        /* Not on this stack: it may be a completion that started the call. */
        rpcrt__channel_deliver_later(channel, &delivery);
    }
    rpcrt__channel_unlock(channel, &delivery);
}

void
rpcrt_call_start(struct rpcrt_call *call, const struct rpcrt_method *method,
                 const ProtobufCMessage *request, rpcrt_done_fn *done,
                 void *arg)
{
    reset(call, method);
    call->done = done;
    call->done_arg = arg;
    set_deadline(call);
    if (serialize(call, request) == RPCRT_OK && call->parent != NULL) {
        call->is_child =
            rpcrt__child_begin(&call->child, rpcrt__ctx_parent(call->parent),
                               cancel_child, call);
        if (!call->is_child) {
            call->parent_gone = true;
        }
    }
    launch(call);
}

/* -- waiting ---------------------------------------------------------------- */

/* Looking for the end for a while before going to sleep, as others do, made a
 * lone call slower on every machine measured: the core is needed for the
 * transport's threads. */
static void
wait_until_over(struct rpcrt_call *call)
{
    int expected = NOBODY_SLEEPS;

    if (atomic_compare_exchange_strong(&call->blocked, &expected, SLEEPS)) {
        while (sem_wait(&call->over) != 0 && errno == EINTR) {
        }
    }
}

enum rpcrt_code
rpcrt_call_unary(struct rpcrt_call *call, const struct rpcrt_method *method,
                 const ProtobufCMessage *request,
                 const ProtobufCMessage **ret_reply)
{
    atomic_store(&call->blocked, NOBODY_SLEEPS);
    rpcrt_call_start(call, method, request, NULL, NULL);
    wait_until_over(call);
    return rpcrt_call_take(call, ret_reply);
}

/* -- the outcome ------------------------------------------------------------ */

static enum rpcrt_code
unpack_reply(struct rpcrt_call *call)
{
    const ProtobufCMessageDescriptor *type = call->method->reply;
    struct rpcrt__error error;
    enum rpcrt_code code =
        rpcrt__guard_check(type, call->reply, call->reply_size, &error);

    if (code != RPCRT_OK) {
        call->origin = RPCRT_ORIGIN_LOCAL;
        return rpcrt__error_set(&call->outcome, RPCRT_INTERNAL,
                                "%s: reply can't be read: %s",
                                call->method->path, error.text);
    }
    call->reply_message = protobuf_c_message_unpack(
        type, &call->arena.allocator, call->reply_size, call->reply);
    if (call->reply_message == NULL) {
        call->origin = RPCRT_ORIGIN_LOCAL;
        return rpcrt__error_set(&call->outcome, RPCRT_RESOURCE_EXHAUSTED,
                                "%s: a reply of %u bytes does not fit into "
                                "the call's memory",
                                call->method->path, call->reply_size);
    }
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt_call_take(struct rpcrt_call *call, const ProtobufCMessage **ret_reply)
{
    if (call->outcome.code == RPCRT_OK && call->reply_message == NULL) {
        (void)unpack_reply(call);
    }
    if (call->outcome.code == RPCRT_OK) {
        *ret_reply = call->reply_message;
    }
    return call->outcome.code;
}

enum rpcrt_code
rpcrt_call_code(const struct rpcrt_call *call)
{
    return call->outcome.code;
}

const char *
rpcrt_call_message(const struct rpcrt_call *call)
{
    return call->outcome.text[0] != '\0' ? call->outcome.text
                                         : rpcrt_code_text(call->outcome.code);
}

enum rpcrt_origin
rpcrt_call_origin(const struct rpcrt_call *call)
{
    return call->origin;
}

bool
rpcrt_call_may_have_run(const struct rpcrt_call *call)
{
    return call->may_have_run;
}

const void *
rpcrt_call_details(const struct rpcrt_call *call, size_t *ret_size)
{
    *ret_size = call->details_size;
    return call->details;
}

const char *
rpcrt_call_metadata(const struct rpcrt_call *call, const char *key,
                    size_t *ret_size)
{
    return rpcrt__metadata_get(&call->reply_metadata, key, ret_size);
}
