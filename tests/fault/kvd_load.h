/*
 * A load of writes on kvd, with a journal of what was acknowledged. Each write
 * is a transaction of two keys, so that half of one would be seen.
 */
#ifndef TESTS_FAULT_KVD_LOAD_H
#define TESTS_FAULT_KVD_LOAD_H

#include <rpcrt/rpcrt.h>
#include <stdbool.h>
#include <stdint.h>

#define LOAD_WRITES_MAX 400000u

struct load {
    uint8_t acknowledged[LOAD_WRITES_MAX]; /* by number of the write */
    uint32_t n_started;
    uint64_t revision_max; /* that was acknowledged */
    char store_id[33];
};

/* Run the load against a server until it is stopped by stop(arg), called once
 * after delay_ms of writing; returns when every call has ended. Adds the number
 * of acknowledged writes to *n_acknowledged. */
void load_run(struct load *load, const char *address, uint32_t delay_ms,
              void (*stop)(void *arg), void *arg, uint32_t *n_acknowledged);

/* Check writes from a number on: what was acknowledged is there, nothing is
 * half there, values are right, revisions did not go back. Fails the test. */
void load_check(struct load *load, const char *address, uint32_t first);

#endif
