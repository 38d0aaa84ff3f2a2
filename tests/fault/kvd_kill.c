/*
 * kvd killed in the middle of its work, again and again: what it acknowledged
 * is there when it starts again. (A kill leaves what the kernel has been given;
 * that it was synced, too, is another test's matter.)
 */
#include "support/daemon.h"
#include "tests/fault/kvd_load.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define ROUNDS 100u

static void
kill_it(void *arg)
{
    (void)daemon_end(arg, SIGKILL);
}

static void
start(struct daemon *daemon, const char *folder)
{
    char data[128];
    char listen[128];
    const char *const arguments[] = {"--data",   data,   "--no-auth",
                                     "--listen", listen, NULL};

    (void)snprintf(data, sizeof(data), "%s/data", folder);
    (void)snprintf(listen, sizeof(listen), "ipc://%s/socket", folder);
    cr_assert(daemon_start(daemon, "KVD", arguments, NULL),
              "kvd did not start");
}

Test(kvd, loses_nothing_acknowledged_when_killed, .timeout = 300)
{
    static struct load load;
    struct daemon daemon;
    char folder[64];
    uint32_t n_acknowledged = 0;
    uint32_t first = 0;
    unsigned i;

    srandom(1);
    daemon_folder_make(folder);
    start(&daemon, folder);
    for (i = 0; i < ROUNDS; i++) {
        uint32_t delay_ms = 1 + (uint32_t)random() % 60;

        load_run(&load, daemon.address, delay_ms, kill_it, &daemon,
                 &n_acknowledged);
        start(&daemon, folder);
        load_check(&load, daemon.address, first);
        first = load.n_started;
    }
    load_check(&load, daemon.address, 0);
    cr_assert_gt(n_acknowledged, ROUNDS * 10, "only %u writes", n_acknowledged);
    cr_assert_eq(daemon_end(&daemon, SIGTERM), 0);
    daemon_folder_remove(folder);
}

static void
end_it(void *arg)
{
    int status = daemon_end(arg, SIGTERM);

    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d",
              status);
}

Test(kvd, ends_with_0_after_its_running_calls, .timeout = 120)
{
    static struct load load;
    struct daemon daemon;
    char folder[64];
    uint32_t n_acknowledged = 0;
    uint32_t i;

    daemon_folder_make(folder);
    for (i = 0; i < 5; i++) {
        start(&daemon, folder);
        load_run(&load, daemon.address, 20 + 10 * i, end_it, &daemon,
                 &n_acknowledged);
    }
    start(&daemon, folder);
    load_check(&load, daemon.address, 0);
    cr_assert_gt(n_acknowledged, 0);
    cr_assert_eq(daemon_end(&daemon, SIGTERM), 0);
    daemon_folder_remove(folder);
}
