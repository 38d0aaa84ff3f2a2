/*
 * Orders in the store, and as messages: see order_record.h.
 */
#include "petstore/order_record.h"
#include "petstore/money.h"

#include <inttypes.h>

const char *
shop_order_key(struct common_work *work, const char *order_id)
{
    return common_work_format(work, "order/%s", order_id);
}

const char *
shop_order_open_key(struct common_work *work, const char *order_id)
{
    return common_work_format(work, SHOP_OPEN_PREFIX "%s", order_id);
}

const char *
shop_order_once_key(struct common_work *work, const char *user,
                    const char *idempotency_key)
{
    return common_work_format(work, "idem/%s/%s", user, idempotency_key);
}

const char *
shop_order_list_prefix(struct common_work *work, const char *user)
{
    return common_work_format(work, "orders/%s/", user);
}

const char *
shop_order_list_key(struct common_work *work,
                    const Petstore__Record__Order *order)
{
    return common_work_format(work, "orders/%s/%016" PRIx64 "/%s", order->user,
                              UINT64_MAX - (uint64_t)order->created_at_ms,
                              order->id);
}

void
shop_order_read(struct common_work *work, const char *order_id,
                struct common_record *ret_record)
{
    common_read(work, shop_order_key(work, order_id),
                &petstore__record__order__descriptor, ret_record);
}

const Petstore__Record__Order *
shop_order_of(const struct common_record *record)
{
    return (const Petstore__Record__Order *)record->message;
}

/* -- as messages ----------------------------------------------------------- */

static Petstore__V1__OrderItem *
item_message(const struct shop_service *service, struct rpcrt_ctx *ctx,
             const Petstore__Record__Item *item)
{
    Petstore__V1__OrderItem *message = rpcrt_ctx_alloc(ctx, sizeof(*message));

    if (message == NULL) {
        return NULL;
    }
    petstore__v1__order_item__init(message);
    message->pet_id = item->pet_id;
    message->species = item->species;
    message->name = item->name;
    message->price = shop_money_make(service, ctx, item->price);
    return message->price == NULL ? NULL : message;
}

static bool
items_message(const struct shop_service *service, struct rpcrt_ctx *ctx,
              const Petstore__Record__Order *record,
              Petstore__V1__Order *message)
{
    size_t i;

    message->items =
        rpcrt_ctx_alloc(ctx, record->n_items * sizeof(*message->items));
    if (message->items == NULL) {
        return false;
    }
    for (i = 0; i < record->n_items; i++) {
        message->items[i] = item_message(service, ctx, record->items[i]);
        if (message->items[i] == NULL) {
            return false;
        }
    }
    message->n_items = record->n_items;
    return true;
}

Petstore__V1__Order *
shop_order_message(const struct shop_service *service, struct rpcrt_ctx *ctx,
                   const Petstore__Record__Order *record)
{
    Petstore__V1__Order *message = rpcrt_ctx_alloc(ctx, sizeof(*message));

    if (message == NULL) {
        return NULL;
    }
    petstore__v1__order__init(message);
    message->id = record->id;
    message->state = (Petstore__V1__OrderState)record->state;
    message->total = shop_money_make(service, ctx, record->total);
    message->attempts = record->attempt;
    message->payment_id = record->payment_id;
    message->card_last4 = record->card_last4;
    message->decline_reason = record->decline_reason;
    message->decline_message = record->decline_message;
    message->created_at_ms = record->created_at_ms;
    if (message->state == PETSTORE__V1__ORDER_STATE__DECLINED) {
        message->pay_until_ms = record->pay_until_ms;
    }
    if (message->total == NULL ||
        !items_message(service, ctx, record, message)) {
        return NULL;
    }
    return message;
}
