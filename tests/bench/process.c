/*
 * fork(), pipes and poll() for child programs.
 */
#include "bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_TIMEOUT_S 20u
#define ARGS_MAX 63u

void
bench_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

/* Its standard error goes to a file, if one is named. */
static bool
log_open(const char *log)
{
    int fd;

    if (log == NULL) {
        return true;
    }
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    return fd >= 0 && dup2(fd, 2) == 2;
}

static void
child_run(const char *path, const char *const *argv, const char *log, int input,
          int output)
{
    char *copy[ARGS_MAX + 1] = {NULL};

    if (!log_open(log) || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 ||
        dup2(input, 0) < 0 || dup2(output, 1) < 0) {
        _exit(127);
    }
    for (int fd = 3; fd < 64; fd++) {
        close(fd);
    }
    for (size_t i = 0; i < ARGS_MAX && argv[i] != NULL; i++) {
        copy[i] = strdup(argv[i]);
    }
    execv(path, copy);
    fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
    _exit(127);
}

struct process
process_start_logged(const char *path, const char *const *argv, const char *log)
{
    struct process process = {.name = path};
    int input[2];
    int output[2];

    fflush(stdout);
    if (pipe(input) != 0 || pipe(output) != 0) {
        bench_fail("pipe: %s", strerror(errno));
    }
    process.pid = fork();
    if (process.pid < 0) {
        bench_fail("fork: %s", strerror(errno));
    }
    if (process.pid == 0) {
        child_run(path, argv, log, input[0], output[1]);
    }
    close(input[0]);
    close(output[1]);
    process.to = fdopen(input[1], "w");
    process.output = output[0];
    if (process.to == NULL) {
        bench_fail("fdopen: %s", strerror(errno));
    }
    return process;
}

struct process
process_start(const char *path, const char *const *argv)
{
    return process_start_logged(path, argv, NULL);
}

static time_t
now_s(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        bench_fail("no clock");
    }
    return now.tv_sec;
}

/* Returns 0 at the end of the output. */
static size_t
read_some(struct process *process, time_t deadline_s, char *text, size_t size)
{
    struct pollfd ready = {.fd = process->output, .events = POLLIN};
    time_t left_s = deadline_s - now_s();
    ssize_t n;

    if (left_s < 0 || poll(&ready, 1, (int)left_s * 1000) <= 0) {
        kill(process->pid, SIGKILL);
        bench_fail("%s: no answer in time", process->name);
    }
    n = read(process->output, text, size);
    if (n < 0) {
        bench_fail("%s: %s", process->name, strerror(errno));
    }
    return (size_t)n;
}

void
process_read_line(struct process *process, char *line, size_t size)
{
    time_t deadline_s = now_s() + (time_t)LINE_TIMEOUT_S;
    size_t length = 0;

    /* Byte by byte, so that nothing behind the line is taken. */
    while (length + 1 < size) {
        if (read_some(process, deadline_s, line + length, 1) == 0) {
            bench_fail("%s ended early", process->name);
        }
        if (line[length] == '\n') {
            break;
        }
        length++;
    }
    line[length] = 0;
}

size_t
process_read_all(struct process *process, unsigned timeout_s, char *text,
                 size_t size)
{
    time_t deadline_s = now_s() + (time_t)timeout_s;
    size_t length = 0;
    size_t n;

    do {
        n = read_some(process, deadline_s, text + length, size - 1 - length);
        length += n;
    } while (n > 0 && length + 1 < size);
    text[length] = 0;
    return length;
}

void
process_end(struct process *process, int terminate)
{
    int status;

    fclose(process->to);
    if (terminate) {
        kill(process->pid, SIGTERM);
    }
    if (waitpid(process->pid, &status, 0) != process->pid) {
        bench_fail("%s: %s", process->name, strerror(errno));
    }
    close(process->output);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        bench_fail("%s ended badly", process->name);
    }
}
