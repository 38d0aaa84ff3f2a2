/*
 * A served call: memory, the handler's view of it, and its end.
 */
#include "server/ctx.h"

#include "core/alloc.h"
#include "server/session.h"
#include "wire/guard.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Contexts kept for the next calls; each keeps its first block of memory. */
#define POOL_MAX 2048u

/* -- the pool --------------------------------------------------------------- */

static struct rpcrt_ctx *
pool_get(struct rpcrt_server *server)
{
    struct rpcrt__list *node;

    pthread_mutex_lock(&server->pool_lock);
    node = rpcrt__list_take(&server->pool);
    if (node != NULL) {
        server->n_pooled--;
    }
    pthread_mutex_unlock(&server->pool_lock);
    return node == NULL ? NULL : RPCRT__ELEMENT(node, struct rpcrt_ctx, pooled);
}

/* False when the pool is full. The server may be freed as soon as this has
 * counted the last call down. */
static bool
pool_put(struct rpcrt_server *server, struct rpcrt_ctx *ctx)
{
    bool kept;

    pthread_mutex_lock(&server->pool_lock);
    kept = server->n_pooled < POOL_MAX;
    if (kept) {
        rpcrt__list_prepend(&server->pool, &ctx->pooled);
        server->n_pooled++;
    }
    if (atomic_fetch_sub(&server->n_calls, 1) == 1) {
        pthread_cond_broadcast(&server->no_calls);
    }
    pthread_mutex_unlock(&server->pool_lock);
    return kept;
}

static struct rpcrt_ctx *
ctx_new(struct rpcrt_server *server)
{
    struct rpcrt_ctx *ctx = rpcrt__calloc(1, sizeof *ctx);

    if (ctx != NULL) {
        ctx->server = server;
        rpcrt__list_init(&ctx->pooled);
        rpcrt__list_init(&ctx->live);
        rpcrt__list_init(&ctx->notice);
        rpcrt__list_init(&ctx->outbox);
        rpcrt__list_init(&ctx->task.node);
        ctx->task.run = rpcrt__ctx_task;
        rpcrt__arena_init(&ctx->arena, server->options.arena_size_max);
    }
    return ctx;
}

static void
ctx_free(struct rpcrt_ctx *ctx)
{
    rpcrt__arena_fini(&ctx->arena);
    rpcrt__free(ctx);
}

struct rpcrt_ctx *
rpcrt__ctx_take(struct rpcrt__session *session)
{
    struct rpcrt_ctx *ctx = pool_get(session->server);

    if (ctx == NULL) {
        ctx = ctx_new(session->server);
    }
    if (ctx == NULL) {
        return NULL;
    }
    rpcrt__session_ref(session);
    atomic_fetch_add(&session->server->n_calls, 1);
    ctx->session = session;
    ctx->served = NULL;
    rpcrt__parent_init(&ctx->parent);
    ctx->parent.call_id = NULL;
    rpcrt__metadata_init(&ctx->metadata, &ctx->arena);
    rpcrt__metadata_init(&ctx->reply_metadata, &ctx->arena);
    ctx->request = NULL;
    ctx->request_got = 0;
    ctx->reply = NULL;
    ctx->refused = false;
    ctx->handled = true; /* until a handler is to run */
    ctx->released = false;
    ctx->notice_state = RPCRT__NOTICE_NONE;
    ctx->on_cancel = NULL;
    ctx->charged = 0;
    ctx->outcome.code = RPCRT_OK;
    ctx->outcome.text[0] = '\0';
    ctx->origin = RPCRT_ORIGIN_HANDLER;
    ctx->details = NULL;
    ctx->details_size = 0;
    ctx->out = NULL;
    ctx->out_size = 0;
    ctx->out_sent = 0;
    ctx->out_started = false;
    ctx->status = NULL;
    return ctx;
}

static void
recycle_one(struct rpcrt_ctx *ctx)
{
    rpcrt__parent_fini(&ctx->parent);
    rpcrt__arena_reset(&ctx->arena);
    rpcrt__session_unref(ctx->session);
    ctx->session = NULL;
    if (!pool_put(ctx->server, ctx)) {
        ctx_free(ctx);
    }
}

void
rpcrt__ctx_recycle(struct rpcrt__list *contexts)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(contexts)) != NULL) {
        recycle_one(RPCRT__ELEMENT(node, struct rpcrt_ctx, pooled));
    }
}

void
rpcrt__ctx_pool_free(struct rpcrt_server *server)
{
    struct rpcrt_ctx *ctx;

    while ((ctx = pool_get(server)) != NULL) {
        ctx_free(ctx);
    }
}

/* -- two parties let go ----------------------------------------------------- */

void
rpcrt__ctx_notices_init(struct rpcrt__ctx_notices *notices)
{
    rpcrt__list_init(&notices->recycle);
    rpcrt__list_init(&notices->notify);
}

/* Recycle a call once both parties are through and no notice is due. */
static void
settle(struct rpcrt_ctx *ctx, struct rpcrt__list *recycle)
{
    if (ctx->handled && ctx->released &&
        ctx->notice_state == RPCRT__NOTICE_NONE) {
        rpcrt__list_append(recycle, &ctx->pooled);
    }
}

void
rpcrt__ctx_release(struct rpcrt_ctx *ctx, bool cancelled,
                   struct rpcrt__ctx_notices *notices)
{
    struct rpcrt__session *session = ctx->session;

    if (ctx->released) {
        return;
    }
    ctx->released = true;
    (void)rpcrt__idmap_remove(&session->calls, ctx->by_id.id);
    rpcrt__list_remove(&ctx->live);
    rpcrt__list_remove(&ctx->outbox);
    session->n_live--;
    session->bytes -= ctx->charged;
    ctx->charged = 0;
    if (!ctx->handled && cancelled &&
        (rpcrt__parent_close(&ctx->parent) || ctx->on_cancel != NULL)) {
        ctx->notice_state = RPCRT__NOTICE_PENDING;
        rpcrt__list_append(&notices->notify, &ctx->notice);
    }
    settle(ctx, &notices->recycle);
}

void
rpcrt__ctx_handled(struct rpcrt_ctx *ctx, struct rpcrt__ctx_notices *notices)
{
    ctx->handled = true;
    settle(ctx, &notices->recycle);
}

void
rpcrt__ctx_await_notice(struct rpcrt_ctx *ctx)
{
    while (ctx->notice_state == RPCRT__NOTICE_RUNNING) {
        if (pthread_equal(ctx->notifier, pthread_self())) {
            /* Called by on_cancel itself, which may end the call: then
             * notify() must not touch it again. */
            *ctx->notice_over = true;
            ctx->notice_state = RPCRT__NOTICE_NONE;
        } else {
            pthread_cond_wait(&ctx->session->notified, &ctx->session->lock);
        }
    }
}

/* Call on_cancel, unless the handler is through by now. A notice that is
 * pending is waited for by nobody, as it may stand behind the waiter in the
 * same thread's list; so the call may be handled, and is recycled here. */
static void
notify(struct rpcrt_ctx *ctx, struct rpcrt__list *recycle)
{
    struct rpcrt__session *session = ctx->session;
    bool over = false;
    rpcrt_cancel_fn *fn;
    void *arg;

    rpcrt__session_ref(session);
    pthread_mutex_lock(&session->lock);
    if (ctx->handled) {
        ctx->notice_state = RPCRT__NOTICE_NONE;
        settle(ctx, recycle);
    } else {
        ctx->notice_state = RPCRT__NOTICE_RUNNING;
        ctx->notifier = pthread_self();
        ctx->notice_over = &over;
        fn = ctx->on_cancel;
        arg = ctx->on_cancel_arg;
        pthread_mutex_unlock(&session->lock);
        rpcrt__parent_cancel(&ctx->parent);
        if (fn != NULL) {
            fn(arg);
        }
        pthread_mutex_lock(&session->lock);
        if (!over) {
            ctx->notice_state = RPCRT__NOTICE_NONE;
        }
        pthread_cond_broadcast(&session->notified);
    }
    pthread_mutex_unlock(&session->lock);
    rpcrt__session_unref(session);
}

void
rpcrt__ctx_notices_run(struct rpcrt__ctx_notices *notices)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(&notices->notify)) != NULL) {
        notify(RPCRT__ELEMENT(node, struct rpcrt_ctx, notice),
               &notices->recycle);
    }
    rpcrt__ctx_recycle(&notices->recycle);
}

/* -- running ---------------------------------------------------------------- */

static enum rpcrt_code
refuse(struct rpcrt_ctx *ctx, enum rpcrt_code code, const char *text)
{
    ctx->origin = RPCRT_ORIGIN_RUNTIME;
    ctx->refused = true;
    return rpcrt__error_set(&ctx->outcome, code, "%s", text);
}

static enum rpcrt_code
call_handler(struct rpcrt_ctx *ctx)
{
    const struct rpcrt__served *served = ctx->served;
    const ProtobufCMessageDescriptor *type = served->method->request;
    const ProtobufCMessageDescriptor *reply_type = served->method->reply;
    ProtobufCMessage *request;
    struct rpcrt__error error;
    enum rpcrt_code code =
        rpcrt__guard_check(type, ctx->request, ctx->request_size, &error);

    if (code != RPCRT_OK) {
        return refuse(ctx, code, error.text);
    }
    request = protobuf_c_message_unpack(type, &ctx->arena.allocator,
                                        ctx->request_size, ctx->request);
    ctx->reply =
        rpcrt__arena_alloc(&ctx->arena, reply_type->sizeof_message);
    if (request == NULL || ctx->reply == NULL) {
        return refuse(ctx, RPCRT_RESOURCE_EXHAUSTED,
                      "the request does not fit into the call's memory");
    }
    protobuf_c_message_init(reply_type, ctx->reply);
    return served->glue(served->table, served->self, ctx, request, ctx->reply);
}

bool
rpcrt__ctx_run(struct rpcrt_ctx *ctx)
{
    enum rpcrt_code code;

    if (rpcrt_ctx_cancelled(ctx)) {
        code = refuse(ctx, RPCRT_CANCELLED, "cancelled before it was begun");
    } else {
        code = call_handler(ctx);
    }
    if (code == RPCRT_LATER) {
        return false;
    }
    rpcrt__ctx_serialize(ctx, code);
    return true;
}

void
rpcrt__ctx_task(struct rpcrt__task *task)
{
    struct rpcrt_ctx *ctx = RPCRT__ELEMENT(task, struct rpcrt_ctx, task);

    if (rpcrt__ctx_run(ctx)) {
        rpcrt__session_answer(ctx);
    }
}

void
rpcrt_ctx_finish(struct rpcrt_ctx *ctx, enum rpcrt_code code)
{
    rpcrt__ctx_serialize(ctx, code);
    rpcrt__session_answer(ctx);
}

/* -- serializing ------------------------------------------------------------ */

/* The payload of a STATUS frame, in the call's memory; if that is used up the
 * text and what came with it is lost, not the code. */
static void
serialize_status(struct rpcrt_ctx *ctx)
{
    struct rpcrt__status status = {
        .code = (uint8_t)ctx->outcome.code,
        .origin = (uint8_t)ctx->origin,
        .n_metadata = (uint16_t)ctx->reply_metadata.n_entries,
        .text_size = (uint32_t)strlen(ctx->outcome.text),
        .metadata_size = (uint32_t)ctx->reply_metadata.encoded_size,
        .details_size = (uint32_t)ctx->details_size};
    size_t size = RPCRT__STATUS_SIZE + status.text_size + status.metadata_size +
                  status.details_size;
    uint8_t *at = rpcrt__arena_alloc(&ctx->arena, size);

    if (at == NULL) {
        return;
    }
    ctx->status = at;
    ctx->status_size = (uint32_t)size;
    at = rpcrt__put_status(at, &status);
    memcpy(at, ctx->outcome.text, status.text_size);
    at += status.text_size;
    rpcrt__metadata_encode(&ctx->reply_metadata, at);
    at += status.metadata_size;
    if (ctx->details_size > 0) {
        memcpy(at, ctx->details, ctx->details_size);
    }
}

static enum rpcrt_code
serialize_reply(struct rpcrt_ctx *ctx)
{
    size_t size = protobuf_c_message_get_packed_size(ctx->reply);
    size_t size_max = ctx->session->message_size_max;

    if (size > size_max) {
        ctx->origin = RPCRT_ORIGIN_RUNTIME;
        return rpcrt__error_set(&ctx->outcome, RPCRT_RESOURCE_EXHAUSTED,
                                "%s: reply of %zu bytes, the client takes %zu",
                                ctx->served->method->path, size, size_max);
    }
    ctx->out = rpcrt__arena_alloc(&ctx->arena, size);
    if (ctx->out == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    ctx->out_size = (uint32_t)protobuf_c_message_pack(ctx->reply, ctx->out);
    return RPCRT_OK;
}

static void
log_call(struct rpcrt_ctx *ctx)
{
    struct rpcrt_server_options *options = &ctx->server->options;
    struct rpcrt_call_record record = {
        .method = ctx->served->method->path,
        .peer = ctx->session->address,
        .call_id = rpcrt_ctx_call_id(ctx),
        .code = ctx->outcome.code,
        .message = ctx->outcome.text,
        .duration_us = (rpcrt__now_ns() - ctx->started_ns) / 1000,
        .request_size = ctx->request_size,
        .reply_size = ctx->out_size};

    options->call_log(options->call_log_arg, &record);
}

void
rpcrt__ctx_serialize(struct rpcrt_ctx *ctx, enum rpcrt_code code)
{
    if (code < RPCRT_OK || code > RPCRT_UNAUTHENTICATED) {
        code = rpcrt__error_set(&ctx->outcome, RPCRT_INTERNAL,
                                "%s: the handler returned %d, which is no "
                                "status code",
                                ctx->served->method->path, (int)code);
    }
    if (code == RPCRT_OK) {
        ctx->outcome.text[0] = '\0';
        code = serialize_reply(ctx);
    }
    ctx->outcome.code = code;
    if (code != RPCRT_OK || ctx->reply_metadata.n_entries > 0) {
        serialize_status(ctx);
    }
    if (ctx->server->options.call_log != NULL) {
        log_call(ctx);
    }
    atomic_fetch_add(&ctx->server->counters.calls_finished, 1);
}

/* -- the handler's view ----------------------------------------------------- */

void *
rpcrt_ctx_alloc(struct rpcrt_ctx *ctx, size_t size)
{
    void *block = rpcrt__arena_alloc(&ctx->arena, size);

    if (block != NULL) {
        memset(block, 0, size);
    }
    return block;
}

void *
rpcrt_ctx_copy(struct rpcrt_ctx *ctx, const void *data, size_t size)
{
    return rpcrt__arena_copy(&ctx->arena, data, size);
}

enum rpcrt_code
rpcrt_ctx_fail(struct rpcrt_ctx *ctx, enum rpcrt_code code, const char *format,
               ...)
{
    va_list args;

    va_start(args, format);
    (void)rpcrt__text_format(ctx->outcome.text, sizeof ctx->outcome.text,
                             format, args);
    va_end(args);
    return code;
}

enum rpcrt_code
rpcrt_ctx_no_memory(struct rpcrt_ctx *ctx)
{
    return rpcrt_ctx_fail(ctx, RPCRT_RESOURCE_EXHAUSTED,
                          "%s: the call's memory of %zu bytes is used up",
                          ctx->served->method->path, ctx->arena.size_max);
}

enum rpcrt_code
rpcrt_ctx_unimplemented(struct rpcrt_ctx *ctx)
{
    ctx->origin = RPCRT_ORIGIN_RUNTIME;
    ctx->refused = true;
    return rpcrt_ctx_fail(ctx, RPCRT_UNIMPLEMENTED, "%s is not implemented",
                          ctx->served->method->path);
}

enum rpcrt_code
rpcrt_ctx_set_details(struct rpcrt_ctx *ctx, const void *details, size_t size)
{
    if (size > RPCRT_DETAILS_SIZE_MAX) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    ctx->details = rpcrt__arena_copy(&ctx->arena, details, size);
    ctx->details_size = ctx->details == NULL ? 0 : size;
    return ctx->details == NULL ? RPCRT_RESOURCE_EXHAUSTED : RPCRT_OK;
}

const char *
rpcrt_ctx_metadata(const struct rpcrt_ctx *ctx, const char *key,
                   size_t *ret_size)
{
    return rpcrt__metadata_get(&ctx->metadata, key, ret_size);
}

enum rpcrt_code
rpcrt_ctx_set_metadata(struct rpcrt_ctx *ctx, const char *key,
                       const void *value, size_t size)
{
    struct rpcrt__error error;
    enum rpcrt_code code =
        rpcrt__metadata_set(&ctx->reply_metadata, key, value, size, &error);

    return code == RPCRT_OK ? code : rpcrt__last_error_set(&error);
}

bool
rpcrt_ctx_cancelled(const struct rpcrt_ctx *ctx)
{
    return atomic_load(&ctx->parent.cancelled);
}

void
rpcrt_ctx_on_cancel(struct rpcrt_ctx *ctx, rpcrt_cancel_fn *fn, void *arg)
{
    struct rpcrt__session *session = ctx->session;
    bool at_once = false;

    pthread_mutex_lock(&session->lock);
    rpcrt__ctx_await_notice(ctx);
    ctx->on_cancel = fn;
    ctx->on_cancel_arg = arg;
    /* A notice that is pending will find it. */
    at_once = fn != NULL && rpcrt_ctx_cancelled(ctx) &&
              ctx->notice_state == RPCRT__NOTICE_NONE;
    pthread_mutex_unlock(&session->lock);
    if (at_once) {
        fn(arg);
    }
}

int64_t
rpcrt_ctx_time_left_ms(const struct rpcrt_ctx *ctx)
{
    uint64_t deadline_ns = ctx->parent.deadline_ns;
    uint64_t now_ns = rpcrt__now_ns();

    if (deadline_ns == RPCRT__NEVER) {
        return -1;
    }
    return deadline_ns > now_ns
               ? (int64_t)((deadline_ns - now_ns) / RPCRT__MS)
               : 0;
}

const char *
rpcrt_ctx_method(const struct rpcrt_ctx *ctx)
{
    return ctx->served->method->path;
}

const char *
rpcrt_ctx_peer(const struct rpcrt_ctx *ctx)
{
    return ctx->session->address;
}

const char *
rpcrt_ctx_peer_name(const struct rpcrt_ctx *ctx)
{
    return ctx->session->peer_name;
}

/* Made when it is first asked for: most calls never need it. */
const char *
rpcrt_ctx_call_id(struct rpcrt_ctx *ctx)
{
    const char *sent = rpcrt__metadata_get(&ctx->metadata, "call-id", NULL);

    /* A handler may ask on several threads. */
    pthread_mutex_lock(&ctx->session->lock);
    if (ctx->parent.call_id != NULL) {
        pthread_mutex_unlock(&ctx->session->lock);
        return ctx->parent.call_id;
    }
    if (sent != NULL && *sent != '\0' && strlen(sent) < sizeof ctx->call_id) {
        (void)snprintf(ctx->call_id, sizeof ctx->call_id, "%s", sent);
        for (char *c = ctx->call_id; *c != '\0'; c++) {
            if (!isalnum((unsigned char)*c) && strchr("-_.:", *c) == NULL) {
                *c = '_';
            }
        }
    } else {
        (void)snprintf(ctx->call_id, sizeof ctx->call_id, "%016" PRIx64,
                       rpcrt__random());
    }
    ctx->parent.call_id = ctx->call_id;
    pthread_mutex_unlock(&ctx->session->lock);
    return ctx->call_id;
}

struct rpcrt__parent *
rpcrt__ctx_parent(struct rpcrt_ctx *ctx)
{
    (void)rpcrt_ctx_call_id(ctx);
    return &ctx->parent;
}
