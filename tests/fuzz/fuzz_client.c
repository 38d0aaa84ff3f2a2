/*
 * A whole channel, behind a transport whose other end is the fuzzer: a server
 * that answers calls with any messages in any order, goes silent, or leaves.
 * Whatever happens, each call ends once, with a code, and nothing is left.
 *
 * The input is a sequence of steps, each a byte and what it needs.
 */
#include "client/call.h"
#include "fuzz/fake_link.h"
#include "support/probe.pb-c.h"

#include <rpcrt/rpcrt.h>
#include <stdatomic.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define K 4u
#define N_CALLS 6u
#define N_STREAMS 3u

/* What is left of the input. */
struct input {
    const uint8_t *at;
    size_t size;
};

struct host {
    struct rpcrt__client_link *link;
    uint64_t session; /* of the message whose slot was taken last */
    uint64_t seq;
};

#define METHOD(path, flags)                                                    \
    {                                                                          \
        path, &probe__v1__echo_request__descriptor,                            \
            &probe__v1__echo_reply__descriptor, (flags), NULL                  \
    }

static const struct rpcrt_method echo = METHOD("/E", 0);

static const struct rpcrt_method streaming[N_STREAMS] = {
    METHOD("/S", RPCRT_METHOD_SERVER_STREAMING),
    METHOD("/B", RPCRT_METHOD_CLIENT_STREAMING | RPCRT_METHOD_SERVER_STREAMING),
    METHOD("/C", RPCRT_METHOD_CLIENT_STREAMING)};

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

/* -- the link -------------------------------------------------------------- */

/* Take over the link that was dialed, when there is one. */
static void
greet(struct host *host)
{
    pthread_mutex_lock(&fake_client_lock);
    while (fake_client == NULL) {
        pthread_cond_wait(&fake_client_came, &fake_client_lock);
    }
    host->link = fake_client;
    fake_client = NULL;
    pthread_mutex_unlock(&fake_client_lock);
    host->seq = 0;
}

/* A slot that waits for its reply, counted from one; false if there is none
 * within a while (`patient`), or now. */
static bool
take_slot(struct host *host, unsigned from, bool patient, unsigned *ret_slot)
{
    struct rpcrt__client_link *link = host->link;
    bool found = false;

    pthread_mutex_lock(&link->lock);
    while (patient && link->n_sent == 0 && !link->cut) {
        pthread_cond_wait(&link->changed, &link->lock);
    }
    for (unsigned i = 0; i < K && !found; i++) {
        unsigned slot = (from + i) % K;

        if (link->sent[slot] && !link->cut) {
            link->sent[slot] = false;
            link->n_sent--;
            host->session = link->session;
            *ret_slot = slot;
            found = true;
        }
    }
    pthread_mutex_unlock(&link->lock);
    return found;
}

static void
reply(struct host *host, unsigned slot, const uint8_t *bytes, size_t size)
{
    struct rpcrt__msg *msg = rpcrt__msg_new(size);

    if (size > 0) {
        memcpy(msg->body, bytes, size);
    }
    host->link->events.on_reply(host->link->arg, slot, msg);
}

static void
reply_frames(struct host *host, unsigned slot, uint8_t flags, uint64_t seq,
             const uint8_t *frames, size_t size)
{
    static uint8_t body[RPCRT_TRANSPORT_MESSAGE_MAX];
    struct rpcrt__header header = {
        .flags = flags, .session = host->session, .seq = seq};

    if (size > sizeof body - RPCRT__HEADER_SIZE) {
        size = sizeof body - RPCRT__HEADER_SIZE;
    }
    (void)rpcrt__put_header(body, &header);
    if (size > 0) {
        memcpy(body + RPCRT__HEADER_SIZE, frames, size);
    }
    reply(host, slot, body, RPCRT__HEADER_SIZE + size);
}

/* Answer HELLO, and wait until the calls have come. */
static void
answer_hello(struct host *host)
{
    const struct rpcrt__hello hello = {K, 100000, 1, 300};
    uint8_t frames[RPCRT__FRAME_SIZE + RPCRT__HELLO_SIZE];
    unsigned slot;

    if (take_slot(host, 0, true, &slot)) {
        (void)rpcrt__put_hello(rpcrt__put_frame(frames, RPCRT__FRAME_HELLO, 0,
                                                0, 0, RPCRT__HELLO_SIZE),
                               &hello);
        reply_frames(host, slot, 0, host->seq++, frames, sizeof frames);
    }
}

/* -- steps ----------------------------------------------------------------- */

static void
answer_call(struct host *host, unsigned slot, struct input *input)
{
    uint8_t choice = take_byte(input);
    size_t size = take_byte(input);
    const uint8_t *bytes = take_bytes(input, &size);
    uint32_t announced = (uint32_t)size + (choice & 8 ? choice : 0u);
    uint8_t frames[300];
    uint8_t *at = rpcrt__put_frame(
        frames, RPCRT__FRAME_DATA,
        (uint8_t)(RPCRT__START | (choice & 16 ? 0u : RPCRT__END)), 0,
        1 + choice % 8, (uint32_t)(4 + size));

    at = rpcrt__put_u32(at, announced);
    if (size > 0) {
        memcpy(at, bytes, size);
    }
    reply_frames(host, slot, choice / 128, host->seq++, frames,
                 (size_t)(at + size - frames));
}

static void
answer_status(struct host *host, unsigned slot, struct input *input)
{
    uint8_t choice = take_byte(input);
    uint8_t n_metadata = take_byte(input);
    uint8_t parts[3] = {take_byte(input), take_byte(input), take_byte(input)};
    size_t size = (size_t)parts[0] + parts[1] + parts[2];
    const uint8_t *bytes = take_bytes(input, &size);
    struct rpcrt__status status = {.code = choice / 8,
                                   .origin = choice % 4,
                                   .n_metadata = n_metadata,
                                   .metadata_size = parts[1],
                                   .details_size = parts[2]};
    uint8_t frames[900];
    uint8_t *at;

    status.text_size = (uint32_t)(size > (size_t)parts[1] + parts[2]
                                      ? size - (size_t)parts[1] - parts[2]
                                      : 0);
    at = rpcrt__put_frame(frames, RPCRT__FRAME_STATUS, choice & 4, 0,
                          1 + n_metadata % 8,
                          (uint32_t)(RPCRT__STATUS_SIZE + size));
    at = rpcrt__put_status(at, &status);
    if (size > 0) {
        memcpy(at, bytes, size);
    }
    reply_frames(host, slot, 0, host->seq++, frames,
                 (size_t)(at + size - frames));
}

static void
answer_frame(struct host *host, unsigned slot, struct input *input)
{
    uint8_t type = take_byte(input);
    uint8_t flags = take_byte(input);
    uint16_t aux = take_byte(input);
    uint64_t of = take_byte(input);
    size_t size = take_byte(input);
    const uint8_t *payload = take_bytes(input, &size);
    uint8_t frames[300];
    uint8_t *at =
        rpcrt__put_frame(frames, type, flags, aux, of, (uint32_t)size);

    if (size > 0) {
        memcpy(at, payload, size);
    }
    reply_frames(host, slot, 0, host->seq++, frames, RPCRT__FRAME_SIZE + size);
}

static void
go_down(struct host *host)
{
    struct rpcrt__error error;
    bool over;

    (void)rpcrt__error_set(&error, RPCRT_UNAVAILABLE, "lost");
    /* Once it is cut the channel may free the connection at any time. */
    pthread_mutex_lock(&host->link->lock);
    over = host->link->cut;
    pthread_mutex_unlock(&host->link->lock);
    if (!over) {
        host->link->events.on_down(host->link->arg, &error);
    }
}

/* What the user of a stream does next; nothing that would wait. */
static void
use_stream(struct rpcrt_call *call, unsigned choice)
{
    static uint8_t payload[99000];
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *message;

    request.payload.data = payload;
    switch (choice % 4) {
    case 0:
        if (rpcrt_call_wait_next(call, 0) == RPCRT_OK &&
            rpcrt_call_next(call, &message) &&
            protobuf_c_message_get_packed_size(message) > 200000) {
            abort();
        }
        break;
    case 1:
        request.payload.len = choice * 40;
        if (rpcrt_call_room(call) > 0 &&
            !rpcrt_call_send(call, &request.base) &&
            rpcrt_call_wait(call, 0) != RPCRT_OK) {
            abort();
        }
        break;
    case 2:
        rpcrt_call_close_send(call);
        break;
    default:
        if (rpcrt_call_wait_headers(call, 0) == RPCRT_OK) {
            (void)rpcrt_call_header(call, "key", NULL);
        }
        break;
    }
}

/* What this end does by itself. */
static void
act(struct rpcrt_call **calls, unsigned choice)
{
    if (choice < N_STREAMS + N_CALLS) {
        rpcrt_call_cancel(calls[choice]);
    } else {
        use_stream(calls[choice % N_STREAMS], choice / N_STREAMS);
    }
}

static void
step(struct host *host, struct rpcrt_call **calls, struct input *input)
{
    uint8_t choice = take_byte(input);
    size_t size = choice / 8 * 4u;
    const uint8_t *bytes;
    unsigned slot;

    if (choice % 8 == 7) {
        act(calls, choice / 8);
        return;
    }
    if (!take_slot(host, choice / 8, false, &slot)) {
        return;
    }
    switch (choice % 8) {
    case 0:
    case 1:
        answer_call(host, slot, input);
        break;
    case 2:
        answer_status(host, slot, input);
        break;
    case 3:
        answer_frame(host, slot, input);
        break;
    case 4:
        bytes = take_bytes(input, &size);
        reply_frames(host, slot, 1, host->seq++, bytes, size);
        break;
    case 5:
        bytes = take_bytes(input, &size);
        reply(host, slot, bytes, size);
        break;
    default: /* ahead of its turn */
        reply_frames(host, slot, 0, host->seq + 1 + choice / 64, NULL, 0);
        break;
    }
}

/* -- the calls ------------------------------------------------------------- */

static atomic_uint n_done;

static void
done(struct rpcrt_call *call, void *arg)
{
    const ProtobufCMessage *taken;

    (void)arg;
    if (rpcrt_call_take(call, &taken) == RPCRT_OK &&
        protobuf_c_message_get_packed_size(taken) > 200000) {
        abort();
    }
    if (rpcrt_call_message(call)[0] == '\0') {
        abort();
    }
    (void)rpcrt_call_metadata(call, "key", NULL);
    atomic_fetch_add(&n_done, 1);
}

/* A stream moved on. */
static void
moved(struct rpcrt_call *call, void *arg)
{
    (void)arg;
    if (rpcrt_call_tag(call) != NULL) {
        rpcrt_call_cancel(call);
    }
}

static void
open_streams(struct rpcrt_channel *channel, struct rpcrt_call **calls,
             bool nervous)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    for (unsigned i = 0; i < N_STREAMS; i++) {
        if (rpcrt_call_new(channel, 0, &calls[i]) != RPCRT_OK) {
            abort();
        }
        if (nervous) {
            rpcrt_call_set_tag(calls[i], calls);
        }
        rpcrt_call_on_event(calls[i], moved, NULL);
        rpcrt_call_open(calls[i], &streaming[i], &request.base);
    }
}

static void
finish_streams(struct rpcrt_call **calls)
{
    for (unsigned i = 0; i < N_STREAMS; i++) {
        const ProtobufCMessage *reply;

        rpcrt_call_cancel(calls[i]);
        if (rpcrt_call_finish(calls[i], &reply) != rpcrt_call_code(calls[i]) ||
            rpcrt_call_message(calls[i])[0] == '\0') {
            abort();
        }
        (void)rpcrt_call_metadata(calls[i], "key", NULL);
        rpcrt_call_free(calls[i]);
    }
}

static void
start_calls(struct rpcrt_channel *channel, struct rpcrt_call **calls,
            size_t large)
{
    static uint8_t payload[99000];
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    request.payload.data = payload;
    for (unsigned i = 0; i < N_CALLS; i++) {
        if (rpcrt_call_new(channel, 0, &calls[i]) != RPCRT_OK) {
            abort();
        }
        request.payload.len = i < large ? sizeof payload : i;
        rpcrt_call_start(calls[i], &echo, &request.base, done, NULL);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rpcrt_channel_options options = {
        .contexts = K,
        .arena_size_max = 1u << 20,
        .stream_window = 400,
        .message_size_max = 100000,
        .backoff_ms_min = 60000,
        .backoff_ms_max = 60000};
    struct input input = {data, size};
    struct rpcrt_call *calls[N_STREAMS + N_CALLS];
    struct rpcrt_channel *channel;
    struct host host;
    uint8_t choice = take_byte(&input);

    atomic_store(&n_done, 0);
    if (rpcrt_channel_new("fake", &options, &channel) != RPCRT_OK) {
        abort();
    }
    open_streams(channel, calls, choice >= 192);
    start_calls(channel, calls + N_STREAMS, choice / 8 % 8);
    greet(&host);
    if (choice % 8 != 0) {
        answer_hello(&host);
    }
    for (unsigned n = 0; input.size > 0 && n < 100; n++) {
        step(&host, calls, &input);
    }
    if (choice % 2 == 0) {
        go_down(&host);
    }
    finish_streams(calls);
    for (unsigned i = 0; i < N_CALLS; i++) {
        rpcrt_call_free(calls[N_STREAMS + i]);
    }
    if (atomic_load(&n_done) != N_CALLS) {
        abort();
    }
    rpcrt_channel_free(channel);
    fake_leave(host.link);
    return 0;
}
