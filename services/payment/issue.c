/*
 * IssueCard: a card becomes known, and its balance comes from the external
 * account.
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

struct issue {
    struct pay_call call;
    const Payment__V1__IssueCardRequest *request;
    Payment__V1__IssueCardReply *reply;
    struct pay_number number;
    struct pay_once once;
    struct pay_cards cards;
    struct common_record external;
    char id[COMMON_ID_SIZE];
    const char *external_id;
};

static void
issue_parameters(struct pay_mac *mac, const void *arg)
{
    const struct issue *job = arg;

    pay_mac_text(mac, job->number.digits);
    pay_mac_number(mac, job->request->card->expiry_month);
    pay_mac_number(mac, job->request->card->expiry_year);
    pay_mac_number(mac, job->request->balance->minor);
    pay_mac_text(mac, job->request->balance->currency);
}

static enum rpcrt_code
issue_check(struct issue *job)
{
    const Payment__V1__IssueCardRequest *request = job->request;
    const Payment__V1__Card *card = request->card;
    Payment__V1__Reason reason = pay_money_check(request->balance);
    enum rpcrt_code code = pay_key_check(&job->call, request->idempotency_key);

    if (code != RPCRT_OK) {
        return code;
    }
    if (reason == PAYMENT__V1__REASON__REASON_UNSPECIFIED &&
        (card == NULL || !pay_number_read(card->number, &job->number))) {
        reason = PAYMENT__V1__REASON__CARD_NUMBER_INVALID;
    }
    if (reason == PAYMENT__V1__REASON__REASON_UNSPECIFIED &&
        !pay_expiry_ok(card->expiry_month, card->expiry_year)) {
        reason = PAYMENT__V1__REASON__CARD_EXPIRY_INVALID;
    }
    return reason == PAYMENT__V1__REASON__REASON_UNSPECIFIED
               ? RPCRT_OK
               : pay_refuse(job->call.ctx, reason);
}

static enum rpcrt_code
issue_answer(struct issue *job)
{
    const Payment__V1__Money *balance = job->request->balance;
    Payment__V1__IssueCardReply *reply = job->reply;

    reply->card_scheme = job->number.scheme;
    reply->card_last4 = rpcrt_ctx_copy(job->call.ctx, job->number.last4,
                                       strlen(job->number.last4));
    reply->balance =
        pay_message_money(job->call.ctx, balance->minor, balance->currency);
    return reply->card_last4 == NULL || reply->balance == NULL
               ? rpcrt_ctx_no_memory(job->call.ctx)
               : RPCRT_OK;
}

/* Put card, external account and the entry between them. */
static enum rpcrt_code
issue_put(struct issue *job)
{
    struct common_work *work = job->call.work;
    const Payment__V1__Money *balance = job->request->balance;
    Payment__Record__Card card = PAYMENT__RECORD__CARD__INIT;
    Payment__Record__Account account = PAYMENT__RECORD__ACCOUNT__INIT;
    Payment__Record__Account external;
    Payment__Record__Entry entry;
    const char *account_id = common_work_format(work, "c/%s", job->id);

    if (account_id == NULL) {
        return pay_call_failed(&job->call, RPCRT_RESOURCE_EXHAUSTED);
    }
    account.id = account_id;
    account.kind = PAYMENT__V1__ACCOUNT__KIND__CARD;
    account.owner = job->number.last4;
    account.currency = balance->currency;
    pay_ledger_take_account(&job->external, job->external_id,
                            PAYMENT__V1__ACCOUNT__KIND__EXTERNAL, "",
                            balance->currency, &external);
    if (!pay_books_move(&external, &account, balance->minor, "issue",
                        job->call.now_ms, &entry)) {
        return rpcrt_ctx_fail(job->call.ctx, RPCRT_RESOURCE_EXHAUSTED,
                              "too much %s was issued", balance->currency);
    }
    card.id = job->id;
    card.last4 = job->number.last4;
    card.scheme = job->number.scheme;
    card.expiry_month = job->request->card->expiry_month;
    card.expiry_year = job->request->card->expiry_year;
    card.account = &account;
    common_put(work, job->cards.items[0].key, &card.base);
    common_expect(work, &job->external);
    common_put(work, job->external.key, &external.base);
    common_put(work, pay_key_entry(work, job->id, 1), &entry.base);
    return RPCRT_OK;
}

static enum rpcrt_code
issue_new(struct issue *job)
{
    size_t n = pay_secrets_count(job->call.service->secrets);
    enum rpcrt_code code;
    size_t i;

    for (i = 0; i < n; i++) {
        if (job->cards.items[i].message != NULL) {
            return pay_refuse(job->call.ctx, PAYMENT__V1__REASON__CARD_EXISTS);
        }
        common_expect(job->call.work, &job->cards.items[i]);
    }
    common_expect(job->call.work, &job->cards.secrets);
    code = issue_put(job);
    if (code != RPCRT_OK) {
        return code;
    }
    pay_once_put(&job->call, &job->once, job->cards.items[0].key);
    code = common_commit(job->call.work);
    return code == RPCRT_OK ? issue_answer(job)
                            : pay_call_failed(&job->call, code);
}

static enum rpcrt_code
issue_try(void *arg)
{
    struct issue *job = arg;
    struct pay_call *call = &job->call;
    const char *done = NULL;
    enum rpcrt_code code;

    common_id_make(job->id);
    pay_once_read(call, &job->once);
    pay_cards_read(call, &job->cards, job->number.digits);
    job->external_id = pay_account_external(
        call->work, job->request->balance->currency, job->id);
    common_read(call->work, pay_key_account(call->work, job->external_id),
                &payment__record__account__descriptor, &job->external);
    code = common_read_now(call->work);
    if (code != RPCRT_OK) {
        return pay_call_failed(call, code);
    }
    code = pay_once_check(call, &job->once, &done);
    if (code != RPCRT_OK) {
        return code;
    }
    if (done != NULL) {
        return issue_answer(job);
    }
    code = pay_cards_check(call, &job->cards);
    return code == RPCRT_OK ? issue_new(job) : code;
}

enum rpcrt_code
pay_issue_card(void *self, struct rpcrt_ctx *ctx,
               const Payment__V1__IssueCardRequest *request,
               Payment__V1__IssueCardReply *reply)
{
    struct issue job = {.request = request, .reply = reply};
    enum rpcrt_code code = pay_call_begin(&job.call, self, ctx, PAY_OPERATOR);

    job.once = (struct pay_once){.method = "IssueCard",
                                 .key = request->idempotency_key,
                                 .parameters = issue_parameters,
                                 .arg = &job};
    if (code == RPCRT_OK) {
        code = issue_check(&job);
    }
    if (code == RPCRT_OK) {
        code = pay_call_try(&job.call, issue_try, &job);
    }
    pay_number_wipe(&job.number);
    pay_call_end(&job.call);
    return code;
}
