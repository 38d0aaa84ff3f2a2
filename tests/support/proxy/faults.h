/*
 * What is done to one direction of the proxy, as numbers with names: "drop=5".
 * And fate, which decides by the seed what happens to a message. No I/O, no
 * memory, no clock.
 */
#ifndef TESTS_SUPPORT_PROXY_FAULTS_H
#define TESTS_SUPPORT_PROXY_FAULTS_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum proxy_way { PROXY_UP, PROXY_DOWN, PROXY_WAYS }; /* up: to the server */

/* All zero: nothing is done. proxy_fault_names has words for each. */
struct proxy_faults {
    uint64_t latency_ms;
    uint64_t jitter_ms;
    uint64_t bytes_per_s;
    uint64_t blackhole;
    uint64_t slice_bytes;
    /* of 1000 messages; each suffers one of them at most */
    uint64_t drop;
    uint64_t duplicate;
    uint64_t reorder;
    uint64_t corrupt;
    /* which messages of a connection these may hit */
    uint64_t corrupt_within;
    uint64_t spare_messages;
    uint64_t harm_max;
    /* the end of a connection */
    uint64_t close_after_bytes;
    uint64_t close_after_messages;
    uint64_t close_by_reset;
};

#define PROXY_OF 1000u

/* -- by name --------------------------------------------------------------- */

struct proxy_fault_name {
    const char *name; /* "latency-ms" */
    const char *help;
    size_t offset; /* in struct proxy_faults */
    uint64_t max;
};

/* Ends with a NULL name. */
extern const struct proxy_fault_name proxy_fault_names[];

/* The number that a name stands for. */
uint64_t *proxy_faults_at(struct proxy_faults *faults,
                          const struct proxy_fault_name *name);

/* Set what a text like "latency-ms=20,drop=5" says. INVALID_ARGUMENT names the
 * word that is wrong, and leaves what was before it set. */
enum rpcrt_code proxy_faults_read(struct proxy_faults *faults, const char *text,
                                  struct common_error *ret_error);

/* INVALID_ARGUMENT if a number is too large, or the messages to be hit are more
 * than there are. */
enum rpcrt_code proxy_faults_check(const struct proxy_faults *faults,
                                   struct common_error *ret_error);

/* -- fate ------------------------------------------------------------------ */

enum proxy_fate {
    PROXY_PASS,
    PROXY_DROP,
    PROXY_DUPLICATE,
    PROXY_REORDER,
    PROXY_CORRUPT
};

/* Where a message stands. The same place has the same fate, whatever happened
 * before it and whenever it comes. */
struct proxy_place {
    uint64_t seed;
    uint64_t connection; /* from 0, in the order of arrival */
    enum proxy_way way;
    uint64_t message; /* of this way, from 0 */
};

enum proxy_fate proxy_fate_of(const struct proxy_faults *faults,
                              const struct proxy_place *place);

/* A number below `below` (not 0) that belongs to a place; `what` tells numbers
 * of the same place apart. */
uint64_t proxy_dice(const struct proxy_place *place, uint64_t what,
                    uint64_t below);

#endif
