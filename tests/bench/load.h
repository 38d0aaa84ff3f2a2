/*
 * A closed loop of calls: `depth` slots, each of which starts its next call as
 * soon as the one before is answered. Measures throughput and latency after a
 * warm-up, and counts the allocations meanwhile.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct load;

/** Start a call for a slot, without blocking; on any thread. */
typedef void load_start_fn(void *arg, unsigned slot);

/** Make a call and wait for its answer. */
typedef void load_call_fn(void *arg);

/** Prepare `depth` slots, 1 or more. Ends the program without memory. */
struct load *load_new(unsigned depth);
void load_free(struct load *load);

/** Run the loop for some seconds, the warm-up aside; returns when all calls
 * are answered. */
void load_run(struct load *load, double seconds, load_start_fn *start,
              void *arg);

/** Run one blocking caller, on this thread. */
void load_run_blocking(struct load *load, double seconds, load_call_fn *call,
                       void *arg);

/** Tell that a slot's call was answered. True: start the next one now. */
bool load_answered(struct load *load, unsigned slot);

/** Let a slot's latency count from now on: what it did before was a
 * preparation. */
void load_restart(struct load *load, unsigned slot);

/** Write "calls_per_s", "p50_us", "p99_us", "allocs_per_call" and "calls" (all
 * that were made, the warm-up too) to stdout, one "name value" a line. */
void load_print(const struct load *load);

#ifdef __cplusplus
}
#endif

#endif
