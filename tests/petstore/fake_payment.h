/*
 * A payment service that does what a test says: it knows the states of
 * payments, and can refuse, forget a call, or lose an answer. It notes when it
 * is asked what no careful shop asks.
 */
#ifndef TESTS_PETSTORE_FAKE_PAYMENT_H
#define TESTS_PETSTORE_FAKE_PAYMENT_H

#include "payment/v1/payment.server.h"

#include <pthread.h>
#include <stdbool.h>

/* Every number is taken but this one, which has too little money. */
#define FAKE_CARD "4111111111111111"
#define FAKE_CARD_POOR "4000000000000002"

enum fake_method {
    FAKE_AUTHORIZE,
    FAKE_CAPTURE,
    FAKE_VOID,
    FAKE_REFUND,
    FAKE_METHODS
};

enum fake_act {
    FAKE_DO,          /* as the state of the payment allows */
    FAKE_REFUSE,      /* say no, do nothing */
    FAKE_LOSE_CALL,   /* do nothing, and give no answer */
    FAKE_LOSE_ANSWER, /* do it, and give no answer */
    FAKE_OTHER,       /* do nothing, and answer with another payment */
    FAKE_HANG         /* do nothing until the caller has left */
};

struct fake_script {
    enum fake_act act;
    enum rpcrt_code code; /* of a refusal */
    const char *reason;
};

struct fake_record {
    char key[80];
    char id[33];
    Payment__V1__State state;
    int64_t minor;
    char reason[40]; /* of one that was declined */
};

#define FAKE_RECORDS_MAX 2048u
#define FAKE_SCRIPTS_MAX 16u

struct fake_payment {
    pthread_mutex_t lock;
    struct fake_record records[FAKE_RECORDS_MAX];
    size_t n_records;
    struct fake_script scripts[FAKE_METHODS][FAKE_SCRIPTS_MAX]; /* to come */
    size_t n_scripts[FAKE_METHODS];
    unsigned n_calls[FAKE_METHODS];
    unsigned n_mistakes;
    void (*hook)(void *arg, enum fake_method method);
    void *hook_arg;
};

void fake_init(struct fake_payment *fake);
RPCRT_MUST_CHECK enum rpcrt_code fake_serve(struct rpcrt_server *server,
                                            struct fake_payment *fake);

/* What the next calls of a method do, one after the other; then FAKE_DO. */
void fake_then(struct fake_payment *fake, enum fake_method method,
               struct fake_script script);

/* Forget what the next calls were to do. */
void fake_clear(struct fake_payment *fake);

/* Call a function in every call from now on, behind its effect and before its
 * answer; NULL: no more. */
typedef void fake_hook_fn(void *arg, enum fake_method method);
void fake_hook(struct fake_payment *fake, fake_hook_fn *hook, void *arg);

/* How often a method was called. */
unsigned fake_calls(struct fake_payment *fake, enum fake_method method);

/* How often it was asked what no careful shop asks. */
unsigned fake_mistakes(struct fake_payment *fake);

/* The payment of an attempt "<order id>.<attempt>"; its state, or 0. */
Payment__V1__State fake_state(struct fake_payment *fake, const char *order_id,
                              unsigned attempt);

#endif
