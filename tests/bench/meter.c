/*
 * Counting is cheap: the clock is looked at every few messages only.
 */
#include "bench/meter.h"

#include "bench/allocs.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define LOOK_EVERY 16u
#define WARM_UP_SHARE 0.3

static uint64_t
now_ns(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void
meter_start(struct meter *meter, double seconds)
{
    const struct meter none = {0};

    *meter = none;
    meter->warm_ns = now_ns() + (uint64_t)(seconds * WARM_UP_SHARE * 1e9);
    meter->end_ns = meter->warm_ns + (uint64_t)(seconds * 1e9);
}

bool
meter_count(struct meter *meter)
{
    uint64_t now;

    meter->n_messages++;
    if (meter->n_messages % LOOK_EVERY != 0) {
        return true;
    }
    now = now_ns();
    if (meter->began_ns == 0 && now >= meter->warm_ns) {
        meter->began_ns = now;
        meter->began_messages = meter->n_messages;
        meter->began_allocs = allocs_count();
    }
    if (now < meter->end_ns) {
        return true;
    }
    meter->ended_ns = now;
    meter->allocs = allocs_count() - meter->began_allocs;
    return false;
}

void
meter_print(const struct meter *meter)
{
    double n = (double)(meter->n_messages - meter->began_messages);
    double seconds = (double)(meter->ended_ns - meter->began_ns) / 1e9;

    printf("messages_per_s %.1f\n", n / seconds);
    printf("allocs_per_message %.3f\n", (double)meter->allocs / n);
    printf("messages %" PRIu64 "\n", meter->n_messages);
}
