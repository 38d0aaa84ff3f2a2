/*
 * A channel: the client's way to a server, or to several that do the same. It
 * connects by itself when the first call is made, again with backoff and jitter
 * after a connection was lost, and carries any number of calls at once.
 *
 * An address is one of a server, several with commas between them, a name with
 * several addresses behind it, or a file that lists them:
 *
 *   tcp://10.0.0.1:7000,10.0.0.2:7000,ipc:///run/shop.sock
 *   dns:///shop.example:7000
 *   file:///etc/shop/servers
 */
#ifndef RPCRT_CHANNEL_H
#define RPCRT_CHANNEL_H

#include <rpcrt/limits.h>
#include <rpcrt/status.h>
#include <rpcrt/tls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

RPCRT_BEGIN_DECLS

struct rpcrt_channel;

/** Which of the servers a call goes to. */
enum rpcrt_balancing {
    RPCRT_PICK_FIRST,     /* the first in the list that can be had */
    RPCRT_ROUND_ROBIN,    /* one after the other */
    RPCRT_LEAST_IN_FLIGHT /* the one with the fewest calls of this channel */
};

/** All zero is every default, see rpcrt/limits.h. */
struct rpcrt_channel_options {
    const struct rpcrt_tls *tls; /* needed for tls+tcp:// */
    size_t message_size_max;     /* bytes of a reply */
    size_t arena_size_max;       /* bytes of a call's memory */
    uint32_t stream_window;      /* bytes that each stream of a server may
                                    send before the caller takes some */
    uint32_t contexts;           /* 2 to RPCRT_CONTEXTS_MAX */
    uint32_t connect_timeout_ms;
    uint32_t backoff_ms_min;
    uint32_t backoff_ms_max;
    uint32_t keepalive_ms;         /* between signs of life of the peer */
    uint32_t keepalive_timeout_ms; /* the peer is lost after this silence */
    enum rpcrt_balancing balancing;
    /* A server whose calls end UNAVAILABLE so many times on end is ejected: it
     * gets no calls for a time, which doubles up to a bound. Then one call
     * decides whether it is back. Never all of them; UINT32_MAX: never. */
    uint32_t eject_errors;
    uint32_t eject_ms_min;
    uint32_t eject_ms_max;
    uint32_t resolve_ms;        /* between looks at a name or a file */
    const char *service_config; /* JSON, see retry.h; NULL: none */
};

/**
 * Make a channel. It connects when it is used.
 *
 * address  inproc://NAME ipc://PATH tcp://HOST:PORT tls+tcp://HOST:PORT, or
 *          several with commas between them: one without a scheme has that of
 *          the one before. dns:///HOST:PORT stands for all addresses of a host,
 *          looked up again from time to time and after failures; with
 *          certificates it is TLS to a server of that name. file:///PATH alone:
 *          an address a line, # comments; the channel follows its changes (so
 *          replace it by rename), and keeps the last list that could be read.
 * options  copied; NULL for the defaults
 * Returns  OK; INVALID_ARGUMENT for an address or option that can't be used,
 *          with the place in a service config;
 *          FAILED_PRECONDITION when a TLS file can't be read or parsed;
 *          RESOURCE_EXHAUSTED without memory. rpcrt_last_error() has the text.
 * Owner    the caller.
 * Threads  a channel may be used by any number of threads at once.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_channel_new(const char *address,
                  const struct rpcrt_channel_options *options,
                  struct rpcrt_channel **ret_channel);

/**
 * Close the connection and free the channel; always returns. Calls that are
 * still waiting end with CANCELLED. Call objects may be freed afterwards, but
 * not used. Not from a completion callback. NULL does nothing.
 */
RPCRT_API void rpcrt_channel_free(struct rpcrt_channel *channel);

/** What a channel does about one of its addresses. */
enum rpcrt_endpoint_state {
    RPCRT_ENDPOINT_IDLE, /* not connected: no call has needed it */
    RPCRT_ENDPOINT_CONNECTING,
    RPCRT_ENDPOINT_READY,  /* connected */
    RPCRT_ENDPOINT_BACKOFF /* the last attempt failed; waits */
};

struct rpcrt_endpoint_stats {
    char address[RPCRT_ADDRESS_SIZE];
    enum rpcrt_endpoint_state state;
    bool ejected;             /* gets no calls but one to try */
    uint64_t calls_in_flight; /* now */
    uint64_t calls;           /* that were given to it */
    uint64_t calls_failed;    /* of them, those that ended UNAVAILABLE */
    uint64_t connects;        /* that succeeded */
    uint64_t connects_failed;
    char error[RPCRT_TEXT_SIZE]; /* the last one of a connection, or empty */
};

struct rpcrt_channel_stats {
    size_t n_endpoints;
    uint64_t calls_waiting; /* for a connection */
    /* Why the last look at a name or a file brought nothing; empty if it was
     * of use. The channel goes on with what it had. */
    char resolve_error[RPCRT_TEXT_SIZE];
};

/**
 * See what a channel does now, and its addresses in the order of the list.
 *
 * endpoints  up to n_endpoints of them are written; may be NULL for 0
 * Returns    how many were written; ret_stats tells how many there are.
 * Threads    any.
 */
RPCRT_API size_t rpcrt_channel_get_stats(struct rpcrt_channel *channel,
                                         struct rpcrt_channel_stats *ret_stats,
                                         struct rpcrt_endpoint_stats *endpoints,
                                         size_t n_endpoints);

/** The address that the channel was made with. */
RPCRT_API const char *
rpcrt_channel_address(const struct rpcrt_channel *channel);

/**
 * Why the last function of this thread that makes or opens something failed,
 * for people. Never NULL; valid until the thread's next such call.
 */
RPCRT_API const char *rpcrt_last_error(void);

RPCRT_END_DECLS

#endif
