/*
 * Waiting for a condition with an end on the monotonic clock.
 */
#ifndef RPCRT_CORE_WAIT_H
#define RPCRT_CORE_WAIT_H

#include "core/clock.h"
#include <pthread.h>
#include <stdbool.h>

/* When a wait that begins now ends, for a timeout as of poll(2): negative is
 * for ever. */
uint64_t rpcrt__wait_end_ns(int timeout_ms);

/* Prepare a condition whose waits end by the monotonic clock; false without
 * memory. */
bool rpcrt__cond_init(pthread_cond_t *cond);

/* Wait once, no longer than until then; false when the time is over. */
bool rpcrt__cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock,
                      uint64_t end_ns);

#endif
