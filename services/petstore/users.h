/*
 * Handlers of Register, Login and Logout.
 */
#ifndef PETSTORE_USERS_H
#define PETSTORE_USERS_H

#include "petstore/v1/petstore.pb-c.h"

#include <rpcrt/ctx.h>

/* The self of a handler is a struct shop_service. */
enum rpcrt_code
shop_users_register(void *self, struct rpcrt_ctx *ctx,
                    const Petstore__V1__RegisterRequest *request,
                    Petstore__V1__RegisterReply *reply);
enum rpcrt_code shop_users_login(void *self, struct rpcrt_ctx *ctx,
                                 const Petstore__V1__LoginRequest *request,
                                 Petstore__V1__LoginReply *reply);
enum rpcrt_code shop_users_logout(void *self, struct rpcrt_ctx *ctx,
                                  const Petstore__V1__LogoutRequest *request,
                                  Petstore__V1__LogoutReply *reply);

#endif
