/*
 * How a checkout finds or makes its order: see checkout_inner.h.
 */
#include "petstore/checkout_inner.h"
#include "common/ids.h"
#include "petstore/order_record.h"
#include "petstore/pet_record.h"
#include "petstore/refuse.h"

#include <inttypes.h>
#include <string.h>

/* What stands there when a checkout begins. */
struct found {
    struct common_record once;
    struct common_record cart;
    struct common_record order; /* that the request names */
};

static enum rpcrt_code
saga_failed(const struct shop_checkout *checkout, enum rpcrt_code code)
{
    return rpcrt_ctx_fail(checkout->ctx, code, "%s", checkout->saga.text);
}

/* -- a purchase that was begun before -------------------------------------- */

/* As text in the work's memory; NULL without. */
static const char *
asked_total(const struct shop_checkout *checkout)
{
    const Petstore__V1__Money *total = checkout->request->total;

    return total == NULL ? ""
                         : common_work_format(checkout->work, "%" PRId64 " %s",
                                              total->minor, total->currency);
}

static enum rpcrt_code
again(struct shop_checkout *checkout, const struct found *found)
{
    const Petstore__Record__Once *once =
        (const Petstore__Record__Once *)found->once.message;
    const char *total = asked_total(checkout);
    enum rpcrt_code code;

    if (total == NULL) {
        return common_work_fail(checkout->work, checkout->ctx);
    }
    if (strcmp(once->asked_order_id, checkout->request->order_id) != 0 ||
        strcmp(once->asked_total, total) != 0) {
        return shop_refuse(checkout->ctx, RPCRT_ALREADY_EXISTS,
                           PETSTORE__V1__REASON__IDEMPOTENCY_KEY_REUSED,
                           "the idempotency key stands for another purchase");
    }
    checkout->saga.attempt = once->attempt;
    code = shop_saga_load(&checkout->saga, once->order_id);
    return code == RPCRT_OK ? code : saga_failed(checkout, code);
}

/* -- a new one ------------------------------------------------------------- */

/* The key stands for this order and attempt from the next commit on. */
static void
once_put(struct shop_checkout *checkout, const struct found *found,
         const Petstore__Record__Order *order)
{
    Petstore__Record__Once *once =
        common_work_alloc(checkout->work, sizeof(*once));

    if (once == NULL) {
        return;
    }
    petstore__record__once__init(once);
    once->order_id = order->id;
    once->attempt = order->attempt;
    once->asked_order_id = checkout->request->order_id;
    once->asked_total = asked_total(checkout);
    common_expect(checkout->work, &found->once);
    common_put(checkout->work, checkout->saga.once_key, &once->base);
    checkout->saga.once = once;
    checkout->saga.attempt = order->attempt;
}

static enum rpcrt_code
total_check(const struct shop_checkout *checkout, int64_t total)
{
    const Petstore__V1__Money *asked = checkout->request->total;
    const char *currency = checkout->service->options.currency;

    if (asked == NULL ||
        (asked->minor == total && strcmp(asked->currency, currency) == 0)) {
        return RPCRT_OK;
    }
    return shop_refuse(checkout->ctx, RPCRT_FAILED_PRECONDITION,
                       PETSTORE__V1__REASON__TOTAL_CHANGED,
                       "the order costs %" PRId64 " minor units of %s", total,
                       currency);
}

static enum rpcrt_code
written(struct shop_checkout *checkout, const Petstore__Record__Order *order)
{
    enum rpcrt_code code = shop_saga_write(&checkout->saga, order);

    if (code == RPCRT_OK || code == RPCRT_ABORTED) {
        return code;
    }
    return saga_failed(checkout, code);
}

/* Another card for an order that was declined. */
static enum rpcrt_code
another_card(struct shop_checkout *checkout, const struct found *found)
{
    const Petstore__Record__Order *order = shop_order_of(&found->order);
    Petstore__Record__Order *next;
    enum rpcrt_code code;

    if (order == NULL || strcmp(order->user, checkout->user) != 0) {
        return shop_refuse_order_unknown(checkout->ctx);
    }
    if (order->state != PETSTORE__V1__ORDER_STATE__DECLINED ||
        order->pay_until_ms <= shop_now_ms(checkout->service)) {
        return shop_refuse(checkout->ctx, RPCRT_FAILED_PRECONDITION,
                           PETSTORE__V1__REASON__ORDER_NOT_DECLINED,
                           "the order does not wait for another card");
    }
    code = total_check(checkout, order->total);
    if (code != RPCRT_OK) {
        return code;
    }
    next = common_work_alloc(checkout->work, sizeof(*next));
    if (next == NULL) {
        return common_work_fail(checkout->work, checkout->ctx);
    }
    *next = *order;
    next->state = PETSTORE__V1__ORDER_STATE__AUTHORIZING;
    next->attempt++;
    next->decline_code = 0;
    next->decline_reason = "";
    next->decline_message = "";
    next->call_id = rpcrt_ctx_call_id(checkout->ctx);
    checkout->saga.order = found->order;
    once_put(checkout, found, next);
    return written(checkout, next);
}

/* -- an order of the cart -------------------------------------------------- */

static enum rpcrt_code
pet_refused(const struct shop_checkout *checkout, const char *pet_id)
{
    enum rpcrt_code code =
        shop_refuse(checkout->ctx, RPCRT_FAILED_PRECONDITION,
                    PETSTORE__V1__REASON__PET_NOT_AVAILABLE,
                    "pet '%s' is not available any more", pet_id);

    rpcrt_ctx_refuse_with(checkout->ctx, "pet_id", pet_id);
    return code;
}

static enum rpcrt_code
cart_empty(const struct shop_checkout *checkout)
{
    return shop_refuse(checkout->ctx, RPCRT_FAILED_PRECONDITION,
                       PETSTORE__V1__REASON__CART_EMPTY, "the cart is empty");
}

/* Read the pets of the cart into the saga. Those that were taken out of the
 * shop are left out, as GetCart leaves them out. ABORTED if meanwhile another
 * try of this call made the order: then that one has the pets. */
static enum rpcrt_code
pets_read(struct shop_checkout *checkout, const Petstore__Record__Cart *cart,
          size_t *ret_n_pets)
{
    struct common_record *pets = checkout->saga.pets;
    struct common_record once = {0};
    size_t n_pets = 0;
    size_t i;

    common_read(checkout->work, checkout->saga.once_key,
                &petstore__record__once__descriptor, &once);
    for (i = 0; i < cart->n_pet_ids && i < SHOP_CART_MAX; i++) {
        shop_pet_read(checkout->work, cart->pet_ids[i], &pets[i]);
    }
    if (common_read_now(checkout->work) != RPCRT_OK) {
        return common_work_fail(checkout->work, checkout->ctx);
    }
    if (once.message != NULL) {
        return RPCRT_ABORTED;
    }
    for (i = 0; i < cart->n_pet_ids && i < SHOP_CART_MAX; i++) {
        const Petstore__Record__Pet *pet = shop_pet_of(&pets[i]);

        if (pet == NULL) {
            continue;
        }
        if (pet->status != PETSTORE__V1__PET_STATUS__AVAILABLE) {
            return pet_refused(checkout, pet->id);
        }
        pets[n_pets++] = pets[i];
    }
    if (n_pets == 0) {
        return cart_empty(checkout);
    }
    checkout->saga.pets_known = true;
    *ret_n_pets = n_pets;
    return RPCRT_OK;
}

static Petstore__Record__Item *
item_make(struct common_work *work, const Petstore__Record__Pet *pet)
{
    Petstore__Record__Item *item = common_work_alloc(work, sizeof(*item));

    if (item != NULL) {
        petstore__record__item__init(item);
        item->pet_id = pet->id;
        item->species = pet->species;
        item->name = pet->name;
        item->price = pet->price;
    }
    return item;
}

/* The order of the first n_pets pets of the saga; NULL without memory. */
static Petstore__Record__Order *
order_make(const struct shop_checkout *checkout, size_t n_pets)
{
    struct common_work *work = checkout->work;
    Petstore__Record__Order *order = common_work_alloc(work, sizeof(*order));
    Petstore__Record__Item **items =
        common_work_alloc(work, n_pets * sizeof(Petstore__Record__Item *));
    char id[COMMON_ID_SIZE];
    size_t i;

    if (order == NULL || items == NULL) {
        return NULL;
    }
    petstore__record__order__init(order);
    common_id_make(id);
    order->id = common_work_format(work, "%s", id);
    order->user = checkout->user;
    order->state = PETSTORE__V1__ORDER_STATE__AUTHORIZING;
    order->currency = checkout->service->options.currency;
    order->attempt = 1;
    order->created_at_ms = shop_now_ms(checkout->service);
    order->call_id = rpcrt_ctx_call_id(checkout->ctx);
    order->items = items;
    for (i = 0; i < n_pets; i++) {
        items[i] = item_make(work, shop_pet_of(&checkout->saga.pets[i]));
        if (items[i] == NULL) {
            return NULL;
        }
        order->total += items[i]->price;
    }
    order->n_items = n_pets;
    return order->id == NULL ? NULL : order;
}

static enum rpcrt_code
cart_order(struct shop_checkout *checkout, const struct found *found)
{
    const Petstore__Record__Cart *cart = shop_cart_of(&found->cart);
    Petstore__Record__Order *order;
    enum rpcrt_code code;
    size_t n_pets = 0;

    if (cart == NULL || cart->n_pet_ids == 0) {
        return cart_empty(checkout);
    }
    code = pets_read(checkout, cart, &n_pets);
    if (code != RPCRT_OK) {
        return code;
    }
    order = order_make(checkout, n_pets);
    if (order == NULL) {
        return common_work_fail(checkout->work, checkout->ctx);
    }
    code = total_check(checkout, order->total);
    if (code != RPCRT_OK) {
        return code;
    }
    checkout->saga.order = (struct common_record){0};
    once_put(checkout, found, order);
    common_put(checkout->work, shop_order_list_key(checkout->work, order),
               NULL);
    common_expect(checkout->work, &found->cart);
    common_delete(checkout->work, found->cart.key);
    return written(checkout, order);
}

/* -- which of them --------------------------------------------------------- */

enum rpcrt_code
shop_checkout_begin(struct shop_checkout *checkout)
{
    const char *order_id = checkout->request->order_id;
    struct found found = {.once = {0}};

    common_read(checkout->work, checkout->saga.once_key,
                &petstore__record__once__descriptor, &found.once);
    if (order_id[0] != '\0') {
        shop_order_read(checkout->work, order_id, &found.order);
    } else {
        shop_cart_read(checkout->work, checkout->user, &found.cart);
    }
    if (common_read_now(checkout->work) != RPCRT_OK) {
        return common_work_fail(checkout->work, checkout->ctx);
    }
    if (found.once.message != NULL) {
        return again(checkout, &found);
    }
    return order_id[0] != '\0' ? another_card(checkout, &found)
                               : cart_order(checkout, &found);
}
