/*
 * Calls that are started and waited for: one by one, any or all of a completion
 * queue, or by its file descriptor in an event loop of the caller's own.
 */
#include "support/probe.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define N_MANY 5000u
/* What does not happen is waited for that long. */
#define SOON_MS 20

static struct rpcrt_queue *
new_queue(void)
{
    struct rpcrt_queue *queue;

    cr_assert_eq(rpcrt_queue_new(&queue), RPCRT_OK, "%s", rpcrt_last_error());
    return queue;
}

/* Start calls that do not end by themselves. */
static void
start_hanging(struct bed *bed, struct rpcrt_queue *queue,
              struct rpcrt_call **calls, unsigned n_calls)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    for (unsigned i = 0; i < n_calls; i++) {
        calls[i] = bed_call(bed->channel, BED_TIMEOUT_MS);
        probe_hang_start(calls[i], &request, rpcrt_queue_done, queue);
    }
}

static void
free_calls(struct rpcrt_call **calls, unsigned n_calls)
{
    for (unsigned i = 0; i < n_calls; i++) {
        rpcrt_call_free(calls[i]);
    }
}

/* -- one ------------------------------------------------------------------- */

EACH_TRANSPORT(wait, for_one_call_gives_its_reply, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_call *call;
    uint8_t payload;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    cr_assert_eq(rpcrt_call_wait(call, -1), RPCRT_OK, "nothing was started");
    request.payload.data = &payload;
    request.payload.len = 1;
    for (unsigned i = 0; i < 300; i++) {
        payload = (uint8_t)i;
        probe_echo_start(call, &request, NULL, NULL);
        if (i % 3 == 0) {
            while (rpcrt_call_wait(call, 0) != RPCRT_OK) {
            }
        }
        cr_assert_eq(rpcrt_call_wait(call, (int)BED_TIMEOUT_MS), RPCRT_OK);
        expect_ok(call, probe_echo_take(call, &reply));
        cr_assert_eq(reply->payload.data[0], payload);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(wait, for_one_call_ends_in_time_and_the_call_goes_on, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_queue *queue = new_queue();
    atomic_uint n_done = 0;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 3; i++) {
        struct rpcrt_call *call = bed_call(bed.channel, BED_TIMEOUT_MS);

        if (i == 0) {
            probe_hang_start(call, &request, NULL, NULL);
        } else if (i == 1) {
            probe_hang_start(call, &request, bed_done, &n_done);
        } else {
            probe_hang_start(call, &request, rpcrt_queue_done, queue);
        }
        bed_await(&bed.probe.n_hanging, 1);
        cr_assert_eq(rpcrt_call_wait(call, 0), RPCRT_DEADLINE_EXCEEDED);
        cr_assert_eq(rpcrt_call_wait(call, SOON_MS), RPCRT_DEADLINE_EXCEEDED);
        cr_assert_eq(atomic_load(&bed.probe.n_hanging), 1u);
        rpcrt_call_cancel(call);
        cr_assert_eq(rpcrt_call_wait(call, -1), RPCRT_OK);
        cr_assert_eq(rpcrt_call_code(call), RPCRT_CANCELLED);
        bed_await(&bed.probe.n_hanging, 0);
        rpcrt_call_free(call);
    }
    cr_assert_eq(atomic_load(&n_done), 1u);
    cr_assert_eq(rpcrt_queue_size(queue), 0u);
    rpcrt_queue_free(queue);
    bed_close(&bed);
}

EACH_TRANSPORT(wait, for_one_call_outlasts_its_completion, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    atomic_uint n_done = 0;
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (unsigned i = 1; i <= 300; i++) {
        probe_echo_start(call, &request, bed_done, &n_done);
        cr_assert_eq(rpcrt_call_wait(call, -1), RPCRT_OK);
        cr_assert_eq(atomic_load(&n_done), i);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(wait, for_one_of_a_queue_takes_it_out, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_queue *queue = new_queue();
    struct rpcrt_call *calls[2];
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 2; i++) {
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
        probe_echo_start(calls[i], &request, rpcrt_queue_done, queue);
    }
    cr_assert_eq(rpcrt_call_wait(calls[1], -1), RPCRT_OK);
    cr_assert_eq(rpcrt_queue_wait_all(queue, -1), RPCRT_OK);
    cr_assert_eq(rpcrt_queue_next(queue), calls[0]);
    cr_assert_null(rpcrt_queue_next(queue));
    free_calls(calls, 2);
    rpcrt_queue_free(queue);
    bed_close(&bed);
}

/* -- any and all ----------------------------------------------------------- */

EACH_TRANSPORT(queue, gives_each_call_once_with_its_tag, 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_queue *queue = new_queue();
    const Probe__V1__EchoReply *reply;
    struct rpcrt_call *calls[100];
    struct rpcrt_call *call;
    unsigned seen[100] = {0};
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (uint8_t i = 0; i < 100; i++) {
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
        cr_assert_null(rpcrt_call_tag(calls[i]));
        rpcrt_call_set_tag(calls[i], &seen[i]);
        request.payload.data = &i;
        request.payload.len = 1;
        probe_echo_start(calls[i], &request, rpcrt_queue_done, queue);
    }
    while (rpcrt_queue_wait_any(queue, -1, &call) == RPCRT_OK) {
        unsigned *tag = rpcrt_call_tag(call);

        expect_ok(call, probe_echo_take(call, &reply));
        cr_assert_eq(tag, &seen[reply->payload.data[0]]);
        (*tag)++;
    }
    for (unsigned i = 0; i < 100; i++) {
        cr_assert_eq(seen[i], 1u);
    }
    free_calls(calls, 100);
    rpcrt_queue_free(queue);
    bed_close(&bed);
}

EACH_TRANSPORT(queue, gives_calls_in_the_order_in_which_they_end, 60)
{
    static const unsigned order[] = {3, 0, 4, 1, 2};
    struct rpcrt_queue *queue = new_queue();
    struct rpcrt_call *calls[5];
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    start_hanging(&bed, queue, calls, 5);
    bed_await(&bed.probe.n_hanging, 5);
    for (unsigned i = 0; i < 5; i++) {
        rpcrt_call_cancel(calls[order[i]]);
    }
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(rpcrt_queue_wait_any(queue, -1, &call), RPCRT_OK);
        cr_assert_eq(call, calls[order[i]]);
        cr_assert_eq(rpcrt_call_code(call), RPCRT_CANCELLED);
    }
    free_calls(calls, 5);
    rpcrt_queue_free(queue);
    bed_close(&bed);
}

EACH_TRANSPORT(queue, ends_a_wait_in_time, 60)
{
    struct rpcrt_queue *queue = new_queue();
    struct rpcrt_call *calls[2];
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    cr_assert_eq(rpcrt_queue_wait_any(queue, -1, &call), RPCRT_NOT_FOUND);
    cr_assert_eq(rpcrt_queue_wait_all(queue, -1), RPCRT_OK);
    start_hanging(&bed, queue, calls, 2);
    for (int timeout_ms = 0; timeout_ms <= SOON_MS; timeout_ms += SOON_MS) {
        cr_assert_eq(rpcrt_queue_wait_any(queue, timeout_ms, &call),
                     RPCRT_DEADLINE_EXCEEDED);
        cr_assert_eq(rpcrt_queue_wait_all(queue, timeout_ms),
                     RPCRT_DEADLINE_EXCEEDED);
    }
    rpcrt_call_cancel(calls[1]);
    cr_assert_eq(rpcrt_queue_wait_any(queue, 0, &call), RPCRT_OK);
    cr_assert_eq(call, calls[1]);
    cr_assert_eq(rpcrt_queue_wait_all(queue, SOON_MS), RPCRT_DEADLINE_EXCEEDED);
    cr_assert_eq(rpcrt_queue_size(queue), 1u);
    rpcrt_call_cancel(calls[0]);
    cr_assert_eq(rpcrt_queue_wait_all(queue, 0), RPCRT_OK);
    cr_assert_eq(rpcrt_queue_size(queue), 1u);
    free_calls(calls, 2);
    cr_assert_eq(rpcrt_queue_size(queue), 0u);
    rpcrt_queue_free(queue);
    bed_close(&bed);
}

/* Nobody takes them out: the next start and the end of the call do. */
EACH_TRANSPORT(queue, waits_for_all_again_and_again, 60)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    struct rpcrt_queue *queue = new_queue();
    const Probe__V1__EchoReply *reply;
    struct rpcrt_call *calls[20];
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 0; i < 20; i++) {
        calls[i] = bed_call(bed.channel, BED_TIMEOUT_MS);
    }
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 20; i++) {
            request.ms = i % 4;
            probe_wait_start(calls[i], &request, rpcrt_queue_done, queue);
        }
        cr_assert_eq(rpcrt_queue_wait_all(queue, -1), RPCRT_OK);
        cr_assert_eq(rpcrt_queue_size(queue), 20u);
        for (unsigned i = 0; i < 20; i++) {
            expect_ok(calls[i], probe_wait_take(calls[i], &reply));
        }
    }
    free_calls(calls, 20);
    rpcrt_queue_free(queue);
    bed_close(&bed);
}

EACH_TRANSPORT(queue, has_five_thousand_in_flight_from_one_thread, 100)
{
    static struct rpcrt_call *calls[N_MANY];
    const struct rpcrt_server_options options = {.session_calls_max = N_MANY};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_queue *queue = new_queue();
    struct rpcrt_call *call;
    unsigned n_good = 0;
    struct bed bed;

    bed_open(&bed, transport, &options, NULL);
    start_hanging(&bed, queue, calls, N_MANY);
    cr_assert_eq(rpcrt_queue_wait_any(queue, SOON_MS, &call),
                 RPCRT_DEADLINE_EXCEEDED);
    cr_assert_eq(rpcrt_queue_size(queue), N_MANY);
    rpcrt_queue_cancel(queue);
    while (rpcrt_queue_wait_any(queue, -1, &call) == RPCRT_OK) {
        cr_assert_eq(rpcrt_call_code(call), RPCRT_CANCELLED);
        probe_echo_start(call, &request, rpcrt_queue_done, queue);
        if (++n_good == N_MANY) {
            break;
        }
    }
    cr_assert_eq(n_good, N_MANY);
    cr_assert_eq(rpcrt_queue_wait_all(queue, -1), RPCRT_OK);
    while ((call = rpcrt_queue_next(queue)) != NULL) {
        cr_assert_eq(rpcrt_call_code(call), RPCRT_OK, "%s",
                     rpcrt_call_message(call));
        n_good--;
    }
    cr_assert_eq(n_good, 0u);
    free_calls(calls, N_MANY);
    rpcrt_queue_free(queue);
    bed_close(&bed);
}

/* -- an event loop --------------------------------------------------------- */

static bool
is_readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    return poll(&poller, 1, 0) == 1;
}

EACH_TRANSPORT(queue, is_readable_exactly_while_calls_wait_to_be_taken, 60)
{
    struct rpcrt_queue *queue = new_queue();
    struct rpcrt_call *calls[3];
    struct bed bed;
    int fd;
    int again;

    bed_open(&bed, transport, NULL, NULL);
    start_hanging(&bed, queue, calls, 3);
    rpcrt_call_cancel(calls[0]);
    cr_assert_eq(rpcrt_queue_fd(queue, &fd), RPCRT_OK);
    cr_assert_eq(rpcrt_queue_fd(queue, &again), RPCRT_OK);
    cr_assert_eq(fd, again);
    cr_assert(is_readable(fd), "one had ended before it was made");
    rpcrt_call_cancel(calls[1]);
    cr_assert_not_null(rpcrt_queue_next(queue));
    cr_assert(is_readable(fd));
    cr_assert_not_null(rpcrt_queue_next(queue));
    cr_assert_not(is_readable(fd));
    cr_assert_null(rpcrt_queue_next(queue));
    rpcrt_call_cancel(calls[2]);
    cr_assert(is_readable(fd));
    rpcrt_call_free(calls[2]);
    cr_assert_not(is_readable(fd));
    free_calls(calls, 2);
    rpcrt_queue_free(queue);
    bed_close(&bed);
}

#define N_LOOP_CALLS 50u
#define N_LOOP_ROUNDS 40u

/* Take what has ended and start it again; returns how many were taken. */
static unsigned
serve_queue(struct rpcrt_queue *queue, unsigned n_before)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_call *call;
    unsigned n_taken = 0;

    while ((call = rpcrt_queue_next(queue)) != NULL) {
        expect_ok(call, probe_echo_take(call, &reply));
        n_taken++;
        if (n_before + n_taken <= N_LOOP_CALLS * (N_LOOP_ROUNDS - 1)) {
            probe_echo_start(call, &request, rpcrt_queue_done, queue);
        }
    }
    return n_taken;
}

/* Beside another source of events, by level and by edge. */
static void
run_epoll(struct bed *bed, uint32_t trigger)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_queue *queue = new_queue();
    struct rpcrt_call *calls[N_LOOP_CALLS];
    struct epoll_event event = {.events = EPOLLIN};
    int poller = epoll_create1(EPOLL_CLOEXEC);
    unsigned n_taken = 0;
    unsigned n_bytes = 0;
    char byte;
    int pipes[2];
    int fd;

    cr_assert_eq(pipe(pipes), 0);
    cr_assert_eq(rpcrt_queue_fd(queue, &fd), RPCRT_OK);
    event.data.fd = pipes[0];
    cr_assert_eq(epoll_ctl(poller, EPOLL_CTL_ADD, pipes[0], &event), 0);
    event.data.fd = fd;
    event.events |= trigger;
    cr_assert_eq(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event), 0);
    for (unsigned i = 0; i < N_LOOP_CALLS; i++) {
        calls[i] = bed_call(bed->channel, BED_TIMEOUT_MS);
        probe_echo_start(calls[i], &request, rpcrt_queue_done, queue);
    }
    while (rpcrt_queue_size(queue) > 0 || n_bytes == 0) {
        cr_assert_eq(epoll_wait(poller, &event, 1, (int)BED_TIMEOUT_MS), 1);
        if (event.data.fd == pipes[0]) {
            cr_assert_eq(read(pipes[0], &byte, 1), 1);
            n_bytes++;
            continue;
        }
        if (n_taken == 0) {
            cr_assert_eq(write(pipes[1], "x", 1), 1);
        }
        n_taken += serve_queue(queue, n_taken);
    }
    cr_assert_eq(n_taken, N_LOOP_CALLS * N_LOOP_ROUNDS);
    cr_assert_eq(n_bytes, 1u);
    free_calls(calls, N_LOOP_CALLS);
    rpcrt_queue_free(queue);
    (void)close(poller);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

EACH_TRANSPORT(queue, is_served_by_an_epoll_loop_with_no_thread_of_its_own, 60)
{
    struct bed bed;

    bed_open(&bed, transport, NULL, NULL);
    run_epoll(&bed, 0);
    run_epoll(&bed, EPOLLET);
    bed_close(&bed);
}

Test(queue, says_when_the_system_has_no_descriptor_left)
{
    struct rpcrt_queue *queue = new_queue();
    struct rlimit limit;
    struct rlimit none;
    int fd = -7;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_expect_eq(rpcrt_queue_fd(queue, &fd), RPCRT_RESOURCE_EXHAUSTED);
    cr_expect_eq(fd, -7);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_not_null(strstr(rpcrt_last_error(), "Too many open files"), "%s",
                       rpcrt_last_error());
    cr_assert_eq(rpcrt_queue_fd(queue, &fd), RPCRT_OK);
    rpcrt_queue_free(queue);
    cr_assert_eq(fcntl(fd, F_GETFD), -1, "the queue closes it");
}
