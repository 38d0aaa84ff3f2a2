/*
 * The handlers of Payment, by the files that have them; service.c puts them
 * into one table. self is the struct pay_service.
 */
#ifndef PAYMENT_HANDLERS_H
#define PAYMENT_HANDLERS_H

#include "payment/v1/payment.server.h"

/* issue.c */
enum rpcrt_code pay_issue_card(void *self, struct rpcrt_ctx *ctx,
                               const Payment__V1__IssueCardRequest *request,
                               Payment__V1__IssueCardReply *reply);

/* balance.c */
enum rpcrt_code pay_get_balance(void *self, struct rpcrt_ctx *ctx,
                                const Payment__V1__GetBalanceRequest *request,
                                Payment__V1__GetBalanceReply *reply);

/* authorize.c */
enum rpcrt_code pay_authorize(void *self, struct rpcrt_ctx *ctx,
                              const Payment__V1__AuthorizeRequest *request,
                              Payment__V1__AuthorizeReply *reply);

/* settle.c */
enum rpcrt_code pay_capture(void *self, struct rpcrt_ctx *ctx,
                            const Payment__V1__CaptureRequest *request,
                            Payment__V1__CaptureReply *reply);
enum rpcrt_code pay_refund(void *self, struct rpcrt_ctx *ctx,
                           const Payment__V1__RefundRequest *request,
                           Payment__V1__RefundReply *reply);

/* void.c */
enum rpcrt_code pay_void(void *self, struct rpcrt_ctx *ctx,
                         const Payment__V1__VoidRequest *request,
                         Payment__V1__VoidReply *reply);

/* list.c */
enum rpcrt_code pay_get_payment(void *self, struct rpcrt_ctx *ctx,
                                const Payment__V1__GetPaymentRequest *request,
                                Payment__V1__GetPaymentReply *reply);
enum rpcrt_code
pay_list_payments(void *self, struct rpcrt_ctx *ctx,
                  const Payment__V1__ListPaymentsRequest *request,
                  Payment__V1__ListPaymentsReply *reply);

/* accounts.c */
enum rpcrt_code
pay_list_accounts(void *self, struct rpcrt_ctx *ctx,
                  const Payment__V1__ListAccountsRequest *request,
                  Payment__V1__ListAccountsReply *reply);

#endif
