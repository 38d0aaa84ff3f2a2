/*
 * Children of protocol/spawn.h. A process with threads can't fork well, least
 * of all under a sanitizer, so a child begins as any program does; a
 * constructor finds in the environment what it is to do. Descriptors it needs
 * have fixed numbers.
 */
#include "protocol/spawn.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000u
#define ENVIRONMENT_MAX 200u

enum { SAY_FD = 120, SHARED_FD = 121 };

extern char **environ;

/* -- in a child ------------------------------------------------------------ */

void
child_start(const char *name, child_fn *fn)
{
    const char *wanted = getenv("TEST_CHILD");
    const char *address = getenv("TEST_CHILD_ADDRESS");
    const char *size = getenv("TEST_CHILD_SHARED");
    void *shared = NULL;

    if (wanted == NULL || strcmp(wanted, name) != 0 || address == NULL ||
        size == NULL) {
        return;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    shared = mmap(NULL, strtoul(size, NULL, 10), PROT_READ | PROT_WRITE,
                  MAP_SHARED, SHARED_FD, 0);
    _exit(shared == MAP_FAILED ? 99 : fn(address, shared));
}

void
child_say(const char *text)
{
    char line[300];
    int n = snprintf(line, sizeof line, "%s\n", text);

    if (write(SAY_FD, line, (size_t)n) != n) {
        _exit(98);
    }
}

/* -- in the test ----------------------------------------------------------- */

void
nursery_open(struct nursery *nursery, const char *name, size_t size)
{
    char path[] = "/tmp/rpcrt-shared-XXXXXX";

    nursery->name = name;
    nursery->size = size > 0 ? size : 1;
    nursery->shared_fd = mkstemp(path);
    cr_assert_geq(nursery->shared_fd, 0);
    (void)unlink(path);
    cr_assert_eq(ftruncate(nursery->shared_fd, (off_t)nursery->size), 0);
    nursery->shared = mmap(NULL, nursery->size, PROT_READ | PROT_WRITE,
                           MAP_SHARED, nursery->shared_fd, 0);
    cr_assert_neq(nursery->shared, MAP_FAILED);
    cr_assert_eq(pipe(nursery->said), 0);
}

void
nursery_close(struct nursery *nursery)
{
    (void)munmap(nursery->shared, nursery->size);
    (void)close(nursery->shared_fd);
    (void)close(nursery->said[0]);
    (void)close(nursery->said[1]);
}

/* This process's environment without what makes it a test's, and the child's
 * orders. */
static void
environment(const struct nursery *nursery, const char *address,
            char orders[3][300], char *ret_environment[ENVIRONMENT_MAX])
{
    size_t n = 0;

    for (char **entry = environ; *entry != NULL && n + 4 < ENVIRONMENT_MAX;
         entry++) {
        if (strncmp(*entry, "BXFI_", 5) != 0) {
            ret_environment[n++] = *entry;
        }
    }
    (void)snprintf(orders[0], 300, "TEST_CHILD=%s", nursery->name);
    (void)snprintf(orders[1], 300, "TEST_CHILD_ADDRESS=%s", address);
    (void)snprintf(orders[2], 300, "TEST_CHILD_SHARED=%zu", nursery->size);
    for (unsigned i = 0; i < 3; i++) {
        ret_environment[n++] = orders[i];
    }
    ret_environment[n] = NULL;
}

pid_t
nursery_spawn(struct nursery *nursery, const char *address)
{
    char program[] = "child";
    char *arguments[] = {program, NULL};
    char *entries[ENVIRONMENT_MAX];
    char orders[3][300];
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int code;

    environment(nursery, address, orders, entries);
    cr_assert_eq(posix_spawn_file_actions_init(&actions), 0);
    (void)posix_spawn_file_actions_adddup2(&actions, nursery->said[1], SAY_FD);
    (void)posix_spawn_file_actions_adddup2(&actions, nursery->shared_fd,
                                           SHARED_FD);
    code =
        posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, entries);
    (void)posix_spawn_file_actions_destroy(&actions);
    cr_assert_eq(code, 0, "%s", strerror(code));
    return pid;
}

void
nursery_hear(struct nursery *nursery, char *text, size_t size)
{
    size_t n = 0;

    while (n + 1 < size) {
        struct pollfd poller = {.fd = nursery->said[0], .events = POLLIN};

        cr_assert_eq(poll(&poller, 1, (int)PATIENCE_MS), 1,
                     "the child says nothing");
        cr_assert_eq(read(nursery->said[0], text + n, 1), 1);
        if (text[n] == '\n') {
            break;
        }
        n++;
    }
    text[n] = '\0';
}

int
child_reap(pid_t pid)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    int status = 0;
    pid_t ended = 0;

    for (unsigned ms = 0; ended == 0; ms++) {
        cr_assert_lt(ms, PATIENCE_MS, "the child does not end");
        ended = waitpid(pid, &status, WNOHANG);
        (void)nanosleep(&nap, NULL);
    }
    cr_assert_eq(ended, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
