/*
 * Reading and writing what a payment touches: see ledger.h.
 */
#include "payment/ledger.h"
#include "payment/keys.h"

enum rpcrt_code
pay_ledger_read_payment(struct pay_ledger *ledger, const char *id)
{
    enum rpcrt_code code;

    common_read(ledger->work, pay_key_payment(ledger->work, id),
                &payment__record__payment__descriptor, &ledger->payment_record);
    code = common_read_now(ledger->work);
    if (code != RPCRT_OK) {
        return code;
    }
    if (ledger->payment_record.message == NULL) {
        return RPCRT_NOT_FOUND;
    }
    ledger->payment =
        *(const Payment__Record__Payment *)ledger->payment_record.message;
    return RPCRT_OK;
}

void
pay_ledger_take_card(struct pay_ledger *ledger,
                     const struct common_record *record)
{
    ledger->card_record = *record;
    ledger->card = *(const Payment__Record__Card *)record->message;
    ledger->card_account = *ledger->card.account;
    ledger->card.account = &ledger->card_account;
}

void
pay_ledger_take_account(const struct common_record *record, const char *id,
                        Payment__V1__Account__Kind kind, const char *owner,
                        const char *currency,
                        Payment__Record__Account *ret_account)
{
    if (record->message != NULL) {
        *ret_account = *(const Payment__Record__Account *)record->message;
        return;
    }
    payment__record__account__init(ret_account);
    ret_account->id = id;
    ret_account->kind = (uint32_t)kind;
    ret_account->owner = owner;
    ret_account->currency = currency;
}

enum rpcrt_code
pay_ledger_read_accounts(struct pay_ledger *ledger, bool merchant)
{
    const Payment__Record__Payment *payment = &ledger->payment;
    const Payment__Record__Card *card;
    struct common_record card_record;
    struct common_record again;
    enum rpcrt_code code;

    common_read(ledger->work, ledger->payment_record.key,
                &payment__record__payment__descriptor, &again);
    common_read(ledger->work, payment->card_key,
                &payment__record__card__descriptor, &card_record);
    if (merchant) {
        common_read(
            ledger->work, pay_key_account(ledger->work, payment->account),
            &payment__record__account__descriptor, &ledger->account_record);
    }
    code = common_read_now(ledger->work);
    if (code != RPCRT_OK) {
        return code;
    }
    if (again.revision != ledger->payment_record.revision) {
        return RPCRT_ABORTED; /* these accounts are of another moment */
    }
    card = (const Payment__Record__Card *)card_record.message;
    if (card == NULL || card->account == NULL) {
        return RPCRT_DATA_LOSS;
    }
    pay_ledger_take_card(ledger, &card_record);
    if (merchant) {
        pay_ledger_take_account(&ledger->account_record, payment->account,
                                PAYMENT__V1__ACCOUNT__KIND__MERCHANT,
                                payment->merchant, payment->currency,
                                &ledger->account);
    }
    return RPCRT_OK;
}

void
pay_ledger_put(struct pay_ledger *ledger)
{
    common_expect(ledger->work, &ledger->payment_record);
    common_put(ledger->work, ledger->payment_record.key, &ledger->payment.base);
    if (ledger->card_record.key != NULL) {
        common_expect(ledger->work, &ledger->card_record);
        common_put(ledger->work, ledger->card_record.key, &ledger->card.base);
    }
    if (ledger->account_record.key != NULL) {
        common_expect(ledger->work, &ledger->account_record);
        common_put(ledger->work, ledger->account_record.key,
                   &ledger->account.base);
    }
}

void
pay_ledger_put_entry(struct pay_ledger *ledger,
                     const Payment__Record__Entry *entry)
{
    common_put(ledger->work,
               pay_key_entry(ledger->work, ledger->payment.id,
                             ledger->payment.n_entries),
               &entry->base);
}

void
pay_ledger_put_due(struct pay_ledger *ledger)
{
    common_put(ledger->work,
               pay_key_due(ledger->work, ledger->payment.expires_at_ms,
                           ledger->payment.id),
               NULL);
}

void
pay_ledger_delete_due(struct pay_ledger *ledger)
{
    common_delete(ledger->work,
                  pay_key_due(ledger->work, ledger->payment.expires_at_ms,
                              ledger->payment.id));
}

enum rpcrt_code
pay_ledger_expire(struct pay_ledger *ledger, int64_t now_ms)
{
    enum rpcrt_code code;

    if (!pay_payment_due(&ledger->payment, now_ms)) {
        return RPCRT_OK;
    }
    code = pay_ledger_read_accounts(ledger, false);
    if (code != RPCRT_OK) {
        return code;
    }
    if (pay_payment_expire(&ledger->payment, &ledger->card_account, now_ms) !=
        PAYMENT__V1__REASON__REASON_UNSPECIFIED) {
        return RPCRT_DATA_LOSS;
    }
    pay_ledger_put(ledger);
    pay_ledger_delete_due(ledger);
    return common_commit(ledger->work);
}
