/*
 * What purchases left in the logs: calls of kvd and paymentd, and what kvd
 * waited for the disk; and what they took of the processors.
 */
#ifndef BENCH_SHOP_COUNT_H
#define BENCH_SHOP_COUNT_H

#include "bench/shop_stack.h"

/** Of all calls with a call id. */
struct shop_counts {
    unsigned calls;         /* of petstored */
    unsigned shop_trips;    /* from petstored to kvd */
    unsigned payment_trips; /* from paymentd to kvd */
    unsigned payments;      /* from petstored to paymentd */
};

/** Read the logs, once the daemons have ended. Calls to kvd are petstored's if
 * they come from where those of SHOP_CART_CALL_ID come from. */
void shop_count_calls(const struct shop_stack *stack, const char *call_id,
                      struct shop_counts *ret_counts);

/** How often kvd has waited for the disk so far, by strace.log: fsync,
 * fdatasync, msync, and writes to files that are opened with O_DSYNC. */
unsigned shop_count_syncs(const struct shop_stack *stack);

/** Seconds of processor that a process has used so far. */
double shop_count_cpu_s(const struct process *process);

#endif
