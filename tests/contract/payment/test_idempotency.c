/*
 * Idempotency keys, as payment.proto promises them: a call is done once, a
 * repeat is answered alike, and a key stands for one call alone.
 */
#include "tests/contract/payment/contract.h"

#include "tests/support/probe.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* What the changing methods are tried on; each with a payment of its own. */
struct scene {
    struct card card;  /* with 1000 EUR cents, 500 of them held */
    struct card fresh; /* not issued yet */
    struct contract_payment held;
    struct contract_payment to_void;
    struct contract_payment to_capture;
    struct contract_payment captured;
    int variant; /* 0: as the first time; else another parameter */
};

typedef enum rpcrt_code change_fn(struct contract *c, const struct scene *scene,
                                  const char *key);

static enum rpcrt_code
issue(struct contract *c, const struct scene *scene, const char *key)
{
    struct card card = scene->fresh;

    if (scene->variant == 3) {
        card_make("4", 16, &card);
    }
    card.month -= scene->variant == 4 ? 1 : 0;
    return contract_issue(c, OPERATOR, key, &card, scene->variant == 1 ? 8 : 7,
                          scene->variant == 2 ? "USD" : "EUR");
}

static enum rpcrt_code
authorize(struct contract *c, const struct scene *scene, const char *key)
{
    struct card card = scene->card;

    if (scene->variant == 3) {
        card_make("4", 16, &card);
    }
    card.month -= scene->variant == 4 ? 1 : 0;
    return contract_authorize(c, RED, key, &card, scene->variant == 1 ? 8 : 7,
                              scene->variant == 2 ? "USD" : "EUR");
}

static enum rpcrt_code
capture(struct contract *c, const struct scene *scene, const char *key)
{
    return contract_capture(c, RED, key,
                            scene->variant == 2 ? scene->held.id
                                                : scene->to_capture.id,
                            scene->variant == 1 ? 8 : 7);
}

static enum rpcrt_code
cancel(struct contract *c, const struct scene *scene, const char *key)
{
    if (scene->variant == 2) {
        return contract_void_key(c, RED, key, scene->to_void.key);
    }
    return contract_void(
        c, RED, key, scene->variant == 1 ? scene->held.id : scene->to_void.id);
}

static enum rpcrt_code
refund(struct contract *c, const struct scene *scene, const char *key)
{
    return contract_refund(c, RED, key,
                           scene->variant == 2 ? scene->to_capture.id
                                               : scene->captured.id,
                           scene->variant == 1 ? 8 : 7);
}

static const struct change {
    const char *method;
    change_fn *fn;
    enum contract_who who;
    int n_variants;
} changes[] = {{"IssueCard", issue, OPERATOR, 4},
               {"Authorize", authorize, RED, 4},
               {"Capture", capture, RED, 2},
               {"Void", cancel, RED, 2},
               {"Refund", refund, RED, 2}};

#define N_CHANGES (sizeof(changes) / sizeof(changes[0]))

static void
scene_make(struct contract *c, struct scene *scene)
{
    struct contract_payment *payments[] = {
        &scene->held, &scene->to_void, &scene->to_capture, &scene->captured};
    size_t i;

    memset(scene, 0, sizeof(*scene));
    scene->card = contract_card(c, 1000, "EUR");
    card_make("4", 16, &scene->fresh);
    for (i = 0; i < 4; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "scene%zu", i);
        expect_done(c, RED,
                    contract_authorize(c, RED, contract_key(c, name),
                                       &scene->card, 100, "EUR"));
        *payments[i] = c->payment;
    }
    expect_done(c, RED,
                contract_capture(c, RED, contract_key(c, "take"),
                                 scene->captured.id, 0));
}

/* Every method that is not declared to change nothing has a row. */
CONTRACT(every_method_that_changes_something_is_tried)
{
    size_t i;
    size_t j;

    (void)c;
    for (i = 0; i < payment_rpc.n_methods; i++) {
        const struct rpcrt_method *method = &payment_rpc.methods[i];
        bool found = (method->flags & RPCRT_METHOD_NO_SIDE_EFFECTS) != 0;

        for (j = 0; j < N_CHANGES; j++) {
            found = found || strcmp(strrchr(method->path, '/') + 1,
                                    changes[j].method) == 0;
        }
        cr_assert(found, "%s", method->path);
    }
}

CONTRACT(a_repeat_is_answered_alike_and_does_nothing)
{
    struct scene scene;
    size_t i;

    scene_make(c, &scene);
    for (i = 0; i < N_CHANGES; i++) {
        const char *key = contract_key(c, changes[i].method);
        struct contract_payment first;
        struct contract_money money;
        int64_t merchant;
        int n;

        memset(&c->payment, 0, sizeof(c->payment));
        expect_done(c, changes[i].who, changes[i].fn(c, &scene, key));
        first = c->payment;
        money = contract_card_money(c, &scene.card);
        merchant = contract_merchant_money(c, RED, "EUR");
        for (n = 0; n < 3; n++) {
            expect_done(c, changes[i].who, changes[i].fn(c, &scene, key));
            contract_expect_same(c, &first, &c->payment);
        }
        cr_assert_eq(contract_card_money(c, &scene.card).posted, money.posted);
        cr_assert_eq(contract_card_money(c, &scene.card).held, money.held);
        cr_assert_eq(contract_merchant_money(c, RED, "EUR"), merchant);
    }
}

CONTRACT(a_key_with_another_parameter_is_refused)
{
    struct scene scene;
    size_t i;

    scene_make(c, &scene);
    for (i = 0; i < N_CHANGES; i++) {
        const char *key = contract_key(c, changes[i].method);

        scene.variant = 0;
        expect_done(c, changes[i].who, changes[i].fn(c, &scene, key));
        for (scene.variant = 1; scene.variant <= changes[i].n_variants;
             scene.variant++) {
            expect_refused(c, changes[i].who, RPCRT_ALREADY_EXISTS,
                           "IDEMPOTENCY_KEY_REUSED",
                           changes[i].fn(c, &scene, key));
        }
        scene.variant = 0;
        expect_done(c, changes[i].who, changes[i].fn(c, &scene, key));
    }
}

CONTRACT(the_reference_is_a_parameter_too)
{
    Payment__V1__AuthorizeRequest request =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;
    const Payment__V1__AuthorizeReply *reply;
    struct card card = contract_card(c, 1000, "EUR");

    part.number = card.number;
    part.expiry_month = card.month;
    part.expiry_year = card.year;
    money.minor = 5;
    money.currency = "EUR";
    request.idempotency_key = contract_key(c, "a");
    request.card = &part;
    request.amount = &money;
    request.reference = "one";
    expect_done(c, RED,
                payment_authorize(contract_as(c, RED), &request, &reply));
    request.reference = "two";
    expect_refused(c, RED, RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
                   payment_authorize(contract_as(c, RED), &request, &reply));
    request.reference = "one";
    expect_done(c, RED,
                payment_authorize(contract_as(c, RED), &request, &reply));
}

/* Parameters of neighbouring fields must not run into each other. */
CONTRACT(parameters_are_compared_field_by_field)
{
    Payment__V1__AuthorizeRequest request =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;
    const Payment__V1__AuthorizeReply *reply;
    struct card card = contract_card(c, 1000, "EUR");

    part.number = card.number;
    part.expiry_month = card.month;
    part.expiry_year = card.year;
    money.minor = 1;
    money.currency = "EUR";
    request.idempotency_key = contract_key(c, "a");
    request.card = &part;
    request.amount = &money;
    request.reference = "23";
    expect_done(c, RED,
                payment_authorize(contract_as(c, RED), &request, &reply));
    money.minor = 12;
    request.reference = "3";
    expect_refused(c, RED, RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
                   payment_authorize(contract_as(c, RED), &request, &reply));
}

/* A number is the same number with blanks. */
CONTRACT(blanks_in_the_number_make_no_other_call)
{
    struct card card = contract_card(c, 1000, "EUR");
    struct card spaced = card;
    struct contract_payment first;

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 5, "EUR"));
    first = c->payment;
    (void)snprintf(spaced.number, sizeof(spaced.number), "%.8s %.8s",
                   card.number, card.number + 8);
    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &spaced, 5, "EUR"));
    contract_expect_same(c, &first, &c->payment);
}

CONTRACT(a_key_of_another_method_is_refused)
{
    struct scene scene;
    size_t i;
    size_t j;

    scene_make(c, &scene);
    for (i = 0; i < N_CHANGES; i++) {
        const char *key = contract_key(c, changes[i].method);

        expect_done(c, changes[i].who, changes[i].fn(c, &scene, key));
        for (j = 0; j < N_CHANGES; j++) {
            if (i != j && changes[i].who == changes[j].who) {
                expect_refused(c, changes[j].who, RPCRT_ALREADY_EXISTS,
                               "IDEMPOTENCY_KEY_REUSED",
                               changes[j].fn(c, &scene, key));
            }
        }
    }
}

CONTRACT(merchants_may_use_the_same_key)
{
    struct card card = contract_card(c, 1000, "EUR");
    char id[40];

    expect_done(
        c, RED,
        contract_authorize(c, RED, contract_key(c, "a"), &card, 5, "EUR"));
    (void)snprintf(id, sizeof(id), "%s", c->payment.id);
    expect_done(
        c, BLUE,
        contract_authorize(c, BLUE, contract_key(c, "a"), &card, 7, "EUR"));
    cr_assert_str_neq(c->payment.id, id);
    cr_assert_eq(c->payment.amount, 7);
    cr_assert_eq(contract_card_money(c, &card).held, 12);
}

CONTRACT(a_repeat_tells_the_payment_as_it_is_by_then)
{
    struct scene scene;
    char id[40];

    scene_make(c, &scene);
    expect_done(c, RED, authorize(c, &scene, contract_key(c, "a")));
    (void)snprintf(id, sizeof(id), "%s", c->payment.id);
    expect_done(c, RED, contract_capture(c, RED, contract_key(c, "b"), id, 0));
    expect_done(c, RED, authorize(c, &scene, contract_key(c, "a")));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__CAPTURED);
    cr_assert_str_eq(c->payment.id, id);
    expect_done(c, RED, contract_refund(c, RED, contract_key(c, "c"), id, 0));
    expect_done(c, RED, contract_capture(c, RED, contract_key(c, "b"), id, 0));
    cr_assert_eq(c->payment.state, PAYMENT__V1__STATE__REFUNDED);
    expect_done(c, RED, contract_refund(c, RED, contract_key(c, "c"), id, 0));
    cr_assert_eq(c->payment.refunded, 7);
}

/* -- keys ------------------------------------------------------------------ */

CONTRACT(keys_are_1_to_64_printable_ascii_characters)
{
    static const char *const wrong[] = {"",      "a\n",         "\x7f",
                                        "a\tb",  "caf\xc3\xa9", "\x01",
                                        "a\x1f", "\xe2\x98\x83"};
    struct scene scene;
    char longest[66];
    size_t i;
    size_t j;

    scene_make(c, &scene);
    memset(longest, 'k', sizeof(longest) - 1);
    longest[65] = '\0';
    for (i = 0; i < N_CHANGES; i++) {
        for (j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
            expect_refused(c, changes[i].who, RPCRT_INVALID_ARGUMENT,
                           "IDEMPOTENCY_KEY_INVALID",
                           changes[i].fn(c, &scene, wrong[j]));
        }
        expect_refused(c, changes[i].who, RPCRT_INVALID_ARGUMENT,
                       "IDEMPOTENCY_KEY_INVALID",
                       changes[i].fn(c, &scene, longest));
    }
    expect_refused(c, RED, RPCRT_INVALID_ARGUMENT, "IDEMPOTENCY_KEY_INVALID",
                   contract_void_key(c, RED, contract_key(c, "v"), longest));
    cr_assert_eq(contract_card_money(c, &scene.card).held, 300);
}

CONTRACT(keys_have_any_printable_character)
{
    struct card card = contract_card(c, 1000, "EUR");
    char key[65];
    int i;

    for (i = 0; i < 2; i++) {
        int j;

        (void)snprintf(key, sizeof(key), "%s", c->prefix);
        for (j = (int)strlen(key); j < 64; j++) {
            key[j] = (char)(' ' + i * 47 + (j - 16));
        }
        key[64] = '\0';
        expect_done(c, RED, contract_authorize(c, RED, key, &card, 5, "EUR"));
        cr_assert_str_eq(c->payment.key, key);
        expect_done(c, RED, contract_authorize(c, RED, key, &card, 5, "EUR"));
    }
    cr_assert_eq(contract_card_money(c, &card).held, 10);
}

CONTRACT(a_reference_has_up_to_64_characters)
{
    Payment__V1__AuthorizeRequest request =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;
    const Payment__V1__AuthorizeReply *reply;
    struct card card = contract_card(c, 1000, "EUR");
    char reference[64 * 2 + 2] = "";
    int i;

    part.number = card.number;
    part.expiry_month = card.month;
    part.expiry_year = card.year;
    money.minor = 5;
    money.currency = "EUR";
    request.idempotency_key = contract_key(c, "a");
    request.card = &part;
    request.amount = &money;
    request.reference = reference;
    for (i = 0; i < 64; i++) {
        (void)strcat(reference, "\xc3\xa9");
    }
    (void)strcat(reference, "x");
    expect_call(c, contract_as(c, RED), RPCRT_INVALID_ARGUMENT,
                payment_authorize(contract_as(c, RED), &request, &reply));
    request.reference = "order\n7";
    expect_call(c, contract_as(c, RED), RPCRT_INVALID_ARGUMENT,
                payment_authorize(contract_as(c, RED), &request, &reply));
    request.reference = reference;
    reference[64 * 2] = '\0';
    expect_done(c, RED,
                payment_authorize(contract_as(c, RED), &request, &reply));
    cr_assert_str_eq(reply->payment->reference, reference);
}

/* -- at once --------------------------------------------------------------- */

#define N_AT_ONCE 8

CONTRACT(repeats_at_the_same_time_are_done_once)
{
    Payment__V1__AuthorizeRequest request =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__Card part = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;
    struct card card = contract_card(c, 1000, "EUR");
    struct rpcrt_call *calls[N_AT_ONCE];
    const char *token = target_secret(&c->target, "red", "CONTRACT_TOKEN_FILE");
    char id[40] = "";
    atomic_uint n_done = 0;
    int i;

    part.number = card.number;
    part.expiry_month = card.month;
    part.expiry_year = card.year;
    money.minor = 5;
    money.currency = "EUR";
    request.idempotency_key = contract_key(c, "a");
    request.card = &part;
    request.amount = &money;
    for (i = 0; i < N_AT_ONCE; i++) {
        calls[i] = target_call(&c->target, c->channel, token);
        payment_authorize_start(calls[i], &request, bed_done, &n_done);
    }
    bed_await(&n_done, N_AT_ONCE);
    for (i = 0; i < N_AT_ONCE; i++) {
        const Payment__V1__AuthorizeReply *reply;

        expect_call(c, calls[i], RPCRT_OK,
                    payment_authorize_take(calls[i], &reply));
        cr_assert(id[0] == '\0' || strcmp(id, reply->payment->id) == 0);
        (void)snprintf(id, sizeof(id), "%s", reply->payment->id);
    }
    cr_assert_eq(contract_card_money(c, &card).held, 5);
}
