/*
 * Checkout, as petstore.proto promises it: what a paid order is, every refusal
 * with nothing charged, repeats, and second cards.
 */
#include "tests/contract/petstore/contract.h"

#include "tests/support/probe.h"

#include <stdio.h>
#include <string.h>

#define FAILED RPCRT_FAILED_PRECONDITION

/* Fail unless nothing was taken from a card or is held on it. */
static void
expect_untouched(struct contract *c, const struct card *card, int64_t left)
{
    cr_assert_eq(contract_card_left(c, card), left, "%s", c->where);
}

/* -- paid ------------------------------------------------------------------ */

CONTRACT(an_order_is_paid_and_its_pets_are_sold)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *a = contract_pet(c, "a", 1000);
    const char *b = contract_pet(c, "b", 234);
    char items[300];
    char id[40];
    int64_t total;

    expect_done(c, ANN, contract_put(c, ANN, a));
    expect_done(c, ANN, contract_put(c, ANN, b));
    expect_done(
        c, ANN,
        contract_checkout(c, ANN, contract_name(c, "k"), &card, NULL, 1234));
    (void)snprintf(items, sizeof(items), "%s=1000 %s=234", a, b);
    (void)snprintf(id, sizeof(id), "%s", c->order.id);
    cr_assert_eq(strspn(id, "0123456789abcdef"), 32);
    cr_assert_eq(c->order.state, PETSTORE__V1__ORDER_STATE__PAID);
    cr_assert_eq(c->order.total, 1234);
    cr_assert_str_eq(c->order.items, items);
    cr_assert_eq(c->order.attempts, 1);
    cr_assert_str_eq(c->order.last4, card.number + 12);
    cr_assert_eq(strlen(c->order.payment_id), 32);
    cr_assert_str_eq(c->order.decline_reason, "");
    cr_assert_gt(c->order.created_at_ms, INT64_C(1600000000000));
    cr_assert_eq(contract_status(c, a), PETSTORE__V1__PET_STATUS__SOLD);
    cr_assert_eq(contract_status(c, b), PETSTORE__V1__PET_STATUS__SOLD);
    cr_assert_str_eq(contract_cart(c, ANN, &total), "");
    cr_assert_eq(contract_card_left(c, &card), 5000 - 1234);
    expect_done(c, ANN, contract_order(c, ANN, id));
    cr_assert_eq(c->order.state, PETSTORE__V1__ORDER_STATE__PAID);
    cr_assert_str_eq(c->order.items, items);
}

CONTRACT(an_order_has_up_to_16_pets)
{
    struct card card = contract_card(c, 16 * 7, "EUR");
    char name[16];
    int i;

    for (i = 0; i < 16; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        expect_done(c, ANN, contract_put(c, ANN, contract_pet(c, name, 7)));
    }
    expect_done(
        c, ANN,
        contract_checkout(c, ANN, contract_name(c, "k"), &card, NULL, 0));
    cr_assert_eq(c->order.n_items, 16);
    cr_assert_eq(c->order.total, 16 * 7);
    expect_untouched(c, &card, 0);
    expect_done(c, ANN, contract_cancel(c, ANN, c->order.id));
    cr_assert_eq(contract_status(c, contract_name(c, "p15")),
                 PETSTORE__V1__PET_STATUS__AVAILABLE);
}

/* -- refused --------------------------------------------------------------- */

CONTRACT(an_empty_cart_is_no_order)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *gone = contract_pet(c, "gone", 1000);

    expect_refused(
        c, ANN, FAILED, "CART_EMPTY",
        contract_checkout(c, ANN, contract_name(c, "k"), &card, NULL, 0));
    expect_done(c, ANN, contract_put(c, ANN, gone));
    expect_done(c, STAFF, contract_remove(c, STAFF, gone));
    expect_refused(
        c, ANN, FAILED, "CART_EMPTY",
        contract_checkout(c, ANN, contract_name(c, "k"), &card, NULL, 0));
    expect_untouched(c, &card, 5000);
}

CONTRACT(a_pet_that_is_gone_is_named)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *a = contract_pet(c, "a", 1000);
    const char *b = contract_pet(c, "b", 1000);

    expect_done(c, ANN, contract_put(c, ANN, a));
    expect_done(c, ANN, contract_put(c, ANN, b));
    expect_done(c, BOB, contract_put(c, BOB, b));
    expect_done(
        c, BOB,
        contract_checkout(c, BOB, contract_name(c, "k"), &card, NULL, 0));
    expect_refused(
        c, ANN, FAILED, "PET_NOT_AVAILABLE",
        contract_checkout(c, ANN, contract_name(c, "k"), &card, NULL, 0));
    cr_assert_str_eq(contract_entry(c, ANN, "pet_id"), b);
    cr_assert_eq(contract_status(c, a), PETSTORE__V1__PET_STATUS__AVAILABLE);
    expect_untouched(c, &card, 4000);
}

CONTRACT(an_order_costs_what_was_told)
{
    Petstore__V1__UpdatePetRequest update =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    Petstore__V1__CheckoutRequest request =
        PETSTORE__V1__CHECKOUT_REQUEST__INIT;
    Petstore__V1__Card part = PETSTORE__V1__CARD__INIT;
    Petstore__V1__Money money = PETSTORE__V1__MONEY__INIT;
    const Petstore__V1__UpdatePetReply *updated;
    const Petstore__V1__CheckoutReply *reply;
    struct card card = contract_card(c, 5000, "EUR");
    const char *a = contract_pet(c, "a", 1000);

    expect_done(c, ANN, contract_put(c, ANN, a));
    money.minor = 1100;
    money.currency = "EUR";
    update.pet_id = a;
    update.price = &money;
    expect_done(c, STAFF,
                petstore_update_pet(contract_as(c, STAFF), &update, &updated));
    expect_refused(
        c, ANN, FAILED, "TOTAL_CHANGED",
        contract_checkout(c, ANN, contract_name(c, "k"), &card, NULL, 1000));
    money.currency = "USD";
    part.number = card.number;
    part.expiry_month = card.month;
    part.expiry_year = card.year;
    request.idempotency_key = contract_name(c, "usd");
    request.card = &part;
    request.total = &money;
    expect_refused(c, ANN, FAILED, "TOTAL_CHANGED",
                   petstore_checkout(contract_as(c, ANN), &request, &reply));
    cr_assert_eq(contract_status(c, a), PETSTORE__V1__PET_STATUS__AVAILABLE);
    expect_untouched(c, &card, 5000);
    expect_done(
        c, ANN,
        contract_checkout(c, ANN, contract_name(c, "k"), &card, NULL, 1100));
}

CONTRACT(an_order_to_pay_must_be_ones_own_and_declined)
{
    struct card card = contract_card(c, 5000, "EUR");

    (void)contract_bought(c, ANN, "a", &card);
    expect_refused(c, ANN, FAILED, "ORDER_NOT_DECLINED",
                   contract_checkout(c, ANN, contract_name(c, "k"), &card,
                                     c->order.id, 0));
    expect_refused(c, ANN, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                   contract_checkout(c, ANN, contract_name(c, "l"), &card,
                                     "0123456789abcdef0123456789abcdef", 0));
    (void)contract_declined(c, ANN, "b");
    expect_refused(c, BOB, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                   contract_checkout(c, BOB, contract_name(c, "m"), &card,
                                     c->order.id, 0));
    expect_untouched(c, &card, 4000);
}

CONTRACT(keys_are_1_to_64_printable_ascii_characters)
{
    static const char *const wrong[] = {"",     "a\n",         "\x7f",
                                        "a\tb", "caf\xc3\xa9", "\x01"};
    struct card card = contract_card(c, 5000, "EUR");
    const char *a = contract_pet(c, "a", 1000);
    char longest[66];
    size_t i;

    expect_done(c, ANN, contract_put(c, ANN, a));
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_refused(c, ANN, RPCRT_INVALID_ARGUMENT,
                       "IDEMPOTENCY_KEY_INVALID",
                       contract_checkout(c, ANN, wrong[i], &card, NULL, 0));
    }
    memset(longest, '~', sizeof(longest) - 1);
    longest[65] = '\0';
    expect_refused(c, ANN, RPCRT_INVALID_ARGUMENT, "IDEMPOTENCY_KEY_INVALID",
                   contract_checkout(c, ANN, longest, &card, NULL, 0));
    expect_untouched(c, &card, 5000);
    longest[64] = '\0';
    expect_done(c, ANN, contract_checkout(c, ANN, longest, &card, NULL, 0));
}

/* -- declined -------------------------------------------------------------- */

/* Cards that are refused, and why. */
static const struct refusal {
    const char *reason;
    enum rpcrt_code code;
} refusals[] = {
    {"CARD_NUMBER_INVALID", RPCRT_INVALID_ARGUMENT},
    {"CARD_EXPIRY_INVALID", RPCRT_INVALID_ARGUMENT},
    {"CARD_UNKNOWN", FAILED},
    {"CARD_EXPIRY_WRONG", FAILED},
    {"CURRENCY_WRONG", FAILED},
    {"INSUFFICIENT_FUNDS", FAILED},
};

/* A card that is refused for the reason with this number. */
static struct card
refused_card(struct contract *c, size_t i)
{
    struct card card = i == 4 ? contract_card(c, 5000, "USD")
                              : contract_card(c, i == 5 ? 999 : 5000, "EUR");

    if (i == 0) {
        card.number[15] = (char)('0' + (card.number[15] - '0' + 1) % 10);
    } else if (i == 1) {
        card.month = 13;
    } else if (i == 2) {
        card_make("4", 16, &card);
    } else if (i == 3) {
        card.month = 11;
    }
    return card;
}

CONTRACT(a_refused_card_declines_the_order_and_keeps_its_pets)
{
    char name[16];
    size_t i;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct card card = refused_card(c, i);
        const char *id;

        (void)snprintf(name, sizeof(name), "p%zu", i);
        id = contract_pet(c, name, 1000);
        expect_done(c, ANN, contract_put(c, ANN, id));
        expect_refused(c, ANN, refusals[i].code, refusals[i].reason,
                       contract_checkout(c, ANN, id, &card, NULL, 0));
        expect_done(c, ANN,
                    contract_order(c, ANN, contract_entry(c, ANN, "order_id")));
        cr_assert_eq(c->order.state, PETSTORE__V1__ORDER_STATE__DECLINED);
        cr_assert_str_eq(c->order.decline_reason, refusals[i].reason);
        cr_assert_str_eq(c->order.payment_id, "");
        cr_assert_eq(contract_status(c, id),
                     PETSTORE__V1__PET_STATUS__RESERVED);
        /* A repeat is answered as the first. */
        expect_refused(c, ANN, refusals[i].code, refusals[i].reason,
                       contract_checkout(c, ANN, id, &card, NULL, 0));
        cr_assert_str_eq(contract_entry(c, ANN, "order_id"), c->order.id);
    }
}

CONTRACT_OWN(a_card_that_has_expired_is_refused)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *id;

    /* Into 2099, a year after the card's. */
    stack_set_time(c->target.stack, INT64_C(4080000000000));
    id = contract_pet(c, "a", 1000);
    expect_done(c, ANN, contract_put(c, ANN, id));
    expect_refused(c, ANN, FAILED, "CARD_EXPIRED",
                   contract_checkout(c, ANN, id, &card, NULL, 0));
    expect_untouched(c, &card, 5000);
}

CONTRACT(another_card_can_pay_a_declined_order)
{
    struct card card = contract_card(c, 5000, "EUR");
    struct card poor = contract_card(c, 1, "EUR");
    const char *pet = contract_declined(c, ANN, "a");
    char id[40];

    (void)snprintf(id, sizeof(id), "%s", c->order.id);
    expect_refused(
        c, ANN, FAILED, "INSUFFICIENT_FUNDS",
        contract_checkout(c, ANN, contract_name(c, "k"), &poor, id, 0));
    cr_assert_str_eq(contract_entry(c, ANN, "order_id"), id);
    expect_refused(
        c, ANN, FAILED, "TOTAL_CHANGED",
        contract_checkout(c, ANN, contract_name(c, "l"), &card, id, 999));
    expect_done(
        c, ANN,
        contract_checkout(c, ANN, contract_name(c, "m"), &card, id, 1000));
    cr_assert_str_eq(c->order.id, id);
    cr_assert_eq(c->order.state, PETSTORE__V1__ORDER_STATE__PAID);
    cr_assert_eq(c->order.attempts, 3);
    cr_assert_str_eq(c->order.last4, card.number + 12);
    cr_assert_eq(contract_status(c, pet), PETSTORE__V1__PET_STATUS__SOLD);
    expect_untouched(c, &card, 4000);
    expect_untouched(c, &poor, 1);
    /* Its first key still stands for this order. */
    expect_done(
        c, ANN,
        contract_checkout(c, ANN, contract_name(c, "m"), &card, id, 1000));
    expect_untouched(c, &card, 4000);
}

CONTRACT_OWN(a_declined_order_is_cancelled_when_its_time_is_over)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *pet = contract_declined(c, ANN, "a");
    char id[40];

    (void)snprintf(id, sizeof(id), "%s", c->order.id);
    cr_assert_geq(c->order.pay_until_ms,
                  c->order.created_at_ms + CONTRACT_PAY_WITHIN_MS);
    cr_assert_leq(c->order.pay_until_ms,
                  c->order.created_at_ms + CONTRACT_PAY_WITHIN_MS + 60000);
    stack_pass(c->target.stack, CONTRACT_PAY_WITHIN_MS + 60001);
    contract_await(c, ANN, id, PETSTORE__V1__ORDER_STATE__CANCELLED);
    cr_assert_eq(contract_status(c, pet), PETSTORE__V1__PET_STATUS__AVAILABLE);
    /* Too late for another card; the first is refused as it was. */
    expect_refused(
        c, ANN, FAILED, "ORDER_NOT_DECLINED",
        contract_checkout(c, ANN, contract_name(c, "k"), &card, id, 0));
    expect_refused(c, ANN, FAILED, "INSUFFICIENT_FUNDS",
                   contract_checkout(c, ANN, pet, &card, NULL, 0));
    expect_untouched(c, &card, 5000);
}

/* -- repeats --------------------------------------------------------------- */

CONTRACT(a_repeat_charges_nothing_and_is_answered_alike)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *key = contract_bought(c, ANN, "a", &card);
    char id[40];
    int i;

    (void)snprintf(id, sizeof(id), "%s", c->order.id);
    /* What stands in the cart meanwhile is another purchase. */
    expect_done(c, ANN, contract_put(c, ANN, contract_pet(c, "b", 500)));
    for (i = 0; i < 3; i++) {
        expect_done(c, ANN, contract_checkout(c, ANN, key, &card, NULL, 0));
        cr_assert_str_eq(c->order.id, id);
        cr_assert_eq(c->order.state, PETSTORE__V1__ORDER_STATE__PAID);
        cr_assert_eq(c->order.n_items, 1);
    }
    expect_untouched(c, &card, 4000);
    cr_assert_eq(contract_status(c, contract_name(c, "b")),
                 PETSTORE__V1__PET_STATUS__AVAILABLE);
}

CONTRACT(a_key_stands_for_one_purchase)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *a = contract_pet(c, "a", 1000);
    const char *key = contract_name(c, "k");

    expect_done(c, ANN, contract_put(c, ANN, a));
    expect_done(c, ANN, contract_checkout(c, ANN, key, &card, NULL, 1000));
    expect_refused(c, ANN, RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
                   contract_checkout(c, ANN, key, &card, NULL, 999));
    expect_refused(c, ANN, RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
                   contract_checkout(c, ANN, key, &card, NULL, 0));
    expect_refused(c, ANN, RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
                   contract_checkout(c, ANN, key, &card, c->order.id, 1000));
    expect_done(c, ANN, contract_checkout(c, ANN, key, &card, NULL, 1000));
    expect_untouched(c, &card, 4000);
}

CONTRACT(users_may_use_the_same_key)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *key = contract_name(c, "k");
    char id[40];

    expect_done(c, ANN, contract_put(c, ANN, contract_pet(c, "a", 1000)));
    expect_done(c, BOB, contract_put(c, BOB, contract_pet(c, "b", 100)));
    expect_done(c, ANN, contract_checkout(c, ANN, key, &card, NULL, 0));
    (void)snprintf(id, sizeof(id), "%s", c->order.id);
    expect_done(c, BOB, contract_checkout(c, BOB, key, &card, NULL, 0));
    cr_assert_str_neq(c->order.id, id);
    expect_untouched(c, &card, 3900);
}

CONTRACT(a_repeat_does_not_pay_what_was_given_up)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *declined = contract_declined(c, ANN, "a");
    const char *bought;

    expect_done(c, ANN, contract_cancel(c, ANN, c->order.id));
    expect_refused(c, ANN, FAILED, "INSUFFICIENT_FUNDS",
                   contract_checkout(c, ANN, declined, &card, NULL, 0));
    bought = contract_bought(c, ANN, "b", &card);
    expect_done(c, ANN, contract_cancel(c, ANN, c->order.id));
    expect_refused(c, ANN, RPCRT_ABORTED, "ORDER_CANCELLED",
                   contract_checkout(c, ANN, bought, &card, NULL, 0));
    expect_untouched(c, &card, 5000);
}

/* -- at once --------------------------------------------------------------- */

#define N_AT_ONCE 6

/* Check out N_AT_ONCE times at once, every call with a token and a key of its
 * own; counts those that were OK, of the others all were refused. */
static int
race(struct contract *c, const char *const *tokens, const char *const *keys,
     const struct card *card)
{
    Petstore__V1__CheckoutRequest request =
        PETSTORE__V1__CHECKOUT_REQUEST__INIT;
    Petstore__V1__Card part = PETSTORE__V1__CARD__INIT;
    struct rpcrt_call *calls[N_AT_ONCE];
    atomic_uint n_done = 0;
    int n_ok = 0;
    int i;

    part.number = card->number;
    part.expiry_month = card->month;
    part.expiry_year = card->year;
    request.card = &part;
    for (i = 0; i < N_AT_ONCE; i++) {
        calls[i] = target_call(&c->target, c->channel, tokens[i]);
        request.idempotency_key = keys[i];
        petstore_checkout_start(calls[i], &request, bed_done, &n_done);
    }
    bed_await(&n_done, N_AT_ONCE);
    for (i = 0; i < N_AT_ONCE; i++) {
        const Petstore__V1__CheckoutReply *reply;
        enum rpcrt_code code = petstore_checkout_take(calls[i], &reply);

        n_ok += code == RPCRT_OK ? 1 : 0;
        cr_assert(code == RPCRT_OK || code == FAILED, "%s: %s", c->where,
                  rpcrt_call_message(calls[i]));
        if (code == FAILED) {
            const char *reason = target_reason(calls[i], "petstore.v1");

            cr_assert(strcmp(reason, "PET_NOT_AVAILABLE") == 0 ||
                          strcmp(reason, "CART_EMPTY") == 0,
                      "%s", reason);
        }
    }
    return n_ok;
}

CONTRACT(repeats_at_the_same_time_are_one_purchase)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *tokens[N_AT_ONCE];
    const char *keys[N_AT_ONCE];
    int i;

    expect_done(c, ANN, contract_put(c, ANN, contract_pet(c, "a", 1000)));
    for (i = 0; i < N_AT_ONCE; i++) {
        tokens[i] = c->tokens[ANN];
        keys[i] = contract_name(c, "k");
    }
    cr_assert_eq(race(c, tokens, keys, &card), N_AT_ONCE);
    expect_untouched(c, &card, 4000);
}

CONTRACT(of_two_customers_racing_for_a_pet_one_wins)
{
    struct card card = contract_card(c, 5000, "EUR");
    const char *tokens[N_AT_ONCE];
    const char *keys[N_AT_ONCE];
    const char *pet = contract_pet(c, "a", 1000);
    char name[16];
    int i;

    expect_done(c, ANN, contract_put(c, ANN, pet));
    expect_done(c, BOB, contract_put(c, BOB, pet));
    for (i = 0; i < N_AT_ONCE; i++) {
        (void)snprintf(name, sizeof(name), "k%d", i);
        tokens[i] = c->tokens[i % 2 == 0 ? ANN : BOB];
        keys[i] = contract_name(c, name);
    }
    cr_assert_eq(race(c, tokens, keys, &card), 1);
    cr_assert_eq(contract_status(c, pet), PETSTORE__V1__PET_STATUS__SOLD);
    expect_untouched(c, &card, 4000);
}
