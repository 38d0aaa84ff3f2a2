/*
 * What every program that the benchmark measures has in common:
 *
 *   PROGRAM server NAME DEPTH                serves on a free port of 127.0.0.1
 *   PROGRAM client NAME PORT DEPTH SECONDS   calls it, prints what it measured
 *
 * NAME tells programs that have several ways to do it which one; DEPTH is how
 * many calls will be in flight, or for streams the size of a message. A server
 * prints its port; then it answers each line on stdin with its count of
 * allocations so far, and ends with the input.
 */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "bench/load.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of each request's and each reply's payload. */
#define SUBJECT_PAYLOAD_SIZE 64u
#define SUBJECT_DEPTH_MAX (1u << 20)
/* Budget of each call, where the subject has deadlines. */
#define SUBJECT_TIMEOUT_MS 5000u

struct subject_args {
    const char *name;
    unsigned port;
    unsigned depth;
    double seconds;
};

/** Serves, by subject_serve(), or runs a load and prints it. */
typedef void subject_fn(const struct subject_args *args);

/** The main() of a subject; returns its exit code. */
int subject_main(int argc, char **argv, subject_fn *server, subject_fn *client);

/** Print the port and wait for the end of the input. */
void subject_serve(unsigned port);

/** Say what went wrong and end the program. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2), noreturn))
#endif
void
subject_fail(const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
