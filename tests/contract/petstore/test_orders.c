/*
 * Orders afterwards, as petstore.proto promises them: GetOrder, ListOrders and
 * CancelOrder; and the reasons that refusals tell.
 */
#include "tests/contract/petstore/contract.h"

#include "kv/v1/kv.client.h"
#include "petstore/record.pb-c.h"

#include <stdio.h>
#include <string.h>

#define FAILED RPCRT_FAILED_PRECONDITION

/* -- reading --------------------------------------------------------------- */

CONTRACT(orders_of_others_are_not_found)
{
    static const char *const ids[] = {"",
                                      "x",
                                      "%s%n",
                                      "../user/keeper",
                                      "0123456789abcdef0123456789abcdef",
                                      "\xc3\xa9"};
    struct card card = contract_card(c, 5000, "EUR");
    char id[40];
    size_t i;

    (void)contract_bought(c, ANN, "a", &card);
    (void)snprintf(id, sizeof(id), "%s", c->order.id);
    expect_refused(c, BOB, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                   contract_order(c, BOB, id));
    expect_refused(c, STAFF, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                   contract_order(c, STAFF, id));
    expect_refused(c, BOB, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                   contract_cancel(c, BOB, id));
    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        expect_refused(c, ANN, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                       contract_order(c, ANN, ids[i]));
        expect_refused(c, ANN, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                       contract_cancel(c, ANN, ids[i]));
    }
    expect_done(c, ANN, contract_order(c, ANN, id));
    cr_assert_eq(c->order.state, PETSTORE__V1__ORDER_STATE__PAID);
}

static enum rpcrt_code
list(struct contract *c, enum contract_who who, uint32_t size,
     const char *token, const Petstore__V1__ListOrdersReply **ret_reply)
{
    Petstore__V1__ListOrdersRequest request =
        PETSTORE__V1__LIST_ORDERS_REQUEST__INIT;

    request.page_size = size;
    request.page_token = token;
    return petstore_list_orders(contract_as(c, who), &request, ret_reply);
}

/* Each order stands in the list once; those of one millisecond in any order. */
CONTRACT(orders_are_listed_page_by_page_the_newest_first)
{
    struct card card = contract_card(c, 5000, "EUR");
    const Petstore__V1__ListOrdersReply *reply;
    int64_t created_at_ms = INT64_MAX;
    char next[1024] = "";
    char ids[5][40];
    bool seen[5] = {false};
    int n_pages = 0;
    size_t i;
    size_t j;

    for (i = 0; i < 5; i++) {
        char name[2] = {(char)('a' + i), '\0'};

        (void)contract_bought(c, ANN, name, &card);
        (void)snprintf(ids[i], sizeof(ids[i]), "%s", c->order.id);
    }
    do {
        expect_done(c, ANN, list(c, ANN, 2, next, &reply));
        for (j = 0; j < reply->n_orders; j++) {
            cr_assert_leq(reply->orders[j]->created_at_ms, created_at_ms);
            created_at_ms = reply->orders[j]->created_at_ms;
            for (i = 0; i < 5; i++) {
                if (strcmp(reply->orders[j]->id, ids[i]) == 0) {
                    cr_assert_not(seen[i]);
                    seen[i] = true;
                }
            }
        }
        cr_assert_leq(reply->n_orders, 2);
        (void)snprintf(next, sizeof(next), "%s", reply->next_page_token);
        n_pages++;
    } while (next[0] != '\0');
    cr_assert_eq(n_pages, 3);
    for (i = 0; i < 5; i++) {
        cr_assert(seen[i], "%s: order %zu", c->where, i);
    }
    expect_done(c, BOB, list(c, BOB, 0, "", &reply));
    cr_assert_eq(reply->n_orders, 0);
}

CONTRACT(page_tokens_of_other_users_lists_are_refused)
{
    static const char *const garbage[] = {"x", "????", "AAAAAAAAAAAAAAAAAAAA",
                                          "\xc3\xa9", "%s%n"};
    struct card card = contract_card(c, 5000, "EUR");
    const Petstore__V1__ListOrdersReply *reply;
    char token[1024];
    char cut[1024];
    size_t i;

    (void)contract_bought(c, ANN, "a", &card);
    (void)contract_bought(c, ANN, "b", &card);
    expect_done(c, ANN, list(c, ANN, 1, "", &reply));
    (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
    cr_assert_neq(token[0], '\0');
    expect_refused(c, BOB, RPCRT_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                   list(c, BOB, 1, token, &reply));
    for (i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        expect_refused(c, ANN, RPCRT_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                       list(c, ANN, 1, garbage[i], &reply));
    }
    for (i = 1; i < strlen(token); i += 7) {
        (void)snprintf(cut, sizeof(cut), "%.*s", (int)i, token);
        expect_refused(c, ANN, RPCRT_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                       list(c, ANN, 1, cut, &reply));
    }
    expect_done(c, ANN, list(c, ANN, 1, token, &reply));
    cr_assert_eq(reply->n_orders, 1);
}

/* -- giving up ------------------------------------------------------------- */

CONTRACT(a_paid_order_is_refunded_and_its_pets_are_free_again)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *pet = contract_bought(c, ANN, "a", &card);
    char id[40];
    int i;

    (void)snprintf(id, sizeof(id), "%s", c->order.id);
    for (i = 0; i < 3; i++) {
        expect_done(c, ANN, contract_cancel(c, ANN, id));
        cr_assert_eq(c->order.state, PETSTORE__V1__ORDER_STATE__REFUNDED);
        cr_assert_eq(contract_card_left(c, &card), 5000);
    }
    cr_assert_eq(contract_status(c, pet), PETSTORE__V1__PET_STATUS__AVAILABLE);
    expect_refused(c, ANN, RPCRT_ABORTED, "ORDER_CANCELLED",
                   contract_checkout(c, ANN, pet, &card, NULL, 0));
    expect_done(c, BOB, contract_put(c, BOB, pet));
    expect_done(c, BOB, contract_checkout(c, BOB, pet, &card, NULL, 0));
    cr_assert_eq(contract_card_left(c, &card), 4000);
    /* The one who gave it up can't give up the other's. */
    expect_done(c, ANN, contract_cancel(c, ANN, id));
    cr_assert_eq(contract_status(c, pet), PETSTORE__V1__PET_STATUS__SOLD);
    cr_assert_eq(contract_card_left(c, &card), 4000);
}

CONTRACT(an_order_that_is_not_paid_is_cancelled)
{
    const char *pet = contract_declined(c, ANN, "a");
    struct card card = contract_card(c, 5000, "EUR");
    char id[40];
    int i;

    (void)snprintf(id, sizeof(id), "%s", c->order.id);
    for (i = 0; i < 3; i++) {
        expect_done(c, ANN, contract_cancel(c, ANN, id));
        cr_assert_eq(c->order.state, PETSTORE__V1__ORDER_STATE__CANCELLED);
    }
    cr_assert_eq(contract_status(c, pet), PETSTORE__V1__PET_STATUS__AVAILABLE);
    expect_refused(
        c, ANN, FAILED, "ORDER_NOT_DECLINED",
        contract_checkout(c, ANN, contract_name(c, "k"), &card, id, 0));
    cr_assert_eq(contract_card_left(c, &card), 5000);
}

/* Write an order's state into the store, behind the shop's back. */
static void
state_force(struct contract *c, const char *id, Petstore__V1__OrderState state)
{
    Kv__V1__RangeRequest range = KV__V1__RANGE_REQUEST__INIT;
    Kv__V1__PutRequest put = KV__V1__PUT_REQUEST__INIT;
    const Kv__V1__RangeReply *found;
    const Kv__V1__PutReply *done;
    Petstore__Record__Order *order;
    struct rpcrt_call *call = target_call(
        &c->target,
        target_channel(&c->target, stack_address(c->target.stack, STACK_KV)),
        "shop");
    uint8_t packed[4096];
    char key[64];
    int length = snprintf(key, sizeof(key), "order/%s", id);

    range.key.data = (uint8_t *)key;
    range.key.len = (size_t)length;
    expect_call(c, call, RPCRT_OK, kv_range(call, &range, &found));
    cr_assert_eq(found->n_entries, 1);
    order = petstore__record__order__unpack(NULL, found->entries[0]->value.len,
                                            found->entries[0]->value.data);
    cr_assert_not_null(order);
    order->state = (uint32_t)state;
    cr_assert_lt(petstore__record__order__get_packed_size(order),
                 sizeof(packed));
    put.key = range.key;
    put.value.len = petstore__record__order__pack(order, packed);
    put.value.data = packed;
    expect_call(c, call, RPCRT_OK, kv_put(call, &put, &done));
    petstore__record__order__free_unpacked(order, NULL);
}

CONTRACT_OWN(an_order_is_not_given_up_while_the_money_is_taken)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *pet = contract_bought(c, ANN, "a", &card);

    state_force(c, c->order.id, PETSTORE__V1__ORDER_STATE__CAPTURING);
    expect_refused(c, ANN, FAILED, "ORDER_BEING_PAID",
                   contract_cancel(c, ANN, c->order.id));
    cr_assert_eq(contract_status(c, pet), PETSTORE__V1__PET_STATUS__SOLD);
    cr_assert_eq(contract_card_left(c, &card), 4000);
}

/* -- reasons --------------------------------------------------------------- */

/* Note the reason of a refusal, which must be one of the enum. */
static void
meet(struct contract *c, enum contract_who who, bool *met, enum rpcrt_code code)
{
    const ProtobufCEnumDescriptor *reasons = &petstore__v1__reason__descriptor;
    const char *told = target_reason(contract_as(c, who), "petstore.v1");
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(reasons, told);

    cr_assert_neq(code, RPCRT_OK, "%s", c->where);
    cr_assert_not_null(value, "%s: '%s'", c->where, told);
    met[value - reasons->values] = true;
}

/* Reasons that pets and carts have. */
static void
meet_at_pets(struct contract *c, bool *met)
{
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    const Petstore__V1__ListPetsReply *reply;
    Petstore__V1__Pet pet;
    Petstore__V1__Money price;
    char name[16];
    int i;

    contract_pet_init(c, contract_name(c, "rex"), &pet, &price);
    meet(c, ANN, met, contract_add(c, ANN, &pet));
    expect_done(c, STAFF, contract_add(c, STAFF, &pet));
    price.minor = 5;
    meet(c, STAFF, met, contract_add(c, STAFF, &pet));
    price.minor = 0;
    meet(c, STAFF, met, contract_add(c, STAFF, &pet));
    meet(c, ANN, met, contract_put(c, ANN, contract_name(c, "nobody")));
    request.page_token = "x";
    meet(c, ANN, met,
         petstore_list_pets(contract_as(c, ANN), &request, &reply));
    for (i = 0; i < 17; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        (void)contract_pet(c, name, 10);
        if (i < 16) {
            expect_done(c, ANN, contract_put(c, ANN, contract_name(c, name)));
        }
    }
    meet(c, ANN, met, contract_put(c, ANN, contract_name(c, "p16")));
}

/* Reasons that orders have. */
static void
meet_at_orders(struct contract *c, bool *met)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *key;

    meet(c, BOB, met, contract_checkout(c, BOB, "", &card, NULL, 0));
    meet(c, BOB, met,
         contract_checkout(c, BOB, contract_name(c, "k"), &card, NULL, 0));
    key = contract_bought(c, BOB, "bought", &card);
    meet(c, BOB, met, contract_put(c, BOB, key));
    meet(c, BOB, met, contract_checkout(c, BOB, key, &card, NULL, 5));
    meet(c, BOB, met,
         contract_checkout(c, BOB, contract_name(c, "k"), &card, c->order.id,
                           0));
    state_force(c, c->order.id, PETSTORE__V1__ORDER_STATE__CAPTURING);
    meet(c, BOB, met, contract_cancel(c, BOB, c->order.id));
    meet(c, BOB, met, contract_order(c, BOB, "nobody"));
    key = contract_bought(c, BOB, "given-up", &card);
    expect_done(c, BOB, contract_cancel(c, BOB, c->order.id));
    meet(c, BOB, met, contract_checkout(c, BOB, key, &card, NULL, 0));
    expect_done(c, BOB, contract_put(c, BOB, contract_pet(c, "dear", 7)));
    meet(c, BOB, met,
         contract_checkout(c, BOB, contract_name(c, "l"), &card, NULL, 6));
}

CONTRACT_OWN(every_reason_is_told)
{
    const ProtobufCEnumDescriptor *reasons = &petstore__v1__reason__descriptor;
    bool met[64] = {true}; /* the first stands for none */
    Petstore__V1__GetCartRequest request = PETSTORE__V1__GET_CART_REQUEST__INIT;
    const Petstore__V1__GetCartReply *reply;
    size_t i;

    cr_assert_leq(reasons->n_values, sizeof(met));
    meet(c, NOBODY, met, contract_register(c, STACK_STAFF, "12345678"));
    meet(c, NOBODY, met, contract_register(c, "X", "12345678"));
    meet(c, NOBODY, met, contract_register(c, "xyz", "1"));
    meet(c, NOBODY, met, contract_login(c, STACK_STAFF, "12345678", NULL));
    meet(c, STRANGER, met,
         petstore_get_cart(contract_as(c, STRANGER), &request, &reply));
    meet_at_pets(c, met);
    meet_at_orders(c, met);
    stack_pass(c->target.stack, CONTRACT_SESSION_MS + 1);
    meet(c, ANN, met, petstore_get_cart(contract_as(c, ANN), &request, &reply));
    for (i = 0; i < reasons->n_values; i++) {
        cr_assert(met[i], "%s: %s", c->where, reasons->values[i].name);
    }
}
