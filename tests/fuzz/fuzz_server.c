/*
 * A whole server, behind a transport whose other end is the fuzzer: clients
 * that send any messages in any order, answers that come late, time that
 * passes, connections that end, streams whose handlers send and receive when
 * that need not wait. Whatever happens, each request is answered or forgotten
 * once, each message can be read, and in the end nothing is left.
 *
 * The input is a sequence of steps, each a byte and what it needs.
 */
#include "fuzz/fake_link.h"
#include "server/session.h"
#include "server/stream.h"
#include "support/probe.pb-c.h"

#include <rpcrt/gen.h>
#include <rpcrt/rpcrt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LATE_MAX 64u
#define PATIENCE_MS 5000u

/* What is left of the input. */
struct input {
    const uint8_t *at;
    size_t size;
};

/* The client that is connected. */
struct client {
    uint32_t peer;
    uint64_t session;
    uint64_t seq;
    uint64_t call;
};

static struct rpcrt_server *server;
static struct rpcrt_ctx *late[LATE_MAX]; /* calls to be answered later */
static unsigned n_late;

/* -- the service ----------------------------------------------------------- */

static enum rpcrt_code
echo(const void *table, void *self, struct rpcrt_ctx *ctx,
     const ProtobufCMessage *request, ProtobufCMessage *reply)
{
    const Probe__V1__EchoRequest *asked =
        (const Probe__V1__EchoRequest *)(const void *)request;
    Probe__V1__EchoReply *answer = (Probe__V1__EchoReply *)(void *)reply;

    (void)table;
    (void)self;
    if (asked->reply_size > 0) {
        answer->payload.data = rpcrt_ctx_alloc(ctx, asked->reply_size);
        answer->payload.len = asked->reply_size;
        return answer->payload.data == NULL ? rpcrt_ctx_no_memory(ctx)
                                            : RPCRT_OK;
    }
    (void)rpcrt_ctx_metadata(ctx, "key", NULL);
    if (asked->payload.len == 3) {
        return rpcrt_ctx_set_metadata(ctx, "trailer", "x", 1);
    }
    answer->payload = asked->payload;
    return asked->payload.len == 5
               ? rpcrt_ctx_fail(ctx, RPCRT_ABORTED, "five bytes")
               : RPCRT_OK;
}

#define METHOD(path, flags)                                                    \
    {                                                                          \
        (path), &probe__v1__echo_request__descriptor,                          \
            &probe__v1__echo_reply__descriptor, (flags), NULL                  \
    }

static void
told(void *arg)
{
    (void)arg;
}

static enum rpcrt_code
wait(const void *table, void *self, struct rpcrt_ctx *ctx,
     const ProtobufCMessage *request, ProtobufCMessage *reply)
{
    (void)table;
    (void)self;
    (void)request;
    (void)reply;
    if (n_late == LATE_MAX) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    if (n_late % 2 == 0) {
        rpcrt_ctx_on_cancel(ctx, told, NULL);
    }
    if (n_late % 3 == 0 &&
        rpcrt_ctx_set_header(ctx, "header", "x", 1) != RPCRT_OK) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    late[n_late++] = ctx;
    return RPCRT_LATER;
}

#define N_METHODS 5u

static void
start(void)
{
    static const struct rpcrt_method methods[N_METHODS] = {
        METHOD("/E", RPCRT_METHOD_NONBLOCKING),
        METHOD("/W", RPCRT_METHOD_NONBLOCKING),
        METHOD("/P", RPCRT_METHOD_SERVER_STREAMING),
        METHOD("/S", RPCRT_METHOD_CLIENT_STREAMING),
        METHOD("/T",
               RPCRT_METHOD_CLIENT_STREAMING | RPCRT_METHOD_SERVER_STREAMING)};
    static const struct rpcrt_service service = {"S", methods, N_METHODS, NULL};
    static rpcrt_glue_fn *const glue[] = {echo, wait, wait, wait, wait};
    static const struct rpcrt_server_options options = {
        .message_size_max = 200000,
        .arena_size_max = 1u << 20,
        .session_calls_max = 12,
        .session_bytes_max = 400000,
        .stream_window = 1000};

    if (rpcrt_server_new(&options, &server) != RPCRT_OK ||
        rpcrt_server_add(server, &service, glue, NULL, NULL) != RPCRT_OK) {
        abort();
    }
    /* All on the one thread of the fuzzer. */
    for (size_t i = 0; i < server->n_methods; i++) {
        server->methods[i].may_block = false;
    }
    if (rpcrt_server_listen(server, "fake", NULL) != RPCRT_OK) {
        abort();
    }
}

/* -- the input ------------------------------------------------------------- */

static uint8_t
take_byte(struct input *input)
{
    uint8_t byte = 0;

    if (input->size > 0) {
        byte = *input->at++;
        input->size--;
    }
    return byte;
}

static const uint8_t *
take_bytes(struct input *input, size_t *size)
{
    const uint8_t *bytes = input->at;

    *size = *size < input->size ? *size : input->size;
    input->at += *size;
    input->size -= *size;
    return bytes;
}

/* -- the client ------------------------------------------------------------ */

static void
deliver(struct client *client, const uint8_t *bytes, size_t size)
{
    struct rpcrt__msg *msg = rpcrt__msg_new(size);
    unsigned slot;

    if (!fake_hold(client->peer, &slot)) {
        abort(); /* the server holds more than it may */
    }
    if (size > 0) {
        memcpy(msg->body, bytes, size);
    }
    fake_server.events.on_request(fake_server.arg, slot, client->peer, msg);
}

static void
deliver_frames(struct client *client, uint16_t keep, uint64_t seq,
               const uint8_t *frames, size_t size)
{
    static uint8_t body[RPCRT_TRANSPORT_MESSAGE_MAX];
    struct rpcrt__header header = {
        .keep = keep, .session = client->session, .seq = seq};

    if (size > sizeof body - RPCRT__HEADER_SIZE) {
        size = sizeof body - RPCRT__HEADER_SIZE;
    }
    (void)rpcrt__put_header(body, &header);
    if (size > 0) {
        memcpy(body + RPCRT__HEADER_SIZE, frames, size);
    }
    deliver(client, body, RPCRT__HEADER_SIZE + size);
}

static void
connect(struct client *client, bool hello)
{
    static uint32_t n_peers;
    const struct rpcrt__peer_info info = {.address = "fuzzer"};
    const struct rpcrt__hello say = {4, 100000, 0, 2000};
    static const char paths[N_METHODS][3] = {"/E", "/W", "/P", "/S", "/T"};
    uint8_t frames[200];
    uint8_t *at = frames;

    client->peer = ++n_peers;
    client->session = 7;
    client->seq = 0;
    client->call = 0;
    if (!fake_server.events.on_peer(fake_server.arg, client->peer, &info)) {
        abort();
    }
    if (hello) {
        at = rpcrt__put_frame(at, RPCRT__FRAME_HELLO, 0, 0, 0,
                              RPCRT__HELLO_SIZE);
        at = rpcrt__put_hello(at, &say);
        for (uint16_t i = 0; i < N_METHODS; i++) {
            at = rpcrt__put_frame(at, RPCRT__FRAME_METHOD, 0, i, 0, 2);
            memcpy(at, paths[i], 2);
            at += 2;
        }
        deliver_frames(client, 1, client->seq++, frames, (size_t)(at - frames));
    }
}

/* All that was handed over has left. */
static void
let_go(void)
{
    for (unsigned i = 0; i < FAKE_SLOTS; i++) {
        if (fake_server.slots[i].state == FAKE_SENDING) {
            fake_move(i, FAKE_SENDING, FAKE_FREE);
            fake_server.events.on_sent(fake_server.arg, i,
                                       fake_server.slots[i].peer);
        }
    }
}

static void
disconnect(struct client *client)
{
    fake_server.events.on_peer_gone(fake_server.arg, client->peer);
    let_go();
}

/* -- steps ----------------------------------------------------------------- */

/* A call, well formed but for what the input makes of it. */
static void
call(struct client *client, struct input *input)
{
    uint8_t choice = take_byte(input);
    size_t size = take_byte(input);
    const uint8_t *request = take_bytes(input, &size);
    struct rpcrt__call_open open = {
        .timeout_ms = choice & 2 ? 1u + choice : 0u,
        .message_size = (uint32_t)size + (choice & 4 ? choice * 1000u : 0u)};
    uint8_t frames[400];
    uint8_t *at = rpcrt__put_frame(
        frames, RPCRT__FRAME_CALL, RPCRT__END, choice & 128 ? 2 : choice % 2,
        ++client->call, (uint32_t)(RPCRT__CALL_SIZE + size));

    at = rpcrt__put_call_open(at, &open);
    if (size > 0) {
        memcpy(at, request, size);
    }
    at += size;
    if (choice & 8) {
        at = rpcrt__put_frame(at, RPCRT__FRAME_CANCEL, 0, 0,
                              client->call - choice / 32, 0);
    }
    deliver_frames(client, 1 + choice / 16 % 3, client->seq++, frames,
                   (size_t)(at - frames));
}

/* A stream, opened, with up to two messages. */
static void
stream(struct client *client, struct input *input)
{
    uint8_t choice = take_byte(input);
    size_t size = take_byte(input);
    const uint8_t *bytes = take_bytes(input, &size);
    const struct rpcrt__call_open open = {.timeout_ms = choice & 1u};
    unsigned last = choice & 8 ? RPCRT__END : 0;
    uint8_t frames[800];
    uint8_t *at =
        rpcrt__put_frame(frames, RPCRT__FRAME_CALL, 0, 3 + choice / 2 % 2,
                         ++client->call, RPCRT__CALL_SIZE);

    at = rpcrt__put_call_open(at, &open);
    for (unsigned i = 0; i < choice / 16u % 3; i++) {
        at = rpcrt__put_frame(at, RPCRT__FRAME_DATA,
                              (uint8_t)(RPCRT__START | last), 0, client->call,
                              (uint32_t)size + 4);
        at = rpcrt__put_u32(at,
                            (uint32_t)size + (choice & 4 ? choice * 100u : 0u));
        if (size > 0) {
            memcpy(at, bytes, size);
        }
        at += size;
    }
    deliver_frames(client, 1, client->seq++, frames, (size_t)(at - frames));
}

/* A handler of a stream at work, as far as it need not wait. */
static void
use_stream(struct input *input)
{
    unsigned choice = take_byte(input);
    Probe__V1__EchoReply reply = PROBE__V1__ECHO_REPLY__INIT;
    const ProtobufCMessage *message;
    struct rpcrt_ctx *ctx;
    static uint8_t zeros[1024];
    bool waits;

    if (n_late == 0) {
        return;
    }
    ctx = late[choice % n_late];
    reply.payload.data = zeros;
    reply.payload.len = choice * 4;
    if (choice % 7 == 0) {
        if (rpcrt_ctx_send_headers(ctx) != RPCRT_OK) {
            return;
        }
    } else if (choice % 2 == 0) {
        waits = ctx->stream != NULL && rpcrt_ctx_room(ctx) == 0 &&
                ctx->stream->failure.code == RPCRT_OK;
        if (!waits && rpcrt_ctx_reply(ctx, &reply.base) == RPCRT_OK &&
            ctx->stream == NULL) {
            abort();
        }
    } else {
        waits = ctx->stream != NULL && !ctx->stream->in.ended &&
                rpcrt__list_empty(&ctx->stream->in.pieces) &&
                ctx->stream->failure.code == RPCRT_OK;
        if (!waits && rpcrt_ctx_receive(ctx, &message) == RPCRT_OK &&
            ctx->stream == NULL) {
            abort();
        }
    }
}

/* One frame of any type. */
static void
frame(struct client *client, struct input *input)
{
    static const uint8_t zeros[65536];
    uint8_t type = take_byte(input);
    uint8_t flags = take_byte(input);
    uint16_t aux = take_byte(input);
    uint64_t of = take_byte(input);
    size_t size = take_byte(input);
    size_t more = take_byte(input) * 250u;
    const uint8_t *payload = take_bytes(input, &size);
    static uint8_t frames[RPCRT__FRAME_SIZE + 256 + sizeof zeros];
    uint8_t *at =
        rpcrt__put_frame(frames, type, flags, aux, of, (uint32_t)(size + more));

    if (size > 0) {
        memcpy(at, payload, size);
    }
    memcpy(at + size, zeros, more);
    deliver_frames(client, 1, client->seq++, frames,
                   RPCRT__FRAME_SIZE + size + more);
}

static void
answer(struct input *input)
{
    unsigned choice = take_byte(input);
    struct rpcrt_ctx *ctx;

    if (n_late > 0) {
        ctx = late[choice % n_late];
        late[choice % n_late] = late[n_late - 1];
        n_late--;
        rpcrt_ctx_finish(ctx, (enum rpcrt_code)(choice / 8 % 20));
    }
}

/* Let time pass, so many seconds, for each session. */
static void
pass(unsigned seconds)
{
    struct rpcrt__ctx_notices notices;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    rpcrt__ctx_notices_init(&notices);
    pthread_mutex_lock(&server->lock);
    RPCRT__LIST_EACH(node, following, &server->sessions)
    {
        (void)rpcrt__session_tick(
            RPCRT__ELEMENT(node, struct rpcrt__session, node),
            rpcrt__now_ns() + seconds * 1000 * RPCRT__MS, &notices);
    }
    pthread_mutex_unlock(&server->lock);
    rpcrt__ctx_notices_run(&notices);
}

static void
step(struct client *client, struct input *input)
{
    uint8_t choice = take_byte(input);
    size_t size = choice / 8 * 4u;
    const uint8_t *bytes;

    switch (choice % 8) {
    case 0:
        call(client, input);
        break;
    case 1:
        (choice < 128 ? call : stream)(client, input);
        break;
    case 2:
        frame(client, input);
        break;
    case 3:
        bytes = take_bytes(input, &size);
        deliver_frames(client, 1, client->seq++, bytes, size);
        break;
    case 4:
        bytes = take_bytes(input, &size);
        deliver(client, bytes, size);
        break;
    case 5:
        (choice < 128 ? answer : use_stream)(input);
        let_go();
        break;
    case 6:
        pass(choice / 8u);
        break;
    default: /* a message that comes before the one it follows */
        deliver_frames(client, 1, client->seq + choice / 8u, NULL, 0);
        deliver_frames(client, 1, client->seq, NULL, 0);
        client->seq += 2;
        break;
    }
}

static void
check_end(void)
{
    struct rpcrt_server_stats stats;

    /* The server's own timer may be at work on one. */
    if (!rpcrt__server_await_calls(server,
                                   rpcrt__now_ns() + PATIENCE_MS * RPCRT__MS)) {
        abort();
    }
    rpcrt_server_get_stats(server, &stats);
    if (stats.sessions != 0 || atomic_load(&server->n_streams) != 0) {
        abort();
    }
    for (unsigned i = 0; i < FAKE_SLOTS; i++) {
        if (fake_server.slots[i].state != FAKE_FREE) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct client client;
    bool polite;

    if (server == NULL) {
        start();
    }
    polite = take_byte(&input) % 8 != 0;
    connect(&client, polite);
    for (unsigned n = 0; input.size > 0 && n < 200; n++) {
        if (fake_server.cut == client.peer) {
            disconnect(&client);
            connect(&client, polite);
        }
        step(&client, &input);
    }
    disconnect(&client);
    while (n_late > 0) {
        struct input none = {NULL, 0};

        answer(&none);
    }
    check_end();
    return 0;
}
