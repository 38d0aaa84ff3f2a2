/*
 * GetBalance: what a card has, or a merchant in all its accounts.
 */
#include "payment/books.h"
#include "payment/call.h"
#include "payment/card.h"
#include "payment/handlers.h"
#include "payment/keys.h"
#include "payment/message.h"

#include <string.h>

#define SCAN_ENTRIES 1000u

/* Room for one more balance, as an arena can give it: twice as much, copied. */
static Payment__V1__Balance **
balance_append(struct pay_call *call, Payment__V1__GetBalanceReply *reply,
               size_t *room)
{
    if (reply->n_balances == *room) {
        size_t more = *room == 0 ? 4 : *room * 2;
        Payment__V1__Balance **items =
            rpcrt_ctx_alloc(call->ctx, more * sizeof(Payment__V1__Balance *));

        if (items == NULL) {
            return NULL;
        }
        if (*room > 0) {
            memcpy(items, reply->balances, *room * sizeof(*items));
        }
        reply->balances = items;
        *room = more;
    }
    return &reply->balances[reply->n_balances++];
}

/* -- of a card ------------------------------------------------------------- */

static enum rpcrt_code
card_answer(struct pay_call *call, const Payment__Record__Card *card,
            Payment__V1__GetBalanceReply *reply)
{
    const Payment__Record__Account *account = card->account;
    size_t room = 0;
    Payment__V1__Balance **balance = balance_append(call, reply, &room);

    if (balance == NULL) {
        return rpcrt_ctx_no_memory(call->ctx);
    }
    *balance = pay_message_balance(call->ctx, pay_account_posted(account),
                                   account->debits_pending, account->currency);
    return *balance == NULL ? rpcrt_ctx_no_memory(call->ctx) : RPCRT_OK;
}

static enum rpcrt_code
card_balance(struct pay_call *call, const char *text,
             Payment__V1__GetBalanceReply *reply)
{
    struct pay_cards cards = {.secrets = {.key = NULL}};
    const struct common_record *record;
    struct pay_number number;
    enum rpcrt_code code;

    if (!pay_number_read(text, &number)) {
        return pay_refuse(call->ctx, PAYMENT__V1__REASON__CARD_NUMBER_INVALID);
    }
    pay_cards_read(call, &cards, number.digits);
    pay_number_wipe(&number);
    code = common_read_now(call->work);
    if (code != RPCRT_OK) {
        return pay_call_failed(call, code);
    }
    record = pay_cards_find(call, &cards);
    if (record != NULL) {
        return card_answer(call, (const Payment__Record__Card *)record->message,
                           reply);
    }
    code = pay_cards_check(call, &cards);
    if (code != RPCRT_OK) {
        return code;
    }
    return pay_refuse_as(call->ctx, RPCRT_NOT_FOUND,
                         PAYMENT__V1__REASON__CARD_UNKNOWN,
                         pay_reason_text(PAYMENT__V1__REASON__CARD_UNKNOWN));
}

/* -- of a merchant --------------------------------------------------------- */

/* Add accounts to the reply; those of one currency stand beside each other. */
static bool
accounts_add(struct pay_call *call, const struct common_page *page,
             Payment__V1__GetBalanceReply *reply, size_t *room)
{
    size_t i;

    for (i = 0; i < page->n_records; i++) {
        const Payment__Record__Account *account =
            (const Payment__Record__Account *)page->records[i].message;
        int64_t posted = pay_account_posted(account);
        Payment__V1__Balance *last =
            reply->n_balances == 0 ? NULL
                                   : reply->balances[reply->n_balances - 1];
        Payment__V1__Balance **next;

        if (last != NULL &&
            strcmp(last->posted->currency, account->currency) == 0) {
            last->posted->minor += posted;
            last->available->minor += posted;
            continue;
        }
        next = balance_append(call, reply, room);
        if (next == NULL) {
            return false;
        }
        *next = pay_message_balance(call->ctx, posted, 0, account->currency);
        if (*next == NULL) {
            return false;
        }
    }
    return true;
}

static enum rpcrt_code
merchant_balance(struct pay_call *call, const char *merchant,
                 Payment__V1__GetBalanceReply *reply)
{
    struct common_span span = {
        .first = common_work_format(call->work, "account/m/%s/", merchant),
        .limit = SCAN_ENTRIES};
    struct common_page page;
    size_t room = 0;

    do {
        enum rpcrt_code code = common_scan(
            call->work, &span, &payment__record__account__descriptor, &page);

        if (code != RPCRT_OK) {
            return pay_call_failed(call, code);
        }
        if (!accounts_add(call, &page, reply, &room)) {
            return rpcrt_ctx_no_memory(call->ctx);
        }
        span.revision = page.revision;
        span.after =
            page.n_records == 0 ? NULL : page.records[page.n_records - 1].key;
    } while (page.more && page.n_records > 0);
    return RPCRT_OK;
}

/* Whose balance is asked for, and whether the caller may see it. */
static enum rpcrt_code
merchant_named(struct pay_call *call, const char *name,
               Payment__V1__GetBalanceReply *reply)
{
    if (name[0] == '\0' && call->access->role == PAY_MERCHANT) {
        name = call->access->name;
    }
    if (call->access->role == PAY_MERCHANT &&
        strcmp(name, call->access->name) != 0) {
        return rpcrt_ctx_fail(call->ctx, RPCRT_PERMISSION_DENIED,
                              "a merchant sees its own balance alone");
    }
    if (!pay_name_ok(name)) {
        return rpcrt_ctx_fail(call->ctx, RPCRT_INVALID_ARGUMENT,
                              "merchant: not the name of one");
    }
    return merchant_balance(call, name, reply);
}

enum rpcrt_code
pay_get_balance(void *self, struct rpcrt_ctx *ctx,
                const Payment__V1__GetBalanceRequest *request,
                Payment__V1__GetBalanceReply *reply)
{
    struct pay_call call = {.work = NULL};
    bool card = request->of_case == PAYMENT__V1__GET_BALANCE_REQUEST__OF_CARD;
    enum rpcrt_code code = pay_call_begin(
        &call, self, ctx, card ? PAY_OPERATOR : PAY_OPERATOR | PAY_MERCHANT);

    if (code == RPCRT_OK && card) {
        code = card_balance(&call, request->card->number, reply);
    } else if (code == RPCRT_OK) {
        code = merchant_named(
            &call,
            request->of_case == PAYMENT__V1__GET_BALANCE_REQUEST__OF_MERCHANT
                ? request->merchant
                : "",
            reply);
    }
    pay_call_end(&call);
    return code;
}
