/*
 * How fast messages pass at one end of a stream: counted by one thread, after a
 * warm-up, together with the allocations meanwhile.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct meter {
    uint64_t warm_ns; /* the warm-up ends */
    uint64_t end_ns;
    uint64_t n_messages; /* all, the warm-up's too */
    uint64_t began_ns;   /* the measurement; 0: it has not */
    uint64_t began_messages;
    uint64_t began_allocs;
    uint64_t ended_ns;
    uint64_t allocs; /* while it measured */
};

/** Begin now and measure for so long, the warm-up aside. */
void meter_start(struct meter *meter, double seconds);

/** One more message passed; false: that was the last. */
bool meter_count(struct meter *meter);

/** Write "messages_per_s", "allocs_per_message" and "messages" to stdout. */
void meter_print(const struct meter *meter);

#ifdef __cplusplus
}
#endif

#endif
