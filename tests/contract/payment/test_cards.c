/*
 * Cards, their numbers and balances, as payment.proto promises them: IssueCard
 * and GetBalance, and what Authorize says of a card.
 */
#include "tests/contract/payment/contract.h"

#include <stdio.h>
#include <string.h>

/* -- numbers --------------------------------------------------------------- */

CONTRACT(a_card_is_issued_with_its_balance)
{
    Payment__V1__IssueCardRequest request =
        PAYMENT__V1__ISSUE_CARD_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money balance = PAYMENT__V1__MONEY__INIT;
    const Payment__V1__IssueCardReply *reply;
    struct card card;
    struct contract_money money;

    card_make("5105", 16, &card);
    part.number = card.number;
    part.expiry_month = card.month;
    part.expiry_year = card.year;
    balance.minor = 12345;
    balance.currency = "USD";
    request.idempotency_key = contract_key(c, "issue");
    request.card = &part;
    request.balance = &balance;
    expect_done(c, OPERATOR,
                payment_issue_card(contract_as(c, OPERATOR), &request, &reply));
    cr_assert_str_eq(reply->card_last4, card.number + 12);
    cr_assert_str_eq(reply->card_scheme, "mastercard");
    cr_assert_eq(reply->balance->minor, 12345);
    cr_assert_str_eq(reply->balance->currency, "USD");
    money = contract_card_money(c, &card);
    cr_assert_eq(money.posted, 12345);
    cr_assert_eq(money.held, 0);
    cr_assert_eq(money.available, 12345);
}

CONTRACT(a_number_is_issued_once)
{
    struct card card = contract_card(c, 1000, "EUR");
    struct card spaced = card;

    expect_refused(c, OPERATOR, RPCRT_ALREADY_EXISTS, "CARD_EXISTS",
                   contract_issue(c, OPERATOR, contract_key(c, "again"), &card,
                                  1000, "EUR"));
    (void)snprintf(spaced.number, sizeof(spaced.number), "%.4s %.4s-%.4s %.4s",
                   card.number, card.number + 4, card.number + 8,
                   card.number + 12);
    expect_refused(c, OPERATOR, RPCRT_ALREADY_EXISTS, "CARD_EXISTS",
                   contract_issue(c, OPERATOR, contract_key(c, "spaced"),
                                  &spaced, 77, "USD"));
    cr_assert_eq(contract_card_money(c, &card).posted, 1000);
}

CONTRACT(blanks_and_hyphens_are_passed_over)
{
    struct card card = contract_card(c, 1000, "EUR");
    struct card spaced = card;

    (void)snprintf(spaced.number, sizeof(spaced.number),
                   "%.4s %.4s--%.4s- %.4s", card.number, card.number + 4,
                   card.number + 8, card.number + 12);
    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &spaced, 100, "EUR"));
    cr_assert_str_eq(c->payment.last4, card.number + 12);
    cr_assert_eq(contract_card_money(c, &spaced).held, 100);
}

CONTRACT(schemes_are_told_by_number_and_length)
{
    static const struct {
        const char *begin;
        size_t length;
        const char *scheme;
    } rows[] = {{"4", 16, "visa"},          {"4", 13, "visa"},
                {"4", 19, "visa"},          {"51", 16, "mastercard"},
                {"55", 16, "mastercard"},   {"2221", 16, "mastercard"},
                {"2720", 16, "mastercard"}, {"34", 15, "amex"},
                {"37", 15, "amex"},         {"6011", 16, "discover"},
                {"36", 14, "diners"},       {"3528", 16, "jcb"},
                {"3589", 16, "jcb"},        {"6240", 16, "unionpay"},
                {"5018", 16, "maestro"}};
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct card card;

        card_make(rows[i].begin, rows[i].length, &card);
        expect_done(c, OPERATOR,
                    contract_issue(c, OPERATOR, contract_key(c, card.number),
                                   &card, 5, "EUR"));
        expect_done(c, RED,
                    contract_authorize(c, RED, contract_key(c, card.number),
                                       &card, 5, "EUR"));
        cr_assert_str_eq(c->payment.scheme, rows[i].scheme, "%s: %s of %zu",
                         c->payment.scheme, rows[i].begin, rows[i].length);
    }
}

/* Texts that are no number of a card. */
static const char *const wrong_numbers[] = {
    "",
    "4",
    "    ",
    "----------------",
    "4111111111111112",                 /* check digit */
    "4111111111111",                    /* check digit, of 13 */
    "41111111111111111111",             /* 20 digits */
    "00000000000",                      /* 11 */
    "4111 1111 1111 111O",              /* a letter */
    "4111.1111.1111.1111",              /* dots */
    "+4111111111111111",                /* a sign */
    "4111111111111111\n",               /* an end of line */
    "411111111111111 %s%n",             /* a format */
    "\xd9\xa4\xd9\xa1\xd9\xa1\xd9\xa1", /* digits of another script */
    "378282246310005 1",                /* amex with a digit too many */
    "0000000000000000",                 /* no scheme */
    "9999999999999995",                 /* no scheme */
};

CONTRACT(wrong_numbers_are_refused_wherever_they_stand)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    const Payment__V1__GetBalanceReply *reply;
    size_t i;

    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_CARD;
    request.card = &part;
    for (i = 0; i < sizeof(wrong_numbers) / sizeof(wrong_numbers[0]); i++) {
        struct card card = {.month = 12, .year = 2098};
        char name[16];

        (void)snprintf(card.number, sizeof(card.number), "%s",
                       wrong_numbers[i]);
        (void)snprintf(name, sizeof(name), "%zu", i);
        expect_refused(c, OPERATOR, RPCRT_INVALID_ARGUMENT,
                       "CARD_NUMBER_INVALID",
                       contract_issue(c, OPERATOR, contract_key(c, name), &card,
                                      5, "EUR"));
        expect_refused(
            c, RED, RPCRT_INVALID_ARGUMENT, "CARD_NUMBER_INVALID",
            contract_authorize(c, RED, contract_key(c, name), &card, 5, "EUR"));
        part.number = card.number;
        expect_refused(
            c, OPERATOR, RPCRT_INVALID_ARGUMENT, "CARD_NUMBER_INVALID",
            payment_get_balance(contract_as(c, OPERATOR), &request, &reply));
    }
}

CONTRACT(a_refusal_does_not_tell_the_number)
{
    static const char number[] = "4111111111111112";
    struct card card = {.month = 12, .year = 2098};

    (void)snprintf(card.number, sizeof(card.number), "%s", number);
    expect_refused(
        c, RED, RPCRT_INVALID_ARGUMENT, "CARD_NUMBER_INVALID",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 5, "EUR"));
    cr_assert_null(strstr(rpcrt_call_message(contract_as(c, RED)), "11111111"));
    card = contract_card(c, 10, "EUR");
    expect_refused(
        c, OPERATOR, RPCRT_ALREADY_EXISTS, "CARD_EXISTS",
        contract_issue(c, OPERATOR, contract_key(c, "b"), &card, 10, "EUR"));
    card.number[12] = '\0';
    cr_assert_null(
        strstr(rpcrt_call_message(contract_as(c, OPERATOR)), card.number));
}

/* -- expiry ---------------------------------------------------------------- */

CONTRACT(months_are_1_to_12_and_years_2000_to_2099)
{
    static const uint32_t rows[][2] = {
        {0, 2098},  {13, 2098}, {UINT32_MAX, 2098}, {12, 1999},
        {12, 2100}, {12, 0},    {12, 98},           {12, UINT32_MAX}};
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct card card;
        char name[16];

        card_make("4", 16, &card);
        card.month = rows[i][0];
        card.year = rows[i][1];
        (void)snprintf(name, sizeof(name), "%zu", i);
        expect_refused(c, OPERATOR, RPCRT_INVALID_ARGUMENT,
                       "CARD_EXPIRY_INVALID",
                       contract_issue(c, OPERATOR, contract_key(c, name), &card,
                                      5, "EUR"));
        expect_refused(
            c, RED, RPCRT_INVALID_ARGUMENT, "CARD_EXPIRY_INVALID",
            contract_authorize(c, RED, contract_key(c, name), &card, 5, "EUR"));
    }
}

CONTRACT(another_month_than_the_cards_is_wrong)
{
    struct card card = contract_card(c, 100, "EUR");

    card.month = 11;
    expect_refused(
        c, RED, RPCRT_FAILED_PRECONDITION, "CARD_EXPIRY_WRONG",
        contract_authorize(c, RED, contract_key(c, "month"), &card, 5, "EUR"));
    card.month = 12;
    card.year--;
    expect_refused(
        c, RED, RPCRT_FAILED_PRECONDITION, "CARD_EXPIRY_WRONG",
        contract_authorize(c, RED, contract_key(c, "year"), &card, 5, "EUR"));
    cr_assert_eq(contract_card_money(c, &card).held, 0);
}

CONTRACT(a_card_that_was_never_issued_is_unknown)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    const Payment__V1__GetBalanceReply *reply;
    struct card card;

    card_make("4", 16, &card);
    expect_refused(
        c, RED, RPCRT_FAILED_PRECONDITION, "CARD_UNKNOWN",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 5, "EUR"));
    part.number = card.number;
    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_CARD;
    request.card = &part;
    expect_refused(
        c, OPERATOR, RPCRT_NOT_FOUND, "CARD_UNKNOWN",
        payment_get_balance(contract_as(c, OPERATOR), &request, &reply));
}

/* -- amounts --------------------------------------------------------------- */

CONTRACT(amounts_are_1_to_10_to_the_15)
{
    static const int64_t wrong[] = {0,         -1,        -AMOUNT_MAX,
                                    INT64_MIN, INT64_MAX, AMOUNT_MAX + 1};
    struct card rich = contract_card(c, AMOUNT_MAX, "EUR");
    size_t i;

    cr_assert_eq(contract_card_money(c, &rich).posted, AMOUNT_MAX);
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct card card;
        char name[16];

        card_make("4", 16, &card);
        (void)snprintf(name, sizeof(name), "%zu", i);
        expect_refused(c, OPERATOR, RPCRT_INVALID_ARGUMENT, "AMOUNT_INVALID",
                       contract_issue(c, OPERATOR, contract_key(c, name), &card,
                                      wrong[i], "EUR"));
        expect_refused(c, RED, RPCRT_INVALID_ARGUMENT, "AMOUNT_INVALID",
                       contract_authorize(c, RED, contract_key(c, name), &rich,
                                          wrong[i], "EUR"));
    }
    expect_done(c, RED,
                contract_authorize(c, RED, contract_key(c, "all"), &rich,
                                   AMOUNT_MAX, "EUR"));
    cr_assert_eq(contract_card_money(c, &rich).available, 0);
}

CONTRACT(an_amount_is_never_left_out)
{
    Payment__V1__AuthorizeRequest authorize =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__IssueCardRequest issue = PAYMENT__V1__ISSUE_CARD_REQUEST__INIT;
    const Payment__V1__AuthorizeReply *authorized;
    const Payment__V1__IssueCardReply *issued;
    struct card card = contract_card(c, 1000, "EUR");
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;

    part.number = card.number;
    part.expiry_month = card.month;
    part.expiry_year = card.year;
    authorize.idempotency_key = issue.idempotency_key = contract_key(c, "a");
    authorize.card = issue.card = &part;
    expect_call(
        c, contract_as(c, RED), RPCRT_INVALID_ARGUMENT,
        payment_authorize(contract_as(c, RED), &authorize, &authorized));
    expect_call(c, contract_as(c, OPERATOR), RPCRT_INVALID_ARGUMENT,
                payment_issue_card(contract_as(c, OPERATOR), &issue, &issued));
}

CONTRACT(currencies_are_codes_of_iso_4217)
{
    static const char *const wrong[] = {
        "",    "E",   "EU",  "EURO", "eur",   "Eur",         "E R",
        "QQQ", "ZZZ", "123", "%s%",  "EUR\n", "\xe2\x82\xac"};
    struct card card = contract_card(c, 1000, "EUR");
    size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct card fresh;
        char name[16];

        card_make("4", 16, &fresh);
        (void)snprintf(name, sizeof(name), "%zu", i);
        expect_refused(c, OPERATOR, RPCRT_INVALID_ARGUMENT, "CURRENCY_INVALID",
                       contract_issue(c, OPERATOR, contract_key(c, name),
                                      &fresh, 5, wrong[i]));
        expect_refused(c, RED, RPCRT_INVALID_ARGUMENT, "CURRENCY_INVALID",
                       contract_authorize(c, RED, contract_key(c, name), &card,
                                          5, wrong[i]));
    }
    expect_refused(
        c, RED, RPCRT_FAILED_PRECONDITION, "CURRENCY_WRONG",
        contract_authorize(c, RED, contract_key(c, "other"), &card, 5, "USD"));
}

CONTRACT(more_than_is_there_is_not_authorized)
{
    struct card card = contract_card(c, 1000, "EUR");

    expect_refused(
        c, RED, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
        contract_authorize(c, RED, contract_key(c, "a"), &card, 1001, "EUR"));
    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "b"), &card, 600, "EUR"));
    expect_refused(
        c, BLUE, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
        contract_authorize(c, BLUE, contract_key(c, "a"), &card, 401, "EUR"));
    expect_done(
        c, BLUE,
        contract_authorize(c, BLUE, contract_key(c, "b"), &card, 400, "EUR"));
    cr_assert_eq(contract_card_money(c, &card).posted, 1000);
    cr_assert_eq(contract_card_money(c, &card).held, 1000);
    cr_assert_eq(contract_card_money(c, &card).available, 0);
}

/* -- balances -------------------------------------------------------------- */

CONTRACT(a_merchants_balance_is_what_it_took_in_each_currency)
{
    static const char *const currencies[] = {"EUR", "JPY"};
    int64_t before[2];
    int i;

    for (i = 0; i < 2; i++) {
        struct card card = contract_card(c, 500, currencies[i]);
        char name[24];

        (void)snprintf(name, sizeof(name), "%d", i);
        before[i] = contract_merchant_money(c, RED, currencies[i]);
        expect_done(c, RED,
                    contract_authorize(c, RED, contract_key(c, name), &card,
                                       500, currencies[i]));
        cr_assert_eq(contract_merchant_money(c, RED, currencies[i]), before[i]);
        (void)snprintf(name, sizeof(name), "%d.capture", i);
        expect_done(c, RED,
                    contract_capture(c, RED, contract_key(c, name),
                                     c->payment.id, 300 + i));
    }
    cr_assert_eq(contract_merchant_money(c, RED, "EUR"), before[0] + 300);
    cr_assert_eq(contract_merchant_money(c, RED, "JPY"), before[1] + 301);
}

static enum rpcrt_code
merchant_balance(struct contract *c, enum contract_who who,
                 const char *merchant,
                 const Payment__V1__GetBalanceReply **ret_reply)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;

    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_MERCHANT;
    request.merchant = merchant;
    return payment_get_balance(contract_as(c, who), &request, ret_reply);
}

CONTRACT(a_balance_is_told_to_its_owner_and_to_operators)
{
    struct contract_payment payment =
        contract_authorized(c, contract_key(c, "a"));
    const Payment__V1__GetBalanceReply *reply;
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    struct card card = contract_card(c, 10, "EUR");

    expect_done(c, RED,
                contract_capture(c, RED, contract_key(c, "b"), payment.id, 0));
    expect_done(c, RED, merchant_balance(c, RED, payment.merchant, &reply));
    cr_assert_gt(reply->n_balances, 0);
    expect_done(c, OPERATOR,
                merchant_balance(c, OPERATOR, payment.merchant, &reply));
    cr_assert_gt(reply->n_balances, 0);
    expect_call(c, contract_as(c, BLUE), RPCRT_PERMISSION_DENIED,
                merchant_balance(c, BLUE, payment.merchant, &reply));
    part.number = card.number;
    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_CARD;
    request.card = &part;
    expect_call(c, contract_as(c, RED), RPCRT_PERMISSION_DENIED,
                payment_get_balance(contract_as(c, RED), &request, &reply));
}
