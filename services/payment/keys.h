/*
 * The keys of the store, as record.proto lists them. All are made in the
 * memory of a work; without memory they are NULL, and the work has failed.
 */
#ifndef PAYMENT_KEYS_H
#define PAYMENT_KEYS_H

#include "payment/access.h"
#include "payment/secrets.h"

#include "common/store.h"

/* card/<secret id>/<HMAC>, for the secret i. */
const char *pay_key_card(struct common_work *work,
                         const struct pay_secrets *secrets, size_t i,
                         const char *digits);

/* Ids of accounts; one of a card is that of its record. A merchant has 256 in
 * each currency, by the payment's id, and there are 16 external ones, by the
 * card's: so commits seldom expect the same account at once. */
const char *pay_account_of_merchant(struct common_work *work,
                                    const char *merchant, const char *currency,
                                    const char *payment_id);
const char *pay_account_external(struct common_work *work, const char *currency,
                                 const char *card_id);

const char *pay_key_account(struct common_work *work, const char *id);
const char *pay_key_payment(struct common_work *work, const char *id);
const char *pay_key_entry(struct common_work *work, const char *id,
                          uint32_t number);

/* of/<merchant>/...: the newest first, by a number of pay_service_order(). */
const char *pay_key_of(struct common_work *work, const char *merchant,
                       int64_t order, const char *id);

/* due/...: the first to expire first. The id stands behind the last '/'. */
const char *pay_key_due(struct common_work *work, int64_t expires_at_ms,
                        const char *id);

const char *pay_key_idem(struct common_work *work,
                         const struct pay_access *owner, const char *key);

#endif
