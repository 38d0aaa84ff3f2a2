/*
 * The nursery of protocol/spawn.h. Orders are lines "spawn ADDRESS" and
 * "reap PID"; a number comes back for each. What children say has a pipe of its
 * own.
 */
#include "protocol/spawn.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
/* A test has threads of criterion's when it forks; TSan would end the child at
 * its first own. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);

const char *
__tsan_default_options(void)
{
    return "die_after_fork=0";
}
#endif

#define PATIENCE_MS 20000
#define LINE_SIZE 300

static int say_fd = -1;

/* -- lines ------------------------------------------------------------------ */

/* False when the other end is closed or nothing comes. */
static int
read_line(int fd, int patience_ms, char *text, size_t size)
{
    size_t n = 0;

    while (n + 1 < size) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};

        if (poll(&poller, 1, patience_ms) != 1 || read(fd, text + n, 1) != 1) {
            return 0;
        }
        if (text[n] == '\n') {
            break;
        }
        n++;
    }
    text[n] = '\0';
    return 1;
}

static void
write_line(int fd, const char *text)
{
    char line[LINE_SIZE];
    int n = snprintf(line, sizeof line, "%s\n", text);

    if (write(fd, line, (size_t)n) != n) {
        abort();
    }
}

static void
write_number(int fd, long number)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%ld", number);
    write_line(fd, text);
}

/* -- in the nursery --------------------------------------------------------- */

static void
obey(const char *line, int answer_fd, child_fn *fn, void *shared)
{
    if (strncmp(line, "spawn ", 6) == 0) {
        pid_t pid = fork();

        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            _exit(fn(line + 6, shared));
        }
        write_number(answer_fd, pid);
    } else {
        int status = 0;

        (void)waitpid((pid_t)strtol(line + 5, NULL, 10), &status, 0);
        write_number(answer_fd, WIFEXITED(status) ? WEXITSTATUS(status)
                                                  : 128 + WTERMSIG(status));
    }
}

static void
nursery_main(int order_fd, int answer_fd, child_fn *fn, void *shared)
{
    char line[LINE_SIZE];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read_line(order_fd, -1, line, sizeof line)) {
        obey(line, answer_fd, fn, shared);
    }
    _exit(0);
}

void
child_say(const char *text)
{
    write_line(say_fd, text);
}

/* -- in the test ------------------------------------------------------------ */

void
nursery_open(struct nursery *nursery, child_fn *fn, size_t size,
             void **ret_shared)
{
    int to[2];
    int from[2];
    int said[2];
    void *shared = mmap(NULL, size > 0 ? size : 1, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(shared, MAP_FAILED);
    cr_assert_eq(pipe(to), 0);
    cr_assert_eq(pipe(from), 0);
    cr_assert_eq(pipe(said), 0);
    nursery->pid = fork();
    cr_assert_geq(nursery->pid, 0);
    if (nursery->pid == 0) {
        (void)close(to[1]);
        (void)close(from[0]);
        (void)close(said[0]);
        say_fd = said[1];
        nursery_main(to[0], from[1], fn, shared);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    (void)close(said[1]);
    nursery->to_fd = to[1];
    nursery->from_fd = from[0];
    nursery->said_fd = said[0];
    if (ret_shared != NULL) {
        *ret_shared = shared;
    }
}

void
nursery_close(struct nursery *nursery)
{
    (void)close(nursery->to_fd);
    (void)close(nursery->from_fd);
    (void)close(nursery->said_fd);
    (void)waitpid(nursery->pid, NULL, 0);
}

static long
hear_number(struct nursery *nursery)
{
    char line[LINE_SIZE];

    cr_assert(read_line(nursery->from_fd, PATIENCE_MS, line, sizeof line));
    return strtol(line, NULL, 10);
}

pid_t
nursery_spawn(struct nursery *nursery, const char *address)
{
    char line[LINE_SIZE];
    pid_t pid;

    (void)snprintf(line, sizeof line, "spawn %s", address);
    write_line(nursery->to_fd, line);
    pid = (pid_t)hear_number(nursery);
    cr_assert_gt(pid, 0);
    return pid;
}

void
nursery_hear(struct nursery *nursery, char *text, size_t size)
{
    cr_assert(read_line(nursery->said_fd, PATIENCE_MS, text, size));
}

int
nursery_reap(struct nursery *nursery, pid_t pid)
{
    char line[LINE_SIZE];

    (void)snprintf(line, sizeof line, "reap %ld", (long)pid);
    write_line(nursery->to_fd, line);
    return (int)hear_number(nursery);
}
