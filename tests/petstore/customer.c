/*
 * A customer of a world's shop: see customer.h.
 */
#include "tests/petstore/customer.h"

#include "petstore/session.h"

#include <stdio.h>
#include <string.h>

void
customer_come(struct world *w, const char *name, struct customer *ret_c)
{
    struct common_work *work = common_work_new(w->shop.store, NULL, "test");
    struct shop_user user = {.name = name};
    char token[SHOP_TOKEN_SIZE];
    char value[SHOP_TOKEN_SIZE + 8];

    memset(ret_c, 0, sizeof(*ret_c));
    ret_c->w = w;
    (void)snprintf(ret_c->name, sizeof(ret_c->name), "%s", name);
    (void)shop_session_open(&w->shop, work, &user, token);
    cr_assert_eq(common_commit(work), RPCRT_OK, "%s",
                 common_work_message(work));
    common_work_free(work);
    cr_assert_eq(rpcrt_call_new(w->channel, WORLD_TIMEOUT_MS, &ret_c->call),
                 RPCRT_OK);
    (void)snprintf(value, sizeof(value), "Bearer %s", token);
    cr_assert_eq(
        rpcrt_call_set_metadata_text(ret_c->call, "authorization", value),
        RPCRT_OK);
}

void
customer_leave(struct customer *c)
{
    rpcrt_call_free(c->call);
}

static void
keep(char *to, size_t size, const char *text)
{
    (void)snprintf(to, size, "%s", text == NULL ? "" : text);
}

static void
outcome_take(struct customer *c, const Petstore__V1__Order *order)
{
    struct rpcrt_error_info info;

    c->reason[0] = '\0';
    c->pet_id[0] = '\0';
    c->state = ORDER_STATE(ORDER_STATE_UNSPECIFIED);
    if (order != NULL) {
        c->state = order->state;
        keep(c->order_id, sizeof(c->order_id), order->id);
    } else if (rpcrt_call_error_info(c->call, &info)) {
        keep(c->reason, sizeof(c->reason), info.reason);
        keep(c->order_id, sizeof(c->order_id),
             rpcrt_error_info_get(&info, "order_id"));
        keep(c->pet_id, sizeof(c->pet_id),
             rpcrt_error_info_get(&info, "pet_id"));
    }
}

enum rpcrt_code
customer_checkout(struct customer *c, const char *key, const char *card,
                  const char *order_id)
{
    Petstore__V1__CheckoutRequest request =
        PETSTORE__V1__CHECKOUT_REQUEST__INIT;
    const Petstore__V1__CheckoutReply *reply = NULL;
    Petstore__V1__Card with = PETSTORE__V1__CARD__INIT;
    Petstore__V1__Money money = PETSTORE__V1__MONEY__INIT;
    enum rpcrt_code code;

    with.number = card;
    with.expiry_month = 12;
    with.expiry_year = 2090;
    request.idempotency_key = key;
    request.card = &with;
    money = c->total == NULL ? money : *c->total;
    request.total = c->total == NULL ? NULL : &money;
    request.order_id = order_id == NULL ? "" : order_id;
    code = petstore_checkout(c->call, &request, &reply);
    outcome_take(c, code == RPCRT_OK ? reply->order : NULL);
    return code;
}

enum rpcrt_code
customer_cancel(struct customer *c, const char *order_id)
{
    Petstore__V1__CancelOrderRequest request =
        PETSTORE__V1__CANCEL_ORDER_REQUEST__INIT;
    const Petstore__V1__CancelOrderReply *reply = NULL;
    enum rpcrt_code code;

    request.order_id = order_id;
    code = petstore_cancel_order(c->call, &request, &reply);
    outcome_take(c, code == RPCRT_OK ? reply->order : NULL);
    return code;
}

void
customer_shop_open(struct world *w, struct customer *ret_c)
{
    world_start(w);
    world_pets(w, 0, 10);
    customer_come(w, "anna", ret_c);
    world_cart(w, "anna", 0, 2);
}

void
customer_shop_close(struct world *w, struct customer *c)
{
    customer_leave(c);
    world_stop(w);
}
