/*
 * rpcctl load: the same call again and again, from one thread. Closed loop: the
 * next begins when one has ended. Open loop: calls are due at even times,
 * whatever became of those before, and are timed from then: a server that
 * stands still for a second makes all calls late that were due in it.
 */
#include "rpcctl_load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define LATE_NS UINT64_C(1000000)
#define PROGRESS_NS UINT64_C(200000000)
#define CONCURRENCY_CLOSED 16u
#define CONCURRENCY_OPEN 1000u
#define CONCURRENCY_MAX 10000u
#define RATE_MAX 10000000u
#define DURATION_MS 10000u

struct slot {
    struct rpcrt_call *call;
    struct slot *next; /* that is free */
    uint64_t due_ns;
};

struct run {
    struct rpcctl_load *load;
    const ProtobufCMessage *request;
    struct rpcrt_queue *queue;
    int queue_fd;
    struct slot *slots;
    struct slot *free;
    uint64_t begun_ns;
    uint64_t told_ns;
};

static uint64_t
now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* -- starting -------------------------------------------------------------- */

/* When the next call is to begin; UINT64_MAX: none is. */
static uint64_t
next_due_ns(const struct run *run, uint64_t now)
{
    const struct rpcctl_load *load = run->load;
    uint64_t due = now;

    if ((load->count_max > 0 && load->n_started >= load->count_max) ||
        rpcctl_interrupted()) {
        return UINT64_MAX;
    }
    if (load->rate > 0) {
        due =
            run->begun_ns + (uint64_t)((double)load->n_started *
                                       (double)SECOND_NS / (double)load->rate);
    }
    return load->duration_ns > 0 && due - run->begun_ns >= load->duration_ns
               ? UINT64_MAX
               : due;
}

static void
start_due(struct run *run)
{
    struct rpcctl_load *load = run->load;

    while (run->free != NULL) {
        struct slot *slot = run->free;
        uint64_t now = now_ns();
        uint64_t due = next_due_ns(run, now);

        if (due > now) {
            return;
        }
        run->free = slot->next;
        slot->due_ns = due;
        load->n_late += now - due >= LATE_NS ? 1 : 0;
        load->n_started++;
        rpcrt_call_start(slot->call, load->what->method, run->request,
                         rpcrt_queue_done, run->queue);
    }
}

/* -- ending ---------------------------------------------------------------- */

static void
take(struct run *run, struct rpcrt_call *call)
{
    struct rpcctl_load *load = run->load;
    struct slot *slot = rpcrt_call_tag(call);
    const ProtobufCMessage *reply = NULL;
    enum rpcrt_code code = rpcrt_call_take(call, &reply);

    load->n_ended++;
    load->n_codes[(unsigned)code < RPCCTL_CODES ? (unsigned)code
                                                : (unsigned)RPCRT_UNKNOWN]++;
    if (code == RPCRT_OK) {
        rpcctl_histogram_add(&load->times_ns, now_ns() - slot->due_ns);
    } else if (load->failure[0] == '\0') {
        (void)snprintf(load->failure, sizeof load->failure, "%s: %s",
                       rpcrt_code_name(code), rpcrt_call_message(call));
    }
    slot->next = run->free;
    run->free = slot;
}

/* Wait until a call has ended, or something else is to be done. */
static void
wait_ended(struct run *run)
{
    uint64_t now = now_ns();
    uint64_t due =
        run->free != NULL ? next_due_ns(run, now) : now + PROGRESS_NS;
    uint64_t wait = due <= now ? 0 : due - now;
    struct timespec left;
    fd_set files;

    wait = wait < PROGRESS_NS ? wait : PROGRESS_NS;
    left.tv_sec = (time_t)(wait / SECOND_NS);
    left.tv_nsec = (long)(wait % SECOND_NS);
    FD_ZERO(&files);
    FD_SET(run->queue_fd, &files);
    /* poll() would wait for whole milliseconds. */
    (void)pselect(run->queue_fd + 1, &files, NULL, NULL, &left, NULL);
}

static void
run_all(struct run *run)
{
    struct rpcctl_load *load = run->load;

    run->begun_ns = now_ns();
    run->told_ns = run->begun_ns;
    for (;;) {
        struct rpcrt_call *call;
        uint64_t now;

        start_due(run);
        while ((call = rpcrt_queue_next(run->queue)) != NULL) {
            take(run, call);
            start_due(run);
        }
        now = now_ns();
        load->taken_ns = now - run->begun_ns;
        if (load->n_ended == load->n_started &&
            next_due_ns(run, now) == UINT64_MAX) {
            return;
        }
        if (now - run->told_ns >= PROGRESS_NS) {
            run->told_ns = now;
            rpcctl_load_progress(load);
        }
        wait_ended(run);
    }
}

/* -- setting up ------------------------------------------------------------ */

static bool
run_init(struct run *run, struct cli *cli)
{
    uint64_t i;

    run->slots = calloc(run->load->concurrency, sizeof *run->slots);
    if (run->slots == NULL || rpcrt_queue_new(&run->queue) != RPCRT_OK ||
        rpcrt_queue_fd(run->queue, &run->queue_fd) != RPCRT_OK ||
        run->queue_fd >= FD_SETSIZE) {
        (void)cli_fail(cli, "out of memory or files");
        return false;
    }
    for (i = 0; i < run->load->concurrency; i++) {
        struct slot *slot = &run->slots[i];

        if (!rpcctl_call_new(cli, &slot->call)) {
            return false;
        }
        rpcrt_call_set_tag(slot->call, slot);
        slot->next = run->free;
        run->free = slot;
    }
    return true;
}

static void
run_fini(struct run *run)
{
    uint64_t i;

    for (i = 0; run->slots != NULL && i < run->load->concurrency; i++) {
        rpcrt_call_free(run->slots[i].call);
    }
    free(run->slots);
    rpcrt_queue_free(run->queue);
}

static bool
options_read(const struct cli *cli, struct rpcctl_load *load)
{
    const struct rpcctl_options *options = &rpcctl_options;

    load->rate = options->rate;
    load->concurrency = options->concurrency > 0 ? options->concurrency
                        : load->rate > 0         ? CONCURRENCY_OPEN
                                                 : CONCURRENCY_CLOSED;
    load->count_max = options->count;
    load->duration_ns = options->duration_ms * (SECOND_NS / 1000);
    if (load->count_max == 0 && load->duration_ns == 0) {
        load->duration_ns = DURATION_MS * (SECOND_NS / 1000);
    }
    if (load->concurrency > CONCURRENCY_MAX || load->rate > RATE_MAX) {
        (void)cli_usage(cli, "--concurrency goes up to %u, --rate to %u",
                        CONCURRENCY_MAX, RATE_MAX);
        return false;
    }
    return true;
}

static int
run_load(struct cli *cli, struct rpcctl_load *load,
         const ProtobufCMessage *request)
{
    struct run run = {.load = load, .request = request};
    int exit_code = CLI_EXIT_FAILED;

    if (!options_read(cli, load)) {
        return CLI_EXIT_USAGE;
    }
    if (!rpcctl_connect(cli, &exit_code)) {
        return exit_code;
    }
    /* So that the first calls need not wait for the connection. */
    exit_code = rpcctl_health_try(cli);
    rpcctl_interrupt_asks();
    if (exit_code == 0 && run_init(&run, cli)) {
        run_all(&run);
        rpcctl_load_report(cli, load);
        exit_code =
            load->n_codes[RPCRT_OK] == load->n_ended ? 0 : CLI_EXIT_FAILED;
    }
    run_fini(&run);
    return exit_code;
}

int
rpcctl_load(struct cli *cli, int argc, char **argv)
{
    const char *format = rpcctl_options.format;
    struct rpcctl_load *load = calloc(1, sizeof *load);
    struct rpcctl_method what = {NULL, NULL, NULL};
    ProtobufCMessage *request = NULL;
    struct cli_bytes text = {NULL, 0};
    int exit_code = CLI_EXIT_FAILED;

    if (format != NULL && strcmp(format, "json") != 0 &&
        strcmp(format, "text") != 0) {
        exit_code = cli_usage(cli, "-o: expected text or json");
    } else if (load == NULL) {
        (void)cli_fail(cli, "out of memory");
    } else if (rpcctl_method_load(cli, argv[0], &what, &exit_code)) {
        cli->json = cli->json || (format != NULL && *format == 'j');
        load->what = &what;
        if ((what.method->flags & (RPCRT_METHOD_CLIENT_STREAMING |
                                   RPCRT_METHOD_SERVER_STREAMING)) != 0) {
            exit_code = cli_usage(cli, "%s has a stream", argv[0]);
        } else if (rpcctl_body_read(cli, argc - 1, argv + 1, &text,
                                    &exit_code) &&
                   rpcctl_body_parse(cli, what.method->request, what.file,
                                     "request", (const char *)text.data,
                                     text.size, &request, &exit_code)) {
            exit_code = run_load(cli, load, request);
            protobuf_c_message_free_unpacked(request, NULL);
        }
        free(text.data);
        rpcrt_types_free(what.types);
    }
    free(load);
    return exit_code;
}
