/*
 * Authorize: hold an amount on a card, or record why not. What the card does
 * not allow is kept as a payment too, so that a late copy of the same call
 * can't succeed.
 */
#include "payment/call.h"
#include "payment/card.h"
#include "payment/handlers.h"
#include "payment/keys.h"
#include "payment/ledger.h"
#include "payment/message.h"
#include "payment/money.h"

#include "common/ids.h"

#include <string.h>

#define REFERENCE_MAX 64u

struct authorize {
    struct pay_call call;
    const Payment__V1__AuthorizeRequest *request;
    Payment__V1__AuthorizeReply *reply;
    bool number_ok;
    struct pay_number number;
    struct pay_once once;
    struct pay_cards cards;
};

static const Payment__V1__Card no_card = PAYMENT__V1__CARD__INIT;

static const Payment__V1__Card *
card_of(const struct authorize *job)
{
    return job->request->card == NULL ? &no_card : job->request->card;
}

static void
authorize_parameters(struct pay_mac *mac, const void *arg)
{
    const struct authorize *job = arg;
    const Payment__V1__Card *card = card_of(job);

    pay_mac_text(mac, job->number_ok ? job->number.digits : card->number);
    pay_mac_number(mac, card->expiry_month);
    pay_mac_number(mac, card->expiry_year);
    pay_mac_number(mac, job->request->amount->minor);
    pay_mac_text(mac, job->request->amount->currency);
    pay_mac_text(mac, job->request->reference);
}

/* Why a text can't be a reference; NULL if it can. It is UTF-8, as every text
 * of a message; bytes that go on with a character do not count. */
static const char *
reference_refuse(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        /* U+0000 to U+001F, U+007F; U+0080 to U+009F. */
        if (c < 0x20u || c == 0x7fu ||
            (c == 0xc2u && (unsigned char)text[1] < 0xa0u)) {
            return "the reference has control characters";
        }
        n += (c & 0xc0u) == 0x80u ? 0 : 1;
    }
    return n > REFERENCE_MAX ? "the reference has more than 64 characters"
                             : NULL;
}

/* The rules whose breaking is not kept. */
static enum rpcrt_code
authorize_check(struct authorize *job)
{
    const Payment__V1__AuthorizeRequest *request = job->request;
    Payment__V1__Reason reason = pay_money_check(request->amount);
    enum rpcrt_code code = pay_key_check(&job->call, request->idempotency_key);
    const char *why;

    if (code != RPCRT_OK) {
        return code;
    }
    if (reason != PAYMENT__V1__REASON__REASON_UNSPECIFIED) {
        return pay_refuse(job->call.ctx, reason);
    }
    why = reference_refuse(request->reference);
    return why == NULL ? RPCRT_OK
                       : rpcrt_ctx_fail(job->call.ctx, RPCRT_INVALID_ARGUMENT,
                                        "%s", why);
}

static enum rpcrt_code
authorize_answer(struct authorize *job, const Payment__Record__Payment *payment)
{
    job->reply->payment = pay_message_payment(job->call.ctx, payment);
    return job->reply->payment == NULL ? rpcrt_ctx_no_memory(job->call.ctx)
                                       : RPCRT_OK;
}

/* -- a repeat -------------------------------------------------------------- */

/* Answer from what became of the payment. */
static enum rpcrt_code
authorize_again(struct authorize *job, const char *id)
{
    struct pay_ledger ledger;
    const Payment__Record__Payment *payment = &ledger.payment;
    enum rpcrt_code code = pay_call_read_payment(&job->call, id, &ledger);

    if (code != RPCRT_OK) {
        return code;
    }
    code = pay_ledger_expire(&ledger, job->call.now_ms);
    if (code != RPCRT_OK) {
        return pay_call_failed(&job->call, code);
    }
    switch (payment->state) {
    case PAYMENT__V1__STATE__DECLINED:
        return pay_refuse(job->call.ctx,
                          (Payment__V1__Reason)payment->decline_reason);
    case PAYMENT__V1__STATE__VOIDED:
        return pay_refuse(job->call.ctx, PAYMENT__V1__REASON__PAYMENT_VOIDED);
    case PAYMENT__V1__STATE__EXPIRED:
        return pay_refuse(job->call.ctx, PAYMENT__V1__REASON__PAYMENT_EXPIRED);
    default:
        return authorize_answer(job, payment);
    }
}

/* -- the first ------------------------------------------------------------- */

/* Hold the amount, or say why not. */
static Payment__V1__Reason
authorize_decide(struct authorize *job, struct pay_ledger *ledger)
{
    const Payment__V1__Card *card = card_of(job);
    const struct common_record *record;

    if (!job->number_ok) {
        return PAYMENT__V1__REASON__CARD_NUMBER_INVALID;
    }
    if (!pay_expiry_ok(card->expiry_month, card->expiry_year)) {
        return PAYMENT__V1__REASON__CARD_EXPIRY_INVALID;
    }
    if (pay_expiry_over(card->expiry_month, card->expiry_year,
                        job->call.now_ms)) {
        return PAYMENT__V1__REASON__CARD_EXPIRED;
    }
    record = pay_cards_find(&job->call, &job->cards);
    if (record == NULL) {
        return PAYMENT__V1__REASON__CARD_UNKNOWN;
    }
    pay_ledger_take_card(ledger, record);
    ledger->payment.card_key = record->key;
    if (card->expiry_month != ledger->card.expiry_month ||
        card->expiry_year != ledger->card.expiry_year) {
        return PAYMENT__V1__REASON__CARD_EXPIRY_WRONG;
    }
    return pay_payment_authorize(&ledger->payment, &ledger->card_account);
}

/* A payment without a state. */
static bool
payment_make(struct authorize *job, struct pay_ledger *ledger)
{
    const struct pay_service *service = job->call.service;
    Payment__Record__Payment *payment = &ledger->payment;
    char *id = common_work_alloc(job->call.work, COMMON_ID_SIZE);

    if (id == NULL) {
        return false;
    }
    common_id_make(id);
    payment__record__payment__init(payment);
    payment->id = id;
    payment->merchant = job->call.access->name;
    payment->amount = job->request->amount->minor;
    payment->currency = job->request->amount->currency;
    if (job->number_ok) {
        payment->card_scheme = job->number.scheme;
        payment->card_last4 =
            common_work_format(job->call.work, "%s", job->number.last4);
    }
    payment->authorize_key = job->request->idempotency_key;
    payment->reference = job->request->reference;
    payment->created_at_ms = job->call.now_ms;
    payment->expires_at_ms =
        job->call.now_ms +
        (service->hold_for_ms == 0 ? PAY_HOLD_FOR_MS : service->hold_for_ms);
    payment->account = pay_account_of_merchant(
        job->call.work, payment->merchant, payment->currency, id);
    ledger->payment_record.key = pay_key_payment(job->call.work, id);
    return common_work_code(job->call.work) == RPCRT_OK;
}

static enum rpcrt_code
authorize_new(struct authorize *job)
{
    struct pay_ledger ledger = {.work = job->call.work};
    const Payment__Record__Payment *payment = &ledger.payment;
    Payment__V1__Reason reason;
    enum rpcrt_code code;

    if (!payment_make(job, &ledger)) {
        return pay_call_failed(&job->call, RPCRT_RESOURCE_EXHAUSTED);
    }
    reason = authorize_decide(job, &ledger);
    if (reason != PAYMENT__V1__REASON__REASON_UNSPECIFIED) {
        pay_payment_decline(&ledger.payment, reason);
        ledger.card_record.key = NULL; /* it stays as it is */
    }
    pay_ledger_put(&ledger);
    if (pay_payment_holds(payment)) {
        pay_ledger_put_due(&ledger);
    }
    common_put(
        job->call.work,
        pay_key_of(job->call.work, payment->merchant,
                   pay_service_order(job->call.service, job->call.now_ms),
                   payment->id),
        NULL);
    common_expect(job->call.work, &job->cards.secrets);
    pay_once_put(&job->call, &job->once, payment->id);
    code = common_commit(job->call.work);
    if (code != RPCRT_OK) {
        return pay_call_failed(&job->call, code);
    }
    return reason == PAYMENT__V1__REASON__REASON_UNSPECIFIED
               ? authorize_answer(job, payment)
               : pay_refuse(job->call.ctx, reason);
}

static enum rpcrt_code
authorize_try(void *arg)
{
    struct authorize *job = arg;
    struct pay_call *call = &job->call;
    const char *id = NULL;
    enum rpcrt_code code;

    pay_once_read(call, &job->once);
    pay_cards_read(call, &job->cards,
                   job->number_ok ? job->number.digits : NULL);
    code = common_read_now(call->work);
    if (code != RPCRT_OK) {
        return pay_call_failed(call, code);
    }
    code = pay_once_check(call, &job->once, &id);
    if (code != RPCRT_OK) {
        return code;
    }
    if (id != NULL) {
        return authorize_again(job, id);
    }
    code = pay_cards_check(call, &job->cards);
    return code == RPCRT_OK ? authorize_new(job) : code;
}

enum rpcrt_code
pay_authorize(void *self, struct rpcrt_ctx *ctx,
              const Payment__V1__AuthorizeRequest *request,
              Payment__V1__AuthorizeReply *reply)
{
    struct authorize job = {.request = request, .reply = reply};
    enum rpcrt_code code = pay_call_begin(&job.call, self, ctx, PAY_MERCHANT);

    job.once = (struct pay_once){.method = PAY_ONCE_AUTHORIZE,
                                 .key = request->idempotency_key,
                                 .parameters = authorize_parameters,
                                 .arg = &job};
    job.number_ok = pay_number_read(card_of(&job)->number, &job.number);
    if (code == RPCRT_OK) {
        code = authorize_check(&job);
    }
    if (code == RPCRT_OK) {
        code = pay_call_try(&job.call, authorize_try, &job);
    }
    pay_number_wipe(&job.number);
    pay_call_end(&job.call);
    return code;
}
