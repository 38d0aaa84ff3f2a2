/*
 * Capture and Refund: money moves between card and merchant.
 */
#include "payment/call.h"
#include "payment/handlers.h"
#include "payment/keys.h"
#include "payment/ledger.h"
#include "payment/message.h"

/* Both: they differ in the step. */
struct settle {
    struct pay_call call;
    const char *payment_id;
    int64_t minor;
    Payment__V1__PaymentRecord **reply;
    struct pay_once once;
    bool capture;
};

static void
settle_parameters(struct pay_mac *mac, const void *arg)
{
    const struct settle *job = arg;

    pay_mac_text(mac, job->payment_id);
    pay_mac_number(mac, job->minor);
}

static Payment__V1__Reason
settle_step(const struct settle *job, struct pay_ledger *ledger,
            Payment__Record__Entry *ret_entry)
{
    return job->capture
               ? pay_payment_capture(&ledger->payment, &ledger->card_account,
                                     &ledger->account, job->minor,
                                     job->call.now_ms, ret_entry)
               : pay_payment_refund(&ledger->payment, &ledger->card_account,
                                    &ledger->account, job->minor,
                                    job->call.now_ms, ret_entry);
}

static enum rpcrt_code
settle_refuse(const struct settle *job, Payment__V1__Reason reason)
{
    if (reason == PAYMENT__V1__REASON__AMOUNT_INVALID) {
        return pay_refuse_as(job->call.ctx, RPCRT_FAILED_PRECONDITION, reason,
                             "the account can't take this amount");
    }
    return pay_refuse(job->call.ctx, reason);
}

/* Whether a step is possible at all is known before the accounts are read. */
static bool
settle_possible(const struct settle *job, const Payment__Record__Payment *p)
{
    return job->capture ? pay_payment_holds(p)
                        : p->state == PAYMENT__V1__STATE__CAPTURED ||
                              p->state == PAYMENT__V1__STATE__REFUNDED;
}

static enum rpcrt_code
settle_new(struct settle *job, struct pay_ledger *ledger)
{
    Payment__Record__Entry entry;
    Payment__V1__Reason reason;
    enum rpcrt_code code = RPCRT_OK;

    if (job->capture) {
        code = pay_ledger_expire(ledger, job->call.now_ms);
    }
    if (code == RPCRT_OK && settle_possible(job, &ledger->payment)) {
        code = pay_ledger_read_accounts(ledger, true);
    }
    if (code != RPCRT_OK) {
        return pay_call_failed(&job->call, code);
    }
    reason = settle_step(job, ledger, &entry);
    if (reason != PAYMENT__V1__REASON__REASON_UNSPECIFIED) {
        return settle_refuse(job, reason);
    }
    pay_ledger_put(ledger);
    pay_ledger_put_entry(ledger, &entry);
    if (job->capture) {
        pay_ledger_delete_due(ledger);
    }
    pay_once_put(&job->call, &job->once, ledger->payment.id);
    code = common_commit(job->call.work);
    return code == RPCRT_OK ? RPCRT_OK : pay_call_failed(&job->call, code);
}

static enum rpcrt_code
settle_try(void *arg)
{
    struct settle *job = arg;
    struct pay_ledger ledger;
    const char *done = NULL;
    enum rpcrt_code code;

    pay_once_read(&job->call, &job->once);
    code = pay_call_read_payment(&job->call, job->payment_id, &ledger);
    if (code == RPCRT_OK) {
        code = pay_once_check(&job->call, &job->once, &done);
    }
    if (code == RPCRT_OK && done == NULL) {
        code = settle_new(job, &ledger);
    }
    if (code != RPCRT_OK) {
        return code;
    }
    *job->reply = pay_message_payment(job->call.ctx, &ledger.payment);
    return *job->reply == NULL ? rpcrt_ctx_no_memory(job->call.ctx) : RPCRT_OK;
}

static enum rpcrt_code
settle(struct settle *job, void *self, struct rpcrt_ctx *ctx)
{
    enum rpcrt_code code = pay_call_begin(&job->call, self, ctx, PAY_MERCHANT);

    job->once.parameters = settle_parameters;
    job->once.arg = job;
    if (code == RPCRT_OK) {
        code = pay_key_check(&job->call, job->once.key);
    }
    if (code == RPCRT_OK && job->minor < 0) {
        code = pay_refuse(ctx, PAYMENT__V1__REASON__AMOUNT_INVALID);
    }
    if (code == RPCRT_OK) {
        code = pay_call_try(&job->call, settle_try, job);
    }
    pay_call_end(&job->call);
    return code;
}

enum rpcrt_code
pay_capture(void *self, struct rpcrt_ctx *ctx,
            const Payment__V1__CaptureRequest *request,
            Payment__V1__CaptureReply *reply)
{
    struct settle job = {
        .payment_id = request->payment_id,
        .minor = request->minor,
        .reply = &reply->payment,
        .once = {.method = "Capture", .key = request->idempotency_key},
        .capture = true};

    return settle(&job, self, ctx);
}

enum rpcrt_code
pay_refund(void *self, struct rpcrt_ctx *ctx,
           const Payment__V1__RefundRequest *request,
           Payment__V1__RefundReply *reply)
{
    struct settle job = {
        .payment_id = request->payment_id,
        .minor = request->minor,
        .reply = &reply->payment,
        .once = {.method = "Refund", .key = request->idempotency_key}};

    return settle(&job, self, ctx);
}
