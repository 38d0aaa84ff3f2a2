/*
 * Host names that a test decides about, in place of the system's: those that
 * end in ".test". All others are looked up as ever.
 */
#ifndef TESTS_BALANCE_NAMES_H
#define TESTS_BALANCE_NAMES_H

#include <stdatomic.h>

/* What "shop.test" stands for: numbers of the addresses 127.0.0.N, as a bit
 * each. */
extern atomic_uint names_shop;

/* "slow.test" is looked up until this is not 0. */
extern atomic_uint names_answered;

/* Look-ups of "slow.test" that run. */
extern atomic_uint names_running;

#endif
