/*
 * Each allocation of a channel with a list of servers fails in turn, and each
 * of a change of that list.
 */
#include "balance/fleet.h"

#include "support/faulty_alloc.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
make_and_free(const char *address)
{
    bool made = false;

    for (uint64_t n = 0; !made; n++) {
        struct rpcrt_channel *channel;
        enum rpcrt_code code;

        faulty_alloc_fail_at(n);
        code = rpcrt_channel_new(address, NULL, &channel);
        made = code == RPCRT_OK;
        if (made) {
            rpcrt_channel_free(channel);
        } else {
            cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED, "%s",
                         rpcrt_last_error());
        }
        made = made && !faulty_alloc_failed();
        /* A look-up that runs is not waited for: its thread frees the rest. */
        for (unsigned ms = 0; faulty_alloc_live() != 0 && ms < 5000; ms++) {
            bed_sleep_ms(1);
        }
        cr_assert_eq(faulty_alloc_live(), 0, "allocation %u", (unsigned)n);
    }
}

Test(balance, no_memory_for_a_list_is_told, .timeout = 60)
{
    faulty_alloc_install();
    make_and_free("tcp://127.0.0.1:1,127.0.0.1:2,ipc:///tmp/nobody,"
                  "tcp://127.0.0.1:3,127.0.0.1:4,127.0.0.1:5");
    make_and_free("file:///nowhere/servers");
    make_and_free("dns:///127.0.0.1:1");
    faulty_alloc_remove();
}

static void
write_file(const char *path, const char *text)
{
    char new_path[160];
    FILE *file;

    (void)snprintf(new_path, sizeof new_path, "%s.new", path);
    file = fopen(new_path, "w");
    cr_assert_not_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    cr_assert_eq(rename(new_path, path), 0);
}

Test(balance, no_memory_for_a_change_leaves_the_list, .timeout = 60)
{
    static const struct rpcrt_channel_options options = {
        .resolve_ms = 1, .backoff_ms_min = 1, .backoff_ms_max = 2};
    struct rpcrt_channel_stats stats;
    char folder[] = "/tmp/rpcrt-XXXXXX";
    char path[128];
    char address[160];
    struct fleet fleet;

    faulty_alloc_install();
    fleet_open(&fleet, 2, NULL);
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/servers", folder);
    (void)snprintf(address, sizeof address, "file://%s", path);
    write_file(path, fleet.ships[0].address);
    fleet_dial(&fleet, address, &options);
    rpcrt_call_set_wait_for_ready(fleet.call, true);
    for (unsigned n = 0; n < 20; n++) {
        faulty_alloc_fail_at(n);
        write_file(path, n % 2 == 0 ? fleet.list : fleet.ships[1].address);
        do {
            (void)poll(NULL, 0, 1);
            (void)rpcrt_channel_get_stats(fleet.channel, &stats, NULL, 0);
        } while (stats.n_endpoints != 1 + (n % 2 == 0));
        faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
        cr_assert_eq(fleet_count(&fleet, 3), 3u, "%s",
                     rpcrt_call_message(fleet.call));
    }
    fleet_close(&fleet);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
    (void)unlink(path);
    (void)rmdir(folder);
}
