/*
 * The timer thread of core/timer.h. One mutex guards the list and all due
 * times; the function of a timer runs without it.
 */
#include "core/timer.h"

#include "core/clock.h"
#include <pthread.h>
#include <time.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an earlier due time, or the end */
    pthread_cond_t idle;    /* `running` became NULL, or the thread ended */
    bool changed_ready;     /* `changed` uses the monotonic clock */
    bool started;
    bool ending;
    pthread_t thread;
    unsigned n_timers;
    struct rpcrt__list timers;
    struct rpcrt__timer *running;
    uint64_t wake_ns; /* when the thread will look again */
} timers = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .idle = PTHREAD_COND_INITIALIZER};

/* The timer that is due first, NULL if none ever is. */
static struct rpcrt__timer *
first_due(void)
{
    struct rpcrt__timer *first = NULL;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    RPCRT__LIST_EACH(node, following, &timers.timers)
    {
        struct rpcrt__timer *timer =
            RPCRT__ELEMENT(node, struct rpcrt__timer, node);

        if (timer->due_ns != RPCRT__NEVER &&
            (first == NULL || timer->due_ns < first->due_ns)) {
            first = timer;
        }
    }
    return first;
}

static void
sleep_until(uint64_t due_ns)
{
    timers.wake_ns = due_ns;
    if (due_ns == RPCRT__NEVER) {
        (void)pthread_cond_wait(&timers.changed, &timers.lock);
    } else {
        struct timespec until = {
            .tv_sec = (time_t)(due_ns / (1000 * RPCRT__MS)),
            .tv_nsec = (long)(due_ns % (1000 * RPCRT__MS))};

        (void)pthread_cond_timedwait(&timers.changed, &timers.lock, &until);
    }
    timers.wake_ns = 0;
}

static void
run(struct rpcrt__timer *timer, uint64_t now_ns)
{
    uint64_t next_ns;

    timers.running = timer;
    timer->due_ns = RPCRT__NEVER;
    pthread_mutex_unlock(&timers.lock);
    next_ns = timer->fn(timer->arg, now_ns);
    pthread_mutex_lock(&timers.lock);
    if (next_ns < timer->due_ns) {
        timer->due_ns = next_ns;
    }
    timers.running = NULL;
    pthread_cond_broadcast(&timers.idle);
}

static void *
timer_main(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&timers.lock);
    while (!timers.ending) {
        struct rpcrt__timer *timer = first_due();
        uint64_t now_ns = rpcrt__now_ns();

        if (timer == NULL) {
            sleep_until(RPCRT__NEVER);
        } else if (timer->due_ns > now_ns) {
            sleep_until(timer->due_ns);
        } else {
            run(timer, now_ns);
        }
    }
    pthread_mutex_unlock(&timers.lock);
    return NULL;
}

/* Under the lock. */
static enum rpcrt_code
start_thread(void)
{
    pthread_condattr_t attr;

    if (!timers.changed_ready) {
        if (pthread_condattr_init(&attr) != 0) {
            return RPCRT_RESOURCE_EXHAUSTED;
        }
        (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        timers.changed_ready = pthread_cond_init(&timers.changed, &attr) == 0;
        (void)pthread_condattr_destroy(&attr);
        rpcrt__list_init(&timers.timers);
    }
    if (!timers.changed_ready ||
        pthread_create(&timers.thread, NULL, timer_main, NULL) != 0) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    timers.started = true;
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__timer_init(struct rpcrt__timer *timer, rpcrt__timer_fn *fn, void *arg)
{
    enum rpcrt_code code = RPCRT_OK;

    timer->fn = fn;
    timer->arg = arg;
    timer->due_ns = RPCRT__NEVER;
    rpcrt__list_init(&timer->node);
    pthread_mutex_lock(&timers.lock);
    while (timers.ending) {
        pthread_cond_wait(&timers.idle, &timers.lock);
    }
    if (!timers.started) {
        code = start_thread();
    }
    if (code == RPCRT_OK) {
        rpcrt__list_append(&timers.timers, &timer->node);
        timers.n_timers++;
    }
    pthread_mutex_unlock(&timers.lock);
    return code;
}

void
rpcrt__timer_set(struct rpcrt__timer *timer, uint64_t due_ns)
{
    pthread_mutex_lock(&timers.lock);
    if (due_ns < timer->due_ns) {
        timer->due_ns = due_ns;
        if (due_ns < timers.wake_ns) {
            pthread_cond_signal(&timers.changed);
        }
    }
    pthread_mutex_unlock(&timers.lock);
}

void
rpcrt__timer_fini(struct rpcrt__timer *timer)
{
    pthread_t thread;
    bool last;

    pthread_mutex_lock(&timers.lock);
    while (timers.running == timer) {
        pthread_cond_wait(&timers.idle, &timers.lock);
    }
    rpcrt__list_remove(&timer->node);
    last = --timers.n_timers == 0;
    if (last) {
        timers.ending = true;
        thread = timers.thread;
        pthread_cond_signal(&timers.changed);
    }
    pthread_mutex_unlock(&timers.lock);
    if (!last) {
        return;
    }
    (void)pthread_join(thread, NULL);
    pthread_mutex_lock(&timers.lock);
    timers.ending = false;
    timers.started = false;
    pthread_cond_broadcast(&timers.idle);
    pthread_mutex_unlock(&timers.lock);
}
