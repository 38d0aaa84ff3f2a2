/*
 * Checkout, as customers call it.
 */
#include "tests/petstore/customer.h"

#include <string.h>

#define AVAILABLE PETSTORE__V1__PET_STATUS__AVAILABLE
#define RESERVED PETSTORE__V1__PET_STATUS__RESERVED
#define SOLD PETSTORE__V1__PET_STATUS__SOLD

static const struct fake_script lost_call = {FAKE_LOSE_CALL, RPCRT_OK, ""};
static const struct fake_script lost_answer = {FAKE_LOSE_ANSWER, RPCRT_OK, ""};
static const struct fake_script hanging = {FAKE_HANG, RPCRT_OK, ""};

/* -- paying ---------------------------------------------------------------- */

Test(checkout, sells_the_cart_in_few_round_trips, .timeout = 60)
{
    struct common_store_stats before;
    struct common_store_stats after;
    struct customer c;
    struct world w;

    customer_shop_open(&w, &c);
    common_store_get_stats(w.shop.store, &before);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    common_store_get_stats(w.shop.store, &after);
    cr_expect_eq(c.state, ORDER_STATE(PAID));
    cr_expect_eq(world_pet_status(&w, 0), SOLD);
    cr_expect_eq(world_pet_status(&w, 1), SOLD);
    cr_expect_eq(world_pet_status(&w, 2), AVAILABLE);
    cr_expect_leq(after.requests - before.requests, 6);
    world_audit(&w, true);
    /* The cart is empty now. */
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "CART_EMPTY",
                    customer_checkout(&c, "k2", FAKE_CARD, NULL));
    customer_shop_close(&w, &c);
}

Test(checkout, sells_a_full_cart, .timeout = 60)
{
    struct customer c;
    struct world w;

    customer_shop_open(&w, &c);
    world_pets(&w, 20, SHOP_CART_MAX);
    world_cart(&w, "anna", 20, SHOP_CART_MAX);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    cr_expect_eq(world_pet_status(&w, 35), SOLD);
    world_audit(&w, true);
    expect_checkout(&c, RPCRT_OK, "", customer_cancel(&c, c.order_id));
    cr_expect_eq(world_pet_status(&w, 35), AVAILABLE);
    world_audit(&w, true);
    customer_shop_close(&w, &c);
}

Test(checkout, is_done_once_for_a_key, .timeout = 60)
{
    struct customer c;
    struct world w;
    char id[33];

    customer_shop_open(&w, &c);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    memcpy(id, c.order_id, sizeof(id));
    world_cart(&w, "anna", 5, 1);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    cr_expect_str_eq(c.order_id, id);
    cr_expect_eq(c.state, ORDER_STATE(PAID));
    cr_expect_eq(world_pet_status(&w, 5), AVAILABLE);
    expect_checkout(&c, RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
                    customer_checkout(&c, "k1", FAKE_CARD, id));
    cr_expect_eq(fake_calls(&w.fake, FAKE_AUTHORIZE), 1);
    world_audit(&w, true);
    customer_shop_close(&w, &c);
}

Test(checkout, asks_for_one_total_under_a_key, .timeout = 60)
{
    Petstore__V1__Money total = PETSTORE__V1__MONEY__INIT;
    struct customer c;
    struct world w;

    customer_shop_open(&w, &c);
    c.total = &total;
    total.minor = 2 * WORLD_PRICE + 1;
    total.currency = "EUR";
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "TOTAL_CHANGED",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    total.minor--;
    total.currency = "USD";
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "TOTAL_CHANGED",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    total.currency = "EUR";
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    total.currency = "USD";
    expect_checkout(&c, RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    c.total = NULL;
    expect_checkout(&c, RPCRT_ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    customer_shop_close(&w, &c);
}

/* The key of one customer means nothing for another. */
Test(checkout, keys_are_the_customers_own, .timeout = 60)
{
    struct customer c;
    struct customer other;
    struct world w;

    customer_shop_open(&w, &c);
    customer_come(&w, "bert", &other);
    world_cart(&w, "bert", 4, 1);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    expect_checkout(&other, RPCRT_OK, "",
                    customer_checkout(&other, "k1", FAKE_CARD, NULL));
    cr_expect_str_neq(c.order_id, other.order_id);
    world_audit(&w, true);
    customer_leave(&other);
    customer_shop_close(&w, &c);
}

Test(checkout, refuses_a_pet_that_is_gone_and_names_it, .timeout = 60)
{
    struct customer c;
    struct customer other;
    struct world w;

    customer_shop_open(&w, &c);
    customer_come(&w, "bert", &other);
    world_cart(&w, "bert", 1, 1);
    expect_checkout(&other, RPCRT_OK, "",
                    customer_checkout(&other, "k1", FAKE_CARD, NULL));
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "PET_NOT_AVAILABLE",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    cr_expect_str_eq(c.pet_id, "p1");
    cr_expect_eq(world_pet_status(&w, 0), AVAILABLE);
    cr_expect_eq(fake_calls(&w.fake, FAKE_AUTHORIZE), 1);
    world_audit(&w, true);
    customer_leave(&other);
    customer_shop_close(&w, &c);
}

/* -- declined -------------------------------------------------------------- */

Test(checkout, takes_another_card_for_a_declined_order, .timeout = 60)
{
    struct customer c;
    struct world w;
    char id[33];

    customer_shop_open(&w, &c);
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                    customer_checkout(&c, "k1", FAKE_CARD_POOR, NULL));
    memcpy(id, c.order_id, sizeof(id));
    cr_expect_eq(world_order_state(&w, id), ORDER_STATE(DECLINED));
    cr_expect_eq(world_pet_status(&w, 0), RESERVED);
    world_audit(&w, false);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k2", FAKE_CARD, id));
    cr_expect_str_eq(c.order_id, id);
    cr_expect_eq(c.state, ORDER_STATE(PAID));
    world_audit(&w, true);
    /* Each key is answered as it was. */
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                    customer_checkout(&c, "k1", FAKE_CARD_POOR, NULL));
    cr_expect_str_eq(c.order_id, id);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k2", FAKE_CARD, id));
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "ORDER_NOT_DECLINED",
                    customer_checkout(&c, "k3", FAKE_CARD, id));
    customer_shop_close(&w, &c);
}

/* Nobody keeps pets for ever with cards that are no good. */
Test(checkout, with_many_bad_cards_does_not_keep_pets_longer, .timeout = 60)
{
    int64_t half_ms;
    struct customer c;
    struct world w;
    char id[33];

    customer_shop_open(&w, &c);
    half_ms = w.shop.options.pay_within_ms / 2;
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                    customer_checkout(&c, "k1", FAKE_CARD_POOR, NULL));
    memcpy(id, c.order_id, sizeof(id));
    world_pass(half_ms);
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                    customer_checkout(&c, "k2", FAKE_CARD_POOR, id));
    world_pass(half_ms);
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "ORDER_NOT_DECLINED",
                    customer_checkout(&c, "k3", FAKE_CARD, id));
    world_rescue(&w);
    cr_expect_eq(world_order_state(&w, id), ORDER_STATE(CANCELLED));
    world_audit(&w, true);
    customer_shop_close(&w, &c);
}

Test(checkout, of_an_old_key_leaves_the_next_card_alone, .timeout = 60)
{
    struct customer c;
    struct world w;
    unsigned n_calls;
    char id[33];

    customer_shop_open(&w, &c);
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                    customer_checkout(&c, "k1", FAKE_CARD_POOR, NULL));
    memcpy(id, c.order_id, sizeof(id));
    fake_then(&w.fake, FAKE_AUTHORIZE, hanging);
    rpcrt_call_set_timeout(c.call, 200);
    expect_checkout(&c, RPCRT_DEADLINE_EXCEEDED, "",
                    customer_checkout(&c, "k2", FAKE_CARD, id));
    rpcrt_call_set_timeout(c.call, WORLD_TIMEOUT_MS);
    n_calls = fake_calls(&w.fake, FAKE_AUTHORIZE);
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                    customer_checkout(&c, "k1", FAKE_CARD_POOR, NULL));
    cr_expect_eq(fake_calls(&w.fake, FAKE_AUTHORIZE), n_calls);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k2", FAKE_CARD, id));
    world_audit(&w, true);
    customer_shop_close(&w, &c);
}

Test(checkout, of_an_order_whose_time_is_over_is_refused, .timeout = 60)
{
    struct customer c;
    struct world w;
    char id[33];

    customer_shop_open(&w, &c);
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                    customer_checkout(&c, "k1", FAKE_CARD_POOR, NULL));
    memcpy(id, c.order_id, sizeof(id));
    world_pass(w.shop.options.pay_within_ms);
    world_rescue(&w);
    cr_expect_eq(world_order_state(&w, id), ORDER_STATE(CANCELLED));
    cr_expect_eq(world_pet_status(&w, 0), AVAILABLE);
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "ORDER_NOT_DECLINED",
                    customer_checkout(&c, "k2", FAKE_CARD, id));
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                    customer_checkout(&c, "k1", FAKE_CARD_POOR, NULL));
    world_audit(&w, true);
    customer_shop_close(&w, &c);
}

Test(checkout, of_somebody_elses_order_finds_none, .timeout = 60)
{
    struct customer c;
    struct customer other;
    struct world w;

    customer_shop_open(&w, &c);
    customer_come(&w, "bert", &other);
    expect_checkout(&c, RPCRT_FAILED_PRECONDITION, "INSUFFICIENT_FUNDS",
                    customer_checkout(&c, "k1", FAKE_CARD_POOR, NULL));
    expect_checkout(&other, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                    customer_checkout(&other, "k1", FAKE_CARD, c.order_id));
    expect_checkout(&other, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                    customer_cancel(&other, c.order_id));
    expect_checkout(&other, RPCRT_NOT_FOUND, "ORDER_UNKNOWN",
                    customer_checkout(&other, "k1", FAKE_CARD, "../shop"));
    customer_leave(&other);
    customer_shop_close(&w, &c);
}

/* -- answers that are lost ------------------------------------------------- */

Test(checkout, goes_on_through_lost_calls_and_answers, .timeout = 60)
{
    struct customer c;
    struct world w;

    customer_shop_open(&w, &c);
    fake_then(&w.fake, FAKE_AUTHORIZE, lost_call);
    fake_then(&w.fake, FAKE_AUTHORIZE, lost_answer);
    fake_then(&w.fake, FAKE_CAPTURE, hanging);
    fake_then(&w.fake, FAKE_CAPTURE, lost_answer);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    cr_expect_eq(fake_calls(&w.fake, FAKE_AUTHORIZE), 3);
    cr_expect_eq(fake_calls(&w.fake, FAKE_CAPTURE), 3);
    world_audit(&w, true);
    customer_shop_close(&w, &c);
}

Test(checkout, that_ran_out_of_time_is_finished_by_its_repeat, .timeout = 60)
{
    struct customer c;
    struct world w;
    char id[33];

    customer_shop_open(&w, &c);
    fake_then(&w.fake, FAKE_CAPTURE, hanging);
    fake_then(&w.fake, FAKE_CAPTURE, hanging);
    rpcrt_call_set_timeout(c.call, 200);
    expect_checkout(&c, RPCRT_DEADLINE_EXCEEDED, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    world_order_id(&w, id);
    cr_expect_eq(world_order_state(&w, id), ORDER_STATE(CAPTURING));
    rpcrt_call_set_timeout(c.call, WORLD_TIMEOUT_MS);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    cr_expect_str_eq(c.order_id, id);
    world_audit(&w, true);
    customer_shop_close(&w, &c);
}

Test(checkout, that_ran_out_of_time_before_a_hold_is_cancelled, .timeout = 60)
{
    struct customer c;
    struct world w;

    customer_shop_open(&w, &c);
    fake_then(&w.fake, FAKE_AUTHORIZE, hanging);
    rpcrt_call_set_timeout(c.call, 200);
    expect_checkout(&c, RPCRT_DEADLINE_EXCEEDED, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    world_rescue(&w);
    world_audit(&w, true);
    cr_expect_eq(world_pet_status(&w, 0), AVAILABLE);
    rpcrt_call_set_timeout(c.call, WORLD_TIMEOUT_MS);
    expect_checkout(&c, RPCRT_ABORTED, "ORDER_CANCELLED",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    world_order_id(&w, c.order_id);
    cr_expect_eq(world_order_state(&w, c.order_id), ORDER_STATE(CANCELLED));
    customer_shop_close(&w, &c);
}

/* A payment service that is away for longer than a call without a deadline
 * waits: nothing is decided. */
Test(checkout, without_a_deadline_ends_in_unavailable, .timeout = 60)
{
    struct customer c;
    struct world w;
    unsigned i;

    customer_shop_open(&w, &c);
    for (i = 0; i < FAKE_SCRIPTS_MAX; i++) {
        fake_then(&w.fake, FAKE_AUTHORIZE, hanging);
    }
    rpcrt_call_set_timeout(c.call, 0);
    expect_checkout(&c, RPCRT_UNAVAILABLE, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    cr_expect_eq(world_n_open(&w), 1);
    cr_expect_gt(fake_calls(&w.fake, FAKE_AUTHORIZE), 1);
    world_audit(&w, false);
    customer_shop_close(&w, &c);
}

Test(checkout, refused_for_good_is_cancelled, .timeout = 60)
{
    struct fake_script voided = {FAKE_REFUSE, RPCRT_FAILED_PRECONDITION,
                                 "PAYMENT_EXPIRED"};
    struct customer c;
    struct world w;

    customer_shop_open(&w, &c);
    fake_then(&w.fake, FAKE_CAPTURE, voided);
    expect_checkout(&c, RPCRT_ABORTED, "ORDER_CANCELLED",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    cr_expect_eq(world_order_state(&w, c.order_id), ORDER_STATE(CANCELLED));
    cr_expect_eq(fake_calls(&w.fake, FAKE_VOID), 1);
    world_audit(&w, true);
    customer_shop_close(&w, &c);
}

/* A payment service that hangs leaves threads for those who look around. */
Test(checkout, is_refused_above_a_limit, .timeout = 60)
{
    struct customer c;
    struct world w;
    unsigned i;

    customer_shop_open(&w, &c);
    for (i = 0; i < SHOP_PAYMENT_PLACES; i++) {
        cr_assert(shop_payment_enter(w.shop.payment));
    }
    expect_checkout(&c, RPCRT_RESOURCE_EXHAUSTED, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    shop_payment_leave(w.shop.payment);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    shop_payment_leave(w.shop.payment);
    expect_checkout(&c, RPCRT_OK, "", customer_cancel(&c, c.order_id));
    cr_assert(shop_payment_enter(w.shop.payment));
    cr_assert(shop_payment_enter(w.shop.payment));
    expect_checkout(&c, RPCRT_RESOURCE_EXHAUSTED, "",
                    customer_cancel(&c, c.order_id));
    customer_shop_close(&w, &c);
}

struct stopping {
    struct shop_payment *payment;
    pthread_t thread;
};

static void *
stop_run(void *arg)
{
    shop_payment_stop(arg);
    return NULL;
}

static void
stop_meanwhile(void *arg, enum fake_method method)
{
    struct stopping *stopping = arg;

    (void)method;
    (void)pthread_create(&stopping->thread, NULL, stop_run, stopping->payment);
}

/* The daemon does not wait for a payment service that hangs. */
Test(checkout, ends_when_the_program_ends, .timeout = 60)
{
    struct stopping stopping;
    struct customer c;
    struct world w;

    customer_shop_open(&w, &c);
    stopping.payment = w.shop.payment;
    fake_hook(&w.fake, stop_meanwhile, &stopping);
    fake_then(&w.fake, FAKE_AUTHORIZE, hanging);
    expect_checkout(&c, RPCRT_UNAVAILABLE, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    /* Not by the deadline of the try. */
    cr_expect_not_null(strstr(rpcrt_call_message(c.call), "cancel"), "%s",
                       rpcrt_call_message(c.call));
    (void)pthread_join(stopping.thread, NULL);
    cr_expect_eq(fake_calls(&w.fake, FAKE_AUTHORIZE), 1);
    cr_expect_eq(world_n_open(&w), 1);
    customer_shop_close(&w, &c);
}
