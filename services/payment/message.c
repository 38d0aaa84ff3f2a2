/*
 * Messages of replies: see message.h.
 */
#include "payment/message.h"
#include "payment/books.h"

Payment__V1__Money *
pay_message_money(struct rpcrt_ctx *ctx, int64_t minor, const char *currency)
{
    Payment__V1__Money *money = rpcrt_ctx_alloc(ctx, sizeof(*money));

    if (money != NULL) {
        payment__v1__money__init(money);
        money->minor = minor;
        money->currency = currency;
    }
    return money;
}

Payment__V1__PaymentRecord *
pay_message_payment(struct rpcrt_ctx *ctx,
                    const Payment__Record__Payment *record)
{
    Payment__V1__PaymentRecord *payment =
        rpcrt_ctx_alloc(ctx, sizeof(*payment));

    if (payment == NULL) {
        return NULL;
    }
    payment__v1__payment_record__init(payment);
    if (record->amount != 0) {
        payment->amount =
            pay_message_money(ctx, record->amount, record->currency);
        if (payment->amount == NULL) {
            return NULL;
        }
    }
    payment->id = record->id;
    payment->merchant = record->merchant;
    payment->state = (Payment__V1__State)record->state;
    payment->captured_minor = record->captured;
    payment->refunded_minor = record->refunded;
    payment->card_last4 = record->card_last4;
    payment->card_scheme = record->card_scheme;
    payment->authorize_key = record->authorize_key;
    payment->reference = record->reference;
    payment->created_at_ms = record->created_at_ms;
    payment->expires_at_ms = record->expires_at_ms;
    payment->decline_reason = (Payment__V1__Reason)record->decline_reason;
    return payment;
}

Payment__V1__Account *
pay_message_account(struct rpcrt_ctx *ctx,
                    const Payment__Record__Account *record)
{
    Payment__V1__Account *account = rpcrt_ctx_alloc(ctx, sizeof(*account));

    if (account == NULL) {
        return NULL;
    }
    payment__v1__account__init(account);
    account->id = record->id;
    account->kind = (Payment__V1__Account__Kind)record->kind;
    account->owner = record->owner;
    account->posted =
        pay_message_money(ctx, pay_account_posted(record), record->currency);
    account->held =
        pay_message_money(ctx, record->debits_pending, record->currency);
    return account->posted == NULL || account->held == NULL ? NULL : account;
}

Payment__V1__Balance *
pay_message_balance(struct rpcrt_ctx *ctx, int64_t posted, int64_t held,
                    const char *currency)
{
    Payment__V1__Balance *balance = rpcrt_ctx_alloc(ctx, sizeof(*balance));

    if (balance == NULL) {
        return NULL;
    }
    payment__v1__balance__init(balance);
    balance->posted = pay_message_money(ctx, posted, currency);
    balance->held = pay_message_money(ctx, held, currency);
    balance->available = pay_message_money(ctx, posted - held, currency);
    return balance->posted == NULL || balance->held == NULL ||
                   balance->available == NULL
               ? NULL
               : balance;
}
