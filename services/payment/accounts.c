/*
 * ListAccounts: all accounts of the books as of one revision. First those of
 * merchants and the external ones, then those of cards, which stand in the
 * records of the cards.
 */
#include "payment/call.h"
#include "payment/handlers.h"
#include "payment/message.h"

#include "common/ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE_DEFAULT 100u
#define PAGE_MAX 500u
#define SCOPE "accounts"

static const char accounts[] = "account/";
static const char cards[] = "card/";

struct listing {
    struct pay_call call;
    Payment__V1__ListAccountsReply *reply;
    uint32_t page_size;
    uint64_t revision;
    char key[COMMON_PAGE_TOKEN_SIZE]; /* the last of the page before */
    bool more;
};

/* Go on where a token says: "REVISION STORE KEY". */
static enum rpcrt_code
token_read(struct listing *job, const char *token)
{
    char text[COMMON_PAGE_TOKEN_SIZE];
    char store_id[COMMON_ID_SIZE];
    int used = 0;

    if (!common_page_token_read(SCOPE, token, text, sizeof(text)) ||
        sscanf(text, "%" SCNu64 " %32s %n", &job->revision, store_id, &used) !=
            2 ||
        !common_id_ok(store_id) || job->revision == 0 ||
        (strncmp(text + used, accounts, strlen(accounts)) != 0 &&
         strncmp(text + used, cards, strlen(cards)) != 0)) {
        return rpcrt_ctx_fail(job->call.ctx, RPCRT_INVALID_ARGUMENT,
                              "page_token: not one of this list");
    }
    (void)snprintf(job->key, sizeof(job->key), "%s", text + used);
    common_work_expect_store(job->call.work, store_id);
    return RPCRT_OK;
}

static enum rpcrt_code
token_make(struct listing *job)
{
    char text[COMMON_PAGE_TOKEN_SIZE];
    char token[COMMON_PAGE_TOKEN_SIZE];
    int n = snprintf(text, sizeof(text), "%" PRIu64 " %s %s", job->revision,
                     common_work_store_id(job->call.work), job->key);

    if (n < 0 || (size_t)n >= sizeof(text) ||
        !common_page_token_make(SCOPE, text, token)) {
        return rpcrt_ctx_fail(job->call.ctx, RPCRT_INTERNAL,
                              "the page token does not fit");
    }
    job->reply->next_page_token =
        rpcrt_ctx_copy(job->call.ctx, token, strlen(token));
    return job->reply->next_page_token == NULL
               ? rpcrt_ctx_no_memory(job->call.ctx)
               : RPCRT_OK;
}

static const Payment__Record__Account *
account_of(const struct common_record *record, bool of_cards)
{
    return of_cards ? ((const Payment__Record__Card *)record->message)->account
                    : (const Payment__Record__Account *)record->message;
}

static enum rpcrt_code
page_add(struct listing *job, const struct common_page *page, bool of_cards)
{
    size_t i;

    for (i = 0; i < page->n_records; i++) {
        const Payment__Record__Account *record =
            account_of(&page->records[i], of_cards);
        Payment__V1__Account *account;

        if (record == NULL) {
            return rpcrt_ctx_fail(job->call.ctx, RPCRT_DATA_LOSS,
                                  "record '%s' has no account",
                                  page->records[i].key);
        }
        account = pay_message_account(job->call.ctx, record);
        if (account == NULL) {
            return rpcrt_ctx_no_memory(job->call.ctx);
        }
        job->reply->accounts[job->reply->n_accounts++] = account;
    }
    if (page->n_records > 0) {
        (void)snprintf(job->key, sizeof(job->key), "%s",
                       page->records[page->n_records - 1].key);
    }
    job->more = page->more;
    job->revision = page->revision;
    return RPCRT_OK;
}

/* Take what fits of one kind of keys, from where the page is. */
static enum rpcrt_code
scan(struct listing *job, const char *prefix, bool of_cards)
{
    bool within = strncmp(job->key, prefix, strlen(prefix)) == 0;
    const struct common_span span = {.first = prefix,
                                     .after = within ? job->key : NULL,
                                     .limit = job->page_size -
                                              (uint32_t)job->reply->n_accounts,
                                     .revision = job->revision};
    struct common_page page;
    enum rpcrt_code code =
        common_scan(job->call.work, &span,
                    of_cards ? &payment__record__card__descriptor
                             : &payment__record__account__descriptor,
                    &page);

    return code == RPCRT_OK ? page_add(job, &page, of_cards)
                            : pay_call_failed(&job->call, code);
}

static enum rpcrt_code
list(struct listing *job)
{
    Payment__V1__ListAccountsReply *reply = job->reply;
    enum rpcrt_code code = RPCRT_OK;

    reply->accounts = rpcrt_ctx_alloc(
        job->call.ctx, job->page_size * sizeof(*reply->accounts));
    if (reply->accounts == NULL) {
        return rpcrt_ctx_no_memory(job->call.ctx);
    }
    if (strncmp(job->key, cards, strlen(cards)) != 0) {
        code = scan(job, accounts, false);
    }
    /* A page that is full before the cards began says that there may be
     * more. */
    if (code == RPCRT_OK && !job->more) {
        if (reply->n_accounts == job->page_size) {
            job->more = true;
        } else {
            code = scan(job, cards, true);
        }
    }
    return code == RPCRT_OK && job->more ? token_make(job) : code;
}

enum rpcrt_code
pay_list_accounts(void *self, struct rpcrt_ctx *ctx,
                  const Payment__V1__ListAccountsRequest *request,
                  Payment__V1__ListAccountsReply *reply)
{
    struct listing job = {.reply = reply, .page_size = request->page_size};
    enum rpcrt_code code = pay_call_begin(&job.call, self, ctx, PAY_OPERATOR);

    if (job.page_size == 0) {
        job.page_size = PAGE_DEFAULT;
    } else if (job.page_size > PAGE_MAX) {
        job.page_size = PAGE_MAX;
    }
    if (code == RPCRT_OK && request->page_token[0] != '\0') {
        code = token_read(&job, request->page_token);
    }
    if (code == RPCRT_OK) {
        code = list(&job);
    }
    pay_call_end(&job.call);
    return code;
}
