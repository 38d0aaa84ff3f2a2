/*
 * The service on a store, one call after the other: keys, voids in advance,
 * expiry, secrets, restart.
 */
#include "tests/payment/till.h"

#include "payment/expiry.h"
#include "payment/record.pb-c.h"

#include <string.h>

static struct till till;
static struct rpcrt_call *red;

static void
service_begin(void)
{
    struct rpcrt_call *operator_call;

    till_open(&till, NULL);
    operator_call = till_call(&till, 0, "operator");
    till_expect(operator_call,
                till_issue(operator_call, "rich", TILL_NUMBER, 10000), RPCRT_OK,
                "");
    rpcrt_call_free(operator_call);
    red = till_call(&till, 0, "red");
}

static void
service_end(void)
{
    rpcrt_call_free(red);
    till_close(&till);
}

TestSuite(service, .init = service_begin, .fini = service_end, .timeout = 60);

/* A claim, and the books behind it: what fails after a test does not count. */
#define CLAIM(claim)                                                           \
    static void claim(void);                                                   \
    Test(service, claim)                                                       \
    {                                                                          \
        claim();                                                               \
        till_check_books(&till);                                               \
    }                                                                          \
    static void claim(void)

#define expect_ok(expression) till_expect(red, (expression), RPCRT_OK, "")
#define expect_no(expression, reason)                                          \
    till_expect(red, (expression), RPCRT_FAILED_PRECONDITION, (reason))
#define expect_reused(expression)                                              \
    till_expect(red, (expression), RPCRT_ALREADY_EXISTS,                       \
                "IDEMPOTENCY_KEY_REUSED")

CLAIM(moves_the_money_of_a_purchase)
{
    char id[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 3000);
    expect_ok(till_capture(red, "c", id, 2500));
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 0);
    cr_expect_eq(till_card(&till, TILL_NUMBER).posted, 7500);
    cr_expect_eq(till_merchant(&till, "red").posted, 2500);
    expect_ok(till_refund(red, "r1", id, 1000));
    cr_expect_eq(till_merchant(&till, "red").posted, 1500);
    expect_no(till_refund(red, "r2", id, 1501), "AMOUNT_TOO_LARGE");
    expect_ok(till_refund(red, "r2", id, 0));
    cr_expect_eq(till_state(&till, id), PAYMENT__V1__STATE__REFUNDED);
    cr_expect_eq(till_card(&till, TILL_NUMBER).posted, 10000);
}

CLAIM(does_once_what_is_asked_twice)
{
    char id[TILL_ID_SIZE];
    char again[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    expect_ok(till_authorize(red, "a", "4111 1111-1111 1111", 3000, again));
    cr_expect_str_eq(id, again);
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 3000);
    expect_ok(till_capture(red, "c", id, 0));
    expect_ok(till_capture(red, "c", id, 0));
    expect_no(till_capture(red, "c2", id, 0), "PAYMENT_CAPTURED");
    cr_expect_eq(till_merchant(&till, "red").posted, 3000);
    expect_ok(till_refund(red, "r", id, 500));
    expect_ok(till_refund(red, "r", id, 500));
    expect_ok(till_capture(red, "c", id, 0));
    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, again));
    cr_expect_eq(till_merchant(&till, "red").posted, 2500);
}

CLAIM(refuses_a_key_for_anything_else)
{
    struct rpcrt_call *blue = till_call(&till, 0, "blue");
    char id[TILL_ID_SIZE];
    char other[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    expect_reused(till_authorize(red, "a", TILL_NUMBER, 3001, NULL));
    expect_reused(till_authorize(red, "a", TILL_POOR_NUMBER, 3000, NULL));
    expect_reused(till_capture(red, "a", id, 0));
    expect_reused(till_void(red, "a", id));
    expect_ok(till_capture(red, "c", id, 0));
    expect_reused(till_capture(red, "c", id, 3000));
    expect_reused(till_refund(red, "c", id, 0));
    expect_reused(till_void_key(red, "v", "c"));
    expect_reused(till_void_key(red, "v", "v"));
    till_expect(blue, till_authorize(blue, "a", TILL_NUMBER, 1, other),
                RPCRT_OK, "");
    cr_expect_str_neq(id, other);
    rpcrt_call_free(blue);
}

CLAIM(keeps_a_refusal_under_its_key)
{
    struct rpcrt_call *operator_call = till_call(&till, 0, "operator");

    expect_no(till_authorize(red, "a", TILL_NUMBER, 10001, NULL),
              "INSUFFICIENT_FUNDS");
    expect_no(till_authorize(red, "u", TILL_POOR_NUMBER, 1, NULL),
              "CARD_UNKNOWN");
    till_expect(red, till_authorize(red, "n", "4111", 1, NULL),
                RPCRT_INVALID_ARGUMENT, "CARD_NUMBER_INVALID");
    till_expect(operator_call,
                till_issue(operator_call, "poor", TILL_POOR_NUMBER, 5),
                RPCRT_OK, "");
    expect_no(till_authorize(red, "u", TILL_POOR_NUMBER, 1, NULL),
              "CARD_UNKNOWN");
    till_expect(red, till_authorize(red, "n", "4111", 1, NULL),
                RPCRT_INVALID_ARGUMENT, "CARD_NUMBER_INVALID");
    expect_reused(till_authorize(red, "n", TILL_NUMBER, 1, NULL));
    expect_ok(till_authorize(red, "u2", TILL_POOR_NUMBER, 1, NULL));
    rpcrt_call_free(operator_call);
}

CLAIM(keeps_no_request_that_breaks_a_rule)
{
    till_expect(red, till_authorize(red, "a", TILL_NUMBER, 0, NULL),
                RPCRT_INVALID_ARGUMENT, "AMOUNT_INVALID");
    expect_ok(till_authorize(red, "a", TILL_NUMBER, 1, NULL));
    till_expect(red, till_authorize(red, "", TILL_NUMBER, 1, NULL),
                RPCRT_INVALID_ARGUMENT, "IDEMPOTENCY_KEY_INVALID");
    till_expect(red, till_capture(red, "c", "nothing", 0), RPCRT_NOT_FOUND,
                "PAYMENT_UNKNOWN");
    till_expect(red,
                till_capture(red, "c", "0123456789abcdef0123456789abcdef", -1),
                RPCRT_INVALID_ARGUMENT, "AMOUNT_INVALID");
}

CLAIM(issues_a_card_once)
{
    struct rpcrt_call *call = till_call(&till, 0, "operator");

    till_expect(call, till_issue(call, "rich", TILL_NUMBER, 10000), RPCRT_OK,
                "");
    till_expect(call, till_issue(call, "rich", TILL_NUMBER, 10001),
                RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED");
    till_expect(call, till_issue(call, "more", TILL_NUMBER, 10000),
                RPCRT_ALREADY_EXISTS, "CARD_EXISTS");
    cr_expect_eq(till_card(&till, TILL_NUMBER).posted, 10000);
    rpcrt_call_free(call);
}

/* Take the only card out of the store. */
static void
card_lose(void)
{
    const struct common_span span = {.first = "card/", .limit = 2};
    struct common_work *work =
        common_work_new(till.servers[0].service.store, NULL, NULL);
    struct common_page page;

    cr_assert_not_null(work);
    cr_assert_eq(
        common_scan(work, &span, &payment__record__card__descriptor, &page),
        RPCRT_OK);
    cr_assert_eq(page.n_records, 1);
    common_expect(work, &page.records[0]);
    common_delete(work, page.records[0].key);
    cr_assert_eq(common_commit(work), RPCRT_OK);
    common_work_free(work);
}

Test(service, names_a_payment_that_has_no_card)
{
    char id[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    card_lose();
    cr_expect_eq(till_capture(red, "c", id, 2500), RPCRT_DATA_LOSS);
    cr_expect_not_null(strstr(rpcrt_call_message(red), id), "%s",
                       rpcrt_call_message(red));
}

CLAIM(shows_a_merchant_nothing_of_another)
{
    Payment__V1__GetBalanceRequest balance =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    Payment__V1__GetPaymentRequest get = PAYMENT__V1__GET_PAYMENT_REQUEST__INIT;
    const Payment__V1__GetBalanceReply *balance_reply;
    const Payment__V1__GetPaymentReply *get_reply;
    struct rpcrt_call *blue = till_call(&till, 0, "blue");
    char id[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    get.payment_id = id;
    till_expect(blue, payment_get_payment(blue, &get, &get_reply),
                RPCRT_NOT_FOUND, "PAYMENT_UNKNOWN");
    till_expect(blue, till_capture(blue, "c", id, 0), RPCRT_NOT_FOUND,
                "PAYMENT_UNKNOWN");
    till_expect(blue, till_refund(blue, "r", id, 0), RPCRT_NOT_FOUND,
                "PAYMENT_UNKNOWN");
    till_expect(blue, till_void(blue, "v", id), RPCRT_NOT_FOUND,
                "PAYMENT_UNKNOWN");
    till_expect(blue, till_void_key(blue, "v", "a"), RPCRT_OK, "");
    balance.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_MERCHANT;
    balance.merchant = "red";
    till_expect(blue, payment_get_balance(blue, &balance, &balance_reply),
                RPCRT_PERMISSION_DENIED, "");
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 3000);
    rpcrt_call_free(blue);
}

/* -- void ------------------------------------------------------------------ */

CLAIM(lets_go_by_id_or_key_and_more_than_once)
{
    char id[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    expect_ok(till_void_key(red, "v", "a"));
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 0);
    expect_ok(till_void_key(red, "v", "a"));
    expect_ok(till_void(red, "v2", id));
    expect_no(till_authorize(red, "a", TILL_NUMBER, 3000, NULL),
              "PAYMENT_VOIDED");
    expect_no(till_capture(red, "c", id, 0), "PAYMENT_VOIDED");
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 0);
}

CLAIM(refuses_an_authorize_that_was_voided_before_it_came)
{
    expect_ok(till_void_key(red, "v", "late"));
    expect_ok(till_void_key(red, "v", "late"));
    expect_ok(till_void_key(red, "v2", "late"));
    expect_no(till_authorize(red, "late", TILL_NUMBER, 3000, NULL),
              "PAYMENT_VOIDED");
    expect_no(till_authorize(red, "late", TILL_NUMBER, 4000, NULL),
              "PAYMENT_VOIDED");
    expect_no(till_authorize(red, "late", "1", 4000, NULL), "PAYMENT_VOIDED");
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 0);
}

CLAIM(lets_nothing_go_that_was_captured)
{
    char id[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    expect_ok(till_capture(red, "c", id, 0));
    expect_no(till_void(red, "v", id), "PAYMENT_CAPTURED");
    expect_no(till_void_key(red, "v", "a"), "PAYMENT_CAPTURED");
    cr_expect_eq(till_merchant(&till, "red").posted, 3000);
}

CLAIM(voids_what_was_declined)
{
    expect_no(till_authorize(red, "a", TILL_NUMBER, 10001, NULL),
              "INSUFFICIENT_FUNDS");
    expect_ok(till_void_key(red, "v", "a"));
    expect_no(till_authorize(red, "a", TILL_NUMBER, 10001, NULL),
              "INSUFFICIENT_FUNDS");
}

/* -- expiry ---------------------------------------------------------------- */

static void
rounds(void)
{
    while (pay_expiry_round(&till.servers[0].service)) {
    }
}

CLAIM(ends_an_authorization_when_its_time_is_over)
{
    char id[TILL_ID_SIZE];
    char later[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    atomic_fetch_add(&till.now_ms, 999);
    expect_ok(till_authorize(red, "b", TILL_NUMBER, 200, later));
    rounds();
    cr_expect_eq(till_state(&till, id), PAYMENT__V1__STATE__AUTHORIZED);
    atomic_fetch_add(&till.now_ms, 1);
    rounds();
    cr_expect_eq(till_state(&till, id), PAYMENT__V1__STATE__EXPIRED);
    cr_expect_eq(till_state(&till, later), PAYMENT__V1__STATE__AUTHORIZED);
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 200);
    expect_no(till_capture(red, "c", id, 0), "PAYMENT_EXPIRED");
    expect_ok(till_void(red, "v", id));
}

CLAIM(ends_more_authorizations_than_fit_one_round)
{
    char key[16];
    unsigned i;

    for (i = 0; i < 150; i++) {
        (void)snprintf(key, sizeof(key), "a%u", i);
        expect_ok(till_authorize(red, key, TILL_NUMBER, 1, NULL));
    }
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 150);
    atomic_fetch_add(&till.now_ms, 1000);
    rounds();
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 0);
}

CLAIM(captures_nothing_late_though_nobody_has_looked)
{
    char id[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    atomic_fetch_add(&till.now_ms, 1000);
    expect_no(till_capture(red, "c", id, 0), "PAYMENT_EXPIRED");
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 0);
    expect_no(till_authorize(red, "a", TILL_NUMBER, 3000, NULL),
              "PAYMENT_EXPIRED");
    expect_ok(till_authorize(red, "b", TILL_NUMBER, 3000, NULL));
    atomic_fetch_add(&till.now_ms, 1000);
    expect_no(till_authorize(red, "b", TILL_NUMBER, 3000, NULL),
              "PAYMENT_EXPIRED");
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 0);
}

CLAIM(shows_no_authorization_that_is_over)
{
    char id[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    atomic_fetch_add(&till.now_ms, 1000);
    cr_expect_eq(till_state(&till, id), PAYMENT__V1__STATE__EXPIRED);
    cr_expect_eq(till_card(&till, TILL_NUMBER).held, 0);
}

CLAIM(answers_a_repeat_after_the_card_has_expired)
{
    char id[TILL_ID_SIZE];
    char again[TILL_ID_SIZE];

    till.servers[0].service.hold_for_ms = INT64_C(4000000000000);
    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    atomic_store(&till.now_ms, INT64_C(2556144000000)); /* 2051-01-01 */
    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, again));
    cr_expect_str_eq(id, again);
    expect_no(till_authorize(red, "b", TILL_NUMBER, 3000, NULL),
              "CARD_EXPIRED");
}

/* -- references ------------------------------------------------------------ */

CLAIM(takes_any_reference_but_control_characters)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {{"", true},
                 {"order 7 ~", true},
                 {"caf\xc3\xa9 \xc2\xa0 \xe2\x82\xac", true},
                 {"a\nb", false},
                 {"\x1b[2J", false},
                 {"a\t", false},
                 {"\x7f", false},
                 {"\xc2\x80", false},
                 {"\xc2\x9f", false}};
    Payment__V1__AuthorizeRequest request =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__Card card = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;
    const Payment__V1__AuthorizeReply *reply;
    size_t i;

    card.number = TILL_NUMBER;
    card.expiry_month = 12;
    card.expiry_year = 2050;
    money.minor = 1;
    money.currency = "EUR";
    request.card = &card;
    request.amount = &money;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char key[] = {(char)('a' + i), '\0'};

        request.idempotency_key = key;
        request.reference = cases[i].text;
        till_expect(red, payment_authorize(red, &request, &reply),
                    cases[i].ok ? RPCRT_OK : RPCRT_INVALID_ARGUMENT, "");
        cr_expect(!cases[i].ok ||
                  strcmp(reply->payment->reference, cases[i].text) == 0);
    }
}

/* -- secrets and restart --------------------------------------------------- */

#define SECRET_ONE                                                             \
    "one 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define SECRET_TWO                                                             \
    "two ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"
#define SECRET_ONE_CHANGED                                                     \
    "one 100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static void
restart(void)
{
    rpcrt_call_free(red);
    till_server_stop(&till, 0);
    till_server_start(&till, 0);
    red = till_call(&till, 0, "red");
}

CLAIM(goes_on_after_a_restart)
{
    char id[TILL_ID_SIZE];
    char again[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    restart();
    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, again));
    cr_expect_str_eq(id, again);
    expect_ok(till_capture(red, "c", id, 0));
    restart();
    expect_ok(till_capture(red, "c", id, 0));
    cr_expect_eq(till_merchant(&till, "red").posted, 3000);
}

CLAIM(finds_cards_and_keys_of_an_older_secret)
{
    struct rpcrt_call *call;
    char id[TILL_ID_SIZE];
    char again[TILL_ID_SIZE];

    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, id));
    till_secrets_write(&till, SECRET_TWO SECRET_ONE);
    restart();
    call = till_call(&till, 0, "operator");
    expect_ok(till_authorize(red, "a", TILL_NUMBER, 3000, again));
    cr_expect_str_eq(id, again);
    expect_reused(till_authorize(red, "a", TILL_NUMBER, 3001, NULL));
    expect_ok(till_capture(red, "c", id, 0));
    till_expect(call, till_issue(call, "again", TILL_NUMBER, 1),
                RPCRT_ALREADY_EXISTS, "CARD_EXISTS");
    till_expect(call, till_issue(call, "new", TILL_POOR_NUMBER, 1), RPCRT_OK,
                "");
    till_secrets_write(&till, "# the old one first\n\n" SECRET_ONE SECRET_TWO);
    rpcrt_call_free(call);
    restart();
    expect_ok(till_authorize(red, "b", TILL_POOR_NUMBER, 1, NULL));
}

CLAIM(does_not_start_without_a_secret_that_the_data_uses)
{
    struct common_error error = {.text = ""};

    till_secrets_write(&till, SECRET_TWO);
    cr_expect_eq(till_secrets_enter(&till, &error), RPCRT_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "'one'"), "%s", error.text);
    till_secrets_write(&till, SECRET_ONE_CHANGED);
    cr_expect_eq(till_secrets_enter(&till, &error), RPCRT_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "'one'"), "%s", error.text);
    cr_expect_null(strstr(error.text, "1001"), "%s", error.text);
    till_secrets_write(&till, SECRET_ONE);
    cr_expect_eq(till_secrets_enter(&till, &error), RPCRT_OK);
}
