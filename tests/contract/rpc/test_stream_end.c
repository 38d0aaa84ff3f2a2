/*
 * How a stream ends before its time: whoever ends it, the other side is told
 * at once, and nothing hangs.
 */
#include "contract/rpc/stream.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* TSan starts no threads in a process that was forked off one with threads, as
 * criterion's are. */
#if defined(__SANITIZE_THREAD__)
#define CAN_FORK false
#else
#define CAN_FORK true
#endif

/* -- cancel ---------------------------------------------------------------- */

struct killer {
    struct bed *bed;
    struct rpcrt_call *call;
    atomic_uint *counter; /* cancels when that is 1 */
};

static void *
cancel_then(void *arg)
{
    struct killer *killer = arg;

    bed_await(killer->counter, 1);
    rpcrt_call_cancel(killer->call);
    return NULL;
}

static pthread_t
start_killer(struct killer *killer)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, cancel_then, killer), 0);
    return thread;
}

/* After a call has been cancelled, its handler was told, and its channel is
 * as good as before. */
static void
expect_cancelled(struct bed *bed, struct rpcrt_call *call, enum rpcrt_code code)
{
    cr_assert_eq(code, RPCRT_CANCELLED, "%s", rpcrt_call_message(call));
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_LOCAL);
    bed_await(&bed->probe.n_streaming, 0);
    cr_assert_eq(atomic_load(&bed->probe.n_lost), 1);
    bed_echo(call, 100);
}

EACH_TRANSPORT(stream_end, by_cancel_wakes_who_waits_for_a_message, 30)
{
    struct bed bed;
    struct killer killer = {.bed = &bed};
    struct script script;
    pthread_t thread;

    bed_open(&bed, transport, NULL, NULL);
    killer.call = bed_call(bed.channel, 0);
    killer.counter = &bed.probe.n_standing;
    thread = start_killer(&killer);
    script_init(&script, 1, 10, 0);
    script.step.stand = true;
    probe_pour_open(killer.call, &script.message);
    expect_no_more(killer.call, probe_pour_next);
    expect_cancelled(&bed, killer.call, probe_pour_finish(killer.call));
    (void)pthread_join(thread, NULL);
    rpcrt_call_free(killer.call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream_end, by_cancel_wakes_who_waits_to_send, 30)
{
    struct bed bed;
    struct killer killer = {.bed = &bed};
    Probe__V1__Step step = step_of(0, 60000);
    const Probe__V1__SumReply *reply = NULL;
    pthread_t thread;

    bed_open(&bed, transport, NULL, NULL);
    killer.call = bed_call(bed.channel, 0);
    killer.counter = &bed.probe.n_standing;
    thread = start_killer(&killer);
    step.stand = true;
    probe_sum_open(killer.call);
    while (probe_sum_send(killer.call, &step)) {
    }
    cr_assert_not(probe_sum_send(killer.call, &step));
    expect_cancelled(&bed, killer.call, probe_sum_finish(killer.call, &reply));
    cr_assert_null(reply);
    (void)pthread_join(thread, NULL);
    rpcrt_call_free(killer.call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream_end, by_cancel_wakes_a_handler_that_waits, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, 0);
    probe_chat_open(call); /* waits to receive */
    send_messages(call, probe_chat_send, 0, 1, 10, 0);
    script_init(&script, 0, 10, 0);
    expect_messages(call, probe_chat_next, &script, 0, 1);
    rpcrt_call_cancel(call);
    expect_cancelled(&bed, call, probe_chat_finish(call));

    atomic_store(&bed.probe.n_lost, 0);
    script_init(&script, UINT32_MAX, 60000, 0); /* waits to send */
    probe_pour_open(call, &script.message);
    (void)await_standstill(&bed.probe.n_poured);
    rpcrt_call_cancel(call);
    expect_cancelled(&bed, call, probe_pour_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream_end, by_free_is_a_cancel, 30)
{
    struct bed bed;
    struct rpcrt_call *call;

    bed_open(&bed, transport, NULL, NULL);
    for (unsigned i = 1; i <= 20; i++) {
        call = bed_call(bed.channel, 0);
        probe_chat_open(call);
        send_messages(call, probe_chat_send, 0, 5, 1000, 0);
        if (i % 2 == 0) {
            bed_await(&bed.probe.n_streaming, 1);
        }
        rpcrt_call_free(call);
        bed_await(&bed.probe.n_streaming, 0);
    }
    bed_close(&bed);
}

/* -- time ------------------------------------------------------------------ */

EACH_TRANSPORT(stream_end, by_its_deadline_is_told_to_both, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    Probe__V1__Step step = step_of(0, 60000);
    const Probe__V1__SumReply *reply = NULL;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 10); /* so that it stands */
    rpcrt_call_set_timeout(call, 100);

    script_init(&script, 1, 10, 0);
    script.step.stand = true;
    probe_pour_open(call, &script.message);
    expect_no_more(call, probe_pour_next);
    expect_code(call, RPCRT_DEADLINE_EXCEEDED, probe_pour_finish(call));
    bed_await(&bed.probe.n_streaming, 0);
    cr_assert_eq(atomic_load(&bed.probe.n_lost), 1);

    step.stand = true;
    probe_sum_open(call);
    while (probe_sum_send(call, &step)) {
    }
    expect_code(call, RPCRT_DEADLINE_EXCEEDED, probe_sum_finish(call, &reply));
    bed_await(&bed.probe.n_streaming, 0);

    probe_chat_open(call);
    expect_code(
        call, RPCRT_DEADLINE_EXCEEDED,
        (expect_no_more(call, probe_chat_next), probe_chat_finish(call)));
    bed_await(&bed.probe.n_streaming, 0);
    rpcrt_call_set_timeout(call, BED_TIMEOUT_MS);
    bed_echo(call, 10);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- servers that go ------------------------------------------------------- */

EACH_TRANSPORT(stream_end, by_the_end_of_the_server_is_unavailable, 30)
{
    struct bed bed;
    struct rpcrt_call *calls[2];
    struct script script;
    const Probe__V1__SumReply *reply = NULL;
    Probe__V1__Step step = step_of(0, 10);

    bed_open(&bed, transport, NULL, NULL);
    calls[0] = bed_call(bed.channel, BED_TIMEOUT_MS);
    calls[1] = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 1, 10, 0);
    script.step.stand = true;
    probe_pour_open(calls[0], &script.message);
    probe_sum_open(calls[1]);
    cr_assert(probe_sum_send(calls[1], &step));
    bed_await(&bed.probe.n_streaming, 2);
    rpcrt_server_free(bed.server);
    bed.server = NULL;
    expect_no_more(calls[0], probe_pour_next);
    expect_code(calls[0], RPCRT_UNAVAILABLE, probe_pour_finish(calls[0]));
    cr_assert(rpcrt_call_may_have_run(calls[0]));
    expect_code(calls[1], RPCRT_UNAVAILABLE,
                probe_sum_finish(calls[1], &reply));
    cr_assert(rpcrt_call_may_have_run(calls[1]));
    rpcrt_call_free(calls[0]);
    rpcrt_call_free(calls[1]);
    bed_close(&bed);
}

/* A server in a process of its own; tells its address through the pipe. */
static pid_t
fork_server(char *ret_address, size_t size)
{
    int ends[2];
    ssize_t length;
    pid_t pid;

    cr_assert_eq(pipe(ends), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        static struct probe probe;
        struct rpcrt_server *server;
        const char *address;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* if the test fails */
        server = bed_serve(&probe, "tcp://127.0.0.1:0", NULL, NULL);
        address = rpcrt_server_address(server, 0);
        length = write(ends[1], address, strlen(address));
        (void)length;
        for (;;) {
            (void)pause();
        }
    }
    length = read(ends[0], ret_address, size - 1);
    cr_assert_gt(length, 0);
    ret_address[length] = '\0';
    (void)close(ends[0]);
    (void)close(ends[1]);
    return pid;
}

Test(stream_end, by_a_killed_server_is_unavailable, .timeout = 30,
     .disabled = !CAN_FORK)
{
    char address[128];
    pid_t pid = fork_server(address, sizeof address);
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct script script;
    const Probe__V1__EchoReply *message = NULL;

    cr_assert_eq(rpcrt_channel_new(address, NULL, &channel), RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    script_init(&script, UINT32_MAX, 1000, 0);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 100);
    (void)kill(pid, SIGKILL);
    while (probe_pour_next(call, &message)) {
    }
    expect_code(call, RPCRT_UNAVAILABLE, probe_pour_finish(call));
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_TRANSPORT);
    cr_assert(rpcrt_call_may_have_run(call));
    cr_assert_not_null(strstr(rpcrt_call_message(call), address), "%s",
                       rpcrt_call_message(call));
    (void)waitpid(pid, NULL, 0);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
}

EACH_TRANSPORT(stream_end, without_a_server_is_unavailable, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    const Probe__V1__SumReply *reply = NULL;
    Probe__V1__Step step = step_of(0, 10);

    bed_open(&bed, transport, NULL, NULL);
    rpcrt_server_free(bed.server);
    bed.server = NULL;
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_sum_open(call);
    while (probe_sum_send(call, &step)) {
    }
    expect_code(call, RPCRT_UNAVAILABLE, probe_sum_finish(call, &reply));
    cr_assert_not(rpcrt_call_may_have_run(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- drain ----------------------------------------------------------------- */

struct drain {
    struct rpcrt_server *server;
    uint32_t timeout_ms;
    enum rpcrt_code code;
};

static void *
drain(void *arg)
{
    struct drain *what = arg;

    what->code = rpcrt_server_drain(what->server, what->timeout_ms);
    return NULL;
}

EACH_TRANSPORT(stream_end, is_waited_for_by_a_server_that_drains, 30)
{
    struct bed bed;
    struct drain what = {.timeout_ms = BED_TIMEOUT_MS};
    struct rpcrt_call *call, *other;
    struct script script;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    pthread_t thread;

    bed_open(&bed, transport, NULL, NULL);
    what.server = bed.server;
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 0, 1000, 0);
    probe_chat_open(call);
    send_messages(call, probe_chat_send, 0, 1, 1000, 0);
    expect_messages(call, probe_chat_next, &script, 0, 1);
    cr_assert_eq(pthread_create(&thread, NULL, drain, &what), 0);
    other = bed_call(bed.channel, 1000);
    while (probe_echo(other, &request, &reply) == RPCRT_OK) {
    }
    cr_assert_not(rpcrt_call_may_have_run(other));
    rpcrt_call_free(other);
    send_messages(call, probe_chat_send, 1, 50, 1000, 0);
    expect_messages(call, probe_chat_next, &script, 1, 50);
    expect_ok(call, probe_chat_finish(call));
    rpcrt_call_free(call);
    (void)pthread_join(thread, NULL);
    cr_assert_eq(what.code, RPCRT_OK);
    bed_close(&bed);
}

EACH_TRANSPORT(stream_end, comes_when_draining_has_taken_too_long, 30)
{
    struct bed bed;
    struct rpcrt_call *call;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_chat_open(call);
    bed_await(&bed.probe.n_streaming, 1);
    cr_assert_eq(rpcrt_server_drain(bed.server, 100), RPCRT_DEADLINE_EXCEEDED);
    expect_no_more(call, probe_chat_next);
    expect_code(call, RPCRT_UNAVAILABLE, probe_chat_finish(call));
    bed_await(&bed.probe.n_streaming, 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}
