/*
 * Watch: calls that are told of every change. They hold no worker: the handler
 * leaves the call with the teller, a thread that sends what is new to whoever
 * can take it and ends what is over. Who reads slowly is told the latest when
 * there is room again, and keeps nobody waiting.
 */
#include "admin/health_state.h"

/* -- what happens to a watcher --------------------------------------------- */

void
rpcrt__health_wake(struct rpcrt_health *health)
{
    health->awake = true;
    (void)pthread_cond_signal(&health->woken);
}

static void
on_cancel(void *arg)
{
    struct rpcrt__health_watcher *watcher = arg;
    struct rpcrt_health *health = watcher->health;

    pthread_mutex_lock(&health->lock);
    watcher->lost = true;
    rpcrt__health_wake(health);
    pthread_mutex_unlock(&health->lock);
}

static void
on_room(void *arg)
{
    struct rpcrt__health_watcher *watcher = arg;
    struct rpcrt_health *health = watcher->health;

    pthread_mutex_lock(&health->lock);
    watcher->full = false;
    rpcrt__health_wake(health);
    pthread_mutex_unlock(&health->lock);
}

enum rpcrt_code
rpcrt__health_watch(void *self, struct rpcrt_ctx *ctx,
                    const Grpc__Health__V1__HealthCheckRequest *request)
{
    struct rpcrt_health *health = self;
    struct rpcrt__health_watcher *watcher =
        rpcrt_ctx_alloc(ctx, sizeof *watcher);

    if (watcher == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    watcher->health = health;
    watcher->ctx = ctx;
    watcher->service = request->service;
    rpcrt_ctx_on_room(ctx, on_room, watcher);
    rpcrt_ctx_on_cancel(ctx, on_cancel, watcher);
    /* From here on the teller may end the call at any time. */
    pthread_mutex_lock(&health->lock);
    watcher->next = health->watchers;
    health->watchers = watcher;
    rpcrt__health_wake(health);
    pthread_mutex_unlock(&health->lock);
    return RPCRT_LATER;
}

/* -- the teller ------------------------------------------------------------ */

/* Send a status if the client takes one. Without the lock. */
static enum rpcrt_code
send_status(struct rpcrt_ctx *ctx, enum rpcrt_health_status status,
            bool *ret_sent)
{
    Grpc__Health__V1__HealthCheckResponse message =
        GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    *ret_sent = rpcrt_ctx_room(ctx) > 0;
    if (!*ret_sent) {
        return RPCRT_OK;
    }
    message.status =
        (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    return grpc_health_v1_health_watch_reply(ctx, &message);
}

/* Tell one watcher what is new; returns how its call ends, LATER if it does
 * not. [locked, but not while sending] */
static enum rpcrt_code
tell_one(struct rpcrt_health *health, struct rpcrt__health_watcher *watcher)
{
    enum rpcrt_health_status status;
    enum rpcrt_code code;
    bool sent;

    while (!watcher->lost && !watcher->full) {
        status = rpcrt__health_status_of(health, watcher->service);
        if (watcher->told && watcher->sent == status) {
            break;
        }
        watcher->full = true; /* on_room() may say otherwise at any time */
        pthread_mutex_unlock(&health->lock);
        code = send_status(watcher->ctx, status, &sent);
        pthread_mutex_lock(&health->lock);
        if (code != RPCRT_OK) {
            return code;
        }
        if (sent) {
            watcher->full = false;
            watcher->told = true;
            watcher->sent = status;
        }
    }
    if (watcher->lost) {
        return RPCRT_CANCELLED;
    }
    return health->ended ? RPCRT_UNAVAILABLE : RPCRT_LATER;
}

static void
finish(struct rpcrt_ctx *ctx, enum rpcrt_code code)
{
    if (code == RPCRT_UNAVAILABLE) {
        code = rpcrt_ctx_fail(ctx, code, "the server shuts down");
    }
    rpcrt_ctx_finish(ctx, code);
}

/* Go once through all watchers. New ones come at the head, and nobody else
 * takes any out, so the walk goes on where it was. [locked] */
static void
tell_all(struct rpcrt_health *health)
{
    struct rpcrt__health_watcher **link = &health->watchers;

    while (*link != NULL) {
        struct rpcrt__health_watcher *watcher = *link;
        enum rpcrt_code code = tell_one(health, watcher);

        if (code == RPCRT_LATER) {
            link = &watcher->next;
            continue;
        }
        while (*link != watcher) {
            link = &(*link)->next;
        }
        *link = watcher->next;
        pthread_mutex_unlock(&health->lock);
        finish(watcher->ctx, code);
        pthread_mutex_lock(&health->lock);
    }
}

void *
rpcrt__health_tell(void *arg)
{
    struct rpcrt_health *health = arg;

    pthread_mutex_lock(&health->lock);
    while (!health->closing) {
        if (health->awake) {
            health->awake = false;
            tell_all(health);
        } else {
            (void)pthread_cond_wait(&health->woken, &health->lock);
        }
    }
    pthread_mutex_unlock(&health->lock);
    return NULL;
}
