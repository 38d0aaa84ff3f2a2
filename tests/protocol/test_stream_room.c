/*
 * Handlers that send whenever they are told of room, and end the call then:
 * on any thread of the runtime, while the client reads, leaves or cancels.
 */
#include "protocol/peer.h"

#include <string.h>

#define N_MESSAGES 200u
#define SIZE (16u << 10)
#define N_ROUNDS 30u

/* One call that is fed. */
struct feeder {
    pthread_mutex_t lock;
    struct rpcrt_ctx *ctx;
    unsigned n_sent;
    bool over;
    atomic_uint n_told;
    atomic_uint n_over;
};

/* Send what there is room for. Who sends the last message, or meets the end,
 * finishes. */
static void
feed(void *arg)
{
    static uint8_t payload[SIZE];
    struct feeder *feeder = arg;
    Probe__V1__EchoReply message = PROBE__V1__ECHO_REPLY__INIT;
    enum rpcrt_code code = RPCRT_OK;
    bool mine = false;

    message.payload.data = payload;
    message.payload.len = sizeof payload;
    pthread_mutex_lock(&feeder->lock);
    while (!feeder->over && code == RPCRT_OK && feeder->n_sent < N_MESSAGES &&
           rpcrt_ctx_room(feeder->ctx) > 0) {
        code = probe_trickle_reply(feeder->ctx, &message);
        feeder->n_sent++;
    }
    mine = !feeder->over && (code != RPCRT_OK || feeder->n_sent == N_MESSAGES ||
                             rpcrt_ctx_cancelled(feeder->ctx));
    feeder->over |= mine;
    pthread_mutex_unlock(&feeder->lock);
    if (mine) {
        rpcrt_ctx_finish(feeder->ctx, code);
        atomic_fetch_add(&feeder->n_over, 1);
    }
}

static void
feed_when_told(void *arg)
{
    struct feeder *feeder = arg;

    atomic_fetch_add(&feeder->n_told, 1);
    feed(feeder);
}

static enum rpcrt_code
trickle(void *self, struct rpcrt_ctx *ctx, const Probe__V1__Script *script)
{
    struct feeder *feeder = self;

    (void)script;
    pthread_mutex_lock(&feeder->lock);
    feeder->ctx = ctx;
    feeder->n_sent = 0;
    feeder->over = false;
    pthread_mutex_unlock(&feeder->lock);
    /* There is no news of room before something is sent. */
    rpcrt_ctx_on_room(ctx, feed_when_told, feeder);
    /* From here on the call may be over at any time. */
    rpcrt_ctx_on_cancel(ctx, feed, feeder);
    feed(feeder);
    return RPCRT_LATER;
}

struct field {
    struct feeder feeder;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
};

static void
field_open(struct field *field)
{
    static const struct probe_service service = {.trickle = trickle};

    memset(field, 0, sizeof *field);
    cr_assert_eq(pthread_mutex_init(&field->feeder.lock, NULL), 0);
    cr_assert_eq(rpcrt_server_new(NULL, &field->server), RPCRT_OK);
    cr_assert_eq(probe_serve(field->server, &service, &field->feeder),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(field->server, "tcp://127.0.0.1:0", NULL),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new(rpcrt_server_address(field->server, 0), NULL,
                                   &field->channel),
                 RPCRT_OK);
}

static void
field_close(struct field *field)
{
    rpcrt_channel_free(field->channel);
    rpcrt_server_free(field->server);
    (void)pthread_mutex_destroy(&field->feeder.lock);
}

/* Take so many messages at the most; returns how many came. */
static unsigned
take(struct rpcrt_call *call, unsigned n_max)
{
    const Probe__V1__EchoReply *message;
    unsigned n = 0;

    while (n < n_max && probe_trickle_next(call, &message)) {
        cr_assert_eq(message->payload.len, SIZE);
        n++;
    }
    return n;
}

Test(stream_room, may_be_used_where_it_is_told, .timeout = 60)
{
    Probe__V1__Script script = PROBE__V1__SCRIPT__INIT;
    struct rpcrt_call *call;
    struct field field;

    field_open(&field);
    call = bed_call(field.channel, BED_TIMEOUT_MS);
    for (unsigned round = 1; round <= N_ROUNDS; round++) {
        probe_trickle_open(call, &script);
        cr_assert_eq(take(call, UINT32_MAX), N_MESSAGES);
        expect_ok(call, probe_trickle_finish(call));
        bed_await(&field.feeder.n_over, round);
    }
    cr_assert_gt(atomic_load(&field.feeder.n_told), 0u);
    rpcrt_call_free(call);
    field_close(&field);
}

Test(stream_room, is_not_told_behind_the_end, .timeout = 60)
{
    Probe__V1__Script script = PROBE__V1__SCRIPT__INIT;
    struct rpcrt_call *call;
    struct field field;

    field_open(&field);
    call = bed_call(field.channel, BED_TIMEOUT_MS);
    for (unsigned round = 1; round <= N_ROUNDS; round++) {
        probe_trickle_open(call, &script);
        (void)take(call, round * 5);
        rpcrt_call_cancel(call);
        expect_code(call, RPCRT_CANCELLED, probe_trickle_finish(call));
        bed_await(&field.feeder.n_over, round);
    }
    rpcrt_call_free(call);
    field_close(&field);
}

/* A connection that ends while handlers send and are told. */
Test(stream_room, ends_with_the_connection, .timeout = 60)
{
    Probe__V1__Script script = PROBE__V1__SCRIPT__INIT;
    struct rpcrt_call *call;
    struct field field;

    field_open(&field);
    for (unsigned round = 1; round <= N_ROUNDS; round++) {
        call = bed_call(field.channel, BED_TIMEOUT_MS);
        probe_trickle_open(call, &script);
        (void)take(call, round);
        rpcrt_call_free(call);
        rpcrt_channel_free(field.channel);
        bed_await(&field.feeder.n_over, round);
        cr_assert_eq(rpcrt_channel_new(rpcrt_server_address(field.server, 0),
                                       NULL, &field.channel),
                     RPCRT_OK);
    }
    field_close(&field);
}
