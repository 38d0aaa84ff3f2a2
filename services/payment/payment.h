/*
 * The life of a payment: which step may follow which, and what each does to
 * the accounts. The picture is in payment.proto.
 *
 * Pure: a step changes the records it is given, all of them or, when it is
 * refused, none. REASON_UNSPECIFIED: the step was made.
 */
#ifndef PAYMENT_PAYMENT_H
#define PAYMENT_PAYMENT_H

#include "payment/books.h"

/* Whether something is held for it. */
bool pay_payment_holds(const Payment__Record__Payment *payment);

/* Whether it is an authorization whose time is over. */
bool pay_payment_due(const Payment__Record__Payment *payment, int64_t now_ms);

/* Hold the payment's amount, in its currency, on a card. Of a new payment,
 * without a state. */
Payment__V1__Reason pay_payment_authorize(Payment__Record__Payment *payment,
                                          Payment__Record__Account *card);

/* Refuse a new payment for good. */
void pay_payment_decline(Payment__Record__Payment *payment,
                         Payment__V1__Reason reason);

/* Move what was held, or `minor` of it (0: all), to the merchant. */
Payment__V1__Reason pay_payment_capture(Payment__Record__Payment *payment,
                                        Payment__Record__Account *card,
                                        Payment__Record__Account *merchant,
                                        int64_t minor, int64_t now_ms,
                                        Payment__Record__Entry *ret_entry);

/* Let go what is held. `card` is needed for a payment that holds. One that is
 * new is void from the start. AMOUNT_INVALID: the card does not hold so much,
 * the records contradict each other. */
Payment__V1__Reason pay_payment_void(Payment__Record__Payment *payment,
                                     Payment__Record__Account *card);

/* The same for one that is due. */
Payment__V1__Reason pay_payment_expire(Payment__Record__Payment *payment,
                                       Payment__Record__Account *card,
                                       int64_t now_ms);

/* Give back what was captured, or `minor` of it (0: all that is left). */
Payment__V1__Reason pay_payment_refund(Payment__Record__Payment *payment,
                                       Payment__Record__Account *card,
                                       Payment__Record__Account *merchant,
                                       int64_t minor, int64_t now_ms,
                                       Payment__Record__Entry *ret_entry);

#endif
