/*
 * The steps of an order: see saga.h. How an order is read and written is
 * saga_record.c's business, how the payment service is called payment_link.c's.
 */
#include "petstore/saga.h"
#include "common/ids.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define STATE(name) PETSTORE__V1__ORDER_STATE__##name

/* Idempotency keys of payment calls: order, attempt, call. */
#define PAY_KEY_SIZE 80u

#define ASK_WAIT_MS_MIN 20u
#define ASK_WAIT_MS_MAX 1000u
/* A step that others were faster with is tried again so often. */
#define TRIES_MAX 50u
#define PAUSE_MS_MAX 20u

/* -- what the payment service is asked ------------------------------------- */

static void
pay_key(const struct shop_saga *saga, const char *call,
        char ret_key[PAY_KEY_SIZE])
{
    const Petstore__Record__Order *order = shop_saga_order(saga);

    (void)snprintf(ret_key, PAY_KEY_SIZE, "%s.%u%s", order->id, order->attempt,
                   call);
}

static void
ask_authorize(struct shop_saga *saga)
{
    Payment__V1__AuthorizeRequest request =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__Money amount = PAYMENT__V1__MONEY__INIT;
    Payment__V1__Card card = PAYMENT__V1__CARD__INIT;
    const Petstore__Record__Order *order = shop_saga_order(saga);
    char key[PAY_KEY_SIZE];

    pay_key(saga, "", key);
    card.number = saga->card->number;
    card.expiry_month = saga->card->expiry_month;
    card.expiry_year = saga->card->expiry_year;
    amount.minor = order->total;
    amount.currency = order->currency;
    request.idempotency_key = key;
    request.card = &card;
    request.amount = &amount;
    request.reference = order->id;
    shop_payment_authorize(saga->service->payment, &saga->payer, &request,
                           &saga->answer);
}

static void
ask_capture(struct shop_saga *saga)
{
    Payment__V1__CaptureRequest request = PAYMENT__V1__CAPTURE_REQUEST__INIT;
    const Petstore__Record__Order *order = shop_saga_order(saga);
    char key[PAY_KEY_SIZE];

    pay_key(saga, ".capture", key);
    request.idempotency_key = key;
    request.payment_id = order->payment_id;
    request.minor = order->total;
    shop_payment_capture(saga->service->payment, &saga->payer, &request,
                         &saga->answer);
}

/* By the key of Authorize, whether or not that has arrived: it may still be on
 * its way. */
static void
ask_void(struct shop_saga *saga)
{
    Payment__V1__VoidRequest request = PAYMENT__V1__VOID_REQUEST__INIT;
    char key[PAY_KEY_SIZE];
    char authorize_key[PAY_KEY_SIZE];

    pay_key(saga, ".void", key);
    pay_key(saga, "", authorize_key);
    request.idempotency_key = key;
    request.of_case = PAYMENT__V1__VOID_REQUEST__OF_AUTHORIZE_KEY;
    request.authorize_key = authorize_key;
    shop_payment_void(saga->service->payment, &saga->payer, &request,
                      &saga->answer);
}

static void
ask_refund(struct shop_saga *saga)
{
    Payment__V1__RefundRequest request = PAYMENT__V1__REFUND_REQUEST__INIT;
    const Petstore__Record__Order *order = shop_saga_order(saga);
    char key[PAY_KEY_SIZE];

    (void)snprintf(key, sizeof(key), "%s.refund", order->id);
    request.idempotency_key = key;
    request.payment_id = order->payment_id;
    shop_payment_refund(saga->service->payment, &saga->payer, &request,
                        &saga->answer);
}

/* An answer about another payment than the order's comes from another
 * merchant's account, or another service: it says nothing about the order. */
static void
answer_check(struct shop_saga *saga)
{
    const char *payment_id = shop_saga_order(saga)->payment_id;

    if (saga->answer.kind == SHOP_ANSWER_DONE && payment_id[0] != '\0' &&
        strcmp(payment_id, saga->answer.payment_id) != 0) {
        saga->answer = (struct shop_answer){
            .kind = SHOP_ANSWER_UNKNOWN,
            .code = RPCRT_INTERNAL,
            .message = "it does not know the order's payment: is the token "
                       "another merchant's?"};
    }
}

/* One try of what the order's state demands. */
static void
ask_once(struct shop_saga *saga)
{
    switch ((int)shop_saga_state(saga)) {
    case STATE(AUTHORIZING):
        ask_authorize(saga);
        break;
    case STATE(CAPTURING):
        ask_capture(saga);
        break;
    case STATE(CANCELLING):
        ask_void(saga);
        break;
    case STATE(REFUNDING):
        ask_refund(saga);
        break;
    default:
        saga->answer = (struct shop_answer){.kind = SHOP_ANSWER_UNKNOWN,
                                            .code = RPCRT_INTERNAL,
                                            .message = "nothing to ask"};
        break;
    }
    answer_check(saga);
}

/* How long to ask for an answer: while the call has time; one try for an order
 * that nobody waits for, it has another turn later. */
static int64_t
patience_end_ms(const struct shop_saga *saga)
{
    if (saga->payer.ctx == NULL) {
        return 0;
    }
    if (rpcrt_ctx_time_left_ms(saga->payer.ctx) >= 0) {
        return INT64_MAX;
    }
    return common_monotonic_ms() +
           shop_payment_patience_ms(saga->service->payment);
}

/* How the call that waits has ended; UNAVAILABLE if it has not. */
static enum rpcrt_code
waiting_code(const struct shop_saga *saga)
{
    struct rpcrt_ctx *ctx = saga->payer.ctx;

    if (ctx != NULL && rpcrt_ctx_cancelled(ctx)) {
        return rpcrt_ctx_time_left_ms(ctx) == 0 ? RPCRT_DEADLINE_EXCEEDED
                                                : RPCRT_CANCELLED;
    }
    return RPCRT_UNAVAILABLE;
}

static enum rpcrt_code
unanswered(struct shop_saga *saga)
{
    (void)snprintf(saga->text, sizeof(saga->text),
                   "no answer from the payment service yet: %s",
                   saga->answer.message);
    return waiting_code(saga);
}

/* Ask until there is an answer that says something. */
static enum rpcrt_code
ask(struct shop_saga *saga, enum shop_event *ret_event)
{
    int64_t end_ms = patience_end_ms(saga);
    uint32_t wait_ms = ASK_WAIT_MS_MIN;

    for (;;) {
        ask_once(saga);
        if (shop_answer_event(shop_saga_state(saga), &saga->answer,
                              ret_event)) {
            return RPCRT_OK;
        }
        if (common_monotonic_ms() >= end_ms ||
            !shop_payment_wait(saga->service->payment, saga->payer.ctx,
                               wait_ms / 2 + randombytes_uniform(wait_ms))) {
            return unanswered(saga);
        }
        wait_ms = wait_ms < ASK_WAIT_MS_MAX / 2 ? wait_ms * 2 : ASK_WAIT_MS_MAX;
    }
}

/* -- what came of it ------------------------------------------------------- */

static enum rpcrt_code
no_memory(struct shop_saga *saga)
{
    (void)snprintf(saga->text, sizeof(saga->text), "out of memory");
    return RPCRT_RESOURCE_EXHAUSTED;
}

static void
note_authorized(const struct shop_saga *saga, Petstore__Record__Order *next)
{
    next->payment_id =
        common_work_format(saga->work, "%s", saga->answer.payment_id);
    next->card_last4 =
        common_work_format(saga->work, "%s", saga->answer.card_last4);
}

static void
note_refused(const struct shop_saga *saga, Petstore__Record__Order *next)
{
    next->decline_code = (uint32_t)saga->answer.code;
    next->decline_reason =
        common_work_format(saga->work, "%s", saga->answer.reason);
    next->decline_message =
        common_work_format(saga->work, "%s", saga->answer.message);
}

/* The refusal stays with the idempotency key, too, so that a repeat is answered
 * the same when the order has gone on with another card. */
static void
note_declined(struct shop_saga *saga, Petstore__Record__Order *next)
{
    Petstore__Record__Once *once;

    note_refused(saga, next);
    if (next->pay_until_ms == 0) {
        /* The first card's; later ones do not keep the pets for longer. */
        next->pay_until_ms =
            shop_now_ms(saga->service) + saga->service->options.pay_within_ms;
    }
    if (saga->once == NULL) {
        return;
    }
    once = common_work_alloc(saga->work, sizeof(*once));
    if (once != NULL) {
        *once = *saga->once;
        once->decline_code = next->decline_code;
        once->decline_reason = next->decline_reason;
        once->decline_message = next->decline_message;
        common_put(saga->work, saga->once_key, &once->base);
        saga->once = once;
    }
}

/* Write where an event leads. */
static enum rpcrt_code
follow(struct shop_saga *saga, enum shop_event event)
{
    const Petstore__Record__Order *order = shop_saga_order(saga);
    Petstore__V1__OrderState state;
    Petstore__Record__Order *next;

    if (!shop_order_next(shop_saga_state(saga), event, &state)) {
        (void)snprintf(saga->text, sizeof(saga->text),
                       "the order's state does not allow that");
        return RPCRT_FAILED_PRECONDITION;
    }
    next = common_work_alloc(saga->work, sizeof(*next));
    if (next == NULL) {
        return no_memory(saga);
    }
    *next = *order;
    next->state = (uint32_t)state;
    switch (event) {
    case SHOP_EVENT_AUTHORIZED:
        note_authorized(saga, next);
        break;
    case SHOP_EVENT_DECLINED:
        note_declined(saga, next);
        break;
    case SHOP_EVENT_REFUSED:
        note_refused(saga, next);
        break;
    default:
        break;
    }
    return shop_saga_write(saga, next);
}

enum rpcrt_code
shop_saga_give_up(struct shop_saga *saga)
{
    return follow(saga, SHOP_EVENT_GIVEN_UP);
}

/* -- steps ----------------------------------------------------------------- */

bool
shop_saga_settled(const struct shop_saga *saga)
{
    if (saga->card != NULL && shop_saga_order(saga)->attempt != saga->attempt) {
        return true;
    }
    switch ((int)shop_saga_state(saga)) {
    case STATE(AUTHORIZING):
    case STATE(CAPTURING):
    case STATE(CANCELLING):
    case STATE(REFUNDING):
        return false;
    default:
        return true;
    }
}

enum rpcrt_code
shop_saga_step(struct shop_saga *saga)
{
    enum shop_event event;
    enum rpcrt_code code;

    if (shop_saga_state(saga) == STATE(AUTHORIZING) && saga->card == NULL) {
        return shop_saga_give_up(saga);
    }
    code = ask(saga, &event);
    return code == RPCRT_OK ? follow(saga, event) : code;
}

enum rpcrt_code
shop_saga_again(struct shop_saga *saga, unsigned *tries)
{
    if (++*tries >= TRIES_MAX) {
        (void)snprintf(saga->text, sizeof(saga->text),
                       "too many others change this order: try again");
        return RPCRT_ABORTED;
    }
    if (!shop_payment_wait(saga->service->payment, saga->payer.ctx,
                           1 + randombytes_uniform(PAUSE_MS_MAX))) {
        (void)snprintf(saga->text, sizeof(saga->text),
                       "no time left while others changed this order");
        return waiting_code(saga);
    }
    return shop_saga_load(saga, shop_saga_order(saga)->id);
}

enum rpcrt_code
shop_saga_run(struct shop_saga *saga)
{
    enum rpcrt_code code = RPCRT_OK;
    unsigned tries = 0;

    while (code == RPCRT_OK && !shop_saga_settled(saga)) {
        code = shop_saga_step(saga);
        if (code == RPCRT_ABORTED) {
            code = shop_saga_again(saga, &tries);
        }
    }
    return code;
}
