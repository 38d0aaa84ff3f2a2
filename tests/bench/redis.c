/*
 * Runs Debian's redis programs. In Debian's redis-tools the server is the same
 * file as redis-check-rdb, told apart by its first argument, so that nothing
 * needs the package that installs a daemon.
 */
#include "bench/redis.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SERVER "/usr/bin/redis-check-rdb"
#define CLIENT "/usr/bin/redis-benchmark"

static struct sockaddr_in
loopback(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static unsigned
free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        bench_fail("no free port");
    }
    close(fd);
    return ntohs(address.sin_port);
}

/* Waits until the port takes connections. */
static void
port_wait(unsigned port)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    struct sockaddr_in address = loopback(port);

    for (unsigned i = 0; i < 500; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int code = connect(fd, (struct sockaddr *)&address, sizeof(address));

        close(fd);
        if (code == 0) {
            return;
        }
        nanosleep(&pause, NULL);
    }
    bench_fail("redis-server does not answer on port %u", port);
}

struct process
redis_start(unsigned *ret_port)
{
    struct process process;
    unsigned port = free_port();
    char port_text[16];
    const char *argv[] = {
        "redis-server", "--port",       port_text, "--bind",
        "127.0.0.1",    "--save",       "",        "--appendonly",
        "no",           "--loglevel",   "warning", "--dir",
        "/tmp",         "--dbfilename", "unused",  NULL};

    snprintf(port_text, sizeof(port_text), "%u", port);
    process = process_start(SERVER, argv);
    port_wait(port);
    *ret_port = port;
    return process;
}

/* A line of its CSV: "test","rps","avg","min","p50","p95","p99","max", times in
 * milliseconds. */
static struct redis_figures
csv_parse(const char *csv, const char *command)
{
    struct redis_figures figures = {0};
    char start[16];
    const char *line;
    double avg, min, p95;

    snprintf(start, sizeof(start), "\"%s\",", command);
    line = strstr(csv, start);
    if (line == NULL ||
        sscanf(line + strlen(start),
               "\"%lf\",\"%lf\",\"%lf\",\"%lf\",\"%lf\",\"%lf\"",
               &figures.per_s, &avg, &min, &figures.p50_us, &p95,
               &figures.p99_us) != 6) {
        bench_fail("redis-benchmark wrote: %s", csv);
    }
    figures.p50_us *= 1e3;
    figures.p99_us *= 1e3;
    return figures;
}

static struct redis_figures
run(unsigned port, bool set, unsigned connections, unsigned pipeline,
    unsigned long requests)
{
    struct process process;
    char port_text[16];
    char connections_text[16];
    char pipeline_text[16];
    char requests_text[24];
    char csv[4096];
    const char *argv[] = {"redis-benchmark",
                          "-p",
                          port_text,
                          "-c",
                          connections_text,
                          "-P",
                          pipeline_text,
                          "-n",
                          requests_text,
                          "-t",
                          set ? "set" : "get",
                          "-d",
                          "64",
                          "-r",
                          "10000",
                          "--csv",
                          "--precision",
                          "3",
                          NULL};

    snprintf(port_text, sizeof(port_text), "%u", port);
    snprintf(connections_text, sizeof(connections_text), "%u", connections);
    snprintf(pipeline_text, sizeof(pipeline_text), "%u", pipeline);
    snprintf(requests_text, sizeof(requests_text), "%lu", requests);
    process = process_start(CLIENT, argv);
    process_read_all(&process, 60, csv, sizeof(csv));
    process_end(&process, 0);
    return csv_parse(csv, set ? "SET" : "GET");
}

struct redis_figures
redis_measure(unsigned port, bool set, unsigned connections, unsigned pipeline,
              double seconds)
{
    unsigned long in_flight = (unsigned long)connections * pipeline;
    /* A short run tells how many requests fill the time. */
    struct redis_figures guess =
        run(port, set, connections, pipeline, 4000 + 10 * in_flight);
    double requests = guess.per_s * seconds;

    if (requests < (double)in_flight) {
        requests = (double)in_flight;
    }
    return run(port, set, connections, pipeline, (unsigned long)requests);
}
