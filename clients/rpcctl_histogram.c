/*
 * Buckets as HdrHistogram has them: below 32 one a number, then 32 for each
 * power of two. See rpcctl_histogram.h.
 */
#include "rpcctl_histogram.h"

#define BITS 5u
#define PART (1u << BITS)

static unsigned
bucket_of(uint64_t value)
{
    unsigned shift = 0;

    while (value >> shift >= 2 * PART) {
        shift++;
    }
    return (unsigned)(value >> shift) + shift * PART;
}

/* The largest value of a bucket. */
static uint64_t
bucket_end(unsigned bucket)
{
    unsigned shift = bucket < 2 * PART ? 0 : bucket / PART - 1;
    uint64_t first = (uint64_t)(bucket - shift * PART) << shift;

    return first + ((uint64_t)1 << shift) - 1;
}

void
rpcctl_histogram_add(struct rpcctl_histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->n++;
    histogram->sum += (double)value;
    histogram->max = value > histogram->max ? value : histogram->max;
}

uint64_t
rpcctl_histogram_at(const struct rpcctl_histogram *histogram, unsigned permille)
{
    uint64_t wanted = (histogram->n * permille + 999) / 1000;
    uint64_t n = 0;
    unsigned i;

    for (i = 0; i < RPCCTL_HISTOGRAM_BUCKETS && wanted > 0; i++) {
        n += histogram->counts[i];
        if (n >= wanted) {
            uint64_t end = bucket_end(i);

            return end < histogram->max ? end : histogram->max;
        }
    }
    return 0;
}

uint64_t
rpcctl_histogram_below(const struct rpcctl_histogram *histogram, uint64_t value)
{
    uint64_t n = 0;
    unsigned i;

    for (i = 0; i < RPCCTL_HISTOGRAM_BUCKETS && bucket_end(i) < value; i++) {
        n += histogram->counts[i];
    }
    return n;
}
