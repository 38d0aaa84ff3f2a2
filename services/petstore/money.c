/*
 * Amounts: see money.h.
 */
#include "petstore/money.h"

#include <string.h>

Petstore__V1__Money *
shop_money_make(const struct shop_service *service, struct rpcrt_ctx *ctx,
                int64_t minor)
{
    Petstore__V1__Money *money = rpcrt_ctx_alloc(ctx, sizeof(*money));

    if (money != NULL) {
        petstore__v1__money__init(money);
        money->minor = minor;
        money->currency = service->options.currency;
    }
    return money;
}

const char *
shop_price_check(const struct shop_service *service,
                 const Petstore__V1__Money *money)
{
    if (money == NULL) {
        return "is missing";
    }
    if (strcmp(money->currency, service->options.currency) != 0) {
        return "is not in the currency of the shop";
    }
    if (money->minor < 1) {
        return "is not above zero";
    }
    if (money->minor > SHOP_PRICE_MAX) {
        return "is above 10^12 minor units";
    }
    return NULL;
}
