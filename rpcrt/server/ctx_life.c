/*
 * The life of a served call: out of the pool, let go by handler and session,
 * told that it was cancelled, and back.
 */
#include "server/session.h"

#include "core/alloc.h"

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
