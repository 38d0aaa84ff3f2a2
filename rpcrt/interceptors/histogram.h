/*
 * Counts of times by their size, in buckets that are an eighth of their value
 * wide, as in HdrHistogram (http://hdrhistogram.org): exact below 16 us, up to
 * an hour, any thread.
 */
#ifndef RPCRT_INTERCEPTORS_HISTOGRAM_H
#define RPCRT_INTERCEPTORS_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define RPCRT__HISTOGRAM_EXACT 16u
#define RPCRT__HISTOGRAM_PARTS 8u /* of each doubling */
#define RPCRT__HISTOGRAM_BITS_MIN 4u
#define RPCRT__HISTOGRAM_BITS_MAX 31u
#define RPCRT__HISTOGRAM_BUCKETS                                               \
    (RPCRT__HISTOGRAM_EXACT +                                                  \
     (RPCRT__HISTOGRAM_BITS_MAX - RPCRT__HISTOGRAM_BITS_MIN + 1) *             \
         RPCRT__HISTOGRAM_PARTS)

struct rpcrt__histogram {
    atomic_ullong buckets[RPCRT__HISTOGRAM_BUCKETS];
    atomic_ullong sum_us;
};

/* Count one. */
void rpcrt__histogram_add(struct rpcrt__histogram *histogram, uint64_t us);

/* How many are below 2^bits us, and in all. */
uint64_t rpcrt__histogram_below(struct rpcrt__histogram *histogram,
                                unsigned bits);
uint64_t rpcrt__histogram_total(struct rpcrt__histogram *histogram);

/* The least bound that so many are not above. */
uint64_t rpcrt__histogram_bound_us(struct rpcrt__histogram *histogram,
                                   uint64_t count);

#endif
