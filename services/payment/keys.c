/*
 * Keys of the store: see keys.h.
 */
#include "payment/keys.h"

#include <inttypes.h>

const char *
pay_key_card(struct common_work *work, const struct pay_secrets *secrets,
             size_t i, const char *digits)
{
    struct pay_mac mac;
    uint8_t bytes[PAY_MAC_SIZE];
    char text[PAY_MAC_DIGITS_SIZE];

    pay_mac_begin(&mac, secrets, i, "card");
    pay_mac_text(&mac, digits);
    pay_mac_end(&mac, bytes);
    (void)sodium_bin2hex(text, sizeof(text), bytes, sizeof(bytes));
    return common_work_format(work, "card/%s/%s", pay_secrets_id(secrets, i),
                              text);
}

const char *
pay_account_of_merchant(struct common_work *work, const char *merchant,
                        const char *currency, const char *payment_id)
{
    return common_work_format(work, "m/%s/%s/%.2s", merchant, currency,
                              payment_id);
}

const char *
pay_account_external(struct common_work *work, const char *currency,
                     const char *card_id)
{
    return common_work_format(work, "x/%s/%c", currency, card_id[0]);
}

const char *
pay_key_account(struct common_work *work, const char *id)
{
    return id == NULL ? NULL : common_work_format(work, "account/%s", id);
}

const char *
pay_key_payment(struct common_work *work, const char *id)
{
    return common_work_format(work, "payment/%s", id);
}

const char *
pay_key_entry(struct common_work *work, const char *id, uint32_t number)
{
    return common_work_format(work, "entry/%s/%08" PRIx32, id, number);
}

const char *
pay_key_of(struct common_work *work, const char *merchant, int64_t order,
           const char *id)
{
    return common_work_format(work, "of/%s/%016" PRIx64 "/%s", merchant,
                              (uint64_t)(INT64_MAX - order), id);
}

const char *
pay_key_due(struct common_work *work, int64_t expires_at_ms, const char *id)
{
    return common_work_format(work, "due/%016" PRIx64 "/%s",
                              (uint64_t)expires_at_ms, id);
}

const char *
pay_key_idem(struct common_work *work, const struct pay_access *owner,
             const char *key)
{
    return common_work_format(work, "idem/%s/%s/%s",
                              owner->role == PAY_OPERATOR ? "operator"
                                                          : "merchant",
                              owner->name, key);
}
