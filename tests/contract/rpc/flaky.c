/*
 * The tables that a .proto would give, by hand: so that a test can give a
 * method any policy.
 */
#include "flaky.h"

#include <rpcrt/gen.h>
#include <rpcrt/retry.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void
sleep_ms(uint32_t ms)
{
    struct timespec span = {.tv_sec = ms / 1000,
                            .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&span, NULL);
}

static void
see(char text[FLAKY_TEXT_SIZE], const struct rpcrt_ctx *ctx, const char *key)
{
    const char *value = rpcrt_ctx_metadata(ctx, key, NULL);

    (void)snprintf(text, FLAKY_TEXT_SIZE, "%s", value == NULL ? "" : value);
}

static enum rpcrt_code
play(struct flaky *flaky, struct rpcrt_ctx *ctx, const struct flaky_line *line)
{
    while (line->hang && !rpcrt_ctx_cancelled(ctx)) {
        sleep_ms(1);
    }
    sleep_ms(line->wait_ms);
    while (atomic_load(&flaky->hold)) {
        sleep_ms(1);
    }
    if (rpcrt_ctx_cancelled(ctx)) {
        atomic_fetch_add(&flaky->n_cancelled, 1);
    }
    if (line->hang) {
        return RPCRT_CANCELLED;
    }
    if (line->code == RPCRT_OK) {
        return RPCRT_OK;
    }
    if (line->push_back) {
        cr_assert_eq(rpcrt_ctx_push_back(ctx, line->push_back_ms), RPCRT_OK);
    }
    (void)rpcrt_ctx_fail(ctx, line->code, "scripted");
    if (line->details != NULL) {
        cr_assert_eq(
            rpcrt_ctx_set_details(ctx, line->details, line->details_size),
            RPCRT_OK);
    }
    return line->code;
}

static void
count_effect(struct flaky *flaky, const Probe__V1__EchoRequest *request)
{
    uint32_t number = 0;

    if (request->payload.len == sizeof number) {
        memcpy(&number, request->payload.data, sizeof number);
    }
    atomic_fetch_add(&flaky->effects[number % FLAKY_EFFECTS_MAX], 1);
}

static enum rpcrt_code
handle(const void *table, void *self, struct rpcrt_ctx *ctx,
       const ProtobufCMessage *request, ProtobufCMessage *reply)
{
    static const struct flaky_line fine;
    struct flaky *flaky = self;
    unsigned n = atomic_fetch_add(&flaky->n_executed, 1);
    enum rpcrt_code code;

    (void)table;
    count_effect(flaky, (const Probe__V1__EchoRequest *)request);
    atomic_fetch_add(&flaky->n_running, 1);
    (void)pthread_mutex_lock(&flaky->lock);
    see(flaky->previous, ctx, RPCRT_PREVIOUS_ATTEMPTS);
    see(flaky->key, ctx, RPCRT_IDEMPOTENCY_KEY);
    (void)pthread_mutex_unlock(&flaky->lock);
    code = play(flaky, ctx, n < FLAKY_LINES_MAX ? &flaky->lines[n] : &fine);
    ((Probe__V1__CountReply *)reply)->count = n + 1;
    atomic_fetch_sub(&flaky->n_running, 1);
    return code;
}

static const struct rpcrt_method methods[FLAKY_METHODS] = {
#define METHOD(name, its_flags)                                                \
    {                                                                          \
        .path = "/flaky.v1.Flaky/" name,                                       \
        .request = &probe__v1__echo_request__descriptor,                       \
        .reply = &probe__v1__count_reply__descriptor, .flags = its_flags       \
    }
    [FLAKY_PLAIN] = METHOD("Plain", 0),
    [FLAKY_READ] = METHOD("Read", RPCRT_METHOD_NO_SIDE_EFFECTS),
    [FLAKY_ONCE] = METHOD("Once", RPCRT_METHOD_ONCE),
    [FLAKY_ONCE_MORE] =
        METHOD("OnceMore", RPCRT_METHOD_ONCE | RPCRT_METHOD_IDEMPOTENT),
#undef METHOD
};

void
flaky_init(struct flaky *flaky)
{
    memset(flaky, 0, sizeof *flaky);
    (void)pthread_mutex_init(&flaky->lock, NULL);
}

struct rpcrt_server *
flaky_serve(struct flaky *flaky, const char *address,
            const struct rpcrt_tls *tls,
            const struct rpcrt_server_options *options)
{
    static rpcrt_glue_fn *const glue[FLAKY_METHODS] = {handle, handle, handle,
                                                       handle};
    static const struct rpcrt_service service = {.name = "flaky.v1.Flaky",
                                                 .methods = methods,
                                                 .n_methods = FLAKY_METHODS,
                                                 .file = &support_probe_proto};
    struct rpcrt_server *server;

    cr_assert_eq(rpcrt_server_new(options, &server), RPCRT_OK, "%s",
                 rpcrt_last_error());
    cr_assert_eq(rpcrt_server_add(server, &service, glue, &methods, flaky),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, address, tls), RPCRT_OK, "%s",
                 rpcrt_last_error());
    return server;
}

struct rpcrt_method
flaky_method(enum flaky_method which, const struct rpcrt_retry_policy *policy)
{
    struct rpcrt_method method = methods[which];

    method.retry = policy;
    return method;
}

enum rpcrt_code
flaky_call(struct rpcrt_call *call, const struct rpcrt_method *method,
           uint64_t *ret_count)
{
    return flaky_call_number(call, method, 0, ret_count);
}

enum rpcrt_code
flaky_call_number(struct rpcrt_call *call, const struct rpcrt_method *method,
                  uint32_t number, uint64_t *ret_count)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *reply;
    enum rpcrt_code code;

    request.payload.data = (uint8_t *)&number;
    request.payload.len = sizeof number;
    code = rpcrt_call_unary(call, method, &request.base, &reply);

    if (code == RPCRT_OK) {
        *ret_count =
            ((const Probe__V1__CountReply *)(const void *)reply)->count;
    }
    return code;
}

uint64_t
flaky_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t
flaky_since(uint64_t start)
{
    return flaky_now() - start;
}

void
attempt_ground_open(struct attempt_ground *ground, const char *service_config)
{
    struct rpcrt_channel_options options = {.service_config = service_config};

    flaky_init(&ground->flaky);
    ground->server =
        flaky_serve(&ground->flaky, "tcp://127.0.0.1:0", NULL, NULL);
    cr_assert_eq(rpcrt_channel_new(rpcrt_server_address(ground->server, 0),
                                   &options, &ground->channel),
                 RPCRT_OK, "%s", rpcrt_last_error());
    ground->call = bed_call(ground->channel, BED_TIMEOUT_MS);
}

void
attempt_ground_close(struct attempt_ground *ground)
{
    rpcrt_call_free(ground->call);
    rpcrt_channel_free(ground->channel);
    rpcrt_server_free(ground->server);
}
