/*
 * What every handler needs: who calls, a piece of work on the store, trying
 * again what others came before, and idempotency keys.
 */
#ifndef PAYMENT_CALL_H
#define PAYMENT_CALL_H

#include "payment/reason.h"
#include "payment/service.h"

struct pay_call {
    struct pay_service *service;
    struct rpcrt_ctx *ctx;
    const struct pay_access *access;
    struct common_work *work;
    int64_t now_ms;
    const char *payment_id; /* of the payment read last, for DATA_LOSS */
};

/* Check who calls, as pay_access_find(); zeroed before. Ended by
 * pay_call_end(), also after a failure. */
RPCRT_MUST_CHECK enum rpcrt_code pay_call_begin(struct pay_call *call,
                                                struct pay_service *service,
                                                struct rpcrt_ctx *ctx,
                                                unsigned roles);
void pay_call_end(struct pay_call *call);

/* Hand a failure to the caller: the work's; or of what the ledger has read:
 * NOT_FOUND, no such payment; DATA_LOSS, records of call->payment_id that
 * contradict each other. Returns the code. */
enum rpcrt_code pay_call_failed(struct pay_call *call, enum rpcrt_code code);

/* A merchant's own payment, as pay_ledger_read_payment(); a failure is handed
 * to the caller. */
struct pay_ledger;
RPCRT_MUST_CHECK enum rpcrt_code
pay_call_read_payment(struct pay_call *call, const char *id,
                      struct pay_ledger *ret_ledger);

/**
 * Do something that ends in a commit. It is done anew when it returns ABORTED:
 * somebody else changed what it had read.
 *
 * Returns  what it returned; ABORTED, handed to the caller, after too many
 *          tries; DEADLINE_EXCEEDED or CANCELLED, if nobody waits any more.
 */
typedef enum rpcrt_code pay_try_fn(void *arg);
RPCRT_MUST_CHECK enum rpcrt_code pay_call_try(struct pay_call *call,
                                              pay_try_fn *fn, void *arg);

/* -- cards ----------------------------------------------------------------- */

/* What stands under a number, with each secret of this process; zeroed. */
struct pay_cards {
    struct common_record secrets;
    struct common_record items[PAY_SECRETS_MAX];
};

/* Read all with the next common_read_now(). digits NULL: no number, no card. */
void pay_cards_read(struct pay_call *call, struct pay_cards *cards,
                    const char *digits);

/* Whether that was all there may be. OK, or UNAVAILABLE, handed to the caller,
 * if the data was made with a secret that this process lacks. */
RPCRT_MUST_CHECK enum rpcrt_code pay_cards_check(struct pay_call *call,
                                                 const struct pay_cards *cards);

/* The card; NULL if it was never issued. */
const struct common_record *pay_cards_find(const struct pay_call *call,
                                           const struct pay_cards *cards);

/* -- idempotency keys ------------------------------------------------------ */

/* Feed what the caller asks for, without the key. */
typedef void pay_parameters_fn(struct pay_mac *mac, const void *arg);

/* What a call is done once for. */
struct pay_once {
    const char *method; /* "Capture" */
    const char *key;    /* the caller's */
    pay_parameters_fn *parameters;
    const void *arg;
    struct common_record record;
};

/* The method of a key that a Void has made useless before its Authorize came.
 */
#define PAY_ONCE_VOIDED "Void before Authorize"
#define PAY_ONCE_AUTHORIZE "Authorize"

/* OK, or INVALID_ARGUMENT, handed to the caller. */
RPCRT_MUST_CHECK enum rpcrt_code pay_key_check(struct pay_call *call,
                                               const char *key);

/* Read it with the next common_read_now(). */
void pay_once_read(struct pay_call *call, struct pay_once *once);

/**
 * What was done before.
 *
 * ret_id   id of the payment, or key of the card; NULL: nothing was done. For
 *          an Authorize: also that of a key made useless.
 * Returns  OK; ALREADY_EXISTS, handed to the caller, if it was something else;
 *          UNAVAILABLE if this process lacks the secret to tell.
 */
RPCRT_MUST_CHECK enum rpcrt_code pay_once_check(struct pay_call *call,
                                                const struct pay_once *once,
                                                const char **ret_id);

/* Let the commit expect that nothing was done, and record that this was. */
void pay_once_put(struct pay_call *call, const struct pay_once *once,
                  const char *id);

#endif
