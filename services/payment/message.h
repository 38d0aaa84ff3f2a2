/*
 * Records as messages of payment.proto, in the memory of a call. NULL: no
 * memory.
 */
#ifndef PAYMENT_MESSAGE_H
#define PAYMENT_MESSAGE_H

#include "payment/record.pb-c.h"
#include "payment/v1/payment.pb-c.h"

#include <rpcrt/ctx.h>

/* Texts are borrowed from the record. */
Payment__V1__Money *pay_message_money(struct rpcrt_ctx *ctx, int64_t minor,
                                      const char *currency);
Payment__V1__PaymentRecord *
pay_message_payment(struct rpcrt_ctx *ctx,
                    const Payment__Record__Payment *record);
Payment__V1__Account *
pay_message_account(struct rpcrt_ctx *ctx,
                    const Payment__Record__Account *record);
Payment__V1__Balance *pay_message_balance(struct rpcrt_ctx *ctx, int64_t posted,
                                          int64_t held, const char *currency);

#endif
