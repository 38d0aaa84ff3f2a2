/*
 * The program's own malloc() and its relatives: they count, and hand over to
 * the C library's. Each thread counts for itself, so that a program with many
 * allocations pays little for being watched.
 */
#include "bench/allocs.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#define COUNTERS 256u

/* Seen by the shared libraries too. */
#define OVERRIDE __attribute__((visibility("default")))

/* glibc's own entries. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

/* On a cache line of its own. */
struct counter {
    _Alignas(64) atomic_uint_least64_t count;
};

static struct counter counters[COUNTERS];
static atomic_uint n_threads;
/* 0: this thread has none yet. */
static _Thread_local unsigned own;

static void
count_one(void)
{
    struct counter *counter;
    uint64_t count;

    if (own == 0) {
        own = atomic_fetch_add(&n_threads, 1) + 1;
    }
    if (own >= COUNTERS) {
        /* More threads than counters: these share the first. */
        atomic_fetch_add_explicit(&counters[0].count, 1, memory_order_relaxed);
        return;
    }
    counter = &counters[own];
    count = atomic_load_explicit(&counter->count, memory_order_relaxed);
    atomic_store_explicit(&counter->count, count + 1, memory_order_relaxed);
}

uint64_t
allocs_count(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < COUNTERS; i++) {
        sum += atomic_load_explicit(&counters[i].count, memory_order_relaxed);
    }
    return sum;
}

OVERRIDE void *
malloc(size_t size)
{
    count_one();
    return __libc_malloc(size);
}

OVERRIDE void *
calloc(size_t n, size_t size)
{
    count_one();
    return __libc_calloc(n, size);
}

OVERRIDE void *
realloc(void *block, size_t size)
{
    count_one();
    return __libc_realloc(block, size);
}

OVERRIDE void *
aligned_alloc(size_t alignment, size_t size)
{
    count_one();
    return __libc_memalign(alignment, size);
}

OVERRIDE int
posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    void *block;

    count_one();
    block = __libc_memalign(alignment, size);
    if (block == NULL) {
        return ENOMEM;
    }
    *ret_block = block;
    return 0;
}
