/*
 * A run of rpcctl load: what was asked for and what came of it.
 */
#ifndef CLIENTS_RPCCTL_LOAD_H
#define CLIENTS_RPCCTL_LOAD_H

#include "rpcctl.h"
#include "rpcctl_histogram.h"

#define RPCCTL_CODES 17u

struct rpcctl_load {
    const struct rpcctl_method *what;
    uint64_t concurrency; /* calls at a time, at the most */
    uint64_t rate;        /* a second; 0: closed loop */
    uint64_t count_max;   /* 0: no end by it */
    uint64_t duration_ns; /* 0: no end by it */

    struct rpcctl_histogram times_ns; /* of calls that ended well */
    uint64_t n_codes[RPCCTL_CODES];
    uint64_t n_started;
    uint64_t n_ended;
    uint64_t n_late; /* began 1 ms after they were due, or more */
    uint64_t taken_ns;
    char failure[CLI_FAILURE_SIZE]; /* the first one */
};

/* A line that says how far it is, over the last one. */
void rpcctl_load_progress(const struct rpcctl_load *load);

void rpcctl_load_report(const struct cli *cli, const struct rpcctl_load *load);

#endif
