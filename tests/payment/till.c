/*
 * Store, servers and short names: see till.h.
 */
#include "tests/payment/till_inner.h"

#include "common/ids.h"
#include "payment/record.pb-c.h"
#include "tests/support/tokens.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALL_TIMEOUT_MS 60000u
#define NOW_MS INT64_C(1800000000000)
#define EXPIRY_MONTH 12u
#define EXPIRY_YEAR 2050u
#define ACCOUNTS_MAX 256u

static void
address_make(char ret_address[64])
{
    char id[COMMON_ID_SIZE];

    common_id_make(id);
    (void)snprintf(ret_address, 64, "inproc://%s", id);
}

/* -- files ----------------------------------------------------------------- */

static const char *
path_of(const struct till *till, const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", till->folder, name);
    return path;
}

static void
file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static void
tokens_write(const struct till *till)
{
    static const char *const lines[][2] = {{"operator somebody", "operator"},
                                           {"merchant red", "red"},
                                           {"merchant blue", "blue"}};
    char text[1024] = "";
    size_t i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        token_line(lines[i][0], lines[i][1], "", text, sizeof(text));
    }
    file_write(path_of(till, "tokens"), text);
}

void
till_secrets_write(struct till *till, const char *text)
{
    file_write(path_of(till, "secrets"), text);
}

/* -- servers --------------------------------------------------------------- */

static struct till_kv *
kv_start(void)
{
    static const struct kvs_engine_options options = {.history = TILL_HISTORY};
    struct till_kv *kv = calloc(1, sizeof(*kv));
    struct common_error error = {.text = ""};

    cr_assert_not_null(kv);
    cr_assert_eq(
        kvs_engine_open(&kvs_memory_engine, &options, &error, &kv->engine),
        RPCRT_OK, "%s", error.text);
    kv->service.engine = kv->engine;
    address_make(kv->address);
    cr_assert_eq(rpcrt_server_new(NULL, &kv->server), RPCRT_OK);
    cr_assert_eq(kvs_service_serve(kv->server, &kv->service), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(kv->server, kv->address, NULL), RPCRT_OK);
    return kv;
}

static int64_t
clock_now_ms(void *arg)
{
    struct till *till = arg;

    return atomic_load(&till->now_ms);
}

static struct common_store *
store_open(const struct till *till)
{
    struct common_store_options options = {
        .address = till->kv->address, .try_ms = 20000, .patience_ms = 60000};
    struct common_error error = {.text = ""};
    struct common_store *store = NULL;

    cr_assert_eq(common_store_open(&options, &error, &store), RPCRT_OK, "%s",
                 error.text);
    return store;
}

enum rpcrt_code
till_secrets_enter(struct till *till, struct common_error *ret_error)
{
    struct common_store *store = store_open(till);
    struct pay_secrets *secrets = NULL;
    enum rpcrt_code code =
        pay_secrets_load(path_of(till, "secrets"), ret_error, &secrets);

    cr_assert_eq(code, RPCRT_OK, "%s", ret_error->text);
    code = pay_secrets_enter(secrets, store, ret_error);
    pay_secrets_free(secrets);
    common_store_close(store);
    return code;
}

void
till_server_start(struct till *till, unsigned i)
{
    static const struct rpcrt_server_options options = {.workers_max = 64};
    struct till_server *self = &till->servers[i];
    struct common_error error = {.text = ""};
    char address[64];

    cr_assert_eq(
        pay_secrets_load(path_of(till, "secrets"), &error, &self->secrets),
        RPCRT_OK, "%s", error.text);
    cr_assert_eq(
        pay_access_load(path_of(till, "tokens"), &error, &self->access),
        RPCRT_OK, "%s", error.text);
    self->service = (struct pay_service){.store = store_open(till),
                                         .secrets = self->secrets,
                                         .access = self->access,
                                         .hold_for_ms = 1000,
                                         .clock = clock_now_ms,
                                         .clock_arg = till};
    cr_assert_eq(pay_secrets_enter(self->secrets, self->service.store, &error),
                 RPCRT_OK, "%s", error.text);
    address_make(address);
    cr_assert_eq(rpcrt_server_new(&options, &self->server), RPCRT_OK);
    cr_assert_eq(pay_service_serve(self->server, &self->service), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(self->server, address, NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new(address, NULL, &self->channel), RPCRT_OK);
}

void
till_server_stop(struct till *till, unsigned i)
{
    struct till_server *self = &till->servers[i];

    if (self->server == NULL) {
        return;
    }
    rpcrt_channel_free(self->channel);
    rpcrt_server_free(self->server);
    common_store_close(self->service.store);
    common_tokens_free(self->access);
    pay_secrets_free(self->secrets);
    memset(self, 0, sizeof(*self));
}

void
till_open(struct till *till, const char *secrets)
{
    static const char one[] = "one 000102030405060708090a0b0c0d0e0f"
                              "101112131415161718191a1b1c1d1e1f\n";

    memset(till, 0, sizeof(*till));
    cr_assert_geq(sodium_init(), 0);
    atomic_init(&till->now_ms, NOW_MS);
    (void)snprintf(till->folder, sizeof(till->folder),
                   "/tmp/rpcrt-till-XXXXXX");
    cr_assert_not_null(mkdtemp(till->folder));
    tokens_write(till);
    till_secrets_write(till, secrets == NULL ? one : secrets);
    till->kv = kv_start();
    till_server_start(till, 0);
}

void
till_close(struct till *till)
{
    till_server_stop(till, 0);
    till_server_stop(till, 1);
    rpcrt_server_free(till->kv->server);
    kvs_engine_close(till->kv->engine);
    free(till->kv);
    (void)unlink(path_of(till, "tokens"));
    (void)unlink(path_of(till, "secrets"));
    cr_assert_eq(rmdir(till->folder), 0);
}

struct rpcrt_call *
till_call(struct till *till, unsigned i, const char *token)
{
    struct rpcrt_call *call = NULL;
    char bearer[64];

    (void)snprintf(bearer, sizeof(bearer), "Bearer %s", token);
    cr_assert_eq(
        rpcrt_call_new(till->servers[i].channel, CALL_TIMEOUT_MS, &call),
        RPCRT_OK);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "authorization", bearer),
                 RPCRT_OK);
    return call;
}

/* -- short names ----------------------------------------------------------- */

void
till_expect(struct rpcrt_call *call, enum rpcrt_code code,
            enum rpcrt_code expected, const char *reason)
{
    struct rpcrt_error_info info = {.reason = ""};

    cr_assert_eq(code, expected, "%s instead of %s: %s", rpcrt_code_name(code),
                 rpcrt_code_name(expected), rpcrt_call_message(call));
    if (code != RPCRT_OK) {
        (void)rpcrt_call_error_info(call, &info);
    }
    cr_assert_str_eq(info.reason, reason, "%s", rpcrt_call_message(call));
}

static void
id_keep(const Payment__V1__PaymentRecord *payment, char ret_id[TILL_ID_SIZE])
{
    if (ret_id != NULL) {
        (void)snprintf(ret_id, TILL_ID_SIZE, "%s", payment->id);
    }
}

enum rpcrt_code
till_issue(struct rpcrt_call *call, const char *key, const char *number,
           int64_t balance)
{
    Payment__V1__IssueCardRequest request =
        PAYMENT__V1__ISSUE_CARD_REQUEST__INIT;
    Payment__V1__Card card = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;
    const Payment__V1__IssueCardReply *reply;

    card.number = number;
    card.expiry_month = EXPIRY_MONTH;
    card.expiry_year = EXPIRY_YEAR;
    money.minor = balance;
    money.currency = "EUR";
    request.idempotency_key = key;
    request.card = &card;
    request.balance = &money;
    return payment_issue_card(call, &request, &reply);
}

enum rpcrt_code
till_authorize(struct rpcrt_call *call, const char *key, const char *number,
               int64_t amount, char ret_id[TILL_ID_SIZE])
{
    Payment__V1__AuthorizeRequest request =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__Card card = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;
    const Payment__V1__AuthorizeReply *reply;
    enum rpcrt_code code;

    card.number = number;
    card.expiry_month = EXPIRY_MONTH;
    card.expiry_year = EXPIRY_YEAR;
    money.minor = amount;
    money.currency = "EUR";
    request.idempotency_key = key;
    request.card = &card;
    request.amount = &money;
    request.reference = "a purchase";
    code = payment_authorize(call, &request, &reply);
    if (code == RPCRT_OK) {
        id_keep(reply->payment, ret_id);
    }
    return code;
}

enum rpcrt_code
till_capture(struct rpcrt_call *call, const char *key, const char *id,
             int64_t minor)
{
    Payment__V1__CaptureRequest request = PAYMENT__V1__CAPTURE_REQUEST__INIT;
    const Payment__V1__CaptureReply *reply;

    request.idempotency_key = key;
    request.payment_id = id;
    request.minor = minor;
    return payment_capture(call, &request, &reply);
}

enum rpcrt_code
till_refund(struct rpcrt_call *call, const char *key, const char *id,
            int64_t minor)
{
    Payment__V1__RefundRequest request = PAYMENT__V1__REFUND_REQUEST__INIT;
    const Payment__V1__RefundReply *reply;

    request.idempotency_key = key;
    request.payment_id = id;
    request.minor = minor;
    return payment_refund(call, &request, &reply);
}

enum rpcrt_code
till_void(struct rpcrt_call *call, const char *key, const char *id)
{
    Payment__V1__VoidRequest request = PAYMENT__V1__VOID_REQUEST__INIT;
    const Payment__V1__VoidReply *reply;

    request.idempotency_key = key;
    request.of_case = PAYMENT__V1__VOID_REQUEST__OF_PAYMENT_ID;
    request.payment_id = id;
    return payment_void(call, &request, &reply);
}

enum rpcrt_code
till_void_key(struct rpcrt_call *call, const char *key,
              const char *authorize_key)
{
    Payment__V1__VoidRequest request = PAYMENT__V1__VOID_REQUEST__INIT;
    const Payment__V1__VoidReply *reply;

    request.idempotency_key = key;
    request.of_case = PAYMENT__V1__VOID_REQUEST__OF_AUTHORIZE_KEY;
    request.authorize_key = authorize_key;
    return payment_void(call, &request, &reply);
}

/* -- the books ------------------------------------------------------------- */

static struct till_balance
balance_of(struct till *till, const Payment__V1__GetBalanceRequest *request)
{
    struct rpcrt_call *call = till_call(till, 0, "operator");
    const Payment__V1__GetBalanceReply *reply;
    struct till_balance balance = {0, 0};

    till_expect(call, payment_get_balance(call, request, &reply), RPCRT_OK, "");
    if (reply->n_balances > 0) {
        cr_assert_eq(reply->n_balances, 1);
        balance.posted = reply->balances[0]->posted->minor;
        balance.held = reply->balances[0]->held->minor;
        cr_assert_eq(reply->balances[0]->available->minor,
                     balance.posted - balance.held);
    }
    rpcrt_call_free(call);
    return balance;
}

struct till_balance
till_card(struct till *till, const char *number)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    Payment__V1__Card card = PAYMENT__V1__CARD__INIT;

    card.number = number;
    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_CARD;
    request.card = &card;
    return balance_of(till, &request);
}

struct till_balance
till_merchant(struct till *till, const char *name)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;

    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_MERCHANT;
    request.merchant = name;
    return balance_of(till, &request);
}

Payment__V1__State
till_state(struct till *till, const char *id)
{
    Payment__V1__GetPaymentRequest request =
        PAYMENT__V1__GET_PAYMENT_REQUEST__INIT;
    struct rpcrt_call *call = till_call(till, 0, "operator");
    const Payment__V1__GetPaymentReply *reply;
    Payment__V1__State state;

    request.payment_id = id;
    till_expect(call, payment_get_payment(call, &request, &reply), RPCRT_OK,
                "");
    state = reply->payment->state;
    rpcrt_call_free(call);
    return state;
}

/* What the journal says of an account. */
static int64_t
replayed(const struct common_page *journal, const char *account)
{
    int64_t sum = 0;
    size_t i;

    for (i = 0; i < journal->n_records; i++) {
        const Payment__Record__Entry *entry =
            (const Payment__Record__Entry *)journal->records[i].message;

        sum += strcmp(entry->credit, account) == 0 ? entry->amount : 0;
        sum -= strcmp(entry->debit, account) == 0 ? entry->amount : 0;
    }
    return sum;
}

void
till_check_books(struct till *till)
{
    static const struct common_span span = {.first = "entry/", .limit = 1000};
    Payment__V1__ListAccountsRequest request =
        PAYMENT__V1__LIST_ACCOUNTS_REQUEST__INIT;
    struct rpcrt_call *call = till_call(till, 0, "operator");
    struct common_work *work =
        common_work_new(till->servers[0].service.store, NULL, NULL);
    const Payment__V1__ListAccountsReply *reply;
    struct common_page journal;
    int64_t sum = 0;
    size_t i;

    cr_assert_not_null(work);
    cr_assert_eq(
        common_scan(work, &span, &payment__record__entry__descriptor, &journal),
        RPCRT_OK);
    cr_assert_not(journal.more);
    request.page_size = ACCOUNTS_MAX;
    till_expect(call, payment_list_accounts(call, &request, &reply), RPCRT_OK,
                "");
    cr_assert_str_empty(reply->next_page_token);
    for (i = 0; i < reply->n_accounts; i++) {
        const Payment__V1__Account *account = reply->accounts[i];

        sum += account->posted->minor;
        cr_assert_eq(account->posted->minor, replayed(&journal, account->id),
                     "%s", account->id);
        cr_assert(account->kind == PAYMENT__V1__ACCOUNT__KIND__EXTERNAL ||
                      account->posted->minor >= account->held->minor,
                  "%s", account->id);
    }
    cr_assert_eq(sum, 0);
    common_work_free(work);
    rpcrt_call_free(call);
}
