/*
 * A customer of a world's shop: logged in, with a call of its own.
 */
#ifndef TESTS_PETSTORE_CUSTOMER_H
#define TESTS_PETSTORE_CUSTOMER_H

#include "tests/petstore/world.h"

struct customer {
    struct world *w;
    char name[16];
    struct rpcrt_call *call;
    const Petstore__V1__Money *total;       /* to ask for; NULL: none */
    char reason[RPCRT_REASON_SIZE_MAX + 1]; /* of the last refusal, or "" */
    char order_id[33];                      /* that it or the reply names */
    char pet_id[33];
    Petstore__V1__OrderState state; /* of the reply */
};

void customer_come(struct world *w, const char *name, struct customer *ret_c);
void customer_leave(struct customer *c);

/* order_id NULL: the cart. */
enum rpcrt_code customer_checkout(struct customer *c, const char *key,
                                  const char *card, const char *order_id);
enum rpcrt_code customer_cancel(struct customer *c, const char *order_id);

/* A world with pets p0 to p9, and anna, who has p0 and p1 in the cart. */
void customer_shop_open(struct world *w, struct customer *ret_c);
void customer_shop_close(struct world *w, struct customer *c);

/* A call of a customer ends in a code and, with a refusal, a reason. */
#define expect_checkout(c, expected, why, expression)                          \
    do {                                                                       \
        enum rpcrt_code code_ = (expression);                                  \
        cr_expect_eq(code_, (expected), "%s: %s", rpcrt_code_name(code_),      \
                     code_ == RPCRT_OK ? "" : rpcrt_call_message((c)->call));  \
        cr_expect_str_eq((c)->reason, why);                                    \
    } while (0)

#endif
