/*
 * What was measured: each figure is the median of one sample a round.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdbool.h>

#define RESULTS_ROUNDS_MAX 31u

/** Names are borrowed; they live as long as the program. */
void results_add(const char *bench, const char *metric, unsigned depth,
                 const char *subject, double value);

/** The median; false if nothing was measured. */
bool results_get(const char *bench, const char *metric, unsigned depth,
                 const char *subject, double *ret_value);

/** Write all as JSON: a list of objects with bench, metric, depth, subject,
 * value and unit. False, with errno, if the file can't be written. */
bool results_write(const char *path);

#endif
