/*
 * Streams of rpcrt beside those of gRPC C++ and bare nng: each a server and a
 * client process of their own, in turns.
 */
#include "bench/stream_bench.h"

#include "bench/figures.h"
#include "bench/process.h"
#include "bench/results.h"
#include "bench/table.h"

#include <stdlib.h>
#include <string.h>

struct subject {
    const char *name;
    const char *program;
};

static const struct subject subjects[] = {
    {"nng-pour", "stream_nng"},     {"rpcrt-pour", "stream_rpcrt"},
    {"grpc-pour", "stream_grpc"},   {"nng-sink", "stream_nng"},
    {"rpcrt-sink", "stream_rpcrt"}, {"grpc-sink", "stream_grpc"}};
#define N_SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static const unsigned sizes[] = {64, 4096, 1u << 20};
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static double
server_allocs(struct process *server)
{
    char line[64];

    fputs("\n", server->to);
    fflush(server->to);
    process_read_line(server, line, sizeof(line));
    return strtod(line, NULL);
}

static void
keep(const struct subject *subject, unsigned size, const char *output,
     double server_allocs_all)
{
    double per_s = figure_parse(output, "messages_per_s", subject->program);
    double all = figure_parse(output, "messages", subject->program);
    double allocs =
        figure_parse(output, "allocs_per_message", subject->program);

    results_add("stream", "messages_per_s", size, subject->name, per_s);
    results_add("stream", "gb_per_s", size, subject->name, per_s * size / 1e9);
    /* The client's while it measured, the server's over all messages. */
    results_add("stream", "allocs_per_message", size, subject->name,
                allocs + server_allocs_all / all);
}

static void
run(const struct subject *subject, const char *programs, unsigned size,
    double seconds)
{
    struct process server;
    struct process client;
    double allocs;
    char path[512];
    char size_text[16];
    char seconds_text[32];
    char port[64];
    char output[1024];
    const char *serve[] = {path, "server", subject->name, size_text, NULL};
    const char *measure[] = {path,      "client",     subject->name, port,
                             size_text, seconds_text, NULL};

    snprintf(path, sizeof(path), "%s/%s", programs, subject->program);
    snprintf(size_text, sizeof(size_text), "%u", size);
    snprintf(seconds_text, sizeof(seconds_text), "%.3f", seconds);
    server = process_start(path, serve);
    process_read_line(&server, port, sizeof(port));
    allocs = server_allocs(&server);
    client = process_start(path, measure);
    process_read_all(&client, 20 + 3 * (unsigned)seconds, output,
                     sizeof(output));
    process_end(&client, 0);
    allocs = server_allocs(&server) - allocs;
    process_end(&server, 0);
    keep(subject, size, output, allocs);
}

void
stream_bench(const char *programs, double seconds, unsigned rounds)
{
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t s = 0; s < N_SIZES; s++) {
            for (size_t i = 0; i < N_SUBJECTS; i++) {
                size_t at = round % 2 == 0 ? i : N_SUBJECTS - 1 - i;

                run(&subjects[at], programs, sizes[s], seconds);
            }
        }
        fprintf(stderr, "stream: round %u of %u\n", round + 1, rounds);
    }
}

void
table_stream(unsigned rounds, double seconds)
{
    printf("\nstream: one stream, one client and one server process, TCP "
           "loopback; medians of %u x %.1f s.\npour: the server sends, sink: "
           "the client does. nng: a PAIR socket, one message of the transport "
           "each.\nallocs: heap allocations a message, both processes, their "
           "libraries included.\n\n",
           rounds, seconds);
    printf("%9s %-12s %11s %8s %8s %8s\n", "bytes", "subject", "messages/s",
           "GB/s", "x nng", "allocs");
    for (size_t s = 0; s < N_SIZES; s++) {
        for (size_t i = 0; i < N_SUBJECTS; i++) {
            const char *name = subjects[i].name;
            const char *base = strstr(name, "pour") ? "nng-pour" : "nng-sink";

            printf("%9u %-12s", sizes[s], name);
            table_value("stream", "messages_per_s", sizes[s], name, 11, 0);
            table_value("stream", "gb_per_s", sizes[s], name, 8, 3);
            table_ratio("stream", "messages_per_s", sizes[s], name, base);
            table_value("stream", "allocs_per_message", sizes[s], name, 8, 2);
            printf("\n");
        }
    }
}
