/*
 * Daemons that are killed or stand still in the middle of purchases: when all
 * run again, every order is finished or undone by itself, and the books add up.
 *
 * PURCHASE_FAULTS  how many rounds (30); make soak: 200
 * PURCHASE_SEED    of what is left to chance; printed when a test fails
 */
#include "common/ids.h"
#include "tests/purchase/customers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CUSTOMERS 6u
#define PETS_A_ROUND 6u
#define FAULTS_DEFAULT 30u

static unsigned
setting(const char *variable, unsigned otherwise)
{
    const char *text = getenv(variable);

    return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

static void
wait_ms(unsigned ms)
{
    const struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

    (void)nanosleep(&time, NULL);
}

/* In their order: each needs those before it. */
static void
start_dead(struct world *world)
{
    for (unsigned part = 0; part < WORLD_PARTS; part++) {
        if (!world->alive[part]) {
            world_start(world, part);
        }
    }
}

/* One fault, or two at once: killed, or standing still. */
static void
strike(struct world *world, struct visitor *chance)
{
    unsigned n_parts = 1 + (visitor_random(chance, 4) == 0);
    bool stopped[WORLD_PARTS] = {false};

    for (unsigned i = 0; i < n_parts; i++) {
        unsigned part = visitor_random(chance, WORLD_PARTS);

        if (!world->alive[part]) {
            continue;
        }
        if (!stopped[part] && visitor_random(chance, 2) == 0) {
            world_end(world, part, SIGKILL);
        } else {
            cr_assert_eq(kill(world->parts[part].pid, SIGSTOP), 0);
            stopped[part] = true;
        }
    }
    wait_ms(visitor_random(chance, 1200));
    for (unsigned part = 0; part < WORLD_PARTS; part++) {
        if (stopped[part] && world->alive[part]) {
            cr_assert_eq(kill(world->parts[part].pid, SIGCONT), 0);
        }
    }
    start_dead(world);
}

Test(purchases, add_up_whatever_is_killed_or_paused, .timeout = 3000)
{
    const struct world_options options = {
        .engine = "lmdb", .rescue_after_ms = 400, .pay_within_ms = 300};
    static struct told_list told;
    struct card rich;
    struct card poor;
    struct customers_options buying = {.n_customers = CUSTOMERS,
                                       .n_purchases = 100,
                                       .rich = &rich,
                                       .poor = &poor};
    unsigned n_faults = setting("PURCHASE_FAULTS", FAULTS_DEFAULT);
    unsigned seed = setting("PURCHASE_SEED", (unsigned)time(NULL));
    struct books books = {.n_pets = 0};
    struct visitor staff;
    struct world world;

    (void)fprintf(stderr, "purchases: %u faults, PURCHASE_SEED=%u\n", n_faults,
                  seed);
    card_make("4929", 16, &rich);
    card_make("4929", 16, &poor);
    world_open(&world, &options);
    world_issue(&world, &rich, INT64_C(1000000000));
    world_issue(&world, &poor, 1);
    visitor_open(&staff, &world, seed);
    visitor_enter(&staff, "boss", WORLD_STAFF_PASSWORD, false);
    for (unsigned round = 0; round < n_faults; round++) {
        struct customers *customers;

        for (unsigned i = 0; i < PETS_A_ROUND; i++) {
            visitor_add_pet(&staff, buying.n_pets++, 100 + (int64_t)i);
        }
        customers = customers_start(&world, &buying);
        wait_ms(visitor_random(&staff, 150));
        strike(&world, &staff);
        customers_end(customers, true);
        customers_take(customers, &told);
        books_check(&world, told.items, told.n_items, &books);
    }
    (void)fprintf(stderr,
                  "purchases: %zu tried, %u orders, %u paid, %u refunded, %u "
                  "of %u pets sold\n",
                  told.n_items, books.n_orders, books.n_paid, books.n_refunded,
                  books.n_sold, books.n_pets);
    cr_assert_gt(books.n_paid, n_faults, "too little was bought to prove much");
    visitor_close(&staff);
    world_close(&world);
}
