/*
 * Who may call what, as payment.proto promises it, and the reasons that
 * refusals tell.
 */
#include "tests/contract/payment/contract.h"
#include "tests/support/access.h"

#include <stdbool.h>

#define MERCHANTS 1u
#define OPERATORS 2u

static const struct access_row rows[] = {
    {"IssueCard", OPERATORS},
    {"GetBalance", MERCHANTS | OPERATORS},
    {"Authorize", MERCHANTS},
    {"Capture", MERCHANTS},
    {"Void", MERCHANTS},
    {"Refund", MERCHANTS},
    {"GetPayment", MERCHANTS | OPERATORS},
    {"ListPayments", MERCHANTS | OPERATORS},
    {"ListAccounts", OPERATORS},
};

CONTRACT(every_method_is_for_those_that_it_names)
{
    const struct access_caller callers[] = {
        {"a merchant", contract_as(c, RED), MERCHANTS},
        {"another merchant", contract_as(c, BLUE), MERCHANTS},
        {"an operator", contract_as(c, OPERATOR), OPERATORS},
        {"an expired merchant", contract_as(c, EXPIRED), 0},
        {"an expired operator", contract_as(c, EXPIRED_OPERATOR), 0},
        {"a stranger", contract_as(c, STRANGER), 0},
        {"nobody", contract_as(c, NOBODY), 0},
    };

    access_check(c->where, &payment_rpc, rows, sizeof(rows) / sizeof(rows[0]),
                 callers, sizeof(callers) / sizeof(callers[0]));
}

CONTRACT(a_token_in_another_form_is_none)
{
    static const char *const forms[] = {
        "red",         "Basic red",   "Bearer",          "Bearer ",
        "Bearer  red", "Bearer red ", "Bearer red, red", "Bearer reda",
        "Bearer re",   "Bearer RED"};
    struct rpcrt_call *call;
    size_t i;

    if (c->target.stack == NULL) {
        cr_skip_test("needs tokens that are known");
    }
    call = target_call(&c->target, c->channel, NULL);
    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const struct access_caller caller = {forms[i], call, 0};

        cr_assert_eq(
            rpcrt_call_set_metadata_text(call, "authorization", forms[i]),
            RPCRT_OK);
        access_check(c->where, &payment_rpc, rows,
                     sizeof(rows) / sizeof(rows[0]), &caller, 1);
    }
}

/* With requests that would do something. */
CONTRACT(nothing_is_done_for_those_who_may_not)
{
    static const enum contract_who unknown[] = {EXPIRED, STRANGER, NOBODY,
                                                OPERATOR};
    struct card card = contract_card(c, 1000, "EUR");
    struct contract_payment payment;
    size_t i;

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 100, "EUR"));
    payment = c->payment;
    for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        enum contract_who who = unknown[i];
        enum rpcrt_code code =
            who == OPERATOR ? RPCRT_PERMISSION_DENIED : RPCRT_UNAUTHENTICATED;

        expect_call(
            c, contract_as(c, who), code,
            contract_authorize(c, who, contract_key(c, "b"), &card, 5, "EUR"));
        expect_call(
            c, contract_as(c, who), code,
            contract_capture(c, who, contract_key(c, "c"), payment.id, 0));
        expect_call(c, contract_as(c, who), code,
                    contract_void(c, who, contract_key(c, "d"), payment.id));
        expect_call(c, contract_as(c, who), code,
                    contract_void_key(c, who, contract_key(c, "e"),
                                      contract_key(c, "a")));
    }
    card_make("4", 16, &card);
    expect_call(c, contract_as(c, RED), RPCRT_PERMISSION_DENIED,
                contract_issue(c, RED, contract_key(c, "f"), &card, 5, "EUR"));
    expect_refused(
        c, RED, RPCRT_FAILED_PRECONDITION, "CARD_UNKNOWN",
        contract_authorize(c, RED, contract_key(c, "g"), &card, 5, "EUR"));
    expect_done(c, RED, contract_get(c, RED, payment.id));
    contract_expect_same(c, &payment, &c->payment);
}

/* -- reasons --------------------------------------------------------------- */

/* Note the reason of a refusal, which must be one of the enum. */
static void
meet(struct contract *c, enum contract_who who, bool *met, enum rpcrt_code code)
{
    const ProtobufCEnumDescriptor *reasons = &payment__v1__reason__descriptor;
    const char *told = target_reason(contract_as(c, who), "payment.v1");
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(reasons, told);

    cr_assert_neq(code, RPCRT_OK, "%s", c->where);
    cr_assert_not_null(value, "%s: '%s'", c->where, told);
    met[value - reasons->values] = true;
}

/* Reasons that a card has. */
static void
meet_at_cards(struct contract *c, bool *met)
{
    struct card card = contract_card(c, 10, "EUR");
    struct card other = card;

    meet(c, OPERATOR, met,
         contract_issue(c, OPERATOR, contract_key(c, "a"), &card, 1, "EUR"));
    meet(c, RED, met, contract_authorize(c, RED, "", &card, 1, "EUR"));
    meet(c, RED, met,
         contract_authorize(c, RED, contract_key(c, "b"), &card, 0, "EUR"));
    meet(c, RED, met,
         contract_authorize(c, RED, contract_key(c, "b"), &card, 1, "eur"));
    meet(c, RED, met,
         contract_authorize(c, RED, contract_key(c, "b"), &card, 1, "USD"));
    meet(c, RED, met,
         contract_authorize(c, RED, contract_key(c, "c"), &card, 11, "EUR"));
    other.month = 13;
    meet(c, RED, met,
         contract_authorize(c, RED, contract_key(c, "d"), &other, 1, "EUR"));
    other.month = 11;
    meet(c, RED, met,
         contract_authorize(c, RED, contract_key(c, "e"), &other, 1, "EUR"));
    other.number[0] = '0';
    meet(c, RED, met,
         contract_authorize(c, RED, contract_key(c, "f"), &other, 1, "EUR"));
    card_make("4", 16, &other);
    meet(c, RED, met,
         contract_authorize(c, RED, contract_key(c, "g"), &other, 1, "EUR"));
    other.year = 2020;
    (void)contract_issue(c, OPERATOR, contract_key(c, "h"), &other, 10, "EUR");
    meet(c, RED, met,
         contract_authorize(c, RED, contract_key(c, "i"), &other, 1, "EUR"));
}

/* Reasons that a payment has; leaves the clock ahead. */
static void
meet_at_payments(struct contract *c, bool *met)
{
    struct contract_payment held =
        contract_authorized(c, contract_key(c, "held"));
    struct contract_payment taken =
        contract_authorized(c, contract_key(c, "taken"));

    meet(c, RED, met, contract_get(c, RED, "0123456789abcdef0123456789abcdef"));
    meet(c, RED, met,
         contract_capture(c, RED, contract_key(c, "j"), taken.id, 1001));
    meet(c, RED, met,
         contract_refund(c, RED, contract_key(c, "k"), taken.id, 0));
    expect_done(c, RED,
                contract_capture(c, RED, contract_key(c, "l"), taken.id, 0));
    meet(c, RED, met,
         contract_capture(c, RED, contract_key(c, "l"), held.id, 0));
    meet(c, RED, met, contract_void(c, RED, contract_key(c, "m"), taken.id));
    expect_done(
        c, RED,
        contract_void_key(c, RED, contract_key(c, "n"), contract_key(c, "c")));
    meet(c, RED, met,
         contract_capture(c, RED, contract_key(c, "o"), c->payment.id, 0));
    expect_done(
        c, RED,
        contract_void_key(c, RED, contract_key(c, "p"), contract_key(c, "q")));
    meet(c, RED, met,
         contract_capture(c, RED, contract_key(c, "r"), c->payment.id, 0));
    stack_pass(c->target.stack, 2 * CONTRACT_HOLD_MS);
    meet(c, RED, met,
         contract_capture(c, RED, contract_key(c, "s"), held.id, 0));
}

CONTRACT_IN_TIME(every_reason_is_told)
{
    const ProtobufCEnumDescriptor *reasons = &payment__v1__reason__descriptor;
    bool met[64] = {true}; /* the first stands for none */
    size_t i;

    cr_assert_leq(reasons->n_values, sizeof(met));
    meet_at_cards(c, met);
    meet_at_payments(c, met);
    for (i = 0; i < reasons->n_values; i++) {
        cr_assert(met[i], "%s: %s", c->where, reasons->values[i].name);
    }
}
