/*
 * Whether money, pets and orders add up: read from what paymentd and petstored
 * keep, when nobody works on it.
 */
#ifndef TESTS_PURCHASE_BOOKS_H
#define TESTS_PURCHASE_BOOKS_H

#include "tests/purchase/world.h"

/* What a customer was told of one purchase. */
struct told {
    char user[24];
    char key[24];
    char order_id[40]; /* "" where the refusal names none */
    bool paid;         /* Checkout was OK */
    bool given_up;     /* CancelOrder was OK */
};

/* What was found. */
struct books {
    unsigned n_pets;
    unsigned n_sold;
    unsigned n_orders;
    unsigned n_paid;
    unsigned n_refunded;
    unsigned n_payments;
    int64_t taken; /* captured and not given back */
};

/**
 * Wait until no order is on its way, then check; the test fails with what does
 * not add up:
 *
 *   - all accounts, the external one included, are zero together, and are what
 *     the entries of the books, replayed, make of them
 *   - nothing is held on a card, no payment is AUTHORIZED, no pet reserved, no
 *     order open
 *   - every captured payment belongs to exactly one paid order of that total,
 *     and the reverse; every payment that was given back, to a refunded one
 *   - every sold pet belongs to exactly one paid order, and the reverse; the
 *     list of what can be had has exactly the others
 *   - what a customer was told is so, and one key made one order at the most
 */
void books_check(struct world *world, const struct told *told, size_t n_told,
                 struct books *ret_books);

#endif
