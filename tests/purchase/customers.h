/*
 * Customers who buy, each in a thread: put a pet into the cart, check out, try
 * another card or give an order up. A call without an answer is made again with
 * the same key, at whichever shop, until there is one.
 */
#ifndef TESTS_PURCHASE_CUSTOMERS_H
#define TESTS_PURCHASE_CUSTOMERS_H

#include "tests/purchase/books.h"

#include <stdatomic.h>

#define CUSTOMERS_MAX 64u
#define CUSTOMERS_TOLD_MAX 8192u
#define CUSTOMERS_PASSWORD "a long password"

struct customers;

struct customers_options {
    unsigned n_customers;
    unsigned n_purchases; /* of each at the most */
    unsigned n_pets;      /* "pet-0" to "pet-<n-1>", which they choose from */
    bool in_turn;         /* customer i wants pet i % n_pets, and no other */
    bool only_rich;       /* no poor card, and nobody gives an order up */
    const struct card *rich;
    const struct card *poor; /* has less than any pet costs */
};

/* Register and log in what is not yet; then they begin to buy. */
struct customers *customers_start(struct world *world,
                                  const struct customers_options *options);

/* Let them end: after the purchase under way, or after all. */
void customers_end(struct customers *customers, bool now);

/* What they were told, of all rounds; lives as long as the world. */
struct told_list {
    struct told items[CUSTOMERS_TOLD_MAX];
    size_t n_items;
};
/* Append what these were told, and free them. */
void customers_take(struct customers *customers, struct told_list *list);

#endif
