/*
 * How many handlers at once a server is best off with, found while it runs:
 * Little's law, calls in progress = calls a second x time of a call, with the
 * most calls a second that were seen and the time of a call that nobody
 * disturbs. The idea, and that the undisturbed time must be measured again and
 * again at a lower limit, is from brpc's automatic limiter
 * (https://github.com/apache/brpc/blob/master/docs/en/auto_concurrency_limiter.md).
 *
 * No clock and no lock of its own.
 */
#ifndef RPCRT_SERVER_LIMITER_H
#define RPCRT_SERVER_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

struct rpcrt__limiter {
    unsigned limit;
    unsigned limit_max;
    uint64_t window_ns;  /* when the present window began */
    uint64_t n_samples;  /* in it */
    uint64_t sum_ns;     /* of their times */
    bool full;           /* the limit was met in it */
    uint64_t time_ns;    /* of an undisturbed call; 0: not known */
    double peak_per_s;   /* calls that ended */
    uint64_t probed_ns;  /* when the time was measured last */
    unsigned limit_then; /* before the probe that runs; 0: none does */
};

/* Begin; the limit will be 1 to limit_max. */
void rpcrt__limiter_init(struct rpcrt__limiter *limiter, unsigned limit_max);

/* A call ended that took a time; `full` if as many ran as the limit lets. */
void rpcrt__limiter_add(struct rpcrt__limiter *limiter, uint64_t now_ns,
                        uint64_t time_ns, bool full);

#endif
