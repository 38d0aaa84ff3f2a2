/*
 * The table of handlers: see service.h.
 */
#include "payment/service.h"
#include "payment/handlers.h"

#include "common/ids.h"

/* So many fit between two milliseconds. */
#define ORDERS_A_MS 4096

int64_t
pay_service_now_ms(const struct pay_service *service)
{
    return service->clock == NULL ? common_now_ms()
                                  : service->clock(service->clock_arg);
}

int64_t
pay_service_order(struct pay_service *service, int64_t now_ms)
{
    long long last = atomic_load(&service->order);
    long long next;

    do {
        next = (long long)now_ms * ORDERS_A_MS;
        if (next <= last) {
            next = last + 1;
        }
    } while (!atomic_compare_exchange_weak(&service->order, &last, next));
    return next;
}

static const struct payment_service handlers = {
    .issue_card = pay_issue_card,
    .get_balance = pay_get_balance,
    .authorize = pay_authorize,
    .capture = pay_capture,
    .void_ = pay_void,
    .refund = pay_refund,
    .get_payment = pay_get_payment,
    .list_payments = pay_list_payments,
    .list_accounts = pay_list_accounts,
};

static enum rpcrt_code
token_check(void *arg, struct rpcrt_ctx *ctx, const char *token, size_t size,
            const void **ret_access)
{
    const struct pay_service *service = arg;

    switch (common_tokens_find(service->access, token, size,
                               pay_service_now_ms(service) / 1000,
                               ret_access)) {
    case COMMON_TOKEN_KNOWN:
        return RPCRT_OK;
    case COMMON_TOKEN_EXPIRED:
        return rpcrt_ctx_fail(ctx, RPCRT_UNAUTHENTICATED,
                              "the token has expired");
    default:
        return rpcrt_ctx_fail(ctx, RPCRT_UNAUTHENTICATED,
                              "the token is unknown");
    }
}

enum rpcrt_code
pay_service_serve(struct rpcrt_server *server, struct pay_service *service)
{
    struct rpcrt_server_interceptor ask = rpcrt_auth_server(&service->auth);
    enum rpcrt_code code = payment_serve(server, &handlers, service);

    service->auth = (struct rpcrt_auth){
        .fn = token_check, .arg = service, .open = common_open_methods};
    return code == RPCRT_OK ? rpcrt_server_add_interceptor(server, &ask) : code;
}
