/*
 * The service Payment of payment.proto on a store.
 */
#ifndef PAYMENT_SERVICE_H
#define PAYMENT_SERVICE_H

#include "payment/access.h"
#include "payment/secrets.h"

#include "common/store.h"

#include <rpcrt/auth.h>
#include <rpcrt/server.h>
#include <stdatomic.h>

/* Seven days. */
#define PAY_HOLD_FOR_MS INT64_C(604800000)

/* What time it is, in milliseconds since 1970; any thread. */
typedef int64_t pay_clock_fn(void *arg);

struct pay_service {
    struct common_store *store;
    const struct pay_secrets *secrets;
    const struct common_tokens *access;
    struct rpcrt_auth auth; /* by them; pay_service_serve() fills it */
    int64_t hold_for_ms;    /* the life of an authorization; 0: seven days */
    pay_clock_fn *clock;    /* NULL: common_now_ms() */
    void *clock_arg;
    atomic_llong order; /* the last number given out */
};

int64_t pay_service_now_ms(const struct pay_service *service);

/* A number for the order of payments: larger than all that this process gave
 * out before, and than those of 4,096 payments in each earlier millisecond. */
int64_t pay_service_order(struct pay_service *service, int64_t now_ms);

/**
 * Serve. Before the server listens; after pay_secrets_enter().
 *
 * service  kept; it and what it names outlive the server
 * Returns  what payment_serve() returns.
 */
RPCRT_MUST_CHECK enum rpcrt_code pay_service_serve(struct rpcrt_server *server,
                                                   struct pay_service *service);

#endif
