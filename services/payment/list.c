/*
 * GetPayment and ListPayments.
 */
#include "payment/call.h"
#include "payment/handlers.h"
#include "payment/keys.h"
#include "payment/ledger.h"
#include "payment/message.h"

#include "common/ids.h"

#include <stdio.h>
#include <string.h>

#define PAGE_DEFAULT 50u
#define PAGE_MAX 100u
#define SCOPE_SIZE 128u

struct getting {
    struct pay_call call;
    const char *id;
    Payment__V1__GetPaymentReply *reply;
};

static enum rpcrt_code
get_try(void *arg)
{
    struct getting *job = arg;
    struct pay_ledger ledger;
    enum rpcrt_code code = pay_call_read_payment(&job->call, job->id, &ledger);

    if (code != RPCRT_OK) {
        return code;
    }
    /* Nobody sees an authorization that is over. */
    code = pay_ledger_expire(&ledger, job->call.now_ms);
    if (code != RPCRT_OK) {
        return pay_call_failed(&job->call, code);
    }
    job->reply->payment = pay_message_payment(job->call.ctx, &ledger.payment);
    return job->reply->payment == NULL ? rpcrt_ctx_no_memory(job->call.ctx)
                                       : RPCRT_OK;
}

enum rpcrt_code
pay_get_payment(void *self, struct rpcrt_ctx *ctx,
                const Payment__V1__GetPaymentRequest *request,
                Payment__V1__GetPaymentReply *reply)
{
    struct getting job = {.id = request->payment_id, .reply = reply};
    enum rpcrt_code code =
        pay_call_begin(&job.call, self, ctx, PAY_OPERATOR | PAY_MERCHANT);

    if (code == RPCRT_OK) {
        code = pay_call_try(&job.call, get_try, &job);
    }
    pay_call_end(&job.call);
    return code;
}

/* -- pages ----------------------------------------------------------------- */

struct listing {
    struct pay_call call;
    const Payment__V1__ListPaymentsRequest *request;
    Payment__V1__ListPaymentsReply *reply;
    const char *merchant;
    char scope[SCOPE_SIZE];
    char after[COMMON_PAGE_TOKEN_SIZE];
    struct common_span span;
};

static enum rpcrt_code
merchant_check(struct listing *job)
{
    const struct pay_access *access = job->call.access;
    const char *name = job->request->merchant;

    if (access->role == PAY_MERCHANT && name[0] == '\0') {
        name = access->name;
    }
    if (access->role == PAY_MERCHANT && strcmp(name, access->name) != 0) {
        return rpcrt_ctx_fail(job->call.ctx, RPCRT_PERMISSION_DENIED,
                              "a merchant sees its own payments alone");
    }
    if (!pay_name_ok(name)) {
        return rpcrt_ctx_fail(job->call.ctx, RPCRT_INVALID_ARGUMENT,
                              "merchant: not the name of one");
    }
    job->merchant = name;
    return RPCRT_OK;
}

/* Which keys: a token is no proof of where it came from, so its key must be
 * one of this list. */
static enum rpcrt_code
span_make(struct listing *job)
{
    uint32_t size = job->request->page_size;
    struct common_span *span = &job->span;

    (void)snprintf(job->scope, sizeof(job->scope), "payments/%s",
                   job->merchant);
    span->first = common_work_format(job->call.work, "of/%s/", job->merchant);
    if (span->first == NULL) {
        return pay_call_failed(&job->call, RPCRT_RESOURCE_EXHAUSTED);
    }
    span->keys_only = true;
    span->limit = size == 0 ? PAGE_DEFAULT : size > PAGE_MAX ? PAGE_MAX : size;
    if (job->request->page_token[0] != '\0') {
        if (!common_page_token_read(job->scope, job->request->page_token,
                                    job->after, sizeof(job->after)) ||
            strncmp(job->after, span->first, strlen(span->first)) != 0) {
            return rpcrt_ctx_fail(job->call.ctx, RPCRT_INVALID_ARGUMENT,
                                  "page_token: not one of this list");
        }
        span->after = job->after;
    }
    return RPCRT_OK;
}

/* Read the payments whose ids stand at the end of the keys. */
static enum rpcrt_code
payments_read(struct listing *job, const struct common_page *page)
{
    struct common_work *work = job->call.work;
    struct common_record records[PAGE_MAX];
    Payment__V1__ListPaymentsReply *reply = job->reply;
    enum rpcrt_code code;
    size_t i;

    for (i = 0; i < page->n_records; i++) {
        const char *slash = strrchr(page->records[i].key, '/');

        common_read(work, pay_key_payment(work, slash == NULL ? "" : slash + 1),
                    &payment__record__payment__descriptor, &records[i]);
    }
    code = common_read_now(work);
    if (code != RPCRT_OK) {
        return pay_call_failed(&job->call, code);
    }
    reply->payments = rpcrt_ctx_alloc(
        job->call.ctx, (page->n_records + 1) * sizeof(*reply->payments));
    if (reply->payments == NULL) {
        return rpcrt_ctx_no_memory(job->call.ctx);
    }
    for (i = 0; i < page->n_records; i++) {
        Payment__V1__PaymentRecord *payment;

        if (records[i].message == NULL) {
            return rpcrt_ctx_fail(job->call.ctx, RPCRT_DATA_LOSS,
                                  "record '%s' is missing", records[i].key);
        }
        payment = pay_message_payment(
            job->call.ctx,
            (const Payment__Record__Payment *)records[i].message);
        if (payment == NULL) {
            return rpcrt_ctx_no_memory(job->call.ctx);
        }
        reply->payments[reply->n_payments++] = payment;
    }
    return RPCRT_OK;
}

static enum rpcrt_code
list(struct listing *job)
{
    struct common_page page;
    char token[COMMON_PAGE_TOKEN_SIZE];
    enum rpcrt_code code = common_scan(job->call.work, &job->span, NULL, &page);

    if (code != RPCRT_OK) {
        return pay_call_failed(&job->call, code);
    }
    if (page.more && page.n_records > 0) {
        if (!common_page_token_make(
                job->scope, page.records[page.n_records - 1].key, token)) {
            return rpcrt_ctx_fail(job->call.ctx, RPCRT_INTERNAL,
                                  "the page token does not fit");
        }
        job->reply->next_page_token =
            rpcrt_ctx_copy(job->call.ctx, token, strlen(token));
        if (job->reply->next_page_token == NULL) {
            return rpcrt_ctx_no_memory(job->call.ctx);
        }
    }
    return page.n_records == 0 ? RPCRT_OK : payments_read(job, &page);
}

enum rpcrt_code
pay_list_payments(void *self, struct rpcrt_ctx *ctx,
                  const Payment__V1__ListPaymentsRequest *request,
                  Payment__V1__ListPaymentsReply *reply)
{
    struct listing job = {.request = request, .reply = reply};
    enum rpcrt_code code =
        pay_call_begin(&job.call, self, ctx, PAY_OPERATOR | PAY_MERCHANT);

    if (code == RPCRT_OK) {
        code = merchant_check(&job);
    }
    if (code == RPCRT_OK) {
        code = span_make(&job);
    }
    if (code == RPCRT_OK) {
        code = list(&job);
    }
    pay_call_end(&job.call);
    return code;
}
