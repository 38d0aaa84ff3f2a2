/*
 * A payment service that does what a test says: see fake_payment.h.
 */
#include "tests/petstore/fake_payment.h"

#include "common/ids.h"

#include <rpcrt/rpcrt.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#define STATE(name) PAYMENT__V1__STATE__##name

void
fake_init(struct fake_payment *fake)
{
    memset(fake, 0, sizeof(*fake));
    (void)pthread_mutex_init(&fake->lock, NULL);
}

void
fake_then(struct fake_payment *fake, enum fake_method method,
          struct fake_script script)
{
    (void)pthread_mutex_lock(&fake->lock);
    if (fake->n_scripts[method] < FAKE_SCRIPTS_MAX) {
        fake->scripts[method][fake->n_scripts[method]++] = script;
    }
    (void)pthread_mutex_unlock(&fake->lock);
}

void
fake_clear(struct fake_payment *fake)
{
    (void)pthread_mutex_lock(&fake->lock);
    memset(fake->n_scripts, 0, sizeof(fake->n_scripts));
    (void)pthread_mutex_unlock(&fake->lock);
}

void
fake_hook(struct fake_payment *fake, fake_hook_fn *hook, void *arg)
{
    (void)pthread_mutex_lock(&fake->lock);
    fake->hook = hook;
    fake->hook_arg = arg;
    (void)pthread_mutex_unlock(&fake->lock);
}

unsigned
fake_calls(struct fake_payment *fake, enum fake_method method)
{
    unsigned n;

    (void)pthread_mutex_lock(&fake->lock);
    n = fake->n_calls[method];
    (void)pthread_mutex_unlock(&fake->lock);
    return n;
}

unsigned
fake_mistakes(struct fake_payment *fake)
{
    unsigned n;

    (void)pthread_mutex_lock(&fake->lock);
    n = fake->n_mistakes;
    (void)pthread_mutex_unlock(&fake->lock);
    return n;
}

/* -- records [all of it locked] -------------------------------------------- */

static struct fake_record *
by_key(struct fake_payment *fake, const char *key)
{
    size_t i;

    for (i = 0; i < fake->n_records; i++) {
        if (strcmp(fake->records[i].key, key) == 0) {
            return &fake->records[i];
        }
    }
    return NULL;
}

static struct fake_record *
by_id(struct fake_payment *fake, const char *id)
{
    size_t i;

    for (i = 0; i < fake->n_records; i++) {
        if (strcmp(fake->records[i].id, id) == 0) {
            return &fake->records[i];
        }
    }
    return NULL;
}

static struct fake_record *
record_new(struct fake_payment *fake, const char *key, Payment__V1__State state)
{
    struct fake_record *record = &fake->records[fake->n_records++];

    (void)snprintf(record->key, sizeof(record->key), "%s", key);
    common_id_make(record->id);
    record->state = state;
    return record;
}

/* How a call ends, as its effect says. */
struct verdict {
    enum rpcrt_code code;
    const char *reason;
    struct fake_record *record;
};

static struct verdict
no(const char *reason)
{
    return (struct verdict){RPCRT_FAILED_PRECONDITION, reason, NULL};
}

static struct verdict
yes(struct fake_record *record)
{
    return (struct verdict){RPCRT_OK, "", record};
}

static struct verdict
do_authorize(struct fake_payment *fake,
             const Payment__V1__AuthorizeRequest *request)
{
    struct fake_record *record = by_key(fake, request->idempotency_key);

    if (record == NULL) {
        record = record_new(fake, request->idempotency_key, STATE(AUTHORIZED));
        record->minor = request->amount->minor;
        if (strcmp(request->card->number, FAKE_CARD_POOR) == 0) {
            record->state = STATE(DECLINED);
        }
    }
    if (record->state == STATE(DECLINED)) {
        return no("INSUFFICIENT_FUNDS");
    }
    if (record->state == STATE(VOIDED)) {
        return no("PAYMENT_VOIDED");
    }
    if (record->minor != request->amount->minor) {
        fake->n_mistakes++;
    }
    return yes(record);
}

static struct verdict
do_capture(struct fake_payment *fake,
           const Payment__V1__CaptureRequest *request)
{
    struct fake_record *record = by_id(fake, request->payment_id);

    if (record == NULL) {
        fake->n_mistakes++;
        return (struct verdict){RPCRT_NOT_FOUND, "PAYMENT_UNKNOWN", NULL};
    }
    if (record->state == STATE(VOIDED)) {
        return no("PAYMENT_VOIDED");
    }
    if (record->state == STATE(AUTHORIZED)) {
        record->state = STATE(CAPTURED);
    }
    return yes(record);
}

static struct verdict
do_void(struct fake_payment *fake, const Payment__V1__VoidRequest *request)
{
    struct fake_record *record = by_key(fake, request->authorize_key);

    if (request->of_case != PAYMENT__V1__VOID_REQUEST__OF_AUTHORIZE_KEY) {
        fake->n_mistakes++;
    }
    if (record == NULL) {
        record = record_new(fake, request->authorize_key, STATE(VOIDED));
    }
    if (record->state == STATE(CAPTURED) || record->state == STATE(REFUNDED)) {
        return no("PAYMENT_CAPTURED");
    }
    if (record->state == STATE(AUTHORIZED)) {
        record->state = STATE(VOIDED);
    }
    return yes(record);
}

static struct verdict
do_refund(struct fake_payment *fake, const Payment__V1__RefundRequest *request)
{
    struct fake_record *record = by_id(fake, request->payment_id);

    if (record == NULL || (record->state != STATE(CAPTURED) &&
                           record->state != STATE(REFUNDED))) {
        fake->n_mistakes++;
        return no("PAYMENT_NOT_CAPTURED");
    }
    record->state = STATE(REFUNDED);
    return yes(record);
}

static struct verdict
do_call(struct fake_payment *fake, enum fake_method method, const void *request)
{
    switch (method) {
    case FAKE_AUTHORIZE:
        return do_authorize(fake, request);
    case FAKE_CAPTURE:
        return do_capture(fake, request);
    case FAKE_VOID:
        return do_void(fake, request);
    default:
        return do_refund(fake, request);
    }
}

static struct fake_script
script_take(struct fake_payment *fake, enum fake_method method)
{
    struct fake_script script = {FAKE_DO, RPCRT_OK, ""};

    if (fake->n_scripts[method] > 0) {
        script = fake->scripts[method][0];
        fake->n_scripts[method]--;
        memmove(&fake->scripts[method][0], &fake->scripts[method][1],
                fake->n_scripts[method] * sizeof(script));
    }
    return script;
}

/* -- calls ----------------------------------------------------------------- */

static void
left(void *arg)
{
    (void)sem_post(arg);
}

static void
hang(struct rpcrt_ctx *ctx)
{
    sem_t gone;

    (void)sem_init(&gone, 0, 0);
    rpcrt_ctx_on_cancel(ctx, left, &gone);
    while (sem_wait(&gone) != 0) {
    }
    rpcrt_ctx_on_cancel(ctx, NULL, NULL);
    (void)sem_destroy(&gone);
}

static enum rpcrt_code
answer(struct rpcrt_ctx *ctx, const struct verdict *verdict,
       Payment__V1__PaymentRecord **ret_record)
{
    Payment__V1__PaymentRecord *record;

    if (verdict->code != RPCRT_OK) {
        return rpcrt_ctx_refuse(ctx, verdict->code, "payment.v1",
                                verdict->reason, "the fake says no");
    }
    record = rpcrt_ctx_alloc(ctx, sizeof(*record));
    if (record == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    payment__v1__payment_record__init(record);
    record->id = rpcrt_ctx_copy(ctx, verdict->record->id, COMMON_ID_SIZE - 1);
    record->card_last4 = "1111";
    *ret_record = record;
    return RPCRT_OK;
}

static enum rpcrt_code
call(struct fake_payment *fake, struct rpcrt_ctx *ctx, enum fake_method method,
     const void *request, const char *key,
     Payment__V1__PaymentRecord **ret_record)
{
    struct fake_script script;
    struct verdict verdict = {RPCRT_UNAVAILABLE, "", NULL};
    fake_hook_fn *hook;
    void *hook_arg;

    (void)pthread_mutex_lock(&fake->lock);
    hook = fake->hook;
    hook_arg = fake->hook_arg;
    script = script_take(fake, method);
    fake->n_calls[method]++;
    if (!common_idempotency_key_ok(key)) {
        fake->n_mistakes++;
    }
    if (script.act == FAKE_DO || script.act == FAKE_LOSE_ANSWER) {
        verdict = do_call(fake, method, request);
    } else if (script.act == FAKE_REFUSE) {
        verdict = (struct verdict){script.code, script.reason, NULL};
    } else if (script.act == FAKE_OTHER) {
        verdict = yes(record_new(fake, key, STATE(VOIDED)));
    }
    (void)pthread_mutex_unlock(&fake->lock);
    if (hook != NULL) {
        hook(hook_arg, method);
    }
    if (script.act == FAKE_HANG) {
        hang(ctx);
    }
    if (verdict.code == RPCRT_UNAVAILABLE || script.act == FAKE_LOSE_ANSWER) {
        return rpcrt_ctx_fail(ctx, RPCRT_UNAVAILABLE, "no answer");
    }
    return answer(ctx, &verdict, ret_record);
}

static enum rpcrt_code
authorize(void *self, struct rpcrt_ctx *ctx,
          const Payment__V1__AuthorizeRequest *request,
          Payment__V1__AuthorizeReply *reply)
{
    return call(self, ctx, FAKE_AUTHORIZE, request, request->idempotency_key,
                &reply->payment);
}

static enum rpcrt_code
capture(void *self, struct rpcrt_ctx *ctx,
        const Payment__V1__CaptureRequest *request,
        Payment__V1__CaptureReply *reply)
{
    return call(self, ctx, FAKE_CAPTURE, request, request->idempotency_key,
                &reply->payment);
}

static enum rpcrt_code
void_(void *self, struct rpcrt_ctx *ctx,
      const Payment__V1__VoidRequest *request, Payment__V1__VoidReply *reply)
{
    return call(self, ctx, FAKE_VOID, request, request->idempotency_key,
                &reply->payment);
}

static enum rpcrt_code
refund(void *self, struct rpcrt_ctx *ctx,
       const Payment__V1__RefundRequest *request,
       Payment__V1__RefundReply *reply)
{
    return call(self, ctx, FAKE_REFUND, request, request->idempotency_key,
                &reply->payment);
}

enum rpcrt_code
fake_serve(struct rpcrt_server *server, struct fake_payment *fake)
{
    static const struct payment_service handlers = {.authorize = authorize,
                                                    .capture = capture,
                                                    .void_ = void_,
                                                    .refund = refund};

    return payment_serve(server, &handlers, fake);
}

Payment__V1__State
fake_state(struct fake_payment *fake, const char *order_id, unsigned attempt)
{
    Payment__V1__State state = STATE(STATE_UNSPECIFIED);
    struct fake_record *record;
    char key[80];

    (void)snprintf(key, sizeof(key), "%s.%u", order_id, attempt);
    (void)pthread_mutex_lock(&fake->lock);
    record = by_key(fake, key);
    if (record != NULL) {
        state = record->state;
    }
    (void)pthread_mutex_unlock(&fake->lock);
    return state;
}
