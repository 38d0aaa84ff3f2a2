/*
 * Completion queues and waits when things end early: calls, queues and channels
 * that are freed or cancelled meanwhile, several threads, no memory.
 */
#include "support/faulty_alloc.h"
#include "support/probe.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct rpcrt_queue *
new_queue(void)
{
    struct rpcrt_queue *queue;

    cr_assert_eq(rpcrt_queue_new(&queue), RPCRT_OK, "%s", rpcrt_last_error());
    return queue;
}

/* A call that has been started: every other one would never end. */
static struct rpcrt_call *
start(struct bed *bed, unsigned number, rpcrt_done_fn *done, void *arg)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_call *call = bed_call(bed->channel, BED_TIMEOUT_MS);

    if (number % 2 == 0) {
        probe_hang_start(call, &request, done, arg);
    } else {
        probe_echo_start(call, &request, done, arg);
    }
    return call;
}

/* -- freeing --------------------------------------------------------------- */

EACH_TRANSPORT(wait, is_not_needed_before_free, 60)
{
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 300; i++) {
        struct rpcrt_call *call = start(&bed, i, NULL, NULL);

        if (i % 3 == 0) {
            (void)usleep(i);
        }
        rpcrt_call_free(call);
    }
    bed_await(&bed.probe.n_hanging, 0);
    bed_close(&bed);
}

EACH_TRANSPORT(queue, never_gives_a_call_that_was_freed, 60)
{
    struct rpcrt_queue *queue = new_queue();
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 300; i++) {
        struct rpcrt_call *call = start(&bed, i, rpcrt_queue_done, queue);

        if (i % 3 == 0) {
            (void)usleep(i);
        }
        rpcrt_call_free(call);
        cr_assert_eq(rpcrt_queue_size(queue), 0u);
        cr_assert_null(rpcrt_queue_next(queue));
    }
    rpcrt_queue_free(queue);
    bed_close(&bed);
}

EACH_TRANSPORT(queue, may_be_freed_while_calls_run, 60)
{
    struct rpcrt_call *calls[20];
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned round = 0; round < 30; round++) {
        struct rpcrt_queue *queue = new_queue();

        for (unsigned i = 0; i < 20; i++) {
            calls[i] = start(&bed, i, rpcrt_queue_done, queue);
        }
        rpcrt_queue_free(queue);
        for (unsigned i = 0; i < 20; i++) {
            cr_assert_eq(rpcrt_call_code(calls[i]) == RPCRT_CANCELLED ||
                             i % 2 == 1,
                         true);
            bed_echo(calls[i], 10);
            rpcrt_call_free(calls[i]);
        }
    }
    bed_close(&bed);
}

EACH_TRANSPORT(queue, outlives_the_channel_of_its_calls, 60)
{
    struct rpcrt_queue *queue = new_queue();
    struct rpcrt_call *calls[10];
    struct rpcrt_call *future;
    struct rpcrt_call *call;
    unsigned n_taken = 0;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 10; i++) {
        calls[i] = start(&bed, 0, rpcrt_queue_done, queue);
    }
    future = start(&bed, 0, NULL, NULL);
    bed_close(&bed);
    while (rpcrt_queue_wait_any(queue, -1, &call) == RPCRT_OK) {
        cr_assert_eq(rpcrt_call_code(call), RPCRT_CANCELLED);
        n_taken++;
    }
    cr_assert_eq(n_taken, 10u);
    for (unsigned i = 0; i < 10; i++) {
        rpcrt_call_free(calls[i]);
    }
    cr_assert_eq(rpcrt_call_wait(future, -1), RPCRT_OK);
    cr_assert_eq(rpcrt_call_code(future), RPCRT_CANCELLED);
    rpcrt_call_free(future);
    rpcrt_queue_free(queue);
}

struct handover {
    struct rpcrt_call *second;
    struct rpcrt_queue *queue;
};

static void
start_second(struct rpcrt_call *call, void *arg)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct handover *handover = arg;

    (void)call;
    probe_echo_start(handover->second, &request, rpcrt_queue_done,
                     handover->queue);
}

/* A start that no completion would be told of. */
EACH_TRANSPORT(queue, is_told_of_what_a_closing_channel_refuses, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct handover handover = {.queue = new_queue()};
    struct rpcrt_call *first;
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    first = bed_call(bed.channel, BED_TIMEOUT_MS);
    handover.second = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_hang_start(first, &request, start_second, &handover);
    bed_close(&bed);
    cr_assert_eq(rpcrt_queue_wait_any(handover.queue, 0, &call), RPCRT_OK);
    cr_assert_eq(call, handover.second);
    cr_assert_eq(rpcrt_call_code(call), RPCRT_CANCELLED);
    rpcrt_call_free(first);
    rpcrt_call_free(handover.second);
    rpcrt_queue_free(handover.queue);
}

/* -- starting again -------------------------------------------------------- */

EACH_TRANSPORT(queue, loses_a_call_that_starts_elsewhere, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_queue *queue = new_queue();
    struct rpcrt_queue *other = new_queue();
    atomic_uint n_done = 0;
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (unsigned way = 0; way < 4; way++) {
        probe_echo_start(call, &request, rpcrt_queue_done, queue);
        cr_assert_eq(rpcrt_queue_wait_all(queue, -1), RPCRT_OK);
        cr_assert_eq(rpcrt_queue_size(queue), 1u);
        if (way == 0) {
            probe_echo_start(call, &request, rpcrt_queue_done, other);
        } else if (way == 1) {
            probe_echo_start(call, &request, bed_done, &n_done);
        } else if (way == 2) {
            probe_echo_start(call, &request, NULL, NULL);
        } else {
            bed_echo(call, 10);
        }
        cr_assert_eq(rpcrt_queue_size(queue), 0u);
        cr_assert_eq(rpcrt_call_wait(call, -1), RPCRT_OK);
        cr_assert_eq(rpcrt_queue_size(other), 0u);
    }
    cr_assert_eq(atomic_load(&n_done), 1u);
    rpcrt_call_free(call);
    rpcrt_queue_free(queue);
    rpcrt_queue_free(other);
    bed_close(&bed);
}

/* -- several threads ------------------------------------------------------- */

#define N_CALLS 60u
#define N_TAKERS 3u

struct crowd {
    struct rpcrt_queue *queue;
    struct rpcrt_call *calls[N_CALLS];
    atomic_uint n_starts_left;
    atomic_uint n_taken;
    atomic_uint n_cancelled;
    atomic_bool over;
};

/* Take calls and start them again while there is something to start. */
static void *
taker(void *arg)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    struct crowd *crowd = arg;
    struct rpcrt_call *call;

    while (rpcrt_queue_wait_any(crowd->queue, -1, &call) == RPCRT_OK) {
        unsigned left = atomic_load(&crowd->n_starts_left);

        atomic_fetch_add(&crowd->n_taken, 1);
        if (rpcrt_call_code(call) == RPCRT_CANCELLED) {
            atomic_fetch_add(&crowd->n_cancelled, 1);
        } else {
            cr_assert_eq(rpcrt_call_code(call), RPCRT_OK, "%s",
                         rpcrt_call_message(call));
        }
        while (left > 0 && !atomic_compare_exchange_weak(&crowd->n_starts_left,
                                                         &left, left - 1)) {
        }
        if (left > 0) {
            request.ms = left % 2;
            probe_wait_start(call, &request, rpcrt_queue_done, crowd->queue);
        }
    }
    return NULL;
}

static void *
canceller(void *arg)
{
    struct crowd *crowd = arg;

    for (unsigned i = 0; !atomic_load(&crowd->over); i++) {
        rpcrt_call_cancel(crowd->calls[i * 7 % N_CALLS]);
        (void)usleep(50);
    }
    return NULL;
}

EACH_TRANSPORT(queue, is_shared_by_threads_that_take_start_and_cancel, 100)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    struct crowd crowd = {.queue = new_queue(), .n_starts_left = 3000};
    pthread_t threads[N_TAKERS + 1];
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < N_CALLS; i++) {
        crowd.calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
        probe_wait_start(crowd.calls[i], &request, rpcrt_queue_done,
                         crowd.queue);
    }
    for (unsigned i = 0; i < N_TAKERS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, taker, &crowd), 0);
    }
    cr_assert_eq(pthread_create(&threads[N_TAKERS], NULL, canceller, &crowd),
                 0);
    for (unsigned i = 0; i < N_TAKERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    atomic_store(&crowd.over, true);
    (void)pthread_join(threads[N_TAKERS], NULL);
    cr_assert_eq(atomic_load(&crowd.n_taken), N_CALLS + 3000u);
    cr_assert_gt(atomic_load(&crowd.n_cancelled), 0u);
    for (unsigned i = 0; i < N_CALLS; i++) {
        rpcrt_call_free(crowd.calls[i]);
    }
    rpcrt_queue_free(crowd.queue);
    bed_close(&bed);
}

static void *
wait_for_none(void *arg)
{
    struct rpcrt_call *call;

    cr_assert_eq(rpcrt_queue_wait_any(arg, -1, &call), RPCRT_NOT_FOUND);
    return NULL;
}

/* Its call is freed by another thread, and no other is there. */
EACH_TRANSPORT(queue, wakes_who_waits_when_the_last_call_is_freed, 60)
{
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 50; i++) {
        struct rpcrt_queue *queue = new_queue();
        struct rpcrt_call *call = start(&bed, 0, rpcrt_queue_done, queue);
        pthread_t thread;

        cr_assert_eq(pthread_create(&thread, NULL, wait_for_none, queue), 0);
        (void)usleep(i * 20);
        rpcrt_call_free(call);
        (void)pthread_join(thread, NULL);
        rpcrt_queue_free(queue);
    }
    bed_close(&bed);
}

/* Restarts its call, now and then in another way, until it is freed. */
static void
change_ways(struct rpcrt_call *call, void *arg)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct crowd *crowd = arg;
    unsigned n_taken = atomic_fetch_add(&crowd->n_taken, 1);

    if (n_taken % 50 == 49) {
        probe_hang_start(call, &request, NULL, NULL);
    } else if (n_taken % 50 == 24) {
        probe_echo_start(call, &request, rpcrt_queue_done, crowd->queue);
    } else {
        probe_echo_start(call, &request, change_ways, arg);
    }
}

EACH_TRANSPORT(wait, and_free_bear_completions_that_change_ways, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct crowd crowd = {.queue = new_queue()};
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 100; i++) {
        struct rpcrt_call *call = bed_call(bed.channel, BED_TIMEOUT_MS);

        probe_echo_start(call, &request, change_ways, &crowd);
        if (rpcrt_call_wait(call, (int)(i % 3)) == RPCRT_OK) {
            cr_assert_eq(rpcrt_call_code(call), RPCRT_OK);
        }
        rpcrt_call_free(call);
        cr_assert_eq(rpcrt_queue_size(crowd.queue), 0u);
    }
    rpcrt_queue_free(crowd.queue);
    bed_close(&bed);
}

/* -- memory ---------------------------------------------------------------- */

Test(queue, says_when_there_is_no_memory_for_it)
{
    struct rpcrt_queue *queue;

    faulty_alloc_install();
    faulty_alloc_fail_at(0);
    cr_assert_eq(rpcrt_queue_new(&queue), RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_not_null(strstr(rpcrt_last_error(), "memory"));
    cr_assert_eq(faulty_alloc_live(), 0);
    cr_assert_eq(rpcrt_queue_new(&queue), RPCRT_OK);
    cr_assert_eq(faulty_alloc_live(), 1, "one allocation, which was failed");
    rpcrt_queue_free(queue);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}

/* Start three calls in a queue and one without; each is told of its end.
 * Returns whether memory did not fail. */
static bool
survive(struct bed *bed, uint64_t n_failing)
{
    static uint8_t payload[20000];
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_queue *queue = new_queue();
    struct rpcrt_call *calls[4];
    unsigned n_taken = 0;
    bool failed;

    request.payload.data = payload;
    request.payload.len = sizeof payload;
    for (unsigned i = 0; i < 4; i++) {
        calls[i] = bed_call(bed->channel, BED_TIMEOUT_MS);
    }
    faulty_alloc_fail_at(n_failing);
    for (unsigned i = 0; i < 4; i++) {
        probe_echo_start(calls[i], &request, i == 3 ? NULL : rpcrt_queue_done,
                         queue);
    }
    cr_assert_eq(rpcrt_queue_wait_all(queue, -1), RPCRT_OK);
    cr_assert_eq(rpcrt_call_wait(calls[3], -1), RPCRT_OK);
    failed = faulty_alloc_failed();
    faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
    while (rpcrt_queue_next(queue) != NULL) {
        n_taken++;
    }
    cr_assert_eq(n_taken, 3u);
    for (unsigned i = 0; i < 4; i++) {
        enum rpcrt_code code = rpcrt_call_code(calls[i]);

        cr_assert(code == RPCRT_OK ||
                      (failed && (code == RPCRT_RESOURCE_EXHAUSTED ||
                                  code == RPCRT_UNAVAILABLE)),
                  "%s", rpcrt_call_message(calls[i]));
        rpcrt_call_free(calls[i]);
    }
    rpcrt_queue_free(queue);
    return !failed;
}

/* Each allocation from the first dial to the last answer, of both ends. */
EACH_TRANSPORT(queue, is_told_of_calls_without_memory, 100)
{
    const struct rpcrt_channel_options options = {.backoff_ms_min = 1,
                                                  .backoff_ms_max = 2};
    unsigned n_good = 0;

    faulty_alloc_install();
    for (uint64_t n = 0; n_good < 3; n++) {
        struct bed bed;

        bed_open(&bed, transport, NULL, &options);
        n_good += survive(&bed, n);
        bed_close(&bed);
        cr_assert_eq(faulty_alloc_live(), 0, "allocation %u", (unsigned)n);
    }
    faulty_alloc_remove();
}

/* After a warm-up; but a new peak adds a few to the server's pool of calls. */
EACH_TRANSPORT(queue, takes_no_memory_for_a_call, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_queue *queue;
    struct rpcrt_call *calls[8];
    struct rpcrt_call *call;
    struct bed bed;

    faulty_alloc_install();
    queue = new_queue();
    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 8; i++) {
        calls[i] = start(&bed, 1, rpcrt_queue_done, queue);
    }
    for (unsigned i = 0; i < 4000; i++) {
        if (i == 2000) {
            faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
        }
        cr_assert_eq(rpcrt_queue_wait_any(queue, -1, &call), RPCRT_OK);
        cr_assert_eq(rpcrt_call_code(call), RPCRT_OK);
        probe_echo_start(call, &request, rpcrt_queue_done, queue);
    }
    cr_assert_lt(faulty_alloc_count(), 40u, "%u in 2000 calls",
                 (unsigned)faulty_alloc_count());
    for (unsigned i = 0; i < 8; i++) {
        rpcrt_call_free(calls[i]);
    }
    rpcrt_queue_free(queue);
    bed_close(&bed);
    faulty_alloc_remove();
}
