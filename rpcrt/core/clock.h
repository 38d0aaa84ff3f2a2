/*
 * Time that only goes forward, in nanoseconds, and random numbers.
 */
#ifndef RPCRT_CORE_CLOCK_H
#define RPCRT_CORE_CLOCK_H

#include <stdint.h>

#define RPCRT__MS UINT64_C(1000000)
/* No point in time: later than all. */
#define RPCRT__NEVER UINT64_MAX

/* The monotonic clock. */
uint64_t rpcrt__now_ns(void);

/* A point in time that many milliseconds ahead; 0 ms: never. */
uint64_t rpcrt__deadline_ns(uint64_t now_ns, uint64_t timeout_ms);

/* Unpredictable bits from the system. */
uint64_t rpcrt__random(void);

#endif
