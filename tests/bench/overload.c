/*
 * How much a server gets done that is asked for more than it can do: calls that
 * cost a millisecond of a processor (or OVERLOAD_COST_US of the environment)
 * and are worth nothing after 50 ms arrive at a steady rate, whether earlier
 * ones were answered or not. Under control the server has one thread for its
 * handlers, so that a second processor is left for all else; but "adaptive"
 * finds out by itself how many it had better use.
 *
 *   overload SECONDS
 *
 * SECONDS is the length of one measurement. Prints for rising rates, without
 * and with overload control, the goodput, calls that were answered in time, and
 * which share of the processor time that the server had went into those: what
 * others take of the processor changes the former more than the latter.
 */
#include "bench/echo.client.h"
#include "bench/echo.server.h"
#include "bench/process.h"

#include <pthread.h>
#include <rpcrt/rpcrt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEADLINE_MS 50u
/* More than can be in flight at the highest rate. */
#define CALLS_MAX 4000u
#define WARM_UP_S 0.5

static unsigned cost_us = 1000;

static const double loads[] = {0.5, 0.8, 1, 1.2, 1.5, 2, 4, 10};
#define N_LOADS (sizeof(loads) / sizeof(loads[0]))

static const struct {
    const char *name;
    struct rpcrt_server_options options;
} servers[] = {
    {"none", {.sessions_max = 0}}, /* every default */
    {"shedding", {.workers_max = 1, .queue_target_ms = 5}},
    {"queue", {.workers_max = 1, .queue_calls_max = 20}},
    {"adaptive", {.queue_target_ms = 5, .running_calls_adapt = true}},
};
#define N_SERVERS (sizeof(servers) / sizeof(servers[0]))

_Noreturn static void
fail(const char *what)
{
    (void)fprintf(stderr, "overload: %s: %s\n", what, rpcrt_last_error());
    exit(EXIT_FAILURE);
}

static uint64_t
clock_us(clockid_t id)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* -- the server, a process of its own -------------------------------------- */

static enum rpcrt_code
work(void *self, struct rpcrt_ctx *ctx, const Bench__EchoRequest *request,
     Bench__EchoReply *reply)
{
    uint64_t end_us = clock_us(CLOCK_THREAD_CPUTIME_ID) + cost_us;

    (void)self;
    (void)ctx;
    (void)request;
    (void)reply;
    while (clock_us(CLOCK_THREAD_CPUTIME_ID) < end_us) {
    }
    return RPCRT_OK;
}

/* Serve until the input ends. */
static void
serve(size_t which)
{
    static const struct echo_service service = {.worker = work};
    struct rpcrt_server_options options = servers[which].options;
    struct rpcrt_server *server;

    options.session_calls_max = 2 * CALLS_MAX;
    if (rpcrt_server_new(&options, &server) != RPCRT_OK ||
        echo_serve(server, &service, NULL) != RPCRT_OK ||
        rpcrt_server_listen(server, "tcp://127.0.0.1:0", NULL) != RPCRT_OK) {
        fail("server");
    }
    printf("%s\n", rpcrt_server_address(server, 0));
    (void)fflush(stdout);
    (void)getchar();
    rpcrt_server_free(server);
}

static const char *program;

static struct process
server_start(size_t which)
{
    char number[8];
    const char *argv[] = {program, "server", number, NULL};

    (void)snprintf(number, sizeof(number), "%zu", which);
    return process_start(program, argv);
}

/* -- the clients ----------------------------------------------------------- */

struct clients {
    clockid_t server_clock; /* processor time of the server */
    struct rpcrt_channel *channel;
    pthread_mutex_t lock; /* of the idle ones */
    struct rpcrt_call *idle[CALLS_MAX];
    unsigned n_idle;
    atomic_bool counting;
    atomic_uint n_good;
    atomic_uint n_refused;
};

static struct clients clients = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
clients_open(struct process *server)
{
    char address[64];

    process_read_line(server, address, sizeof(address));
    if (clock_getcpuclockid(server->pid, &clients.server_clock) != 0) {
        fail("no clock of the server");
    }
    if (rpcrt_channel_new(address, NULL, &clients.channel) != RPCRT_OK) {
        fail("channel");
    }
    for (clients.n_idle = 0; clients.n_idle < CALLS_MAX; clients.n_idle++) {
        if (rpcrt_call_new(clients.channel, DEADLINE_MS,
                           &clients.idle[clients.n_idle]) != RPCRT_OK) {
            fail("call");
        }
    }
}

static void
pause_us(unsigned us)
{
    struct timespec span = {.tv_sec = 0, .tv_nsec = (long)us * 1000};

    (void)nanosleep(&span, NULL);
}

/* Every call ends at its deadline at the latest. */
static void
clients_await(void)
{
    unsigned n_idle;

    do {
        pause_us(1000);
        pthread_mutex_lock(&clients.lock);
        n_idle = clients.n_idle;
        pthread_mutex_unlock(&clients.lock);
    } while (n_idle < CALLS_MAX);
}

static void
clients_close(void)
{
    while (clients.n_idle > 0) {
        rpcrt_call_free(clients.idle[--clients.n_idle]);
    }
    rpcrt_channel_free(clients.channel);
}

static void
answered(struct rpcrt_call *call, void *arg)
{
    (void)arg;
    if (atomic_load(&clients.counting)) {
        if (rpcrt_call_code(call) == RPCRT_OK) {
            atomic_fetch_add(&clients.n_good, 1);
        } else if (!rpcrt_call_may_have_run(call)) {
            atomic_fetch_add(&clients.n_refused, 1);
        }
    }
    pthread_mutex_lock(&clients.lock);
    clients.idle[clients.n_idle++] = call;
    pthread_mutex_unlock(&clients.lock);
}

/* Start one; nothing if none is idle, which counts as one that failed. */
static void
call_start(void)
{
    Bench__EchoRequest request = BENCH__ECHO_REQUEST__INIT;
    struct rpcrt_call *call = NULL;

    pthread_mutex_lock(&clients.lock);
    if (clients.n_idle > 0) {
        call = clients.idle[--clients.n_idle];
    }
    pthread_mutex_unlock(&clients.lock);
    if (call != NULL) {
        echo_worker_start(call, &request, answered, NULL);
    }
}

/* What came of one rate, a second. */
struct outcome {
    double offered;
    double good;
    double refused;
    double useful; /* of the server's processor time */
};

static struct outcome
offer(double per_s, double seconds)
{
    uint64_t start_us = clock_us(CLOCK_MONOTONIC);
    uint64_t warm_us = (uint64_t)(WARM_UP_S * 1e6);
    uint64_t end_us = warm_us + (uint64_t)(seconds * 1e6);
    uint64_t passed_us = 0;
    uint64_t n_started = 0;
    uint64_t n_before = 0;
    uint64_t spent_us = 0;

    atomic_store(&clients.n_good, 0);
    atomic_store(&clients.n_refused, 0);
    while (passed_us < end_us) {
        uint64_t due = (uint64_t)((double)passed_us / 1e6 * per_s);

        if (!atomic_load(&clients.counting) && passed_us >= warm_us) {
            atomic_store(&clients.counting, true);
            n_before = n_started;
            spent_us = clock_us(clients.server_clock);
        }
        for (; n_started < due; n_started++) {
            call_start();
        }
        pause_us(50);
        passed_us = clock_us(CLOCK_MONOTONIC) - start_us;
    }
    atomic_store(&clients.counting, false);
    spent_us = clock_us(clients.server_clock) - spent_us;
    clients_await();
    return (struct outcome){
        .offered = (double)(n_started - n_before) / seconds,
        .good = atomic_load(&clients.n_good) / seconds,
        .refused = atomic_load(&clients.n_refused) / seconds,
        .useful = (double)atomic_load(&clients.n_good) * cost_us /
                  (double)(spent_us > 0 ? spent_us : 1)};
}

/* Calls a second of a server that always has a few waiting, and no more. */
static double
measure_capacity(double seconds)
{
    struct process server = server_start(1);
    uint64_t start_us;
    double capacity;

    clients_open(&server);
    (void)offer(100, 0.1);
    atomic_store(&clients.n_good, 0);
    atomic_store(&clients.counting, true);
    start_us = clock_us(CLOCK_MONOTONIC);
    while (clock_us(CLOCK_MONOTONIC) - start_us < (uint64_t)(seconds * 1e6)) {
        unsigned n_running;

        pthread_mutex_lock(&clients.lock);
        n_running = CALLS_MAX - clients.n_idle;
        pthread_mutex_unlock(&clients.lock);
        for (; n_running < 8; n_running++) {
            call_start();
        }
        pause_us(50);
    }
    atomic_store(&clients.counting, false);
    capacity = atomic_load(&clients.n_good) / seconds;
    clients_await();
    clients_close();
    process_end(&server, 0);
    return capacity;
}

/* One line a rate; returns the goodput at the highest, of the best. */
static double
curve(size_t which, double capacity, double seconds)
{
    struct process server = server_start(which);
    double best = 0;
    double last = 0;

    clients_open(&server);
    for (size_t i = 0; i < N_LOADS; i++) {
        struct outcome outcome = offer(loads[i] * capacity, seconds);

        last = outcome.good;
        best = last > best ? last : best;
        printf("%-9s %5.1f x %9.0f %9.0f %9.0f %7.0f %% %7.0f %%\n",
               servers[which].name, loads[i], outcome.offered, outcome.good,
               outcome.refused, 100 * last / best, 100 * outcome.useful);
        (void)fflush(stdout);
    }
    clients_close();
    process_end(&server, 0);
    return best > 0 ? last / best : 0;
}

int
main(int argc, char **argv)
{
    double seconds = argc == 2 ? strtod(argv[1], NULL) : 1;
    double kept[N_SERVERS];
    double capacity;
    const char *cost = getenv("OVERLOAD_COST_US");

    program = argv[0];
    if (cost != NULL) {
        cost_us = (unsigned)strtoul(cost, NULL, 10);
    }
    if (argc == 3) {
        serve(strtoul(argv[2], NULL, 10) % N_SERVERS);
        return EXIT_SUCCESS;
    }
    if (seconds <= 0 || cost_us == 0) {
        (void)fprintf(stderr, "overload: [OVERLOAD_COST_US=1000] overload "
                              "SECONDS\n");
        return 2;
    }
    capacity = measure_capacity(seconds);
    printf("calls of %u us, worth nothing after %u ms; one thread of a "
           "server does %.0f a second\n\n"
           "control        load   offered      good   refused   of best    "
           "useful\n",
           cost_us, DEADLINE_MS, capacity);
    for (size_t i = 0; i < N_SERVERS; i++) {
        kept[i] = curve(i, capacity, seconds);
    }
    printf("\nGoodput at %.0f times the load, of the best:",
           loads[N_LOADS - 1]);
    for (size_t i = 0; i < N_SERVERS; i++) {
        printf(" %s %.0f %%%s", servers[i].name, 100 * kept[i],
               i + 1 < N_SERVERS ? "," : "\n");
    }
    return EXIT_SUCCESS;
}
