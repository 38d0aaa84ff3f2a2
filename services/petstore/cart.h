/*
 * Handlers of AddToCart, RemoveFromCart and GetCart. A cart is a list of ids
 * and reserves nothing; an order takes it over (checkout.h).
 */
#ifndef PETSTORE_CART_H
#define PETSTORE_CART_H

#include "petstore/record.pb-c.h"
#include "petstore/service.h"
#include "petstore/v1/petstore.pb-c.h"

#define SHOP_CART_MAX 16u

/* Read a user's cart with the work's next common_read_now(). */
void shop_cart_read(struct common_work *work, const char *user,
                    struct common_record *ret_record);

/* The cart of a record that was read; NULL: there is none, it is empty. */
const Petstore__Record__Cart *shop_cart_of(const struct common_record *record);

/* The self of a handler is a struct shop_service. */
enum rpcrt_code shop_cart_add(void *self, struct rpcrt_ctx *ctx,
                              const Petstore__V1__AddToCartRequest *request,
                              Petstore__V1__AddToCartReply *reply);
enum rpcrt_code
shop_cart_remove(void *self, struct rpcrt_ctx *ctx,
                 const Petstore__V1__RemoveFromCartRequest *request,
                 Petstore__V1__RemoveFromCartReply *reply);
enum rpcrt_code shop_cart_get(void *self, struct rpcrt_ctx *ctx,
                              const Petstore__V1__GetCartRequest *request,
                              Petstore__V1__GetCartReply *reply);

#endif
