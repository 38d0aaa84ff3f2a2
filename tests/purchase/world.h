/*
 * The whole system as processes: one kvd, one paymentd (TLS), two petstored
 * over the same store, with tokens, secrets, cards, pets and users; and what
 * tests do to it.
 *
 * Everything is in one folder. What holds secrets on purpose is below in/, so
 * that everything else can be searched for them.
 */
#ifndef TESTS_PURCHASE_WORLD_H
#define TESTS_PURCHASE_WORLD_H

#include "common/store.h"
#include "support/card.h"
#include "support/daemon.h"

#include "petstore/v1/petstore.client.h"

#include <criterion/criterion.h>

#define WORLD_SHOPS 2u
#define WORLD_STAFF_PASSWORD "correct horse battery"

enum world_part { WORLD_KVD, WORLD_PAYMENTD, WORLD_SHOP_0, WORLD_SHOP_1 };
#define WORLD_PARTS 4u

struct world_options {
    const char *engine;       /* of kvd: "lmdb" or "memory" */
    uint32_t rescue_after_ms; /* of petstored */
    uint32_t pay_within_ms;
    bool log_calls;
};

struct world {
    struct world_options options;
    char folder[64];
    struct daemon parts[WORLD_PARTS];
    bool alive[WORLD_PARTS];
    struct common_store *payments; /* what paymentd keeps */
    struct common_store *shops;    /* what petstored keeps */
};

/* Start everything; the test fails if something does not start. */
void world_open(struct world *world, const struct world_options *options);

/* SIGTERM to all, each must end well; the folder is removed. */
void world_close(struct world *world);

/* End a part by a signal, or start it again at the address that it had. */
void world_end(struct world *world, enum world_part part, int signal_number);
void world_start(struct world *world, enum world_part part);

/* Make a card known, as the operator. */
void world_issue(struct world *world, const struct card *card, int64_t balance);

/* -- somebody who calls a shop --------------------------------------------- */

struct visitor {
    struct rpcrt_channel *channels[WORLD_SHOPS];
    struct rpcrt_call *calls[WORLD_SHOPS];
    struct rpcrt_call *call; /* the one in use */
    char token[128];
    unsigned seed;
};

/* Somebody who comes with that seed for what is left to chance. */
void visitor_open(struct visitor *visitor, struct world *world, unsigned seed);
void visitor_close(struct visitor *visitor);

/* Go to one of the shops by chance; returns the call, with the session. */
struct rpcrt_call *visitor_choose(struct visitor *visitor);

/* A number below n, by chance. */
unsigned visitor_random(struct visitor *visitor, unsigned n);

/* Whether the last call of this code was answered for good; if not, waits a
 * moment, so that the caller goes round again. Fails the test after a minute
 * from `since_ms`. */
bool visitor_answered(const struct visitor *visitor, enum rpcrt_code code,
                      int64_t since_ms);

/* Register (unless known) and log in. */
void visitor_enter(struct visitor *visitor, const char *user,
                   const char *password, bool register_first);

/* Id of a pet by its number. */
#define VISITOR_PET_ID_SIZE 16u
void visitor_pet_id(unsigned n, char ret_id[VISITOR_PET_ID_SIZE]);

/* Add such a pet; as staff. */
void visitor_add_pet(struct visitor *visitor, unsigned n, int64_t price);

/* Reason of the last failure; "" without one. */
const char *visitor_reason(const struct visitor *visitor);

#endif
