/*
 * Many customers who want the same pets, at two shops.
 */
#include "tests/purchase/customers.h"

#include <string.h>

#define CUSTOMERS 50u
#define PETS 20u

static void
race(const char *engine)
{
    const struct world_options options = {
        .engine = engine, .rescue_after_ms = 5000, .pay_within_ms = 5000};
    static struct told_list told;
    struct card rich;
    const struct customers_options buying = {.n_customers = CUSTOMERS,
                                             .n_purchases = 1,
                                             .n_pets = PETS,
                                             .in_turn = true,
                                             .only_rich = true,
                                             .rich = &rich};
    struct customers *customers;
    struct books books;
    struct visitor staff;
    struct world world;
    unsigned n_paid = 0;

    card_make("4929", 16, &rich);
    world_open(&world, &options);
    world_issue(&world, &rich, INT64_C(1000000));
    visitor_open(&staff, &world, 1);
    visitor_enter(&staff, "boss", WORLD_STAFF_PASSWORD, false);
    for (unsigned i = 0; i < PETS; i++) {
        visitor_add_pet(&staff, i, 1000);
    }
    customers = customers_start(&world, &buying);
    customers_end(customers, false);
    customers_take(customers, &told);
    books_check(&world, told.items, told.n_items, &books);
    for (size_t i = 0; i < told.n_items; i++) {
        n_paid += told.items[i].paid;
    }
    cr_assert_eq(told.n_items, CUSTOMERS);
    cr_assert_eq(n_paid, PETS, "%u customers were told that they had paid",
                 n_paid);
    cr_assert_eq(books.n_sold, PETS);
    cr_assert_eq(books.n_orders, PETS, "a refused customer has an order");
    cr_assert_eq(books.n_payments, PETS, "a refused customer's card was asked");
    cr_assert_eq(books.taken, (int64_t)PETS * 1000);
    visitor_close(&staff);
    world_close(&world);
}

Test(race, of_fifty_customers_for_twenty_pets_sells_each_once_memory,
     .timeout = 120)
{
    race("memory");
}

Test(race, of_fifty_customers_for_twenty_pets_sells_each_once_lmdb,
     .timeout = 120)
{
    race("lmdb");
}
