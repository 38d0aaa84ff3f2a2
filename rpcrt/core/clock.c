/*
 * The clock and the random numbers of core/clock.h.
 */
#include "core/clock.h"

#include <sys/random.h>
#include <time.h>

uint64_t
rpcrt__now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * RPCRT__MS + (uint64_t)now.tv_nsec;
}

uint64_t
rpcrt__deadline_ns(uint64_t now_ns, uint64_t timeout_ms)
{
    if (timeout_ms == 0 || timeout_ms > (RPCRT__NEVER - now_ns) / RPCRT__MS) {
        return RPCRT__NEVER;
    }
    return now_ns + timeout_ms * RPCRT__MS;
}

uint64_t
rpcrt__random(void)
{
    uint64_t bits = 0;

    /* Eight bytes come whole once the system's pool is seeded; before that the
     * call waits. The clock is a last resort that no Linux reaches. */
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits) {
        bits = rpcrt__now_ns() * UINT64_C(0x9e3779b97f4a7c15);
    }
    return bits;
}
