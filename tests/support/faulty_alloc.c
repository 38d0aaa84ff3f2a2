/*
 * Blocks come from malloc(), each behind a header with its size, so that what
 * is alive can be counted in bytes.
 */
#include "support/faulty_alloc.h"

#include <rpcrt/alloc.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

struct header {
    alignas(max_align_t) size_t size;
};

static _Atomic uint64_t n_allocations;
static _Atomic uint64_t fail_first = FAULTY_ALLOC_NEVER;
static _Atomic uint64_t fail_last = FAULTY_ALLOC_NEVER;
static atomic_bool has_failed;
static atomic_size_t n_live;
static atomic_size_t live_bytes;

static void *
faulty_alloc(void *arg, size_t size)
{
    uint64_t number = atomic_fetch_add(&n_allocations, 1);
    struct header *header;

    (void)arg;
    if (number >= fail_first && number <= fail_last &&
        fail_first != FAULTY_ALLOC_NEVER) {
        has_failed = true;
        return NULL;
    }
    /* No malloc() has it, but AddressSanitizer's ends the program instead. */
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    header = malloc(sizeof *header + size);
    if (header == NULL) {
        return NULL;
    }
    header->size = size;
    atomic_fetch_add(&n_live, 1);
    atomic_fetch_add(&live_bytes, size);
    return header + 1;
}

static void
faulty_free(void *arg, void *block)
{
    struct header *header = block;

    (void)arg;
    if (header != NULL) {
        header--;
        atomic_fetch_sub(&n_live, 1);
        atomic_fetch_sub(&live_bytes, header->size);
        free(header);
    }
}

static void
fail(uint64_t first, uint64_t last)
{
    fail_first = FAULTY_ALLOC_NEVER;
    has_failed = false;
    n_allocations = 0;
    fail_last = last;
    fail_first = first;
}

void
faulty_alloc_install(void)
{
    static const struct rpcrt_allocator allocator = {faulty_alloc, faulty_free,
                                                     NULL};

    fail(FAULTY_ALLOC_NEVER, FAULTY_ALLOC_NEVER);
    rpcrt_set_allocator(&allocator);
}

void
faulty_alloc_remove(void)
{
    rpcrt_set_allocator(NULL);
}

void
faulty_alloc_fail_at(uint64_t number)
{
    fail(number, number);
}

void
faulty_alloc_fail_from(uint64_t number)
{
    fail(number, FAULTY_ALLOC_NEVER);
}

bool
faulty_alloc_failed(void)
{
    return has_failed;
}

uint64_t
faulty_alloc_count(void)
{
    return n_allocations;
}

size_t
faulty_alloc_live(void)
{
    return n_live;
}

size_t
faulty_alloc_live_bytes(void)
{
    return live_bytes;
}
