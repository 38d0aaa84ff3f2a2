/*
 * CancelOrder and ListOrders, as customers call them.
 */
#include "tests/petstore/customer.h"

#include <stdio.h>
#include <string.h>

static const struct fake_script lost_call = {FAKE_LOSE_CALL, RPCRT_OK, ""};
static const struct fake_script lost_answer = {FAKE_LOSE_ANSWER, RPCRT_OK, ""};

#define AVAILABLE PETSTORE__V1__PET_STATUS__AVAILABLE
#define RESERVED PETSTORE__V1__PET_STATUS__RESERVED

/* Make the driver's order the customer's. */
static void
cancel_at(struct world *w, struct customer *c, unsigned pet,
          Petstore__V1__OrderState state)
{
    char id[33];

    world_order_at(w, pet, state, id);
    if (state == ORDER_STATE(CAPTURING)) {
        expect_checkout(c, RPCRT_FAILED_PRECONDITION, "ORDER_BEING_PAID",
                        customer_cancel(c, id));
        cr_expect_eq(world_order_state(w, id), state);
        cr_expect_eq(world_pet_status(w, pet), RESERVED);
        return;
    }
    expect_checkout(c, RPCRT_OK, "", customer_cancel(c, id));
    cr_expect_eq(c->state, state == ORDER_STATE(PAID) ||
                                   state == ORDER_STATE(REFUNDING) ||
                                   state == ORDER_STATE(REFUNDED)
                               ? ORDER_STATE(REFUNDED)
                               : ORDER_STATE(CANCELLED));
    cr_expect_eq(world_order_state(w, id), c->state);
    cr_expect_eq(world_pet_status(w, pet), AVAILABLE);
}

Test(cancel, works_in_each_state_but_while_money_is_taken, .timeout = 60)
{
    struct customer driver;
    struct customer c;
    struct world w;
    unsigned state;

    customer_shop_open(&w, &c);
    customer_come(&w, "driver", &driver);
    for (state = ORDER_STATE(AUTHORIZING); state <= ORDER_STATE(REFUNDED);
         state++) {
        cancel_at(&w, &driver, state, (Petstore__V1__OrderState)state);
    }
    world_rescue(&w);
    world_audit(&w, true);
    customer_leave(&driver);
    customer_shop_close(&w, &c);
}

Test(cancel, goes_on_until_the_money_is_back, .timeout = 60)
{
    struct customer c;
    struct world w;

    customer_shop_open(&w, &c);
    expect_checkout(&c, RPCRT_OK, "",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    fake_then(&w.fake, FAKE_REFUND, lost_call);
    fake_then(&w.fake, FAKE_REFUND, lost_answer);
    expect_checkout(&c, RPCRT_OK, "", customer_cancel(&c, c.order_id));
    cr_expect_eq(c.state, ORDER_STATE(REFUNDED));
    world_audit(&w, true);
    expect_checkout(&c, RPCRT_ABORTED, "ORDER_CANCELLED",
                    customer_checkout(&c, "k1", FAKE_CARD, NULL));
    customer_shop_close(&w, &c);
}

/* -- lists ----------------------------------------------------------------- */

Test(orders, are_listed_from_the_newest_page_by_page, .timeout = 60)
{
    Petstore__V1__ListOrdersRequest request =
        PETSTORE__V1__LIST_ORDERS_REQUEST__INIT;
    const Petstore__V1__ListOrdersReply *reply = NULL;
    char ids[5][33];
    char token[512] = "";
    struct customer c;
    struct world w;
    char key[4];
    unsigned n = 0;
    unsigned i;

    customer_shop_open(&w, &c);
    for (i = 0; i < 5; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        world_cart(&w, "anna", i, 1);
        expect_checkout(&c, RPCRT_OK, "",
                        customer_checkout(&c, key, FAKE_CARD, NULL));
        memcpy(ids[4 - i], c.order_id, sizeof(ids[0]));
        world_pass(10);
    }
    request.page_size = 2;
    do {
        request.page_token = token;
        cr_assert_eq(petstore_list_orders(c.call, &request, &reply), RPCRT_OK,
                     "%s", rpcrt_call_message(c.call));
        for (i = 0; i < reply->n_orders; i++) {
            cr_assert_lt(n, 5);
            cr_expect_str_eq(reply->orders[i]->id, ids[n]);
            n++;
        }
        (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
    } while (token[0] != '\0');
    cr_expect_eq(n, 5);
    request.page_token = "nonsense";
    cr_expect_eq(petstore_list_orders(c.call, &request, &reply),
                 RPCRT_INVALID_ARGUMENT);
    customer_shop_close(&w, &c);
}
