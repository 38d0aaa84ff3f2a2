/*
 * The bench "shop": purchases from a pet shop of three daemons, what one costs,
 * and lists of its pets.
 */
#ifndef BENCH_SHOP_BENCH_H
#define BENCH_SHOP_BENCH_H

/**
 * Measure, and keep the results: "shop" and "shop-time" (depth: customers,
 * subject: engine), "shop-cost" (depth: customers, subject: what of), and
 * "shop-list" (depth: pets, subject: engine).
 *
 * programs  folder of the benchmark's programs, with certs/
 * servers   folder of the daemons
 */
void shop_bench(const char *programs, const char *servers, double seconds,
                unsigned rounds);

/** How many pets the large catalogue has: BENCH_PETS. */
unsigned shop_pets_many(void);

#define SHOP_PETS_FEW 100u

#endif
