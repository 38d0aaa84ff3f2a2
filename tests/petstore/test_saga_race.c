/*
 * Several drivers of one order, several customers for one pet: whoever is
 * faster, the end is the same for all.
 */
#include "tests/petstore/customer.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define RACES 200u

/* Bring a saga to its end, whatever stands in the way of single tries. */
static void
finish(struct shop_saga *saga)
{
    enum rpcrt_code code = RPCRT_UNAVAILABLE;
    unsigned i;

    for (i = 0; i < 50 && code == RPCRT_UNAVAILABLE; i++) {
        code = shop_saga_run(saga);
    }
    cr_assert_eq(code, RPCRT_OK, "%s", saga->text);
}

/* -- one after the other --------------------------------------------------- */

/* The first makes n steps, then the second, which has read the order at the
 * beginning, goes to the end, then the first does. */
static void
interleave(struct world *w, unsigned pet, unsigned n_steps, bool card)
{
    struct shop_saga first;
    struct shop_saga second;
    unsigned i;

    world_pets(w, pet, 1);
    world_saga(w, NULL, true, &first);
    world_order(&first, pet, 1);
    world_saga(w, NULL, card, &second);
    cr_assert_eq(shop_saga_load(&second, shop_saga_order(&first)->id),
                 RPCRT_OK);
    for (i = 0; i < n_steps; i++) {
        cr_assert_eq(shop_saga_step(&first), RPCRT_OK);
    }
    finish(&second);
    finish(&first);
    cr_expect_eq(shop_saga_state(&first), shop_saga_state(&second));
    world_saga_end(&first);
    world_saga_end(&second);
}

Test(race, of_two_drivers_has_one_end_in_every_order, .timeout = 60)
{
    struct world w;
    unsigned n_steps;

    world_start(&w);
    for (n_steps = 0; n_steps <= 2; n_steps++) {
        interleave(&w, 2 * n_steps, n_steps, true);
        interleave(&w, 2 * n_steps + 1, n_steps, false);
        world_audit(&w, true);
    }
    world_stop(&w);
}

Test(race, of_orders_that_saw_the_same_pet_has_one_winner, .timeout = 60)
{
    const Petstore__Record__Order *orders[2];
    struct shop_saga sagas[2];
    struct world w;
    unsigned i;

    world_start(&w);
    world_pets(&w, 0, 3);
    for (i = 0; i < 2; i++) {
        world_saga(&w, NULL, true, &sagas[i]);
        orders[i] = world_order_make(&sagas[i], i, 2);
    }
    cr_expect_eq(shop_saga_write(&sagas[0], orders[0]), RPCRT_OK);
    cr_expect_eq(shop_saga_write(&sagas[1], orders[1]), RPCRT_ABORTED);
    cr_expect_eq(world_pet_status(&w, 2), PETSTORE__V1__PET_STATUS__AVAILABLE);
    for (i = 0; i < 2; i++) {
        world_saga_end(&sagas[i]);
    }
    world_audit(&w, false);
    world_stop(&w);
}

/* -- at once --------------------------------------------------------------- */

struct driver {
    struct world *w;
    const char *order_id;
    bool card;
    bool give_up; /* cancel, if it can be */
    Petstore__V1__OrderState end;
    pthread_t thread;
};

static void *
driver_run(void *arg)
{
    struct driver *driver = arg;
    struct shop_saga saga;

    world_saga(driver->w, NULL, driver->card, &saga);
    cr_assert_eq(shop_saga_load(&saga, driver->order_id), RPCRT_OK);
    if (driver->give_up) {
        (void)!shop_saga_give_up(&saga);
        cr_assert_eq(shop_saga_load(&saga, driver->order_id), RPCRT_OK);
    }
    finish(&saga);
    driver->end = shop_saga_state(&saga);
    world_saga_end(&saga);
    return NULL;
}

static void
lose_some(struct world *w)
{
    static const enum fake_act acts[] = {FAKE_DO, FAKE_DO, FAKE_LOSE_CALL,
                                         FAKE_LOSE_ANSWER};
    unsigned method;
    unsigned i;

    for (method = 0; method < FAKE_METHODS; method++) {
        for (i = 0; i < 3; i++) {
            fake_then(&w->fake, (enum fake_method)method,
                      (struct fake_script){acts[randombytes_uniform(4)],
                                           RPCRT_OK, ""});
        }
    }
}

static void
race(struct world *w, unsigned pet)
{
    struct driver drivers[3];
    char id[33];
    unsigned i;

    world_pets(w, pet, 1);
    world_order_at(w, pet,
                   randombytes_uniform(2) == 0 ? ORDER_STATE(AUTHORIZING)
                                               : ORDER_STATE(CAPTURING),
                   id);
    lose_some(w);
    for (i = 0; i < 3; i++) {
        drivers[i] = (struct driver){
            .w = w, .order_id = id, .card = i == 0, .give_up = i == 2};
        cr_assert_eq(
            pthread_create(&drivers[i].thread, NULL, driver_run, &drivers[i]),
            0);
    }
    for (i = 0; i < 3; i++) {
        cr_assert_eq(pthread_join(drivers[i].thread, NULL), 0);
    }
    for (i = 0; i < 3; i++) {
        /* One that was paid before it was given up went on to REFUNDED. */
        cr_expect(drivers[i].end == world_order_state(w, id) ||
                      drivers[i].end == ORDER_STATE(PAID),
                  "driver %u saw %d, the order is %d", i, (int)drivers[i].end,
                  (int)world_order_state(w, id));
    }
    fake_clear(&w->fake);
    world_audit(w, true);
}

Test(race, of_three_drivers_at_once_has_one_end, .timeout = 300)
{
    struct world w;
    unsigned i;

    world_start(&w);
    for (i = 0; i < RACES; i++) {
        race(&w, i);
    }
    world_stop(&w);
}

/* -- customers ------------------------------------------------------------- */

#define CUSTOMERS 8u

struct buyer {
    struct customer c;
    const char *key;
    const char *order_id; /* NULL: the cart */
    enum rpcrt_code code;
    pthread_t thread;
};

static void *
buyer_run(void *arg)
{
    struct buyer *buyer = arg;

    buyer->code =
        customer_checkout(&buyer->c, buyer->key, FAKE_CARD, buyer->order_id);
    return NULL;
}

static void
buy_at_once(struct buyer *buyers, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        cr_assert_eq(
            pthread_create(&buyers[i].thread, NULL, buyer_run, &buyers[i]), 0);
    }
    for (i = 0; i < n; i++) {
        cr_assert_eq(pthread_join(buyers[i].thread, NULL), 0);
    }
}

Test(race, of_customers_for_one_pet_has_one_winner, .timeout = 120)
{
    struct buyer buyers[CUSTOMERS] = {{.key = "k"}};
    struct world w;
    unsigned n_sold = 0;
    char name[16];
    unsigned i;

    world_start(&w);
    world_pets(&w, 0, 1);
    for (i = 0; i < CUSTOMERS; i++) {
        (void)snprintf(name, sizeof(name), "user%u", i);
        customer_come(&w, name, &buyers[i].c);
        world_cart(&w, name, 0, 1);
        buyers[i].key = "k";
    }
    buy_at_once(buyers, CUSTOMERS);
    for (i = 0; i < CUSTOMERS; i++) {
        n_sold += buyers[i].code == RPCRT_OK;
        if (buyers[i].code != RPCRT_OK) {
            cr_expect_eq(buyers[i].code, RPCRT_FAILED_PRECONDITION);
            cr_expect_str_eq(buyers[i].c.reason, "PET_NOT_AVAILABLE");
        }
        customer_leave(&buyers[i].c);
    }
    cr_expect_eq(n_sold, 1);
    cr_expect_eq(fake_calls(&w.fake, FAKE_AUTHORIZE), 1);
    world_audit(&w, true);
    world_stop(&w);
}

/* One customer who presses the button again and again. */
Test(race, of_repeats_makes_one_order, .timeout = 120)
{
    struct buyer buyers[CUSTOMERS] = {{.key = "k"}};
    struct world w;
    unsigned round;
    unsigned i;

    world_start(&w);
    for (i = 0; i < CUSTOMERS; i++) {
        customer_come(&w, "anna", &buyers[i].c);
    }
    for (round = 0; round < 40; round++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "k%u", round);
        world_pets(&w, 2 * round, 2);
        world_cart(&w, "anna", 2 * round, 2);
        for (i = 0; i < CUSTOMERS; i++) {
            buyers[i].key = key;
        }
        buy_at_once(buyers, CUSTOMERS);
        for (i = 0; i < CUSTOMERS; i++) {
            cr_assert_eq(buyers[i].code, RPCRT_OK, "%s",
                         rpcrt_call_message(buyers[i].c.call));
            cr_assert_str_eq(buyers[i].c.order_id, buyers[0].c.order_id);
        }
    }
    for (i = 0; i < CUSTOMERS; i++) {
        customer_leave(&buyers[i].c);
    }
    world_audit(&w, true);
    world_stop(&w);
}

/* One key, at once for the cart and for an order that was declined. */
static void
reuse(struct world *w, struct buyer buyers[2], unsigned round)
{
    char key[16];
    char id[33];
    unsigned i;

    world_pets(w, 2 * round, 2);
    world_cart(w, "anna", 2 * round, 1);
    (void)snprintf(key, sizeof(key), "a%u", round);
    cr_assert_eq(customer_checkout(&buyers[0].c, key, FAKE_CARD_POOR, NULL),
                 RPCRT_FAILED_PRECONDITION);
    memcpy(id, buyers[0].c.order_id, sizeof(id));
    world_cart(w, "anna", 2 * round + 1, 1);
    (void)snprintf(key, sizeof(key), "b%u", round);
    buyers[0].key = key;
    buyers[0].order_id = id;
    buyers[1].key = key;
    buy_at_once(buyers, 2);
    for (i = 0; i < 2; i++) {
        if (buyers[i].code != RPCRT_OK) {
            cr_assert_str_eq(buyers[i].c.reason, "IDEMPOTENCY_KEY_REUSED");
        }
    }
    cr_assert_neq(buyers[0].code == RPCRT_OK, buyers[1].code == RPCRT_OK,
                  "the key was used %s", buyers[0].code ? "never" : "twice");
}

Test(race, of_two_purchases_with_one_key_has_one_winner, .timeout = 120)
{
    struct buyer buyers[2] = {{.key = ""}};
    struct world w;
    unsigned i;

    world_start(&w);
    for (i = 0; i < 2; i++) {
        customer_come(&w, "anna", &buyers[i].c);
    }
    for (i = 0; i < 50; i++) {
        reuse(&w, buyers, i);
    }
    for (i = 0; i < 2; i++) {
        customer_leave(&buyers[i].c);
    }
    world_audit(&w, false);
    world_stop(&w);
}
