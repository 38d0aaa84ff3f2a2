/*
 * Lock and condition: see gate.h.
 */
#include "common/gate.h"

#include <time.h>

#define NS_IN_MS 1000000L
#define NS_IN_S 1000000000L

bool
common_gate_init(struct common_gate *gate)
{
    pthread_condattr_t attr;
    bool ok;

    if (pthread_mutex_init(&gate->lock, NULL) != 0) {
        return false;
    }
    ok = pthread_condattr_init(&attr) == 0;
    if (ok) {
        ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
             pthread_cond_init(&gate->changed, &attr) == 0;
        (void)pthread_condattr_destroy(&attr);
    }
    if (!ok) {
        (void)pthread_mutex_destroy(&gate->lock);
    }
    return ok;
}

void
common_gate_fini(struct common_gate *gate)
{
    (void)pthread_cond_destroy(&gate->changed);
    (void)pthread_mutex_destroy(&gate->lock);
}

void
common_gate_lock(struct common_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
}

void
common_gate_unlock(struct common_gate *gate)
{
    (void)pthread_mutex_unlock(&gate->lock);
}

bool
common_gate_wait(struct common_gate *gate, uint32_t wait_ms)
{
    struct timespec until = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000u);
    until.tv_nsec += (long)(wait_ms % 1000u) * NS_IN_MS;
    if (until.tv_nsec >= NS_IN_S) {
        until.tv_sec++;
        until.tv_nsec -= NS_IN_S;
    }
    return pthread_cond_timedwait(&gate->changed, &gate->lock, &until) == 0;
}

void
common_gate_signal(struct common_gate *gate)
{
    (void)pthread_cond_broadcast(&gate->changed);
}
