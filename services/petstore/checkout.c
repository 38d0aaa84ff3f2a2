/*
 * The handler of Checkout: see checkout.h.
 */
#include "petstore/checkout.h"
#include "common/ids.h"
#include "petstore/again.h"
#include "petstore/checkout_inner.h"
#include "petstore/order_record.h"
#include "petstore/refuse.h"
#include "petstore/session.h"

/* -- how it ended ---------------------------------------------------------- */

/* A refusal that names the order. */
static enum rpcrt_code
with_order(const struct shop_checkout *checkout, enum rpcrt_code code)
{
    rpcrt_ctx_refuse_with(checkout->ctx, "order_id",
                          shop_saga_order(&checkout->saga)->id);
    return code;
}

/* As the payment service said. */
static enum rpcrt_code
declined(const struct shop_checkout *checkout)
{
    const Petstore__Record__Once *once = checkout->saga.once;

    return with_order(checkout,
                      rpcrt_ctx_refuse(checkout->ctx,
                                       (enum rpcrt_code)once->decline_code,
                                       SHOP_DOMAIN, once->decline_reason, "%s",
                                       once->decline_message));
}

static enum rpcrt_code
cancelled(const struct shop_checkout *checkout)
{
    const Petstore__Record__Order *order = shop_saga_order(&checkout->saga);
    const char *why = order->decline_message;

    return with_order(checkout,
                      shop_refuse(checkout->ctx, RPCRT_ABORTED,
                                  PETSTORE__V1__REASON__ORDER_CANCELLED,
                                  "the order was cancelled%s%s",
                                  why[0] == '\0' ? "" : ": ", why));
}

static enum rpcrt_code
answer(const struct shop_checkout *checkout, Petstore__V1__CheckoutReply *reply)
{
    const struct shop_saga *saga = &checkout->saga;

    if (saga->once->decline_code != 0) {
        return declined(checkout);
    }
    if (shop_saga_state(saga) != PETSTORE__V1__ORDER_STATE__PAID) {
        return cancelled(checkout);
    }
    reply->order = shop_order_message(checkout->service, checkout->ctx,
                                      shop_saga_order(saga));
    return reply->order == NULL ? rpcrt_ctx_no_memory(checkout->ctx) : RPCRT_OK;
}

/* -- the handler ----------------------------------------------------------- */

static enum rpcrt_code
request_check(struct rpcrt_ctx *ctx,
              const Petstore__V1__CheckoutRequest *request)
{
    if (!common_idempotency_key_ok(request->idempotency_key)) {
        return shop_refuse(ctx, RPCRT_INVALID_ARGUMENT,
                           PETSTORE__V1__REASON__IDEMPOTENCY_KEY_INVALID,
                           "idempotency_key: not 1 to %u printable ASCII "
                           "characters",
                           COMMON_IDEMPOTENCY_KEY_MAX);
    }
    if (request->card == NULL) {
        return rpcrt_ctx_fail(ctx, RPCRT_INVALID_ARGUMENT, "card: is missing");
    }
    if (request->order_id[0] != '\0' && !common_id_ok(request->order_id)) {
        return shop_refuse_order_unknown(ctx);
    }
    return RPCRT_OK;
}

/* Find or make the order, again while others are faster. */
static enum rpcrt_code
begin(struct shop_checkout *checkout)
{
    enum rpcrt_code code = shop_checkout_begin(checkout);
    unsigned tries = 0;

    while (code == RPCRT_ABORTED && shop_again(checkout->ctx, &tries)) {
        code = shop_checkout_begin(checkout);
    }
    return code;
}

static enum rpcrt_code
purchase(struct shop_checkout *checkout, Petstore__V1__CheckoutReply *reply)
{
    struct shop_saga *saga = &checkout->saga;
    enum rpcrt_code code;

    saga->service = checkout->service;
    saga->work = checkout->work;
    saga->payer.ctx = checkout->ctx;
    saga->card = checkout->request->card;
    saga->once_key = shop_order_once_key(checkout->work, checkout->user,
                                         checkout->request->idempotency_key);
    if (saga->once_key == NULL) {
        return common_work_fail(checkout->work, checkout->ctx);
    }
    code = begin(checkout);
    if (code != RPCRT_OK) {
        return code;
    }
    code = shop_saga_run(saga);
    if (code != RPCRT_OK) {
        return rpcrt_ctx_fail(checkout->ctx, code, "order %s: %s",
                              shop_saga_order(saga)->id, saga->text);
    }
    return answer(checkout, reply);
}

enum rpcrt_code
shop_checkout(void *self, struct rpcrt_ctx *ctx,
              const Petstore__V1__CheckoutRequest *request,
              Petstore__V1__CheckoutReply *reply)
{
    struct shop_service *service = self;
    struct common_work *work = common_work_new(service->store, ctx, NULL);
    struct shop_checkout checkout = {
        .service = service, .ctx = ctx, .work = work, .request = request};
    struct shop_user user;
    enum rpcrt_code code = shop_session_check(service, ctx, work, false, &user);

    if (code == RPCRT_OK) {
        code = request_check(ctx, request);
    }
    if (code == RPCRT_OK && !shop_payment_enter(service->payment)) {
        code = rpcrt_ctx_fail(ctx, RPCRT_RESOURCE_EXHAUSTED,
                              "too many purchases at once: try again");
    } else if (code == RPCRT_OK) {
        checkout.user = user.name;
        code = purchase(&checkout, reply);
        shop_payment_leave(service->payment);
    }
    common_work_free(work);
    return code;
}
