/*
 * Looking for a card under every secret: see call.h.
 */
#include "payment/call.h"
#include "payment/keys.h"
#include "payment/record.pb-c.h"

void
pay_cards_read(struct pay_call *call, struct pay_cards *cards,
               const char *digits)
{
    const struct pay_secrets *secrets = call->service->secrets;
    size_t i;

    pay_secrets_read(call->work, &cards->secrets);
    for (i = 0; digits != NULL && i < pay_secrets_count(secrets); i++) {
        common_read(call->work, pay_key_card(call->work, secrets, i, digits),
                    &payment__record__card__descriptor, &cards->items[i]);
    }
}

enum rpcrt_code
pay_cards_check(struct pay_call *call, const struct pay_cards *cards)
{
    struct common_error error;

    if (pay_secrets_check(call->service->secrets, &cards->secrets, &error) ==
        RPCRT_OK) {
        return RPCRT_OK;
    }
    return rpcrt_ctx_fail(call->ctx, RPCRT_UNAVAILABLE,
                          "%s: paymentd must be started with it", error.text);
}

const struct common_record *
pay_cards_find(const struct pay_call *call, const struct pay_cards *cards)
{
    size_t i;

    for (i = 0; i < pay_secrets_count(call->service->secrets); i++) {
        const Payment__Record__Card *card =
            (const Payment__Record__Card *)cards->items[i].message;

        if (card != NULL && card->account != NULL) {
            return &cards->items[i];
        }
    }
    return NULL;
}
