/*
 * Handlers of GetOrder, ListOrders and CancelOrder.
 */
#ifndef PETSTORE_ORDERS_H
#define PETSTORE_ORDERS_H

#include "petstore/v1/petstore.pb-c.h"

#include <rpcrt/ctx.h>

/* The self of a handler is a struct shop_service. */
enum rpcrt_code shop_orders_get(void *self, struct rpcrt_ctx *ctx,
                                const Petstore__V1__GetOrderRequest *request,
                                Petstore__V1__GetOrderReply *reply);
enum rpcrt_code shop_orders_list(void *self, struct rpcrt_ctx *ctx,
                                 const Petstore__V1__ListOrdersRequest *request,
                                 Petstore__V1__ListOrdersReply *reply);
enum rpcrt_code
shop_orders_cancel(void *self, struct rpcrt_ctx *ctx,
                   const Petstore__V1__CancelOrderRequest *request,
                   Petstore__V1__CancelOrderReply *reply);

#endif
