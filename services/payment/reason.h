/*
 * Refusals: for each reason of payment.proto a status code and a text for
 * people.
 */
#ifndef PAYMENT_REASON_H
#define PAYMENT_REASON_H

#include "payment/v1/payment.pb-c.h"

#include <rpcrt/ctx.h>

/* A text that says no more than the reason. Static. */
const char *pay_reason_text(Payment__V1__Reason reason);

/* End a call for a reason, with the code and text that belong to it; returns
 * the code. */
enum rpcrt_code pay_refuse(struct rpcrt_ctx *ctx, Payment__V1__Reason reason);

/* The same with a code and text of one's own. */
enum rpcrt_code pay_refuse_as(struct rpcrt_ctx *ctx, enum rpcrt_code code,
                              Payment__V1__Reason reason, const char *text);

#endif
