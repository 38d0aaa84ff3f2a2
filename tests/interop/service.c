/*
 * Payloads are zeros of the size that the client asks for, statuses and
 * metadata are what it asks for. UnimplementedCall stays unimplemented.
 */
#include "interop/service.h"

#include <limits.h>
#include <string.h>
#include <time.h>

static enum rpcrt_code
echo_metadata(struct rpcrt_ctx *ctx)
{
    enum rpcrt_code code = RPCRT_OK;
    const char *value;
    size_t size;

    value = rpcrt_ctx_metadata(ctx, ECHO_INITIAL, &size);
    if (value != NULL) {
        code = rpcrt_ctx_set_header(ctx, ECHO_INITIAL, value, size);
    }
    value = rpcrt_ctx_metadata(ctx, ECHO_TRAILING, &size);
    if (value != NULL && code == RPCRT_OK) {
        code = rpcrt_ctx_set_metadata(ctx, ECHO_TRAILING, value, size);
    }
    return code;
}

/* The status that a request asks for. */
static enum rpcrt_code
asked_status(struct rpcrt_ctx *ctx, const Grpc__Testing__EchoStatus *status)
{
    if (status == NULL || status->code == RPCRT_OK) {
        return RPCRT_OK;
    }
    return rpcrt_ctx_fail(ctx, (enum rpcrt_code)status->code, "%s",
                          status->message);
}

/* Zeros of that size, in the memory of the call. */
static enum rpcrt_code
asked_payload(struct rpcrt_ctx *ctx, int32_t size,
              Grpc__Testing__Payload **ret_payload)
{
    Grpc__Testing__Payload *payload;

    if (size < 0) {
        return rpcrt_ctx_fail(ctx, RPCRT_INVALID_ARGUMENT,
                              "a payload of %ld bytes", (long)size);
    }
    payload = rpcrt_ctx_alloc(ctx, sizeof *payload);
    if (payload == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    grpc__testing__payload__init(payload);
    payload->body.data = rpcrt_ctx_alloc(ctx, (size_t)size);
    if (payload->body.data == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    payload->body.len = (size_t)size;
    *ret_payload = payload;
    return RPCRT_OK;
}

static enum rpcrt_code
empty_call(void *self, struct rpcrt_ctx *ctx,
           const Grpc__Testing__Empty *request, Grpc__Testing__Empty *reply)
{
    (void)self;
    (void)request;
    (void)reply;
    return echo_metadata(ctx);
}

static enum rpcrt_code
unary_call(void *self, struct rpcrt_ctx *ctx,
           const Grpc__Testing__SimpleRequest *request,
           Grpc__Testing__SimpleResponse *reply)
{
    enum rpcrt_code code = echo_metadata(ctx);

    (void)self;
    if (code == RPCRT_OK) {
        code = asked_status(ctx, request->response_status);
    }
    if (code == RPCRT_OK) {
        code = asked_payload(ctx, request->response_size, &reply->payload);
    }
    return code;
}

/* -- streams --------------------------------------------------------------- */

typedef enum rpcrt_code
reply_fn(struct rpcrt_ctx *ctx,
         const Grpc__Testing__StreamingOutputCallResponse *message);

/* Wait before a message, unless nobody waits for it any more. */
static void
pause_us(struct rpcrt_ctx *ctx, int32_t us)
{
    for (; us > 0 && !rpcrt_ctx_cancelled(ctx); us -= 1000) {
        struct timespec span = {.tv_nsec = (us < 1000 ? us : 1000) * 1000L};

        (void)nanosleep(&span, NULL);
    }
}

static enum rpcrt_code
send_one(struct rpcrt_ctx *ctx, int32_t size, reply_fn *reply)
{
    static uint8_t zeros[1 << 20];
    Grpc__Testing__StreamingOutputCallResponse message =
        GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;

    if (size < 0 || (size_t)size > sizeof zeros) {
        return rpcrt_ctx_fail(ctx, RPCRT_INVALID_ARGUMENT,
                              "a payload of %ld bytes", (long)size);
    }
    payload.body.data = zeros;
    payload.body.len = (size_t)size;
    message.payload = &payload;
    return reply(ctx, &message);
}

/* Send the messages that a request asks for. */
static enum rpcrt_code
send_asked(struct rpcrt_ctx *ctx,
           const Grpc__Testing__StreamingOutputCallRequest *request,
           reply_fn *reply)
{
    enum rpcrt_code code = asked_status(ctx, request->response_status);

    for (size_t i = 0; i < request->n_response_parameters && code == RPCRT_OK;
         i++) {
        pause_us(ctx, request->response_parameters[i]->interval_us);
        code = send_one(ctx, request->response_parameters[i]->size, reply);
    }
    return code;
}

static enum rpcrt_code
streaming_output_call(void *self, struct rpcrt_ctx *ctx,
                      const Grpc__Testing__StreamingOutputCallRequest *request)
{
    enum rpcrt_code code = echo_metadata(ctx);

    (void)self;
    return code == RPCRT_OK
               ? send_asked(
                     ctx, request,
                     grpc_testing_test_service_streaming_output_call_reply)
               : code;
}

static enum rpcrt_code
streaming_input_call(void *self, struct rpcrt_ctx *ctx,
                     Grpc__Testing__StreamingInputCallResponse *reply)
{
    const Grpc__Testing__StreamingInputCallRequest *message = NULL;
    enum rpcrt_code code = echo_metadata(ctx);
    size_t sum = 0;

    (void)self;
    while (code == RPCRT_OK) {
        code = grpc_testing_test_service_streaming_input_call_receive(ctx,
                                                                      &message);
        if (code != RPCRT_OK || message == NULL) {
            break;
        }
        sum += message->payload == NULL ? 0 : message->payload->body.len;
    }
    reply->aggregated_payload_size =
        (int32_t)(sum < INT32_MAX ? sum : INT32_MAX);
    return code;
}

static enum rpcrt_code
full_duplex_call(void *self, struct rpcrt_ctx *ctx)
{
    const Grpc__Testing__StreamingOutputCallRequest *message = NULL;
    enum rpcrt_code code = echo_metadata(ctx);

    (void)self;
    while (code == RPCRT_OK) {
        code =
            grpc_testing_test_service_full_duplex_call_receive(ctx, &message);
        if (code != RPCRT_OK || message == NULL) {
            break;
        }
        code = send_asked(ctx, message,
                          grpc_testing_test_service_full_duplex_call_reply);
    }
    return code;
}

/* Sizes of messages that were asked for. */
#define HALF_DUPLEX_MAX 1024

static enum rpcrt_code
half_duplex_call(void *self, struct rpcrt_ctx *ctx)
{
    const Grpc__Testing__StreamingOutputCallRequest *message = NULL;
    enum rpcrt_code code = echo_metadata(ctx);
    int32_t sizes[HALF_DUPLEX_MAX];
    size_t n = 0;

    (void)self;
    while (code == RPCRT_OK) {
        code =
            grpc_testing_test_service_half_duplex_call_receive(ctx, &message);
        if (code != RPCRT_OK || message == NULL) {
            break;
        }
        for (size_t i = 0; i < message->n_response_parameters; i++) {
            if (n == HALF_DUPLEX_MAX) {
                return rpcrt_ctx_no_memory(ctx);
            }
            sizes[n++] = message->response_parameters[i]->size;
        }
    }
    for (size_t i = 0; i < n && code == RPCRT_OK; i++) {
        code = send_one(ctx, sizes[i],
                        grpc_testing_test_service_half_duplex_call_reply);
    }
    return code;
}

enum rpcrt_code
interop_serve(struct rpcrt_server *server, void *self)
{
    static const struct grpc_testing_test_service_service service = {
        .empty_call = empty_call,
        .unary_call = unary_call,
        .cacheable_unary_call = unary_call,
        .streaming_output_call = streaming_output_call,
        .streaming_input_call = streaming_input_call,
        .full_duplex_call = full_duplex_call,
        .half_duplex_call = half_duplex_call,
    };

    return grpc_testing_test_service_serve(server, &service, self);
}
