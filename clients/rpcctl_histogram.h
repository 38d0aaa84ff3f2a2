/*
 * Times, counted in buckets that are at most 3 % wide: percentiles of millions
 * of calls in a few kilobytes.
 */
#ifndef CLIENTS_RPCCTL_HISTOGRAM_H
#define CLIENTS_RPCCTL_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/* 32 buckets for each power of two, of 64-bit numbers. */
#define RPCCTL_HISTOGRAM_BUCKETS (60u * 32u)

struct rpcctl_histogram {
    uint64_t counts[RPCCTL_HISTOGRAM_BUCKETS];
    uint64_t n;
    uint64_t max;
    double sum;
};

void rpcctl_histogram_add(struct rpcctl_histogram *histogram, uint64_t value);

/* The value that so many of 1,000 are not above; 0 without any. */
uint64_t rpcctl_histogram_at(const struct rpcctl_histogram *histogram,
                             unsigned permille);

/* How many are below a value, as far as buckets tell. */
uint64_t rpcctl_histogram_below(const struct rpcctl_histogram *histogram,
                                uint64_t value);

#endif
