/*
 * The states of an order: see order_state.h.
 */
#include "petstore/order_state.h"

#include <string.h>

#define STATE(name) PETSTORE__V1__ORDER_STATE__##name

struct edge {
    Petstore__V1__OrderState from;
    enum shop_event event;
    Petstore__V1__OrderState to;
};

static const struct edge edges[] = {
    {STATE(AUTHORIZING), SHOP_EVENT_AUTHORIZED, STATE(CAPTURING)},
    {STATE(AUTHORIZING), SHOP_EVENT_DECLINED, STATE(DECLINED)},
    {STATE(AUTHORIZING), SHOP_EVENT_REFUSED, STATE(CANCELLING)},
    {STATE(AUTHORIZING), SHOP_EVENT_GIVEN_UP, STATE(CANCELLING)},
    {STATE(DECLINED), SHOP_EVENT_NEW_CARD, STATE(AUTHORIZING)},
    {STATE(DECLINED), SHOP_EVENT_GIVEN_UP, STATE(CANCELLING)},
    {STATE(CAPTURING), SHOP_EVENT_CAPTURED, STATE(PAID)},
    {STATE(CAPTURING), SHOP_EVENT_REFUSED, STATE(CANCELLING)},
    {STATE(PAID), SHOP_EVENT_GIVEN_UP, STATE(REFUNDING)},
    {STATE(CANCELLING), SHOP_EVENT_VOIDED, STATE(CANCELLED)},
    {STATE(CANCELLING), SHOP_EVENT_TAKEN, STATE(REFUNDING)},
    {STATE(REFUNDING), SHOP_EVENT_REFUNDED, STATE(REFUNDED)},
};

bool
shop_order_next(Petstore__V1__OrderState state, enum shop_event event,
                Petstore__V1__OrderState *ret_next)
{
    size_t i;

    for (i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        if (edges[i].from == state && edges[i].event == event) {
            *ret_next = edges[i].to;
            return true;
        }
    }
    return false;
}

bool
shop_order_open(Petstore__V1__OrderState state)
{
    return state != STATE(PAID) && state != STATE(CANCELLED) &&
           state != STATE(REFUNDED);
}

Petstore__V1__PetStatus
shop_order_pets(Petstore__V1__OrderState state)
{
    switch ((int)state) {
    case STATE(PAID):
    case STATE(REFUNDING):
        return PETSTORE__V1__PET_STATUS__SOLD;
    case STATE(CANCELLED):
    case STATE(REFUNDED):
        return PETSTORE__V1__PET_STATUS__AVAILABLE;
    default:
        return PETSTORE__V1__PET_STATUS__RESERVED;
    }
}

/* -- what the payment service says ----------------------------------------- */

enum shop_answer_kind
shop_answer_kind(enum rpcrt_code code, enum rpcrt_origin origin)
{
    if (code == RPCRT_OK) {
        return SHOP_ANSWER_DONE;
    }
    if (origin != RPCRT_ORIGIN_HANDLER) {
        return SHOP_ANSWER_UNKNOWN;
    }
    switch ((int)code) {
    case RPCRT_INVALID_ARGUMENT:
    case RPCRT_NOT_FOUND:
    case RPCRT_ALREADY_EXISTS:
    case RPCRT_PERMISSION_DENIED:
    case RPCRT_FAILED_PRECONDITION:
    case RPCRT_OUT_OF_RANGE:
        return SHOP_ANSWER_REFUSED;
    default:
        return SHOP_ANSWER_UNKNOWN;
    }
}

static bool
is(const struct shop_answer *answer, const char *reason)
{
    return strcmp(answer->reason, reason) == 0;
}

static bool
is_one_of(const struct shop_answer *answer, const char *const *reasons,
          size_t n_reasons)
{
    size_t i;

    for (i = 0; i < n_reasons; i++) {
        if (strcmp(answer->reason, reasons[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Another card might do. */
static bool
card_refused(const struct shop_answer *answer)
{
    static const char *const reasons[] = {
        "CARD_NUMBER_INVALID", "CARD_EXPIRY_INVALID", "CARD_EXPIRED",
        "CARD_UNKNOWN",        "CARD_EXPIRY_WRONG",   "CURRENCY_WRONG",
        "INSUFFICIENT_FUNDS"};

    return is_one_of(answer, reasons, sizeof(reasons) / sizeof(reasons[0]));
}

/* The payment itself can't be captured. Anything else (no such payment, no
 * permission) is a matter of which service answers, and for whom: the money may
 * well be held where the order's payment is. */
static bool
capture_refused(const struct shop_answer *answer)
{
    static const char *const reasons[] = {
        "PAYMENT_VOIDED",   "PAYMENT_EXPIRED",  "PAYMENT_DECLINED",
        "PAYMENT_CAPTURED", "AMOUNT_TOO_LARGE", "AMOUNT_INVALID"};

    return is_one_of(answer, reasons, sizeof(reasons) / sizeof(reasons[0]));
}

/* Void and Refund go on until the payment service says that nothing of the
 * customer's money is left: only that ends an order. */
static bool
refusal_event(Petstore__V1__OrderState state, const struct shop_answer *answer,
              enum shop_event *ret_event)
{
    if (state == STATE(AUTHORIZING)) {
        *ret_event =
            card_refused(answer) ? SHOP_EVENT_DECLINED : SHOP_EVENT_REFUSED;
        return true;
    }
    if (state == STATE(CAPTURING) && capture_refused(answer)) {
        *ret_event = SHOP_EVENT_REFUSED;
        return true;
    }
    if (state == STATE(CANCELLING) && is(answer, "PAYMENT_CAPTURED")) {
        *ret_event = SHOP_EVENT_TAKEN;
        return true;
    }
    if (state == STATE(REFUNDING) && is(answer, "AMOUNT_TOO_LARGE")) {
        /* Somebody gave all of it back already. */
        *ret_event = SHOP_EVENT_REFUNDED;
        return true;
    }
    return false;
}

static bool
done_event(Petstore__V1__OrderState state, enum shop_event *ret_event)
{
    switch ((int)state) {
    case STATE(AUTHORIZING):
        *ret_event = SHOP_EVENT_AUTHORIZED;
        return true;
    case STATE(CAPTURING):
        *ret_event = SHOP_EVENT_CAPTURED;
        return true;
    case STATE(CANCELLING):
        *ret_event = SHOP_EVENT_VOIDED;
        return true;
    case STATE(REFUNDING):
        *ret_event = SHOP_EVENT_REFUNDED;
        return true;
    default:
        return false;
    }
}

bool
shop_answer_event(Petstore__V1__OrderState state,
                  const struct shop_answer *answer, enum shop_event *ret_event)
{
    switch (answer->kind) {
    case SHOP_ANSWER_DONE:
        return done_event(state, ret_event);
    case SHOP_ANSWER_REFUSED:
        return refusal_event(state, answer, ret_event);
    default:
        return false;
    }
}
