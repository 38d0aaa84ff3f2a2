/*
 * What one step of a payment touches: the payment, its card, the merchant's
 * account. Read from the store, changed in memory by the functions of
 * payment.h, and written back if nobody else has changed any of it.
 */
#ifndef PAYMENT_LEDGER_H
#define PAYMENT_LEDGER_H

#include "payment/payment.h"

#include "common/store.h"

struct pay_ledger {
    struct common_work *work;
    struct common_record payment_record;
    struct common_record card_record;
    struct common_record account_record;

    /* Copies to change; texts are those of the records. */
    Payment__Record__Payment payment;
    Payment__Record__Card card;
    Payment__Record__Account card_account;
    Payment__Record__Account account; /* of the merchant */
};

/* Zeroed and with its work. Read a payment, and with it whatever else waits to
 * be read. OK, the work's failure, or NOT_FOUND, which is not the work's. */
RPCRT_MUST_CHECK enum rpcrt_code
pay_ledger_read_payment(struct pay_ledger *ledger, const char *id);

/* Read its card and, if `merchant`, the account it is for. OK, or the work's
 * failure; or, which are not the work's, ABORTED if the payment has changed
 * since it was read, DATA_LOSS if there is no such card. */
RPCRT_MUST_CHECK enum rpcrt_code
pay_ledger_read_accounts(struct pay_ledger *ledger, bool merchant);

/* Take a record of a card, that was read by others. */
void pay_ledger_take_card(struct pay_ledger *ledger,
                          const struct common_record *record);

/* An account as it is in a record, or a new one. */
void pay_ledger_take_account(const struct common_record *record, const char *id,
                             Payment__V1__Account__Kind kind, const char *owner,
                             const char *currency,
                             Payment__Record__Account *ret_account);

/* Expect what was read, and put what was changed: the payment, and accounts if
 * they were read. The payment is the first put. */
void pay_ledger_put(struct pay_ledger *ledger);

/* Put the entry of a movement, numbered by the payment. */
void pay_ledger_put_entry(struct pay_ledger *ledger,
                          const Payment__Record__Entry *entry);

/* Its key among the authorizations that end by themselves. */
void pay_ledger_put_due(struct pay_ledger *ledger);
void pay_ledger_delete_due(struct pay_ledger *ledger);

/* End an authorization that is due, with a commit of its own. OK: it has ended,
 * now or before; else as common_commit(). */
RPCRT_MUST_CHECK enum rpcrt_code pay_ledger_expire(struct pay_ledger *ledger,
                                                   int64_t now_ms);

#endif
