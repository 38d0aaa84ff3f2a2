/*
 * Addresses that come and go: a file that changes, and names.
 */
#include "balance/fleet.h"

#include <dirent.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct rpcrt_channel_options watching = {.balancing =
                                                          RPCRT_ROUND_ROBIN,
                                                      .resolve_ms = 10,
                                                      .backoff_ms_min = 10,
                                                      .backoff_ms_max = 50};

/* -- a file ---------------------------------------------------------------- */

struct list {
    char folder[64];
    char path[128];
    char address[160];
};

static void
list_open(struct list *list)
{
    (void)snprintf(list->folder, sizeof list->folder, "/tmp/rpcrt-XXXXXX");
    cr_assert_not_null(mkdtemp(list->folder));
    (void)snprintf(list->path, sizeof list->path, "%s/servers", list->folder);
    (void)snprintf(list->address, sizeof list->address, "file://%s",
                   list->path);
}

static void
list_close(struct list *list)
{
    (void)unlink(list->path);
    (void)rmdir(list->folder);
}

/* Replace the file as its readers expect it. */
static void list_write(struct list *list, const char *format, ...)
    RPCRT_PRINTF(2, 3);

static void
list_write(struct list *list, const char *format, ...)
{
    char path[160];
    va_list args;
    FILE *file;

    (void)snprintf(path, sizeof path, "%s.new", list->path);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    va_start(args, format);
    (void)vfprintf(file, format, args);
    va_end(args);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(rename(path, list->path), 0);
}

static struct rpcrt_channel_stats
stats_of(struct fleet *fleet)
{
    struct rpcrt_channel_stats stats;

    (void)rpcrt_channel_get_stats(fleet->channel, &stats, NULL, 0);
    return stats;
}

static void
await_endpoints(struct fleet *fleet, size_t n)
{
    int64_t until_ms = now_ms() + BED_TIMEOUT_MS;

    while (stats_of(fleet).n_endpoints != n) {
        cr_assert_lt(now_ms(), until_ms, "%zu endpoints instead of %zu",
                     stats_of(fleet).n_endpoints, n);
        (void)poll(NULL, 0, 1);
    }
}

Test(balance, a_file_is_followed, .timeout = 60)
{
    struct fleet fleet;
    struct list list;

    list_open(&list);
    fleet_open(&fleet, 3, NULL);
    list_write(&list, "# all servers\n\n  %s # the first\n",
               fleet.ships[0].address);
    fleet_dial(&fleet, list.address, &watching);
    cr_assert_eq(fleet_count(&fleet, 10), 10u, "%s",
                 rpcrt_call_message(fleet.call));
    cr_assert_eq(fleet_calls(&fleet, 0), 10u);
    list_write(&list, "%s\n%s,%s", fleet.ships[0].address,
               fleet.ships[1].address, fleet.ships[2].address);
    await_endpoints(&fleet, 3);
    fleet_await(&fleet, 3, RPCRT_ENDPOINT_READY, true);
    (void)fleet_calls(&fleet, 1);
    cr_assert_eq(fleet_count(&fleet, 30), 30u);
    cr_assert_eq(fleet_calls(&fleet, 1), 10u);
    fleet_close(&fleet);
    list_close(&list);
}

Test(balance, a_removed_address_drains, .timeout = 60)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_server_stats stats = {.sessions = 1};
    struct rpcrt_call *calls[2];
    atomic_uint n_done = 0;
    struct fleet fleet;
    struct list list;

    list_open(&list);
    fleet_open(&fleet, 2, NULL);
    list_write(&list, "%s", fleet.list);
    fleet_dial(&fleet, list.address, &watching);
    (void)fleet_count(&fleet, 1);
    fleet_await(&fleet, 2, RPCRT_ENDPOINT_READY, false);
    request.ms = 500;
    for (unsigned i = 0; i < 2; i++) {
        calls[i] = bed_call(fleet.channel, BED_TIMEOUT_MS);
        probe_wait_start(calls[i], &request, bed_done, &n_done);
    }
    bed_await(&fleet.ships[0].n_hanging, 1);
    bed_await(&fleet.ships[1].n_hanging, 1);
    list_write(&list, "%s", fleet.ships[0].address);
    await_endpoints(&fleet, 1);
    (void)fleet_calls(&fleet, 1);
    cr_assert_eq(fleet_count(&fleet, 20), 20u);
    cr_assert_eq(fleet_calls(&fleet, 1), 0u);
    cr_assert_eq(atomic_load(&fleet.ships[1].n_hanging), 1u);
    bed_await(&n_done, 2);
    for (unsigned i = 0; i < 2; i++) {
        expect_ok(calls[i], probe_wait_take(calls[i], &reply));
        rpcrt_call_free(calls[i]);
    }
    while (stats.sessions > 0) {
        rpcrt_server_get_stats(fleet.ships[1].server, &stats);
        (void)poll(NULL, 0, 1);
    }
    fleet_close(&fleet);
    list_close(&list);
}

Test(balance, a_broken_file_changes_nothing_and_is_told, .timeout = 60)
{
    static const struct {
        const char *content;
        const char *words;
    } broken[] = {{"nonsense\n", "servers:1: nonsense: begins with none"},
                  {"# nobody\n", "names no server"},
                  {"file:///etc/hosts", "can't be named in a file"},
                  {NULL, "No such file"}};
    struct fleet fleet;
    struct list list;

    list_open(&list);
    fleet_open(&fleet, 2, NULL);
    list_write(&list, "%s", fleet.list);
    fleet_dial(&fleet, list.address, &watching);
    cr_assert_eq(fleet_count(&fleet, 1), 1u);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        int64_t until_ms = now_ms() + BED_TIMEOUT_MS;

        if (broken[i].content == NULL) {
            cr_assert_eq(unlink(list.path), 0);
        } else {
            list_write(&list, "%s", broken[i].content);
        }
        while (strstr(stats_of(&fleet).resolve_error, broken[i].words) ==
               NULL) {
            cr_assert_lt(now_ms(), until_ms, "%s",
                         stats_of(&fleet).resolve_error);
            (void)poll(NULL, 0, 1);
        }
        cr_assert_eq(stats_of(&fleet).n_endpoints, 2u);
        cr_assert_eq(fleet_count(&fleet, 4), 4u);
    }
    list_write(&list, "%s", fleet.ships[1].address);
    await_endpoints(&fleet, 1);
    cr_assert_str_empty(stats_of(&fleet).resolve_error);
    fleet_close(&fleet);
    list_close(&list);
}

Test(balance, a_file_that_is_not_there_yet_is_waited_for, .timeout = 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    struct rpcrt_call *patient;
    atomic_uint n_done = 0;
    struct fleet fleet;
    struct list list;

    list_open(&list);
    fleet_open(&fleet, 1, NULL);
    fleet_dial(&fleet, list.address, &watching);
    expect_code(fleet.call, RPCRT_UNAVAILABLE,
                probe_count(fleet.call, &request, &reply));
    cr_assert_not_null(strstr(rpcrt_call_message(fleet.call), "No such file"),
                       "%s", rpcrt_call_message(fleet.call));
    patient = bed_call(fleet.channel, BED_TIMEOUT_MS);
    rpcrt_call_set_wait_for_ready(patient, true);
    probe_count_start(patient, &request, bed_done, &n_done);
    list_write(&list, "%s", fleet.ships[0].address);
    bed_await(&n_done, 1);
    expect_ok(patient, probe_count_take(patient, &reply));
    rpcrt_call_free(patient);
    fleet_close(&fleet);
    list_close(&list);
}

/* Long before its time, that is. */
Test(balance, a_failure_has_the_list_looked_at_again, .timeout = 60)
{
    static const struct rpcrt_channel_options options = {
        .resolve_ms = 3600000, .backoff_ms_min = 10, .backoff_ms_max = 50};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    atomic_uint n_done = 0;
    char dead[64];
    struct fleet fleet;
    struct list list;

    nobody(dead);
    list_open(&list);
    fleet_open(&fleet, 1, NULL);
    list_write(&list, "%s", dead);
    fleet_dial(&fleet, list.address, &options);
    rpcrt_call_set_wait_for_ready(fleet.call, true);
    probe_count_start(fleet.call, &request, bed_done, &n_done);
    await_endpoints(&fleet, 1);
    while (fleet_stats(&fleet, dead).connects_failed == 0) {
        (void)poll(NULL, 0, 1);
    }
    list_write(&list, "%s", fleet.ships[0].address);
    bed_await(&n_done, 1);
    expect_ok(fleet.call, probe_count_take(fleet.call, &reply));
    fleet_close(&fleet);
    list_close(&list);
}

/* A list that changes all the time under load: no call may suffer. */
Test(balance, changes_disturb_no_call, .timeout = 60)
{
    struct rpcrt_channel_options options = watching;
    struct fleet fleet;
    struct list list;

    list_open(&list);
    options.resolve_ms = 1;
    fleet_open(&fleet, 4, NULL);
    list_write(&list, "%s", fleet.list);
    fleet_dial(&fleet, list.address, &options);
    for (unsigned i = 0; i < 150; i++) {
        list_write(&list, "%s\n%s\n", fleet.ships[i % 4].address,
                   fleet.ships[(i + i / 4) % 4].address);
        cr_assert_eq(fleet_count(&fleet, 10), 10u, "%s",
                     rpcrt_call_message(fleet.call));
    }
    fleet_close(&fleet);
    list_close(&list);
}

/* -- names ----------------------------------------------------------------- */

static const char *
port_of(const struct ship *ship)
{
    return strrchr(ship->address, ':') + 1;
}

Test(balance, a_name_stands_for_all_its_addresses, .timeout = 60)
{
    char address[RPCRT_ADDRESS_SIZE];
    struct fleet fleet;

    fleet_open(&fleet, 1, NULL);
    (void)snprintf(address, sizeof address, "dns:///localhost:%s",
                   port_of(&fleet.ships[0]));
    fleet_dial(&fleet, address, &watching);
    cr_assert_eq(fleet_count(&fleet, 20), 20u, "%s",
                 rpcrt_call_message(fleet.call));
    cr_assert_str_eq(rpcrt_call_peer(fleet.call), fleet.ships[0].address);
    cr_assert_geq(stats_of(&fleet).n_endpoints, 1u);
    fleet_close(&fleet);
}

Test(balance, names_can_be_listed, .timeout = 60)
{
    char address[RPCRT_ADDRESS_SIZE];
    struct fleet fleet;

    fleet_open(&fleet, 2, NULL);
    (void)snprintf(address, sizeof address, "dns:///127.0.0.1:%s,127.0.0.1:%s",
                   port_of(&fleet.ships[0]), port_of(&fleet.ships[1]));
    fleet_dial(&fleet, address, &watching);
    (void)fleet_count(&fleet, 1);
    fleet_await(&fleet, 2, RPCRT_ENDPOINT_READY, false);
    (void)fleet_calls(&fleet, 0);
    cr_assert_eq(fleet_count(&fleet, 10), 10u);
    cr_assert_eq(fleet_calls(&fleet, 0), 5u);
    fleet_close(&fleet);
}

Test(balance, a_name_that_nobody_knows_is_told, .timeout = 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    struct fleet fleet;

    fleet_open(&fleet, 0, NULL);
    fleet_dial(&fleet, "dns:///nobody.invalid:1", NULL);
    expect_code(fleet.call, RPCRT_UNAVAILABLE,
                probe_count(fleet.call, &request, &reply));
    cr_assert_not_null(
        strstr(rpcrt_call_message(fleet.call), "nobody.invalid"));
    fleet_close(&fleet);
}

Test(balance, certificates_are_checked_by_the_name_that_was_looked_up,
     .timeout = 60)
{
    struct rpcrt_channel_options options = {.balancing = RPCRT_PICK_FIRST};
    char address[RPCRT_ADDRESS_SIZE];
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    struct bed bed;
    struct fleet fleet;

    bed_open(&bed, "tls", NULL, NULL);
    bed_tls(&server_tls, &client_tls);
    client_tls.server_name = NULL;
    options.tls = &client_tls;
    fleet_open(&fleet, 0, NULL);
    (void)snprintf(address, sizeof address, "dns:///localhost:%s",
                   strrchr(bed.address, ':') + 1);
    fleet_dial(&fleet, address, &options);
    cr_assert_eq(fleet_count(&fleet, 5), 5u, "%s",
                 rpcrt_call_message(fleet.call));
    fleet_close(&fleet);
    bed_close(&bed);
}

/* -- what it costs --------------------------------------------------------- */

static unsigned
count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned n = 0;

    while (readdir(tasks) != NULL) {
        n++;
    }
    (void)closedir(tasks);
    return n;
}

Test(balance, addresses_that_nobody_needs_cost_no_thread, .timeout = 60)
{
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct fleet fleet;
    unsigned before;

    fleet_open(&fleet, 4, NULL);
    fleet_dial(&fleet, fleet.ships[0].address, NULL);
    cr_assert_eq(fleet_count(&fleet, 1), 1u);
    before = count_threads();
    cr_assert_eq(rpcrt_channel_new(fleet.list, NULL, &channel), RPCRT_OK);
    cr_assert_eq(count_threads(), before);
    call = bed_call(channel, BED_TIMEOUT_MS);
    rpcrt_call_free(fleet.call);
    fleet.call = call;
    cr_assert_eq(fleet_count(&fleet, 1), 1u);
    cr_assert_eq(count_threads(), before + 1);
    rpcrt_call_free(call);
    fleet.call = NULL;
    rpcrt_channel_free(channel);
    cr_assert_eq(count_threads(), before);
    fleet_close(&fleet);
}
