/*
 * A thread that does something again and again: rescuing, expiring, sweeping.
 */
#ifndef SERVICES_COMMON_TICKER_H
#define SERVICES_COMMON_TICKER_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct common_ticker;

/* One round. Called on the ticker's thread; while it returns true the next
 * round follows at once. */
typedef bool common_tick_fn(void *arg);

/* Start; the first round comes at once, the next every_ms after the end of the
 * one before. RESOURCE_EXHAUSTED if no thread can be had. */
RPCRT_MUST_CHECK enum rpcrt_code
common_ticker_start(uint32_t every_ms, common_tick_fn *fn, void *arg,
                    struct common_error *ret_error,
                    struct common_ticker **ret_ticker);

/* Wait for the end of the round that runs, and end. NULL does nothing. */
void common_ticker_stop(struct common_ticker *ticker);

#endif
