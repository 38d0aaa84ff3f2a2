/*
 * AddPet, UpdatePet, GetPet and RemovePet, and that the index follows them.
 */
#include "tests/petstore/town.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One character more than the longest text may have. */
#define LONG_TEXT 1001u

/* A pet with nothing wrong in it. */
struct fine {
    Petstore__V1__Money price;
    Petstore__V1__Pet pet;
    Petstore__V1__AddPetRequest request;
};

static void
fine_make(struct fine *fine, const char *id)
{
    petstore__v1__money__init(&fine->price);
    petstore__v1__pet__init(&fine->pet);
    petstore__v1__add_pet_request__init(&fine->request);
    fine->price.minor = 4200;
    fine->price.currency = "EUR";
    fine->pet.id = id;
    fine->pet.species = "Cat";
    fine->pet.name = "Mia";
    fine->pet.description = "Sleeps.";
    fine->pet.price = &fine->price;
    fine->request.pet = &fine->pet;
}

static enum rpcrt_code
pet_get(struct rpcrt_call *call, const char *id,
        const Petstore__V1__GetPetReply **ret_reply)
{
    Petstore__V1__GetPetRequest request = PETSTORE__V1__GET_PET_REQUEST__INIT;

    request.pet_id = id;
    return petstore_get_pet(call, &request, ret_reply);
}

static enum rpcrt_code
pet_remove(struct rpcrt_call *call, const char *id)
{
    Petstore__V1__RemovePetRequest request =
        PETSTORE__V1__REMOVE_PET_REQUEST__INIT;
    const Petstore__V1__RemovePetReply *reply;

    request.pet_id = id;
    return petstore_remove_pet(call, &request, &reply);
}

struct scene {
    struct town town;
    struct shop shop;
    struct rpcrt_call *staff;
    struct rpcrt_call *customer;
};

static void
scene_open(struct scene *scene)
{
    town_open(&scene->town);
    shop_open(&scene->shop, &scene->town, "red");
    scene->staff = shop_call(&scene->shop, TOWN_STAFF);
    scene->customer = shop_call(&scene->shop, TOWN_CUSTOMER);
}

static void
scene_close(struct scene *scene)
{
    rpcrt_call_free(scene->staff);
    rpcrt_call_free(scene->customer);
    shop_close(&scene->shop);
    town_close(&scene->town);
}

Test(pets, what_is_added_can_be_read, .timeout = 30)
{
    struct scene scene;
    struct fine fine;
    const Petstore__V1__AddPetReply *added;
    const Petstore__V1__GetPetReply *got;

    scene_open(&scene);
    fine_make(&fine, "mia-1");
    expect_ok(scene.staff,
              petstore_add_pet(scene.staff, &fine.request, &added));
    cr_assert_str_eq(added->pet->species, "cat");
    expect_ok(scene.customer, pet_get(scene.customer, "mia-1", &got));
    cr_assert_str_eq(got->pet->id, "mia-1");
    cr_assert_str_eq(got->pet->species, "cat");
    cr_assert_str_eq(got->pet->name, "Mia");
    cr_assert_str_eq(got->pet->description, "Sleeps.");
    cr_assert_eq(got->pet->price->minor, 4200);
    cr_assert_str_eq(got->pet->price->currency, "EUR");
    cr_assert_eq(got->pet->status, PETSTORE__V1__PET_STATUS__AVAILABLE);
    expect_refusal(scene.customer, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   pet_get(scene.customer, "mia-2", &got));
    shop_check_index(&scene.shop);
    scene_close(&scene);
}

Test(pets, need_staff, .timeout = 30)
{
    struct scene scene;
    struct fine fine;
    const Petstore__V1__AddPetReply *added;

    scene_open(&scene);
    fine_make(&fine, "mia-1");
    expect_refusal(scene.customer, RPCRT_PERMISSION_DENIED, "STAFF_ONLY",
                   petstore_add_pet(scene.customer, &fine.request, &added));
    expect_refusal(scene.customer, RPCRT_PERMISSION_DENIED, "STAFF_ONLY",
                   pet_remove(scene.customer, "mia-1"));
    scene_close(&scene);
}

Test(pets, adding_the_same_again_adds_nothing, .timeout = 30)
{
    struct scene scene;
    struct fine fine;
    const Petstore__V1__AddPetReply *added;

    scene_open(&scene);
    fine_make(&fine, "mia-1");
    expect_ok(scene.staff,
              petstore_add_pet(scene.staff, &fine.request, &added));
    expect_ok(scene.staff,
              petstore_add_pet(scene.staff, &fine.request, &added));
    fine.price.minor++;
    expect_refusal(scene.staff, RPCRT_ALREADY_EXISTS, "PET_EXISTS",
                   petstore_add_pet(scene.staff, &fine.request, &added));
    fine.price.minor--;
    fine.pet.name = "Mio";
    expect_refusal(scene.staff, RPCRT_ALREADY_EXISTS, "PET_EXISTS",
                   petstore_add_pet(scene.staff, &fine.request, &added));
    fine.pet.id = "";
    expect_ok(scene.staff,
              petstore_add_pet(scene.staff, &fine.request, &added));
    expect_ok(scene.staff,
              petstore_add_pet(scene.staff, &fine.request, &added));
    cr_assert_eq(strlen(added->pet->id), 32);
    shop_check_index(&scene.shop);
    scene_close(&scene);
}

/* Make a pet break a rule; returns the field, NULL after the last rule. */
static const char *
rule_break(unsigned rule, const char *long_text, struct fine *fine)
{
    const struct {
        const char *field;
        const char **text; /* what is broken */
        const char *with;
    } rules[] = {
        {"id", &fine->pet.id, "a/b"},
        {"id", &fine->pet.id, long_text + LONG_TEXT - 65},
        {"species", &fine->pet.species, ""},
        {"species", &fine->pet.species, long_text + LONG_TEXT - 41},
        {"species", &fine->pet.species, "c\x01t"},
        {"name", &fine->pet.name, ""},
        {"name", &fine->pet.name, long_text + LONG_TEXT - 81},
        {"name", &fine->pet.name, "a\nb"},
        {"description", &fine->pet.description, long_text},
        {"price", &fine->price.currency, "USD"},
    };
    static const int64_t prices[] = {0, INT64_C(1000000000001)};
    const unsigned n_texts = sizeof(rules) / sizeof(rules[0]);

    if (rule < n_texts) {
        *rules[rule].text = rules[rule].with;
        return rules[rule].field;
    }
    if (rule < n_texts + 2) {
        fine->price.minor = prices[rule - n_texts];
        return "price";
    }
    fine->pet.price = NULL;
    return rule == n_texts + 2 ? "price" : NULL;
}

Test(pets, each_rule_names_its_field, .timeout = 30)
{
    static char long_text[LONG_TEXT + 1];
    struct scene scene;
    struct fine fine;
    const Petstore__V1__AddPetReply *added;
    const char *field;
    unsigned i;

    (void)memset(long_text, 'x', LONG_TEXT);
    scene_open(&scene);
    fine_make(&fine, "fine");
    for (i = 0; (field = rule_break(i, long_text, &fine)) != NULL; i++) {
        expect_refusal(scene.staff, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                       petstore_add_pet(scene.staff, &fine.request, &added));
        cr_assert_eq(
            strncmp(rpcrt_call_message(scene.staff), field, strlen(field)), 0,
            "%u: %s", i, rpcrt_call_message(scene.staff));
        fine_make(&fine, "fine");
    }
    cr_assert_eq(i, 13);
    shop_check_index(&scene.shop);
    scene_close(&scene);
}

Test(pets, the_longest_texts_are_taken, .timeout = 30)
{
    static char text[4001];
    struct scene scene;
    struct fine fine;
    const Petstore__V1__AddPetReply *added;
    unsigned i;

    for (i = 0; i < 1000; i++) {
        (void)memcpy(text + (size_t)4 * i, "\xf0\x9f\x90\x95", 4);
    }
    scene_open(&scene);
    fine_make(
        &fine,
        "0123456789-_.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy");
    fine.pet.name = text + 4000 - 320;
    fine.pet.species = text + 4000 - 160;
    fine.pet.description = text;
    fine.price.minor = INT64_C(1000000000000);
    expect_ok(scene.staff,
              petstore_add_pet(scene.staff, &fine.request, &added));
    shop_check_index(&scene.shop);
    scene_close(&scene);
}

Test(pets, an_update_changes_what_is_given, .timeout = 30)
{
    Petstore__V1__UpdatePetRequest request =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;
    const Petstore__V1__UpdatePetReply *updated;
    const Petstore__V1__AddPetReply *added;
    struct scene scene;
    struct fine fine;

    scene_open(&scene);
    fine_make(&fine, "mia-1");
    expect_ok(scene.staff,
              petstore_add_pet(scene.staff, &fine.request, &added));
    request.pet_id = "mia-1";
    request.name = "Max";
    expect_ok(scene.staff,
              petstore_update_pet(scene.staff, &request, &updated));
    cr_assert_str_eq(updated->pet->name, "Max");
    cr_assert_str_eq(updated->pet->species, "cat");
    cr_assert_str_eq(updated->pet->description, "Sleeps.");
    shop_check_index(&scene.shop);
    request.name = "";
    request.species = "DOG";
    petstore__v1__update_pet_request__set_description(&request, "");
    price.minor = 1;
    price.currency = "EUR";
    request.price = &price;
    expect_ok(scene.staff,
              petstore_update_pet(scene.staff, &request, &updated));
    cr_assert_str_eq(updated->pet->name, "Max");
    cr_assert_str_eq(updated->pet->species, "dog");
    cr_assert_str_eq(updated->pet->description, "");
    cr_assert_eq(updated->pet->price->minor, 1);
    shop_check_index(&scene.shop);
    price.minor = 0;
    expect_refusal(scene.staff, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                   petstore_update_pet(scene.staff, &request, &updated));
    request.pet_id = "max-1";
    expect_refusal(scene.staff, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   petstore_update_pet(scene.staff, &request, &updated));
    scene_close(&scene);
}

Test(pets, that_are_not_available_stay_as_they_are, .timeout = 30)
{
    static const uint32_t states[] = {PETSTORE__V1__PET_STATUS__RESERVED,
                                      PETSTORE__V1__PET_STATUS__SOLD};
    Petstore__V1__UpdatePetRequest request =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    const Petstore__V1__UpdatePetReply *updated;
    Petstore__Record__Pet pet = PETSTORE__RECORD__PET__INIT;
    struct scene scene;
    size_t i;

    scene_open(&scene);
    pet.id = "mia-1";
    pet.species = "cat";
    pet.name = "Mia";
    pet.price = 1;
    request.pet_id = "mia-1";
    request.name = "Max";
    for (i = 0; i < 2; i++) {
        pet.status = states[i];
        shop_put(&scene.shop, &pet);
        shop_check_index(&scene.shop);
        expect_refusal(scene.staff, RPCRT_FAILED_PRECONDITION,
                       "PET_NOT_AVAILABLE",
                       petstore_update_pet(scene.staff, &request, &updated));
        expect_refusal(scene.staff, RPCRT_FAILED_PRECONDITION,
                       "PET_NOT_AVAILABLE", pet_remove(scene.staff, "mia-1"));
    }
    pet.status = PETSTORE__V1__PET_STATUS__AVAILABLE;
    shop_put(&scene.shop, &pet);
    shop_check_index(&scene.shop);
    expect_ok(scene.staff, pet_remove(scene.staff, "mia-1"));
    shop_check_index(&scene.shop);
    expect_refusal(scene.staff, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   pet_remove(scene.staff, "mia-1"));
    scene_close(&scene);
}

/* -- many at once ---------------------------------------------------------- */

#define ROUNDS 60u

static enum rpcrt_code
pet_rename(struct rpcrt_call *call, const char *id, unsigned number)
{
    Petstore__V1__UpdatePetRequest request =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    const Petstore__V1__UpdatePetReply *reply;
    char name[16];

    (void)snprintf(name, sizeof(name), "Mia %u", number);
    request.pet_id = id;
    request.name = name;
    return petstore_update_pet(call, &request, &reply);
}

struct renamer {
    pthread_t thread;
    struct rpcrt_call *call;
    bool failed;
};

static void *
renamer_run(void *arg)
{
    struct renamer *renamer = arg;
    unsigned i;

    for (i = 0; i < 4 * ROUNDS; i++) {
        enum rpcrt_code code = pet_rename(renamer->call, "mia-1", i);

        renamer->failed =
            renamer->failed || (code != RPCRT_OK && code != RPCRT_NOT_FOUND);
    }
    return NULL;
}

Test(pets, the_index_is_right_when_many_change_one, .timeout = 60)
{
    struct scene scene;
    struct fine fine;
    struct renamer renamers[2];
    const Petstore__V1__AddPetReply *added;
    unsigned i;

    scene_open(&scene);
    for (i = 0; i < 2; i++) {
        renamers[i].failed = false;
        renamers[i].call = shop_call(&scene.shop, TOWN_STAFF);
        cr_assert_eq(pthread_create(&renamers[i].thread, NULL, renamer_run,
                                    &renamers[i]),
                     0);
    }
    fine_make(&fine, "mia-1");
    for (i = 0; i < ROUNDS; i++) {
        expect_ok(scene.staff,
                  petstore_add_pet(scene.staff, &fine.request, &added));
        expect_ok(scene.staff, pet_rename(scene.staff, "mia-1", i));
        expect_ok(scene.staff, pet_remove(scene.staff, "mia-1"));
    }
    for (i = 0; i < 2; i++) {
        cr_assert_eq(pthread_join(renamers[i].thread, NULL), 0);
        cr_assert_not(renamers[i].failed, "%s",
                      rpcrt_call_message(renamers[i].call));
        rpcrt_call_free(renamers[i].call);
    }
    shop_check_index(&scene.shop);
    scene_close(&scene);
}
