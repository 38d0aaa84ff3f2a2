/*
 * Helpers of the tests of streams.
 */
#include "contract/rpc/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void
script_init(struct script *script, uint32_t n, uint32_t size, uint32_t seed)
{
    *script = (struct script){.message = PROBE__V1__SCRIPT__INIT,
                              .step = PROBE__V1__STEP__INIT};
    script->step.n_replies = n;
    script->step.reply_size = size;
    script->step.seed = seed;
    script->steps[0] = &script->step;
    script->message.steps = script->steps;
    script->message.n_steps = 1;
}

Probe__V1__Step
step_of(uint64_t i, size_t size)
{
    Probe__V1__Step step = PROBE__V1__STEP__INIT;

    step.payload.data = probe_pattern(i);
    step.payload.len = size;
    return step;
}

static size_t
size_of(uint32_t seed, uint64_t i, uint32_t size)
{
    return seed == 0 ? size : probe_size(seed, i, size);
}

void
expect_messages(struct rpcrt_call *call, next_fn *next,
                const struct script *script, uint64_t first, uint64_t n)
{
    const Probe__V1__EchoReply *message = NULL;

    for (uint64_t i = first; i < n; i++) {
        cr_assert(next(call, &message), "message %lu: %s", (unsigned long)i,
                  rpcrt_call_message(call));
        cr_assert_eq(message->payload.len,
                     size_of(script->step.seed, i, script->step.reply_size),
                     "message %lu has %zu bytes", (unsigned long)i,
                     message->payload.len);
        cr_assert(probe_is_pattern(message->payload, i), "message %lu",
                  (unsigned long)i);
    }
}

void
expect_no_more(struct rpcrt_call *call, next_fn *next)
{
    const Probe__V1__EchoReply *message = NULL;

    cr_assert_not(next(call, &message));
    cr_assert_null(message);
}

void
send_messages(struct rpcrt_call *call, send_fn *send, uint64_t first,
              uint64_t n, uint32_t size, uint32_t seed)
{
    for (uint64_t i = first; i < n; i++) {
        Probe__V1__Step step = step_of(i, size_of(seed, i, size));

        cr_assert(send(call, &step), "message %lu", (unsigned long)i);
    }
}

uint64_t
now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

size_t
resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long size, resident;

    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%lu %lu", &size, &resident), 2);
    (void)fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

bool
resident_counts(void)
{
    const char *variant = getenv("VARIANT");

    return variant != NULL && strcmp(variant, "release") == 0;
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

uint64_t
echo_p99_us(struct rpcrt_channel *channel, size_t n)
{
    struct rpcrt_call *call = bed_call(channel, BED_TIMEOUT_MS);
    uint64_t *times = calloc(n, sizeof *times);
    uint64_t p99;

    cr_assert_not_null(times);
    for (size_t i = 0; i < n; i++) {
        uint64_t before = now_us();

        bed_echo(call, 64);
        times[i] = now_us() - before;
    }
    qsort(times, n, sizeof *times, compare);
    p99 = times[n * 99 / 100];
    free(times);
    rpcrt_call_free(call);
    return p99;
}

unsigned long long
await_standstill(atomic_ullong *counter)
{
    unsigned long long last = atomic_load(counter);

    for (unsigned still_ms = 0; still_ms < 300; still_ms += 10) {
        bed_sleep_ms(10);
        if (atomic_load(counter) != last) {
            last = atomic_load(counter);
            still_ms = 0;
        }
    }
    return last;
}
