/*
 * The threads of core/executor.h.
 *
 * Who wakes another thread: a submission that finds nobody active, or only
 * threads that have been in their task for a while; and the timer, which looks
 * every millisecond whether a queue that is not empty has moved, and if not
 * wakes one thread, then two, then four.
 *
 * A thread that finds nothing to do, and that there is one too many since tasks
 * are back, ends; it waits for the one that did so before, and the last of them
 * is waited for when the executor is freed.
 */
#include "core/executor.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/timer.h"
#include <pthread.h>
#include <sys/prctl.h>

/* A task that takes longer than this looks stuck. */
#define STUCK_NS UINT64_C(50000)
#define STALL_NS RPCRT__MS
#define LOST_NS (10 * RPCRT__MS)

struct rpcrt__executor {
    struct rpcrt__timer timer;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;
    struct rpcrt__list queue;
    bool ending;
    bool armed;          /* the timer will look */
    uint64_t started_ns; /* when the latest task began */
    uint64_t n_taken;
    uint64_t n_taken_before; /* as the timer saw it last */
    unsigned n_stalls;       /* one after the other */
    unsigned n_wakes;        /* signals that nobody has woken from yet */
    unsigned n_active;       /* without those that are away */
    unsigned n_away;
    unsigned n_threads;
    unsigned threads_max;
    unsigned away_max;
    bool any_retired;
    pthread_t retired; /* the last thread that ended on its own */
    pthread_t threads[];
};

static void *worker_main(void *arg);

/* Threads that there may be now. [locked] */
static unsigned
threads_allowed(const struct rpcrt__executor *executor)
{
    unsigned n_away = executor->n_away < executor->away_max
                          ? executor->n_away
                          : executor->away_max;

    return executor->threads_max + n_away;
}

/* Bring one more thread to work, if there is one to be had. [locked] */
static void
wake_one(struct rpcrt__executor *executor)
{
    unsigned n_idle =
        executor->n_threads - executor->n_active - executor->n_away;

    if (n_idle > executor->n_wakes) {
        executor->n_wakes++;
        pthread_cond_signal(&executor->work);
    } else if (executor->n_threads < threads_allowed(executor) &&
               pthread_create(&executor->threads[executor->n_threads], NULL,
                              worker_main, executor) == 0) {
        executor->n_threads++;
        executor->n_wakes++;
    }
}

/* [locked] */
static void
arm(struct rpcrt__executor *executor, uint64_t due_ns)
{
    if (!executor->armed) {
        executor->armed = true;
        executor->n_taken_before = executor->n_taken;
        rpcrt__timer_set(&executor->timer, due_ns);
    }
}

static uint64_t
on_timer(void *arg, uint64_t now_ns)
{
    struct rpcrt__executor *executor = arg;
    uint64_t next_ns = RPCRT__NEVER;

    pthread_mutex_lock(&executor->lock);
    executor->armed = false;
    if (rpcrt__list_empty(&executor->queue)) {
        executor->n_stalls = 0;
    } else {
        if (executor->n_taken == executor->n_taken_before) {
            for (unsigned i = 0; i < 1u << executor->n_stalls; i++) {
                wake_one(executor);
            }
            executor->n_stalls += executor->n_stalls < 4 ? 1 : 0;
        } else {
            executor->n_stalls = 0;
        }
        executor->armed = true;
        executor->n_taken_before = executor->n_taken;
        next_ns = now_ns + STALL_NS;
    }
    pthread_mutex_unlock(&executor->lock);
    return next_ns;
}

/* Run what is queued. [locked, given up meanwhile] */
static void
work(struct rpcrt__executor *executor)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(&executor->queue)) != NULL) {
        struct rpcrt__task *task =
            RPCRT__ELEMENT(node, struct rpcrt__task, node);

        executor->n_taken++;
        executor->started_ns = rpcrt__now_ns();
        pthread_mutex_unlock(&executor->lock);
        task->run(task);
        pthread_mutex_lock(&executor->lock);
    }
}

/* Take the calling thread out of the table. [locked, given up] */
static void
retire(struct rpcrt__executor *executor)
{
    pthread_t before = executor->retired;
    bool any_before = executor->any_retired;
    unsigned i = 0;

    while (!pthread_equal(executor->threads[i], pthread_self())) {
        i++;
    }
    executor->threads[i] = executor->threads[--executor->n_threads];
    executor->retired = pthread_self();
    executor->any_retired = true;
    pthread_mutex_unlock(&executor->lock);
    if (any_before) {
        (void)pthread_join(before, NULL);
    }
}

static void *
worker_main(void *arg)
{
    struct rpcrt__executor *executor = arg;

    /* For top and perf: else it has the name of the thread that started it. */
    (void)prctl(PR_SET_NAME, RPCRT__WORKER_NAME);
    pthread_mutex_lock(&executor->lock);
    if (executor->n_wakes > 0) {
        executor->n_wakes--; /* else somebody woke by himself and took it */
    }
    executor->n_active++;
    for (;;) {
        work(executor);
        executor->n_active--;
        if (executor->ending) {
            break;
        }
        if (executor->n_threads > threads_allowed(executor)) {
            retire(executor);
            return NULL;
        }
        do {
            pthread_cond_wait(&executor->work, &executor->lock);
        } while (executor->n_wakes == 0 && !executor->ending);
        if (executor->n_wakes > 0) {
            executor->n_wakes--;
        }
        executor->n_active++;
    }
    pthread_mutex_unlock(&executor->lock);
    return NULL;
}

enum rpcrt_code
rpcrt__executor_new(unsigned threads_max, unsigned away_max,
                    struct rpcrt__executor **ret_executor)
{
    struct rpcrt__executor *executor =
        rpcrt__calloc(1, sizeof *executor + ((size_t)threads_max + away_max) *
                                                sizeof executor->threads[0]);

    if (executor == NULL) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    rpcrt__list_init(&executor->queue);
    executor->threads_max = threads_max;
    executor->away_max = away_max;
    (void)pthread_mutex_init(&executor->lock, NULL);
    (void)pthread_cond_init(&executor->work, NULL);
    if (rpcrt__timer_init(&executor->timer, on_timer, executor) != RPCRT_OK) {
        rpcrt__free(executor);
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_lock(&executor->lock);
    wake_one(executor);
    pthread_mutex_unlock(&executor->lock);
    if (executor->n_threads == 0) {
        rpcrt__executor_free(executor);
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    *ret_executor = executor;
    return RPCRT_OK;
}

void
rpcrt__executor_submit(struct rpcrt__executor *executor,
                       struct rpcrt__list *tasks)
{
    uint64_t now_ns;
    bool lone;

    if (rpcrt__list_empty(tasks)) {
        return;
    }
    now_ns = rpcrt__now_ns();
    pthread_mutex_lock(&executor->lock);
    rpcrt__list_move(tasks, &executor->queue);
    if (executor->n_wakes == 0 &&
        (executor->n_active == 0 || now_ns > executor->started_ns + STUCK_NS)) {
        wake_one(executor);
    }
    /* A lone task with a thread on its way to it needs nobody else, unless the
     * signal is lost, as glibc before 2.41 sometimes does (its bug 25847). */
    lone =
        executor->n_wakes > 0 && executor->queue.next == executor->queue.prev;
    arm(executor, now_ns + (lone ? LOST_NS : STALL_NS));
    pthread_mutex_unlock(&executor->lock);
}

void
rpcrt__executor_leave(struct rpcrt__executor *executor)
{
    pthread_mutex_lock(&executor->lock);
    executor->n_active--;
    executor->n_away++;
    if (!rpcrt__list_empty(&executor->queue) && executor->n_wakes == 0) {
        wake_one(executor);
    }
    pthread_mutex_unlock(&executor->lock);
}

void
rpcrt__executor_return(struct rpcrt__executor *executor)
{
    pthread_mutex_lock(&executor->lock);
    executor->n_away--;
    executor->n_active++;
    pthread_mutex_unlock(&executor->lock);
}

void
rpcrt__executor_free(struct rpcrt__executor *executor)
{
    if (executor == NULL) {
        return;
    }
    rpcrt__timer_fini(&executor->timer);
    pthread_mutex_lock(&executor->lock);
    executor->ending = true;
    pthread_cond_broadcast(&executor->work);
    pthread_mutex_unlock(&executor->lock);
    for (unsigned i = 0; i < executor->n_threads; i++) {
        (void)pthread_join(executor->threads[i], NULL);
    }
    if (executor->any_retired) {
        (void)pthread_join(executor->retired, NULL);
    }
    (void)pthread_cond_destroy(&executor->work);
    (void)pthread_mutex_destroy(&executor->lock);
    rpcrt__free(executor);
}
