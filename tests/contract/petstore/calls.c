/*
 * Short names for the calls of a shop: see contract.h.
 */
#include "tests/contract/petstore/contract.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* -- users ----------------------------------------------------------------- */

enum rpcrt_code
contract_register(struct contract *c, const char *user, const char *password)
{
    Petstore__V1__RegisterRequest request =
        PETSTORE__V1__REGISTER_REQUEST__INIT;
    const Petstore__V1__RegisterReply *reply;

    request.user = user;
    request.password = password;
    return petstore_register(contract_as(c, NOBODY), &request, &reply);
}

enum rpcrt_code
contract_login(struct contract *c, const char *user, const char *password,
               char ret_token[128])
{
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__LoginReply *reply;
    enum rpcrt_code code;

    request.user = user;
    request.password = password;
    code = petstore_login(contract_as(c, NOBODY), &request, &reply);
    if (code == RPCRT_OK && ret_token != NULL) {
        (void)snprintf(ret_token, 128, "%s", reply->token);
    }
    return code;
}

/* -- pets ------------------------------------------------------------------ */

void
contract_pet_init(struct contract *c, const char *id,
                  Petstore__V1__Pet *ret_pet, Petstore__V1__Money *ret_price)
{
    Petstore__V1__Pet pet = PETSTORE__V1__PET__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;

    price.minor = 1000;
    price.currency = "EUR";
    *ret_price = price;
    pet.id = id;
    pet.species = c->prefix;
    pet.name = "Rex";
    pet.description = "Barks.";
    pet.price = ret_price;
    *ret_pet = pet;
}

enum rpcrt_code
contract_add(struct contract *c, enum contract_who who, Petstore__V1__Pet *pet)
{
    Petstore__V1__AddPetRequest request = PETSTORE__V1__ADD_PET_REQUEST__INIT;
    const Petstore__V1__AddPetReply *reply;

    request.pet = pet;
    return petstore_add_pet(contract_as(c, who), &request, &reply);
}

enum rpcrt_code
contract_remove(struct contract *c, enum contract_who who, const char *id)
{
    Petstore__V1__RemovePetRequest request =
        PETSTORE__V1__REMOVE_PET_REQUEST__INIT;
    const Petstore__V1__RemovePetReply *reply;

    request.pet_id = id;
    return petstore_remove_pet(contract_as(c, who), &request, &reply);
}

Petstore__V1__PetStatus
contract_status(struct contract *c, const char *id)
{
    Petstore__V1__GetPetRequest request = PETSTORE__V1__GET_PET_REQUEST__INIT;
    const Petstore__V1__GetPetReply *reply;
    enum rpcrt_code code;

    request.pet_id = id;
    code = petstore_get_pet(contract_as(c, STAFF), &request, &reply);
    if (code == RPCRT_NOT_FOUND) {
        return PETSTORE__V1__PET_STATUS__PET_STATUS_UNSPECIFIED;
    }
    cr_assert_eq(code, RPCRT_OK, "%s: %s", c->where,
                 rpcrt_call_message(contract_as(c, STAFF)));
    return reply->pet->status;
}

/* -- the cart -------------------------------------------------------------- */

enum rpcrt_code
contract_put(struct contract *c, enum contract_who who, const char *id)
{
    Petstore__V1__AddToCartRequest request =
        PETSTORE__V1__ADD_TO_CART_REQUEST__INIT;
    const Petstore__V1__AddToCartReply *reply;

    request.pet_id = id;
    return petstore_add_to_cart(contract_as(c, who), &request, &reply);
}

const char *
contract_cart(struct contract *c, enum contract_who who, int64_t *ret_total)
{
    static char text[1200];
    Petstore__V1__GetCartRequest request = PETSTORE__V1__GET_CART_REQUEST__INIT;
    const Petstore__V1__GetCartReply *reply;
    size_t skip = strlen(c->prefix) + 1;
    size_t length = 0;
    size_t i;

    expect_done(c, who,
                petstore_get_cart(contract_as(c, who), &request, &reply));
    text[0] = '\0';
    for (i = 0; i < reply->cart->n_pets; i++) {
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
                                   i == 0 ? "" : " ",
                                   reply->cart->pets[i]->id + skip);
        cr_assert_lt(length, sizeof(text));
    }
    cr_assert_str_eq(reply->cart->total->currency, "EUR");
    *ret_total = reply->cart->total->minor;
    return text;
}

/* -- orders ---------------------------------------------------------------- */

/* Remember what a reply says. */
static enum rpcrt_code
seen(struct contract *c, const Petstore__V1__Order *order)
{
    struct contract_order *to = &c->order;
    size_t length = 0;
    size_t i;

    cr_assert_not_null(order);
    *to = (struct contract_order){.state = order->state,
                                  .total = order->total->minor,
                                  .attempts = order->attempts,
                                  .created_at_ms = order->created_at_ms,
                                  .pay_until_ms = order->pay_until_ms,
                                  .n_items = order->n_items};
    cr_assert_str_eq(order->total->currency, "EUR");
    (void)snprintf(to->id, sizeof(to->id), "%s", order->id);
    (void)snprintf(to->payment_id, sizeof(to->payment_id), "%s",
                   order->payment_id);
    (void)snprintf(to->last4, sizeof(to->last4), "%s", order->card_last4);
    (void)snprintf(to->decline_reason, sizeof(to->decline_reason), "%s",
                   order->decline_reason);
    for (i = 0; i < order->n_items; i++) {
        length += (size_t)snprintf(to->items + length,
                                   sizeof(to->items) - length, "%s%s=%lld",
                                   i == 0 ? "" : " ", order->items[i]->pet_id,
                                   (long long)order->items[i]->price->minor);
        cr_assert_lt(length, sizeof(to->items));
    }
    return RPCRT_OK;
}

enum rpcrt_code
contract_checkout(struct contract *c, enum contract_who who, const char *key,
                  const struct card *card, const char *order_id, int64_t total)
{
    Petstore__V1__CheckoutRequest request =
        PETSTORE__V1__CHECKOUT_REQUEST__INIT;
    Petstore__V1__Card part = PETSTORE__V1__CARD__INIT;
    Petstore__V1__Money money = PETSTORE__V1__MONEY__INIT;
    const Petstore__V1__CheckoutReply *reply;
    enum rpcrt_code code;

    part.number = card->number;
    part.expiry_month = card->month;
    part.expiry_year = card->year;
    money.minor = total;
    money.currency = "EUR";
    request.idempotency_key = key;
    request.card = &part;
    request.order_id = order_id == NULL ? "" : order_id;
    request.total = total == 0 ? NULL : &money;
    code = petstore_checkout(contract_as(c, who), &request, &reply);
    return code == RPCRT_OK ? seen(c, reply->order) : code;
}

enum rpcrt_code
contract_order(struct contract *c, enum contract_who who, const char *id)
{
    Petstore__V1__GetOrderRequest request =
        PETSTORE__V1__GET_ORDER_REQUEST__INIT;
    const Petstore__V1__GetOrderReply *reply;
    enum rpcrt_code code;

    request.order_id = id;
    code = petstore_get_order(contract_as(c, who), &request, &reply);
    return code == RPCRT_OK ? seen(c, reply->order) : code;
}

enum rpcrt_code
contract_cancel(struct contract *c, enum contract_who who, const char *id)
{
    Petstore__V1__CancelOrderRequest request =
        PETSTORE__V1__CANCEL_ORDER_REQUEST__INIT;
    const Petstore__V1__CancelOrderReply *reply;
    enum rpcrt_code code;

    request.order_id = id;
    code = petstore_cancel_order(contract_as(c, who), &request, &reply);
    return code == RPCRT_OK ? seen(c, reply->order) : code;
}

void
contract_await(struct contract *c, enum contract_who who, const char *id,
               Petstore__V1__OrderState state)
{
    const struct timespec a_while = {.tv_nsec = 10000000};
    int n;

    for (n = 0; n < 2000; n++) {
        expect_done(c, who, contract_order(c, who, id));
        if (c->order.state == state) {
            return;
        }
        (void)nanosleep(&a_while, NULL);
    }
    cr_assert_fail("%s: the order stays in state %d", c->where,
                   (int)c->order.state);
}
