/*
 * Wake-ups: one thread for the whole process, started with the first timer and
 * ended with the last. A program has few timers (one a channel, one a server),
 * each of which looks after many deadlines by itself.
 */
#ifndef RPCRT_CORE_TIMER_H
#define RPCRT_CORE_TIMER_H

#include "core/error.h"
#include "core/list.h"
#include <stdbool.h>
#include <stdint.h>

/* Runs on the timer thread, without a lock; must not block. Returns the next
 * time to be called, RPCRT__NEVER for none; an earlier one that was set
 * meanwhile counts. */
typedef uint64_t rpcrt__timer_fn(void *arg, uint64_t now_ns);

struct rpcrt__timer {
    struct rpcrt__list node;
    rpcrt__timer_fn *fn;
    void *arg;
    uint64_t due_ns;
};

/* Start looking after a timer, due never. RESOURCE_EXHAUSTED if the thread
 * can't be started. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__timer_init(struct rpcrt__timer *timer, rpcrt__timer_fn *fn, void *arg);

/* Call the function no later than at that time. Any thread, under any lock. */
void rpcrt__timer_set(struct rpcrt__timer *timer, uint64_t due_ns);

/* Stop; the function does not run any more on return. Not from the function,
 * nor under a lock that it takes. */
void rpcrt__timer_fini(struct rpcrt__timer *timer);

#endif
