/*
 * What a program does with a server that listens: run it until a signal comes,
 * drain it, look at its counters.
 */
#include "server/session.h"

#include "core/alloc.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

/* -- draining -------------------------------------------------------------- */

static void
say_goaway(struct rpcrt_server *server)
{
    struct rpcrt__list *node;
    struct rpcrt__list *following;
    struct rpcrt__ctx_notices notices;

    rpcrt__ctx_notices_init(&notices);
    pthread_mutex_lock(&server->lock);
    RPCRT__LIST_EACH(node, following, &server->sessions)
    {
        rpcrt__session_goaway(RPCRT__ELEMENT(node, struct rpcrt__session, node),
                              &notices);
    }
    pthread_mutex_unlock(&server->lock);
    rpcrt__ctx_notices_run(&notices);
}

/* Wait until the clients have left; false if some have not by then. */
static bool
await_sessions(struct rpcrt_server *server, uint64_t until_ns)
{
    struct timespec until = {.tv_sec = (time_t)(until_ns / (1000 * RPCRT__MS)),
                             .tv_nsec = (long)(until_ns % (1000 * RPCRT__MS))};
    int waited = 0;

    pthread_mutex_lock(&server->lock);
    while (waited == 0 && server->n_sessions > 0) {
        waited =
            pthread_cond_timedwait(&server->changed, &server->lock, &until);
    }
    pthread_mutex_unlock(&server->lock);
    return waited == 0;
}

enum rpcrt_code
rpcrt_server_on_drain(struct rpcrt_server *server, rpcrt_drain_fn *fn,
                      void *arg)
{
    struct rpcrt__drain_hook *hook = NULL;
    struct rpcrt__error error;

    if (server->listening) {
        (void)rpcrt__error_set(&error, RPCRT_FAILED_PRECONDITION,
                               "server: it listens already");
    } else {
        hook = rpcrt__alloc(sizeof *hook);
        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                               "server: no memory");
    }
    if (hook == NULL) {
        return rpcrt__last_error_set(&error);
    }
    *hook = (struct rpcrt__drain_hook){
        .fn = fn, .arg = arg, .next = server->drain_hooks};
    server->drain_hooks = hook;
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt_server_drain(struct rpcrt_server *server, uint32_t timeout_ms)
{
    uint64_t until_ns = rpcrt__now_ns() + timeout_ms * RPCRT__MS;
    const struct rpcrt__drain_hook *hook;
    bool finished;

    for (hook = server->drain_hooks; hook != NULL; hook = hook->next) {
        hook->fn(hook->arg);
    }
    atomic_store(&server->draining, true);
    say_goaway(server);
    /* A client leaves when its calls have ended; who has none left and stays
     * does no harm. */
    (void)await_sessions(server, until_ns);
    finished = rpcrt__server_await_calls(server, until_ns);
    rpcrt__server_kill_sessions(server);
    return finished ? RPCRT_OK : RPCRT_DEADLINE_EXCEEDED;
}

/* -- running --------------------------------------------------------------- */

/* What the signal handler wakes; of the server that runs. */
static _Atomic(sem_t *) signalled;

static void
on_signal(int number)
{
    sem_t *stop = atomic_load(&signalled);
    int saved = errno;

    (void)number;
    if (stop != NULL) {
        (void)sem_post(stop);
    }
    errno = saved;
}

void
rpcrt_server_stop(struct rpcrt_server *server)
{
    (void)sem_post(&server->stop);
}

int
rpcrt_server_run(struct rpcrt_server *server)
{
    struct sigaction action;
    struct sigaction old_term;
    struct sigaction old_int;
    enum rpcrt_code code;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    (void)sigemptyset(&action.sa_mask);
    atomic_store(&signalled, &server->stop);
    (void)sigaction(SIGTERM, &action, &old_term);
    (void)sigaction(SIGINT, &action, &old_int);
    while (sem_wait(&server->stop) != 0 && errno == EINTR) {
    }
    (void)sigaction(SIGTERM, &old_term, NULL);
    (void)sigaction(SIGINT, &old_int, NULL);
    atomic_store(&signalled, NULL);
    code = rpcrt_server_drain(server, server->options.drain_timeout_ms);
    return code == RPCRT_OK ? 0 : 1;
}

void
rpcrt_server_get_stats(struct rpcrt_server *server,
                       struct rpcrt_server_stats *ret_stats)
{
    struct rpcrt__counters *counters = &server->counters;

    ret_stats->calls_started = atomic_load(&counters->calls_started);
    ret_stats->calls_finished = atomic_load(&counters->calls_finished);
    ret_stats->calls_refused = atomic_load(&counters->calls_refused);
    ret_stats->sessions_opened = atomic_load(&counters->sessions_opened);
    ret_stats->sessions_closed = atomic_load(&counters->sessions_closed);
    ret_stats->sessions_cut = atomic_load(&counters->sessions_cut);
    ret_stats->handshakes_failed = atomic_load(&counters->handshakes_failed);
    ret_stats->messages_received = atomic_load(&counters->messages_received);
    ret_stats->messages_sent = atomic_load(&counters->messages_sent);
    ret_stats->messages_empty = atomic_load(&counters->messages_empty);
    ret_stats->calls_running = atomic_load(&server->n_calls);
    ret_stats->calls_shed = atomic_load(&counters->calls_shed);
    rpcrt__overload_look(server, ret_stats);
    pthread_mutex_lock(&server->lock);
    ret_stats->sessions = server->n_sessions;
    pthread_mutex_unlock(&server->lock);
}
