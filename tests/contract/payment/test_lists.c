/*
 * Pages of payments and of accounts, and the books that add up, as
 * payment.proto promises them.
 */
#include "tests/contract/payment/contract.h"

#include <stdio.h>
#include <string.h>

/* -- payments -------------------------------------------------------------- */

/* A page; `next` gets the token of the one behind it. */
static const Payment__V1__ListPaymentsReply *
payments_page(struct contract *c, enum contract_who who, const char *merchant,
              uint32_t size, char next[1024])
{
    Payment__V1__ListPaymentsRequest request =
        PAYMENT__V1__LIST_PAYMENTS_REQUEST__INIT;
    const Payment__V1__ListPaymentsReply *reply;

    request.merchant = merchant;
    request.page_size = size;
    request.page_token = next;
    expect_done(c, who,
                payment_list_payments(contract_as(c, who), &request, &reply));
    (void)snprintf(next, 1024, "%s", reply->next_page_token);
    return reply;
}

static enum rpcrt_code
payments_with(struct contract *c, enum contract_who who, const char *merchant,
              const char *token)
{
    Payment__V1__ListPaymentsRequest request =
        PAYMENT__V1__LIST_PAYMENTS_REQUEST__INIT;
    const Payment__V1__ListPaymentsReply *reply;

    request.merchant = merchant;
    request.page_size = 1;
    request.page_token = token;
    return payment_list_payments(contract_as(c, who), &request, &reply);
}

/* Make payments "0", "1", ... of one card. */
static void
payments_make(struct contract *c, int n)
{
    struct card card = contract_card(c, 1000, "EUR");
    int i;

    for (i = 0; i < n; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%d", i);
        expect_done(
            c, RED,
            contract_authorize(c, RED, contract_key(c, name), &card, 1, "EUR"));
    }
}

CONTRACT(payments_are_listed_page_by_page_the_newest_first)
{
    char next[1024] = "";
    int left = 7;
    int n_pages = 0;

    payments_make(c, left);
    do {
        const Payment__V1__ListPaymentsReply *page =
            payments_page(c, RED, "", 3, next);
        size_t i;

        cr_assert_leq(page->n_payments, 3);
        for (i = 0; i < page->n_payments && left > 0; i++) {
            char name[16];

            (void)snprintf(name, sizeof(name), "%d", --left);
            cr_assert_str_eq(page->payments[i]->authorize_key,
                             contract_key(c, name), "%s: %d", c->where, left);
        }
        n_pages++;
    } while (left > 0 && next[0] != '\0');
    cr_assert_eq(left, 0);
    cr_assert_eq(n_pages, 3);
    /* On a server of our own there are no others. */
    cr_assert(c->target.stack == NULL || next[0] == '\0');
}

CONTRACT_LONG(a_page_has_50_payments_or_100_at_the_most)
{
    char next[1024] = "";

    if (c->target.stack == NULL) {
        cr_skip_test("makes many payments");
    }
    payments_make(c, 101);
    cr_assert_eq(payments_page(c, RED, "", 0, next)->n_payments, 50);
    next[0] = '\0';
    cr_assert_eq(payments_page(c, RED, "", 101, next)->n_payments, 100);
    cr_assert_eq(payments_page(c, RED, "", UINT32_MAX, next)->n_payments, 1);
    cr_assert_str_eq(next, "");
}

CONTRACT(payments_are_listed_for_their_merchant_and_operators)
{
    struct contract_payment payment =
        contract_authorized(c, contract_key(c, "a"));
    const Payment__V1__ListPaymentsReply *page;
    char next[1024] = "";

    page = payments_page(c, RED, payment.merchant, 1, next);
    cr_assert_str_eq(page->payments[0]->id, payment.id);
    next[0] = '\0';
    page = payments_page(c, OPERATOR, payment.merchant, 1, next);
    cr_assert_str_eq(page->payments[0]->id, payment.id);
    next[0] = '\0';
    page = payments_page(c, BLUE, "", 1, next);
    cr_assert(page->n_payments == 0 ||
              strcmp(page->payments[0]->merchant, payment.merchant) != 0);
    expect_call(c, contract_as(c, BLUE), RPCRT_PERMISSION_DENIED,
                payments_with(c, BLUE, payment.merchant, ""));
}

CONTRACT(page_tokens_of_other_lists_are_refused)
{
    static const char *const garbage[] = {
        "x",        "????", "AAAAAAAAAAAAAAAAAAAA",
        "\xc3\xa9", "%s%n", "../../../etc/passwd"};
    char next[1024] = "";
    char cut[1024];
    size_t i;

    payments_make(c, 3);
    (void)payments_page(c, RED, "", 1, next);
    cr_assert_str_neq(next, "");
    for (i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        expect_call(c, contract_as(c, RED), RPCRT_INVALID_ARGUMENT,
                    payments_with(c, RED, "", garbage[i]));
    }
    for (i = 1; i < strlen(next); i += 3) {
        (void)snprintf(cut, sizeof(cut), "%.*s", (int)i, next);
        expect_call(c, contract_as(c, RED), RPCRT_INVALID_ARGUMENT,
                    payments_with(c, RED, "", cut));
    }
    expect_call(c, contract_as(c, BLUE), RPCRT_INVALID_ARGUMENT,
                payments_with(c, BLUE, "", next));
    expect_done(c, RED, payments_with(c, RED, "", next));
}

/* -- accounts -------------------------------------------------------------- */

/* What all accounts of the currencies come to. */
struct sums {
    int64_t eur;
    int64_t usd;
    size_t n;
    size_t n_pages;
    int64_t held;
};

/* Add up the books; `between` happens after the first page. */
static struct sums
books_sum(struct contract *c, uint32_t page_size,
          void (*between)(struct contract *c))
{
    Payment__V1__ListAccountsRequest request =
        PAYMENT__V1__LIST_ACCOUNTS_REQUEST__INIT;
    const Payment__V1__ListAccountsReply *reply;
    struct sums sums = {0};
    char next[1024] = "";
    size_t i;

    request.page_size = page_size;
    request.page_token = next;
    do {
        expect_done(
            c, OPERATOR,
            payment_list_accounts(contract_as(c, OPERATOR), &request, &reply));
        for (i = 0; i < reply->n_accounts; i++) {
            const Payment__V1__Account *account = reply->accounts[i];
            bool eur = strcmp(account->posted->currency, "EUR") == 0;

            *(eur ? &sums.eur : &sums.usd) += account->posted->minor;
            sums.held += account->held->minor;
            cr_assert(account->kind == PAYMENT__V1__ACCOUNT__KIND__EXTERNAL ||
                      account->posted->minor >= 0);
        }
        sums.n += reply->n_accounts;
        (void)snprintf(next, sizeof(next), "%s", reply->next_page_token);
        if (sums.n_pages++ == 0 && between != NULL) {
            between(c);
        }
    } while (next[0] != '\0');
    return sums;
}

CONTRACT(the_books_add_up_to_zero_after_each_step)
{
    struct card card = contract_card(c, 1000, "EUR");
    struct sums sums = books_sum(c, 0, NULL);
    char id[40];

    cr_assert(sums.eur == 0 && sums.usd == 0);
    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 600, "EUR"));
    (void)snprintf(id, sizeof(id), "%s", c->payment.id);
    cr_assert_eq(books_sum(c, 0, NULL).held, sums.held + 600);
    cr_assert_eq(books_sum(c, 0, NULL).eur, 0);
    expect_done(c, RED,
                contract_capture(c, RED, contract_key(c, "b"), id, 500));
    cr_assert_eq(books_sum(c, 0, NULL).held, sums.held);
    cr_assert_eq(books_sum(c, 0, NULL).eur, 0);
    expect_done(c, RED, contract_refund(c, RED, contract_key(c, "c"), id, 7));
    cr_assert_eq(books_sum(c, 0, NULL).eur, 0);
    (void)contract_card(c, 5, "USD");
    cr_assert_eq(books_sum(c, 0, NULL).usd, 0);
}

/* Money moves and an account appears. */
static void
move(struct contract *c)
{
    struct contract_payment payment =
        contract_authorized(c, contract_key(c, "between"));

    expect_done(
        c, RED,
        contract_capture(c, RED, contract_key(c, "moved"), payment.id, 0));
}

CONTRACT(all_pages_of_the_books_are_as_of_one_moment)
{
    struct sums sums;
    size_t before;
    int i;

    for (i = 0; i < 4; i++) {
        (void)contract_card(c, 10 + i, "EUR");
    }
    before = books_sum(c, 0, NULL).n;
    sums = books_sum(c, 2, move);
    cr_assert_eq(sums.eur, 0, "%s", c->where);
    cr_assert_eq(sums.n, before);
    cr_assert_geq(sums.n_pages, 2);
    cr_assert_gt(books_sum(c, 0, NULL).n, before);
}

CONTRACT(an_account_is_told_by_kind_and_owner)
{
    Payment__V1__ListAccountsRequest request =
        PAYMENT__V1__LIST_ACCOUNTS_REQUEST__INIT;
    const Payment__V1__ListAccountsReply *reply;
    struct card card = contract_card(c, 12345, "EUR");
    int n_cards = 0;
    int n_external = 0;
    size_t i;

    if (c->target.stack == NULL) {
        cr_skip_test("needs books of its own");
    }
    expect_done(
        c, OPERATOR,
        payment_list_accounts(contract_as(c, OPERATOR), &request, &reply));
    for (i = 0; i < reply->n_accounts; i++) {
        const Payment__V1__Account *account = reply->accounts[i];

        if (account->kind == PAYMENT__V1__ACCOUNT__KIND__CARD) {
            n_cards++;
            cr_assert_str_eq(account->owner, card.number + 12);
            cr_assert_eq(account->posted->minor, 12345);
        } else if (account->kind == PAYMENT__V1__ACCOUNT__KIND__EXTERNAL) {
            n_external++;
            cr_assert_eq(account->posted->minor, -12345);
        }
        cr_assert_neq(account->id[0], '\0');
        cr_assert_null(strstr(account->id, card.number));
    }
    cr_assert_eq(n_cards, 1);
    cr_assert_eq(n_external, 1);
}

CONTRACT(a_page_of_the_books_is_not_taken_for_one_of_another_store)
{
    static const char *const garbage[] = {"x", "????", "AAAAAAAAAAAAAAAAAAAA",
                                          "%s%n"};
    Payment__V1__ListAccountsRequest request =
        PAYMENT__V1__LIST_ACCOUNTS_REQUEST__INIT;
    const Payment__V1__ListAccountsReply *reply;
    size_t i;

    for (i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        request.page_token = garbage[i];
        expect_call(
            c, contract_as(c, OPERATOR), RPCRT_INVALID_ARGUMENT,
            payment_list_accounts(contract_as(c, OPERATOR), &request, &reply));
    }
}

/* -- limits of sums -------------------------------------------------------- */

CONTRACT_LONG(sums_never_leave_their_range)
{
    int64_t before = contract_merchant_money(c, BLUE, "EUR");
    int64_t taken = 0;
    int n_refused = 0;
    int i;

    if (c->target.stack == NULL) {
        cr_skip_test("issues more than everything");
    }
    /* Each fills one of the 256 accounts of the merchant; it is next to certain
     * that one of them is met again. */
    for (i = 0; i < 120; i++) {
        struct card card;
        char name[24];
        enum rpcrt_code code;

        card_make("4", 16, &card);
        code =
            contract_issue(c, OPERATOR, card.number, &card, AMOUNT_MAX, "EUR");
        if (code == RPCRT_OK) {
            (void)snprintf(name, sizeof(name), "%d", i);
            expect_done(c, BLUE,
                        contract_authorize(c, BLUE, contract_key(c, name),
                                           &card, AMOUNT_MAX, "EUR"));
            (void)snprintf(name, sizeof(name), "%d.capture", i);
            code = contract_capture(c, BLUE, contract_key(c, name),
                                    c->payment.id, 0);
        }
        n_refused += code == RPCRT_OK ? 0 : 1;
        taken += code == RPCRT_OK ? AMOUNT_MAX : 0;
        cr_assert(code == RPCRT_OK || code == RPCRT_INVALID_ARGUMENT ||
                      code == RPCRT_FAILED_PRECONDITION,
                  "%s", rpcrt_code_name(code));
    }
    cr_assert_gt(n_refused, 0, "%s", c->where);
    cr_assert_eq(contract_merchant_money(c, BLUE, "EUR"), before + taken);
    cr_assert_eq(books_sum(c, 7, NULL).eur, 0);
}
