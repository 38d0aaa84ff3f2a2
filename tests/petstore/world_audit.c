/*
 * What must be true of a world: see world.h.
 */
#include "petstore/order_record.h"
#include "petstore/pet_record.h"
#include "tests/petstore/world.h"

#include <string.h>

/* The payment of the last attempt is what the order's state says. */
static void
audit_payment(struct world *w, const Petstore__Record__Order *order)
{
    Payment__V1__State state = fake_state(&w->fake, order->id, order->attempt);
    bool captured = state == PAYMENT__V1__STATE__CAPTURED;
    bool held = state == PAYMENT__V1__STATE__AUTHORIZED;

    switch ((int)order->state) {
    case ORDER_STATE(PAID):
        cr_assert(captured, "%s is PAID, but its payment %d", order->id,
                  (int)state);
        break;
    case ORDER_STATE(REFUNDED):
        cr_assert_eq(state, PAYMENT__V1__STATE__REFUNDED);
        break;
    case ORDER_STATE(CANCELLED):
    case ORDER_STATE(DECLINED):
        cr_assert(!captured && !held, "%s is %u, but its payment %d", order->id,
                  order->state, (int)state);
        break;
    default:
        break;
    }
}

static bool
order_has(const Petstore__Record__Order *order, const char *pet_id)
{
    size_t i;

    for (i = 0; i < order->n_items; i++) {
        if (strcmp(order->items[i]->pet_id, pet_id) == 0) {
            return true;
        }
    }
    return false;
}

/* A pet is what the one order says that keeps it, and free without one. */
static void
audit_pet(const struct common_page *orders, const Petstore__Record__Pet *pet)
{
    const Petstore__Record__Order *owner = NULL;
    unsigned status = PETSTORE__V1__PET_STATUS__AVAILABLE;
    size_t i;

    for (i = 0; i < orders->n_records; i++) {
        const Petstore__Record__Order *order =
            shop_order_of(&orders->records[i]);

        if (order_has(order, pet->id) &&
            order->state != ORDER_STATE(CANCELLED) &&
            order->state != ORDER_STATE(REFUNDED)) {
            cr_assert_null(owner, "%s is in two orders", pet->id);
            owner = order;
        }
    }
    if (owner != NULL) {
        status =
            (unsigned)shop_order_pets((Petstore__V1__OrderState)owner->state);
    }
    cr_assert_eq(pet->status, status, "%s is %u instead of %u", pet->id,
                 pet->status, status);
    cr_assert_str_eq(pet->order_id, owner == NULL ? "" : owner->id);
}

void
world_audit(struct world *w, bool settled)
{
    struct common_work *work = common_work_new(w->shop.store, NULL, "audit");
    struct common_page orders =
        world_scan(work, "order/", &petstore__record__order__descriptor);
    struct common_page pets =
        world_scan(work, "pet/", &petstore__record__pet__descriptor);
    size_t n_free = 0;
    size_t n_open = 0;
    size_t i;

    for (i = 0; i < orders.n_records; i++) {
        const Petstore__Record__Order *order =
            shop_order_of(&orders.records[i]);

        audit_payment(w, order);
        n_open += shop_order_open((Petstore__V1__OrderState)order->state);
    }
    for (i = 0; i < pets.n_records; i++) {
        const Petstore__Record__Pet *pet = shop_pet_of(&pets.records[i]);

        audit_pet(&orders, pet);
        n_free += pet->status == PETSTORE__V1__PET_STATUS__AVAILABLE;
    }
    cr_assert_eq(world_scan(work, SHOP_OPEN_PREFIX, NULL).n_records, n_open);
    cr_assert_eq(world_scan(work, "list/free/newest/*", NULL).n_records,
                 n_free);
    cr_assert(!settled || n_open == 0, "%zu orders are open", n_open);
    common_work_free(work);
}
