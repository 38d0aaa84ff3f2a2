/*
 * Handlers that do the steps of a script, or those that their client sends.
 */
#include "support/probe_stream.h"

#include "support/probe.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

/* -- payloads -------------------------------------------------------------- */

#define PERIOD 251u

static uint8_t pattern[PROBE_SIZE_MAX + PERIOD];

static void
pattern_fill(void)
{
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t)(i % PERIOD);
    }
}

uint8_t *
probe_pattern(uint64_t i)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, pattern_fill);
    return &pattern[i % PERIOD];
}

size_t
probe_size(uint32_t seed, uint64_t i, size_t max)
{
    uint64_t x = (i + 1) * 0x9e3779b97f4a7c15u ^ (uint64_t)seed << 32;

    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 32;
    /* each power of two is as likely as the others, 0 and max too */
    max >>= x % 24;
    return x >> 60 == 0 ? max : (size_t)((x >> 8) % (max + 1));
}

bool
probe_is_pattern(ProtobufCBinaryData payload, uint64_t i)
{
    return payload.len <= PROBE_SIZE_MAX &&
           (payload.len == 0 ||
            memcmp(payload.data, probe_pattern(i), payload.len) == 0);
}

/* -- steps ----------------------------------------------------------------- */

/* One use of a method. */
struct stream {
    struct probe *probe;
    struct rpcrt_ctx *ctx;
    /* Sends one message; NULL where the client gets but one. */
    enum rpcrt_code (*reply)(struct rpcrt_ctx *ctx,
                             const Probe__V1__EchoReply *message);
    uint64_t n_replies;
    bool is_over; /* a step ended the call */
};

static void
repeat_header(void *arg, const char *key, const char *value, size_t size)
{
    struct stream *stream = arg;

    if (strncmp(key, "probe-", 6) == 0) {
        cr_assert_eq(rpcrt_ctx_set_header(stream->ctx, key, value, size),
                     RPCRT_OK);
    }
}

static enum rpcrt_code
stream_begin(struct stream *stream)
{
    const char *value;
    size_t size;

    atomic_fetch_add(&stream->probe->n_streaming, 1);
    rpcrt_ctx_each_metadata(stream->ctx, repeat_header, stream);
    value = rpcrt_ctx_metadata(stream->ctx, "probe-header", &size);
    return value == NULL ? RPCRT_OK
                         : rpcrt_ctx_set_metadata(stream->ctx, "probe-trailer",
                                                  value, size);
}

/* The last that a handler does; the code is the one to return. */
static enum rpcrt_code
stream_end(struct stream *stream, enum rpcrt_code code)
{
    if (!stream->is_over && code != RPCRT_OK) {
        atomic_fetch_add(&stream->probe->n_lost, 1);
    }
    atomic_fetch_sub(&stream->probe->n_streaming, 1);
    return code;
}

static void
stand_still(struct stream *stream)
{
    struct probe *probe = stream->probe;

    atomic_fetch_add(&probe->n_standing, 1);
    while (!atomic_load(&probe->go_on) && !rpcrt_ctx_cancelled(stream->ctx)) {
        bed_sleep_ms(1);
    }
    atomic_fetch_sub(&probe->n_standing, 1);
}

static enum rpcrt_code
send_one(struct stream *stream, ProtobufCBinaryData payload)
{
    Probe__V1__EchoReply message = PROBE__V1__ECHO_REPLY__INIT;
    enum rpcrt_code code;

    message.payload = payload;
    code = stream->reply(stream->ctx, &message);
    if (code == RPCRT_OK) {
        stream->n_replies++;
        atomic_fetch_add(&stream->probe->n_poured, 1);
    }
    return code;
}

static enum rpcrt_code
send_many(struct stream *stream, const Probe__V1__Step *step)
{
    enum rpcrt_code code = RPCRT_OK;

    for (uint32_t i = 0; i < step->n_replies && code == RPCRT_OK; i++) {
        uint64_t number = stream->n_replies;
        ProtobufCBinaryData payload = {step->reply_size, probe_pattern(number)};

        if (step->seed != 0) {
            payload.len = probe_size(step->seed, number, step->reply_size);
        }
        code = send_one(stream, payload);
    }
    return code;
}

static enum rpcrt_code
stop(struct stream *stream, const Probe__V1__Step *step)
{
    enum rpcrt_code code = (enum rpcrt_code)step->code;

    stream->is_over = true;
    if (code == RPCRT_OK) {
        return RPCRT_OK;
    }
    (void)rpcrt_ctx_fail(stream->ctx, code, "%s", step->text);
    if (step->details.len > 0 &&
        rpcrt_ctx_set_details(stream->ctx, step->details.data,
                              step->details.len) != RPCRT_OK) {
        return rpcrt_ctx_no_memory(stream->ctx);
    }
    return code;
}

static enum rpcrt_code
do_step(struct stream *stream, const Probe__V1__Step *step)
{
    enum rpcrt_code code = RPCRT_OK;

    if (step->headers) {
        code = rpcrt_ctx_send_headers(stream->ctx);
    }
    if (step->late_header) {
        code = rpcrt_ctx_set_header(stream->ctx, "probe-late", "x", 1);
    }
    if (step->stand) {
        stand_still(stream);
    }
    if (step->pause_ms > 0) {
        bed_sleep_ms(step->pause_ms);
    }
    if (code == RPCRT_OK && stream->reply != NULL) {
        code = send_many(stream, step);
    }
    if (code == RPCRT_OK && step->stop) {
        code = stop(stream, step);
    }
    return code;
}

/* Whether a step asks for nothing: Chat sends its payload back. */
static bool
is_plain(const Probe__V1__Step *step)
{
    return !step->headers && !step->stand && !step->stop &&
           step->pause_ms == 0 && step->n_replies == 0;
}

/* -- handlers -------------------------------------------------------------- */

static enum rpcrt_code
pour(struct stream *stream, const Probe__V1__Script *script)
{
    enum rpcrt_code code = stream_begin(stream);

    for (size_t i = 0;
         i < script->n_steps && code == RPCRT_OK && !stream->is_over; i++) {
        code = do_step(stream, script->steps[i]);
    }
    return stream_end(stream, code);
}

static enum rpcrt_code
chat(struct stream *stream,
     enum rpcrt_code (*receive)(struct rpcrt_ctx *ctx,
                                const Probe__V1__Step **ret_message))
{
    enum rpcrt_code code = stream_begin(stream);
    const Probe__V1__Step *step = NULL;

    while (code == RPCRT_OK && !stream->is_over) {
        code = receive(stream->ctx, &step);
        if (code != RPCRT_OK || step == NULL) {
            break;
        }
        atomic_fetch_add(&stream->probe->n_taken, 1);
        code = is_plain(step) ? send_one(stream, step->payload)
                              : do_step(stream, step);
    }
    return stream_end(stream, code);
}

enum rpcrt_code
probe_pour(void *self, struct rpcrt_ctx *ctx, const Probe__V1__Script *request)
{
    struct stream stream = {
        .probe = self, .ctx = ctx, .reply = probe_pour_reply};

    return pour(&stream, request);
}

enum rpcrt_code
probe_chat(void *self, struct rpcrt_ctx *ctx)
{
    struct stream stream = {
        .probe = self, .ctx = ctx, .reply = probe_chat_reply};

    return chat(&stream, probe_chat_receive);
}

enum rpcrt_code
probe_sum(void *self, struct rpcrt_ctx *ctx, Probe__V1__SumReply *reply)
{
    struct stream stream = {.probe = self, .ctx = ctx};
    enum rpcrt_code code = stream_begin(&stream);
    const Probe__V1__Step *step = NULL;

    while (code == RPCRT_OK && !stream.is_over) {
        code = probe_sum_receive(ctx, &step);
        if (code != RPCRT_OK || step == NULL) {
            break;
        }
        atomic_fetch_add(&stream.probe->n_taken, 1);
        reply->n_wrong += !probe_is_pattern(step->payload, reply->count);
        reply->bytes += step->payload.len;
        reply->count++;
        code = do_step(&stream, step);
    }
    return stream_end(&stream, code);
}

/* -- handlers that answer later -------------------------------------------- */

struct later {
    struct stream stream;
    const Probe__V1__Script *script;
    atomic_uint n_threads; /* that have not ended */
    _Atomic(enum rpcrt_code) code;
};

/* Run a function on threads of its own; they end by themselves. */
static enum rpcrt_code
start(struct later *later, void *(*fn)(void *arg))
{
    unsigned n = atomic_load(&later->n_threads);
    pthread_attr_t attr;
    pthread_t thread;

    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (unsigned i = 0; i < n; i++) {
        cr_assert_eq(pthread_create(&thread, &attr, fn, later), 0);
    }
    (void)pthread_attr_destroy(&attr);
    return RPCRT_LATER;
}

static struct later *
later_new(struct rpcrt_ctx *ctx, void *self, const Probe__V1__Script *script)
{
    struct later *later = rpcrt_ctx_alloc(ctx, sizeof *later);

    if (later != NULL) {
        later->stream.probe = self;
        later->stream.ctx = ctx;
        later->script = script;
        atomic_init(&later->n_threads, 1);
    }
    return later;
}

static void *
pour_thread(void *arg)
{
    struct later *later = arg;
    struct stream stream = later->stream; /* messages are numbered by thread */
    enum rpcrt_code code = pour(&stream, later->script);

    if (code != RPCRT_OK) {
        atomic_store(&later->code, code);
    }
    if (atomic_fetch_sub(&later->n_threads, 1) == 1) {
        rpcrt_ctx_finish(stream.ctx, atomic_load(&later->code));
    }
    return NULL;
}

enum rpcrt_code
probe_pour_later(void *self, struct rpcrt_ctx *ctx,
                 const Probe__V1__Script *request)
{
    struct later *later = later_new(ctx, self, request);

    if (later == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    later->stream.reply = probe_pour_later_reply;
    if (request->n_threads > 1) {
        atomic_store(&later->n_threads, request->n_threads);
    }
    return start(later, pour_thread);
}

static void *
chat_thread(void *arg)
{
    struct later *later = arg;
    struct rpcrt_ctx *ctx = later->stream.ctx;

    rpcrt_ctx_finish(ctx, chat(&later->stream, probe_chat_later_receive));
    return NULL;
}

enum rpcrt_code
probe_chat_later(void *self, struct rpcrt_ctx *ctx)
{
    struct later *later = later_new(ctx, self, NULL);

    if (later == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    later->stream.reply = probe_chat_later_reply;
    return start(later, chat_thread);
}

/* -- a handler whose thread must not wait ---------------------------------- */

#define SLOW_MS 100

static uint64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
post(void *arg)
{
    (void)sem_post(arg);
}

/* Send when there is room; how long each send took shows whether it waited. */
static enum rpcrt_code
trickle(struct stream *stream, const Probe__V1__Step *step, sem_t *room)
{
    ProtobufCBinaryData payload = {step->reply_size, NULL};
    enum rpcrt_code code = RPCRT_OK;

    for (uint32_t i = 0; i < step->n_replies && code == RPCRT_OK; i++) {
        uint64_t before;

        while (rpcrt_ctx_room(stream->ctx) == 0 &&
               !rpcrt_ctx_cancelled(stream->ctx)) {
            while (sem_wait(room) != 0 && errno == EINTR) {
            }
        }
        before = now_ms();
        payload.data = probe_pattern(stream->n_replies);
        code = send_one(stream, payload);
        if (now_ms() - before > SLOW_MS) {
            atomic_fetch_add(&stream->probe->n_slow, 1);
        }
    }
    return code;
}

static void *
trickle_thread(void *arg)
{
    struct later *later = arg;
    struct stream *stream = &later->stream;
    enum rpcrt_code code = stream_begin(stream);
    sem_t room;

    (void)sem_init(&room, 0, 0);
    rpcrt_ctx_on_room(stream->ctx, post, &room);
    rpcrt_ctx_on_cancel(stream->ctx, post, &room);
    for (size_t i = 0; i < later->script->n_steps && code == RPCRT_OK; i++) {
        code = trickle(stream, later->script->steps[i], &room);
    }
    rpcrt_ctx_on_room(stream->ctx, NULL, NULL);
    rpcrt_ctx_on_cancel(stream->ctx, NULL, NULL);
    (void)sem_destroy(&room);
    rpcrt_ctx_finish(stream->ctx, stream_end(stream, code));
    return NULL;
}

enum rpcrt_code
probe_trickle(void *self, struct rpcrt_ctx *ctx,
              const Probe__V1__Script *request)
{
    struct later *later = later_new(ctx, self, request);

    if (later == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    later->stream.reply = probe_trickle_reply;
    return start(later, trickle_thread);
}
