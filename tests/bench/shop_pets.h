/*
 * The pets of the bench "shop": four species, 25 steps of price, so that every
 * hundred of them looks like every other.
 */
#ifndef BENCH_SHOP_PETS_H
#define BENCH_SHOP_PETS_H

#include "bench/shop_client.h"

#define SHOP_PET_ID_SIZE 48u
#define SHOP_PET_SPECIES "cat"
/* Of four in five of them. */
#define SHOP_PET_PRICE_MIN 300
#define SHOP_PET_PRICE_MAX 2299

/** The id of a pet of this run. */
void shop_pet_id(const struct shop_client *client, uint64_t number,
                 char ret_id[SHOP_PET_ID_SIZE]);

/** What it costs. */
int64_t shop_pet_price(uint64_t number);

/** Add the pets from a number on; returns how many a second. */
double shop_pets_add(struct shop_client *client, uint64_t first, uint64_t n,
                     const char *progress);

#endif
