/*
 * Amounts, in the one currency of the shop.
 */
#ifndef PETSTORE_MONEY_H
#define PETSTORE_MONEY_H

#include "petstore/service.h"
#include "petstore/v1/petstore.pb-c.h"

#define SHOP_PRICE_MAX INT64_C(1000000000000)

/* In the memory of the call; NULL without. */
Petstore__V1__Money *shop_money_make(const struct shop_service *service,
                                     struct rpcrt_ctx *ctx, int64_t minor);

/* Why an amount can't be a price here; NULL if it can. */
const char *shop_price_check(const struct shop_service *service,
                             const Petstore__V1__Money *money);

#endif
