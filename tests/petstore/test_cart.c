/*
 * Carts.
 */
#include "tests/petstore/town.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
pet_put(struct shop *shop, const char *id, uint32_t status)
{
    Petstore__Record__Pet pet = PETSTORE__RECORD__PET__INIT;

    pet.id = id;
    pet.species = "cat";
    pet.name = "Mia";
    pet.price = 100;
    pet.status = status;
    shop_put(shop, &pet);
}

/* Pets p0, p1, ... */
static void
pets_put(struct shop *shop, unsigned n)
{
    char id[16];

    while (n-- > 0) {
        (void)snprintf(id, sizeof(id), "p%u", n);
        pet_put(shop, id, PETSTORE__V1__PET_STATUS__AVAILABLE);
    }
}

static enum rpcrt_code
cart_add(struct rpcrt_call *call, const char *id)
{
    Petstore__V1__AddToCartRequest request =
        PETSTORE__V1__ADD_TO_CART_REQUEST__INIT;
    const Petstore__V1__AddToCartReply *reply;

    request.pet_id = id;
    return petstore_add_to_cart(call, &request, &reply);
}

static enum rpcrt_code
cart_remove(struct rpcrt_call *call, const char *id)
{
    Petstore__V1__RemoveFromCartRequest request =
        PETSTORE__V1__REMOVE_FROM_CART_REQUEST__INIT;
    const Petstore__V1__RemoveFromCartReply *reply;

    request.pet_id = id;
    return petstore_remove_from_cart(call, &request, &reply);
}

/* "p1 p2 = 200" */
static const char *
cart_text(struct rpcrt_call *call)
{
    static char text[512];
    Petstore__V1__GetCartRequest request = PETSTORE__V1__GET_CART_REQUEST__INIT;
    const Petstore__V1__GetCartReply *reply;
    size_t size = 0;
    size_t i;

    expect_ok(call, petstore_get_cart(call, &request, &reply));
    for (i = 0; i < reply->cart->n_pets; i++) {
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s ",
                                 reply->cart->pets[i]->id);
    }
    cr_assert_str_eq(reply->cart->total->currency, "EUR");
    (void)snprintf(text + size, sizeof(text) - size, "= %d",
                   (int)reply->cart->total->minor);
    return text;
}

struct scene {
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
};

static void
scene_open(struct scene *scene, unsigned n_pets)
{
    town_open(&scene->town);
    shop_open(&scene->shop, &scene->town, "red");
    pets_put(&scene->shop, n_pets);
    scene->call = shop_call(&scene->shop, TOWN_CUSTOMER);
}

static void
scene_close(struct scene *scene)
{
    rpcrt_call_free(scene->call);
    shop_close(&scene->shop);
    town_close(&scene->town);
}

static void
staff_remove(struct scene *scene, const char *id)
{
    Petstore__V1__RemovePetRequest request =
        PETSTORE__V1__REMOVE_PET_REQUEST__INIT;
    const Petstore__V1__RemovePetReply *reply;
    struct rpcrt_call *staff = shop_call(&scene->shop, TOWN_STAFF);

    request.pet_id = id;
    expect_ok(staff, petstore_remove_pet(staff, &request, &reply));
    rpcrt_call_free(staff);
}

Test(cart, holds_pets_in_the_order_in_which_they_came, .timeout = 30)
{
    struct scene scene;

    scene_open(&scene, 4);
    cr_assert_str_eq(cart_text(scene.call), "= 0");
    expect_ok(scene.call, cart_add(scene.call, "p2"));
    expect_ok(scene.call, cart_add(scene.call, "p0"));
    expect_ok(scene.call, cart_add(scene.call, "p3"));
    expect_ok(scene.call, cart_add(scene.call, "p2"));
    cr_assert_str_eq(cart_text(scene.call), "p2 p0 p3 = 300");
    expect_ok(scene.call, cart_remove(scene.call, "p0"));
    expect_ok(scene.call, cart_remove(scene.call, "p1"));
    cr_assert_str_eq(cart_text(scene.call), "p2 p3 = 200");
    expect_ok(scene.call, cart_remove(scene.call, "p2"));
    expect_ok(scene.call, cart_remove(scene.call, "p3"));
    cr_assert_str_eq(cart_text(scene.call), "= 0");
    scene_close(&scene);
}

Test(cart, is_its_users_own, .timeout = 30)
{
    struct scene scene;
    struct rpcrt_call *other;

    scene_open(&scene, 1);
    other = shop_call(&scene.shop, "berta");
    expect_ok(scene.call, cart_add(scene.call, "p0"));
    cr_assert_str_eq(cart_text(other), "= 0");
    expect_ok(other, cart_add(other, "p0"));
    rpcrt_call_free(other);
    scene_close(&scene);
}

Test(cart, takes_only_pets_that_can_be_had, .timeout = 30)
{
    struct scene scene;

    scene_open(&scene, 1);
    pet_put(&scene.shop, "sold", PETSTORE__V1__PET_STATUS__SOLD);
    pet_put(&scene.shop, "reserved", PETSTORE__V1__PET_STATUS__RESERVED);
    expect_refusal(scene.call, RPCRT_FAILED_PRECONDITION, "PET_NOT_AVAILABLE",
                   cart_add(scene.call, "sold"));
    expect_refusal(scene.call, RPCRT_FAILED_PRECONDITION, "PET_NOT_AVAILABLE",
                   cart_add(scene.call, "reserved"));
    expect_refusal(scene.call, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   cart_add(scene.call, "nobody"));
    expect_refusal(scene.call, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   cart_add(scene.call, "p/0"));
    expect_ok(scene.call, cart_remove(scene.call, "p/0"));
    cr_assert_str_eq(cart_text(scene.call), "= 0");
    scene_close(&scene);
}

Test(cart, shows_pets_as_they_are_now, .timeout = 30)
{
    struct scene scene;

    scene_open(&scene, 3);
    expect_ok(scene.call, cart_add(scene.call, "p0"));
    expect_ok(scene.call, cart_add(scene.call, "p1"));
    expect_ok(scene.call, cart_add(scene.call, "p2"));
    pet_put(&scene.shop, "p1", PETSTORE__V1__PET_STATUS__RESERVED);
    cr_assert_str_eq(cart_text(scene.call), "p0 p1 p2 = 200");
    staff_remove(&scene, "p0");
    cr_assert_str_eq(cart_text(scene.call), "p1 p2 = 100");
    scene_close(&scene);
}

Test(cart, has_room_for_sixteen, .timeout = 30)
{
    struct scene scene;
    char id[16];
    unsigned i;

    scene_open(&scene, 17);
    for (i = 0; i < 16; i++) {
        (void)snprintf(id, sizeof(id), "p%u", i);
        expect_ok(scene.call, cart_add(scene.call, id));
    }
    expect_refusal(scene.call, RPCRT_RESOURCE_EXHAUSTED, "CART_FULL",
                   cart_add(scene.call, "p16"));
    expect_ok(scene.call, cart_add(scene.call, "p3"));
    /* A pet that is gone takes no room. */
    staff_remove(&scene, "p3");
    expect_ok(scene.call, cart_add(scene.call, "p16"));
    scene_close(&scene);
}

/* With the one that finds the session. */
Test(cart, takes_few_requests_to_the_store, .timeout = 30)
{
    struct scene scene;
    uint64_t before;

    scene_open(&scene, 2);
    before = shop_requests(&scene.shop);
    cr_assert_str_eq(cart_text(scene.call), "= 0");
    cr_assert_eq(shop_requests(&scene.shop) - before, 2);
    before = shop_requests(&scene.shop);
    expect_ok(scene.call, cart_add(scene.call, "p0"));
    cr_assert_eq(shop_requests(&scene.shop) - before, 3);
    before = shop_requests(&scene.shop);
    expect_ok(scene.call, cart_add(scene.call, "p1"));
    cr_assert_eq(shop_requests(&scene.shop) - before, 4);
    before = shop_requests(&scene.shop);
    cr_assert_str_eq(cart_text(scene.call), "p0 p1 = 200");
    cr_assert_eq(shop_requests(&scene.shop) - before, 3);
    scene_close(&scene);
}

/* -- many at once ---------------------------------------------------------- */

#define THREADS 8u

struct shopper {
    pthread_t thread;
    struct rpcrt_call *call;
    unsigned number;
    bool failed;
};

static void *
shopper_run(void *arg)
{
    struct shopper *shopper = arg;
    char id[16];
    unsigned i;

    for (i = 0; i < 2; i++) {
        (void)snprintf(id, sizeof(id), "p%u", 2 * shopper->number + i);
        shopper->failed =
            cart_add(shopper->call, id) != RPCRT_OK || shopper->failed;
    }
    return NULL;
}

Test(cart, nothing_is_lost_when_many_change_it, .timeout = 60)
{
    struct scene scene;
    struct shop second;
    struct shopper shoppers[THREADS];
    const char *text;
    unsigned i;

    scene_open(&scene, 2 * THREADS);
    shop_open(&second, &scene.town, "red");
    for (i = 0; i < THREADS; i++) {
        shoppers[i] = (struct shopper){.number = i};
        shoppers[i].call =
            shop_call(i % 2 == 0 ? &scene.shop : &second, TOWN_CUSTOMER);
        cr_assert_eq(pthread_create(&shoppers[i].thread, NULL, shopper_run,
                                    &shoppers[i]),
                     0);
    }
    for (i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(shoppers[i].thread, NULL), 0);
        cr_assert_not(shoppers[i].failed, "%s",
                      rpcrt_call_message(shoppers[i].call));
        rpcrt_call_free(shoppers[i].call);
    }
    text = cart_text(scene.call);
    cr_assert_not_null(strstr(text, "= 1600"), "%s", text);
    shop_close(&second);
    scene_close(&scene);
}

/* -- deadlines among others ------------------------------------------------ */

static void *
hasty_run(void *arg)
{
    struct shopper *shopper = arg;
    char id[16];
    unsigned i;

    for (i = 0; i < 150; i++) {
        (void)snprintf(id, sizeof(id), "p%u", (i + shopper->number) % 12);
        rpcrt_call_set_timeout(shopper->call, 1 + i % 6);
        if (i % 2 == 0) {
            (void)cart_add(shopper->call, id);
        } else {
            (void)cart_remove(shopper->call, id);
        }
    }
    return NULL;
}

/* A try that was overtaken may find no time for the next. */
Test(cart, survives_deadlines_between_tries, .timeout = 60)
{
    struct scene scene;
    struct shopper shoppers[THREADS];
    unsigned i;

    scene_open(&scene, 12);
    for (i = 0; i < THREADS; i++) {
        shoppers[i] = (struct shopper){.number = i};
        shoppers[i].call = shop_call(&scene.shop, TOWN_CUSTOMER);
        cr_assert_eq(
            pthread_create(&shoppers[i].thread, NULL, hasty_run, &shoppers[i]),
            0);
    }
    for (i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(shoppers[i].thread, NULL), 0);
        rpcrt_call_free(shoppers[i].call);
    }
    cr_assert_eq(rpcrt_server_drain(scene.shop.server, BED_TIMEOUT_MS),
                 RPCRT_OK);
    rpcrt_call_free(scene.call);
    shop_close(&scene.shop);
    town_close(&scene.town);
}
