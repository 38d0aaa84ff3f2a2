/*
 * Somebody to judge, and what tests need to begin: see contract.h.
 */
#include "tests/contract/petstore/contract.h"

#include <rpcrt/details.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "the password of everybody"

/* -- connecting ------------------------------------------------------------ */

void
contract_open(struct contract *c, const struct target_cell *cell, bool own_only)
{
    static const struct stack_options options = {
        .top = STACK_SHOP,
        .session_ms = CONTRACT_SESSION_MS,
        .pay_within_ms = CONTRACT_PAY_WITHIN_MS,
        /* So long that a slow machine's orders are not taken for dead. */
        .rescue_after_ms = 3000};
    uint8_t random[6];

    *c = (struct contract){.where = c->target.where};
    target_open(&c->target, cell, &options, own_only);
    cr_assert_geq(sodium_init(), 0);
    randombytes_buf(random, sizeof(random));
    c->prefix[0] = 't';
    (void)sodium_bin2hex(c->prefix + 1, sizeof(c->prefix) - 1, random,
                         sizeof(random));
    c->channel = target_channel(&c->target, c->target.address);
}

void
contract_close(struct contract *c)
{
    target_close(&c->target);
}

/* Name and password of the staff user. */
static void
staff_read(struct contract *c, char ret_name[64], char ret_password[300])
{
    const char *line = target_secret(&c->target, STACK_STAFF " " STACK_PASSWORD,
                                     "CONTRACT_STAFF_FILE");
    const char *blank = line == NULL ? NULL : strchr(line, ' ');

    if (blank == NULL) {
        cr_skip_test("no file with a staff user");
    }
    (void)snprintf(ret_name, 64, "%.*s", (int)(blank - line), line);
    (void)snprintf(ret_password, 300, "%s", blank + 1);
}

struct rpcrt_call *
contract_as(struct contract *c, enum contract_who who)
{
    char token[128] = "stranger";
    char password[300] = PASSWORD;
    char name[64];

    if (c->calls[who] != NULL) {
        return c->calls[who];
    }
    if (who == STAFF) {
        staff_read(c, name, password);
    } else if (who < STAFF) {
        (void)snprintf(c->users[who], sizeof(c->users[who]), "%s.%s", c->prefix,
                       who == ANN ? "ann" : "bob");
        (void)snprintf(name, sizeof(name), "%s", c->users[who]);
        expect_done(c, NOBODY, contract_register(c, name, password));
    }
    if (who <= STAFF) {
        expect_done(c, NOBODY, contract_login(c, name, password, token));
        (void)snprintf(c->tokens[who], sizeof(c->tokens[who]), "%s", token);
    }
    c->calls[who] =
        target_call(&c->target, c->channel, who == NOBODY ? NULL : token);
    return c->calls[who];
}

const char *
contract_entry(struct contract *c, enum contract_who who, const char *name)
{
    static struct rpcrt_error_info info;
    const char *value = NULL;

    if (rpcrt_call_error_info(contract_as(c, who), &info)) {
        value = rpcrt_error_info_get(&info, name);
    }
    return value == NULL ? "" : value;
}

/* -- making things --------------------------------------------------------- */

const char *
contract_name(struct contract *c, const char *name)
{
    static char names[256][80];
    static unsigned n;
    char *text = names[n++ % 256];

    (void)snprintf(text, sizeof(names[0]), "%s.%s", c->prefix, name);
    return text;
}

const char *
contract_pet(struct contract *c, const char *name, int64_t price)
{
    const char *id = contract_name(c, name);
    Petstore__V1__Pet pet;
    Petstore__V1__Money money;

    contract_pet_init(c, id, &pet, &money);
    money.minor = price;
    pet.name = name;
    expect_done(c, STAFF, contract_add(c, STAFF, &pet));
    return id;
}

/* The operator's call to the payment service. */
static struct rpcrt_call *
payment_call(struct contract *c)
{
    const char *address = c->target.stack == NULL
                              ? getenv("CONTRACT_PAYMENT_TARGET")
                              : stack_address(c->target.stack, STACK_PAYMENT);
    const char *token =
        target_secret(&c->target, "operator", "CONTRACT_OPERATOR_TOKEN_FILE");

    if (c->payment == NULL) {
        if (address == NULL || token == NULL) {
            cr_skip_test("no payment service to issue cards");
        }
        c->payment =
            target_call(&c->target, target_channel(&c->target, address), token);
    }
    return c->payment;
}

struct card
contract_card(struct contract *c, int64_t minor, const char *currency)
{
    Payment__V1__IssueCardRequest request =
        PAYMENT__V1__ISSUE_CARD_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;
    const Payment__V1__IssueCardReply *reply;
    struct card card;

    card_make("4", 16, &card);
    part.number = card.number;
    part.expiry_month = card.month;
    part.expiry_year = card.year;
    money.minor = minor;
    money.currency = currency;
    request.idempotency_key = contract_name(c, card.number);
    request.card = &part;
    request.balance = &money;
    expect_call(c, payment_call(c), RPCRT_OK,
                payment_issue_card(payment_call(c), &request, &reply));
    return card;
}

int64_t
contract_card_left(struct contract *c, const struct card *card)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    const Payment__V1__GetBalanceReply *reply;

    part.number = card->number;
    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_CARD;
    request.card = &part;
    expect_call(c, payment_call(c), RPCRT_OK,
                payment_get_balance(payment_call(c), &request, &reply));
    return reply->balances[0]->available->minor;
}

const char *
contract_bought(struct contract *c, enum contract_who who, const char *name,
                const struct card *card)
{
    const char *id = contract_pet(c, name, 1000);

    expect_done(c, who, contract_put(c, who, id));
    expect_done(c, who, contract_checkout(c, who, id, card, NULL, 0));
    return id;
}

const char *
contract_declined(struct contract *c, enum contract_who who, const char *name)
{
    const char *id = contract_pet(c, name, 1000);
    struct card card = contract_card(c, 999, "EUR");
    char order_id[40];

    expect_done(c, who, contract_put(c, who, id));
    expect_refused(c, who, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                   contract_checkout(c, who, id, &card, NULL, 0));
    (void)snprintf(order_id, sizeof(order_id), "%s",
                   contract_entry(c, who, "order_id"));
    expect_done(c, who, contract_order(c, who, order_id));
    return id;
}
