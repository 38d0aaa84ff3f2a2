/*
 * The steps of a payment: see payment.h.
 */
#include "payment/payment.h"
#include "payment/money.h"

#include <string.h>

/* Why a step that needs an authorization can't be made. */
static Payment__V1__Reason
not_authorized(const Payment__Record__Payment *payment)
{
    switch (payment->state) {
    case PAYMENT__V1__STATE__DECLINED:
        return PAYMENT__V1__REASON__PAYMENT_DECLINED;
    case PAYMENT__V1__STATE__CAPTURED:
    case PAYMENT__V1__STATE__REFUNDED:
        return PAYMENT__V1__REASON__PAYMENT_CAPTURED;
    case PAYMENT__V1__STATE__VOIDED:
        return PAYMENT__V1__REASON__PAYMENT_VOIDED;
    case PAYMENT__V1__STATE__EXPIRED:
        return PAYMENT__V1__REASON__PAYMENT_EXPIRED;
    default:
        return PAYMENT__V1__REASON__PAYMENT_UNKNOWN;
    }
}

bool
pay_payment_holds(const Payment__Record__Payment *payment)
{
    return payment->state == PAYMENT__V1__STATE__AUTHORIZED;
}

bool
pay_payment_due(const Payment__Record__Payment *payment, int64_t now_ms)
{
    return pay_payment_holds(payment) && now_ms >= payment->expires_at_ms;
}

Payment__V1__Reason
pay_payment_authorize(Payment__Record__Payment *payment,
                      Payment__Record__Account *card)
{
    if (payment->state != PAYMENT__V1__STATE__STATE_UNSPECIFIED) {
        return pay_payment_holds(payment)
                   ? PAYMENT__V1__REASON__IDEMPOTENCY_KEY_REUSED
                   : not_authorized(payment);
    }
    if (strcmp(payment->currency, card->currency) != 0) {
        return PAYMENT__V1__REASON__CURRENCY_WRONG;
    }
    if (!pay_minor_ok(payment->amount)) {
        return PAYMENT__V1__REASON__AMOUNT_INVALID;
    }
    if (!pay_account_hold(card, payment->amount)) {
        return PAYMENT__V1__REASON__INSUFFICIENT_FUNDS;
    }
    payment->state = PAYMENT__V1__STATE__AUTHORIZED;
    return PAYMENT__V1__REASON__REASON_UNSPECIFIED;
}

void
pay_payment_decline(Payment__Record__Payment *payment,
                    Payment__V1__Reason reason)
{
    payment->state = PAYMENT__V1__STATE__DECLINED;
    payment->decline_reason = (uint32_t)reason;
    payment->expires_at_ms = 0;
}

Payment__V1__Reason
pay_payment_capture(Payment__Record__Payment *payment,
                    Payment__Record__Account *card,
                    Payment__Record__Account *merchant, int64_t minor,
                    int64_t now_ms, Payment__Record__Entry *ret_entry)
{
    int64_t amount = minor == 0 ? payment->amount : minor;
    Payment__Record__Account held = *card;

    if (!pay_payment_holds(payment)) {
        return not_authorized(payment);
    }
    if (pay_payment_due(payment, now_ms)) {
        return PAYMENT__V1__REASON__PAYMENT_EXPIRED;
    }
    if (amount > payment->amount) {
        return PAYMENT__V1__REASON__AMOUNT_TOO_LARGE;
    }
    if (!pay_account_release(&held, payment->amount) ||
        !pay_books_move(&held, merchant, amount, "capture", now_ms,
                        ret_entry)) {
        return PAYMENT__V1__REASON__AMOUNT_INVALID;
    }
    *card = held;
    payment->state = PAYMENT__V1__STATE__CAPTURED;
    payment->captured = amount;
    payment->n_entries++;
    return PAYMENT__V1__REASON__REASON_UNSPECIFIED;
}

/* End an authorization with nothing moved. */
static Payment__V1__Reason
let_go(Payment__Record__Payment *payment, Payment__Record__Account *card,
       Payment__V1__State state)
{
    if (!pay_account_release(card, payment->amount)) {
        return PAYMENT__V1__REASON__AMOUNT_INVALID;
    }
    payment->state = (uint32_t)state;
    return PAYMENT__V1__REASON__REASON_UNSPECIFIED;
}

Payment__V1__Reason
pay_payment_void(Payment__Record__Payment *payment,
                 Payment__Record__Account *card)
{
    switch (payment->state) {
    case PAYMENT__V1__STATE__AUTHORIZED:
        return let_go(payment, card, PAYMENT__V1__STATE__VOIDED);
    case PAYMENT__V1__STATE__CAPTURED:
    case PAYMENT__V1__STATE__REFUNDED:
        return PAYMENT__V1__REASON__PAYMENT_CAPTURED;
    case PAYMENT__V1__STATE__STATE_UNSPECIFIED:
        payment->state = PAYMENT__V1__STATE__VOIDED;
        return PAYMENT__V1__REASON__REASON_UNSPECIFIED;
    default:
        return PAYMENT__V1__REASON__REASON_UNSPECIFIED;
    }
}

Payment__V1__Reason
pay_payment_expire(Payment__Record__Payment *payment,
                   Payment__Record__Account *card, int64_t now_ms)
{
    if (!pay_payment_holds(payment)) {
        return not_authorized(payment);
    }
    if (!pay_payment_due(payment, now_ms)) {
        return PAYMENT__V1__REASON__PAYMENT_NOT_CAPTURED;
    }
    return let_go(payment, card, PAYMENT__V1__STATE__EXPIRED);
}

Payment__V1__Reason
pay_payment_refund(Payment__Record__Payment *payment,
                   Payment__Record__Account *card,
                   Payment__Record__Account *merchant, int64_t minor,
                   int64_t now_ms, Payment__Record__Entry *ret_entry)
{
    int64_t left = payment->captured - payment->refunded;
    int64_t amount = minor == 0 ? left : minor;

    if (payment->state != PAYMENT__V1__STATE__CAPTURED &&
        payment->state != PAYMENT__V1__STATE__REFUNDED) {
        return PAYMENT__V1__REASON__PAYMENT_NOT_CAPTURED;
    }
    if (amount > left || left == 0) {
        return PAYMENT__V1__REASON__AMOUNT_TOO_LARGE;
    }
    if (!pay_books_move(merchant, card, amount, "refund", now_ms, ret_entry)) {
        return PAYMENT__V1__REASON__AMOUNT_INVALID;
    }
    payment->refunded += amount;
    payment->n_entries++;
    if (payment->refunded == payment->captured) {
        payment->state = PAYMENT__V1__STATE__REFUNDED;
    }
    return PAYMENT__V1__REASON__REASON_UNSPECIFIED;
}
