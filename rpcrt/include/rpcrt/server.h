/*
 * A server: services, listeners, and the threads that run handlers.
 *
 *   1. rpcrt_server_new()
 *   2. <prefix>_serve() for each service, generated
 *   3. rpcrt_server_listen() for each address; from the first on, calls come
 *   4. rpcrt_server_run() until SIGTERM or SIGINT, or rpcrt_server_drain()
 *   5. rpcrt_server_free()
 */
#ifndef RPCRT_SERVER_H
#define RPCRT_SERVER_H

#include <rpcrt/ctx.h>
#include <rpcrt/status.h>
#include <rpcrt/tls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

RPCRT_BEGIN_DECLS

struct rpcrt_server;

enum rpcrt_log_level {
    RPCRT_LOG_ERROR,
    RPCRT_LOG_WARNING,
    RPCRT_LOG_INFO,
    RPCRT_LOG_DEBUG
};

/** Takes one line without its end, on any thread, at any time; must not call
 * the server. */
typedef void rpcrt_log_fn(void *arg, enum rpcrt_log_level level,
                          const char *line);

/** Told of each call when its answer is made; on the thread that answered. */
struct rpcrt_call_record {
    const char *method; /* "/kv.v1.Kv/Put" */
    const char *peer;   /* address of the client */
    const char *call_id;
    enum rpcrt_code code;
    const char *message;
    uint64_t duration_us;
    size_t request_size; /* of all messages */
    size_t reply_size;
};
typedef void rpcrt_call_log_fn(void *arg,
                               const struct rpcrt_call_record *record);

/** All zero is every default, see rpcrt/limits.h. */
struct rpcrt_server_options {
    size_t message_size_max; /* bytes of a request */
    size_t arena_size_max;
    uint32_t session_calls_max;
    uint32_t server_calls_max;
    uint32_t sessions_max;
    size_t session_bytes_max;
    uint32_t stream_window; /* bytes that a client's stream may be ahead */
    uint32_t streams_max;
    uint32_t workers_max;
    /* What is remembered of calls that carry an idempotency key, see retry.h.
     * The oldest are forgotten; answers above a quarter of the bytes are not
     * kept. Too many that run are refused. */
    size_t once_count_max;
    size_t once_bytes_max;
    uint32_t once_ms;
    uint32_t keepalive_ms;
    uint32_t keepalive_timeout_ms;
    uint32_t drain_timeout_ms; /* of rpcrt_server_run() */
    /* Overload control; with all of it 0 or false there is none. Streams do
     * not count: see streams_max. */
    uint32_t running_calls_max; /* handlers that run at once, those that answer
                                   later too; 0: workers_max */
    uint32_t queue_calls_max;   /* calls that wait for their turn; 0: as many as
                                   there may be */
    uint32_t queue_target_ms;   /* waiting that is fine; when no call of an
                                   interval has waited less, those are shed
                                   that have waited twice that; 0: none */
    uint32_t queue_interval_ms;
    bool running_calls_adapt; /* find the best running_calls_max below it */
    /* How old a connection gets, a tenth more or less; 0: as old as it likes.
     * Then its client is told to make a new one for its next calls, so that
     * clients spread over servers that come. */
    uint32_t connection_age_ms;
    uint32_t connection_age_grace_ms; /* what its calls then have to end */
    rpcrt_log_fn *log;                /* NULL: silent */
    void *log_arg;
    rpcrt_call_log_fn *call_log; /* NULL: calls are not logged */
    void *call_log_arg;
};

/**
 * Make a server that listens nowhere yet.
 *
 * options  copied; NULL for the defaults
 * Returns  OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED; text: rpcrt_last_error().
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_server_new(const struct rpcrt_server_options *options,
                 struct rpcrt_server **ret_server);

/** Stop at once: running calls are cancelled, their handlers waited for. Not
 * from a handler. NULL does nothing. */
RPCRT_API void rpcrt_server_free(struct rpcrt_server *server);

/**
 * Say whether a method may block, whatever its .proto says. Before listening.
 *
 * path     "/kv.v1.Kv/Put"
 * Returns  OK; NOT_FOUND if no such method is served; INVALID_ARGUMENT for
 *          one with streams, which always may;
 *          FAILED_PRECONDITION once the server listens.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_server_set_blocking(struct rpcrt_server *server, const char *path,
                          bool may_block);

/**
 * Listen on one more address. Port 0 takes a free one: see
 * rpcrt_server_address().
 *
 * tls      needed for tls+tcp://, else NULL
 * Returns  OK; INVALID_ARGUMENT; FAILED_PRECONDITION when a TLS file can't be
 *          used; UNAVAILABLE when the address is taken or can't be had;
 *          text: rpcrt_last_error().
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_server_listen(struct rpcrt_server *server, const char *address,
                    const struct rpcrt_tls *tls);

/** The address of listener i, from 0, as a client can dial it; NULL behind the
 * last. Lives as long as the server. */
RPCRT_API const char *rpcrt_server_address(const struct rpcrt_server *server,
                                           size_t i);

/**
 * Serve until SIGTERM or SIGINT comes, or rpcrt_server_stop() is called, then
 * drain for drain_timeout_ms. It handles both signals meanwhile, so one server
 * of a program runs like this.
 *
 * Returns  0 if every running call could finish, else 1.
 */
RPCRT_API int rpcrt_server_run(struct rpcrt_server *server);

/** End rpcrt_server_run(), from any thread. */
RPCRT_API void rpcrt_server_stop(struct rpcrt_server *server);

/**
 * Take no new calls ("not executed", so clients may go elsewhere), let the
 * running ones finish, wait until the clients have left.
 *
 * timeout_ms  after this what is left is cancelled
 * Returns     OK if all finished, DEADLINE_EXCEEDED if some were cancelled.
 */
RPCRT_API enum rpcrt_code rpcrt_server_drain(struct rpcrt_server *server,
                                             uint32_t timeout_ms);

/** Told that draining begins, before any call is refused; on the thread that
 * drains, which waits for its return. It may end calls. */
typedef void rpcrt_drain_fn(void *arg);

/** Have a function told of rpcrt_server_drain(), which rpcrt_server_run()
 * calls too; one more each time. Before listening. OK, FAILED_PRECONDITION,
 * RESOURCE_EXHAUSTED. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_server_on_drain(struct rpcrt_server *server, rpcrt_drain_fn *fn,
                      void *arg);

/** Counts since the start, and the present state. */
struct rpcrt_server_stats {
    uint64_t calls_started;
    uint64_t calls_finished;
    uint64_t calls_refused; /* by a limit, or while draining */
    uint64_t sessions_opened;
    uint64_t sessions_closed;
    uint64_t sessions_cut;      /* for breaking the protocol, or silence */
    uint64_t handshakes_failed; /* TLS */
    uint64_t messages_received;
    uint64_t messages_sent;
    uint64_t messages_empty; /* sent to give a credit back */
    uint64_t calls_shed;     /* by overload control, not executed */
    uint32_t calls_queued;   /* waiting for their turn under it */
    uint32_t calls_limit;    /* that it lets run at present; 0: any */
    uint32_t calls_running;
    uint32_t sessions;
};

RPCRT_API void rpcrt_server_get_stats(struct rpcrt_server *server,
                                      struct rpcrt_server_stats *ret_stats);

RPCRT_END_DECLS

#endif
