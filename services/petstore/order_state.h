/*
 * The states of an order and the steps between them, as petstore.proto draws
 * them: which event leads where, what the order's pets are meanwhile, and what
 * an answer of the payment service means. Pure: no store, no calls, no clock.
 */
#ifndef PETSTORE_ORDER_STATE_H
#define PETSTORE_ORDER_STATE_H

#include "petstore/v1/petstore.pb-c.h"

#include <rpcrt/details.h>
#include <stdbool.h>
#include <stdint.h>

/* What can happen to an order. */
enum shop_event {
    SHOP_EVENT_AUTHORIZED, /* the amount is held */
    SHOP_EVENT_DECLINED,   /* the card was refused */
    SHOP_EVENT_REFUSED,    /* the payment was refused, whatever the card */
    SHOP_EVENT_CAPTURED,   /* the money is there */
    SHOP_EVENT_VOIDED,     /* nothing is held, now or later */
    SHOP_EVENT_TAKEN,      /* too late to void: the money was taken */
    SHOP_EVENT_REFUNDED,   /* the money is given back */
    SHOP_EVENT_NEW_CARD,   /* the customer tries another card */
    SHOP_EVENT_GIVEN_UP    /* by the customer, or for want of one */
};
#define SHOP_EVENTS 9u

/* Where an event leads; false: it can't happen in this state. */
bool shop_order_next(Petstore__V1__OrderState state, enum shop_event event,
                     Petstore__V1__OrderState *ret_next);

/* Whether an order in this state has a way to go by itself. */
bool shop_order_open(Petstore__V1__OrderState state);

/* What the pets of an order in this state are. */
Petstore__V1__PetStatus shop_order_pets(Petstore__V1__OrderState state);

/* -- what the payment service says ----------------------------------------- */

enum shop_answer_kind {
    SHOP_ANSWER_DONE,
    SHOP_ANSWER_REFUSED, /* the handler decided; asking again changes nothing */
    SHOP_ANSWER_UNKNOWN  /* it may have been done, or may be done later */
};

#define SHOP_MESSAGE_SIZE 256u

/* How a payment call ended. */
struct shop_answer {
    enum shop_answer_kind kind;
    enum rpcrt_code code;
    char reason[RPCRT_REASON_SIZE_MAX + 1]; /* of payment.v1; "" without */
    char message[SHOP_MESSAGE_SIZE];
    char payment_id[64]; /* of one that was done */
    char card_last4[8];
};

/* The kind of an answer: only some codes, and only from the handler itself,
 * are decisions. */
enum shop_answer_kind shop_answer_kind(enum rpcrt_code code,
                                       enum rpcrt_origin origin);

/* What an answer means for an order whose state made the call: AUTHORIZING
 * asks for Authorize, CAPTURING for Capture, CANCELLING for Void, REFUNDING for
 * Refund. False: nothing is known, ask again. */
bool shop_answer_event(Petstore__V1__OrderState state,
                       const struct shop_answer *answer,
                       enum shop_event *ret_event);

#endif
