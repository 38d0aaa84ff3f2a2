/*
 * Without memory: whatever can't be had, a call ends in a code, nothing is lost
 * or half done, and the next call is served.
 */
#include "tests/petstore/town.h"
#include "tests/support/faulty_alloc.h"

#include <stdio.h>
#include <string.h>

#define PETS 12u
#define TRIES_MAX 400u

struct scene {
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
};

static void
scene_open(struct scene *scene)
{
    Petstore__Record__Pet pet = PETSTORE__RECORD__PET__INIT;
    char id[16];
    unsigned i;

    town_open(&scene->town);
    shop_open(&scene->shop, &scene->town, "red");
    pet.species = "cat";
    pet.name = "Mia";
    pet.price = 100;
    pet.status = PETSTORE__V1__PET_STATUS__AVAILABLE;
    pet.id = id;
    for (i = 0; i < PETS; i++) {
        (void)snprintf(id, sizeof(id), "p%u", i);
        shop_put(&scene->shop, &pet);
    }
    scene->call = shop_call(&scene->shop, TOWN_STAFF);
}

static void
scene_close(struct scene *scene)
{
    rpcrt_call_free(scene->call);
    shop_close(&scene->shop);
    town_close(&scene->town);
}

/* -- calls, each with a number that makes it another ----------------------- */

static enum rpcrt_code
do_list(struct rpcrt_call *call, unsigned number)
{
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    const Petstore__V1__ListPetsReply *reply;

    request.page_size = 1 + number % 5;
    request.text = "mia";
    return petstore_list_pets(call, &request, &reply);
}

static enum rpcrt_code
do_cart(struct rpcrt_call *call, unsigned number)
{
    Petstore__V1__AddToCartRequest add =
        PETSTORE__V1__ADD_TO_CART_REQUEST__INIT;
    Petstore__V1__RemoveFromCartRequest drop =
        PETSTORE__V1__REMOVE_FROM_CART_REQUEST__INIT;
    const Petstore__V1__AddToCartReply *added;
    const Petstore__V1__RemoveFromCartReply *dropped;
    char id[16];

    (void)snprintf(id, sizeof(id), "p%u", number % PETS);
    add.pet_id = id;
    drop.pet_id = id;
    return number % (2 * PETS) < PETS
               ? petstore_add_to_cart(call, &add, &added)
               : petstore_remove_from_cart(call, &drop, &dropped);
}

static enum rpcrt_code
do_add(struct rpcrt_call *call, unsigned number)
{
    Petstore__V1__AddPetRequest request = PETSTORE__V1__ADD_PET_REQUEST__INIT;
    Petstore__V1__Pet pet = PETSTORE__V1__PET__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;
    const Petstore__V1__AddPetReply *reply;
    char id[16];

    (void)snprintf(id, sizeof(id), "new%u", number);
    price.minor = 1 + number;
    price.currency = "EUR";
    pet.id = id;
    pet.name = "Max";
    pet.species = "dog";
    pet.price = &price;
    request.pet = &pet;
    return petstore_add_pet(call, &request, &reply);
}

static enum rpcrt_code
do_login(struct rpcrt_call *call, unsigned number)
{
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__LoginReply *reply;

    (void)number;
    request.user = TOWN_STAFF;
    request.password = TOWN_PASSWORD;
    return petstore_login(call, &request, &reply);
}

typedef enum rpcrt_code do_fn(struct rpcrt_call *call, unsigned number);

static void
starve(do_fn *what)
{
    struct scene scene;
    unsigned failed = 0;
    unsigned n;

    faulty_alloc_install();
    scene_open(&scene);
    for (n = 0; n < TRIES_MAX; n++) {
        enum rpcrt_code code;

        faulty_alloc_fail_at(n);
        code = what(scene.call, n);
        if (!faulty_alloc_failed()) {
            break;
        }
        faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
        cr_assert(code == RPCRT_OK || code == RPCRT_RESOURCE_EXHAUSTED ||
                      code == RPCRT_UNAVAILABLE || code == RPCRT_CANCELLED,
                  "%s: %s", rpcrt_code_name(code),
                  rpcrt_call_message(scene.call));
        failed += code == RPCRT_OK ? 0 : 1;
        expect_ok(scene.call, what(scene.call, n));
    }
    faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
    cr_assert_lt(n, TRIES_MAX);
    cr_assert_gt(failed, 0);
    shop_check_index(&scene.shop);
    scene_close(&scene);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}

Test(memory, is_missed_by_a_list, .timeout = 120)
{
    starve(do_list);
}

Test(memory, is_missed_by_a_cart, .timeout = 120)
{
    starve(do_cart);
}

Test(memory, is_missed_by_a_new_pet, .timeout = 120)
{
    starve(do_add);
}

Test(memory, is_missed_by_a_login, .timeout = 120)
{
    starve(do_login);
}
