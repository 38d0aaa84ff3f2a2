/*
 * Child programs of the benchmark: started with pipes, read with a time limit,
 * and never left behind. Any trouble ends the benchmark with a message.
 */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct process {
    const char *name; /* for messages; borrowed */
    pid_t pid;
    FILE *to;   /* its stdin */
    int output; /* its stdout */
};

/** Say what went wrong and end the benchmark. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2), noreturn))
#endif
void
bench_fail(const char *format, ...);

/**
 * Start a program. It gets SIGTERM when the benchmark dies.
 *
 * path  the file to run; argv[0] may differ from it
 * argv  ends with NULL
 */
struct process process_start(const char *path, const char *const *argv);

/** The same; what it writes to its standard error is added to a file. */
struct process process_start_logged(const char *path, const char *const *argv,
                                    const char *log);

/** Read one line of its output, without its end; waits 20 s. */
void process_read_line(struct process *process, char *line, size_t size);

/** Read the rest of its output; waits timeout_s. Returns the length. */
size_t process_read_all(struct process *process, unsigned timeout_s, char *text,
                        size_t size);

/** Close its input, send SIGTERM if `terminate`, and wait for its end, which
 * must be a good one. */
void process_end(struct process *process, int terminate);

#endif
