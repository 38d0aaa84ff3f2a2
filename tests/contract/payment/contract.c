/*
 * Somebody to judge, and short names for calls: see contract.h.
 */
#include "tests/contract/payment/contract.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* -- connecting ------------------------------------------------------------ */

void
contract_open(struct contract *c, const struct target_cell *cell, bool own_only)
{
    static const struct stack_options options = {
        .top = STACK_PAYMENT, .hold_for_ms = CONTRACT_HOLD_MS};
    uint8_t random[8];

    *c = (struct contract){.where = c->target.where};
    target_open(&c->target, cell, &options, own_only);
    cr_assert_geq(sodium_init(), 0);
    randombytes_buf(random, sizeof(random));
    (void)sodium_bin2hex(c->prefix, sizeof(c->prefix), random, sizeof(random));
    c->channel = target_channel(&c->target, c->target.address);
}

void
contract_close(struct contract *c)
{
    target_close(&c->target);
}

struct rpcrt_call *
contract_as(struct contract *c, enum contract_who who)
{
    static const struct {
        const char *own;
        const char *variable;
    } tokens[] = {{"red", "CONTRACT_TOKEN_FILE"},
                  {"blue", "CONTRACT_OTHER_TOKEN_FILE"},
                  {"operator", "CONTRACT_OPERATOR_TOKEN_FILE"},
                  {"expired", "CONTRACT_EXPIRED_TOKEN_FILE"},
                  {"expired-operator", "CONTRACT_EXPIRED_OPERATOR_TOKEN_FILE"}};
    const char *token = who == STRANGER ? "stranger" : NULL;

    if (c->calls[who] != NULL) {
        return c->calls[who];
    }
    if (who < STRANGER) {
        token =
            target_secret(&c->target, tokens[who].own, tokens[who].variable);
        if (token == NULL) {
            cr_skip_test("no token file");
        }
    }
    c->calls[who] = target_call(&c->target, c->channel, token);
    return c->calls[who];
}

void
contract_expect_same(const struct contract *c,
                     const struct contract_payment *one,
                     const struct contract_payment *two)
{
    cr_assert(one->state == two->state && one->amount == two->amount &&
                  one->captured == two->captured &&
                  one->refunded == two->refunded &&
                  one->created_at_ms == two->created_at_ms &&
                  one->expires_at_ms == two->expires_at_ms &&
                  one->decline_reason == two->decline_reason,
              "%s", c->where);
    cr_assert_str_eq(one->id, two->id);
    cr_assert_str_eq(one->merchant, two->merchant);
    cr_assert_str_eq(one->currency, two->currency);
    cr_assert_str_eq(one->last4, two->last4);
    cr_assert_str_eq(one->scheme, two->scheme);
    cr_assert_str_eq(one->key, two->key);
    cr_assert_str_eq(one->reference, two->reference);
}

/* -- making things --------------------------------------------------------- */

const char *
contract_key(struct contract *c, const char *name)
{
    static char keys[256][80];
    static unsigned n;
    char *key = keys[n++ % 256];

    (void)snprintf(key, sizeof(keys[0]), "%s.%s", c->prefix, name);
    return key;
}

struct card
contract_card(struct contract *c, int64_t minor, const char *currency)
{
    struct card card;

    card_make("4", 16, &card);
    expect_done(
        c, OPERATOR,
        contract_issue(c, OPERATOR, card.number, &card, minor, currency));
    return card;
}

struct contract_payment
contract_authorized(struct contract *c, const char *key)
{
    struct card card = contract_card(c, 1000, "EUR");

    expect_done(c, RED, contract_authorize(c, RED, key, &card, 1000, "EUR"));
    return c->payment;
}

/* -- calls ----------------------------------------------------------------- */

/* Remember what a reply says. */
static enum rpcrt_code
seen(struct contract *c, const Payment__V1__PaymentRecord *record)
{
    struct contract_payment *payment = &c->payment;

    cr_assert_not_null(record);
    memset(payment, 0, sizeof(*payment));
    payment->state = record->state;
    payment->captured = record->captured_minor;
    payment->refunded = record->refunded_minor;
    payment->created_at_ms = record->created_at_ms;
    payment->expires_at_ms = record->expires_at_ms;
    payment->decline_reason = record->decline_reason;
    if (record->amount != NULL) {
        payment->amount = record->amount->minor;
        (void)snprintf(payment->currency, sizeof(payment->currency), "%s",
                       record->amount->currency);
    }
    (void)snprintf(payment->id, sizeof(payment->id), "%s", record->id);
    (void)snprintf(payment->merchant, sizeof(payment->merchant), "%s",
                   record->merchant);
    (void)snprintf(payment->last4, sizeof(payment->last4), "%s",
                   record->card_last4);
    (void)snprintf(payment->scheme, sizeof(payment->scheme), "%s",
                   record->card_scheme);
    (void)snprintf(payment->key, sizeof(payment->key), "%s",
                   record->authorize_key);
    (void)snprintf(payment->reference, sizeof(payment->reference), "%s",
                   record->reference);
    return RPCRT_OK;
}

static Payment__V1__Card
card_message(const struct card *card)
{
    Payment__V1__Card message = PAYMENT__V1__CARD__INIT;

    message.number = card->number;
    message.expiry_month = card->month;
    message.expiry_year = card->year;
    return message;
}

static Payment__V1__Money
money_message(int64_t minor, const char *currency)
{
    Payment__V1__Money message = PAYMENT__V1__MONEY__INIT;

    message.minor = minor;
    message.currency = currency;
    return message;
}

enum rpcrt_code
contract_issue(struct contract *c, enum contract_who who, const char *key,
               const struct card *card, int64_t minor, const char *currency)
{
    Payment__V1__IssueCardRequest request =
        PAYMENT__V1__ISSUE_CARD_REQUEST__INIT;
    Payment__V1__Card card_part = card_message(card);
    Payment__V1__Money money = money_message(minor, currency);
    const Payment__V1__IssueCardReply *reply;

    request.idempotency_key = key;
    request.card = &card_part;
    request.balance = &money;
    return payment_issue_card(contract_as(c, who), &request, &reply);
}

enum rpcrt_code
contract_authorize(struct contract *c, enum contract_who who, const char *key,
                   const struct card *card, int64_t minor, const char *currency)
{
    Payment__V1__AuthorizeRequest request =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__Card card_part = card_message(card);
    Payment__V1__Money money = money_message(minor, currency);
    const Payment__V1__AuthorizeReply *reply;
    enum rpcrt_code code;

    request.idempotency_key = key;
    request.card = &card_part;
    request.amount = &money;
    request.reference = "order 7";
    code = payment_authorize(contract_as(c, who), &request, &reply);
    return code == RPCRT_OK ? seen(c, reply->payment) : code;
}

enum rpcrt_code
contract_capture(struct contract *c, enum contract_who who, const char *key,
                 const char *id, int64_t minor)
{
    Payment__V1__CaptureRequest request = PAYMENT__V1__CAPTURE_REQUEST__INIT;
    const Payment__V1__CaptureReply *reply;
    enum rpcrt_code code;

    request.idempotency_key = key;
    request.payment_id = id;
    request.minor = minor;
    code = payment_capture(contract_as(c, who), &request, &reply);
    return code == RPCRT_OK ? seen(c, reply->payment) : code;
}

static enum rpcrt_code
void_call(struct contract *c, enum contract_who who,
          const Payment__V1__VoidRequest *request)
{
    const Payment__V1__VoidReply *reply;
    enum rpcrt_code code = payment_void(contract_as(c, who), request, &reply);

    return code == RPCRT_OK ? seen(c, reply->payment) : code;
}

enum rpcrt_code
contract_void(struct contract *c, enum contract_who who, const char *key,
              const char *id)
{
    Payment__V1__VoidRequest request = PAYMENT__V1__VOID_REQUEST__INIT;

    request.idempotency_key = key;
    request.of_case = PAYMENT__V1__VOID_REQUEST__OF_PAYMENT_ID;
    request.payment_id = id;
    return void_call(c, who, &request);
}

enum rpcrt_code
contract_void_key(struct contract *c, enum contract_who who, const char *key,
                  const char *authorize_key)
{
    Payment__V1__VoidRequest request = PAYMENT__V1__VOID_REQUEST__INIT;

    request.idempotency_key = key;
    request.of_case = PAYMENT__V1__VOID_REQUEST__OF_AUTHORIZE_KEY;
    request.authorize_key = authorize_key;
    return void_call(c, who, &request);
}

enum rpcrt_code
contract_refund(struct contract *c, enum contract_who who, const char *key,
                const char *id, int64_t minor)
{
    Payment__V1__RefundRequest request = PAYMENT__V1__REFUND_REQUEST__INIT;
    const Payment__V1__RefundReply *reply;
    enum rpcrt_code code;

    request.idempotency_key = key;
    request.payment_id = id;
    request.minor = minor;
    code = payment_refund(contract_as(c, who), &request, &reply);
    return code == RPCRT_OK ? seen(c, reply->payment) : code;
}

enum rpcrt_code
contract_get(struct contract *c, enum contract_who who, const char *id)
{
    Payment__V1__GetPaymentRequest request =
        PAYMENT__V1__GET_PAYMENT_REQUEST__INIT;
    const Payment__V1__GetPaymentReply *reply;
    enum rpcrt_code code;

    request.payment_id = id;
    code = payment_get_payment(contract_as(c, who), &request, &reply);
    return code == RPCRT_OK ? seen(c, reply->payment) : code;
}

struct contract_money
contract_card_money(struct contract *c, const struct card *card)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    Payment__V1__Card card_part = card_message(card);
    const Payment__V1__GetBalanceReply *reply;
    const Payment__V1__Balance *balance;

    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_CARD;
    request.card = &card_part;
    expect_done(
        c, OPERATOR,
        payment_get_balance(contract_as(c, OPERATOR), &request, &reply));
    cr_assert_eq(reply->n_balances, 1);
    balance = reply->balances[0];
    return (struct contract_money){balance->posted->minor, balance->held->minor,
                                   balance->available->minor};
}

int64_t
contract_merchant_money(struct contract *c, enum contract_who who,
                        const char *currency)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    const Payment__V1__GetBalanceReply *reply;
    size_t i;

    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_MERCHANT;
    request.merchant = "";
    expect_done(c, who,
                payment_get_balance(contract_as(c, who), &request, &reply));
    for (i = 0; i < reply->n_balances; i++) {
        const Payment__V1__Balance *balance = reply->balances[i];

        cr_assert_eq(balance->held->minor, 0);
        cr_assert_eq(balance->available->minor, balance->posted->minor);
        if (strcmp(balance->posted->currency, currency) == 0) {
            return balance->posted->minor;
        }
    }
    return 0;
}
