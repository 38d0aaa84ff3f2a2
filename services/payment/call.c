/*
 * The beginning and end of a call, and trying again: see call.h.
 */
#include "payment/call.h"
#include "payment/ledger.h"

#include "common/ids.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

#define TRIES_MAX 50u
#define PAUSE_MS_MAX 64u

enum rpcrt_code
pay_call_begin(struct pay_call *call, struct pay_service *service,
               struct rpcrt_ctx *ctx, unsigned roles)
{
    enum rpcrt_code code;

    call->service = service;
    call->ctx = ctx;
    call->now_ms = pay_service_now_ms(service);
    code = pay_access_find(ctx, roles, &call->access);
    if (code != RPCRT_OK) {
        return code;
    }
    call->work = common_work_new(service->store, ctx, NULL);
    return call->work == NULL ? rpcrt_ctx_no_memory(ctx) : RPCRT_OK;
}

void
pay_call_end(struct pay_call *call)
{
    common_work_free(call->work);
    call->work = NULL;
}

enum rpcrt_code
pay_call_failed(struct pay_call *call, enum rpcrt_code code)
{
    if (common_work_code(call->work) != RPCRT_OK) {
        return common_work_fail(call->work, call->ctx);
    }
    if (code == RPCRT_NOT_FOUND) {
        return pay_refuse(call->ctx, PAYMENT__V1__REASON__PAYMENT_UNKNOWN);
    }
    if (code == RPCRT_DATA_LOSS) {
        return rpcrt_ctx_fail(call->ctx, code,
                              "payment '%s': its records contradict each other",
                              call->payment_id);
    }
    return code; /* ABORTED: to be tried again */
}

enum rpcrt_code
pay_call_read_payment(struct pay_call *call, const char *id,
                      struct pay_ledger *ret_ledger)
{
    enum rpcrt_code code;

    call->payment_id = id;
    memset(ret_ledger, 0, sizeof(*ret_ledger));
    ret_ledger->work = call->work;
    code = common_id_ok(id) ? pay_ledger_read_payment(ret_ledger, id)
                            : RPCRT_NOT_FOUND;
    if (code == RPCRT_OK && call->access->role == PAY_MERCHANT &&
        strcmp(ret_ledger->payment.merchant, call->access->name) != 0) {
        code = RPCRT_NOT_FOUND;
    }
    return code == RPCRT_OK ? RPCRT_OK : pay_call_failed(call, code);
}

/* Wait a random time, longer after many tries. */
static void
pause_before(unsigned try_number)
{
    uint32_t max_ms = try_number < 6 ? 1u << try_number : PAUSE_MS_MAX;
    uint32_t pause_us = randombytes_uniform(max_ms * 1000);
    struct timespec pause = {.tv_sec = 0, .tv_nsec = (long)pause_us * 1000};

    (void)nanosleep(&pause, NULL);
}

/* Nobody waits for an answer any more: why not. */
static enum rpcrt_code
call_ended(struct rpcrt_ctx *ctx)
{
    return rpcrt_ctx_time_left_ms(ctx) == 0
               ? rpcrt_ctx_fail(ctx, RPCRT_DEADLINE_EXCEEDED,
                                "the time is over; others change the same "
                                "account")
               : rpcrt_ctx_fail(ctx, RPCRT_CANCELLED, "the caller has left");
}

enum rpcrt_code
pay_call_try(struct pay_call *call, pay_try_fn *fn, void *arg)
{
    enum rpcrt_code code = RPCRT_ABORTED;
    unsigned i;

    for (i = 0; i < TRIES_MAX && code == RPCRT_ABORTED; i++) {
        if (i > 0) {
            pause_before(i);
        }
        if (rpcrt_ctx_cancelled(call->ctx)) {
            return call_ended(call->ctx);
        }
        code = fn(arg);
    }
    if (code == RPCRT_ABORTED) {
        return rpcrt_ctx_fail(call->ctx, RPCRT_ABORTED,
                              "too many others change the same account; try "
                              "again");
    }
    return code;
}
