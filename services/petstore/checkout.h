/*
 * The handler of Checkout: makes an order of the cart, or gives one that was
 * declined another card, and goes on with it (saga.h) until it is decided.
 */
#ifndef PETSTORE_CHECKOUT_H
#define PETSTORE_CHECKOUT_H

#include "petstore/v1/petstore.pb-c.h"

#include <rpcrt/ctx.h>

/* The self of a handler is a struct shop_service. */
enum rpcrt_code shop_checkout(void *self, struct rpcrt_ctx *ctx,
                              const Petstore__V1__CheckoutRequest *request,
                              Petstore__V1__CheckoutReply *reply);

#endif
