/*
 * Codes and texts of refusals: see reason.h.
 */
#include "payment/reason.h"

#include <rpcrt/details.h>

#define DOMAIN_NAME "payment.v1"

struct meaning {
    enum rpcrt_code code;
    const char *text;
};

#define REASON(name) [PAYMENT__V1__REASON__##name]

static const struct meaning meanings[] = {
    REASON(REASON_UNSPECIFIED) = {RPCRT_INTERNAL, "no reason is known"},
    REASON(CARD_NUMBER_INVALID) = {RPCRT_INVALID_ARGUMENT,
                                   "the card number is not valid"},
    REASON(CARD_EXPIRY_INVALID) = {RPCRT_INVALID_ARGUMENT,
                                   "the card's expiry is no month of the years "
                                   "2000 to 2099"},
    REASON(CARD_EXPIRED) = {RPCRT_FAILED_PRECONDITION, "the card has expired"},
    REASON(CARD_UNKNOWN) = {RPCRT_FAILED_PRECONDITION,
                            "no such card was issued"},
    REASON(CARD_EXPIRY_WRONG) = {RPCRT_FAILED_PRECONDITION,
                                 "the expiry is not the card's"},
    REASON(CURRENCY_WRONG) = {RPCRT_FAILED_PRECONDITION,
                              "the card has another currency"},
    REASON(INSUFFICIENT_FUNDS) = {RPCRT_FAILED_PRECONDITION,
                                  "the card has less than this amount"},
    REASON(CARD_EXISTS) = {RPCRT_ALREADY_EXISTS,
                           "a card with this number was issued before"},
    REASON(PAYMENT_UNKNOWN) = {RPCRT_NOT_FOUND, "no such payment"},
    REASON(PAYMENT_DECLINED) = {RPCRT_FAILED_PRECONDITION,
                                "the payment was declined"},
    REASON(PAYMENT_VOIDED) = {RPCRT_FAILED_PRECONDITION,
                              "the payment was voided"},
    REASON(PAYMENT_EXPIRED) = {RPCRT_FAILED_PRECONDITION,
                               "the authorization has expired"},
    REASON(PAYMENT_CAPTURED) = {RPCRT_FAILED_PRECONDITION,
                                "the payment was captured"},
    REASON(PAYMENT_NOT_CAPTURED) = {RPCRT_FAILED_PRECONDITION,
                                    "the payment was not captured"},
    REASON(AMOUNT_TOO_LARGE) = {RPCRT_FAILED_PRECONDITION,
                                "the amount is more than is left of this "
                                "payment"},
    REASON(AMOUNT_INVALID) = {RPCRT_INVALID_ARGUMENT,
                              "the amount is not from 1 to 10^15 minor units"},
    REASON(CURRENCY_INVALID) = {RPCRT_INVALID_ARGUMENT,
                                "the currency is not an ISO 4217 code"},
    REASON(IDEMPOTENCY_KEY_REUSED) = {RPCRT_ALREADY_EXISTS,
                                      "the idempotency key was used for "
                                      "something else"},
    REASON(IDEMPOTENCY_KEY_INVALID) = {RPCRT_INVALID_ARGUMENT,
                                       "the idempotency key is not 1 to 64 "
                                       "printable ASCII characters"},
};

static const struct meaning *
meaning_of(Payment__V1__Reason reason)
{
    size_t i = (size_t)reason;

    return &meanings[i < sizeof(meanings) / sizeof(meanings[0]) ? i : 0];
}

const char *
pay_reason_text(Payment__V1__Reason reason)
{
    return meaning_of(reason)->text;
}

enum rpcrt_code
pay_refuse_as(struct rpcrt_ctx *ctx, enum rpcrt_code code,
              Payment__V1__Reason reason, const char *text)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &payment__v1__reason__descriptor, (int)reason);

    if (value == NULL) {
        return rpcrt_ctx_fail(ctx, code, "%s", text);
    }
    return rpcrt_ctx_refuse(ctx, code, DOMAIN_NAME, value->name, "%s", text);
}

enum rpcrt_code
pay_refuse(struct rpcrt_ctx *ctx, Payment__V1__Reason reason)
{
    const struct meaning *meaning = meaning_of(reason);

    return pay_refuse_as(ctx, meaning->code, reason, meaning->text);
}
