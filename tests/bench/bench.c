/*
 * The benchmark: runs every subject at every depth, in turns and in several
 * rounds, and writes the medians as tables of ratios and as JSON. Each subject
 * is a server process and a client process, over TCP loopback; see subject.h.
 *
 *   bench PROGRAMS SERVERS SECONDS ROUNDS RESULTS [BENCH]
 *
 * PROGRAMS is the folder of the subjects, SERVERS that of the daemons, SECONDS
 * the length of one measurement, RESULTS the file to write; BENCH leaves out
 * the other benches.
 */
#include "bench/figures.h"
#include "bench/process.h"
#include "bench/redis.h"
#include "bench/results.h"
#include "bench/shop_bench.h"
#include "bench/stream_bench.h"
#include "bench/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    const char *programs;
    const char *servers;
    double seconds;
    unsigned rounds;
};

struct subject {
    const char *name;
    const char *program;
    unsigned depth_max; /* not run above it */
};

static const struct subject subjects[] = {
    {"nng", "nng", 1024},
    {"rpcrt-inline", "rpcrt", 1024},
    {"rpcrt-worker", "rpcrt", 1024},
    {"rpcrt-inline-queue", "rpcrt", 1024},
    {"grpc", "grpc", 1024},
    {"nng-async", "nng", 1},
    {"rpcrt-inline-async", "rpcrt", 1},
    {"grpc-async", "grpc", 1},
};
#define N_SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static const unsigned echo_depths[] = {1, 8, 64, 256, 1024};
static const unsigned kv_depths[] = {1, 50, 800};

static struct figures
client_run(const struct bench *bench, const char *program, const char *name,
           unsigned port, unsigned depth)
{
    struct process client;
    char path[512];
    char port_text[16];
    char depth_text[16];
    char seconds_text[32];
    char output[1024];
    const char *argv[] = {path,       "client",     name, port_text,
                          depth_text, seconds_text, NULL};

    snprintf(path, sizeof(path), "%s/%s", bench->programs, program);
    snprintf(port_text, sizeof(port_text), "%u", port);
    snprintf(depth_text, sizeof(depth_text), "%u", depth);
    snprintf(seconds_text, sizeof(seconds_text), "%.3f", bench->seconds);
    client = process_start(path, argv);
    process_read_all(&client, 20 + 3 * (unsigned)bench->seconds, output,
                     sizeof(output));
    process_end(&client, 0);
    return figures_parse(output, program);
}

static double
server_allocs(struct process *server)
{
    char line[64];

    fputs("\n", server->to);
    fflush(server->to);
    process_read_line(server, line, sizeof(line));
    return strtod(line, NULL);
}

/* -- bench "echo" --------------------------------------------------------- */

static void
echo_run(const struct bench *bench, const struct subject *subject,
         unsigned depth)
{
    struct figures figures;
    struct process server;
    double allocs;
    char path[512];
    char depth_text[16];
    char line[64];
    const char *argv[] = {path, "server", subject->name, depth_text, NULL};

    snprintf(path, sizeof(path), "%s/%s", bench->programs, subject->program);
    snprintf(depth_text, sizeof(depth_text), "%u", depth);
    server = process_start(path, argv);
    process_read_line(&server, line, sizeof(line));
    allocs = server_allocs(&server);
    figures = client_run(bench, subject->program, subject->name,
                         (unsigned)strtoul(line, NULL, 10), depth);
    allocs = server_allocs(&server) - allocs;
    process_end(&server, 0);
    results_add("echo", "calls_per_s", depth, subject->name,
                figures.calls_per_s);
    results_add("echo", "p50_us", depth, subject->name, figures.p50_us);
    results_add("echo", "p99_us", depth, subject->name, figures.p99_us);
    /* The client's while it measured, the server's over all calls. */
    results_add("echo", "allocs_per_call", depth, subject->name,
                figures.allocs_per_call + allocs / figures.calls);
}

static void
echo_bench(const struct bench *bench)
{
    for (unsigned round = 0; round < bench->rounds; round++) {
        for (size_t d = 0; d < sizeof(echo_depths) / sizeof(unsigned); d++) {
            for (size_t i = 0; i < N_SUBJECTS; i++) {
                /* Every other round backwards, so that no subject always
                 * follows the same one. */
                size_t at = round % 2 == 0 ? i : N_SUBJECTS - 1 - i;

                if (echo_depths[d] <= subjects[at].depth_max) {
                    echo_run(bench, &subjects[at], echo_depths[d]);
                }
            }
        }
        fprintf(stderr, "echo: round %u of %u\n", round + 1, bench->rounds);
    }
}

/* -- bench "kv" ----------------------------------------------------------- */

static struct process
kvd_start(const struct bench *bench, unsigned *ret_port)
{
    struct process process;
    char line[512];
    static char path[512]; /* the process's name, too */
    const char *argv[] = {path,        "--engine",          "memory",
                          "--no-auth", "--log-level",       "error",
                          "--listen",  "tcp://127.0.0.1:0", NULL};
    const char *port;

    snprintf(path, sizeof(path), "%s/kvd", bench->servers);
    process = process_start(path, argv);
    process_read_line(&process, line, sizeof(line));
    port = strrchr(line, ':');
    if (port == NULL) {
        bench_fail("kvd printed: %s", line);
    }
    *ret_port = (unsigned)strtoul(port + 1, NULL, 10);
    return process;
}

static void
kv_add(bool set, unsigned depth, const char *subject, double per_s,
       double p50_us, double p99_us)
{
    results_add("kv", set ? "set_per_s" : "get_per_s", depth, subject, per_s);
    results_add("kv", set ? "set_p50_us" : "get_p50_us", depth, subject,
                p50_us);
    results_add("kv", set ? "set_p99_us" : "get_p99_us", depth, subject,
                p99_us);
}

static void
kv_run(const struct bench *bench, bool set, unsigned depth, unsigned kvd_port,
       unsigned redis_port)
{
    struct figures figures =
        client_run(bench, "kv", set ? "kv-set" : "kv-get", kvd_port, depth);
    struct redis_figures redis;

    kv_add(set, depth, "rpcrt-kv", figures.calls_per_s, figures.p50_us,
           figures.p99_us);
    redis = redis_measure(redis_port, set, 1, depth, bench->seconds);
    kv_add(set, depth, "redis-pipeline", redis.per_s, redis.p50_us,
           redis.p99_us);
    redis = redis_measure(redis_port, set, depth, 1, bench->seconds);
    kv_add(set, depth, "redis-connections", redis.per_s, redis.p50_us,
           redis.p99_us);
}

static void
kv_bench(const struct bench *bench)
{
    unsigned kvd_port;
    unsigned redis_port;
    struct process kvd = kvd_start(bench, &kvd_port);
    struct process redis = redis_start(&redis_port);

    for (unsigned round = 0; round < bench->rounds; round++) {
        for (size_t d = 0; d < sizeof(kv_depths) / sizeof(unsigned); d++) {
            kv_run(bench, true, kv_depths[d], kvd_port, redis_port);
            kv_run(bench, false, kv_depths[d], kvd_port, redis_port);
        }
        fprintf(stderr, "kv: round %u of %u\n", round + 1, bench->rounds);
    }
    process_end(&redis, 1);
    process_end(&kvd, 1);
}

/* Other work on the machine falsifies everything. */
static void
load_warn(void)
{
    double load;

    if (getloadavg(&load, 1) == 1 && load > 1.0) {
        printf("\nThe machine was busy with something else (load %.1f): these "
               "figures mean little.\n",
               load);
    }
}

/* -- all together --------------------------------------------------------- */

int
main(int argc, char **argv)
{
    struct bench bench;
    const char *only = argc == 7 ? argv[6] : NULL;

    if (argc != 6 && argc != 7) {
        fprintf(stderr,
                "Usage: %s PROGRAMS SERVERS SECONDS ROUNDS RESULTS "
                "[echo|stream|kv|shop]\n",
                argv[0]);
        return 2;
    }
    bench.programs = argv[1];
    bench.servers = argv[2];
    bench.seconds = strtod(argv[3], NULL);
    bench.rounds = (unsigned)strtoul(argv[4], NULL, 10);
    if (!(bench.seconds > 0) || bench.rounds < 1 ||
        bench.rounds > RESULTS_ROUNDS_MAX) {
        bench_fail("SECONDS above 0, ROUNDS from 1 to %u", RESULTS_ROUNDS_MAX);
    }
    load_warn();
    if (only == NULL || strcmp(only, "echo") == 0) {
        echo_bench(&bench);
        table_echo(bench.rounds, bench.seconds);
    }
    if (only == NULL || strcmp(only, "stream") == 0) {
        stream_bench(bench.programs, bench.seconds, bench.rounds);
        table_stream(bench.rounds, bench.seconds);
    }
    if (only == NULL || strcmp(only, "kv") == 0) {
        kv_bench(&bench);
        table_kv(bench.rounds, bench.seconds);
    }
    if (only == NULL || strcmp(only, "shop") == 0) {
        shop_bench(bench.programs, bench.servers, bench.seconds, bench.rounds);
        table_shop(bench.rounds, bench.seconds);
    }
    if (!results_write(argv[5])) {
        bench_fail("%s: %s", argv[5], strerror(errno));
    }
    printf("\nAll figures: %s\n", argv[5]);
    return 0;
}
