/*
 * Idempotency keys: see call.h. What was asked for is kept as an HMAC, so that
 * it can be compared and never read.
 */
#include "payment/call.h"
#include "payment/keys.h"
#include "payment/record.pb-c.h"

#include "common/ids.h"

#include <string.h>

enum rpcrt_code
pay_key_check(struct pay_call *call, const char *key)
{
    return common_idempotency_key_ok(key)
               ? RPCRT_OK
               : pay_refuse(call->ctx,
                            PAYMENT__V1__REASON__IDEMPOTENCY_KEY_INVALID);
}

void
pay_once_read(struct pay_call *call, struct pay_once *once)
{
    common_read(call->work, pay_key_idem(call->work, call->access, once->key),
                &payment__record__once__descriptor, &once->record);
}

static void
parameters_mac(const struct pay_call *call, const struct pay_once *once,
               size_t secret, uint8_t ret_mac[PAY_MAC_SIZE])
{
    struct pay_mac mac;

    pay_mac_begin(&mac, call->service->secrets, secret, "parameters");
    pay_mac_text(&mac, once->method);
    once->parameters(&mac, once->arg);
    pay_mac_end(&mac, ret_mac);
}

enum rpcrt_code
pay_once_check(struct pay_call *call, const struct pay_once *once,
               const char **ret_id)
{
    const Payment__Record__Once *done =
        (const Payment__Record__Once *)once->record.message;
    uint8_t mac[PAY_MAC_SIZE];
    size_t secret = 0;
    bool authorize = strcmp(once->method, PAY_ONCE_AUTHORIZE) == 0;

    *ret_id = NULL;
    if (done == NULL) {
        return RPCRT_OK;
    }
    if (authorize && strcmp(done->method, PAY_ONCE_VOIDED) == 0) {
        *ret_id = done->id;
        return RPCRT_OK;
    }
    if (!pay_secrets_find(call->service->secrets, done->secret_id, &secret)) {
        return rpcrt_ctx_fail(call->ctx, RPCRT_UNAVAILABLE,
                              "the store has data made with the secret "
                              "'%.32s', which the file of secrets lacks: "
                              "paymentd must be started with it",
                              done->secret_id);
    }
    parameters_mac(call, once, secret, mac);
    if (strcmp(done->method, once->method) != 0 ||
        done->parameters.len != sizeof(mac) ||
        sodium_memcmp(done->parameters.data, mac, sizeof(mac)) != 0) {
        return pay_refuse(call->ctx,
                          PAYMENT__V1__REASON__IDEMPOTENCY_KEY_REUSED);
    }
    *ret_id = done->id;
    return RPCRT_OK;
}

void
pay_once_put(struct pay_call *call, const struct pay_once *once, const char *id)
{
    Payment__Record__Once done = PAYMENT__RECORD__ONCE__INIT;
    uint8_t mac[PAY_MAC_SIZE];

    done.method = once->method;
    done.id = id;
    done.secret_id = pay_secrets_id(call->service->secrets, 0);
    if (once->parameters != NULL) {
        parameters_mac(call, once, 0, mac);
        done.parameters.data = mac;
        done.parameters.len = sizeof(mac);
    }
    common_expect(call->work, &once->record);
    common_put(call->work, once->record.key, &done.base);
}
