/*
 * Pets in the store. A pet is one record and its entries in the indexes
 * (index.h), which only this file writes, so that they always agree.
 */
#ifndef PETSTORE_PET_RECORD_H
#define PETSTORE_PET_RECORD_H

#include "petstore/record.pb-c.h"
#include "petstore/service.h"
#include "petstore/v1/petstore.pb-c.h"

#include <stdbool.h>

/* Operations of one commit that a change of nothing but status and order_id
 * takes. */
#define SHOP_PET_STATUS_OPERATIONS 7u

/* Whether it can be the id of a pet: then it can stand in a key. */
bool shop_pet_id_ok(const char *id);

/* Read a pet with the work's next common_read_now(). The id must be OK. */
void shop_pet_read(struct common_work *work, const char *id,
                   struct common_record *ret_record);

/* The pet of a record that was read; NULL: there is none. */
const Petstore__Record__Pet *shop_pet_of(const struct common_record *record);

/**
 * Write a pet and what changes of its index entries in the work's next commit;
 * the caller says what is expected. Failures stay in the work.
 *
 * before  as it was read; NULL: a new one
 * after   as it shall be, with the same id and added_at_ms; NULL: it is removed
 */
void shop_pet_put(struct common_work *work, const Petstore__Record__Pet *before,
                  const Petstore__Record__Pet *after);

/* As a message in the memory of the call, beside the record's; NULL without
 * memory. */
Petstore__V1__Pet *shop_pet_message(const struct shop_service *service,
                                    struct rpcrt_ctx *ctx,
                                    const Petstore__Record__Pet *record);

#endif
