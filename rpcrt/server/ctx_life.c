/*
 * The life of a served call: out of the pool, let go by handler and session,
 * told that it was cancelled, and back.
 */
#include "server/session.h"

#include "core/alloc.h"
#include "server/stream.h"

/* Contexts kept for the next calls; each keeps its first block of memory. */
#define POOL_MAX 2048u

/* -- the pool -------------------------------------------------------------- */

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
    rpcrt__metadata_init(&ctx->headers, &ctx->arena);
    rpcrt__metadata_init(&ctx->reply_metadata, &ctx->arena);
    ctx->headers_state = RPCRT__HEADERS_OPEN;
    ctx->request = NULL;
    ctx->request_got = 0;
    ctx->reply = NULL;
    ctx->refused = false;
    ctx->n_begun = 0;
    ctx->slots = NULL;
    ctx->governed = false;
    ctx->trace = NULL;
    ctx->repeat = NULL;
    ctx->handled = true; /* until a handler is to run */
    ctx->released = false;
    ctx->on_cancel.state = RPCRT__NOTICE_NONE;
    ctx->on_cancel.fn = NULL;
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
    ctx->answered = false;
    ctx->status = NULL;
    return ctx;
}

static void
recycle_one(struct rpcrt_ctx *ctx)
{
    rpcrt__parent_fini(&ctx->parent);
    rpcrt__stream_free(ctx->stream);
    ctx->stream = NULL;
    rpcrt__arena_reset(&ctx->arena);
    rpcrt__session_unref(ctx->session);
    ctx->session = NULL;
    if (!pool_put(ctx->server, ctx)) {
        ctx_free(ctx);
    }
}

/* Give back what is handled and released, all of the list. Without a lock. */
static void
recycle_all(struct rpcrt__list *contexts)
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

/* -- two parties let go ---------------------------------------------------- */

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
        ctx->on_cancel.state == RPCRT__NOTICE_NONE &&
        (ctx->stream == NULL ||
         ctx->stream->on_room.state == RPCRT__NOTICE_NONE)) {
        rpcrt__list_append(recycle, &ctx->pooled);
    }
}

/* Tell the handler. */
static void
cancel(struct rpcrt_ctx *ctx, struct rpcrt__ctx_notices *notices)
{
    if (rpcrt__parent_close(&ctx->parent) || ctx->on_cancel.fn != NULL) {
        ctx->on_cancel.state = RPCRT__NOTICE_PENDING;
        rpcrt__list_append(&notices->notify, &ctx->notice);
    }
}

void
rpcrt__ctx_abandon(struct rpcrt_ctx *ctx, struct rpcrt__ctx_notices *notices)
{
    if (ctx->released && !ctx->handled && !rpcrt_ctx_cancelled(ctx)) {
        cancel(ctx, notices);
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
    if (ctx->stream != NULL) {
        rpcrt__stream_release(ctx->stream);
    }
    if (!ctx->handled && cancelled) {
        cancel(ctx, notices);
    }
    settle(ctx, &notices->recycle);
}

void
rpcrt__ctx_handled(struct rpcrt_ctx *ctx, struct rpcrt__ctx_notices *notices)
{
    ctx->handled = true;
    settle(ctx, &notices->recycle);
}

/* -- notices --------------------------------------------------------------- */

void
rpcrt__notice_await(struct rpcrt__session *session,
                    struct rpcrt__notice *notice)
{
    while (notice->state == RPCRT__NOTICE_RUNNING) {
        if (pthread_equal(notice->notifier, pthread_self())) {
            /* Called by the function itself, which may end the call: then
             * call_back() must not touch it again. */
            *notice->over = true;
            notice->state = RPCRT__NOTICE_NONE;
        } else {
            pthread_cond_wait(&session->notified, &session->lock);
        }
    }
}

void
rpcrt__ctx_await_notices(struct rpcrt_ctx *ctx)
{
    rpcrt__notice_await(ctx->session, &ctx->on_cancel);
    if (ctx->stream != NULL) {
        rpcrt__notice_await(ctx->session, &ctx->stream->on_room);
    }
}

/* Call the function; the parent, if there is one, is cancelled first. False:
 * the call may be gone. [session's lock, given up meanwhile] */
static bool
call_back(struct rpcrt__session *session, struct rpcrt__notice *notice,
          struct rpcrt__parent *parent)
{
    void (*fn)(void *arg) = notice->fn;
    void *arg = notice->arg;
    bool over = false;

    notice->state = RPCRT__NOTICE_RUNNING;
    notice->notifier = pthread_self();
    notice->over = &over;
    pthread_mutex_unlock(&session->lock);
    if (parent != NULL) {
        rpcrt__parent_cancel(parent);
    }
    if (fn != NULL) {
        fn(arg);
    }
    pthread_mutex_lock(&session->lock);
    if (!over) {
        notice->state = RPCRT__NOTICE_NONE;
    }
    pthread_cond_broadcast(&session->notified);
    return !over;
}

/* Call on_cancel, unless the handler is through by now. A notice that is
 * pending is waited for by nobody, as it may stand behind the waiter in the
 * same thread's list; so the call may be handled, and is recycled here. */
static void
notify(struct rpcrt_ctx *ctx, struct rpcrt__list *recycle)
{
    struct rpcrt__session *session = ctx->session;

    rpcrt__session_ref(session);
    pthread_mutex_lock(&session->lock);
    if (ctx->handled) {
        ctx->on_cancel.state = RPCRT__NOTICE_NONE;
        settle(ctx, recycle);
    } else {
        (void)call_back(session, &ctx->on_cancel, &ctx->parent);
    }
    pthread_mutex_unlock(&session->lock);
    rpcrt__session_unref(session);
}

/* As above; room that comes while the function runs is told by it again. */
void
rpcrt__ctx_room_task(struct rpcrt__task *task)
{
    struct rpcrt__stream *stream =
        RPCRT__ELEMENT(task, struct rpcrt__stream, room_task);
    struct rpcrt_ctx *ctx = stream->ctx;
    struct rpcrt__session *session = ctx->session;
    struct rpcrt__list recycle;
    bool again = true;

    rpcrt__list_init(&recycle);
    rpcrt__session_ref(session);
    pthread_mutex_lock(&session->lock);
    while (again && !ctx->handled) {
        stream->room_again = false;
        again =
            call_back(session, &stream->on_room, NULL) && stream->room_again;
    }
    if (again) {
        stream->on_room.state = RPCRT__NOTICE_NONE;
        settle(ctx, &recycle);
    }
    pthread_mutex_unlock(&session->lock);
    recycle_all(&recycle);
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
    recycle_all(&notices->recycle);
}
