/*
 * Handlers of AddPet, UpdatePet, GetPet and RemovePet.
 */
#ifndef PETSTORE_PETS_H
#define PETSTORE_PETS_H

#include "petstore/v1/petstore.pb-c.h"

#include <rpcrt/ctx.h>

/* The self of a handler is a struct shop_service. */
enum rpcrt_code shop_pets_add(void *self, struct rpcrt_ctx *ctx,
                              const Petstore__V1__AddPetRequest *request,
                              Petstore__V1__AddPetReply *reply);
enum rpcrt_code shop_pets_update(void *self, struct rpcrt_ctx *ctx,
                                 const Petstore__V1__UpdatePetRequest *request,
                                 Petstore__V1__UpdatePetReply *reply);
enum rpcrt_code shop_pets_get(void *self, struct rpcrt_ctx *ctx,
                              const Petstore__V1__GetPetRequest *request,
                              Petstore__V1__GetPetReply *reply);
enum rpcrt_code shop_pets_remove(void *self, struct rpcrt_ctx *ctx,
                                 const Petstore__V1__RemovePetRequest *request,
                                 Petstore__V1__RemovePetReply *reply);

#endif
