/*
 * The contract of payment.proto, asked of a server through the generated
 * client: what every test begins with.
 *
 * CONTRACT_TARGET=ADDRESS names the server to judge. Files that then say how to
 * come in, a token each; without one the tests that need it are skipped:
 *   CONTRACT_TOKEN_FILE                   a merchant's
 *   CONTRACT_OTHER_TOKEN_FILE             another merchant's
 *   CONTRACT_OPERATOR_TOKEN_FILE
 *   CONTRACT_EXPIRED_TOKEN_FILE           a merchant's whose time is over
 *   CONTRACT_EXPIRED_OPERATOR_TOKEN_FILE
 *   CONTRACT_TLS_CA, CONTRACT_TLS_CERT, CONTRACT_TLS_KEY
 * Cards, payments and idempotency keys are made at random and stay.
 *
 * Without a target the tests start services of their own, on each engine and
 * transport.
 */
#ifndef TESTS_CONTRACT_PAYMENT_H
#define TESTS_CONTRACT_PAYMENT_H

#include "payment/v1/payment.client.h"

#include "tests/support/card.h"
#include "tests/support/target.h"

/* The most that an amount can be. */
#define AMOUNT_MAX INT64_C(1000000000000000)

/* The life of an authorization in a stack of our own: ten minutes. */
#define CONTRACT_HOLD_MS 600000

/* Who calls. */
enum contract_who {
    RED,  /* a merchant */
    BLUE, /* another */
    OPERATOR,
    EXPIRED, /* was a merchant */
    EXPIRED_OPERATOR,
    STRANGER, /* with a token that nobody knows */
    NOBODY,   /* without a token */
    N_WHO
};

/* What a reply said of a payment, and what it was like. */
struct contract_payment {
    Payment__V1__State state;
    int64_t amount;
    int64_t captured;
    int64_t refunded;
    int64_t created_at_ms;
    int64_t expires_at_ms;
    Payment__V1__Reason decline_reason;
    char id[40];
    char merchant[80];
    char currency[8];
    char last4[8];
    char scheme[16];
    char key[72];
    char reference[264];
};

struct contract_money {
    int64_t posted;
    int64_t held;
    int64_t available;
};

struct contract {
    const char *where; /* "lmdb over tcp", for messages */
    struct target target;
    struct rpcrt_channel *channel;
    struct rpcrt_call *calls[N_WHO];
    char prefix[20];
    struct contract_payment payment; /* of the last reply that had one */
};

/* A claim: CONTRACT(claim) { ... uses c ... } */
#define CONTRACT(claim) CONTRACT_WITH(claim, target_cells, false)

/* One that moves the clock, so on a server of our own. */
#define CONTRACT_IN_TIME(claim) CONTRACT_WITH(claim, target_cells, true)

/* One that takes long. */
#define CONTRACT_LONG(claim) CONTRACT_WITH(claim, target_few_cells, false)

#define CONTRACT_WITH(claim, cells, own_only)                                  \
    static void claim(struct contract *c);                                     \
    TARGET_TEST(payment, claim, cells)                                         \
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

/* The call of somebody. Skips the test if there is no token for that. */
struct rpcrt_call *contract_as(struct contract *c, enum contract_who who);

/* Fail the test unless the call of `who` ends like this. */
#define expect_done(c, who, expression)                                        \
    expect_call(c, contract_as(c, who), RPCRT_OK, expression)
#define expect_refused(c, who, code, reason, expression)                       \
    expect_refusal(c, contract_as(c, who), code, "payment.v1", reason,         \
                   expression)

void contract_expect_same(const struct contract *c,
                          const struct contract_payment *one,
                          const struct contract_payment *two);

/* -- making things --------------------------------------------------------- */

/* An idempotency key of this test. Good until 256 more are made. */
const char *contract_key(struct contract *c, const char *name);

/* Issue a new one. */
struct card contract_card(struct contract *c, int64_t minor,
                          const char *currency);

/* Authorize 1000 EUR cents of a new card; returns the payment. */
struct contract_payment contract_authorized(struct contract *c,
                                            const char *key);

/* -- calls ----------------------------------------------------------------- */

enum rpcrt_code contract_issue(struct contract *c, enum contract_who who,
                               const char *key, const struct card *card,
                               int64_t minor, const char *currency);
/* The reference is "order 7". */
enum rpcrt_code contract_authorize(struct contract *c, enum contract_who who,
                                   const char *key, const struct card *card,
                                   int64_t minor, const char *currency);
enum rpcrt_code contract_capture(struct contract *c, enum contract_who who,
                                 const char *key, const char *id,
                                 int64_t minor);
enum rpcrt_code contract_void(struct contract *c, enum contract_who who,
                              const char *key, const char *id);
enum rpcrt_code contract_void_key(struct contract *c, enum contract_who who,
                                  const char *key, const char *authorize_key);
enum rpcrt_code contract_refund(struct contract *c, enum contract_who who,
                                const char *key, const char *id, int64_t minor);
enum rpcrt_code contract_get(struct contract *c, enum contract_who who,
                             const char *id);

/* What a card has; the operator asks. */
struct contract_money contract_card_money(struct contract *c,
                                          const struct card *card);

/* What a merchant has in a currency. */
int64_t contract_merchant_money(struct contract *c, enum contract_who who,
                                const char *currency);

#endif
