/*
 * Orders in the store, and as messages: keys, reading, and what petstore.proto
 * shows of them. How an order changes is the saga's business.
 */
#ifndef PETSTORE_ORDER_RECORD_H
#define PETSTORE_ORDER_RECORD_H

#include "petstore/record.pb-c.h"
#include "petstore/service.h"
#include "petstore/v1/petstore.pb-c.h"

#define SHOP_OPEN_PREFIX "open/"

/* Keys in the work's memory; NULL without, and the work has failed. */
const char *shop_order_key(struct common_work *work, const char *order_id);
const char *shop_order_open_key(struct common_work *work, const char *order_id);
const char *shop_order_once_key(struct common_work *work, const char *user,
                                const char *idempotency_key);
/* What all keys of a user's list of orders begin with, and one of them: the
 * newest stands first. */
const char *shop_order_list_prefix(struct common_work *work, const char *user);
const char *shop_order_list_key(struct common_work *work,
                                const Petstore__Record__Order *order);

/* Read an order with the work's next common_read_now(). */
void shop_order_read(struct common_work *work, const char *order_id,
                     struct common_record *ret_record);

/* The order of a record that was read; NULL: there is none. */
const Petstore__Record__Order *
shop_order_of(const struct common_record *record);

/* As a message in the memory of the call, beside the record's; NULL without
 * memory. */
Petstore__V1__Order *shop_order_message(const struct shop_service *service,
                                        struct rpcrt_ctx *ctx,
                                        const Petstore__Record__Order *record);

#endif
