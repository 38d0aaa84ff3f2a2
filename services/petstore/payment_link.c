/*
 * The way to the payment service: see payment_link.h.
 */
#include "petstore/payment_link.h"
#include "common/gate.h"
#include "common/ids.h"
#include "common/tokens.h"
#include "payment/v1/payment.client.h"

#include <rpcrt/rpcrt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY_MS_DEFAULT 3000u
#define PATIENCE_MS_DEFAULT 30000u
#define BEARER_SIZE 512u
/* How often a call is cancelled that may not have begun yet. */
#define STOP_AGAIN_MS 5u

static const char scheme[] = "Bearer ";

/* A call that is being made; on the stack of the one who makes it. */
struct use {
    struct rpcrt_call *call;
    struct use *next;
};

struct shop_payment {
    struct rpcrt_channel *channel;
    uint32_t try_ms;
    uint32_t patience_ms;
    char bearer[BEARER_SIZE]; /* "" without a token */
    atomic_uint n_places;     /* taken */
    struct common_gate gate;  /* stopped or uses are changed, or a call that
                                 waits was cancelled */
    bool stopped;
    struct use *uses;
};

/* -- open and close -------------------------------------------------------- */

static enum rpcrt_code
bearer_read(const struct shop_payment_options *options,
            struct shop_payment *payment, struct common_error *ret_error)
{
    if (options->token_file == NULL) {
        return RPCRT_OK;
    }
    memcpy(payment->bearer, scheme, sizeof(scheme));
    return common_token_read(
        options->token_file, payment->bearer + sizeof(scheme) - 1,
        sizeof(payment->bearer) - sizeof(scheme) + 1, ret_error);
}

enum rpcrt_code
shop_payment_open(const struct shop_payment_options *options,
                  struct common_error *ret_error,
                  struct shop_payment **ret_payment)
{
    struct rpcrt_channel_options channel = {.tls = NULL};
    struct shop_payment *payment = calloc(1, sizeof(*payment));
    enum rpcrt_code code;

    if (payment == NULL) {
        return common_error_no_memory(ret_error);
    }
    if (!common_gate_init(&payment->gate)) {
        free(payment);
        return common_error_no_memory(ret_error);
    }
    payment->try_ms = options->try_ms != 0 ? options->try_ms : TRY_MS_DEFAULT;
    payment->patience_ms =
        options->patience_ms != 0 ? options->patience_ms : PATIENCE_MS_DEFAULT;
    code = bearer_read(options, payment, ret_error);
    if (strncmp(options->address, "tls+", 4) == 0) {
        channel.tls = options->tls;
    }
    if (code == RPCRT_OK) {
        code = rpcrt_channel_new(options->address, &channel, &payment->channel);
        if (code != RPCRT_OK) {
            (void)common_error_set(ret_error, code, "payment service: %s",
                                   rpcrt_last_error());
        }
    }
    if (code != RPCRT_OK) {
        shop_payment_close(payment);
        return code;
    }
    *ret_payment = payment;
    return RPCRT_OK;
}

void
shop_payment_close(struct shop_payment *payment)
{
    if (payment == NULL) {
        return;
    }
    rpcrt_channel_free(payment->channel);
    common_gate_fini(&payment->gate);
    explicit_bzero(payment->bearer, sizeof(payment->bearer));
    free(payment);
}

uint32_t
shop_payment_patience_ms(const struct shop_payment *payment)
{
    return payment->patience_ms;
}

/* -- places ---------------------------------------------------------------- */

bool
shop_payment_enter(struct shop_payment *payment)
{
    if (atomic_fetch_add(&payment->n_places, 1) < SHOP_PAYMENT_PLACES) {
        return true;
    }
    shop_payment_leave(payment);
    return false;
}

void
shop_payment_leave(struct shop_payment *payment)
{
    (void)atomic_fetch_sub(&payment->n_places, 1);
}

/* -- waiting --------------------------------------------------------------- */

static void
wake(void *arg)
{
    struct shop_payment *payment = arg;

    common_gate_lock(&payment->gate);
    common_gate_signal(&payment->gate);
    common_gate_unlock(&payment->gate);
}

void
shop_payment_stop(struct shop_payment *payment)
{
    const struct use *use;

    common_gate_lock(&payment->gate);
    payment->stopped = true;
    common_gate_signal(&payment->gate);
    while (payment->uses != NULL) {
        for (use = payment->uses; use != NULL; use = use->next) {
            rpcrt_call_cancel(use->call);
        }
        /* One that was about to begin has missed it. */
        (void)common_gate_wait(&payment->gate, STOP_AGAIN_MS);
    }
    common_gate_unlock(&payment->gate);
}

bool
shop_payment_wait(struct shop_payment *payment, struct rpcrt_ctx *ctx,
                  uint32_t wait_ms)
{
    int64_t until_ms = common_monotonic_ms() + (int64_t)wait_ms;
    int64_t left_ms = wait_ms;
    bool go_on = true;

    if (ctx != NULL) {
        rpcrt_ctx_on_cancel(ctx, wake, payment);
    }
    common_gate_lock(&payment->gate);
    while (left_ms > 0) {
        go_on = !payment->stopped && (ctx == NULL || !rpcrt_ctx_cancelled(ctx));
        if (!go_on) {
            break;
        }
        (void)common_gate_wait(&payment->gate, (uint32_t)left_ms);
        left_ms = until_ms - common_monotonic_ms();
    }
    common_gate_unlock(&payment->gate);
    if (ctx != NULL) {
        rpcrt_ctx_on_cancel(ctx, NULL, NULL);
    }
    return go_on;
}

/* -- calls ----------------------------------------------------------------- */

/* Keep a text, what is too long without half a character at its end. */
static void
message_keep(struct shop_answer *answer, const char *message)
{
    size_t size = strnlen(message, sizeof(answer->message));

    if (size == sizeof(answer->message)) {
        size--;
        while (size > 0 && ((unsigned char)message[size] & 0xC0u) == 0x80u) {
            size--;
        }
    }
    memcpy(answer->message, message, size);
    answer->message[size] = '\0';
}

/* No call can be made. */
static void
answer_failed(struct shop_answer *ret_answer, enum rpcrt_code code,
              const char *message)
{
    *ret_answer =
        (struct shop_answer){.kind = SHOP_ANSWER_UNKNOWN, .code = code};
    message_keep(ret_answer, message);
}

static enum rpcrt_code
call_prepare(const struct shop_payment *payment, const struct shop_payer *payer,
             struct rpcrt_call *call)
{
    enum rpcrt_code code = RPCRT_OK;

    rpcrt_call_set_parent(call, payer->ctx);
    if (payment->bearer[0] != '\0') {
        code = rpcrt_call_set_metadata_text(call, "authorization",
                                            payment->bearer);
    }
    if (code == RPCRT_OK && payer->ctx == NULL && payer->call_id != NULL &&
        payer->call_id[0] != '\0') {
        code = rpcrt_call_set_metadata_text(call, "call-id", payer->call_id);
    }
    return code;
}

/* Whether the call may be made: the program does not end. */
static bool
use_add(struct shop_payment *payment, struct use *use)
{
    bool ok;

    common_gate_lock(&payment->gate);
    ok = !payment->stopped;
    if (ok) {
        use->next = payment->uses;
        payment->uses = use;
    }
    common_gate_unlock(&payment->gate);
    return ok;
}

static void
use_remove(struct shop_payment *payment, const struct use *use)
{
    struct use **place = &payment->uses;

    common_gate_lock(&payment->gate);
    while (*place != use) {
        place = &(*place)->next;
    }
    *place = use->next;
    common_gate_signal(&payment->gate);
    common_gate_unlock(&payment->gate);
}

/* Make a call ready; false: the answer says why not. */
static bool
use_begin(struct shop_payment *payment, const struct shop_payer *payer,
          struct use *use, struct shop_answer *ret_answer)
{
    enum rpcrt_code code =
        rpcrt_call_new(payment->channel, payment->try_ms, &use->call);

    if (code != RPCRT_OK) {
        answer_failed(ret_answer, code, "out of memory");
        return false;
    }
    code = call_prepare(payment, payer, use->call);
    if (code != RPCRT_OK) {
        answer_failed(ret_answer, code, "the metadata can't be sent");
    } else if (!use_add(payment, use)) {
        answer_failed(ret_answer, RPCRT_CANCELLED, "the program ends");
    } else {
        return true;
    }
    rpcrt_call_free(use->call);
    return false;
}

static void
answer_done(struct shop_answer *answer,
            const Payment__V1__PaymentRecord *payment)
{
    if (payment == NULL || !common_id_ok(payment->id)) {
        answer_failed(answer, RPCRT_INTERNAL,
                      "the payment service answered without a payment");
        return;
    }
    (void)snprintf(answer->payment_id, sizeof(answer->payment_id), "%s",
                   payment->id);
    (void)snprintf(answer->card_last4, sizeof(answer->card_last4), "%s",
                   payment->card_last4);
}

/* The answer of a call that was made, which ends here. */
static void
use_end(struct shop_payment *payment, const struct use *use,
        const Payment__V1__PaymentRecord *record,
        struct shop_answer *ret_answer)
{
    struct rpcrt_call *call = use->call;
    struct rpcrt_error_info info;
    enum rpcrt_code code = rpcrt_call_code(call);

    *ret_answer = (struct shop_answer){
        .kind = shop_answer_kind(code, rpcrt_call_origin(call)), .code = code};
    if (code == RPCRT_OK) {
        answer_done(ret_answer, record);
    } else {
        message_keep(ret_answer, rpcrt_call_message(call));
        if (rpcrt_call_error_info(call, &info) &&
            strcmp(info.domain, "payment.v1") == 0) {
            memcpy(ret_answer->reason, info.reason, sizeof(info.reason));
        }
    }
    use_remove(payment, use);
    rpcrt_call_free(call);
}

void
shop_payment_authorize(struct shop_payment *payment,
                       const struct shop_payer *payer,
                       const Payment__V1__AuthorizeRequest *request,
                       struct shop_answer *ret_answer)
{
    const Payment__V1__AuthorizeReply *reply = NULL;
    struct use use;

    if (use_begin(payment, payer, &use, ret_answer)) {
        bool ok = payment_authorize(use.call, request, &reply) == RPCRT_OK;

        use_end(payment, &use, ok ? reply->payment : NULL, ret_answer);
    }
}

void
shop_payment_capture(struct shop_payment *payment,
                     const struct shop_payer *payer,
                     const Payment__V1__CaptureRequest *request,
                     struct shop_answer *ret_answer)
{
    const Payment__V1__CaptureReply *reply = NULL;
    struct use use;

    if (use_begin(payment, payer, &use, ret_answer)) {
        bool ok = payment_capture(use.call, request, &reply) == RPCRT_OK;

        use_end(payment, &use, ok ? reply->payment : NULL, ret_answer);
    }
}

void
shop_payment_void(struct shop_payment *payment, const struct shop_payer *payer,
                  const Payment__V1__VoidRequest *request,
                  struct shop_answer *ret_answer)
{
    const Payment__V1__VoidReply *reply = NULL;
    struct use use;

    if (use_begin(payment, payer, &use, ret_answer)) {
        bool ok = payment_void(use.call, request, &reply) == RPCRT_OK;

        use_end(payment, &use, ok ? reply->payment : NULL, ret_answer);
    }
}

void
shop_payment_refund(struct shop_payment *payment,
                    const struct shop_payer *payer,
                    const Payment__V1__RefundRequest *request,
                    struct shop_answer *ret_answer)
{
    const Payment__V1__RefundReply *reply = NULL;
    struct use use;

    if (use_begin(payment, payer, &use, ret_answer)) {
        bool ok = payment_refund(use.call, request, &reply) == RPCRT_OK;

        use_end(payment, &use, ok ? reply->payment : NULL, ret_answer);
    }
}
