/*
 * Buckets of times: nothing is lost, and bounds are an eighth off at the most.
 */
#include "interceptors/histogram.h"

#include <criterion/criterion.h>

static struct rpcrt__histogram histogram;

Test(histogram, is_exact_below_16)
{
    for (uint64_t us = 0; us < 16; us++) {
        rpcrt__histogram_add(&histogram, us);
        cr_assert_eq(rpcrt__histogram_bound_us(&histogram, us + 1), us);
    }
    cr_assert_eq(rpcrt__histogram_total(&histogram), 16);
    cr_assert_eq(rpcrt__histogram_below(&histogram, 4), 16);
    cr_assert_eq(atomic_load(&histogram.sum_us), 120);
}

Test(histogram, is_an_eighth_too_high_at_the_most)
{
    uint64_t n = 0;

    for (uint64_t us = 16; us < UINT64_C(1) << 32; us += us / 13 + 1) {
        uint64_t bound_us;

        rpcrt__histogram_add(&histogram, us);
        bound_us = rpcrt__histogram_bound_us(&histogram, ++n);
        cr_assert(us <= bound_us && bound_us <= us + us / 8,
                  "%llu in the bucket of %llu", (unsigned long long)us,
                  (unsigned long long)bound_us);
    }
    cr_assert_eq(rpcrt__histogram_total(&histogram), n);
}

Test(histogram, counts_what_is_below_a_power_of_two)
{
    for (unsigned bits = 4; bits < 31; bits++) {
        uint64_t before = rpcrt__histogram_total(&histogram);

        rpcrt__histogram_add(&histogram, (UINT64_C(1) << bits) - 1);
        rpcrt__histogram_add(&histogram, UINT64_C(1) << bits);
        cr_assert_eq(rpcrt__histogram_below(&histogram, bits), before + 1);
    }
}

Test(histogram, keeps_what_is_longer_than_all_buckets)
{
    rpcrt__histogram_add(&histogram, UINT64_MAX);
    rpcrt__histogram_add(&histogram, UINT64_C(1) << 32);
    cr_assert_eq(rpcrt__histogram_total(&histogram), 2);
    cr_assert_eq(rpcrt__histogram_bound_us(&histogram, 2),
                 (UINT64_C(1) << 32) - 1);
}
