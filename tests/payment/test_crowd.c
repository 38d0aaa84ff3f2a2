/*
 * Many at once on one card, over two servers on the same store: one effect for
 * a key, never more than the card has, and Void against Authorize.
 */
#include "tests/payment/till.h"

#include "payment/card.h"

#include <pthread.h>
#include <stdio.h>

#define N_THREADS 16u

struct visitor {
    pthread_t thread;
    unsigned number;
    struct crowd *crowd;
    struct rpcrt_call *call;
    enum rpcrt_code code;
    char id[TILL_ID_SIZE];
};

struct crowd {
    struct till till;
    pthread_barrier_t start;
    unsigned round;
    void (*visit)(struct visitor *self);
    struct visitor visitors[N_THREADS];
};

static struct crowd crowd;

static void
crowd_begin(void)
{
    struct rpcrt_call *call;
    unsigned i;

    till_open(&crowd.till, NULL);
    till_server_start(&crowd.till, 1);
    call = till_call(&crowd.till, 0, "operator");
    till_expect(call, till_issue(call, "rich", TILL_NUMBER, 10000), RPCRT_OK,
                "");
    rpcrt_call_free(call);
    cr_assert_eq(pthread_barrier_init(&crowd.start, NULL, N_THREADS), 0);
    for (i = 0; i < N_THREADS; i++) {
        crowd.visitors[i] =
            (struct visitor){.number = i,
                             .crowd = &crowd,
                             .call = till_call(&crowd.till, i % 2, "red")};
    }
}

static void
crowd_end(void)
{
    unsigned i;

    for (i = 0; i < N_THREADS; i++) {
        rpcrt_call_free(crowd.visitors[i].call);
    }
    (void)pthread_barrier_destroy(&crowd.start);
    till_close(&crowd.till);
}

TestSuite(crowd, .init = crowd_begin, .fini = crowd_end, .timeout = 120);

/* A claim, and the books behind it: what fails after a test does not count. */
#define CLAIM(claim)                                                           \
    static void claim(void);                                                   \
    Test(crowd, claim)                                                         \
    {                                                                          \
        claim();                                                               \
        till_check_books(&crowd.till);                                         \
    }                                                                          \
    static void claim(void)

static void *
visitor_run(void *arg)
{
    struct visitor *self = arg;

    self->code = RPCRT_OK;
    (void)pthread_barrier_wait(&self->crowd->start);
    self->crowd->visit(self);
    return NULL;
}

/* All do it at once; returns how many calls were answered with OK. */
static unsigned
crowd_run(void (*visit)(struct visitor *self))
{
    unsigned n_ok = 0;
    unsigned i;

    crowd.visit = visit;
    for (i = 0; i < N_THREADS; i++) {
        cr_assert_eq(pthread_create(&crowd.visitors[i].thread, NULL,
                                    visitor_run, &crowd.visitors[i]),
                     0);
    }
    for (i = 0; i < N_THREADS; i++) {
        cr_assert_eq(pthread_join(crowd.visitors[i].thread, NULL), 0);
        n_ok += crowd.visitors[i].code == RPCRT_OK ? 1 : 0;
    }
    return n_ok;
}

/* A number of its own for each. */
static void
number_make(unsigned i, char ret_number[20])
{
    unsigned digit = 0;

    do {
        (void)snprintf(ret_number, 20, "4000000000000%02u%u", i, digit++);
    } while (!pay_luhn_ok(ret_number, 16));
}

static void
same_authorize(struct visitor *self)
{
    self->code = till_authorize(self->call, "same", TILL_NUMBER, 300, self->id);
}

CLAIM(has_one_effect_for_one_key)
{
    unsigned i;

    cr_expect_eq(crowd_run(same_authorize), N_THREADS, "%s",
                 rpcrt_call_message(crowd.visitors[1].call));
    for (i = 1; i < N_THREADS; i++) {
        cr_expect_str_eq(crowd.visitors[i].id, crowd.visitors[0].id);
    }
    cr_expect_eq(till_card(&crowd.till, TILL_NUMBER).held, 300);
}

static void
own_authorize(struct visitor *self)
{
    char key[32];

    (void)snprintf(key, sizeof(key), "own %u.%u", self->number,
                   self->crowd->round);
    self->code = till_authorize(self->call, key, TILL_NUMBER, 1000, self->id);
}

CLAIM(never_holds_more_than_there_is)
{
    unsigned i;

    cr_expect_eq(crowd_run(own_authorize), 10);
    for (i = 0; i < N_THREADS; i++) {
        if (crowd.visitors[i].code != RPCRT_OK) {
            till_expect(crowd.visitors[i].call, crowd.visitors[i].code,
                        RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS");
        }
    }
    cr_expect_eq(till_card(&crowd.till, TILL_NUMBER).held, 10000);
    crowd.round++;
    cr_expect_eq(crowd_run(own_authorize), 0);
}

static void
own_purchase(struct visitor *self)
{
    char key[32];
    unsigned i;

    for (i = 0; i < 10 && self->code == RPCRT_OK; i++) {
        (void)snprintf(key, sizeof(key), "a %u.%u", self->number, i);
        self->code = till_authorize(self->call, key, TILL_NUMBER, 10, self->id);
        key[0] = 'c';
        if (self->code == RPCRT_OK) {
            self->code = till_capture(self->call, key, self->id, 0);
        }
        key[0] = 'r';
        if (self->code == RPCRT_OK && i % 2 == 0) {
            self->code = till_refund(self->call, key, self->id, 3);
        }
    }
}

CLAIM(pays_with_one_card_at_once)
{
    cr_expect_eq(crowd_run(own_purchase), N_THREADS);
    cr_expect_eq(till_merchant(&crowd.till, "red").posted,
                 N_THREADS * (10 * 10 - 5 * 3));
    cr_expect_eq(till_card(&crowd.till, TILL_NUMBER).held, 0);
}

/* Each with a card of its own, so they meet at the merchant. */
static void
other_purchase(struct visitor *self)
{
    char number[20];
    char key[32];
    unsigned i;

    number_make(self->number, number);
    for (i = 0; i < 10 && self->code == RPCRT_OK; i++) {
        (void)snprintf(key, sizeof(key), "a %u.%u", self->number, i);
        self->code = till_authorize(self->call, key, number, 10, self->id);
        key[0] = 'c';
        if (self->code == RPCRT_OK) {
            self->code = till_capture(self->call, key, self->id, 0);
        }
    }
}

CLAIM(pays_one_merchant_at_once)
{
    struct rpcrt_call *call = till_call(&crowd.till, 0, "operator");
    char number[20];
    unsigned i;

    for (i = 0; i < N_THREADS; i++) {
        number_make(i, number);
        till_expect(call, till_issue(call, number, number, 100), RPCRT_OK, "");
    }
    rpcrt_call_free(call);
    cr_expect_eq(crowd_run(other_purchase), N_THREADS);
    cr_expect_eq(till_merchant(&crowd.till, "red").posted, N_THREADS * 10 * 10);
}

/* Half of them authorize with one key, half make it useless. */
static void
authorize_or_void(struct visitor *self)
{
    char key[32];
    char own[48];

    (void)snprintf(key, sizeof(key), "race %u", self->crowd->round);
    (void)snprintf(own, sizeof(own), "void %u.%u", self->number,
                   self->crowd->round);
    self->code = self->number / 2 % 2 == 0
                     ? till_authorize(self->call, key, TILL_NUMBER, 10, NULL)
                     : till_void_key(self->call, own, key);
}

CLAIM(holds_nothing_after_a_void_that_races_with_its_authorize)
{
    unsigned i;

    for (crowd.round = 0; crowd.round < 50; crowd.round++) {
        (void)crowd_run(authorize_or_void);
        for (i = 0; i < N_THREADS; i++) {
            const struct visitor *visitor = &crowd.visitors[i];

            if (i / 2 % 2 == 1) {
                till_expect(visitor->call, visitor->code, RPCRT_OK, "");
            } else if (visitor->code != RPCRT_OK) {
                till_expect(visitor->call, visitor->code,
                            RPCRT_FAILED_PRECONDITION, "PAYMENT_VOIDED");
            }
        }
        cr_assert_eq(till_card(&crowd.till, TILL_NUMBER).held, 0);
    }
}

/* Half of them take it, half let it go. */
static void
capture_or_void(struct visitor *self)
{
    const char *id = self->crowd->visitors[0].id;
    char key[32];

    (void)snprintf(key, sizeof(key), "settle %u.%u", self->number,
                   self->crowd->round);
    self->code = self->number / 2 % 2 == 0
                     ? till_capture(self->call, key, id, 0)
                     : till_void(self->call, key, id);
}

CLAIM(takes_or_lets_go_and_never_both)
{
    for (crowd.round = 0; crowd.round < 50; crowd.round++) {
        struct visitor *first = &crowd.visitors[0];
        char key[32];
        bool captured;
        unsigned i;
        int64_t before = till_merchant(&crowd.till, "red").posted;

        (void)snprintf(key, sizeof(key), "a%u", crowd.round);
        till_expect(
            first->call,
            till_authorize(first->call, key, TILL_NUMBER, 10, first->id),
            RPCRT_OK, "");
        (void)crowd_run(capture_or_void);
        captured =
            till_state(&crowd.till, first->id) == PAYMENT__V1__STATE__CAPTURED;
        for (i = 0; i < N_THREADS; i++) {
            struct visitor *visitor = &crowd.visitors[i];

            if (visitor->code != RPCRT_OK) {
                till_expect(visitor->call, visitor->code,
                            RPCRT_FAILED_PRECONDITION,
                            captured ? "PAYMENT_CAPTURED" : "PAYMENT_VOIDED");
            }
        }
        cr_assert_eq(till_merchant(&crowd.till, "red").posted - before,
                     captured ? 10 : 0);
        cr_assert_eq(till_card(&crowd.till, TILL_NUMBER).held, 0);
    }
}
