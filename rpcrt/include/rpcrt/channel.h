/*
 * A channel: the client's way to one address. It connects by itself when the
 * first call is made, again with backoff and jitter after the connection was
 * lost, and carries any number of calls at once. Nothing is ever sent twice.
 */
#ifndef RPCRT_CHANNEL_H
#define RPCRT_CHANNEL_H

#include <rpcrt/status.h>
#include <rpcrt/tls.h>
#include <stddef.h>
#include <stdint.h>

RPCRT_BEGIN_DECLS

struct rpcrt_channel;

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
};

/**
 * Make a channel. It connects when it is used.
 *
 * address  inproc://NAME ipc://PATH tcp://HOST:PORT tls+tcp://HOST:PORT
 * options  copied; NULL for the defaults
 * Returns  OK; INVALID_ARGUMENT for an address or option that can't be used;
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
