/*
 * The way to the payment service, through its generated stubs: single tries of
 * the calls that an order needs, and what their answers mean. What to ask, and
 * whether to ask again, is the saga's business.
 */
#ifndef PETSTORE_PAYMENT_LINK_H
#define PETSTORE_PAYMENT_LINK_H

#include "common/error.h"
#include "payment/v1/payment.pb-c.h"
#include "petstore/order_state.h"

#include <rpcrt/ctx.h>
#include <rpcrt/tls.h>
#include <stdbool.h>
#include <stdint.h>

struct shop_payment;

struct shop_payment_options {
    const char *address;
    const struct rpcrt_tls *tls; /* for tls+tcp:// */
    const char *token_file;      /* its first line; NULL: no token */
    uint32_t try_ms;             /* one try waits so long; 0: 3000 */
    uint32_t patience_ms;        /* of a call that has no deadline; 0: 30000 */
};

/* Returns OK, or INVALID_ARGUMENT or FAILED_PRECONDITION with a text that names
 * address or file. It connects when it is used. Any thread may use it. */
RPCRT_MUST_CHECK enum rpcrt_code
shop_payment_open(const struct shop_payment_options *options,
                  struct common_error *ret_error,
                  struct shop_payment **ret_payment);

/* No call may run any more. NULL does nothing. */
void shop_payment_close(struct shop_payment *payment);

/* End what waits, now and later: for the end of the program. Any thread. */
void shop_payment_stop(struct shop_payment *payment);

uint32_t shop_payment_patience_ms(const struct shop_payment *payment);

/* Handlers that may wait for the payment service at once. More are refused, so
 * that there are threads left for those that need no payment. */
#define SHOP_PAYMENT_PLACES 64u

/* Take a place, to be given back; false if none is free. Any thread. */
bool shop_payment_enter(struct shop_payment *payment);
void shop_payment_leave(struct shop_payment *payment);

/* For whom a try is made. */
struct shop_payer {
    struct rpcrt_ctx *ctx; /* its deadline, cancellation and call id apply;
                              NULL: nobody waits */
    const char *call_id;   /* for logs, where ctx is NULL */
};

/* One try each; the answer is always filled. */
void shop_payment_authorize(struct shop_payment *payment,
                            const struct shop_payer *payer,
                            const Payment__V1__AuthorizeRequest *request,
                            struct shop_answer *ret_answer);
void shop_payment_capture(struct shop_payment *payment,
                          const struct shop_payer *payer,
                          const Payment__V1__CaptureRequest *request,
                          struct shop_answer *ret_answer);
void shop_payment_void(struct shop_payment *payment,
                       const struct shop_payer *payer,
                       const Payment__V1__VoidRequest *request,
                       struct shop_answer *ret_answer);
void shop_payment_refund(struct shop_payment *payment,
                         const struct shop_payer *payer,
                         const Payment__V1__RefundRequest *request,
                         struct shop_answer *ret_answer);

/* Wait before something is tried again. False: don't, the call has no time
 * left (ctx NULL: it has all), or the program ends. */
bool shop_payment_wait(struct shop_payment *payment, struct rpcrt_ctx *ctx,
                       uint32_t wait_ms);

#endif
