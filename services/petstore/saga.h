/*
 * An order on its way. Each step asks the payment service what the order's
 * state demands, and writes what came of it in one commit that expects the
 * order as it was: of several who drive it one writes, the others read that and
 * go on from there. So any number of drivers bring it to the same end, and each
 * may stop anywhere. What is decided is written before it is done: an order
 * that is CAPTURING will be paid unless that is refused for good, one that is
 * CANCELLING or REFUNDING will not.
 */
#ifndef PETSTORE_SAGA_H
#define PETSTORE_SAGA_H

#include "petstore/cart.h"
#include "petstore/order_state.h"
#include "petstore/payment_link.h"
#include "petstore/record.pb-c.h"
#include "petstore/service.h"

#define SHOP_SAGA_TEXT_SIZE 512u

/* One driver of one order. Zeroed, and the first part set, before use; all
 * that is read lives in the work. */
struct shop_saga {
    struct shop_service *service;
    struct common_work *work;
    struct shop_payer payer; /* whose deadline and call id apply */

    /* Of a checkout, else NULL and 0. */
    const Petstore__V1__Card *card;
    uint32_t attempt;     /* that the card is for */
    const char *once_key; /* where its idempotency record stands */
    const Petstore__Record__Once *once;

    /* The order as it was last read or written. */
    struct common_record order;
    struct common_record pets[SHOP_CART_MAX]; /* of its items, in their order */
    bool pets_known;

    struct shop_answer answer;      /* of the last payment call */
    char text[SHOP_SAGA_TEXT_SIZE]; /* why a function failed */
};

/* The order; NULL before it is loaded or made. */
const Petstore__Record__Order *shop_saga_order(const struct shop_saga *saga);
Petstore__V1__OrderState shop_saga_state(const struct shop_saga *saga);

/**
 * Read the order, and the idempotency record if there is a key. One round trip.
 *
 * Returns  OK; NOT_FOUND without such an order; or what reading ends in.
 */
RPCRT_MUST_CHECK enum rpcrt_code shop_saga_load(struct shop_saga *saga,
                                                const char *order_id);

/**
 * Write the order's next form, with its pets, in one commit. What else belongs
 * to it was put into the work before; nothing may have been put if pets change
 * and are not known.
 *
 * next     in the work's memory; kept
 * Returns  OK, and the saga has the next form; ABORTED: somebody else wrote the
 *          order, load it again; or what the commit ends in: nobody knows.
 */
RPCRT_MUST_CHECK enum rpcrt_code
shop_saga_write(struct shop_saga *saga, const Petstore__Record__Order *next);

/* Whether nothing is left to do: the order is paid, declined, cancelled or
 * refunded; or, of a checkout, another card is being tried. */
bool shop_saga_settled(const struct shop_saga *saga);

/**
 * Do one step of an order that is not settled: one that is AUTHORIZING without
 * a card is given up, everything else asks the payment service.
 *
 * Returns  OK; ABORTED as above; DEADLINE_EXCEEDED, CANCELLED or UNAVAILABLE:
 *          the payment service, or the store, gave no answer in time.
 */
RPCRT_MUST_CHECK enum rpcrt_code shop_saga_step(struct shop_saga *saga);

/* Decide that the order is not wanted any more. OK; ABORTED as above;
 * FAILED_PRECONDITION if its state does not allow that; or as
 * shop_saga_write(). */
RPCRT_MUST_CHECK enum rpcrt_code shop_saga_give_up(struct shop_saga *saga);

/* After ABORTED: wait a little and load the order again. ABORTED after too many
 * tries; DEADLINE_EXCEEDED, CANCELLED or UNAVAILABLE if the call or the program
 * ends meanwhile. *tries is 0 at first. */
RPCRT_MUST_CHECK enum rpcrt_code shop_saga_again(struct shop_saga *saga,
                                                 unsigned *tries);

/* Step until the order is settled. ABORTED if others were faster too often. */
RPCRT_MUST_CHECK enum rpcrt_code shop_saga_run(struct shop_saga *saga);

#endif
