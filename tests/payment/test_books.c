/*
 * The books: single movements, and 10,000 random steps of payments against a
 * model that knows nothing but sums.
 */
#include "payment/money.h"
#include "payment/payment.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_CARDS 5u
#define N_PAYMENTS 40u
#define N_STEPS 10000u
#define CARD_BALANCE 10000
#define AMOUNT_MAX 600

static Payment__Record__Account
account(const char *id, Payment__V1__Account__Kind kind)
{
    Payment__Record__Account self = PAYMENT__RECORD__ACCOUNT__INIT;

    self.id = id;
    self.kind = (uint32_t)kind;
    self.currency = "EUR";
    return self;
}

Test(books, move_the_same_amount_out_of_one_account_into_another)
{
    Payment__Record__Account from =
        account("x", PAYMENT__V1__ACCOUNT__KIND__EXTERNAL);
    Payment__Record__Account to =
        account("c", PAYMENT__V1__ACCOUNT__KIND__CARD);
    Payment__Record__Entry entry;

    cr_assert(pay_books_move(&from, &to, 25, "issue", 77, &entry));
    cr_expect_eq(pay_account_posted(&from), -25);
    cr_expect_eq(pay_account_posted(&to), 25);
    cr_expect_str_eq(entry.debit, "x");
    cr_expect_str_eq(entry.credit, "c");
    cr_expect_str_eq(entry.currency, "EUR");
    cr_expect_str_eq(entry.what, "issue");
    cr_expect_eq(entry.amount, 25);
    cr_expect_eq(entry.at_ms, 77);
}

Test(books, move_nothing_that_is_not_there_or_does_not_fit)
{
    Payment__Record__Account card =
        account("c", PAYMENT__V1__ACCOUNT__KIND__CARD);
    Payment__Record__Account shop =
        account("m", PAYMENT__V1__ACCOUNT__KIND__MERCHANT);
    Payment__Record__Account world =
        account("x", PAYMENT__V1__ACCOUNT__KIND__EXTERNAL);
    Payment__Record__Account dollars = shop;
    Payment__Record__Entry entry;

    dollars.currency = "USD";
    card.credits_posted = 100;
    card.debits_pending = 40;
    cr_expect_not(pay_books_move(&card, &shop, 61, "capture", 0, &entry));
    cr_expect_not(pay_books_move(&card, &shop, 0, "capture", 0, &entry));
    cr_expect_not(pay_books_move(&card, &shop, -1, "capture", 0, &entry));
    cr_expect_not(pay_books_move(&card, &dollars, 1, "capture", 0, &entry));
    shop.credits_posted = PAY_MINOR_MAX;
    cr_expect_not(pay_books_move(&card, &shop, 1, "capture", 0, &entry));
    shop.credits_posted = INT64_MAX;
    shop.debits_posted = INT64_MAX;
    cr_expect_not(pay_books_move(&card, &shop, 1, "capture", 0, &entry));
    world.debits_posted = INT64_MAX;
    cr_expect_not(pay_books_move(&world, &card, 1, "issue", 0, &entry));
    cr_expect_eq(card.debits_posted, 0);
    cr_expect_eq(card.credits_posted, 100);
    shop.credits_posted = shop.debits_posted = 0;
    cr_expect(pay_books_move(&card, &shop, 60, "capture", 0, &entry));
}

Test(books, hold_no_more_than_is_available)
{
    Payment__Record__Account card =
        account("c", PAYMENT__V1__ACCOUNT__KIND__CARD);

    card.credits_posted = 100;
    cr_expect_not(pay_account_hold(&card, 101));
    cr_expect_not(pay_account_hold(&card, 0));
    cr_expect_not(pay_account_hold(&card, -1));
    cr_expect(pay_account_hold(&card, 60));
    cr_expect_not(pay_account_hold(&card, 41));
    cr_expect(pay_account_hold(&card, 40));
    cr_expect_not(pay_account_release(&card, 101));
    cr_expect_not(pay_account_release(&card, -1));
    cr_expect(pay_account_release(&card, 100));
    cr_expect_eq(pay_account_available(&card), 100);
}

/* -- the model ------------------------------------------------------------- */

/* What somebody with pencil and paper keeps: money of each, and of each payment
 * what is held, taken and given back. */
struct naive {
    int64_t card[N_CARDS];
    int64_t merchant;
    int64_t held[N_PAYMENTS];
    int64_t taken[N_PAYMENTS];
    int64_t given_back[N_PAYMENTS];
};

struct model {
    struct naive naive;
    Payment__Record__Account external;
    Payment__Record__Account cards[N_CARDS];
    Payment__Record__Account merchant;
    Payment__Record__Payment payments[N_PAYMENTS];
    /* The journal, replayed at the end. */
    int64_t replayed[N_CARDS + 2];
    unsigned n_made[5];
};

static size_t
account_index(const char *id)
{
    if (id[0] == 'x') {
        return N_CARDS;
    }
    return id[0] == 'm' ? N_CARDS + 1 : (size_t)atoi(id + 1);
}

static void
journal(struct model *model, const Payment__Record__Entry *entry)
{
    model->replayed[account_index(entry->debit)] -= entry->amount;
    model->replayed[account_index(entry->credit)] += entry->amount;
}

static void
model_open(struct model *model)
{
    static char ids[N_CARDS][8];
    Payment__Record__Entry entry;
    size_t i;

    memset(model, 0, sizeof(*model));
    model->external = account("x", PAYMENT__V1__ACCOUNT__KIND__EXTERNAL);
    model->merchant = account("m", PAYMENT__V1__ACCOUNT__KIND__MERCHANT);
    for (i = 0; i < N_CARDS; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "c%zu", i);
        model->cards[i] = account(ids[i], PAYMENT__V1__ACCOUNT__KIND__CARD);
        cr_assert(pay_books_move(&model->external, &model->cards[i],
                                 CARD_BALANCE, "issue", 0, &entry));
        journal(model, &entry);
        model->naive.card[i] = CARD_BALANCE;
    }
}

/* The same step in the model; what it may do is said without states. */
static bool
naive_step(struct naive *naive, const Payment__Record__Payment *payment,
           size_t which, unsigned step, int64_t minor)
{
    size_t card = which % N_CARDS;
    int64_t held_on_card = 0;
    int64_t left = naive->taken[which] - naive->given_back[which];
    int64_t amount = minor;
    size_t i;

    for (i = card; i < N_PAYMENTS; i += N_CARDS) {
        held_on_card += naive->held[i];
    }
    switch (step) {
    case 0:
        if (payment->amount > naive->card[card] - held_on_card) {
            return false;
        }
        naive->held[which] = payment->amount;
        return true;
    case 1:
        amount = minor == 0 ? naive->held[which] : minor;
        if (naive->held[which] == 0 || amount > naive->held[which]) {
            return false;
        }
        naive->held[which] = 0;
        naive->taken[which] = amount;
        naive->card[card] -= amount;
        naive->merchant += amount;
        return true;
    case 2:
        naive->held[which] = 0;
        return naive->taken[which] == 0;
    case 3:
        if (naive->held[which] == 0) {
            return false;
        }
        naive->held[which] = 0;
        return true;
    default:
        amount = minor == 0 ? left : minor;
        if (left == 0 || amount > left) {
            return false;
        }
        naive->given_back[which] += amount;
        naive->card[card] += amount;
        naive->merchant -= amount;
        return true;
    }
}

static bool
model_step(struct model *model, size_t which, unsigned step, int64_t minor)
{
    Payment__Record__Payment *payment = &model->payments[which];
    Payment__Record__Account *card = &model->cards[which % N_CARDS];
    Payment__Record__Entry entry = PAYMENT__RECORD__ENTRY__INIT;
    Payment__V1__Reason reason;

    switch (step) {
    case 0:
        reason = pay_payment_authorize(payment, card);
        break;
    case 1:
        reason = pay_payment_capture(payment, card, &model->merchant, minor, 0,
                                     &entry);
        break;
    case 2:
        reason = pay_payment_void(payment, card);
        break;
    case 3:
        reason = pay_payment_expire(payment, card, 1000);
        break;
    default:
        reason = pay_payment_refund(payment, card, &model->merchant, minor, 0,
                                    &entry);
        break;
    }
    if (reason == PAYMENT__V1__REASON__REASON_UNSPECIFIED && entry.amount > 0) {
        journal(model, &entry);
    }
    return reason == PAYMENT__V1__REASON__REASON_UNSPECIFIED;
}

static void
model_check(const struct model *model)
{
    int64_t sum = pay_account_posted(&model->external) +
                  pay_account_posted(&model->merchant);
    size_t i;

    for (i = 0; i < N_CARDS; i++) {
        const Payment__Record__Account *card = &model->cards[i];
        int64_t held = 0;
        size_t j;

        for (j = i; j < N_PAYMENTS; j += N_CARDS) {
            held += model->naive.held[j];
        }
        sum += pay_account_posted(card);
        cr_assert_eq(pay_account_posted(card), model->naive.card[i]);
        cr_assert_eq(card->debits_pending, held);
        cr_assert_geq(pay_account_available(card), 0);
        cr_assert_eq(model->replayed[i], pay_account_posted(card));
    }
    cr_assert_eq(sum, 0);
    cr_assert_eq(pay_account_posted(&model->merchant), model->naive.merchant);
    cr_assert_eq(model->replayed[N_CARDS],
                 pay_account_posted(&model->external));
    cr_assert_eq(model->replayed[N_CARDS + 1], model->naive.merchant);
}

/* A new payment in the place of one that has come to its end. */
static void
payment_renew(struct model *model, size_t which)
{
    Payment__Record__Payment *payment = &model->payments[which];

    payment__record__payment__init(payment);
    payment->amount = 1 + rand() % AMOUNT_MAX;
    payment->currency = "EUR";
    payment->expires_at_ms = 1000;
    model->naive.held[which] = 0;
    model->naive.taken[which] = 0;
    model->naive.given_back[which] = 0;
}

Test(books, agree_with_a_naive_model_after_every_random_step, .timeout = 60)
{
    struct model model;
    unsigned i;

    srand(20260131);
    model_open(&model);
    for (i = 0; i < N_PAYMENTS; i++) {
        payment_renew(&model, i);
    }
    for (i = 0; i < N_STEPS; i++) {
        size_t which = (size_t)rand() % N_PAYMENTS;
        Payment__Record__Payment *payment = &model.payments[which];
        bool fresh = payment->state == PAYMENT__V1__STATE__STATE_UNSPECIFIED;
        unsigned step = fresh ? 0 : 1 + (unsigned)rand() % 4;
        int64_t minor = rand() % 2 == 0 ? 0 : 1 + rand() % AMOUNT_MAX;
        bool expected = naive_step(&model.naive, payment, which, step, minor);

        cr_assert_eq(model_step(&model, which, step, minor), expected,
                     "step %u of payment %zu, %lld", step, which,
                     (long long)minor);
        model.n_made[step] += expected ? 1 : 0;
        model_check(&model);
        if (!pay_payment_holds(payment) && rand() % 4 == 0) {
            payment_renew(&model, which);
        }
    }
    for (i = 0; i < 5; i++) {
        cr_expect_gt(model.n_made[i], 100, "step %u was hardly tried", i);
    }
}
