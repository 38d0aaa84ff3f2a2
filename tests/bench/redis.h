/*
 * redis-server and redis-benchmark, which the bench "kv" compares with.
 */
#ifndef BENCH_REDIS_H
#define BENCH_REDIS_H

#include "bench/process.h"

#include <stdbool.h>

/* What redis-benchmark tells of one command. */
struct redis_figures {
    double per_s;
    double p50_us;
    double p99_us;
};

/** Start redis-server in memory only, on a free port of 127.0.0.1; returns
 * once it answers. */
struct process redis_start(unsigned *ret_port);

/**
 * Measure SET or GET with 64 bytes of value and 10,000 keys.
 *
 * connections  each with `pipeline` commands in flight
 * seconds      about; redis-benchmark takes a number of requests
 */
struct redis_figures redis_measure(unsigned port, bool set,
                                   unsigned connections, unsigned pipeline,
                                   double seconds);

#endif
