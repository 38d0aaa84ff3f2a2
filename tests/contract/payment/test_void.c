/*
 * Void, as payment.proto promises it: by id and by key, before and after the
 * Authorize has come.
 */
#include "tests/contract/payment/contract.h"

#include <stdio.h>

#define FAILED RPCRT_FAILED_PRECONDITION

CONTRACT(void_lets_go_what_is_held)
{
    struct card card = contract_card(c, 1000, "EUR");

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    expect_done(c, RED,
                contract_void(c, RED, contract_key(c, "b"), c->payment.id));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__VOIDED);
    cr_assert_eq(contract_card_money(c, &card).available, 1000);
    cr_assert_eq(contract_card_money(c, &card).held, 0);
}

CONTRACT(void_names_a_payment_by_its_key)
{
    struct card card = contract_card(c, 1000, "EUR");
    char id[40];

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    (void)snprintf(id, sizeof(id), "%s", c->payment.id);
    expect_done(
        c, RED,
        contract_void_key(c, RED, contract_key(c, "b"), contract_key(c, "a")));
    cr_assert_str_eq(c->payment.id, id);
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__VOIDED);
    expect_refused(
        c, RED, FAILED, "PAYMENT_VOIDED",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    cr_assert_eq(contract_card_money(c, &card).held, 0);
}

CONTRACT(void_of_a_key_that_has_not_come_refuses_it_for_ever)
{
    struct card card = contract_card(c, 1000, "EUR");
    struct card other = contract_card(c, 1000, "EUR");
    char id[40];

    expect_done(
        c, RED,
        contract_void_key(c, RED, contract_key(c, "b"), contract_key(c, "a")));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__VOIDED);
    cr_assert_str_eq(c->payment.key, contract_key(c, "a"));
    cr_assert_eq(c->payment.amount, 0);
    (void)snprintf(id, sizeof(id), "%s", c->payment.id);
    expect_refused(
        c, RED, FAILED, "PAYMENT_VOIDED",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    expect_refused(
        c, RED, FAILED, "PAYMENT_VOIDED",
        contract_authorize(c, RED, contract_key(c, "a"), &other, 10, "EUR"));
    expect_done(c, RED,
                contract_void_key(c, RED, contract_key(c, "again"),
                                  contract_key(c, "a")));
    cr_assert_str_eq(c->payment.id, id);
    expect_done(c, RED, contract_get(c, RED, id));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__VOIDED);
    cr_assert_eq(contract_card_money(c, &card).held, 0);
    /* The key of another merchant is another key. */
    expect_done(
        c, BLUE,
        contract_authorize(c, BLUE, contract_key(c, "a"), &card, 600, "EUR"));
}

CONTRACT(void_names_something)
{
    Payment__V1__VoidRequest request = PAYMENT__V1__VOID_REQUEST__INIT;
    const Payment__V1__VoidReply *reply;

    request.idempotency_key = contract_key(c, "a");
    expect_call(c, contract_as(c, RED), RPCRT_INVALID_ARGUMENT,
                payment_void(contract_as(c, RED), &request, &reply));
    expect_refused(c, RED, RPCRT_INVALID_ARGUMENT, "IDEMPOTENCY_KEY_INVALID",
                   contract_void_key(c, RED, contract_key(c, "a"), ""));
}
