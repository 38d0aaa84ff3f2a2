/*
 * What a rescuer finishes, and what it leaves alone.
 */
#include "tests/petstore/world.h"

static const struct fake_script lost_call = {FAKE_LOSE_CALL, RPCRT_OK, ""};
static const struct fake_script lost_answer = {FAKE_LOSE_ANSWER, RPCRT_OK, ""};

/* A world with one order, and a rescuer that has not looked yet. */
struct scene {
    struct world w;
    struct shop_rescuer *rescuer;
    char order_id[33];
};

static void
scene_open(struct scene *scene, Petstore__V1__OrderState state)
{
    world_start(&scene->w);
    scene->rescuer = shop_rescuer_new(&scene->w.shop);
    cr_assert_not_null(scene->rescuer);
    world_pets(&scene->w, 0, 1);
    world_order_at(&scene->w, 0, state, scene->order_id);
}

static void
scene_close(struct scene *scene)
{
    shop_rescuer_free(scene->rescuer);
    world_stop(&scene->w);
}

Test(rescuer, leaves_alone_what_moves, .timeout = 60)
{
    struct scene s;

    scene_open(&s, ORDER_STATE(CAPTURING));
    s.w.shop.options.rescue_after_ms = 3600000;
    (void)shop_rescuer_tick(s.rescuer);
    (void)shop_rescuer_tick(s.rescuer);
    cr_expect_eq(world_order_state(&s.w, s.order_id), ORDER_STATE(CAPTURING));
    scene_close(&s);
}

Test(rescuer, brings_an_order_to_its_end_in_one_round, .timeout = 60)
{
    struct scene s;

    scene_open(&s, ORDER_STATE(AUTHORIZING));
    (void)shop_rescuer_tick(s.rescuer);
    cr_expect_eq(world_order_state(&s.w, s.order_id), ORDER_STATE(CANCELLED));
    world_audit(&s.w, true);
    scene_close(&s);
}

Test(rescuer, waits_for_another_card_until_the_time_is_over, .timeout = 60)
{
    struct scene s;

    scene_open(&s, ORDER_STATE(DECLINED));
    (void)shop_rescuer_tick(s.rescuer);
    cr_expect_eq(world_order_state(&s.w, s.order_id), ORDER_STATE(DECLINED));
    cr_expect_eq(world_pet_status(&s.w, 0), PETSTORE__V1__PET_STATUS__RESERVED);
    world_pass(s.w.shop.options.pay_within_ms);
    world_rescue(&s.w);
    cr_expect_eq(world_order_state(&s.w, s.order_id), ORDER_STATE(CANCELLED));
    world_audit(&s.w, true);
    scene_close(&s);
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
