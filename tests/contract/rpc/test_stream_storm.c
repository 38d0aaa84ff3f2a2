/*
 * Streams of every kind at once, ended in every way at any time: what ends well
 * has brought everything, nothing hangs, and nothing is left at the server.
 */
#include "support/stream.h"

#include <pthread.h>
#include <stdlib.h>

#define N_WORKERS 4u
#define N_USES 150u
#define SIZE_MAX_SENT 60000u

/* One thread that makes calls. */
struct worker {
    struct bed *bed;
    pthread_t thread;
    pthread_mutex_t lock; /* of the call, which another thread cancels */
    struct rpcrt_call *call;
    uint32_t seed;
    unsigned n_well; /* uses that ended well */
    atomic_bool over;
};

static uint32_t
dice(struct worker *worker, uint32_t sides)
{
    worker->seed = worker->seed * 1664525u + 1013904223u;
    return (worker->seed >> 8) % sides;
}

/* How a use is ended. */
enum ending { WELL, BY_CANCEL, BY_DEADLINE, BY_SERVER, BY_STRANGER, N_ENDINGS };

/* What a use can end with, and whether its messages were complete. */
static bool
ended_well(struct worker *worker, enum ending ending, enum rpcrt_code code)
{
    static const enum rpcrt_code codes[N_ENDINGS] = {
        RPCRT_OK, RPCRT_CANCELLED, RPCRT_DEADLINE_EXCEEDED, RPCRT_ABORTED,
        RPCRT_CANCELLED};

    cr_assert(code == RPCRT_OK || code == codes[ending], "%s: %s",
              rpcrt_code_name(code), rpcrt_call_message(worker->call));
    worker->n_well += code == RPCRT_OK;
    return code == RPCRT_OK;
}

/* Take up to n messages; returns how many came. */
static uint64_t
take(struct worker *worker, next_fn *next, uint32_t seed, uint64_t n)
{
    const Probe__V1__EchoReply *message = NULL;
    uint64_t i;

    for (i = 0; i < n && next(worker->call, &message); i++) {
        cr_assert_eq(message->payload.len, probe_size(seed, i, SIZE_MAX_SENT));
        cr_assert(probe_is_pattern(message->payload, i));
    }
    return i;
}

static void
pour(struct worker *worker, enum ending ending)
{
    static const struct {
        void (*open)(struct rpcrt_call *call, const Probe__V1__Script *request);
        next_fn *next;
        enum rpcrt_code (*finish)(struct rpcrt_call *call);
    } methods[] = {
        {probe_pour_open, probe_pour_next, probe_pour_finish},
        {probe_pour_later_open, probe_pour_later_next, probe_pour_later_finish},
    };
    size_t which = dice(worker, 2);
    uint32_t seed = 1 + dice(worker, 1000);
    uint32_t n = dice(worker, 60);
    struct script script;
    uint64_t taken;

    script_init(&script, n, SIZE_MAX_SENT, seed);
    script.step.stop = ending == BY_SERVER;
    script.step.code = RPCRT_ABORTED;
    methods[which].open(worker->call, &script.message);
    taken = take(worker, methods[which].next, seed,
                 ending == BY_CANCEL ? dice(worker, n + 1) : n);
    if (ending == BY_CANCEL) {
        rpcrt_call_cancel(worker->call);
    }
    if (ended_well(worker, ending, methods[which].finish(worker->call)) &&
        ending != BY_CANCEL) {
        cr_assert_eq(taken, n);
    }
}

static void
sum(struct worker *worker, enum ending ending)
{
    const Probe__V1__SumReply *reply = NULL;
    uint32_t seed = 1 + dice(worker, 1000);
    uint32_t n = dice(worker, 60);
    uint32_t i;

    probe_sum_open(worker->call);
    for (i = 0; i < n; i++) {
        Probe__V1__Step step = step_of(i, probe_size(seed, i, SIZE_MAX_SENT));

        step.stop = ending == BY_SERVER && i == n / 2;
        step.code = RPCRT_ABORTED;
        if (!probe_sum_send(worker->call, &step)) {
            break;
        }
    }
    if (ending == BY_CANCEL) {
        rpcrt_call_cancel(worker->call);
    }
    if (ended_well(worker, ending, probe_sum_finish(worker->call, &reply))) {
        cr_assert_eq(reply->count, n);
        cr_assert_eq(reply->n_wrong, 0);
    }
}

static void
chat(struct worker *worker, enum ending ending)
{
    uint32_t n = dice(worker, 30);
    uint64_t taken = 0;
    bool sent = true;

    probe_chat_open(worker->call);
    for (uint32_t i = 0; i < n && sent; i++) {
        Probe__V1__Step step = step_of(i, dice(worker, SIZE_MAX_SENT));
        const Probe__V1__EchoReply *message = NULL;

        step.stop = ending == BY_SERVER && i == n / 2;
        step.code = RPCRT_ABORTED;
        sent = probe_chat_send(worker->call, &step);
        if (sent && probe_chat_next(worker->call, &message)) {
            cr_assert_eq(message->payload.len, step.payload.len);
            cr_assert(probe_is_pattern(message->payload, i));
            taken++;
        }
    }
    if (ending == BY_CANCEL) {
        rpcrt_call_cancel(worker->call);
    }
    if (ended_well(worker, ending, probe_chat_finish(worker->call))) {
        cr_assert_eq(taken, n);
    }
}

/* A call of its own for each use: some are freed while they run. */
static void
use_once(struct worker *worker)
{
    static void (*const kinds[])(struct worker * worker,
                                 enum ending ending) = {pour, sum, chat};
    enum ending ending = (enum ending)dice(worker, N_ENDINGS);
    struct rpcrt_call *call;

    call = bed_call(worker->bed->channel, ending == BY_DEADLINE
                                              ? 1 + dice(worker, 20)
                                              : 3 * BED_TIMEOUT_MS);
    if (dice(worker, 10) == 0) {
        probe_chat_open(call);
        rpcrt_call_free(call);
        return;
    }
    pthread_mutex_lock(&worker->lock);
    worker->call = call;
    pthread_mutex_unlock(&worker->lock);
    atomic_store(&worker->over, ending != BY_STRANGER);
    kinds[dice(worker, 3)](worker, ending);
    atomic_store(&worker->over, true);
    pthread_mutex_lock(&worker->lock);
    worker->call = NULL;
    pthread_mutex_unlock(&worker->lock);
    rpcrt_call_free(call);
}

static void *
work(void *arg)
{
    struct worker *worker = arg;

    for (unsigned i = 0; i < N_USES; i++) {
        use_once(worker);
    }
    return NULL;
}

/* Cancels what may be cancelled, at any time. */
struct stranger {
    struct worker *workers;
    atomic_bool stop;
};

static void *
disturb(void *arg)
{
    struct stranger *stranger = arg;

    for (unsigned i = 0; !atomic_load(&stranger->stop); i++) {
        struct worker *worker = &stranger->workers[i % N_WORKERS];

        bed_sleep_ms(1 + i % 3);
        pthread_mutex_lock(&worker->lock);
        if (worker->call != NULL && !atomic_load(&worker->over)) {
            rpcrt_call_cancel(worker->call);
        }
        pthread_mutex_unlock(&worker->lock);
    }
    return NULL;
}

EACH_TRANSPORT(stream_storm, leaves_nothing_behind, 120)
{
    struct worker workers[N_WORKERS];
    struct stranger stranger = {.workers = workers};
    struct bed bed;
    struct rpcrt_call *call;
    pthread_t thread;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < N_WORKERS; i++) {
        workers[i] = (struct worker){.bed = &bed, .seed = i + 1};
        cr_assert_eq(pthread_mutex_init(&workers[i].lock, NULL), 0);
        cr_assert_eq(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    cr_assert_eq(pthread_create(&thread, NULL, disturb, &stranger), 0);
    for (unsigned i = 0; i < N_WORKERS; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        cr_assert_gt(workers[i].n_well, N_USES / 10);
    }
    atomic_store(&stranger.stop, true);
    (void)pthread_join(thread, NULL);
    bed_await(&bed.probe.n_streaming, 0);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 1000);
    rpcrt_call_free(call);
    bed_close(&bed);
}
