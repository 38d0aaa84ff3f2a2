/*
 * The way of a payment, as payment.proto draws it: every step from every
 * state, what moves and what is held, and what one merchant sees of another.
 */
#include "tests/contract/payment/contract.h"

#include <stdio.h>
#include <string.h>

#define FAILED RPCRT_FAILED_PRECONDITION

/* -- what a payment tells -------------------------------------------------- */

CONTRACT(a_payment_tells_what_it_is)
{
    struct card card = contract_card(c, 1000, "EUR");
    struct contract_payment first;
    size_t digits;

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    first = c->payment;
    digits = strspn(first.id, "0123456789abcdef");
    cr_assert(digits == 32 && first.id[32] == '\0', "'%s'", first.id);
    cr_assert_neq(first.merchant[0], '\0');
    cr_assert_eq(first.state, PAYMENT__V1__STATE__AUTHORIZED);
    cr_assert_eq(first.amount, 600);
    cr_assert_str_eq(first.currency, "EUR");
    cr_assert_eq(first.captured, 0);
    cr_assert_eq(first.refunded, 0);
    cr_assert_str_eq(first.last4, card.number + 12);
    cr_assert_str_eq(first.scheme, "visa");
    cr_assert_str_eq(first.key, contract_key(c, "a"));
    cr_assert_str_eq(first.reference, "order 7");
    cr_assert_gt(first.created_at_ms, INT64_C(1600000000000));
    cr_assert_gt(first.expires_at_ms, first.created_at_ms);
    cr_assert_eq(first.decline_reason, PAYMENT__V1__REASON__REASON_UNSPECIFIED);
    expect_done(c, RED, contract_get(c, RED, first.id));
    contract_expect_same(c, &first, &c->payment);
}

CONTRACT(what_was_declined_is_kept_with_its_reason)
{
    Payment__V1__ListPaymentsRequest request =
        PAYMENT__V1__LIST_PAYMENTS_REQUEST__INIT;
    const Payment__V1__ListPaymentsReply *reply;
    struct card card = contract_card(c, 1000, "EUR");
    const Payment__V1__PaymentRecord *record;

    expect_refused(
        c, RED, FAILED, "INSUFFICIENT_FUNDS",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 1001, "EUR"));
    request.page_size = 1;
    expect_done(c, RED,
                payment_list_payments(contract_as(c, RED), &request, &reply));
    cr_assert_eq(reply->n_payments, 1);
    record = reply->payments[0];
    cr_assert_str_eq(record->authorize_key, contract_key(c, "a"));
    cr_assert_eq(record->state, PAYMENT__V1__STATE__DECLINED);
    cr_assert_eq(record->decline_reason,
                 PAYMENT__V1__REASON__INSUFFICIENT_FUNDS);
}

/* -- money ----------------------------------------------------------------- */

CONTRACT(an_authorization_holds_and_a_capture_moves)
{
    struct card card = contract_card(c, 1000, "EUR");
    int64_t before = contract_merchant_money(c, RED, "EUR");
    struct contract_money money;

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    money = contract_card_money(c, &card);
    cr_assert(money.posted == 1000 && money.held == 600 &&
              money.available == 400);
    expect_done(
        c, RED,
        contract_capture(c, RED, contract_key(c, "b"), c->payment.id, 0));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__CAPTURED);
    cr_assert_eq(c->payment.captured, 600);
    money = contract_card_money(c, &card);
    cr_assert(money.posted == 400 && money.held == 0 && money.available == 400);
    cr_assert_eq(contract_merchant_money(c, RED, "EUR"), before + 600);
}

CONTRACT(capturing_a_part_lets_the_rest_go)
{
    struct card card = contract_card(c, 1000, "EUR");
    struct contract_money money;

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    expect_refused(
        c, RED, FAILED, "AMOUNT_TOO_LARGE",
        contract_capture(c, RED, contract_key(c, "b"), c->payment.id, 601));
    expect_done(
        c, RED,
        contract_capture(c, RED, contract_key(c, "c"), c->payment.id, 1));
    cr_assert_eq(c->payment.amount, 600);
    cr_assert_eq(c->payment.captured, 1);
    money = contract_card_money(c, &card);
    cr_assert(money.posted == 999 && money.held == 0 && money.available == 999);
}

CONTRACT(money_comes_back_in_parts_up_to_what_was_captured)
{
    struct card card = contract_card(c, 1000, "EUR");
    int64_t before = contract_merchant_money(c, RED, "EUR");
    char id[40];

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    (void)snprintf(id, sizeof(id), "%s", c->payment.id);
    expect_done(c, RED,
                contract_capture(c, RED, contract_key(c, "b"), id, 500));
    expect_refused(c, RED, FAILED, "AMOUNT_TOO_LARGE",
                   contract_refund(c, RED, contract_key(c, "c"), id, 501));
    expect_done(c, RED, contract_refund(c, RED, contract_key(c, "d"), id, 200));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__CAPTURED);
    cr_assert_eq(c->payment.refunded, 200);
    expect_refused(c, RED, FAILED, "AMOUNT_TOO_LARGE",
                   contract_refund(c, RED, contract_key(c, "e"), id, 301));
    expect_done(c, RED, contract_refund(c, RED, contract_key(c, "f"), id, 0));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__REFUNDED);
    cr_assert_eq(c->payment.captured, 500);
    cr_assert_eq(c->payment.refunded, 500);
    cr_assert_eq(contract_card_money(c, &card).available, 1000);
    cr_assert_eq(contract_merchant_money(c, RED, "EUR"), before);
}

CONTRACT(parts_that_are_no_amounts_are_refused)
{
    static const int64_t wrong[] = {-1, INT64_MIN, -AMOUNT_MAX};
    struct contract_payment held =
        contract_authorized(c, contract_key(c, "held"));
    struct contract_payment taken =
        contract_authorized(c, contract_key(c, "taken"));
    size_t i;

    expect_done(c, RED,
                contract_capture(c, RED, contract_key(c, "t"), taken.id, 0));
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_refused(
            c, RED, RPCRT_INVALID_ARGUMENT, "AMOUNT_INVALID",
            contract_capture(c, RED, contract_key(c, "b"), held.id, wrong[i]));
        expect_refused(
            c, RED, RPCRT_INVALID_ARGUMENT, "AMOUNT_INVALID",
            contract_refund(c, RED, contract_key(c, "c"), taken.id, wrong[i]));
    }
    expect_refused(
        c, RED, FAILED, "AMOUNT_TOO_LARGE",
        contract_capture(c, RED, contract_key(c, "d"), held.id, AMOUNT_MAX));
    expect_refused(
        c, RED, FAILED, "AMOUNT_TOO_LARGE",
        contract_refund(c, RED, contract_key(c, "e"), taken.id, AMOUNT_MAX));
}

/* -- steps ----------------------------------------------------------------- */

/* A way to each state, and what each step says there: a reason, or "" for OK.
 * Authorize is a repeat of the first. */
static const struct way {
    Payment__V1__State state;
    const char *authorize;
    const char *capture;
    const char *cancel;
    const char *refund;
} ways[] = {
    {PAYMENT__V1__STATE__AUTHORIZED, "", "", "", "PAYMENT_NOT_CAPTURED"},
    {PAYMENT__V1__STATE__DECLINED, "INSUFFICIENT_FUNDS", "PAYMENT_DECLINED", "",
     "PAYMENT_NOT_CAPTURED"},
    {PAYMENT__V1__STATE__CAPTURED, "", "PAYMENT_CAPTURED", "PAYMENT_CAPTURED",
     ""},
    {PAYMENT__V1__STATE__REFUNDED, "", "PAYMENT_CAPTURED", "PAYMENT_CAPTURED",
     "AMOUNT_TOO_LARGE"},
    {PAYMENT__V1__STATE__VOIDED, "PAYMENT_VOIDED", "PAYMENT_VOIDED", "",
     "PAYMENT_NOT_CAPTURED"},
    {PAYMENT__V1__STATE__EXPIRED, "PAYMENT_EXPIRED", "PAYMENT_EXPIRED", "",
     "PAYMENT_NOT_CAPTURED"},
};

/* Lead a new payment to a state; returns its id. */
static void
lead_to(struct contract *c, const struct card *card, Payment__V1__State state,
        char ret_id[40])
{
    int64_t minor = state == PAYMENT__V1__STATE__DECLINED ? 1001 : 1000;
    enum rpcrt_code code =
        contract_authorize(c, RED, contract_key(c, "way"), card, minor, "EUR");

    if (state == PAYMENT__V1__STATE__DECLINED) {
        cr_assert_eq(code, FAILED);
        expect_done(c, RED,
                    contract_void_key(c, RED, contract_key(c, "way.find"),
                                      contract_key(c, "way")));
    } else {
        cr_assert_eq(code, RPCRT_OK);
    }
    (void)snprintf(ret_id, 40, "%s", c->payment.id);
    if (state == PAYMENT__V1__STATE__CAPTURED ||
        state == PAYMENT__V1__STATE__REFUNDED) {
        expect_done(
            c, RED,
            contract_capture(c, RED, contract_key(c, "way.take"), ret_id, 0));
    }
    if (state == PAYMENT__V1__STATE__REFUNDED) {
        expect_done(
            c, RED,
            contract_refund(c, RED, contract_key(c, "way.back"), ret_id, 0));
    } else if (state == PAYMENT__V1__STATE__VOIDED) {
        expect_done(c, RED,
                    contract_void(c, RED, contract_key(c, "way.void"), ret_id));
    } else if (state == PAYMENT__V1__STATE__EXPIRED) {
        stack_pass(c->target.stack, CONTRACT_HOLD_MS + 1);
    }
    expect_done(c, RED, contract_get(c, RED, ret_id));
    cr_assert_eq(c->payment.state, state);
}

/* Expect OK for "", else FAILED_PRECONDITION with the reason; Authorize answers
 * with the code of the first. */
static void
expect_step(struct contract *c, const char *step, const char *reason,
            enum rpcrt_code code)
{
    struct rpcrt_call *call = contract_as(c, RED);
    const char *told =
        code == RPCRT_OK ? "" : target_reason(call, "payment.v1");

    cr_assert(code == (reason[0] == '\0' ? RPCRT_OK : FAILED) &&
                  strcmp(told, reason) == 0,
              "%s: %s: %s (%s) instead of '%s'", c->where, step,
              rpcrt_code_name(code), told, reason);
}

/* Take every step from a state, each with a payment of its own. */
static void
steps_from(struct contract *c, const struct way *way)
{
    char prefix[sizeof(c->prefix)];
    char id[40];
    int step;

    (void)snprintf(prefix, sizeof(prefix), "%s", c->prefix);
    for (step = 0; step < 4; step++) {
        struct card card;

        (void)snprintf(c->prefix, sizeof(c->prefix), "%.14s%d%d", prefix,
                       (int)way->state, step);
        card = contract_card(c, 1000, "EUR");
        lead_to(c, &card, way->state, id);
        if (step == 0) {
            expect_step(
                c, "Authorize", way->authorize,
                contract_authorize(
                    c, RED, contract_key(c, "way"), &card,
                    way->state == PAYMENT__V1__STATE__DECLINED ? 1001 : 1000,
                    "EUR"));
        } else if (step == 1) {
            expect_step(c, "Capture", way->capture,
                        contract_capture(c, RED, contract_key(c, "s"), id, 0));
        } else if (step == 2) {
            expect_step(c, "Void", way->cancel,
                        contract_void(c, RED, contract_key(c, "s"), id));
        } else {
            expect_step(c, "Refund", way->refund,
                        contract_refund(c, RED, contract_key(c, "s"), id, 5));
        }
    }
    (void)snprintf(c->prefix, sizeof(c->prefix), "%s", prefix);
}

CONTRACT_IN_TIME(no_other_step_is_taken_than_those_of_the_picture)
{
    size_t i;

    /* STATE_UNSPECIFIED is no state. */
    cr_assert_eq(sizeof(ways) / sizeof(ways[0]) + 1,
                 payment__v1__state__descriptor.n_values);
    for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        steps_from(c, &ways[i]);
    }
}

/* -- refusals and time ----------------------------------------------------- */

CONTRACT(what_the_card_does_not_allow_is_refused_for_ever)
{
    struct card card = contract_card(c, 1000, "EUR");
    struct card bad = {"4111111111111112", 12, 2098};
    struct card later;

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "hold"), &card, 600, "EUR"));
    expect_refused(
        c, RED, FAILED, "INSUFFICIENT_FUNDS",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    expect_done(c, RED,
                contract_void_key(c, RED, contract_key(c, "void"),
                                  contract_key(c, "hold")));
    expect_refused(
        c, RED, FAILED, "INSUFFICIENT_FUNDS",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    card_make("4", 16, &later);
    expect_refused(
        c, RED, FAILED, "CARD_UNKNOWN",
        contract_authorize(c, RED, contract_key(c, "b"), &later, 5, "EUR"));
    expect_done(c, OPERATOR,
                contract_issue(c, OPERATOR, contract_key(c, "issue"), &later,
                               10, "EUR"));
    expect_refused(
        c, RED, FAILED, "CARD_UNKNOWN",
        contract_authorize(c, RED, contract_key(c, "b"), &later, 5, "EUR"));
    expect_refused(
        c, RED, RPCRT_INVALID_ARGUMENT, "CARD_NUMBER_INVALID",
        contract_authorize(c, RED, contract_key(c, "c"), &bad, 5, "EUR"));
    expect_refused(
        c, RED, RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
        contract_authorize(c, RED, contract_key(c, "c"), &later, 5, "EUR"));
}

CONTRACT(a_request_that_breaks_another_rule_is_not_kept)
{
    struct card card = contract_card(c, 1000, "EUR");

    expect_refused(
        c, RED, RPCRT_INVALID_ARGUMENT, "AMOUNT_INVALID",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 0, "EUR"));
    expect_refused(
        c, RED, RPCRT_INVALID_ARGUMENT, "CURRENCY_INVALID",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 5, "eur"));
    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 5, "EUR"));
}

CONTRACT_IN_TIME(an_authorization_expires_and_holds_nothing_then)
{
    struct card card = contract_card(c, 1000, "EUR");
    char id[40];

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    (void)snprintf(id, sizeof(id), "%s", c->payment.id);
    cr_assert_eq(c->payment.expires_at_ms - c->payment.created_at_ms,
                 CONTRACT_HOLD_MS);
    stack_pass(c->target.stack, CONTRACT_HOLD_MS - 60000);
    expect_done(c, RED, contract_get(c, RED, id));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__AUTHORIZED);
    stack_pass(c->target.stack, 60001);
    expect_refused(c, RED, FAILED, "PAYMENT_EXPIRED",
                   contract_capture(c, RED, contract_key(c, "b"), id, 0));
    expect_refused(
        c, RED, FAILED, "PAYMENT_EXPIRED",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    expect_done(c, RED, contract_void(c, RED, contract_key(c, "c"), id));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__EXPIRED);
    cr_assert_eq(contract_card_money(c, &card).held, 0);
    cr_assert_eq(contract_card_money(c, &card).available, 1000);
}

CONTRACT_IN_TIME(what_is_captured_does_not_expire)
{
    struct contract_payment payment =
        contract_authorized(c, contract_key(c, "a"));

    expect_done(c, RED,
                contract_capture(c, RED, contract_key(c, "b"), payment.id, 0));
    stack_pass(c->target.stack, 2 * CONTRACT_HOLD_MS);
    expect_done(c, RED, contract_get(c, RED, payment.id));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__CAPTURED);
    expect_done(c, RED,
                contract_refund(c, RED, contract_key(c, "c"), payment.id, 0));
}

CONTRACT_IN_TIME(a_card_is_valid_until_the_end_of_its_month)
{
    const int64_t day_ms = INT64_C(86400000);
    struct card card;

    card_make("4", 16, &card);
    /* The clock of the stack stands at 2026-02-15 12:00 UTC. */
    stack_set_time(c->target.stack, INT64_C(1771156800000));
    card.month = 2;
    card.year = 2026;
    expect_done(
        c, OPERATOR,
        contract_issue(c, OPERATOR, contract_key(c, "i"), &card, 1000, "EUR"));
    stack_pass(c->target.stack, 13 * day_ms + day_ms / 2 - 1000);
    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 5, "EUR"));
    stack_pass(c->target.stack, 1000);
    expect_refused(
        c, RED, FAILED, "CARD_EXPIRED",
        contract_authorize(c, RED, contract_key(c, "b"), &card, 5, "EUR"));
}

/* -- merchants ------------------------------------------------------------- */

CONTRACT(payments_of_others_are_not_found)
{
    struct contract_payment payment =
        contract_authorized(c, contract_key(c, "a"));

    expect_refused(c, BLUE, RPCRT_NOT_FOUND, "PAYMENT_UNKNOWN",
                   contract_get(c, BLUE, payment.id));
    expect_refused(
        c, BLUE, RPCRT_NOT_FOUND, "PAYMENT_UNKNOWN",
        contract_capture(c, BLUE, contract_key(c, "b"), payment.id, 0));
    expect_refused(c, BLUE, RPCRT_NOT_FOUND, "PAYMENT_UNKNOWN",
                   contract_void(c, BLUE, contract_key(c, "c"), payment.id));
    expect_done(
        c, BLUE,
        contract_void_key(c, BLUE, contract_key(c, "d"), contract_key(c, "a")));
    cr_assert_str_neq(c->payment.id, payment.id);
    expect_done(c, RED,
                contract_capture(c, RED, contract_key(c, "e"), payment.id, 0));
    expect_refused(
        c, BLUE, RPCRT_NOT_FOUND, "PAYMENT_UNKNOWN",
        contract_refund(c, BLUE, contract_key(c, "f"), payment.id, 0));
    expect_done(c, RED, contract_get(c, RED, payment.id));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__CAPTURED);
}

CONTRACT(payments_that_never_were_are_not_found)
{
    static const char *const ids[] = {"",
                                      "x",
                                      "0123456789abcdef0123456789abcdef",
                                      "../../card/x",
                                      "0123456789ABCDEF0123456789ABCDEF",
                                      "%s%s%n"};
    size_t i;

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        enum rpcrt_code code = contract_get(c, RED, ids[i]);

        cr_assert(code == RPCRT_NOT_FOUND ||
                      (code == RPCRT_INVALID_ARGUMENT && strlen(ids[i]) != 32),
                  "'%s': %s", ids[i], rpcrt_code_name(code));
        code = contract_capture(c, RED, contract_key(c, "a"), ids[i], 0);
        cr_assert(code == RPCRT_NOT_FOUND || code == RPCRT_INVALID_ARGUMENT,
                  "'%s': %s", ids[i], rpcrt_code_name(code));
    }
    expect_refused(c, RED, RPCRT_NOT_FOUND, "PAYMENT_UNKNOWN",
                   contract_get(c, RED, ids[2]));
}
