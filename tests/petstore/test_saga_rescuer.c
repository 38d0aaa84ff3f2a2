/*
 * What a rescuer finishes, and what it leaves alone.
 */
#include "tests/petstore/world.h"

static const struct fake_script lost_call = {FAKE_LOSE_CALL, RPCRT_OK, ""};
static const struct fake_script lost_answer = {FAKE_LOSE_ANSWER, RPCRT_OK, ""};

Test(rescuer, leaves_alone_what_moves, .timeout = 60)
{
    struct shop_rescuer *rescuer;
    struct world w;
    char id[33];

    world_start(&w);
    w.shop.options.rescue_after_ms = 3600000;
    rescuer = shop_rescuer_new(&w.shop);
    cr_assert_not_null(rescuer);
    world_pets(&w, 0, 1);
    world_order_at(&w, 0, ORDER_STATE(CAPTURING), id);
    (void)shop_rescuer_tick(rescuer);
    (void)shop_rescuer_tick(rescuer);
    cr_expect_eq(world_order_state(&w, id), ORDER_STATE(CAPTURING));
    shop_rescuer_free(rescuer);
    world_stop(&w);
}

Test(rescuer, brings_an_order_to_its_end_in_one_round, .timeout = 60)
{
    struct shop_rescuer *rescuer;
    struct world w;
    char id[33];

    world_start(&w);
    rescuer = shop_rescuer_new(&w.shop);
    cr_assert_not_null(rescuer);
    world_pets(&w, 0, 1);
    world_order_at(&w, 0, ORDER_STATE(AUTHORIZING), id);
    (void)shop_rescuer_tick(rescuer);
    cr_expect_eq(world_order_state(&w, id), ORDER_STATE(CANCELLED));
    world_audit(&w, true);
    shop_rescuer_free(rescuer);
    world_stop(&w);
}

Test(rescuer, waits_for_another_card_until_the_time_is_over, .timeout = 60)
{
    struct shop_rescuer *rescuer;
    struct world w;
    char id[33];

    world_start(&w);
    rescuer = shop_rescuer_new(&w.shop);
    cr_assert_not_null(rescuer);
    world_pets(&w, 0, 1);
    world_order_at(&w, 0, ORDER_STATE(DECLINED), id);
    (void)shop_rescuer_tick(rescuer);
    cr_expect_eq(world_order_state(&w, id), ORDER_STATE(DECLINED));
    cr_expect_eq(world_pet_status(&w, 0), PETSTORE__V1__PET_STATUS__RESERVED);
    shop_rescuer_free(rescuer);
    world_pass(w.shop.options.pay_within_ms);
    world_rescue(&w);
    cr_expect_eq(world_order_state(&w, id), ORDER_STATE(CANCELLED));
    world_audit(&w, true);
    world_stop(&w);
}

Test(rescuer, tries_again_while_the_payment_service_is_away, .timeout = 60)
{
    static const Petstore__V1__OrderState states[] = {
        ORDER_STATE(AUTHORIZING), ORDER_STATE(CAPTURING),
        ORDER_STATE(CANCELLING), ORDER_STATE(REFUNDING)};
    struct world w;
    char id[33];
    unsigned i;

    world_start(&w);
    for (i = 0; i < 4; i++) {
        world_pets(&w, i, 1);
        world_order_at(&w, i, states[i], id);
        fake_then(&w.fake, FAKE_CAPTURE, lost_call);
        fake_then(&w.fake, FAKE_VOID, lost_answer);
        fake_then(&w.fake, FAKE_REFUND, lost_answer);
        world_rescue(&w);
        fake_clear(&w.fake);
    }
    world_audit(&w, true);
    world_stop(&w);
}
