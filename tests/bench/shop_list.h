/*
 * ListPets, one page again and again.
 */
#ifndef BENCH_SHOP_LIST_H
#define BENCH_SHOP_LIST_H

#include "bench/shop_client.h"

/**
 * Measure and print.
 *
 * kind    "first": the first page of all
 *         "deep": a page in the middle of all
 *         "filtered": the first page of a species, in a range of prices
 *         "nothing": a page of a search for a text that no pet has; also prints
 *         "looked_at", how many pets one page of it goes past
 * n_pets  how many there are
 */
void shop_list_measure(const struct shop_client *client, const char *kind,
                       uint64_t n_pets, double seconds);

#endif
