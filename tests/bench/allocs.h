/*
 * Counts this process's heap allocations, those of its libraries too: each
 * malloc(), calloc(), realloc(), aligned_alloc(), posix_memalign() and C++'s
 * new, which calls malloc(). Frees do not count.
 */
#ifndef BENCH_ALLOCS_H
#define BENCH_ALLOCS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Allocations since the process started. Any thread. */
uint64_t allocs_count(void);

#ifdef __cplusplus
}
#endif

#endif
