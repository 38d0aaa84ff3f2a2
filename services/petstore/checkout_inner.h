/*
 * One Checkout, between its files: checkout.c has the handler and the answers,
 * checkout_make.c how an order is found or made. For these alone.
 */
#ifndef PETSTORE_CHECKOUT_INNER_H
#define PETSTORE_CHECKOUT_INNER_H

#include "petstore/saga.h"

struct shop_checkout {
    struct shop_service *service;
    struct rpcrt_ctx *ctx;
    struct common_work *work;
    const Petstore__V1__CheckoutRequest *request;
    const char *user;
    struct shop_saga saga;
};

/**
 * Find the order of the idempotency key, or make the purchase that it stands
 * for from now on: an order of the cart, or another attempt of one that was
 * declined. In one commit, so that it is there as a whole or not at all.
 *
 * Returns  OK, and the saga has the order and the attempt; a refusal, whose
 *          text the ctx has; ABORTED: somebody was faster, begin anew.
 */
RPCRT_MUST_CHECK enum rpcrt_code
shop_checkout_begin(struct shop_checkout *checkout);

#endif
