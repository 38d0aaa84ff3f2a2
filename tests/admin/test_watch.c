/*
 * Health, watched.
 */
#include "admin/zoo.client.h"
#include "grpc/health/v1/health.client.h"
#include "tests/admin/ground.h"

#include <pthread.h>
#include <stdio.h>

TestSuite(watch);

#define WATCHERS 200u
/* More than a queue takes for one client. */
#define CHANGES 8000u

static struct rpcrt_call *
watch_for(struct ground *ground, const char *service, uint32_t timeout_ms)
{
    struct rpcrt_call *call = bed_call(ground->channel, timeout_ms);
    Grpc__Health__V1__HealthCheckRequest request;

    grpc__health__v1__health_check_request__init(&request);
    request.service = (char *)(uintptr_t)service;
    grpc_health_v1_health_watch_open(call, &request);
    return call;
}

static struct rpcrt_call *
watch(struct ground *ground, const char *service)
{
    return watch_for(ground, service, BED_TIMEOUT_MS);
}

/* The next message; -1 if the call is over. */
static int
next_status(struct rpcrt_call *call)
{
    const Grpc__Health__V1__HealthCheckResponse *message;

    return grpc_health_v1_health_watch_next(call, &message)
               ? (int)message->status
               : -1;
}

#define expect_next(call, status)                                              \
    do {                                                                       \
        int next_ = next_status(call);                                         \
        cr_assert_eq(next_, (int)(status), "%d instead of %d: %s", next_,      \
                     (int)(status), next_ == -1 ? "over" : "");                \
    } while (0)

static void
set(struct ground *ground, const char *service, enum rpcrt_health_status status)
{
    cr_assert_eq(rpcrt_health_set(ground->health, service, status), RPCRT_OK);
}

/* Wait until so many calls are in use at the server. */
static void
await_calls(struct ground *ground, unsigned n)
{
    struct rpcrt_server_stats stats;
    unsigned i;

    for (i = 0; i < BED_TIMEOUT_MS; i++) {
        rpcrt_server_get_stats(ground->server, &stats);
        if (stats.calls_running == n) {
            return;
        }
        bed_sleep_ms(1);
    }
    cr_assert(false, "%u calls instead of %u", stats.calls_running, n);
}

static unsigned
count_threads(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    unsigned n = 0;

    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "Threads: %u", &n);
    }
    (void)fclose(file);
    return n;
}

EACH_GROUND(watch, tells_the_status_at_once_and_every_change, 20)
{
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = watch(&ground, "admin.zoo.Zoo");
    expect_next(call, RPCRT_HEALTH_SERVING);
    set(&ground, "admin.zoo.Zoo", RPCRT_HEALTH_NOT_SERVING);
    expect_next(call, RPCRT_HEALTH_NOT_SERVING);
    set(&ground, "admin.zoo.Zoo", RPCRT_HEALTH_UNKNOWN);
    expect_next(call, RPCRT_HEALTH_UNKNOWN);
    rpcrt_call_free(call);
    ground_close(&ground);
}

EACH_GROUND(watch, is_silent_about_other_services_and_about_no_change, 20)
{
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = watch(&ground, "admin.zoo.Zoo");
    expect_next(call, RPCRT_HEALTH_SERVING);
    set(&ground, "", RPCRT_HEALTH_UNKNOWN);
    set(&ground, "admin.zoo.Zoo", RPCRT_HEALTH_SERVING);
    cr_assert_eq(rpcrt_call_wait_next(call, 50), RPCRT_DEADLINE_EXCEEDED);
    set(&ground, "admin.zoo.Zoo", RPCRT_HEALTH_NOT_SERVING);
    expect_next(call, RPCRT_HEALTH_NOT_SERVING);
    rpcrt_call_free(call);
    ground_close(&ground);
}

EACH_GROUND(watch, of_an_unknown_service_waits_until_it_is_known, 20)
{
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = watch(&ground, "not.yet.Here");
    expect_next(call, RPCRT_HEALTH_SERVICE_UNKNOWN);
    set(&ground, "not.yet.Here", RPCRT_HEALTH_SERVING);
    expect_next(call, RPCRT_HEALTH_SERVING);
    set(&ground, "not.yet.Here", RPCRT_HEALTH_SERVICE_UNKNOWN);
    expect_next(call, RPCRT_HEALTH_SERVICE_UNKNOWN);
    rpcrt_call_free(call);
    ground_close(&ground);
}

/* Queue and window take some messages of who does not read; then no more, and
 * at last the latest. */
EACH_GROUND(watch, a_slow_reader_stops_nobody_and_sees_the_last_state, 120)
{
    struct ground_options options = {.channel = {.stream_window = 64}};
    struct ground ground;
    struct rpcrt_call *slow;
    struct rpcrt_call *quick;
    unsigned n;
    int status;

    ground_open(&ground, transport, &options);
    slow = watch(&ground, "");
    quick = watch(&ground, "");
    expect_next(slow, RPCRT_HEALTH_SERVING);
    expect_next(quick, RPCRT_HEALTH_SERVING);
    for (n = 0; n < CHANGES; n++) {
        status = n % 2 == 0 ? RPCRT_HEALTH_NOT_SERVING : RPCRT_HEALTH_SERVING;
        set(&ground, "", (enum rpcrt_health_status)status);
        expect_next(quick, status);
    }
    set(&ground, "", RPCRT_HEALTH_UNKNOWN);
    expect_next(quick, RPCRT_HEALTH_UNKNOWN);
    for (n = 1; (status = next_status(slow)) != RPCRT_HEALTH_UNKNOWN; n++) {
        cr_assert_neq(status, -1);
    }
    cr_assert_lt(n, CHANGES);
    cr_assert_eq(rpcrt_call_wait_next(slow, 20), RPCRT_DEADLINE_EXCEEDED);
    rpcrt_call_free(slow);
    rpcrt_call_free(quick);
    ground_close(&ground);
}

EACH_GROUND(watch, many_watchers_hold_no_thread, 60)
{
    struct rpcrt_call *calls[WATCHERS];
    struct ground ground;
    unsigned threads;
    unsigned i;

    ground_open(&ground, transport, NULL);
    calls[0] = watch(&ground, "");
    expect_next(calls[0], RPCRT_HEALTH_SERVING);
    threads = count_threads();
    for (i = 1; i < WATCHERS; i++) {
        calls[i] = watch(&ground, i % 2 == 0 ? "" : "admin.zoo.Zoo");
    }
    for (i = 1; i < WATCHERS; i++) {
        expect_next(calls[i], RPCRT_HEALTH_SERVING);
    }
    set(&ground, "", RPCRT_HEALTH_NOT_SERVING);
    for (i = 0; i < WATCHERS; i += 2) {
        expect_next(calls[i], RPCRT_HEALTH_NOT_SERVING);
    }
    bed_sleep_ms(20);
    cr_assert_leq(count_threads(), threads + 40);
    for (i = 0; i < WATCHERS; i++) {
        rpcrt_call_free(calls[i]);
    }
    await_calls(&ground, 0);
    ground_close(&ground);
}

EACH_GROUND(watch, a_watcher_that_leaves_is_let_go, 20)
{
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = watch(&ground, "");
    expect_next(call, RPCRT_HEALTH_SERVING);
    await_calls(&ground, 1);
    rpcrt_call_cancel(call);
    expect_next(call, -1);
    expect_code(call, RPCRT_CANCELLED,
                grpc_health_v1_health_watch_finish(call));
    await_calls(&ground, 0);
    set(&ground, "", RPCRT_HEALTH_NOT_SERVING);
    rpcrt_call_free(call);
    ground_close(&ground);
}

EACH_GROUND(watch, ends_with_its_deadline, 20)
{
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = watch_for(&ground, "", 1000);
    expect_next(call, RPCRT_HEALTH_SERVING);
    expect_next(call, -1);
    expect_code(call, RPCRT_DEADLINE_EXCEEDED,
                grpc_health_v1_health_watch_finish(call));
    await_calls(&ground, 0);
    rpcrt_call_free(call);
    ground_close(&ground);
}

EACH_GROUND(watch, a_draining_server_says_so_and_is_not_kept_waiting, 20)
{
    struct ground ground;
    struct rpcrt_call *call;
    struct rpcrt_call *unknown;

    ground_open(&ground, transport, NULL);
    call = watch(&ground, "admin.zoo.Zoo");
    unknown = watch(&ground, "no.such.Service");
    expect_next(call, RPCRT_HEALTH_SERVING);
    expect_next(unknown, RPCRT_HEALTH_SERVICE_UNKNOWN);
    cr_assert_eq(rpcrt_server_drain(ground.server, BED_TIMEOUT_MS), RPCRT_OK);
    expect_next(call, RPCRT_HEALTH_NOT_SERVING);
    expect_next(call, -1);
    expect_code(call, RPCRT_UNAVAILABLE,
                grpc_health_v1_health_watch_finish(call));
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_HANDLER);
    expect_next(unknown, -1);
    rpcrt_call_free(call);
    rpcrt_call_free(unknown);
    ground_close(&ground);
}

EACH_GROUND(watch, a_server_is_freed_under_its_watchers, 20)
{
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = watch(&ground, "");
    expect_next(call, RPCRT_HEALTH_SERVING);
    rpcrt_server_free(ground.server);
    ground.server = NULL;
    expect_next(call, -1);
    expect_code(call, RPCRT_UNAVAILABLE,
                grpc_health_v1_health_watch_finish(call));
    rpcrt_call_free(call);
    ground_close(&ground);
}

/* -- all at once ----------------------------------------------------------- */

static void *
come_and_go(void *arg)
{
    struct ground *ground = arg;
    unsigned i;

    for (i = 0; i < 60; i++) {
        struct rpcrt_call *call = watch(ground, i % 2 == 0 ? "" : "other");

        if (i % 3 != 0) {
            cr_assert_neq(next_status(call), -1);
        }
        if (i % 5 == 0) {
            rpcrt_call_cancel(call);
        }
        rpcrt_call_free(call);
    }
    return NULL;
}

static void *
change(void *arg)
{
    struct ground *ground = arg;
    unsigned i;

    for (i = 0; i < 2000; i++) {
        set(ground, i % 2 == 0 ? "" : "other",
            (enum rpcrt_health_status)(i / 2 % 4));
    }
    return NULL;
}

EACH_GROUND(watch, watchers_come_and_go_while_everything_changes, 60)
{
    pthread_t threads[4];
    struct ground ground;
    unsigned i;

    ground_open(&ground, transport, NULL);
    for (i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL,
                                    i < 3 ? come_and_go : change, &ground),
                     0);
    }
    for (i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    await_calls(&ground, 0);
    ground_close(&ground);
}
