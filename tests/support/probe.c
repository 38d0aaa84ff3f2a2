/*
 * The handlers of probe.proto and the bed that tests lie in.
 */
#include "support/probe.h"
#include "support/proxy/proxy.h"

#include "support/probe_stream.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void
bed_sleep_ms(uint32_t ms)
{
    struct timespec span = {.tv_sec = ms / 1000,
                            .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&span, NULL);
}

/* -- handlers -------------------------------------------------------------- */

static enum rpcrt_code
reply_with(struct rpcrt_ctx *ctx, ProtobufCBinaryData payload,
           Probe__V1__EchoReply *reply)
{
    reply->payload.data = rpcrt_ctx_copy(ctx, payload.data, payload.len);
    reply->payload.len = payload.len;
    return reply->payload.data == NULL ? rpcrt_ctx_no_memory(ctx) : RPCRT_OK;
}

static enum rpcrt_code
echo(void *self, struct rpcrt_ctx *ctx, const Probe__V1__EchoRequest *request,
     Probe__V1__EchoReply *reply)
{
    (void)self;
    if (request->reply_size > 0) {
        reply->payload.data = rpcrt_ctx_alloc(ctx, request->reply_size);
        reply->payload.len = request->reply_size;
        return reply->payload.data == NULL ? rpcrt_ctx_no_memory(ctx)
                                           : RPCRT_OK;
    }
    return reply_with(ctx, request->payload, reply);
}

static enum rpcrt_code
wait_a_while(void *self, struct rpcrt_ctx *ctx,
             const Probe__V1__WaitRequest *request, Probe__V1__EchoReply *reply)
{
    (void)self;
    bed_sleep_ms(request->ms);
    return reply_with(ctx, request->payload, reply);
}

struct answer {
    struct rpcrt_ctx *ctx;
    const Probe__V1__WaitRequest *request;
    Probe__V1__EchoReply *reply;
};

static void *
answer_later(void *arg)
{
    struct answer answer = *(struct answer *)arg;

    bed_sleep_ms(answer.request->ms);
    rpcrt_ctx_finish(answer.ctx, reply_with(answer.ctx, answer.request->payload,
                                            answer.reply));
    return NULL;
}

static enum rpcrt_code
later(void *self, struct rpcrt_ctx *ctx, const Probe__V1__WaitRequest *request,
      Probe__V1__EchoReply *reply)
{
    struct answer *answer = rpcrt_ctx_alloc(ctx, sizeof *answer);
    pthread_attr_t attr;
    pthread_t thread;

    (void)self;
    if (answer == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    *answer = (struct answer){ctx, request, reply};
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, answer_later, answer) != 0) {
        return rpcrt_ctx_fail(ctx, RPCRT_RESOURCE_EXHAUSTED, "no thread");
    }
    (void)pthread_attr_destroy(&attr);
    return RPCRT_LATER;
}

static enum rpcrt_code
hang(void *self, struct rpcrt_ctx *ctx, const Probe__V1__EchoRequest *request,
     Probe__V1__EchoReply *reply)
{
    struct probe *probe = self;

    (void)request;
    (void)reply;
    atomic_fetch_add(&probe->n_hanging, 1);
    while (!rpcrt_ctx_cancelled(ctx)) {
        bed_sleep_ms(1);
    }
    atomic_fetch_add(&probe->n_cancelled, 1);
    atomic_fetch_sub(&probe->n_hanging, 1);
    return RPCRT_CANCELLED;
}

static enum rpcrt_code
meet(void *self, struct rpcrt_ctx *ctx, const Probe__V1__EchoRequest *request,
     Probe__V1__EchoReply *reply)
{
    struct probe *probe = self;
    unsigned seen = atomic_fetch_add(&probe->n_meeting, 1) / 2 * 2 + 2;

    while (atomic_load(&probe->n_meeting) < seen) {
        if (rpcrt_ctx_cancelled(ctx)) {
            return rpcrt_ctx_fail(ctx, RPCRT_ABORTED, "nobody came");
        }
        bed_sleep_ms(1);
    }
    return reply_with(ctx, request->payload, reply);
}

static enum rpcrt_code
fail(void *self, struct rpcrt_ctx *ctx, const Probe__V1__FailRequest *request,
     Probe__V1__EchoReply *reply)
{
    enum rpcrt_code code;

    (void)self;
    (void)reply;
    if (rpcrt_ctx_set_metadata(ctx, "probe-trailer", "seen", 4) != RPCRT_OK) {
        return rpcrt_ctx_no_memory(ctx);
    }
    code = rpcrt_ctx_fail(ctx, (enum rpcrt_code)request->code, "%s",
                          request->text);
    if (request->details.len > 0 &&
        rpcrt_ctx_set_details(ctx, request->details.data,
                              request->details.len) != RPCRT_OK) {
        return rpcrt_ctx_no_memory(ctx);
    }
    return code;
}

static enum rpcrt_code
relay(void *self, struct rpcrt_ctx *ctx, const Probe__V1__RelayRequest *request,
      Probe__V1__EchoReply *reply)
{
    struct probe *probe = self;
    Probe__V1__EchoRequest inner = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *inner_reply;
    struct rpcrt_call *call;
    enum rpcrt_code code;

    (void)request;
    (void)reply;
    if (rpcrt_call_new(probe->next, 0, &call) != RPCRT_OK) {
        return rpcrt_ctx_no_memory(ctx);
    }
    rpcrt_call_set_parent(call, ctx);
    code = probe_hang(call, &inner, &inner_reply);
    (void)rpcrt_ctx_fail(ctx, code, "%s", rpcrt_call_message(call));
    rpcrt_call_free(call);
    return code;
}

static enum rpcrt_code
count(void *self, struct rpcrt_ctx *ctx, const Probe__V1__EchoRequest *request,
      Probe__V1__CountReply *reply)
{
    struct probe *probe = self;

    (void)ctx;
    (void)request;
    reply->count = atomic_fetch_add(&probe->n_counted, 1) + 1;
    return RPCRT_OK;
}

static char *
copy_text(struct rpcrt_ctx *ctx, const char *text)
{
    return rpcrt_ctx_copy(ctx, text == NULL ? "" : text,
                          text == NULL ? 0 : strlen(text));
}

static enum rpcrt_code
describe(void *self, struct rpcrt_ctx *ctx,
         const Probe__V1__EchoRequest *request, Probe__V1__DescribeReply *reply)
{
    (void)self;
    (void)request;
    reply->peer = copy_text(ctx, rpcrt_ctx_peer(ctx));
    reply->peer_name = copy_text(ctx, rpcrt_ctx_peer_name(ctx));
    reply->call_id = copy_text(ctx, rpcrt_ctx_call_id(ctx));
    reply->method = copy_text(ctx, rpcrt_ctx_method(ctx));
    reply->metadata =
        copy_text(ctx, rpcrt_ctx_metadata(ctx, "probe-header", NULL));
    reply->time_left_ms = rpcrt_ctx_time_left_ms(ctx);
    return rpcrt_ctx_set_metadata(ctx, "probe-trailer", "seen", 4);
}

static const struct probe_service service = {.echo = echo,
                                             .wait = wait_a_while,
                                             .later = later,
                                             .hang = hang,
                                             .meet = meet,
                                             .fail = fail,
                                             .relay = relay,
                                             .count = count,
                                             .describe = describe,
                                             .pour = probe_pour,
                                             .sum = probe_sum,
                                             .chat = probe_chat,
                                             .pour_later = probe_pour_later,
                                             .chat_later = probe_chat_later,
                                             .trickle = probe_trickle,
                                             .relay_pour = probe_relay_pour};

/* -- the bed --------------------------------------------------------------- */

void (*bed_before_listening)(struct rpcrt_server *server);

const char *
bed_cert(const char *name)
{
    static char paths[16][256];
    static unsigned n_paths;
    const char *build = getenv("BUILD");
    char *path = paths[n_paths++ % 16];
    char command[256];

    build = build == NULL ? "build" : build;
    (void)snprintf(path, sizeof paths[0], "%s/certs/%s", build, name);
    (void)snprintf(command, sizeof command,
                   "sh tests/support/certs.sh '%s/certs'", build);
    cr_assert(access(path, R_OK) == 0 || system(command) == 0,
              "tests run from the top folder of the project");
    return path;
}

void
bed_tls(struct rpcrt_tls *server, struct rpcrt_tls *client)
{
    *server = (struct rpcrt_tls){.ca_file = bed_cert("ca.pem"),
                                 .cert_file = bed_cert("server.pem"),
                                 .key_file = bed_cert("server.key")};
    *client = (struct rpcrt_tls){.ca_file = bed_cert("ca.pem"),
                                 .cert_file = bed_cert("client.pem"),
                                 .key_file = bed_cert("client.key"),
                                 .server_name = "localhost"};
}

static struct rpcrt_server *
serve_all(struct probe *probe, bed_serve_fn *more, void *self,
          const char *address, const struct rpcrt_tls *tls,
          const struct rpcrt_server_options *options)
{
    struct rpcrt_server *server;

    cr_assert_eq(rpcrt_server_new(options, &server), RPCRT_OK, "%s",
                 rpcrt_last_error());
    cr_assert_eq(probe_serve(server, &service, probe), RPCRT_OK);
    if (more != NULL) {
        cr_assert_eq(more(server, self), RPCRT_OK);
    }
    if (bed_before_listening != NULL) {
        bed_before_listening(server);
    }
    cr_assert_eq(rpcrt_server_listen(server, address, tls), RPCRT_OK, "%s",
                 rpcrt_last_error());
    return server;
}

struct rpcrt_server *
bed_serve(struct probe *probe, const char *address, const struct rpcrt_tls *tls,
          const struct rpcrt_server_options *options)
{
    return serve_all(probe, NULL, NULL, address, tls, options);
}

/* Put the proxy before the server. */
static void
open_proxy(struct bed *bed, const char *faults)
{
    struct proxy_options options = {
        .listen = "tcp://127.0.0.1:0", .target = bed->address, .seed = 1};
    struct common_error error;

    for (unsigned way = 0; way < PROXY_WAYS; way++) {
        cr_assert_eq(
            proxy_faults_read(&options.plan.faults[way], faults, &error),
            RPCRT_OK, "BED_FAULTS: %s", error.text);
    }
    cr_assert_eq(proxy_start(&options, &error, &bed->proxy), RPCRT_OK, "%s",
                 error.text);
    bed->address = proxy_address(bed->proxy);
}

static void
open_all(struct bed *bed, const char *transport, bed_serve_fn *more, void *self,
         const struct rpcrt_server_options *server_options,
         const struct rpcrt_channel_options *channel_options)
{
    struct rpcrt_channel_options options = {.tls = NULL};
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    const struct rpcrt_tls *tls = NULL;
    char address[128] = "tcp://127.0.0.1:0";

    memset(bed, 0, sizeof *bed);
    if (channel_options != NULL) {
        options = *channel_options;
    }
    if (strcmp(transport, "ipc") == 0) {
        (void)snprintf(bed->folder, sizeof bed->folder, "/tmp/rpcrt-XXXXXX");
        cr_assert_not_null(mkdtemp(bed->folder));
        (void)snprintf(address, sizeof address, "ipc://%s/socket", bed->folder);
    } else if (strcmp(transport, "inproc") == 0) {
        (void)snprintf(address, sizeof address, "inproc://probe-%ld-%p",
                       (long)getpid(), (void *)bed);
    } else if (strcmp(transport, "tls") == 0) {
        (void)snprintf(address, sizeof address, "tls+tcp://127.0.0.1:0");
        bed_tls(&server_tls, &client_tls);
        tls = &server_tls;
        options.tls = &client_tls;
    }
    bed->server =
        serve_all(&bed->probe, more, self, address, tls, server_options);
    bed->address = rpcrt_server_address(bed->server, 0);
    if (strcmp(transport, "tcp") == 0 && getenv("BED_FAULTS") != NULL) {
        open_proxy(bed, getenv("BED_FAULTS"));
    }
    cr_assert_eq(rpcrt_channel_new(bed->address, &options, &bed->channel),
                 RPCRT_OK, "%s", rpcrt_last_error());
}

void
bed_open(struct bed *bed, const char *transport,
         const struct rpcrt_server_options *server_options,
         const struct rpcrt_channel_options *channel_options)
{
    open_all(bed, transport, NULL, NULL, server_options, channel_options);
}

void
bed_open_with(struct bed *bed, const char *transport, bed_serve_fn *serve,
              void *self)
{
    open_all(bed, transport, serve, self, NULL, NULL);
}

void
bed_close(struct bed *bed)
{
    char path[128];

    rpcrt_channel_free(bed->channel);
    proxy_stop(bed->proxy);
    rpcrt_server_free(bed->server);
    if (bed->folder[0] != '\0') {
        (void)snprintf(path, sizeof path, "%s/socket", bed->folder);
        (void)unlink(path);
        (void)rmdir(bed->folder);
    }
}

struct rpcrt_call *
bed_call(struct rpcrt_channel *channel, uint32_t timeout_ms)
{
    struct rpcrt_call *call;

    cr_assert_eq(rpcrt_call_new(channel, timeout_ms, &call), RPCRT_OK);
    return call;
}

void
bed_echo(struct rpcrt_call *call, size_t size)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    uint8_t *payload = malloc(size + 1);

    cr_assert_not_null(payload);
    for (size_t i = 0; i < size; i++) {
        payload[i] = (uint8_t)(i * 31 + i / 251);
    }
    request.payload.data = payload;
    request.payload.len = size;
    expect_ok(call, probe_echo(call, &request, &reply));
    cr_assert_eq(reply->payload.len, size);
    cr_assert(size == 0 || memcmp(reply->payload.data, payload, size) == 0);
    free(payload);
}

void
bed_done(struct rpcrt_call *call, void *arg)
{
    (void)call;
    atomic_fetch_add((atomic_uint *)arg, 1);
}

void
bed_await(atomic_uint *counter, unsigned value)
{
    for (unsigned ms = 0; atomic_load(counter) != value; ms++) {
        cr_assert_lt(ms, BED_TIMEOUT_MS, "%u instead of %u",
                     atomic_load(counter), value);
        bed_sleep_ms(1);
    }
}
