/*
 * The state machine of payments: every state with every step, and what each
 * does to the accounts.
 */
#include "payment/money.h"
#include "payment/payment.h"

#include <criterion/criterion.h>
#include <string.h>

#define BALANCE 1000
#define AMOUNT 300
#define EXPIRES_MS 5000

enum step { AUTHORIZE, CAPTURE, VOID, EXPIRE, REFUND, N_STEPS };

#define N_STATES 7

struct books {
    Payment__Record__Payment payment;
    Payment__Record__Account card;
    Payment__Record__Account merchant;
    Payment__Record__Entry entry;
};

/* A payment in a state, with accounts that fit. */
static void
books_open(struct books *books, uint32_t state)
{
    payment__record__payment__init(&books->payment);
    payment__record__account__init(&books->card);
    payment__record__account__init(&books->merchant);
    payment__record__entry__init(&books->entry);
    books->card.id = "c/1";
    books->card.kind = PAYMENT__V1__ACCOUNT__KIND__CARD;
    books->card.currency = "EUR";
    books->card.credits_posted = BALANCE;
    books->merchant.id = "m/red/EUR/0";
    books->merchant.kind = PAYMENT__V1__ACCOUNT__KIND__MERCHANT;
    books->merchant.currency = "EUR";
    books->payment.state = state;
    books->payment.amount = AMOUNT;
    books->payment.currency = "EUR";
    books->payment.expires_at_ms = EXPIRES_MS;
    if (state == PAYMENT__V1__STATE__AUTHORIZED) {
        books->card.debits_pending = AMOUNT;
    }
    if (state == PAYMENT__V1__STATE__CAPTURED ||
        state == PAYMENT__V1__STATE__REFUNDED) {
        books->card.debits_posted = AMOUNT;
        books->merchant.credits_posted = AMOUNT;
        books->payment.captured = AMOUNT;
    }
    if (state == PAYMENT__V1__STATE__REFUNDED) {
        books->merchant.debits_posted = AMOUNT;
        books->card.credits_posted += AMOUNT;
        books->payment.refunded = AMOUNT;
    }
}

static Payment__V1__Reason
step(struct books *books, enum step which, int64_t minor, int64_t now_ms)
{
    switch (which) {
    case AUTHORIZE:
        return pay_payment_authorize(&books->payment, &books->card);
    case CAPTURE:
        return pay_payment_capture(&books->payment, &books->card,
                                   &books->merchant, minor, now_ms,
                                   &books->entry);
    case VOID:
        return pay_payment_void(&books->payment, &books->card);
    case EXPIRE:
        return pay_payment_expire(&books->payment, &books->card, now_ms);
    default:
        return pay_payment_refund(&books->payment, &books->card,
                                  &books->merchant, minor, now_ms,
                                  &books->entry);
    }
}

struct outcome {
    Payment__V1__Reason reason;
    uint32_t state; /* afterwards */
};

#define OK(state)                                                              \
    {                                                                          \
        PAYMENT__V1__REASON__REASON_UNSPECIFIED, PAYMENT__V1__STATE__##state   \
    }
#define NO(reason, state)                                                      \
    {                                                                          \
        PAYMENT__V1__REASON__##reason, PAYMENT__V1__STATE__##state             \
    }

/* At a time when an authorization lives, but for EXPIRE. */
static const struct outcome table[N_STATES][N_STEPS] = {
    {OK(AUTHORIZED), NO(PAYMENT_UNKNOWN, STATE_UNSPECIFIED), OK(VOIDED),
     NO(PAYMENT_UNKNOWN, STATE_UNSPECIFIED),
     NO(PAYMENT_NOT_CAPTURED, STATE_UNSPECIFIED)},
    {NO(IDEMPOTENCY_KEY_REUSED, AUTHORIZED), OK(CAPTURED), OK(VOIDED),
     OK(EXPIRED), NO(PAYMENT_NOT_CAPTURED, AUTHORIZED)},
    {NO(PAYMENT_DECLINED, DECLINED), NO(PAYMENT_DECLINED, DECLINED),
     OK(DECLINED), NO(PAYMENT_DECLINED, DECLINED),
     NO(PAYMENT_NOT_CAPTURED, DECLINED)},
    {NO(PAYMENT_CAPTURED, CAPTURED), NO(PAYMENT_CAPTURED, CAPTURED),
     NO(PAYMENT_CAPTURED, CAPTURED), NO(PAYMENT_CAPTURED, CAPTURED),
     OK(REFUNDED)},
    {NO(PAYMENT_CAPTURED, REFUNDED), NO(PAYMENT_CAPTURED, REFUNDED),
     NO(PAYMENT_CAPTURED, REFUNDED), NO(PAYMENT_CAPTURED, REFUNDED),
     NO(AMOUNT_TOO_LARGE, REFUNDED)},
    {NO(PAYMENT_VOIDED, VOIDED), NO(PAYMENT_VOIDED, VOIDED), OK(VOIDED),
     NO(PAYMENT_VOIDED, VOIDED), NO(PAYMENT_NOT_CAPTURED, VOIDED)},
    {NO(PAYMENT_EXPIRED, EXPIRED), NO(PAYMENT_EXPIRED, EXPIRED), OK(EXPIRED),
     NO(PAYMENT_EXPIRED, EXPIRED), NO(PAYMENT_NOT_CAPTURED, EXPIRED)},
};

Test(steps, end_as_the_table_says_from_every_state)
{
    struct books books;
    uint32_t state;
    unsigned which;

    for (state = 0; state < N_STATES; state++) {
        for (which = 0; which < N_STEPS; which++) {
            const struct outcome *expected = &table[state][which];

            books_open(&books, state);
            cr_expect_eq(step(&books, which, 0,
                              which == EXPIRE ? EXPIRES_MS : EXPIRES_MS - 1),
                         expected->reason, "state %u, step %u", state, which);
            cr_expect_eq(books.payment.state, expected->state,
                         "state %u, step %u", state, which);
        }
    }
}

Test(steps, change_nothing_when_they_are_refused)
{
    struct books books;
    uint32_t state;
    unsigned which;

    for (state = 0; state < N_STATES; state++) {
        for (which = 0; which < N_STEPS; which++) {
            struct books before;

            books_open(&books, state);
            before = books;
            if (step(&books, which, 0,
                     which == EXPIRE ? EXPIRES_MS : EXPIRES_MS - 1) !=
                PAYMENT__V1__REASON__REASON_UNSPECIFIED) {
                cr_expect_arr_eq(&books, &before, sizeof(books),
                                 "state %u, step %u", state, which);
            }
        }
    }
}

Test(steps, hold_and_let_go_the_whole_amount)
{
    struct books books;

    books_open(&books, PAYMENT__V1__STATE__STATE_UNSPECIFIED);
    cr_assert_eq(step(&books, AUTHORIZE, 0, 0), 0);
    cr_expect_eq(books.card.debits_pending, AMOUNT);
    cr_expect_eq(pay_account_posted(&books.card), BALANCE);
    cr_expect_eq(pay_account_available(&books.card), BALANCE - AMOUNT);
    cr_assert_eq(step(&books, VOID, 0, 0), 0);
    cr_expect_eq(books.card.debits_pending, 0);
    cr_expect_eq(pay_account_available(&books.card), BALANCE);
    cr_expect_eq(books.merchant.credits_posted, 0);
}

Test(steps, let_the_rest_go_when_a_part_is_captured)
{
    struct books books;

    books_open(&books, PAYMENT__V1__STATE__AUTHORIZED);
    cr_assert_eq(step(&books, CAPTURE, AMOUNT - 1, 0), 0);
    cr_expect_eq(books.card.debits_pending, 0);
    cr_expect_eq(pay_account_available(&books.card), BALANCE - AMOUNT + 1);
    cr_expect_eq(pay_account_posted(&books.merchant), AMOUNT - 1);
    cr_expect_eq(books.payment.captured, AMOUNT - 1);
    cr_expect_eq(books.payment.n_entries, 1);
    cr_expect_str_eq(books.entry.debit, "c/1");
    cr_expect_str_eq(books.entry.credit, "m/red/EUR/0");
    cr_expect_eq(books.entry.amount, AMOUNT - 1);
    cr_expect_str_eq(books.entry.what, "capture");
}

Test(steps, capture_no_more_than_was_authorized)
{
    struct books books;

    books_open(&books, PAYMENT__V1__STATE__AUTHORIZED);
    cr_expect_eq(step(&books, CAPTURE, AMOUNT + 1, 0),
                 PAYMENT__V1__REASON__AMOUNT_TOO_LARGE);
    cr_expect_eq(step(&books, CAPTURE, -1, 0),
                 PAYMENT__V1__REASON__AMOUNT_INVALID);
    cr_expect_eq(books.card.debits_pending, AMOUNT);
}

Test(steps, capture_nothing_once_the_time_is_over)
{
    struct books books;

    books_open(&books, PAYMENT__V1__STATE__AUTHORIZED);
    cr_expect_eq(step(&books, CAPTURE, 0, EXPIRES_MS),
                 PAYMENT__V1__REASON__PAYMENT_EXPIRED);
    cr_expect_eq(step(&books, EXPIRE, 0, EXPIRES_MS - 1),
                 PAYMENT__V1__REASON__PAYMENT_NOT_CAPTURED,
                 "it is not due yet");
    cr_expect_eq(step(&books, CAPTURE, 0, EXPIRES_MS - 1), 0);
}

Test(steps, refund_in_parts_up_to_what_was_captured)
{
    struct books books;

    books_open(&books, PAYMENT__V1__STATE__CAPTURED);
    cr_assert_eq(step(&books, REFUND, 100, 0), 0);
    cr_expect_eq(books.payment.state, PAYMENT__V1__STATE__CAPTURED);
    cr_expect_eq(step(&books, REFUND, AMOUNT - 99, 0),
                 PAYMENT__V1__REASON__AMOUNT_TOO_LARGE);
    cr_expect_eq(step(&books, REFUND, -1, 0),
                 PAYMENT__V1__REASON__AMOUNT_INVALID);
    cr_assert_eq(step(&books, REFUND, 0, 0), 0);
    cr_expect_eq(books.payment.state, PAYMENT__V1__STATE__REFUNDED);
    cr_expect_eq(books.payment.refunded, AMOUNT);
    cr_expect_eq(books.payment.n_entries, 2);
    cr_expect_eq(pay_account_posted(&books.card), BALANCE);
    cr_expect_eq(pay_account_posted(&books.merchant), 0);
}

Test(steps, authorize_only_what_is_there_in_its_currency)
{
    struct books books;

    books_open(&books, PAYMENT__V1__STATE__STATE_UNSPECIFIED);
    books.payment.amount = BALANCE + 1;
    cr_expect_eq(step(&books, AUTHORIZE, 0, 0),
                 PAYMENT__V1__REASON__INSUFFICIENT_FUNDS);
    books.payment.amount = INT64_MAX;
    cr_expect_eq(step(&books, AUTHORIZE, 0, 0),
                 PAYMENT__V1__REASON__AMOUNT_INVALID);
    books.payment.amount = BALANCE;
    books.payment.currency = "USD";
    cr_expect_eq(step(&books, AUTHORIZE, 0, 0),
                 PAYMENT__V1__REASON__CURRENCY_WRONG);
    books.payment.currency = "EUR";
    cr_expect_eq(step(&books, AUTHORIZE, 0, 0), 0);
    cr_expect_eq(pay_account_available(&books.card), 0);
}

Test(steps, keep_why_a_payment_was_declined)
{
    struct books books;

    books_open(&books, PAYMENT__V1__STATE__STATE_UNSPECIFIED);
    pay_payment_decline(&books.payment,
                        PAYMENT__V1__REASON__INSUFFICIENT_FUNDS);
    cr_expect_eq(books.payment.state, PAYMENT__V1__STATE__DECLINED);
    cr_expect_eq(books.payment.decline_reason,
                 PAYMENT__V1__REASON__INSUFFICIENT_FUNDS);
    cr_expect_eq(books.payment.expires_at_ms, 0);
}
