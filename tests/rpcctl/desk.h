/*
 * What a user of rpcctl has before him: a server with the probe service in this
 * process, a file of its descriptors, and the program with its output.
 */
#ifndef TESTS_RPCCTL_DESK_H
#define TESTS_RPCCTL_DESK_H

#include "support/daemon.h"
#include "support/probe.h"

#include <criterion/criterion.h>
#include <rpcrt/health.h>
#include <rpcrt/rpcrt.h>
#include <string.h>
#include <sys/types.h>

struct desk {
    struct bed bed;
    struct rpcrt_health *health;
    char folder[64];
    char set[128]; /* the file of descriptors */
    struct daemon_result result;
};

/* Start the server on a transport, with health and reflection; NULL: none. */
void desk_open(struct desk *desk, const char *transport);
void desk_close(struct desk *desk);

/* Write a file of the folder, and tell its path. */
const char *desk_write(const struct desk *desk, const char *name,
                       const char *text, char ret_path[160]);

/* Run rpcctl with the address, if there is a server, the descriptors, and words
 * that end with NULL; returns the exit code. */
int desk_run(struct desk *desk, const char *input, const char *const *words);

/* The same with nothing but the words. */
int desk_run_bare(struct desk *desk, const char *input,
                  const char *const *words);

/* The same with the address alone, so that types come by reflection. */
int desk_run_reflected(struct desk *desk, const char *input,
                       const char *const *words);

/* A run that goes on: its input is written to, its output read from. */
struct desk_run {
    pid_t pid;
    int in;
    int out;
};

/* Start rpcctl as desk_run_reflected() does. */
void desk_start(struct desk *desk, struct desk_run *run,
                const char *const *words);
/* Read a line of its output, which must come. */
void desk_expect_line(struct desk_run *run, const char *line);
/* Send it a signal (0: none), close its input, and wait; the exit code. */
int desk_end(struct desk_run *run, int signal_number);

#define RPCCTL_REFLECTED(desk, ...)                                            \
    desk_run_reflected(desk, NULL, (const char *const[]){__VA_ARGS__, NULL})
#define RPCCTL(desk, ...)                                                      \
    desk_run(desk, NULL, (const char *const[]){__VA_ARGS__, NULL})
#define RPCCTL_IN(desk, input, ...)                                            \
    desk_run(desk, input, (const char *const[]){__VA_ARGS__, NULL})
#define RPCCTL_BARE(desk, ...)                                                 \
    desk_run_bare(desk, NULL, (const char *const[]){__VA_ARGS__, NULL})

/* Expectations, which show what was printed. */
#define EXPECT_EXIT(desk, wanted, run)                                         \
    do {                                                                       \
        int got_ = (run);                                                      \
        cr_assert_eq(got_, wanted, "exit code %d: %s%s", got_,                 \
                     (desk)->result.out, (desk)->result.err);                  \
    } while (0)
#define EXPECT_OUT(desk, text)                                                 \
    cr_assert_str_eq((desk)->result.out, text, "'%s' '%s'",                    \
                     (desk)->result.out, (desk)->result.err)
#define EXPECT_IN(text, part)                                                  \
    cr_assert_not_null(strstr(text, part), "'%s' is not in '%s'", part, text)
#define EXPECT_NOT_IN(text, part)                                              \
    cr_assert_null(strstr(text, part), "'%s' is in '%s'", part, text)

#endif
