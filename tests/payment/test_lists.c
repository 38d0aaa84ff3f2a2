/*
 * Lists: payments page by page, the newest first; accounts as of one moment.
 */
#include "tests/payment/till.h"

#include <stdio.h>
#include <string.h>

#define N_PAYMENTS 23u

static struct till till;
static struct rpcrt_call *red;
static struct rpcrt_call *boss;

static void
lists_begin(void)
{
    till_open(&till, NULL);
    red = till_call(&till, 0, "red");
    boss = till_call(&till, 0, "operator");
    till_expect(boss, till_issue(boss, "rich", TILL_NUMBER, 10000), RPCRT_OK,
                "");
}

static void
lists_end(void)
{
    rpcrt_call_free(boss);
    rpcrt_call_free(red);
    till_close(&till);
}

TestSuite(lists, .init = lists_begin, .fini = lists_end, .timeout = 60);

static void
payments_make(unsigned n, char ret_ids[][TILL_ID_SIZE])
{
    char key[16];
    unsigned i;

    for (i = 0; i < n; i++) {
        (void)snprintf(key, sizeof(key), "a%u", i);
        till_expect(red, till_authorize(red, key, TILL_NUMBER, 1, ret_ids[i]),
                    RPCRT_OK, "");
        atomic_fetch_add(&till.now_ms, i % 3 == 0 ? 1 : 0);
    }
}

Test(lists, show_every_payment_once_the_newest_first)
{
    Payment__V1__ListPaymentsRequest request =
        PAYMENT__V1__LIST_PAYMENTS_REQUEST__INIT;
    const Payment__V1__ListPaymentsReply *reply;
    char ids[N_PAYMENTS][TILL_ID_SIZE];
    char token[COMMON_ERROR_SIZE * 2] = "";
    unsigned n = 0;
    unsigned n_pages = 0;
    size_t i;

    payments_make(N_PAYMENTS, ids);
    request.page_size = 10;
    do {
        request.page_token = token;
        till_expect(red, payment_list_payments(red, &request, &reply), RPCRT_OK,
                    "");
        for (i = 0; i < reply->n_payments; i++) {
            cr_assert_lt(n, N_PAYMENTS);
            n++;
            cr_expect_str_eq(reply->payments[i]->id, ids[N_PAYMENTS - n]);
            cr_expect_str_eq(reply->payments[i]->card_last4, "1111");
            cr_expect_str_eq(reply->payments[i]->reference, "a purchase");
        }
        n_pages++;
        (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
    } while (token[0] != '\0');
    cr_expect_eq(n, N_PAYMENTS);
    cr_expect_eq(n_pages, 3);
}

Test(lists, take_no_token_of_another_list)
{
    Payment__V1__ListPaymentsRequest request =
        PAYMENT__V1__LIST_PAYMENTS_REQUEST__INIT;
    Payment__V1__ListAccountsRequest accounts =
        PAYMENT__V1__LIST_ACCOUNTS_REQUEST__INIT;
    const Payment__V1__ListPaymentsReply *reply;
    const Payment__V1__ListAccountsReply *accounts_reply;
    char ids[2][TILL_ID_SIZE];
    char token[COMMON_ERROR_SIZE * 2];

    payments_make(2, ids);
    request.page_size = 1;
    till_expect(red, payment_list_payments(red, &request, &reply), RPCRT_OK,
                "");
    (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
    cr_assert_str_not_empty(token);
    request.page_token = token;
    request.merchant = "blue";
    till_expect(boss, payment_list_payments(boss, &request, &reply),
                RPCRT_INVALID_ARGUMENT, "");
    accounts.page_token = token;
    till_expect(boss, payment_list_accounts(boss, &accounts, &accounts_reply),
                RPCRT_INVALID_ARGUMENT, "");
    request.merchant = "red";
    till_expect(boss, payment_list_payments(boss, &request, &reply), RPCRT_OK,
                "");
    cr_expect_str_eq(reply->payments[0]->id, ids[0]);
    request.page_token = "nonsense";
    till_expect(boss, payment_list_payments(boss, &request, &reply),
                RPCRT_INVALID_ARGUMENT, "");
}

/* Between any two pages money moves; the sum stays zero. */
Test(lists, show_all_accounts_as_of_one_moment)
{
    Payment__V1__ListAccountsRequest request =
        PAYMENT__V1__LIST_ACCOUNTS_REQUEST__INIT;
    const Payment__V1__ListAccountsReply *reply;
    char ids[N_PAYMENTS][TILL_ID_SIZE];
    char token[COMMON_ERROR_SIZE * 2] = "";
    char key[16];
    int64_t sum = 0;
    unsigned n = 0;
    unsigned n_cards = 0;
    size_t i;

    payments_make(N_PAYMENTS, ids);
    for (i = 0; i < N_PAYMENTS / 2; i++) {
        (void)snprintf(key, sizeof(key), "c%zu", i);
        till_expect(red, till_capture(red, key, ids[i], 0), RPCRT_OK, "");
    }
    till_expect(boss, till_issue(boss, "poor", TILL_POOR_NUMBER, 7), RPCRT_OK,
                "");
    request.page_size = 1;
    do {
        request.page_token = token;
        till_expect(boss, payment_list_accounts(boss, &request, &reply),
                    RPCRT_OK, "");
        for (i = 0; i < reply->n_accounts; i++) {
            sum += reply->accounts[i]->posted->minor;
            n_cards +=
                reply->accounts[i]->kind == PAYMENT__V1__ACCOUNT__KIND__CARD
                    ? 1
                    : 0;
        }
        (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
        (void)snprintf(key, sizeof(key), "d%u", n);
        if (n < N_PAYMENTS / 2) {
            till_expect(red, till_capture(red, key, ids[N_PAYMENTS / 2 + n], 0),
                        RPCRT_OK, "");
        }
        n++;
    } while (token[0] != '\0');
    cr_expect_eq(sum, 0);
    cr_expect_eq(n_cards, 2);
    cr_expect_gt(n, 4);
}

Test(lists, say_that_a_moment_is_too_long_ago)
{
    Payment__V1__ListAccountsRequest request =
        PAYMENT__V1__LIST_ACCOUNTS_REQUEST__INIT;
    const Payment__V1__ListAccountsReply *reply;
    char token[COMMON_ERROR_SIZE * 2];
    char key[16];
    unsigned i;

    request.page_size = 1;
    till_expect(boss, payment_list_accounts(boss, &request, &reply), RPCRT_OK,
                "");
    (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
    cr_assert_str_not_empty(token);
    for (i = 0; i < TILL_HISTORY + 1; i++) {
        (void)snprintf(key, sizeof(key), "v%u", i);
        till_expect(red, till_void_key(red, key, "unknown"), RPCRT_OK, "");
    }
    request.page_token = token;
    till_expect(boss, payment_list_accounts(boss, &request, &reply),
                RPCRT_OUT_OF_RANGE, "");
}
