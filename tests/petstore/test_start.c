/*
 * The first start of a shop and those after it; several shops in a town.
 */
#include "petstore/start.h"
#include "tests/petstore/town.h"

#include <stdlib.h>
#include <string.h>

static enum rpcrt_code
start(struct town *town, const char *space, const char *currency,
      const char *staff, struct common_error *ret_error)
{
    struct shop shop;
    enum rpcrt_code code;

    shop_prepare(&shop, town, space);
    shop.service.options.currency = currency;
    code = shop_start(&shop.service,
                      staff == NULL ? NULL : town_file(town, "staff", staff),
                      ret_error);
    shop_give_up(&shop);
    return code;
}

Test(start, the_currency_is_for_ever, .timeout = 30)
{
    struct town town;
    struct common_error error;

    town_open(&town);
    cr_assert_eq(start(&town, "red", "EUR", NULL, &error), RPCRT_OK);
    cr_assert_eq(start(&town, "red", "EUR", NULL, &error), RPCRT_OK);
    cr_assert_eq(start(&town, "red", "JPY", NULL, &error),
                 RPCRT_FAILED_PRECONDITION);
    cr_assert_not_null(strstr(error.text, "EUR"));
    cr_assert_eq(start(&town, "blue", "JPY", NULL, &error), RPCRT_OK);
    cr_assert_eq(start(&town, "blue", "yen", NULL, &error),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(start(&town, "blue", "ZZZ", NULL, &error),
                 RPCRT_INVALID_ARGUMENT);
    town_close(&town);
}

Test(start, the_staff_user_is_made_once, .timeout = 30)
{
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__LoginReply *reply;
    struct town town;
    struct shop shop;
    struct common_error error;
    struct rpcrt_call *call;

    town_open(&town);
    shop_open(&shop, &town, "red");
    cr_assert_eq(
        start(&town, "red", "EUR", TOWN_STAFF " other password\n", &error),
        RPCRT_OK);
    call = shop_call(&shop, NULL);
    request.user = TOWN_STAFF;
    request.password = TOWN_PASSWORD;
    expect_ok(call, petstore_login(call, &request, &reply));
    cr_assert(reply->staff);
    request.password = "other password";
    expect_refusal(call, RPCRT_UNAUTHENTICATED, "LOGIN_REFUSED",
                   petstore_login(call, &request, &reply));
    rpcrt_call_free(call);
    shop_close(&shop);
    town_close(&town);
}

Test(start, a_customer_does_not_become_staff, .timeout = 30)
{
    struct town town;
    struct shop shop;
    struct common_error error;

    town_open(&town);
    shop_open(&shop, &town, "red");
    rpcrt_call_free(shop_call(&shop, "anna"));
    cr_assert_eq(start(&town, "red", "EUR", "anna " TOWN_PASSWORD, &error),
                 RPCRT_FAILED_PRECONDITION);
    cr_assert_not_null(strstr(error.text, "anna"));
    shop_close(&shop);
    town_close(&town);
}

Test(start, a_bad_staff_file_is_refused_and_not_shown, .timeout = 30)
{
    static const char *const bad[] = {"", "\n", "secretsecret\n",
                                      "Keeper secretsecret\n",
                                      "keeper secret7\n"};
    struct town town;
    struct common_error error;
    size_t i;

    town_open(&town);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enum rpcrt_code code = start(&town, "red", "EUR", bad[i], &error);

        cr_assert(code == RPCRT_INVALID_ARGUMENT ||
                      code == RPCRT_FAILED_PRECONDITION,
                  "%zu", i);
        cr_assert_not_null(strstr(error.text, "/staff"));
        cr_assert_null(strstr(error.text, "secret"));
    }
    town_close(&town);
}

Test(start, shops_of_a_town_know_nothing_of_each_other, .timeout = 30)
{
    Petstore__V1__GetPetRequest request = PETSTORE__V1__GET_PET_REQUEST__INIT;
    Petstore__Record__Pet pet = PETSTORE__RECORD__PET__INIT;
    const Petstore__V1__GetPetReply *reply;
    struct town town;
    struct shop red[2];
    struct shop blue;
    struct rpcrt_call *call;
    char *token;

    town_open(&town);
    shop_open(&red[0], &town, "red");
    shop_open(&red[1], &town, "red");
    shop_open(&blue, &town, "blue");
    pet.id = "mia";
    pet.name = "Mia";
    pet.species = "cat";
    pet.price = 1;
    pet.status = PETSTORE__V1__PET_STATUS__AVAILABLE;
    shop_put(&red[0], &pet);
    request.pet_id = "mia";
    token = shop_token(&red[0], "anna");
    call = shop_call_with(&red[1], token);
    expect_ok(call, petstore_get_pet(call, &request, &reply));
    rpcrt_call_free(call);
    call = shop_call_with(&blue, token);
    expect_refusal(call, RPCRT_UNAUTHENTICATED, "SESSION_UNKNOWN",
                   petstore_get_pet(call, &request, &reply));
    rpcrt_call_free(call);
    call = shop_call(&blue, "anna");
    expect_refusal(call, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   petstore_get_pet(call, &request, &reply));
    rpcrt_call_free(call);
    free(token);
    shop_close(&red[0]);
    shop_close(&red[1]);
    shop_close(&blue);
    town_close(&town);
}
