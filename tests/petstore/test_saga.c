/*
 * The states of an order, and what each answer of the payment service makes of
 * them: as a table, and of real orders.
 */
#include "tests/petstore/world.h"

#include <string.h>

#define STATES 9u

static const char *
state_name(Petstore__V1__OrderState state)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &petstore__v1__order_state__descriptor, (int)state);

    return value == NULL ? "?" : value->name;
}

/* -- the table ------------------------------------------------------------- */

/* The picture of petstore.proto, one letter a target: Authorizing, Declined,
 * capTuring, Paid, canCelling, cancelleD (X), Refunding, refunDed (B). */
static const char letters[] = "?ADTPCXRB";

Test(order_state, has_the_edges_of_the_picture_and_no_others)
{
    /* Rows: events in their order; columns: states in theirs. */
    static const char *const rows[SHOP_EVENTS] = {
        "-T-------", /* authorized */
        "-D-------", /* declined */
        "-C-C-----", /* refused */
        "---P-----", /* captured */
        "-----X---", /* voided */
        "-----R---", /* taken */
        "-------B-", /* refunded */
        "--A------", /* new card */
        "-CC-R----"  /* given up */
    };
    unsigned event;
    unsigned state;

    for (event = 0; event < SHOP_EVENTS; event++) {
        for (state = 0; state < STATES; state++) {
            Petstore__V1__OrderState next =
                ORDER_STATE(ORDER_STATE_UNSPECIFIED);
            bool ok = shop_order_next((Petstore__V1__OrderState)state,
                                      (enum shop_event)event, &next);

            cr_expect_eq(ok ? letters[next] : '-', rows[event][state],
                         "event %u in %s", event,
                         state_name((Petstore__V1__OrderState)state));
        }
    }
}

Test(order_state, that_is_final_is_not_open)
{
    static const bool open[STATES] = {true, true,  true, true, false,
                                      true, false, true, false};
    unsigned state;

    for (state = 1; state < STATES; state++) {
        cr_expect_eq(shop_order_open((Petstore__V1__OrderState)state),
                     open[state]);
    }
}

Test(answer, decides_only_if_the_handler_decided)
{
    int origin;
    int code;

    for (origin = RPCRT_ORIGIN_HANDLER; origin <= RPCRT_ORIGIN_LOCAL;
         origin++) {
        for (code = 1; code <= RPCRT_UNAUTHENTICATED; code++) {
            bool refusal =
                code == RPCRT_INVALID_ARGUMENT || code == RPCRT_NOT_FOUND ||
                code == RPCRT_ALREADY_EXISTS ||
                code == RPCRT_PERMISSION_DENIED ||
                code == RPCRT_FAILED_PRECONDITION || code == RPCRT_OUT_OF_RANGE;

            cr_expect_eq(shop_answer_kind((enum rpcrt_code)code,
                                          (enum rpcrt_origin)origin),
                         refusal && origin == RPCRT_ORIGIN_HANDLER
                             ? SHOP_ANSWER_REFUSED
                             : SHOP_ANSWER_UNKNOWN);
        }
    }
}

/* -- real orders ----------------------------------------------------------- */

/* What a payment call does to an order in a state. */
struct outcome {
    Petstore__V1__OrderState state;
    struct fake_script script;
    Petstore__V1__OrderState then; /* the same: nothing is decided */
};

#define REFUSE(code, reason)                                                   \
    {                                                                          \
        FAKE_REFUSE, RPCRT_##code, reason                                      \
    }
#define YES                                                                    \
    {                                                                          \
        FAKE_DO, RPCRT_OK, ""                                                  \
    }
#define LOST_CALL                                                              \
    {                                                                          \
        FAKE_LOSE_CALL, RPCRT_OK, ""                                           \
    }
#define LOST_ANSWER                                                            \
    {                                                                          \
        FAKE_LOSE_ANSWER, RPCRT_OK, ""                                         \
    }

static const struct outcome outcomes[] = {
    {ORDER_STATE(AUTHORIZING), YES, ORDER_STATE(CAPTURING)},
    {ORDER_STATE(AUTHORIZING), LOST_CALL, ORDER_STATE(AUTHORIZING)},
    {ORDER_STATE(AUTHORIZING), LOST_ANSWER, ORDER_STATE(AUTHORIZING)},
    {ORDER_STATE(AUTHORIZING), REFUSE(INVALID_ARGUMENT, "CARD_NUMBER_INVALID"),
     ORDER_STATE(DECLINED)},
    {ORDER_STATE(AUTHORIZING), REFUSE(INVALID_ARGUMENT, "CARD_EXPIRY_INVALID"),
     ORDER_STATE(DECLINED)},
    {ORDER_STATE(AUTHORIZING), REFUSE(FAILED_PRECONDITION, "CARD_EXPIRED"),
     ORDER_STATE(DECLINED)},
    {ORDER_STATE(AUTHORIZING), REFUSE(FAILED_PRECONDITION, "CARD_UNKNOWN"),
     ORDER_STATE(DECLINED)},
    {ORDER_STATE(AUTHORIZING), REFUSE(FAILED_PRECONDITION, "CARD_EXPIRY_WRONG"),
     ORDER_STATE(DECLINED)},
    {ORDER_STATE(AUTHORIZING), REFUSE(FAILED_PRECONDITION, "CURRENCY_WRONG"),
     ORDER_STATE(DECLINED)},
    {ORDER_STATE(AUTHORIZING),
     REFUSE(FAILED_PRECONDITION, "INSUFFICIENT_FUNDS"), ORDER_STATE(DECLINED)},
    {ORDER_STATE(AUTHORIZING), REFUSE(FAILED_PRECONDITION, "PAYMENT_VOIDED"),
     ORDER_STATE(CANCELLING)},
    {ORDER_STATE(AUTHORIZING), REFUSE(FAILED_PRECONDITION, "PAYMENT_EXPIRED"),
     ORDER_STATE(CANCELLING)},
    {ORDER_STATE(AUTHORIZING), REFUSE(INVALID_ARGUMENT, "AMOUNT_INVALID"),
     ORDER_STATE(CANCELLING)},
    {ORDER_STATE(AUTHORIZING), REFUSE(PERMISSION_DENIED, ""),
     ORDER_STATE(CANCELLING)},
    {ORDER_STATE(AUTHORIZING), REFUSE(ABORTED, ""), ORDER_STATE(AUTHORIZING)},
    {ORDER_STATE(AUTHORIZING), REFUSE(INTERNAL, ""), ORDER_STATE(AUTHORIZING)},
    {ORDER_STATE(AUTHORIZING), REFUSE(RESOURCE_EXHAUSTED, ""),
     ORDER_STATE(AUTHORIZING)},
    {ORDER_STATE(AUTHORIZING), REFUSE(UNAUTHENTICATED, ""),
     ORDER_STATE(AUTHORIZING)},
    {ORDER_STATE(CAPTURING), YES, ORDER_STATE(PAID)},
    {ORDER_STATE(CAPTURING), LOST_CALL, ORDER_STATE(CAPTURING)},
    {ORDER_STATE(CAPTURING), LOST_ANSWER, ORDER_STATE(CAPTURING)},
    {ORDER_STATE(CAPTURING), REFUSE(FAILED_PRECONDITION, "PAYMENT_VOIDED"),
     ORDER_STATE(CANCELLING)},
    {ORDER_STATE(CAPTURING), REFUSE(FAILED_PRECONDITION, "PAYMENT_EXPIRED"),
     ORDER_STATE(CANCELLING)},
    {ORDER_STATE(CAPTURING), REFUSE(FAILED_PRECONDITION, "PAYMENT_DECLINED"),
     ORDER_STATE(CANCELLING)},
    {ORDER_STATE(CAPTURING), REFUSE(FAILED_PRECONDITION, "AMOUNT_TOO_LARGE"),
     ORDER_STATE(CANCELLING)},
    {ORDER_STATE(CAPTURING), REFUSE(INTERNAL, ""), ORDER_STATE(CAPTURING)},
    {ORDER_STATE(CAPTURING), REFUSE(NOT_FOUND, "PAYMENT_UNKNOWN"),
     ORDER_STATE(CAPTURING)},
    {ORDER_STATE(CAPTURING), REFUSE(PERMISSION_DENIED, ""),
     ORDER_STATE(CAPTURING)},
    {ORDER_STATE(CAPTURING), REFUSE(ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED"),
     ORDER_STATE(CAPTURING)},
    {ORDER_STATE(CANCELLING), YES, ORDER_STATE(CANCELLED)},
    {ORDER_STATE(CANCELLING), LOST_CALL, ORDER_STATE(CANCELLING)},
    {ORDER_STATE(CANCELLING), LOST_ANSWER, ORDER_STATE(CANCELLING)},
    {ORDER_STATE(CANCELLING), REFUSE(PERMISSION_DENIED, ""),
     ORDER_STATE(CANCELLING)},
    {ORDER_STATE(CANCELLING), REFUSE(FAILED_PRECONDITION, "PAYMENT_CAPTURED"),
     ORDER_STATE(REFUNDING)},
    {ORDER_STATE(REFUNDING), YES, ORDER_STATE(REFUNDED)},
    {ORDER_STATE(REFUNDING), LOST_CALL, ORDER_STATE(REFUNDING)},
    {ORDER_STATE(REFUNDING), LOST_ANSWER, ORDER_STATE(REFUNDING)},
    {ORDER_STATE(REFUNDING), REFUSE(FAILED_PRECONDITION, "AMOUNT_TOO_LARGE"),
     ORDER_STATE(REFUNDED)},
    {ORDER_STATE(REFUNDING), REFUSE(PERMISSION_DENIED, ""),
     ORDER_STATE(REFUNDING)},
};

static enum fake_method
method_of(Petstore__V1__OrderState state)
{
    switch ((int)state) {
    case ORDER_STATE(AUTHORIZING):
        return FAKE_AUTHORIZE;
    case ORDER_STATE(CAPTURING):
        return FAKE_CAPTURE;
    case ORDER_STATE(CANCELLING):
        return FAKE_VOID;
    default:
        return FAKE_REFUND;
    }
}

static void
try_outcome(struct world *w, unsigned pet, const struct outcome *outcome)
{
    bool decided = outcome->then != outcome->state;
    struct shop_saga saga;
    enum rpcrt_code code;
    char id[33];

    world_pets(w, pet, 1);
    world_order_at(w, pet, outcome->state, id);
    world_saga(w, NULL, true, &saga);
    cr_assert_eq(shop_saga_load(&saga, id), RPCRT_OK);
    fake_then(&w->fake, method_of(outcome->state), outcome->script);
    code = shop_saga_step(&saga);
    cr_expect_eq(code, decided ? RPCRT_OK : RPCRT_UNAVAILABLE, "%s: %s",
                 state_name(outcome->state), saga.text);
    cr_expect_eq(world_order_state(w, id), outcome->then,
                 "%s, %d %s: %s instead of %s", state_name(outcome->state),
                 (int)outcome->script.act, outcome->script.reason,
                 state_name(world_order_state(w, id)),
                 state_name(outcome->then));
    cr_expect_eq(world_pet_status(w, pet), shop_order_pets(outcome->then));
    world_saga_end(&saga);
}

Test(saga, makes_of_each_answer_what_the_table_says, .timeout = 60)
{
    struct world w;
    unsigned i;

    world_start(&w);
    for (i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        try_outcome(&w, i, &outcomes[i]);
    }
    world_stop(&w);
}

Test(saga, asks_again_under_the_same_key_after_a_lost_answer, .timeout = 60)
{
    static const Petstore__V1__OrderState states[] = {
        ORDER_STATE(AUTHORIZING), ORDER_STATE(CAPTURING),
        ORDER_STATE(CANCELLING), ORDER_STATE(REFUNDING)};
    struct world w;
    unsigned i;

    world_start(&w);
    for (i = 0; i < 4; i++) {
        struct shop_saga saga;
        char id[33];

        world_pets(&w, i, 1);
        world_order_at(&w, i, states[i], id);
        world_saga(&w, NULL, true, &saga);
        cr_assert_eq(shop_saga_load(&saga, id), RPCRT_OK);
        fake_then(&w.fake, method_of(states[i]),
                  (struct fake_script)LOST_ANSWER);
        cr_expect_eq(shop_saga_run(&saga), RPCRT_UNAVAILABLE);
        cr_expect_eq(shop_saga_run(&saga), RPCRT_OK, "%s", saga.text);
        cr_expect_eq(saga.answer.kind, SHOP_ANSWER_DONE);
        world_saga_end(&saga);
    }
    world_audit(&w, true);
    world_stop(&w);
}

/* Another merchant's token: the service has no such payment there, and says so,
 * or voids what never was. */
Test(saga, believes_no_answer_about_another_payment, .timeout = 60)
{
    static const Petstore__V1__OrderState states[] = {ORDER_STATE(CAPTURING),
                                                      ORDER_STATE(CANCELLING),
                                                      ORDER_STATE(REFUNDING)};
    struct world w;
    unsigned i;

    world_start(&w);
    for (i = 0; i < 3; i++) {
        struct shop_saga saga;
        char id[33];

        world_pets(&w, i, 1);
        world_order_at(&w, i, i == 1 ? ORDER_STATE(CAPTURING) : states[i], id);
        world_saga(&w, NULL, true, &saga);
        cr_assert_eq(shop_saga_load(&saga, id), RPCRT_OK);
        if (i == 1) {
            fake_then(&w.fake, FAKE_CAPTURE,
                      (struct fake_script)REFUSE(FAILED_PRECONDITION,
                                                 "PAYMENT_EXPIRED"));
            cr_assert_eq(shop_saga_step(&saga), RPCRT_OK);
        }
        fake_then(&w.fake, method_of(states[i]),
                  (struct fake_script){FAKE_OTHER, RPCRT_OK, ""});
        cr_expect_eq(shop_saga_step(&saga), RPCRT_UNAVAILABLE);
        cr_expect_eq(world_order_state(&w, id), states[i]);
        cr_expect_eq(shop_saga_run(&saga), RPCRT_OK, "%s", saga.text);
        world_saga_end(&saga);
    }
    world_audit(&w, true);
    world_stop(&w);
}

/* -- crashes --------------------------------------------------------------- */

/* Drive an order for n steps and leave it. */
static void
drive(struct world *w, unsigned pet, unsigned n_steps, bool give_up_then)
{
    struct shop_saga saga;
    unsigned i;

    world_saga(w, NULL, true, &saga);
    world_order(&saga, pet, 2);
    for (i = 0; i < n_steps && !shop_saga_settled(&saga); i++) {
        cr_assert_eq(shop_saga_step(&saga), RPCRT_OK, "%s", saga.text);
    }
    if (give_up_then) {
        (void)!shop_saga_give_up(&saga);
    }
    world_saga_end(&saga);
}

Test(saga, left_after_any_step_is_finished_by_a_rescuer, .timeout = 60)
{
    struct world w;
    unsigned n_steps;

    world_start(&w);
    for (n_steps = 0; n_steps < 4; n_steps++) {
        world_pets(&w, 10 * n_steps, 4);
        drive(&w, 10 * n_steps, n_steps, false);
        drive(&w, 10 * n_steps + 2, n_steps, true);
        world_rescue(&w);
        world_audit(&w, true);
        /* Without a step there is no authorization to capture. */
        cr_expect_eq(world_pet_status(&w, 10 * n_steps),
                     n_steps == 0 ? PETSTORE__V1__PET_STATUS__AVAILABLE
                                  : PETSTORE__V1__PET_STATUS__SOLD);
    }
    world_stop(&w);
}

/* A process that ends between the payment call's effect and its own commit. */
struct ending {
    struct common_store *store;
    enum fake_method method;
};

static void
end_process(void *arg, enum fake_method method)
{
    struct ending *ending = arg;

    if (method == ending->method) {
        common_store_stop(ending->store);
    }
}

static void
crash_in(struct world *w, unsigned pet, enum fake_method method)
{
    struct ending ending = {world_store(w), method};
    struct shop_saga saga;

    world_saga(w, ending.store, true, &saga);
    world_order(&saga, pet, 1);
    fake_hook(&w->fake, end_process, &ending);
    if (method == FAKE_VOID) {
        cr_assert_eq(shop_saga_give_up(&saga), RPCRT_OK);
    }
    if (method == FAKE_REFUND) {
        cr_assert_eq(shop_saga_run(&saga), RPCRT_OK);
        cr_assert_eq(shop_saga_give_up(&saga), RPCRT_OK);
    }
    cr_expect_eq(shop_saga_run(&saga), RPCRT_CANCELLED, "%s", saga.text);
    fake_hook(&w->fake, NULL, NULL);
    world_saga_end(&saga);
    common_store_close(ending.store);
}

Test(saga, that_dies_between_payment_and_commit_is_finished, .timeout = 60)
{
    static const Petstore__V1__PetStatus ends[FAKE_METHODS] = {
        PETSTORE__V1__PET_STATUS__AVAILABLE, PETSTORE__V1__PET_STATUS__SOLD,
        PETSTORE__V1__PET_STATUS__AVAILABLE,
        PETSTORE__V1__PET_STATUS__AVAILABLE};
    struct world w;
    unsigned method;

    world_start(&w);
    for (method = 0; method < FAKE_METHODS; method++) {
        world_pets(&w, method, 1);
        crash_in(&w, method, (enum fake_method)method);
        cr_expect_eq(world_n_open(&w), 1);
        world_rescue(&w);
        world_audit(&w, true);
        cr_expect_eq(world_pet_status(&w, method), ends[method]);
    }
    world_stop(&w);
}

Test(saga, whose_authorize_arrives_after_its_void_holds_nothing, .timeout = 60)
{
    struct shop_saga late;
    struct world w;
    char id[33];

    world_start(&w);
    world_pets(&w, 0, 1);
    world_order_at(&w, 0, ORDER_STATE(AUTHORIZING), id);
    world_saga(&w, NULL, true, &late);
    cr_assert_eq(shop_saga_load(&late, id), RPCRT_OK);
    world_rescue(&w);
    cr_expect_eq(world_order_state(&w, id), ORDER_STATE(CANCELLED));
    /* The paused one goes on. */
    cr_expect_eq(shop_saga_run(&late), RPCRT_OK, "%s", late.text);
    cr_expect_eq(shop_saga_state(&late), ORDER_STATE(CANCELLED));
    world_saga_end(&late);
    world_audit(&w, true);
    world_stop(&w);
}
