/*
 * The queue of overload.h, first come, first served.
 */
#include "server/overload.h"

#include "core/alloc.h"
#include "server/limiter.h"
#include "server/patience.h"
#include "server/session.h"
#include <rpcrt/details.h>

/* A handler's time falls at once, and rises by this share of the difference: it
 * is nearer to the least than to the mean, so that a method that is slow now
 * and then does not lose calls that it could do. */
#define TIME_SHARE 64u

struct rpcrt__overload {
    pthread_mutex_t lock; /* guards all below */
    struct rpcrt__list waiting;
    unsigned n_running;
    bool adapts;
    struct rpcrt__limiter limiter; /* its limit counts in any case */
    struct rpcrt__patience patience;
    atomic_uint n_waiting;
};

enum rpcrt_code
rpcrt__overload_new(struct rpcrt_server *server)
{
    const struct rpcrt_server_options *options = &server->options;
    struct rpcrt__overload *overload;

    if (options->running_calls_max == 0 && options->queue_calls_max == 0 &&
        options->queue_target_ms == 0 && !options->running_calls_adapt) {
        return RPCRT_OK;
    }
    overload = rpcrt__calloc(1, sizeof *overload);
    if (overload == NULL) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    (void)pthread_mutex_init(&overload->lock, NULL);
    rpcrt__list_init(&overload->waiting);
    overload->adapts = options->running_calls_adapt;
    rpcrt__limiter_init(&overload->limiter, options->running_calls_max != 0
                                                ? options->running_calls_max
                                                : options->workers_max);
    if (!overload->adapts) {
        overload->limiter.limit = overload->limiter.limit_max;
    }
    rpcrt__patience_init(&overload->patience,
                         options->queue_target_ms * RPCRT__MS,
                         options->queue_interval_ms * RPCRT__MS);
    server->overload = overload;
    return RPCRT_OK;
}

void
rpcrt__overload_free(struct rpcrt__overload *overload)
{
    if (overload != NULL) {
        (void)pthread_mutex_destroy(&overload->lock);
        rpcrt__free(overload);
    }
}

/* -- who runs -------------------------------------------------------------- */

/* What does not block runs where it came; a stream has a limit of its own. */
static bool
is_governed(const struct rpcrt__served *served)
{
    return served->may_block &&
           (served->method->flags & (RPCRT_METHOD_CLIENT_STREAMING |
                                     RPCRT_METHOD_SERVER_STREAMING)) == 0;
}

bool
rpcrt__overload_is_full(const struct rpcrt_server *server,
                        const struct rpcrt__served *served)
{
    return server->overload != NULL && server->options.queue_calls_max != 0 &&
           is_governed(served) &&
           atomic_load(&server->overload->n_waiting) >=
               server->options.queue_calls_max;
}

/* Whether a call whose turn it is had better not run. [locked] */
static bool
is_hopeless(struct rpcrt__overload *overload, struct rpcrt_ctx *ctx,
            uint64_t now_ns)
{
    unsigned long long time_ns = atomic_load(&ctx->served->time_ns);

    if (rpcrt__patience_is_over(&overload->patience, now_ns,
                                now_ns - ctx->turn_ns)) {
        return true;
    }
    if (ctx->parent.deadline_ns != RPCRT__NEVER &&
        now_ns + time_ns > ctx->parent.deadline_ns) {
        /* Should the time be wrong it is soon put right: else no call might
         * ever run again to tell a better one. */
        atomic_fetch_sub(&ctx->served->time_ns, time_ns / TIME_SHARE);
        return true;
    }
    return false;
}

/* Move calls whose turn it is to where they belong: those that are to run, or
 * to end at once, as they are cancelled; and those that are to be refused.
 * [locked] */
static void
take_turns(struct rpcrt__overload *overload, uint64_t now_ns,
           struct rpcrt__list *ready, struct rpcrt__list *shed)
{
    struct rpcrt__list *node;

    while (overload->n_running < overload->limiter.limit &&
           (node = rpcrt__list_take(&overload->waiting)) != NULL) {
        struct rpcrt_ctx *ctx =
            RPCRT__ELEMENT(node, struct rpcrt_ctx, task.node);

        atomic_fetch_sub(&overload->n_waiting, 1);
        if (rpcrt_ctx_cancelled(ctx)) {
            rpcrt__list_append(ready, node);
        } else if (is_hopeless(overload, ctx, now_ns)) {
            rpcrt__list_append(shed, node);
        } else {
            rpcrt__list_append(ready, node);
            ctx->governed = true;
            ctx->turn_ns = now_ns;
            overload->n_running++;
        }
    }
}

/* -- who is refused -------------------------------------------------------- */

static void
refuse(struct rpcrt_ctx *ctx)
{
    enum rpcrt_code code = rpcrt_ctx_refuse_retry_after(
        ctx, RPCRT_RESOURCE_EXHAUSTED, ctx->server->options.queue_interval_ms,
        "%s: the server has more calls than it can do in time",
        ctx->served->method->path);

    ctx->origin = RPCRT_ORIGIN_RUNTIME;
    ctx->refused = true;
    atomic_fetch_add(&ctx->server->counters.calls_shed, 1);
    rpcrt__ctx_serialize(ctx, code);
}

/* Have the first of the list answered, and all others of its session with it:
 * refusals must cost little. Without a lock. */
static void
answer_session(struct rpcrt__list *shed)
{
    struct rpcrt_ctx *ctx =
        RPCRT__ELEMENT(shed->next, struct rpcrt_ctx, task.node);
    struct rpcrt__session *session = ctx->session;
    struct rpcrt__ctx_notices notices;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    rpcrt__ctx_notices_init(&notices);
    rpcrt__session_ref(session);
    pthread_mutex_lock(&session->lock);
    RPCRT__LIST_EACH(node, following, shed)
    {
        ctx = RPCRT__ELEMENT(node, struct rpcrt_ctx, task.node);
        if (ctx->session == session) {
            rpcrt__list_remove(node);
            rpcrt__session_queue(ctx, &notices);
        }
    }
    rpcrt__session_pump(session, &notices);
    pthread_mutex_unlock(&session->lock);
    rpcrt__ctx_notices_run(&notices);
    rpcrt__session_unref(session);
}

static void
refuse_all(struct rpcrt__list *shed)
{
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    RPCRT__LIST_EACH(node, following, shed)
    {
        refuse(RPCRT__ELEMENT(node, struct rpcrt_ctx, task.node));
    }
    while (!rpcrt__list_empty(shed)) {
        answer_session(shed);
    }
}

/* -- in and out ------------------------------------------------------------ */

void
rpcrt__overload_submit(struct rpcrt_server *server, struct rpcrt__list *tasks)
{
    struct rpcrt__overload *overload = server->overload;
    struct rpcrt__list ready;
    struct rpcrt__list shed;
    struct rpcrt__list *node;
    uint64_t now_ns;

    if (overload == NULL || rpcrt__list_empty(tasks)) {
        rpcrt__executor_submit(server->executor, tasks);
        return;
    }
    rpcrt__list_init(&ready);
    rpcrt__list_init(&shed);
    now_ns = rpcrt__now_ns();
    pthread_mutex_lock(&overload->lock);
    while ((node = rpcrt__list_take(tasks)) != NULL) {
        struct rpcrt_ctx *ctx =
            RPCRT__ELEMENT(node, struct rpcrt_ctx, task.node);

        if (is_governed(ctx->served)) {
            ctx->turn_ns = now_ns;
            rpcrt__list_append(&overload->waiting, node);
            atomic_fetch_add(&overload->n_waiting, 1);
        } else {
            rpcrt__list_append(&ready, node);
        }
    }
    take_turns(overload, now_ns, &ready, &shed);
    pthread_mutex_unlock(&overload->lock);
    rpcrt__executor_submit(server->executor, &ready);
    refuse_all(&shed);
}

static void
learn_time(struct rpcrt__served *served, uint64_t time_ns)
{
    uint64_t known_ns = atomic_load(&served->time_ns);

    /* Others may do the same meanwhile: either is right. */
    atomic_store(&served->time_ns,
                 known_ns == 0 || time_ns < known_ns
                     ? time_ns
                     : known_ns + (time_ns - known_ns) / TIME_SHARE);
}

void
rpcrt__overload_done(struct rpcrt_ctx *ctx)
{
    struct rpcrt_server *server = ctx->server;
    struct rpcrt__overload *overload = server->overload;
    uint64_t now_ns = rpcrt__now_ns();
    struct rpcrt__list ready;
    struct rpcrt__list shed;

    rpcrt__list_init(&ready);
    rpcrt__list_init(&shed);
    ctx->governed = false;
    learn_time(ctx->served, now_ns - ctx->turn_ns);
    pthread_mutex_lock(&overload->lock);
    if (overload->adapts) {
        rpcrt__limiter_add(&overload->limiter, now_ns, now_ns - ctx->turn_ns,
                           overload->n_running >= overload->limiter.limit);
    }
    overload->n_running--;
    take_turns(overload, now_ns, &ready, &shed);
    pthread_mutex_unlock(&overload->lock);
    rpcrt__executor_submit(server->executor, &ready);
    refuse_all(&shed);
}

void
rpcrt__overload_look(struct rpcrt_server *server,
                     struct rpcrt_server_stats *stats)
{
    struct rpcrt__overload *overload = server->overload;

    stats->calls_queued = 0;
    stats->calls_limit = 0;
    if (overload != NULL) {
        pthread_mutex_lock(&overload->lock);
        stats->calls_queued = atomic_load(&overload->n_waiting);
        stats->calls_limit = overload->limiter.limit;
        pthread_mutex_unlock(&overload->lock);
    }
}
