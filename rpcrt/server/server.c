/*
 * A server: its services, listeners and sessions, and how it ends.
 */
#include "server/server.h"

#include "core/alloc.h"
#include "server/session.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Contexts of the link that always stand ready for a request. */
#define RECEIVING_MIN 4u
/* Sessions above the limit that are being told so. */
#define REFUSED_SESSIONS_MAX 64u
/* What options can ask for. */
#define MESSAGE_LIMIT (UINT32_MAX / 2)
#define SESSIONS_LIMIT 65536u
#define WORKERS_LIMIT 4096u
#define STREAMS_LIMIT 65536u
#define WINDOW_LIMIT (1u << 30)

/* -- small things ---------------------------------------------------------- */

void
rpcrt__server_log(struct rpcrt_server *server, enum rpcrt_log_level level,
                  const char *format, ...)
{
    char line[RPCRT_TEXT_SIZE + RPCRT_ADDRESS_SIZE];
    va_list args;

    if (server->options.log == NULL) {
        return;
    }
    va_start(args, format);
    (void)rpcrt__text_format(line, sizeof line, format, args);
    va_end(args);
    server->options.log(server->options.log_arg, level, line);
}

void
rpcrt__server_wake(struct rpcrt_server *server, uint64_t due_ns)
{
    unsigned long long wake_ns = atomic_load(&server->wake_ns);

    while (due_ns < wake_ns) {
        if (atomic_compare_exchange_weak(&server->wake_ns, &wake_ns, due_ns)) {
            rpcrt__timer_set(&server->timer, due_ns);
            return;
        }
    }
}

bool
rpcrt__server_await_calls(struct rpcrt_server *server, uint64_t until_ns)
{
    struct timespec until = {.tv_sec = (time_t)(until_ns / (1000 * RPCRT__MS)),
                             .tv_nsec = (long)(until_ns % (1000 * RPCRT__MS))};
    int waited = 0;
    bool none;

    pthread_mutex_lock(&server->pool_lock);
    while (waited == 0 && atomic_load(&server->n_calls) > 0) {
        waited = until_ns == RPCRT__NEVER
                     ? pthread_cond_wait(&server->no_calls, &server->pool_lock)
                     : pthread_cond_timedwait(&server->no_calls,
                                              &server->pool_lock, &until);
    }
    none = atomic_load(&server->n_calls) == 0;
    pthread_mutex_unlock(&server->pool_lock);
    return none;
}

/* -- events of the link ---------------------------------------------------- */

static struct rpcrt__session *
find_session(struct rpcrt_server *server, uint32_t peer)
{
    struct rpcrt__session *session = NULL;
    struct rpcrt__idnode *node;

    pthread_mutex_lock(&server->lock);
    node = rpcrt__idmap_find(&server->by_peer, peer);
    if (node != NULL) {
        session = RPCRT__ELEMENT(node, struct rpcrt__session, by_peer);
        rpcrt__session_ref(session);
    }
    pthread_mutex_unlock(&server->lock);
    return session;
}

static bool
on_peer(void *arg, uint32_t peer, const struct rpcrt__peer_info *info)
{
    struct rpcrt_server *server = arg;
    struct rpcrt__session *session = NULL;
    bool room;

    pthread_mutex_lock(&server->lock);
    /* One above the limit is let in so far that it can be told so; of those
     * there are not to be many either. */
    room = server->n_sessions <
               server->options.sessions_max + REFUSED_SESSIONS_MAX &&
           !atomic_load(&server->draining) && !atomic_load(&server->closing);
    if (room) {
        session = rpcrt__session_new(server, peer, info);
    }
    if (session != NULL) {
        session->surplus = server->n_sessions >= server->options.sessions_max;
        rpcrt__idmap_add(&server->by_peer, &session->by_peer, peer);
        rpcrt__list_append(&server->sessions, &session->node);
        server->n_sessions++;
        rpcrt__server_wake(server, session->opened_ns +
                                       RPCRT_HELLO_TIMEOUT_MS * RPCRT__MS);
        rpcrt__server_wake(server, session->age_due_ns);
    }
    pthread_mutex_unlock(&server->lock);
    if (session == NULL) {
        rpcrt__server_log(
            server, RPCRT_LOG_WARNING, "session refused: peer=%s reason=\"%s\"",
            info->address,
            room ? "no memory" : "too many sessions, or shutting down");
        return false;
    }
    atomic_fetch_add(&server->counters.sessions_opened, 1);
    return true;
}

static void
on_peer_gone(void *arg, uint32_t peer)
{
    struct rpcrt_server *server = arg;
    struct rpcrt__idnode *node;
    struct rpcrt__session *session;

    pthread_mutex_lock(&server->lock);
    node = rpcrt__idmap_remove(&server->by_peer, peer);
    if (node == NULL) {
        pthread_mutex_unlock(&server->lock);
        return;
    }
    session = RPCRT__ELEMENT(node, struct rpcrt__session, by_peer);
    rpcrt__list_remove(&session->node);
    server->n_sessions--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    rpcrt__session_kill(session);
    rpcrt__session_unref(session);
    atomic_fetch_add(&server->counters.sessions_closed, 1);
}

static void
on_request(void *arg, unsigned slot, uint32_t peer, struct rpcrt__msg *msg)
{
    struct rpcrt_server *server = arg;
    struct rpcrt__session *session = find_session(server, peer);

    atomic_fetch_add(&server->counters.messages_received, 1);
    if (session == NULL) {
        rpcrt__msg_free(msg);
        rpcrt__server_link_forget(server->link, slot);
        return;
    }
    rpcrt__session_receive(session, slot, msg);
    rpcrt__session_unref(session);
}

static void
on_sent(void *arg, unsigned slot, uint32_t peer)
{
    struct rpcrt__session *session = find_session(arg, peer);

    (void)slot;
    if (session != NULL) {
        rpcrt__session_sent(session);
        rpcrt__session_unref(session);
    }
}

static void
on_warning(void *arg, const char *line, bool handshake)
{
    struct rpcrt_server *server = arg;

    if (handshake) {
        atomic_fetch_add(&server->counters.handshakes_failed, 1);
    }
    rpcrt__server_log(server, RPCRT_LOG_WARNING, "%s", line);
}

static const struct rpcrt__server_link_events link_events = {
    .on_peer = on_peer,
    .on_peer_gone = on_peer_gone,
    .on_request = on_request,
    .on_sent = on_sent,
    .on_warning = on_warning};

/* -- time ------------------------------------------------------------------ */

static uint64_t
on_timer(void *arg, uint64_t now_ns)
{
    struct rpcrt_server *server = arg;
    struct rpcrt__ctx_notices notices;
    struct rpcrt__list *node;
    struct rpcrt__list *following;
    uint64_t next_ns = RPCRT__NEVER;
    uint64_t due_ns;

    rpcrt__ctx_notices_init(&notices);
    /* What is set from here on counts for the next look. */
    atomic_store(&server->wake_ns, RPCRT__NEVER);
    pthread_mutex_lock(&server->lock);
    RPCRT__LIST_EACH(node, following, &server->sessions)
    {
        due_ns = rpcrt__session_tick(
            RPCRT__ELEMENT(node, struct rpcrt__session, node), now_ns,
            &notices);

        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    pthread_mutex_unlock(&server->lock);
    due_ns = rpcrt__repeats_tick(server, now_ns, &notices);
    next_ns = due_ns < next_ns ? due_ns : next_ns;
    rpcrt__ctx_notices_run(&notices);
    /* Many deadlines close to each other cost one look a millisecond. */
    if (next_ns < now_ns + RPCRT__MS) {
        next_ns = now_ns + RPCRT__MS;
    }
    if (next_ns != RPCRT__NEVER) {
        rpcrt__server_wake(server, next_ns);
    }
    return RPCRT__NEVER;
}

/* -- making and freeing ---------------------------------------------------- */

static void
fill_defaults(struct rpcrt_server_options *options)
{
#define DEFAULT(member, value)                                                 \
    options->member = options->member == 0 ? (value) : options->member
    DEFAULT(message_size_max, RPCRT_MESSAGE_SIZE_MAX);
    DEFAULT(arena_size_max, RPCRT_ARENA_SIZE_MAX);
    DEFAULT(session_calls_max, RPCRT_SESSION_CALLS_MAX);
    DEFAULT(server_calls_max, RPCRT_SERVER_CALLS_MAX);
    DEFAULT(sessions_max, RPCRT_SESSIONS_MAX);
    DEFAULT(session_bytes_max, RPCRT_SESSION_BYTES_MAX);
    DEFAULT(stream_window, RPCRT_STREAM_WINDOW);
    DEFAULT(streams_max, RPCRT_STREAMS_MAX);
    DEFAULT(workers_max, RPCRT_WORKERS_MAX);
    DEFAULT(once_count_max, RPCRT_ONCE_COUNT_MAX);
    DEFAULT(once_bytes_max, RPCRT_ONCE_BYTES_MAX);
    DEFAULT(once_ms, RPCRT_ONCE_MS);
    DEFAULT(keepalive_ms, RPCRT_KEEPALIVE_MS);
    DEFAULT(keepalive_timeout_ms, RPCRT_KEEPALIVE_TIMEOUT_MS);
    DEFAULT(drain_timeout_ms, RPCRT_DRAIN_TIMEOUT_MS);
    DEFAULT(queue_interval_ms, RPCRT_QUEUE_INTERVAL_MS);
    DEFAULT(connection_age_grace_ms, RPCRT_CONNECTION_AGE_GRACE_MS);
#undef DEFAULT
}

static enum rpcrt_code
start(struct rpcrt_server *server, struct rpcrt__error *ret_error)
{
    struct rpcrt__server_link_options options = {
        .receiving_min = RECEIVING_MIN,
        .slots_max = (server->options.sessions_max + REFUSED_SESSIONS_MAX) * 2 *
                         RPCRT_CONTEXTS_MAX +
                     RECEIVING_MIN,
        .message_size_max = RPCRT_TRANSPORT_MESSAGE_MAX};
    enum rpcrt_code code = RPCRT_RESOURCE_EXHAUSTED;

    (void)rpcrt__error_set(ret_error, code,
                           "server: no memory or no thread to start with");
    if (rpcrt__timer_init(&server->timer, on_timer, server) != RPCRT_OK) {
        return code;
    }
    if (rpcrt__overload_new(server) == RPCRT_OK &&
        rpcrt__executor_new(server->options.workers_max,
                            server->options.streams_max,
                            &server->executor) == RPCRT_OK) {
        code = rpcrt__server_link_new(&options, &link_events, server, ret_error,
                                      &server->link);
    }
    if (code != RPCRT_OK) {
        rpcrt__executor_free(server->executor);
        rpcrt__timer_fini(&server->timer);
    }
    return code;
}

static void
free_memory(struct rpcrt_server *server)
{
    while (server->listeners != NULL) {
        struct rpcrt__listener *next = server->listeners->next;

        rpcrt__tls_identity_free(server->listeners->tls);
        rpcrt__free(server->listeners);
        server->listeners = next;
    }
    rpcrt__ctx_pool_free(server);
    rpcrt__overload_free(server->overload);
    rpcrt__idmap_fini(&server->by_peer);
    while (server->drain_hooks != NULL) {
        struct rpcrt__drain_hook *next = server->drain_hooks->next;

        rpcrt__free(server->drain_hooks);
        server->drain_hooks = next;
    }
    rpcrt__repeats_fini(&server->repeats);
    rpcrt__free(server->methods);
    rpcrt__free(server->services);
    (void)sem_destroy(&server->stop);
    (void)pthread_cond_destroy(&server->no_calls);
    (void)pthread_mutex_destroy(&server->pool_lock);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->lock);
    rpcrt__free(server);
}

static void
init_members(struct rpcrt_server *server,
             const struct rpcrt_server_options *options)
{
    pthread_condattr_t attr;

    if (options != NULL) {
        server->options = *options;
    }
    fill_defaults(&server->options);
    server->instance = rpcrt__random();
    (void)sem_init(&server->stop, 0, 0);
    atomic_init(&server->wake_ns, RPCRT__NEVER);
    rpcrt__idmap_init(&server->by_peer);
    rpcrt__repeats_init(&server->repeats);
    rpcrt__list_init(&server->sessions);
    rpcrt__list_init(&server->pool);
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_mutex_init(&server->pool_lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->changed, &attr);
    (void)pthread_cond_init(&server->no_calls, &attr);
    (void)pthread_condattr_destroy(&attr);
}

static enum rpcrt_code
check_options(const struct rpcrt_server_options *options,
              struct rpcrt__error *ret_error)
{
    const struct {
        const char *name;
        size_t value;
        size_t max;
    } limits[] = {
        {"message_size_max", options->message_size_max, MESSAGE_LIMIT},
        {"stream_window", options->stream_window, WINDOW_LIMIT},
        {"sessions_max", options->sessions_max, SESSIONS_LIMIT},
        {"workers_max", options->workers_max, WORKERS_LIMIT},
        {"streams_max", options->streams_max, STREAMS_LIMIT},
    };

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].value > limits[i].max) {
            return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                    "server: %s is %zu, can be %zu at the most",
                                    limits[i].name, limits[i].value,
                                    limits[i].max);
        }
    }
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt_server_new(const struct rpcrt_server_options *options,
                 struct rpcrt_server **ret_server)
{
    struct rpcrt_server *server = rpcrt__calloc(1, sizeof *server);
    struct rpcrt__error error;
    enum rpcrt_code code;

    if (server == NULL) {
        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                               "server: no memory");
        return rpcrt__last_error_set(&error);
    }
    init_members(server, options);
    code = check_options(&server->options, &error);
    if (code == RPCRT_OK) {
        code = start(server, &error);
    }
    if (code != RPCRT_OK) {
        free_memory(server);
        return rpcrt__last_error_set(&error);
    }
    *ret_server = server;
    return RPCRT_OK;
}

void
rpcrt__server_kill_sessions(struct rpcrt_server *server)
{
    struct rpcrt__list *node;

    for (;;) {
        struct rpcrt__session *session = NULL;

        pthread_mutex_lock(&server->lock);
        node = rpcrt__list_take(&server->sessions);
        if (node != NULL) {
            session = RPCRT__ELEMENT(node, struct rpcrt__session, node);
            (void)rpcrt__idmap_remove(&server->by_peer, session->peer);
            server->n_sessions--;
        }
        pthread_mutex_unlock(&server->lock);
        if (session == NULL) {
            break;
        }
        rpcrt__server_link_cut(server->link, session->peer);
        rpcrt__session_kill(session);
        rpcrt__session_unref(session);
        atomic_fetch_add(&server->counters.sessions_closed, 1);
    }
    rpcrt__repeats_close(server);
}

void
rpcrt_server_free(struct rpcrt_server *server)
{
    if (server == NULL) {
        return;
    }
    atomic_store(&server->closing, true);
    rpcrt__server_kill_sessions(server);
    (void)rpcrt__server_await_calls(server, RPCRT__NEVER);
    rpcrt__server_link_free(server->link);
    rpcrt__executor_free(server->executor);
    rpcrt__timer_fini(&server->timer);
    free_memory(server);
}
