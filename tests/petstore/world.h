/*
 * A shop for tests of orders, in one process: a store in memory, a payment
 * service that obeys (fake_payment.h), and a shop behind a server; and what
 * must be true of all of them when nothing is under way.
 */
#ifndef TESTS_PETSTORE_WORLD_H
#define TESTS_PETSTORE_WORLD_H

#include "petstore/rescuer.h"
#include "petstore/saga.h"
#include "petstore/v1/petstore.client.h"
#include "tests/petstore/fake_payment.h"

#include <criterion/criterion.h>
#include <rpcrt/rpcrt.h>

#define WORLD_TIMEOUT_MS 20000u
#define WORLD_PRICE 1000

#define ORDER_STATE(name) PETSTORE__V1__ORDER_STATE__##name

struct kvs_engine;

struct world {
    struct kvs_engine *engine;
    struct rpcrt_server *kv_server;
    struct fake_payment fake;
    struct rpcrt_server *pay_server;
    struct shop_service shop;
    struct rpcrt_server *shop_server;
    struct rpcrt_channel *channel; /* to the shop */
};

/* There is one world in a process. */
void world_start(struct world *w);
void world_stop(struct world *w);

/* Another way to the store: for a process that ends before the others. */
struct common_store *world_store(const struct world *w);

/* Let the shop's clock go forward. */
void world_pass(int64_t ms);

/* -- the shop's data ------------------------------------------------------- */

/* Take in pets "p<first>" and so on, each for WORLD_PRICE. */
void world_pets(struct world *w, unsigned first, unsigned n);
const char *world_pet(unsigned number); /* "p7"; good for 16 more calls */

/* Put pets into a user's cart. */
void world_cart(struct world *w, const char *user, unsigned first, unsigned n);

Petstore__V1__PetStatus world_pet_status(struct world *w, unsigned number);
Petstore__V1__OrderState world_order_state(struct world *w,
                                           const char *order_id);
/* Id of the only order, or of the one that the store lists first. */
void world_order_id(struct world *w, char ret_id[33]);

/* All keys with a prefix, and their records if there is a type, of a work whose
 * failure fails the test. */
struct common_page world_scan(struct common_work *work, const char *prefix,
                              const ProtobufCMessageDescriptor *type);

/* Orders whose way is not at its end. */
unsigned world_n_open(struct world *w);

/* Check that orders, pets, their indexes, open/ and payments agree; `settled`:
 * and that no order is open. */
void world_audit(struct world *w, bool settled);

/* Run a rescuer for which every order stands still, until none is open that
 * it may finish. */
void world_rescue(struct world *w);

/* -- drivers --------------------------------------------------------------- */

/* A driver that nobody waits for; with a card it is the one of an attempt. */
void world_saga(struct world *w, struct common_store *store, bool card,
                struct shop_saga *ret_saga);
void world_saga_end(struct shop_saga *saga);

/* Read pets, and make an order of them to be written. */
const Petstore__Record__Order *world_order_make(struct shop_saga *saga,
                                                unsigned first, unsigned n);

/* Make an order of pets, AUTHORIZING, and leave the driver there. */
void world_order(struct shop_saga *saga, unsigned first, unsigned n);

/* The same, and go on to a state. */
void world_order_at(struct world *w, unsigned pet,
                    Petstore__V1__OrderState state, char ret_id[33]);

#endif
