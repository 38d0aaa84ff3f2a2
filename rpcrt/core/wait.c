/*
 * The conditions of core/wait.h.
 */
#include "core/wait.h"

#include <time.h>

uint64_t
rpcrt__wait_end_ns(int timeout_ms)
{
    if (timeout_ms < 0) {
        return RPCRT__NEVER;
    }
    return rpcrt__now_ns() + (uint64_t)timeout_ms * RPCRT__MS;
}

bool
rpcrt__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    bool made;

    if (pthread_condattr_init(&attr) != 0) {
        return false;
    }
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    made = pthread_cond_init(cond, &attr) == 0;
    (void)pthread_condattr_destroy(&attr);
    return made;
}

bool
rpcrt__cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t end_ns)
{
    struct timespec end;

    if (end_ns == RPCRT__NEVER) {
        return pthread_cond_wait(cond, lock) == 0;
    }
    end.tv_sec = (time_t)(end_ns / (1000 * RPCRT__MS));
    end.tv_nsec = (long)(end_ns % (1000 * RPCRT__MS));
    return pthread_cond_timedwait(cond, lock, &end) == 0;
}
