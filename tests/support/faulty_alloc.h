/*
 * An allocator that fails when told to, and knows what was not given back. A
 * test installs it, makes the operation fail at its allocation 0, 1, 2, ...
 * until it succeeds, and looks for what was lost:
 *
 *   faulty_alloc_install();
 *   for (n = 0;; n++) {
 *       faulty_alloc_fail_at(n);
 *       code = operation();
 *       if (!faulty_alloc_failed()) {
 *           break;
 *       }
 *       ...
 *       cr_assert_eq(faulty_alloc_live(), 0);
 *   }
 *   faulty_alloc_remove();
 *
 * Any thread may allocate; the functions here are for the test's own.
 */
#ifndef TESTS_FAULTY_ALLOC_H
#define TESTS_FAULTY_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Never, for faulty_alloc_fail_at(). */
#define FAULTY_ALLOC_NEVER UINT64_MAX

/* Make rpcrt use it; counts from 0, fails nothing. */
void faulty_alloc_install(void);

/* Make rpcrt use malloc() again, when it holds nothing any more. */
void faulty_alloc_remove(void);

/* Count from 0 again and fail the allocation with this number; one only. */
void faulty_alloc_fail_at(uint64_t number);

/* As above, and every later one too. */
void faulty_alloc_fail_from(uint64_t number);

/* Whether an allocation has failed since it was last told to. */
bool faulty_alloc_failed(void);

/* Allocations since then, those that failed included. */
uint64_t faulty_alloc_count(void);

/* Blocks and bytes that were not given back. */
size_t faulty_alloc_live(void);
size_t faulty_alloc_live_bytes(void);

#endif
