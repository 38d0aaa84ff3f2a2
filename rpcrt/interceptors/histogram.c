/*
 * The buckets of histogram.h.
 */
#include "interceptors/histogram.h"

/* Bits of the number of a part. */
#define PART_BITS 3u

static unsigned
bucket_of(uint64_t us)
{
    unsigned bits = RPCRT__HISTOGRAM_BITS_MIN;

    if (us < RPCRT__HISTOGRAM_EXACT) {
        return (unsigned)us;
    }
    while (bits < RPCRT__HISTOGRAM_BITS_MAX && us >> (bits + 1) != 0) {
        bits++;
    }
    if (us >> (bits + 1) != 0) {
        return RPCRT__HISTOGRAM_BUCKETS - 1;
    }
    return RPCRT__HISTOGRAM_EXACT +
           (bits - RPCRT__HISTOGRAM_BITS_MIN) * RPCRT__HISTOGRAM_PARTS +
           (unsigned)(us >> (bits - PART_BITS) & (RPCRT__HISTOGRAM_PARTS - 1));
}

/* The largest value of a bucket. */
static uint64_t
bucket_max(unsigned bucket)
{
    unsigned part;
    unsigned bits;

    if (bucket < RPCRT__HISTOGRAM_EXACT) {
        return bucket;
    }
    bucket -= RPCRT__HISTOGRAM_EXACT;
    part = bucket % RPCRT__HISTOGRAM_PARTS;
    bits = RPCRT__HISTOGRAM_BITS_MIN + bucket / RPCRT__HISTOGRAM_PARTS;
    return ((uint64_t)(RPCRT__HISTOGRAM_PARTS + part + 1)
            << (bits - PART_BITS)) -
           1;
}

void
rpcrt__histogram_add(struct rpcrt__histogram *histogram, uint64_t us)
{
    atomic_fetch_add_explicit(&histogram->buckets[bucket_of(us)], 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}

static uint64_t
count_up_to(struct rpcrt__histogram *histogram, unsigned n_buckets)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < n_buckets; i++) {
        count +=
            atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
    }
    return count;
}

uint64_t
rpcrt__histogram_below(struct rpcrt__histogram *histogram, unsigned bits)
{
    return count_up_to(histogram, bucket_of(UINT64_C(1) << bits));
}

uint64_t
rpcrt__histogram_total(struct rpcrt__histogram *histogram)
{
    return count_up_to(histogram, RPCRT__HISTOGRAM_BUCKETS);
}

uint64_t
rpcrt__histogram_bound_us(struct rpcrt__histogram *histogram, uint64_t count)
{
    unsigned i = 0;

    for (uint64_t seen = 0; i < RPCRT__HISTOGRAM_BUCKETS; i++) {
        seen +=
            atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        if (seen >= count) {
            return bucket_max(i);
        }
    }
    return bucket_max(RPCRT__HISTOGRAM_BUCKETS - 1);
}
