/*
 * Server, proxy and store of the tests: see store_ground.h.
 */
#include "tests/common/store_ground.h"

#include "common/gate.h"
#include "common/ids.h"
#include "kv/service.h"
#include "kv/v1/kv.server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_TIMEOUT_MS 20000u

struct ground_server {
    struct kvs_service service;
    struct kvs_engine *engine;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel; /* to it */
};

struct ground_plan {
    enum ground_fate fates[GROUND_FATES_MAX];
    unsigned n_fates;
    unsigned n_requests;
    unsigned lose_every;
};

struct ground_proxy {
    struct rpcrt_server *server;
    struct common_gate gate;
    struct ground_server *behind;
    struct ground_plan plans[2]; /* of changes, of reads */
    const char *intrude_key;
    const char *intrude_text;
    char call_id[80];
};

/* -- the server behind ----------------------------------------------------- */

static struct ground_server *
server_start(void)
{
    struct ground_server *server = calloc(1, sizeof(*server));
    struct kvs_engine_options options = {.history = 3};
    struct common_error error;
    char id[COMMON_ID_SIZE];
    char address[64];

    cr_assert_not_null(server);
    cr_assert_eq(
        kvs_engine_open(&kvs_memory_engine, &options, &error, &server->engine),
        RPCRT_OK, "%s", error.text);
    server->service.engine = server->engine;
    common_id_make(id);
    (void)snprintf(address, sizeof(address), "inproc://%s", id);
    cr_assert_eq(rpcrt_server_new(NULL, &server->server), RPCRT_OK);
    cr_assert_eq(kvs_service_serve(server->server, &server->service), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server->server, address, NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new(address, NULL, &server->channel), RPCRT_OK);
    return server;
}

static void
server_stop(struct ground_server *server)
{
    rpcrt_channel_free(server->channel);
    rpcrt_server_free(server->server);
    kvs_engine_close(server->engine);
    free(server);
}

void
ground_write(struct ground *ground, const char *key, const char *value)
{
    Kv__V1__PutRequest request = KV__V1__PUT_REQUEST__INIT;
    struct rpcrt_call *call = NULL;
    const Kv__V1__PutReply *reply;
    char bytes[2][256];

    (void)snprintf(bytes[0], sizeof(bytes[0]), "%s", key);
    (void)snprintf(bytes[1], sizeof(bytes[1]), "%s", value);
    request.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)bytes[0]};
    request.value = (ProtobufCBinaryData){strlen(value), (uint8_t *)bytes[1]};
    cr_assert_eq(
        rpcrt_call_new(ground->proxy->behind->channel, CALL_TIMEOUT_MS, &call),
        RPCRT_OK);
    cr_assert_eq(kv_put(call, &request, &reply), RPCRT_OK, "%s",
                 rpcrt_call_message(call));
    rpcrt_call_free(call);
}

/* -- the proxy ------------------------------------------------------------- */

static void *
ctx_memory(void *arg, size_t size)
{
    return rpcrt_ctx_alloc(arg, size);
}

static void
ctx_memory_free(void *arg, void *block)
{
    (void)arg;
    (void)block;
}

/* A copy of a message in the memory of a call, by way of its bytes; NULL
 * without memory. */
static ProtobufCMessage *
copy(struct rpcrt_ctx *ctx, const ProtobufCMessage *message)
{
    ProtobufCAllocator memory = {ctx_memory, ctx_memory_free, ctx};
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = rpcrt_ctx_alloc(ctx, size + 1);

    if (bytes == NULL) {
        return NULL;
    }
    (void)protobuf_c_message_pack(message, bytes);
    return protobuf_c_message_unpack(message->descriptor, &memory, size, bytes);
}

static enum ground_fate
fate_take(struct ground_proxy *proxy, struct rpcrt_ctx *ctx, bool reads)
{
    struct ground_plan *plan = &proxy->plans[reads ? 1 : 0];
    enum ground_fate fate = GROUND_ANSWER;

    common_gate_lock(&proxy->gate);
    if (plan->n_requests < plan->n_fates) {
        fate = plan->fates[plan->n_requests];
    } else if (plan->lose_every != 0 &&
               plan->n_requests % plan->lose_every == 0) {
        fate = GROUND_LOSE;
    }
    plan->n_requests++;
    (void)snprintf(proxy->call_id, sizeof(proxy->call_id), "%s",
                   rpcrt_ctx_call_id(ctx));
    common_gate_signal(&proxy->gate);
    common_gate_unlock(&proxy->gate);
    return fate;
}

/* The answer that a request gets instead of its own; OK: its own. */
static enum rpcrt_code
fate_before(struct rpcrt_ctx *ctx, enum ground_fate fate)
{
    switch (fate) {
    case GROUND_REFUSE:
        return rpcrt_ctx_fail(ctx, RPCRT_UNAVAILABLE, "come again");
    case GROUND_SAY_FULL:
        return rpcrt_ctx_fail(ctx, RPCRT_RESOURCE_EXHAUSTED, "full");
    case GROUND_SAY_STRANGER:
        return rpcrt_ctx_fail(ctx, RPCRT_UNAUTHENTICATED, "who are you");
    default:
        return RPCRT_OK;
    }
}

/* The same after it was done. */
static enum rpcrt_code
fate_after(struct rpcrt_ctx *ctx, enum ground_fate fate)
{
    switch (fate) {
    case GROUND_LOSE:
        return rpcrt_ctx_fail(ctx, RPCRT_UNAVAILABLE, "lost");
    case GROUND_BREAK:
        return rpcrt_ctx_fail(ctx, RPCRT_INTERNAL, "the disk failed");
    case GROUND_HANG:
        /* Told of its end by rpcrt_ctx_on_cancel(). */
        return RPCRT_LATER;
    default:
        return RPCRT_OK;
    }
}

static void
hang_over(void *arg)
{
    rpcrt_ctx_finish(arg, RPCRT_CANCELLED);
}

static enum rpcrt_code
proxy_end(struct rpcrt_ctx *ctx, enum ground_fate fate)
{
    enum rpcrt_code code = fate_after(ctx, fate);

    if (code == RPCRT_LATER) {
        rpcrt_ctx_on_cancel(ctx, hang_over, ctx);
    }
    return code;
}

/* Somebody else writes a record, with a mark of his own. */
static void
intrude(struct ground_proxy *proxy)
{
    static uint8_t value[256] = {0x0a};
    struct ground ground = {.proxy = proxy};
    size_t size = strlen(proxy->intrude_text);

    value[1] = (uint8_t)size;
    memcpy(value + 2, proxy->intrude_text, size);
    memcpy(value + 2 + size, "\xc1\xa9\x07somebody", 12);
    ground_write(&ground, proxy->intrude_key, (const char *)value);
    proxy->intrude_key = NULL;
}

/* The end of a request that was sent on with this outcome. */
static enum rpcrt_code
forwarded(struct rpcrt_ctx *ctx, struct rpcrt_call *call,
          const ProtobufCMessage *got, ProtobufCMessage *reply)
{
    enum rpcrt_code code = rpcrt_call_code(call);
    const ProtobufCMessage *copied = NULL;

    if (code != RPCRT_OK) {
        code = rpcrt_ctx_fail(ctx, code, "%s", rpcrt_call_message(call));
    } else {
        copied = copy(ctx, got);
        code = copied == NULL ? RPCRT_UNAVAILABLE : RPCRT_OK;
    }
    if (copied != NULL) {
        memcpy(reply, copied, copied->descriptor->sizeof_message);
    }
    rpcrt_call_free(call);
    return code;
}

static enum rpcrt_code
proxy_txn(void *self, struct rpcrt_ctx *ctx, const Kv__V1__TxnRequest *request,
          Kv__V1__TxnReply *reply)
{
    struct ground_proxy *proxy = self;
    bool reads = request->n_compares == 0 &&
                 request->then[0]->kind_case == KV__V1__OPERATION__KIND_RANGE;
    enum ground_fate fate = fate_take(proxy, ctx, reads);
    enum rpcrt_code code = fate_before(ctx, fate);
    const Kv__V1__TxnReply *got = NULL;
    struct rpcrt_call *call = NULL;

    if (code != RPCRT_OK) {
        return code;
    }
    if (rpcrt_call_new(proxy->behind->channel, CALL_TIMEOUT_MS, &call) !=
        RPCRT_OK) {
        return RPCRT_UNAVAILABLE;
    }
    code = kv_txn(call, request, &got);
    code = forwarded(ctx, call, code == RPCRT_OK ? &got->base : NULL,
                     &reply->base);
    if (!reads && proxy->intrude_key != NULL) {
        intrude(proxy);
    }
    return code == RPCRT_OK ? proxy_end(ctx, fate) : code;
}

static enum rpcrt_code
proxy_range(void *self, struct rpcrt_ctx *ctx,
            const Kv__V1__RangeRequest *request, Kv__V1__RangeReply *reply)
{
    struct ground_proxy *proxy = self;
    enum ground_fate fate = fate_take(proxy, ctx, true);
    enum rpcrt_code code = fate_before(ctx, fate);
    const Kv__V1__RangeReply *got = NULL;
    struct rpcrt_call *call = NULL;

    if (code != RPCRT_OK) {
        return code;
    }
    if (rpcrt_call_new(proxy->behind->channel, CALL_TIMEOUT_MS, &call) !=
        RPCRT_OK) {
        return RPCRT_UNAVAILABLE;
    }
    code = kv_range(call, request, &got);
    code = forwarded(ctx, call, code == RPCRT_OK ? &got->base : NULL,
                     &reply->base);
    return code == RPCRT_OK ? proxy_end(ctx, fate) : code;
}

static const struct kv_service proxy_handlers = {.range = proxy_range,
                                                 .txn = proxy_txn};

/* -- the ground ------------------------------------------------------------ */

void
ground_open(struct ground *ground, uint32_t try_ms, uint32_t patience_ms)
{
    struct ground_proxy *proxy = calloc(1, sizeof(*proxy));
    struct common_store_options options = {.try_ms = try_ms == 0 ? 200 : try_ms,
                                           .patience_ms = patience_ms};
    struct common_error error = {.text = ""};
    char id[COMMON_ID_SIZE];
    char address[64];

    cr_assert_not_null(proxy);
    common_id_make(id);
    (void)snprintf(address, sizeof(address), "inproc://%s", id);
    cr_assert(common_gate_init(&proxy->gate));
    ground->server = server_start();
    proxy->behind = ground->server;
    cr_assert_eq(rpcrt_server_new(NULL, &proxy->server), RPCRT_OK);
    cr_assert_eq(kv_serve(proxy->server, &proxy_handlers, proxy), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(proxy->server, address, NULL), RPCRT_OK);
    options.address = address;
    cr_assert_eq(common_store_open(&options, &error, &ground->store), RPCRT_OK,
                 "%s", error.text);
    ground->proxy = proxy;
}

void
ground_close(struct ground *ground)
{
    common_store_close(ground->store);
    rpcrt_server_free(ground->proxy->server);
    if (ground->proxy->behind != ground->server) {
        server_stop(ground->proxy->behind);
    }
    server_stop(ground->server);
    common_gate_fini(&ground->proxy->gate);
    free(ground->proxy);
}

void
ground_replace(struct ground *ground)
{
    cr_assert_eq(ground->proxy->behind, ground->server);
    ground->proxy->behind = server_start();
}

void
ground_fates(struct ground *ground, bool reads, const enum ground_fate *fates,
             size_t n_fates)
{
    struct ground_plan *plan = &ground->proxy->plans[reads ? 1 : 0];

    cr_assert_leq(n_fates, GROUND_FATES_MAX);
    common_gate_lock(&ground->proxy->gate);
    memcpy(plan->fates, fates, n_fates * sizeof(*fates));
    plan->n_fates = (unsigned)n_fates;
    plan->n_requests = 0;
    common_gate_unlock(&ground->proxy->gate);
}

void
ground_lose_every(struct ground *ground, unsigned n)
{
    common_gate_lock(&ground->proxy->gate);
    ground->proxy->plans[0].lose_every = n;
    common_gate_unlock(&ground->proxy->gate);
}

void
ground_intrude(struct ground *ground, const char *key, const char *text)
{
    ground->proxy->intrude_text = text;
    ground->proxy->intrude_key = key;
}

unsigned
ground_requests(struct ground *ground, bool reads)
{
    unsigned n;

    common_gate_lock(&ground->proxy->gate);
    n = ground->proxy->plans[reads ? 1 : 0].n_requests;
    common_gate_unlock(&ground->proxy->gate);
    return n;
}

void
ground_await(struct ground *ground, bool reads)
{
    struct ground_proxy *proxy = ground->proxy;

    common_gate_lock(&proxy->gate);
    while (proxy->plans[reads ? 1 : 0].n_requests == 0) {
        (void)common_gate_wait(&proxy->gate, 1000);
    }
    common_gate_unlock(&proxy->gate);
}

const char *
ground_call_id(struct ground *ground)
{
    return ground->proxy->call_id;
}

/* -- short names ----------------------------------------------------------- */

void
put_text(struct common_work *work, const char *key, const char *text)
{
    Kv__V1__LoadRequest message = KV__V1__LOAD_REQUEST__INIT;

    message.key = text;
    common_put(work, key, &message.base);
}

const char *
text_of(const struct common_record *record)
{
    return record->message == NULL
               ? "-"
               : ((const Kv__V1__LoadRequest *)record->message)->key;
}

const char *
read_text(struct ground *ground, const char *key)
{
    static char text[256];
    struct common_work *work = common_work_new(ground->store, NULL, NULL);
    struct common_record record;

    cr_assert_not_null(work);
    common_read(work, key, &kv__v1__load_request__descriptor, &record);
    expect_work(work, RPCRT_OK, common_read_now(work));
    (void)snprintf(text, sizeof(text), "%s", text_of(&record));
    common_work_free(work);
    return text;
}

uint64_t
read_revision(struct ground *ground, const char *key)
{
    struct common_work *work = common_work_new(ground->store, NULL, NULL);
    struct common_record record;

    cr_assert_not_null(work);
    common_read(work, key, &kv__v1__load_request__descriptor, &record);
    expect_work(work, RPCRT_OK, common_read_now(work));
    common_work_free(work);
    return record.revision;
}

void
make_text(struct ground *ground, const char *key, const char *text)
{
    struct common_work *work = common_work_new(ground->store, NULL, NULL);

    cr_assert_not_null(work);
    common_expect_nothing(work, key);
    put_text(work, key, text);
    expect_work(work, RPCRT_OK, common_commit(work));
    common_work_free(work);
}
