/*
 * Tables and, under them, the figures that are expected.
 */
#include "bench/table.h"

#include "bench/results.h"

#include <stddef.h>
#include <stdio.h>

static const char *const echo_subjects[] = {
    "nng",  "rpcrt-inline", "rpcrt-worker",       "rpcrt-inline-queue",
    "grpc", "nng-async",    "rpcrt-inline-async", "grpc-async"};
static const unsigned echo_depths[] = {1, 8, 64, 256, 1024};

static const char *const kv_subjects[] = {"rpcrt-kv", "redis-pipeline",
                                          "redis-connections"};
static const unsigned kv_depths[] = {1, 50, 800};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A goal of the bench "echo": a ratio of two subjects' figures. */
struct goal {
    const char *metric;
    unsigned depth;
    const char *subject;
    const char *base;
    double ratio;
    int at_most; /* else at least */
};

static const struct goal goals[] = {
    {"p50_us", 1, "rpcrt-inline", "nng", 1.3, 1},
    {"p50_us", 1, "rpcrt-worker", "nng", 2.0, 1},
    {"calls_per_s", 64, "rpcrt-inline", "grpc", 10, 0},
    {"calls_per_s", 64, "rpcrt-worker", "grpc", 5, 0},
    {"calls_per_s", 1024, "rpcrt-inline", "grpc", 20, 0},
};

void
table_ratio(const char *bench, const char *metric, unsigned depth,
            const char *subject, const char *base)
{
    double value;
    double of;

    if (results_get(bench, metric, depth, subject, &value) &&
        results_get(bench, metric, depth, base, &of) && of > 0) {
        printf(" %8.2f", value / of);
    } else {
        printf(" %8s", "-");
    }
}

void
table_value(const char *bench, const char *metric, unsigned depth,
            const char *subject, int width, int decimals)
{
    double value;

    if (results_get(bench, metric, depth, subject, &value)) {
        printf(" %*.*f", width, decimals, value);
    } else {
        printf(" %*s", width, "-");
    }
}

static void
goals_print(void)
{
    printf("\nExpected:\n");
    for (size_t i = 0; i < COUNT(goals); i++) {
        const struct goal *goal = &goals[i];
        double value;
        double base;
        int good;

        if (!results_get("echo", goal->metric, goal->depth, goal->subject,
                         &value) ||
            !results_get("echo", goal->metric, goal->depth, goal->base,
                         &base)) {
            continue;
        }
        good = goal->at_most ? value / base <= goal->ratio
                             : value / base >= goal->ratio;
        printf("  %-12s %-11s at %4u: %7.2f x %s, %s %.1f: %s\n", goal->subject,
               goal->metric, goal->depth, value / base, goal->base,
               goal->at_most ? "at most" : "at least", goal->ratio,
               good ? "reached" : "SHORT");
    }
}

void
table_echo(unsigned rounds, double seconds)
{
    printf(
        "\necho: 64 bytes, one client and one server process, TCP loopback, "
        "one channel each;\nmedians of %u x %.1f s. One call in flight: a "
        "blocking caller; in \"-async\": callbacks. In \"-queue\" one thread "
        "has all of them, by a\ncompletion queue. allocs: a call's heap "
        "allocations, both processes, their libraries included.\n\n",
        rounds, seconds);
    printf("%9s %-18s %9s %8s %8s %9s %8s %9s %8s\n", "in flight", "subject",
           "calls/s", "x nng", "x grpc", "p50 us", "x nng", "p99 us", "allocs");
    for (size_t d = 0; d < COUNT(echo_depths); d++) {
        unsigned depth = echo_depths[d];

        for (size_t i = 0; i < COUNT(echo_subjects); i++) {
            const char *name = echo_subjects[i];
            double value;

            if (!results_get("echo", "calls_per_s", depth, name, &value)) {
                continue;
            }
            printf("%9u %-18s %9.0f", depth, name, value);
            table_ratio("echo", "calls_per_s", depth, name, "nng");
            table_ratio("echo", "calls_per_s", depth, name, "grpc");
            table_value("echo", "p50_us", depth, name, 9, 1);
            table_ratio("echo", "p50_us", depth, name, "nng");
            table_value("echo", "p99_us", depth, name, 9, 1);
            table_value("echo", "allocs_per_call", depth, name, 8, 2);
            printf("\n");
        }
    }
    goals_print();
}

void
table_kv(unsigned rounds, double seconds)
{
    static const char *const commands[] = {"set", "get"};

    printf("\nkv: engine memory beside redis-server (SET, GET); 64 bytes, "
           "10,000 keys, medians of\n%u x %.1f s. redis-pipeline: one "
           "connection with all commands in flight, its latency\nis that of "
           "a whole batch; redis-connections: one command each.\n\n",
           rounds, seconds);
    printf("%9s %-18s %4s %10s %8s %8s %9s %9s\n", "in flight", "subject", "",
           "calls/s", "x pipel.", "x conn.", "p50 us", "p99 us");
    for (size_t d = 0; d < COUNT(kv_depths); d++) {
        for (size_t c = 0; c < COUNT(commands); c++) {
            for (size_t i = 0; i < COUNT(kv_subjects); i++) {
                const char *name = kv_subjects[i];
                unsigned depth = kv_depths[d];
                char metric[32];

                snprintf(metric, sizeof(metric), "%s_per_s", commands[c]);
                printf("%9u %-18s %4s", depth, name, commands[c]);
                table_value("kv", metric, depth, name, 10, 0);
                table_ratio("kv", metric, depth, name, "redis-pipeline");
                table_ratio("kv", metric, depth, name, "redis-connections");
                snprintf(metric, sizeof(metric), "%s_p50_us", commands[c]);
                table_value("kv", metric, depth, name, 9, 1);
                snprintf(metric, sizeof(metric), "%s_p99_us", commands[c]);
                table_value("kv", metric, depth, name, 9, 1);
                printf("\n");
            }
        }
    }
}
