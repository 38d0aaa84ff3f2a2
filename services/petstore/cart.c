/*
 * AddToCart, RemoveFromCart and GetCart: see cart.h.
 */
#include "petstore/cart.h"
#include "petstore/again.h"
#include "petstore/money.h"
#include "petstore/pet_record.h"
#include "petstore/refuse.h"
#include "petstore/session.h"

#include <string.h>

/* A cart as it was read, and its pets. */
struct cart {
    const struct shop_service *service;
    struct rpcrt_ctx *ctx;
    struct common_work *work;
    struct shop_user user;
    struct common_record record;
    const char *asked; /* a pet beside it; may be NULL */
    struct common_record asked_record;
    struct common_record pets[SHOP_CART_MAX];
    size_t n_pets;
};

void
shop_cart_read(struct common_work *work, const char *user,
               struct common_record *ret_record)
{
    common_read(work, common_work_format(work, "cart/%s", user),
                &petstore__record__cart__descriptor, ret_record);
}

const Petstore__Record__Cart *
shop_cart_of(const struct common_record *record)
{
    return (const Petstore__Record__Cart *)record->message;
}

/* -- begin and end --------------------------------------------------------- */

static enum rpcrt_code
cart_begin(void *self, struct rpcrt_ctx *ctx, struct cart *ret_cart)
{
    *ret_cart = (struct cart){.service = self, .ctx = ctx};
    ret_cart->work = common_work_new(ret_cart->service->store, ctx, NULL);
    return shop_session_check(self, ctx, ret_cart->work, false,
                              &ret_cart->user);
}

static void
cart_end(struct cart *cart)
{
    common_work_free(cart->work);
}

/* The pets of the cart that was read. Those that are gone are left out. */
static enum rpcrt_code
pets_read(struct cart *cart, const Petstore__Record__Cart *record)
{
    size_t n = record->n_pet_ids;
    size_t i;

    if (n > SHOP_CART_MAX) {
        return rpcrt_ctx_fail(cart->ctx, RPCRT_DATA_LOSS,
                              "the cart of '%s' has %zu pets", cart->user.name,
                              n);
    }
    for (i = 0; i < n; i++) {
        shop_pet_read(cart->work, record->pet_ids[i], &cart->pets[i]);
    }
    if (common_read_now(cart->work) != RPCRT_OK) {
        return common_work_fail(cart->work, cart->ctx);
    }
    for (i = 0; i < n; i++) {
        if (cart->pets[i].message != NULL) {
            cart->pets[cart->n_pets++] = cart->pets[i];
        }
    }
    return RPCRT_OK;
}

/* Read the cart with the pet beside it, then what is in it: one round trip for
 * an empty one, else two. */
static enum rpcrt_code
cart_read(struct cart *cart)
{
    const Petstore__Record__Cart *record;

    cart->n_pets = 0;
    shop_cart_read(cart->work, cart->user.name, &cart->record);
    if (cart->asked != NULL) {
        shop_pet_read(cart->work, cart->asked, &cart->asked_record);
    }
    if (common_read_now(cart->work) != RPCRT_OK) {
        return common_work_fail(cart->work, cart->ctx);
    }
    record = shop_cart_of(&cart->record);
    return record == NULL || record->n_pet_ids == 0 ? RPCRT_OK
                                                    : pets_read(cart, record);
}

/* Where a pet stands in the cart; n_pets: nowhere. */
static size_t
cart_find(const struct cart *cart, const char *id)
{
    size_t i = 0;

    while (i < cart->n_pets &&
           strcmp(shop_pet_of(&cart->pets[i])->id, id) != 0) {
        i++;
    }
    return i;
}

/* Write what the pets have become. */
static enum rpcrt_code
cart_commit(struct cart *cart)
{
    Petstore__Record__Cart record = PETSTORE__RECORD__CART__INIT;
    const char *ids[SHOP_CART_MAX];
    size_t i;

    for (i = 0; i < cart->n_pets; i++) {
        ids[i] = shop_pet_of(&cart->pets[i])->id;
    }
    record.pet_ids = ids;
    record.n_pet_ids = cart->n_pets;
    common_expect(cart->work, &cart->record);
    common_put(cart->work, cart->record.key, &record.base);
    return common_commit(cart->work) == RPCRT_OK
               ? RPCRT_OK
               : common_work_fail(cart->work, cart->ctx);
}

static enum rpcrt_code
cart_answer(const struct cart *cart, Petstore__V1__Cart **ret_cart)
{
    Petstore__V1__Cart *message = rpcrt_ctx_alloc(cart->ctx, sizeof(*message));
    int64_t total = 0;
    size_t i;

    if (message == NULL) {
        return rpcrt_ctx_no_memory(cart->ctx);
    }
    petstore__v1__cart__init(message);
    message->pets =
        rpcrt_ctx_alloc(cart->ctx, SHOP_CART_MAX * sizeof(*message->pets));
    if (message->pets == NULL) {
        return rpcrt_ctx_no_memory(cart->ctx);
    }
    for (i = 0; i < cart->n_pets; i++) {
        const Petstore__Record__Pet *pet = shop_pet_of(&cart->pets[i]);

        message->pets[i] = shop_pet_message(cart->service, cart->ctx, pet);
        if (message->pets[i] == NULL) {
            return rpcrt_ctx_no_memory(cart->ctx);
        }
        message->n_pets++;
        total +=
            pet->status == PETSTORE__V1__PET_STATUS__AVAILABLE ? pet->price : 0;
    }
    message->total = shop_money_make(cart->service, cart->ctx, total);
    *ret_cart = message;
    return message->total == NULL ? rpcrt_ctx_no_memory(cart->ctx) : RPCRT_OK;
}

/* -- AddToCart ------------------------------------------------------------- */

static enum rpcrt_code
asked_check(const struct cart *cart)
{
    const Petstore__Record__Pet *pet = shop_pet_of(&cart->asked_record);

    if (pet == NULL) {
        return shop_refuse_pet_unknown(cart->ctx, cart->asked);
    }
    if (pet->status != PETSTORE__V1__PET_STATUS__AVAILABLE) {
        return shop_refuse(cart->ctx, RPCRT_FAILED_PRECONDITION,
                           PETSTORE__V1__REASON__PET_NOT_AVAILABLE,
                           "the pet '%s' can't be had", cart->asked);
    }
    if (cart->n_pets >= SHOP_CART_MAX) {
        return shop_refuse(cart->ctx, RPCRT_RESOURCE_EXHAUSTED,
                           PETSTORE__V1__REASON__CART_FULL,
                           "the cart has %u pets: it is full", SHOP_CART_MAX);
    }
    return RPCRT_OK;
}

/* One try; ABORTED: again. */
static enum rpcrt_code
add_try(struct cart *cart)
{
    enum rpcrt_code code = cart_read(cart);

    if (code != RPCRT_OK || cart_find(cart, cart->asked) < cart->n_pets) {
        return code;
    }
    code = asked_check(cart);
    if (code != RPCRT_OK) {
        return code;
    }
    cart->pets[cart->n_pets++] = cart->asked_record;
    return cart_commit(cart);
}

enum rpcrt_code
shop_cart_add(void *self, struct rpcrt_ctx *ctx,
              const Petstore__V1__AddToCartRequest *request,
              Petstore__V1__AddToCartReply *reply)
{
    struct cart cart;
    unsigned tries = 0;
    enum rpcrt_code code = cart_begin(self, ctx, &cart);

    if (code == RPCRT_OK && !shop_pet_id_ok(request->pet_id)) {
        code = shop_refuse_pet_unknown(ctx, request->pet_id);
    }
    if (code == RPCRT_OK) {
        cart.asked = request->pet_id;
        do {
            code = add_try(&cart);
        } while (code == RPCRT_ABORTED && shop_again(ctx, &tries));
    }
    if (code == RPCRT_OK) {
        code = cart_answer(&cart, &reply->cart);
    }
    cart_end(&cart);
    return code;
}

/* -- RemoveFromCart -------------------------------------------------------- */

/* One try; ABORTED: again. */
static enum rpcrt_code
remove_try(struct cart *cart, const char *id)
{
    enum rpcrt_code code = cart_read(cart);
    size_t at;

    if (code != RPCRT_OK) {
        return code;
    }
    at = cart_find(cart, id);
    if (at == cart->n_pets) {
        return RPCRT_OK;
    }
    cart->n_pets--;
    memmove(&cart->pets[at], &cart->pets[at + 1],
            (cart->n_pets - at) * sizeof(cart->pets[0]));
    return cart_commit(cart);
}

enum rpcrt_code
shop_cart_remove(void *self, struct rpcrt_ctx *ctx,
                 const Petstore__V1__RemoveFromCartRequest *request,
                 Petstore__V1__RemoveFromCartReply *reply)
{
    struct cart cart;
    unsigned tries = 0;
    enum rpcrt_code code = cart_begin(self, ctx, &cart);

    if (code == RPCRT_OK) {
        do {
            code = remove_try(&cart, request->pet_id);
        } while (code == RPCRT_ABORTED && shop_again(ctx, &tries));
    }
    if (code == RPCRT_OK) {
        code = cart_answer(&cart, &reply->cart);
    }
    cart_end(&cart);
    return code;
}

/* -- GetCart --------------------------------------------------------------- */

enum rpcrt_code
shop_cart_get(void *self, struct rpcrt_ctx *ctx,
              const Petstore__V1__GetCartRequest *request,
              Petstore__V1__GetCartReply *reply)
{
    struct cart cart;
    enum rpcrt_code code = cart_begin(self, ctx, &cart);

    (void)request;
    if (code == RPCRT_OK) {
        code = cart_read(&cart);
    }
    if (code == RPCRT_OK) {
        code = cart_answer(&cart, &reply->cart);
    }
    cart_end(&cart);
    return code;
}
