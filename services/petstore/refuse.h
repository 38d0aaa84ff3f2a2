/*
 * Refusals that a program can tell from others: reasons of petstore.proto.
 */
#ifndef PETSTORE_REFUSE_H
#define PETSTORE_REFUSE_H

#include "petstore/v1/petstore.pb-c.h"

#include <rpcrt/ctx.h>

#define SHOP_DOMAIN "petstore.v1"

/* Fail with an ErrorInfo that has this reason; returns the code. */
enum rpcrt_code shop_refuse(struct rpcrt_ctx *ctx, enum rpcrt_code code,
                            Petstore__V1__Reason reason, const char *format,
                            ...) RPCRT_PRINTF(4, 5);

/* NOT_FOUND: PET_UNKNOWN with the id; ORDER_UNKNOWN, also for an order of
 * another user. */
enum rpcrt_code shop_refuse_pet_unknown(struct rpcrt_ctx *ctx, const char *id);
enum rpcrt_code shop_refuse_order_unknown(struct rpcrt_ctx *ctx);

#endif
