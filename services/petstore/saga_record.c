/*
 * Reading and writing an order with what belongs to it: see saga.h. Which step
 * is due is saga.c's business.
 */
#include "petstore/order_record.h"
#include "petstore/pet_record.h"
#include "petstore/saga.h"

#include <stdio.h>
#include <string.h>

const Petstore__Record__Order *
shop_saga_order(const struct shop_saga *saga)
{
    return shop_order_of(&saga->order);
}

Petstore__V1__OrderState
shop_saga_state(const struct shop_saga *saga)
{
    const Petstore__Record__Order *order = shop_saga_order(saga);

    return order == NULL ? PETSTORE__V1__ORDER_STATE__ORDER_STATE_UNSPECIFIED
                         : (Petstore__V1__OrderState)order->state;
}

/* A failure of the work. */
static enum rpcrt_code
work_failed(struct shop_saga *saga, enum rpcrt_code code)
{
    (void)snprintf(saga->text, sizeof(saga->text), "%s",
                   common_work_message(saga->work));
    return code;
}

enum rpcrt_code
shop_saga_load(struct shop_saga *saga, const char *order_id)
{
    struct common_record order = {0};
    struct common_record once = {0};
    enum rpcrt_code code;

    shop_order_read(saga->work, order_id, &order);
    if (saga->once_key != NULL) {
        common_read(saga->work, saga->once_key,
                    &petstore__record__once__descriptor, &once);
    }
    code = common_read_now(saga->work);
    if (code != RPCRT_OK) {
        return work_failed(saga, code);
    }
    if (order.message == NULL) {
        (void)snprintf(saga->text, sizeof(saga->text), "no such order");
        return RPCRT_NOT_FOUND;
    }
    saga->order = order;
    saga->pets_known = false;
    if (once.message != NULL) {
        saga->once = (const Petstore__Record__Once *)once.message;
    }
    return RPCRT_OK;
}

/* -- writing --------------------------------------------------------------- */

static enum rpcrt_code
pets_load(struct shop_saga *saga)
{
    const Petstore__Record__Order *order = shop_saga_order(saga);
    enum rpcrt_code code;
    size_t i;

    for (i = 0; i < order->n_items && i < SHOP_CART_MAX; i++) {
        shop_pet_read(saga->work, order->items[i]->pet_id, &saga->pets[i]);
    }
    code = common_read_now(saga->work);
    saga->pets_known = code == RPCRT_OK;
    return code;
}

/* Whether a pet is the order's to change: one that was AVAILABLE when the order
 * is made, and then the one that names the order. */
static bool
pet_is_ours(const struct shop_saga *saga, const Petstore__Record__Pet *pet)
{
    const Petstore__Record__Order *order = shop_saga_order(saga);

    return pet != NULL &&
           (order == NULL || strcmp(pet->order_id, order->id) == 0);
}

static void
pet_write(struct shop_saga *saga, const Petstore__Record__Order *next,
          struct common_record *record)
{
    Petstore__V1__PetStatus status =
        shop_order_pets((Petstore__V1__OrderState)next->state);
    const Petstore__Record__Pet *before = shop_pet_of(record);
    Petstore__Record__Pet *after;

    if (!pet_is_ours(saga, before)) {
        return;
    }
    after = common_work_alloc(saga->work, sizeof(*after));
    if (after == NULL) {
        return;
    }
    *after = *before;
    after->status = (uint32_t)status;
    after->order_id =
        status == PETSTORE__V1__PET_STATUS__AVAILABLE ? "" : next->id;
    common_expect(saga->work, record);
    shop_pet_put(saga->work, before, after);
    record->message = &after->base;
}

static void
pets_write(struct shop_saga *saga, const Petstore__Record__Order *next)
{
    size_t i;

    for (i = 0; i < next->n_items && i < SHOP_CART_MAX; i++) {
        pet_write(saga, next, &saga->pets[i]);
    }
}

/* After a commit. Those that it freed are not the order's own any more, and
 * nothing follows it. */
static void
pets_keep(struct shop_saga *saga)
{
    size_t i;

    for (i = 0; i < shop_saga_order(saga)->n_items && i < SHOP_CART_MAX; i++) {
        if (pet_is_ours(saga, shop_pet_of(&saga->pets[i]))) {
            saga->pets[i].revision = common_work_revision(saga->work);
        }
    }
}

static bool
pets_change(const struct shop_saga *saga, const Petstore__Record__Order *next)
{
    return shop_saga_order(saga) == NULL ||
           shop_order_pets(shop_saga_state(saga)) !=
               shop_order_pets((Petstore__V1__OrderState)next->state);
}

static void
order_put(struct shop_saga *saga, const Petstore__Record__Order *next)
{
    const char *open_key = shop_order_open_key(saga->work, next->id);

    saga->order.key = shop_order_key(saga->work, next->id);
    common_expect(saga->work, &saga->order);
    common_put(saga->work, saga->order.key, &next->base);
    if (shop_order_open((Petstore__V1__OrderState)next->state)) {
        /* Written by each step, so that its revision is the order's. */
        common_put(saga->work, open_key, NULL);
    } else {
        common_delete(saga->work, open_key);
    }
}

enum rpcrt_code
shop_saga_write(struct shop_saga *saga, const Petstore__Record__Order *next)
{
    bool change = pets_change(saga, next);
    enum rpcrt_code code = RPCRT_OK;

    if (change && !saga->pets_known) {
        code = pets_load(saga);
        if (code != RPCRT_OK) {
            return work_failed(saga, code);
        }
    }
    order_put(saga, next);
    if (change) {
        pets_write(saga, next);
    }
    code = common_commit(saga->work);
    if (code != RPCRT_OK) {
        /* The pets may have been set to what they are not. */
        saga->pets_known = false;
        return work_failed(saga, code);
    }
    saga->order.message = &next->base;
    saga->order.revision = common_work_revision(saga->work);
    if (change) {
        pets_keep(saga);
    }
    return RPCRT_OK;
}
