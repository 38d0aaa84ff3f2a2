/*
 * A call: what its user sets, and what he reads of its outcome.
 */
#include "client/queue.h"
#include "client/stream.h"

#include "core/alloc.h"
#include "wire/guard.h"
#include <string.h>

/* -- making and setting ---------------------------------------------------- */

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
    rpcrt__list_init(&call->place_node);
    rpcrt__list_init(&call->event_node);
    rpcrt__child_init(&call->child);
    rpcrt__attempts_init(&call->attempts);
    rpcrt__metadata_init(&call->metadata, NULL);
    rpcrt__arena_init(&call->arena, channel->options.arena_size_max);
    rpcrt__metadata_init(&call->reply_headers, &call->arena);
    rpcrt__metadata_init(&call->reply_metadata, &call->arena);
    atomic_init(&call->undelivered, false);
    atomic_init(&call->done, NULL);
    atomic_init(&call->completion_queue, NULL);
    atomic_init(&call->blocked, RPCRT__OVER);
    (void)sem_init(&call->over, 0, 0);
    *ret_call = call;
    return RPCRT_OK;
}

void
rpcrt_call_free(struct rpcrt_call *call)
{
    if (call == NULL) {
        return;
    }
    rpcrt__queue_leave(call);
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
    while (rpcrt__call_in_delivery(call)) {
        (void)pthread_cond_wait(&call->channel->delivered,
                                &call->channel->lock);
    }
    pthread_mutex_unlock(&call->channel->lock);
    if (call->done == NULL) {
        /* Its last completion may have started it without one. */
        rpcrt_call_cancel(call);
        (void)rpcrt__call_wait_over(call, RPCRT__NEVER);
    }
    rpcrt__queue_leave(call);
    rpcrt_call_on_event(call, NULL, NULL);
    rpcrt__call_stream_free(call);
    rpcrt__metadata_fini(&call->metadata);
    rpcrt__free(call->trace_state);
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
rpcrt_call_set_tag(struct rpcrt_call *call, void *tag)
{
    call->tag = tag;
}

void *
rpcrt_call_tag(const struct rpcrt_call *call)
{
    return call->tag;
}

void
rpcrt_call_set_wait_for_ready(struct rpcrt_call *call, bool wait)
{
    call->wait_for_ready = wait;
    call->wait_chosen = true;
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
    } else if (code == RPCRT_OK && strcmp(key, "traceparent") == 0) {
        call->trace_carried = false;
    }
    return code == RPCRT_OK ? code : rpcrt__last_error_set(&error);
}

enum rpcrt_code
rpcrt_call_set_metadata_text(struct rpcrt_call *call, const char *key,
                             const char *value)
{
    return rpcrt_call_set_metadata(call, key, value, strlen(value));
}

/* -- the outcome ----------------------------------------------------------- */

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

const char *
rpcrt_call_header(const struct rpcrt_call *call, const char *key,
                  size_t *ret_size)
{
    return rpcrt__metadata_get(&call->reply_headers, key, ret_size);
}

static void
see_each(const struct rpcrt__metadata *metadata, rpcrt_metadata_fn *fn,
         void *arg)
{
    for (size_t i = 0; i < metadata->n_entries; i++) {
        const struct rpcrt__metadata_entry *entry = &metadata->entries[i];

        fn(arg, entry->key, entry->value, entry->value_size);
    }
}

void
rpcrt_call_each_header(const struct rpcrt_call *call, rpcrt_metadata_fn *fn,
                       void *arg)
{
    see_each(&call->reply_headers, fn, arg);
}

void
rpcrt_call_each_trailer(const struct rpcrt_call *call, rpcrt_metadata_fn *fn,
                        void *arg)
{
    see_each(&call->reply_metadata, fn, arg);
}

const char *
rpcrt_call_peer(const struct rpcrt_call *call)
{
    return call->endpoint != 0 ? call->peer : call->channel->address;
}

uint32_t
rpcrt_call_attempts(const struct rpcrt_call *call)
{
    return call->method == NULL ? 0 : call->attempts.n;
}

uint64_t
rpcrt_call_duration_us(const struct rpcrt_call *call)
{
    uint64_t end_ns;

    if (call->method == NULL) {
        return 0;
    }
    pthread_mutex_lock(&call->channel->lock);
    end_ns = call->state == RPCRT__CALL_IDLE ? call->ended_ns : rpcrt__now_ns();
    pthread_mutex_unlock(&call->channel->lock);
    return (end_ns - call->started_ns) / 1000;
}
