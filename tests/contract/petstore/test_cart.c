/*
 * Carts, as petstore.proto promises them: AddToCart, RemoveFromCart, GetCart.
 */
#include "tests/contract/petstore/contract.h"

#include <stdio.h>

static enum rpcrt_code
take_out(struct contract *c, enum contract_who who, const char *id)
{
    Petstore__V1__RemoveFromCartRequest request =
        PETSTORE__V1__REMOVE_FROM_CART_REQUEST__INIT;
    const Petstore__V1__RemoveFromCartReply *reply;

    request.pet_id = id;
    return petstore_remove_from_cart(contract_as(c, who), &request, &reply);
}

static void
expect_cart(struct contract *c, enum contract_who who, const char *pets,
            int64_t total)
{
    int64_t told;

    cr_assert_str_eq(contract_cart(c, who, &told), pets, "%s", c->where);
    cr_assert_eq(told, total, "%s: %lld", c->where, (long long)told);
}

CONTRACT(a_cart_keeps_pets_in_the_order_in_which_they_came)
{
    const char *a = contract_pet(c, "a", 100);
    const char *b = contract_pet(c, "b", 20);
    const char *d = contract_pet(c, "d", 3);

    expect_cart(c, ANN, "", 0);
    expect_done(c, ANN, contract_put(c, ANN, b));
    expect_done(c, ANN, contract_put(c, ANN, d));
    expect_done(c, ANN, contract_put(c, ANN, a));
    expect_cart(c, ANN, "b d a", 123);
    expect_done(c, ANN, contract_put(c, ANN, b));
    expect_cart(c, ANN, "b d a", 123);
    expect_done(c, ANN, take_out(c, ANN, d));
    expect_cart(c, ANN, "b a", 120);
    expect_done(c, ANN, take_out(c, ANN, d));
    expect_done(c, ANN, take_out(c, ANN, contract_name(c, "nobody")));
    expect_cart(c, ANN, "b a", 120);
}

CONTRACT(a_cart_reserves_nothing)
{
    const char *a = contract_pet(c, "a", 100);

    expect_done(c, ANN, contract_put(c, ANN, a));
    expect_done(c, BOB, contract_put(c, BOB, a));
    cr_assert_eq(contract_status(c, a), PETSTORE__V1__PET_STATUS__AVAILABLE);
    expect_done(c, ANN, take_out(c, ANN, a));
    expect_cart(c, ANN, "", 0);
    expect_cart(c, BOB, "a", 100);
}

CONTRACT(a_cart_tells_pets_as_they_are_now)
{
    Petstore__V1__GetCartRequest request = PETSTORE__V1__GET_CART_REQUEST__INIT;
    const Petstore__V1__GetCartReply *reply;
    struct card card = contract_card(c, 5000, "EUR");
    const char *a = contract_pet(c, "a", 100);
    const char *gone = contract_pet(c, "gone", 7);
    const char *b = contract_pet(c, "b", 20);

    expect_done(c, ANN, contract_put(c, ANN, a));
    expect_done(c, ANN, contract_put(c, ANN, gone));
    expect_done(c, ANN, contract_put(c, ANN, b));
    expect_done(c, STAFF, contract_remove(c, STAFF, gone));
    expect_cart(c, ANN, "a b", 120);
    expect_done(c, BOB, contract_put(c, BOB, a));
    expect_done(
        c, BOB,
        contract_checkout(c, BOB, contract_name(c, "k"), &card, NULL, 0));
    expect_cart(c, ANN, "a b", 20);
    expect_done(c, ANN,
                petstore_get_cart(contract_as(c, ANN), &request, &reply));
    cr_assert_eq(reply->cart->pets[0]->status, PETSTORE__V1__PET_STATUS__SOLD);
    cr_assert_eq(reply->cart->pets[1]->status,
                 PETSTORE__V1__PET_STATUS__AVAILABLE);
}

CONTRACT(a_cart_holds_16_pets)
{
    char name[16];
    int i;

    for (i = 0; i < 17; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        (void)contract_pet(c, name, PRICE_MAX);
        if (i < 16) {
            expect_done(c, ANN, contract_put(c, ANN, contract_name(c, name)));
        }
    }
    expect_refused(c, ANN, RPCRT_RESOURCE_EXHAUSTED, "CART_FULL",
                   contract_put(c, ANN, contract_name(c, "p16")));
    expect_done(c, ANN, contract_put(c, ANN, contract_name(c, "p3")));
    expect_done(c, ANN, take_out(c, ANN, contract_name(c, "p0")));
    expect_done(c, ANN, contract_put(c, ANN, contract_name(c, "p16")));
    expect_cart(c, ANN,
                "p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 p11 p12 p13 p14 p15 p16",
                16 * PRICE_MAX);
}

CONTRACT(what_is_no_pet_is_not_put_in)
{
    static const char *const ids[] = {"", "a b", "%s%n", "../cart/ann",
                                      "\xc3\xa9"};
    size_t i;

    expect_refused(c, ANN, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   contract_put(c, ANN, contract_name(c, "nobody")));
    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        expect_refused(c, ANN, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                       contract_put(c, ANN, ids[i]));
    }
    expect_cart(c, ANN, "", 0);
}
