/*
 * The servers of the bench "shop" as child programs: kvd, paymentd behind TLS,
 * petstored; and the folder with their files. In it clients find
 *
 *   kv.address payment.address shop.address   who listens where
 *   certs/                                    what paymentd wants to see
 *
 * and the driver the logs: kvd.log, paymentd.log, petstored.log, strace.log.
 */
#ifndef BENCH_SHOP_STACK_H
#define BENCH_SHOP_STACK_H

#include "bench/process.h"

#include <stdbool.h>

#define SHOP_KV_TOKEN "kv-token-of-the-shop"
#define SHOP_OPERATOR_TOKEN "token-of-the-operator"
#define SHOP_STAFF "keeper"
#define SHOP_PASSWORD "a password of the staff"
/* Call ids under which purchases are counted. */
#define SHOP_CART_CALL_ID "bench-cart"
#define SHOP_CHECKOUT_CALL_ID "bench-checkout"

#define SHOP_PATH_SIZE 512u

struct shop_stack {
    char folder[SHOP_PATH_SIZE - 64];
    struct process kvd;
    struct process paymentd;
    struct process petstored;
};

struct shop_stack_options {
    const char *name;     /* of the stack's folder, a new one in programs */
    const char *programs; /* folder of the benchmark, with certs/ */
    const char *servers;  /* folder of the daemons */
    const char *engine;   /* "memory" or "lmdb" */
    bool log_calls;
    const char *strace; /* the program that counts kvd's syncs; may be NULL */
};

/** Start all three. */
void shop_stack_start(struct shop_stack *stack,
                      const struct shop_stack_options *options);

/** End all three; the folder with the logs stays. */
void shop_stack_stop(struct shop_stack *stack);

/** Remove the folder. The next start with its name would do so, too. */
void shop_stack_remove(const struct shop_stack *stack);

#endif
