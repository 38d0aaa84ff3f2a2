/*
 * The contract of petstore.proto, asked of a server through the generated
 * client: what every test begins with.
 *
 * CONTRACT_TARGET=ADDRESS names the shop to judge. What is needed beside it;
 * tests that lack something are skipped:
 *   CONTRACT_STAFF_FILE           a line "NAME PASSWORD" of a staff user
 *   CONTRACT_PAYMENT_TARGET       address of the shop's payment service, and
 *   CONTRACT_OPERATOR_TOKEN_FILE  a token of an operator there, to issue cards
 *   CONTRACT_TLS_CA, CONTRACT_TLS_CERT, CONTRACT_TLS_KEY
 * The shop's currency must be EUR. Users, pets, cards and keys are made at
 * random; users and orders stay.
 *
 * Without a target the tests start services of their own, on each engine and
 * transport.
 */
#ifndef TESTS_CONTRACT_PETSTORE_H
#define TESTS_CONTRACT_PETSTORE_H

#include "payment/v1/payment.client.h"
#include "petstore/v1/petstore.client.h"

#include "tests/support/card.h"
#include "tests/support/target.h"

/* The most that a pet can cost. */
#define PRICE_MAX INT64_C(1000000000000)

/* Of sessions, and for another card, in a stack of our own. */
#define CONTRACT_SESSION_MS 3600000
#define CONTRACT_PAY_WITHIN_MS 120000

/* Who calls. */
enum contract_who {
    ANN, /* a customer */
    BOB, /* another */
    STAFF,
    STRANGER, /* with a token that nobody knows */
    NOBODY,   /* without a token */
    N_WHO
};

/* What a reply said of an order. */
struct contract_order {
    Petstore__V1__OrderState state;
    int64_t total;
    uint32_t attempts;
    int64_t created_at_ms;
    int64_t pay_until_ms;
    size_t n_items;
    char id[40];
    char items[1200]; /* "id=price id=price" */
    char payment_id[40];
    char last4[8];
    char decline_reason[64];
};

struct contract {
    const char *where; /* "lmdb over tcp", for messages */
    struct target target;
    struct rpcrt_channel *channel;
    struct rpcrt_call *calls[N_WHO];
    struct rpcrt_call *payment; /* the operator's */
    char prefix[20];            /* of names; also the species of pets */
    char users[2][33];
    char tokens[STAFF + 1][128]; /* of sessions */
    struct contract_order order; /* of the last reply that had one */
};

/* A claim: CONTRACT(claim) { ... uses c ... } */
#define CONTRACT(claim) CONTRACT_WITH(claim, target_cells, false)

/* One that moves the clock or looks behind, so on a stack of our own. */
#define CONTRACT_OWN(claim) CONTRACT_WITH(claim, target_cells, true)

/* One that takes long. */
#define CONTRACT_LONG(claim) CONTRACT_WITH(claim, target_few_cells, true)

#define CONTRACT_WITH(claim, cells, own_only)                                  \
    static void claim(struct contract *c);                                     \
    TARGET_TEST(petstore, claim, cells)                                        \
    {                                                                          \
        struct contract contract;                                              \
                                                                               \
        contract_open(&contract, cell, own_only);                              \
        claim(&contract);                                                      \
        contract_close(&contract);                                             \
    }                                                                          \
    static void claim(struct contract *c)

void contract_open(struct contract *c, const struct target_cell *cell,
                   bool own_only);
void contract_close(struct contract *c);

/* The call of somebody, who is registered and logged in with the first use.
 * Skips the test if there is no staff user. */
struct rpcrt_call *contract_as(struct contract *c, enum contract_who who);

/* Fail the test unless the call of `who` ends like this. */
#define expect_done(c, who, expression)                                        \
    expect_call(c, contract_as(c, who), RPCRT_OK, expression)
#define expect_refused(c, who, code, reason, expression)                       \
    expect_refusal(c, contract_as(c, who), code, "petstore.v1", reason,        \
                   expression)

/* The value of an entry of the last refusal, "" without. Good until the next
 * use. */
const char *contract_entry(struct contract *c, enum contract_who who,
                           const char *name);

/* -- making things --------------------------------------------------------- */

/* The test's prefix, a dot and a text. Good until 256 more are made. */
const char *contract_name(struct contract *c, const char *name);

/* A new pet of the test's species; returns its id: contract_name(). */
const char *contract_pet(struct contract *c, const char *name, int64_t price);

/* Issue a new card. Skips the test if no payment service is known. */
struct card contract_card(struct contract *c, int64_t minor,
                          const char *currency);

/* What is left on it. */
int64_t contract_card_left(struct contract *c, const struct card *card);

/* Order one new pet and pay it; returns its id, c->order has the order. */
const char *contract_bought(struct contract *c, enum contract_who who,
                            const char *name, const struct card *card);

/* Order one new pet with a card that has too little; likewise. */
const char *contract_declined(struct contract *c, enum contract_who who,
                              const char *name);

/* -- calls ----------------------------------------------------------------- */

enum rpcrt_code contract_register(struct contract *c, const char *user,
                                  const char *password);

/* ret_token may be NULL. */
enum rpcrt_code contract_login(struct contract *c, const char *user,
                               const char *password, char ret_token[128]);

/* A pet of 1000 EUR cents to add, all of it in order. */
void contract_pet_init(struct contract *c, const char *id,
                       Petstore__V1__Pet *ret_pet,
                       Petstore__V1__Money *ret_price);
enum rpcrt_code contract_add(struct contract *c, enum contract_who who,
                             Petstore__V1__Pet *pet);
enum rpcrt_code contract_remove(struct contract *c, enum contract_who who,
                                const char *id);

/* PET_STATUS_UNSPECIFIED: there is no such pet. */
Petstore__V1__PetStatus contract_status(struct contract *c, const char *id);

enum rpcrt_code contract_put(struct contract *c, enum contract_who who,
                             const char *id);

/* "id id" and the total of the cart. */
const char *contract_cart(struct contract *c, enum contract_who who,
                          int64_t *ret_total);

/* order_id may be NULL; total 0: none is told. */
enum rpcrt_code contract_checkout(struct contract *c, enum contract_who who,
                                  const char *key, const struct card *card,
                                  const char *order_id, int64_t total);
enum rpcrt_code contract_order(struct contract *c, enum contract_who who,
                               const char *id);
enum rpcrt_code contract_cancel(struct contract *c, enum contract_who who,
                                const char *id);

/* Ask for an order until it has a state. */
void contract_await(struct contract *c, enum contract_who who, const char *id,
                    Petstore__V1__OrderState state);

#endif
