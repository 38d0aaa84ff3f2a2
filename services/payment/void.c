/*
 * Void: an authorization is let go, or an Authorize that has not come yet is
 * made useless.
 */
#include "payment/call.h"
#include "payment/handlers.h"
#include "payment/keys.h"
#include "payment/ledger.h"
#include "payment/message.h"

#include "common/ids.h"

#include <string.h>

struct voiding {
    struct pay_call call;
    const Payment__V1__VoidRequest *request;
    Payment__V1__VoidReply *reply;
    struct pay_once once;
    struct pay_once authorize; /* the key of the Authorize, if it is named */
    bool by_key;
};

static void
void_parameters(struct pay_mac *mac, const void *arg)
{
    const struct voiding *job = arg;

    pay_mac_number(mac, job->by_key ? 1 : 0);
    pay_mac_text(mac, job->by_key ? job->request->authorize_key
                                  : job->request->payment_id);
}

static enum rpcrt_code
void_answer(struct voiding *job, const Payment__Record__Payment *payment)
{
    job->reply->payment = pay_message_payment(job->call.ctx, payment);
    return job->reply->payment == NULL ? rpcrt_ctx_no_memory(job->call.ctx)
                                       : RPCRT_OK;
}

/* Make the key of an Authorize useless: in the same commit it is expected that
 * nothing was done for it. */
static enum rpcrt_code
void_in_advance(struct voiding *job)
{
    struct pay_ledger ledger = {.work = job->call.work};
    Payment__Record__Payment *payment = &ledger.payment;
    char *id = common_work_alloc(job->call.work, COMMON_ID_SIZE);
    enum rpcrt_code code;

    if (id == NULL) {
        return pay_call_failed(&job->call, RPCRT_RESOURCE_EXHAUSTED);
    }
    common_id_make(id);
    payment__record__payment__init(payment);
    payment->id = id;
    payment->merchant = job->call.access->name;
    payment->authorize_key = job->request->authorize_key;
    payment->created_at_ms = job->call.now_ms;
    (void)pay_payment_void(payment, NULL); /* a new one: never refused */
    ledger.payment_record.key = pay_key_payment(job->call.work, id);
    pay_ledger_put(&ledger);
    common_put(
        job->call.work,
        pay_key_of(job->call.work, payment->merchant,
                   pay_service_order(job->call.service, job->call.now_ms), id),
        NULL);
    pay_once_put(&job->call, &job->authorize, id);
    pay_once_put(&job->call, &job->once, id);
    code = common_commit(job->call.work);
    return code == RPCRT_OK ? void_answer(job, payment)
                            : pay_call_failed(&job->call, code);
}

static enum rpcrt_code
void_payment(struct voiding *job, struct pay_ledger *ledger)
{
    bool held = pay_payment_holds(&ledger->payment);
    Payment__V1__Reason reason;
    enum rpcrt_code code = RPCRT_OK;

    if (held) {
        code = pay_ledger_read_accounts(ledger, false);
    }
    if (code != RPCRT_OK) {
        return pay_call_failed(&job->call, code);
    }
    reason = pay_payment_void(&ledger->payment, &ledger->card_account);
    if (reason == PAYMENT__V1__REASON__AMOUNT_INVALID) {
        return pay_call_failed(&job->call, RPCRT_DATA_LOSS);
    }
    if (reason != PAYMENT__V1__REASON__REASON_UNSPECIFIED) {
        return pay_refuse(job->call.ctx, reason);
    }
    pay_ledger_put(ledger);
    if (held) {
        pay_ledger_delete_due(ledger);
    }
    pay_once_put(&job->call, &job->once, ledger->payment.id);
    code = common_commit(job->call.work);
    return code == RPCRT_OK ? void_answer(job, &ledger->payment)
                            : pay_call_failed(&job->call, code);
}

/* The payment that an Authorize with the key named has made; NULL: it has not
 * come yet. ALREADY_EXISTS if the key is one of another method. */
static enum rpcrt_code
authorize_find(struct voiding *job, const char **ret_id)
{
    const Payment__Record__Once *done =
        (const Payment__Record__Once *)job->authorize.record.message;

    *ret_id = NULL;
    if (strcmp(job->request->authorize_key, job->once.key) == 0 ||
        (done != NULL && strcmp(done->method, PAY_ONCE_AUTHORIZE) != 0 &&
         strcmp(done->method, PAY_ONCE_VOIDED) != 0)) {
        return pay_refuse(job->call.ctx,
                          PAYMENT__V1__REASON__IDEMPOTENCY_KEY_REUSED);
    }
    if (done != NULL) {
        *ret_id = done->id;
    }
    return RPCRT_OK;
}

static enum rpcrt_code
void_try(void *arg)
{
    struct voiding *job = arg;
    struct pay_call *call = &job->call;
    struct pay_ledger ledger;
    const char *done = NULL;
    const char *id = job->by_key ? NULL : job->request->payment_id;
    enum rpcrt_code code;

    pay_once_read(call, &job->once);
    if (job->by_key) {
        pay_once_read(call, &job->authorize);
        code = common_read_now(call->work);
        code = code == RPCRT_OK ? authorize_find(job, &id)
                                : pay_call_failed(call, code);
        if (code != RPCRT_OK) {
            return code;
        }
    }
    if (id != NULL) {
        code = pay_call_read_payment(call, id, &ledger);
        if (code != RPCRT_OK) {
            return code;
        }
    }
    code = pay_once_check(call, &job->once, &done);
    if (code != RPCRT_OK) {
        return code;
    }
    if (id == NULL) {
        return void_in_advance(job);
    }
    return done != NULL ? void_answer(job, &ledger.payment)
                        : void_payment(job, &ledger);
}

static enum rpcrt_code
void_check(struct voiding *job)
{
    enum rpcrt_code code =
        pay_key_check(&job->call, job->request->idempotency_key);

    if (code == RPCRT_OK && job->by_key) {
        code = pay_key_check(&job->call, job->request->authorize_key);
    } else if (code == RPCRT_OK &&
               job->request->of_case !=
                   PAYMENT__V1__VOID_REQUEST__OF_PAYMENT_ID) {
        code = rpcrt_ctx_fail(job->call.ctx, RPCRT_INVALID_ARGUMENT,
                              "neither payment_id nor authorize_key is set");
    }
    return code;
}

enum rpcrt_code
pay_void(void *self, struct rpcrt_ctx *ctx,
         const Payment__V1__VoidRequest *request, Payment__V1__VoidReply *reply)
{
    struct voiding job = {.request = request, .reply = reply};
    enum rpcrt_code code = pay_call_begin(&job.call, self, ctx, PAY_MERCHANT);

    job.by_key =
        request->of_case == PAYMENT__V1__VOID_REQUEST__OF_AUTHORIZE_KEY;
    job.once = (struct pay_once){.method = "Void",
                                 .key = request->idempotency_key,
                                 .parameters = void_parameters,
                                 .arg = &job};
    job.authorize.method = PAY_ONCE_VOIDED;
    job.authorize.key = job.by_key ? request->authorize_key : NULL;
    if (code == RPCRT_OK) {
        code = void_check(&job);
    }
    if (code == RPCRT_OK) {
        code = pay_call_try(&job.call, void_try, &job);
    }
    pay_call_end(&job.call);
    return code;
}
