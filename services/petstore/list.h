/*
 * The handler of ListPets: a page is a scan of one index and a read of the
 * records that it leads to.
 */
#ifndef PETSTORE_LIST_H
#define PETSTORE_LIST_H

#include "petstore/v1/petstore.pb-c.h"

#include <rpcrt/ctx.h>

/* Pets that one page looks at, at the most. */
#define SHOP_LIST_LOOK_MAX 1000u

/* self is a struct shop_service. */
enum rpcrt_code shop_pets_list(void *self, struct rpcrt_ctx *ctx,
                               const Petstore__V1__ListPetsRequest *request,
                               Petstore__V1__ListPetsReply *reply);

#endif
