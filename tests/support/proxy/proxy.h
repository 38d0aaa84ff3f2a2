/*
 * A proxy between clients and a server on TCP that makes trouble: it listens,
 * opens a connection to the target for each that comes, and does to them what
 * its plan says. A thread of its own does all of it.
 *
 * Messages of nng are told apart, kept until they are complete, and may be
 * lost, doubled, overtaken and damaged. Of what does not look like nng, such as
 * TLS, only the bytes are handled.
 */
#ifndef TESTS_SUPPORT_PROXY_PROXY_H
#define TESTS_SUPPORT_PROXY_PROXY_H

#include "support/proxy/pair.h"

/* Connections at once; more wait until some have ended. */
#define PROXY_PAIRS_MAX 256u

struct proxy_stats {
    uint64_t connections; /* that came */
    uint64_t unreachable; /* of them, those for which there was no server */
    uint64_t reset;       /* by proxy_reset() */
    uint64_t open;        /* now */
    struct proxy_counts ways[PROXY_WAYS];
};

struct proxy_options {
    const char *listen; /* tcp://HOST:PORT */
    const char *target;
    uint64_t seed; /* the same traffic meets the same faults */
    struct proxy_plan plan;
};

struct proxy;

/**
 * Listen, and start the thread.
 *
 * Returns  OK; INVALID_ARGUMENT for an address or plan that can't be;
 *          UNAVAILABLE if it can't listen; RESOURCE_EXHAUSTED.
 * Threads  of the functions here, any; they wait for nothing but a lock.
 */
RPCRT_MUST_CHECK enum rpcrt_code
proxy_start(const struct proxy_options *options, struct common_error *ret_error,
            struct proxy **ret_proxy);

/* End the thread and reset all connections. NULL does nothing. */
void proxy_stop(struct proxy *proxy);

/* Where it listens, as a client dials it; lives as long as the proxy. */
const char *proxy_address(const struct proxy *proxy);

/* Change the plan, of open connections too. INVALID_ARGUMENT changes
 * nothing. */
RPCRT_MUST_CHECK enum rpcrt_code proxy_set_plan(struct proxy *proxy,
                                                const struct proxy_plan *plan,
                                                struct common_error *ret_error);
void proxy_get_plan(struct proxy *proxy, struct proxy_plan *ret_plan);
void proxy_get_stats(struct proxy *proxy, struct proxy_stats *ret_stats);

/* End all connections, by RST or (gently) in order; what was not passed on is
 * lost. Returns how many there were. */
unsigned proxy_reset(struct proxy *proxy, bool gently);

#endif
