/*
 * rpcctl on a terminal: colours, unless NO_COLOR is set, tables with headings,
 * and a load test that says how far it is.
 */
#define _GNU_SOURCE /* posix_openpt() and the like */

#include "rpcctl/desk.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUT_SIZE 65536u

/* Run rpcctl with a terminal for its output and errors; the exit code. What
 * both have written is in ret_text. */
static int
run(const struct desk *desk, const char *const *words, char ret_text[OUT_SIZE])
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    const char *program = getenv("RPCCTL");
    union {
        const char *in[32];
        char *out[32];
    } argv = {.in = {program, desk->bed.address, "--descriptors", desk->set}};
    size_t size = 0;
    int status = 0;
    ssize_t more;
    pid_t pid;
    size_t i;

    cr_assert(terminal >= 0 && grantpt(terminal) == 0 &&
              unlockpt(terminal) == 0);
    for (i = 0; words[i] != NULL; i++) {
        argv.in[4 + i] = words[i];
    }
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        int fd = open(ptsname(terminal), O_RDWR | O_NOCTTY);

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
        (void)close(fd);
        (void)execv(program, argv.out);
        _exit(127);
    }
    while ((more = read(terminal, ret_text + size, OUT_SIZE - 1 - size)) > 0) {
        size += (size_t)more;
    }
    ret_text[size] = '\0';
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    (void)close(terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#define RUN(desk, text, ...)                                                   \
    run(desk, (const char *const[]){__VA_ARGS__, NULL}, text)

Test(terminal, has_colours_unless_they_are_unwanted, .timeout = 60)
{
    static char text[OUT_SIZE];
    struct desk desk;

    desk_open(&desk, "ipc");
    cr_assert_eq(setenv("TERM", "xterm", 1), 0);
    cr_assert_eq(unsetenv("NO_COLOR"), 0);
    cr_assert_eq(RUN(&desk, text, "call", "Echo", "payload=aGk="), 0);
    EXPECT_IN(text, "\033[34;1m\"payload\"\033[0m: \033[32m\"aGk=\"\033[0m");
    cr_assert_eq(RUN(&desk, text, "call", "Fail", "code:=5"), 69);
    EXPECT_IN(text, "\033[31;1mrpcctl: call: NOT_FOUND");
    cr_assert_eq(setenv("NO_COLOR", "1", 1), 0);
    cr_assert_eq(RUN(&desk, text, "call", "Echo", "payload=aGk=", "-v"), 0);
    EXPECT_NOT_IN(text, "\033");
    cr_assert_eq(setenv("NO_COLOR", "", 1), 0);
    cr_assert_eq(setenv("TERM", "dumb", 1), 0);
    cr_assert_eq(RUN(&desk, text, "call", "Echo", "payload=aGk="), 0);
    EXPECT_NOT_IN(text, "\033");
    desk_close(&desk);
}

Test(terminal, has_headings, .timeout = 60)
{
    static char text[OUT_SIZE];
    struct desk desk;

    desk_open(&desk, "ipc");
    cr_assert_eq(RUN(&desk, text, "ls", "-l"), 0);
    EXPECT_IN(text, "METHOD");
    EXPECT_NOT_IN(text, "\t");
    desk_close(&desk);
}

Test(terminal, sees_how_far_a_load_test_is, .timeout = 60)
{
    static char text[OUT_SIZE];
    struct desk desk;

    desk_open(&desk, "ipc");
    cr_assert_eq(RUN(&desk, text, "load", "Count", "--duration", "700ms",
                     "--concurrency", "2"),
                 0);
    EXPECT_IN(text, " calls  ");
    EXPECT_IN(text, " 0 failed ");
    desk_close(&desk);
}
