/*
 * Streams used by several threads, and by threads that must not wait.
 */
#include "support/stream.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

/* -- two threads of a client ----------------------------------------------- */

static void *
chat_to_the_end(void *arg)
{
    struct rpcrt_call *call = arg;

    send_messages(call, probe_chat_send, 0, 3000, 5000, 11);
    probe_chat_close_send(call);
    return NULL;
}

EACH_TRANSPORT(stream_threads, one_sends_while_another_receives, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    pthread_t thread;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, 2 * BED_TIMEOUT_MS);
    script_init(&script, 0, 5000, 11);
    probe_chat_open(call);
    cr_assert_eq(pthread_create(&thread, NULL, chat_to_the_end, call), 0);
    expect_messages(call, probe_chat_next, &script, 0, 3000);
    expect_no_more(call, probe_chat_next);
    (void)pthread_join(thread, NULL);
    expect_ok(call, probe_chat_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* It is not asked for, but must not leave anybody waiting. */

#define CARELESS 3u

static void *
send_and_be_lost(void *arg)
{
    Probe__V1__Step step = step_of(0, 20000);

    while (probe_sum_send(arg, &step)) {
    }
    return NULL;
}

EACH_TRANSPORT(stream_threads, that_wait_for_room_all_see_the_end, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    const Probe__V1__SumReply *reply = NULL;
    Probe__V1__Step stand = PROBE__V1__STEP__INIT;
    pthread_t threads[CARELESS];

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    stand.stand = true;
    probe_sum_open(call);
    cr_assert(probe_sum_send(call, &stand));
    bed_await(&bed.probe.n_standing, 1);
    for (size_t i = 0; i < CARELESS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, send_and_be_lost, call),
                     0);
    }
    while (rpcrt_call_room(call) > 0) {
        bed_sleep_ms(1);
    }
    bed_sleep_ms(50); /* for all of them to find that */
    rpcrt_call_cancel(call);
    for (size_t i = 0; i < CARELESS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    expect_code(call, RPCRT_CANCELLED, probe_sum_finish(call, &reply));
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- handlers that answer later -------------------------------------------- */

EACH_TRANSPORT(stream_threads, of_a_handler_stream_after_it_has_returned, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 500, 5000, 12);
    probe_pour_later_open(call, &script.message);
    expect_messages(call, probe_pour_later_next, &script, 0, 500);
    expect_no_more(call, probe_pour_later_next);
    expect_ok(call, probe_pour_later_finish(call));

    probe_chat_later_open(call);
    for (uint64_t i = 0; i < 50; i++) {
        send_messages(call, probe_chat_later_send, i, i + 1, 5000, 12);
        expect_messages(call, probe_chat_later_next, &script, i, i + 1);
    }
    expect_ok(call, probe_chat_later_finish(call));

    probe_chat_later_open(call);
    bed_await(&bed.probe.n_streaming, 1);
    rpcrt_call_cancel(call);
    expect_code(call, RPCRT_CANCELLED, probe_chat_later_finish(call));
    bed_await(&bed.probe.n_streaming, 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream_threads, of_a_handler_send_at_once, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    const Probe__V1__EchoReply *message = NULL;
    unsigned n = 0;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 500, 20000, 0);
    script.message.n_threads = 4;
    probe_pour_later_open(call, &script.message);
    while (probe_pour_later_next(call, &message)) {
        cr_assert_eq(message->payload.len, 20000);
        cr_assert(probe_is_pattern(message->payload, message->payload.data[0]));
        n++;
    }
    expect_ok(call, probe_pour_later_finish(call));
    cr_assert_eq(n, 2000);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream_threads, of_a_handler_need_not_wait, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 500, 20000, 0);
    probe_trickle_open(call, &script.message);
    (void)await_standstill(&bed.probe.n_poured); /* its room is used up */
    cr_assert_lt(atomic_load(&bed.probe.n_poured), 500);
    bed_await(&bed.probe.n_sending, 0); /* nor does it wait to send */
    expect_messages(call, probe_trickle_next, &script, 0, 500);
    expect_no_more(call, probe_trickle_next);
    expect_ok(call, probe_trickle_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- clients that must not wait -------------------------------------------- */

static void
post(struct rpcrt_call *call, void *arg)
{
    (void)call;
    (void)sem_post(arg);
}

static void
wait_for(sem_t *event)
{
    while (sem_wait(event) != 0) {
        cr_assert_eq(errno, EINTR);
    }
}

EACH_TRANSPORT(stream_threads, of_a_client_need_not_wait_to_receive, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    uint64_t n = 0;
    sem_t event;

    cr_assert_eq(sem_init(&event, 0, 0), 0);
    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    rpcrt_call_on_event(call, post, &event);
    script_init(&script, 300, 5000, 13);
    script.step.pause_ms = 10;
    probe_pour_open(call, &script.message);
    while (n < 300) {
        if (rpcrt_call_wait_next(call, 0) == RPCRT_OK) {
            expect_messages(call, probe_pour_next, &script, n, n + 1);
            n++;
        } else {
            wait_for(&event);
        }
    }
    while (rpcrt_call_wait_next(call, 0) != RPCRT_OK) {
        wait_for(&event);
    }
    expect_no_more(call, probe_pour_next);
    expect_ok(call, probe_pour_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
    (void)sem_destroy(&event);
}

EACH_TRANSPORT(stream_threads, of_a_client_need_not_wait_to_send, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    const Probe__V1__SumReply *reply = NULL;
    Probe__V1__Step stand = PROBE__V1__STEP__INIT;
    sem_t event;
    uint64_t i = 1;

    cr_assert_eq(sem_init(&event, 0, 0), 0);
    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    rpcrt_call_on_event(call, post, &event);
    stand.stand = true;
    probe_sum_open(call);
    cr_assert(probe_sum_send(call, &stand));
    while (rpcrt_call_room(call) > 0) { /* until the handler's window is full */
        send_messages(call, probe_sum_send, i, i + 1, 20000, 0);
        i++;
    }
    bed_await(&bed.probe.n_standing, 1);
    atomic_store(&bed.probe.go_on, true);
    while (i < 500) {
        if (rpcrt_call_room(call) == 0) {
            wait_for(&event);
            continue;
        }
        send_messages(call, probe_sum_send, i, i + 1, 20000, 0);
        i++;
    }
    expect_ok(call, probe_sum_finish(call, &reply));
    cr_assert_eq(reply->count, i);
    cr_assert_eq(reply->n_wrong, 0);
    cr_assert_eq(rpcrt_call_room(call), 0); /* it is over */
    rpcrt_call_free(call);
    bed_close(&bed);
    (void)sem_destroy(&event);
}
