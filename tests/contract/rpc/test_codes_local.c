/*
 * Codes that the client's side makes, the transport's and its own, through each
 * kind of call; see test_codes.c for the others.
 */
#include "contract/rpc/codes.h"

#include <pthread.h>

/* -- the transport --------------------------------------------------------- */

EACH_TRANSPORT(codes, of_the_transport_say_that_nobody_is_there, 30)
{
    static const struct expected expected = {
        RPCRT_UNAVAILABLE, RPCRT_ORIGIN_TRANSPORT, false, NULL};
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    rpcrt_server_free(bed.server);
    bed.server = NULL;
    asked_init(&asked, 0, "");
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        expect_outcome(call, kind, kind_call(call, kind_method(kind), &asked),
                       &expected);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

static void *
free_server_when_it_stands(void *arg)
{
    struct bed *bed = arg;

    await_standing(&bed->probe);
    rpcrt_server_free(bed->server);
    bed->server = NULL;
    return NULL;
}

EACH_TRANSPORT(codes, of_the_transport_say_that_the_server_has_gone, 60)
{
    static const struct expected expected = {
        RPCRT_UNAVAILABLE, RPCRT_ORIGIN_TRANSPORT, true, NULL};
    struct asked asked;

    asked_init(&asked, 0, "");
    asked.step.stand = true;
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        struct bed bed;
        struct rpcrt_call *call;
        pthread_t thread;

        bed_open(&bed, transport, NULL, NULL);
        call = bed_call(bed.channel, BED_TIMEOUT_MS);
        cr_assert_eq(
            pthread_create(&thread, NULL, free_server_when_it_stands, &bed), 0);
        expect_outcome(call, kind, kind_call(call, kind_endless(kind), &asked),
                       &expected);
        (void)pthread_join(thread, NULL);
        rpcrt_call_free(call);
        bed_close(&bed);
    }
}

/* -- this side ------------------------------------------------------------- */

EACH_TRANSPORT(codes, of_this_side_say_that_time_is_over, 30)
{
    static const struct expected expected = {RPCRT_DEADLINE_EXCEEDED,
                                             RPCRT_ORIGIN_LOCAL, true, NULL};
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 10); /* so that it stands */
    rpcrt_call_set_timeout(call, 100);
    asked_init(&asked, 0, "");
    asked.step.stand = true;
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        expect_outcome(call, kind, kind_call(call, kind_endless(kind), &asked),
                       &expected);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

struct cancel {
    struct bed *bed;
    struct rpcrt_call *call;
};

static void *
cancel_when_it_stands(void *arg)
{
    struct cancel *cancel = arg;

    await_standing(&cancel->bed->probe);
    rpcrt_call_cancel(cancel->call);
    return NULL;
}

EACH_TRANSPORT(codes, of_this_side_say_that_it_has_cancelled, 30)
{
    static const struct expected expected = {RPCRT_CANCELLED,
                                             RPCRT_ORIGIN_LOCAL, true, NULL};
    struct bed bed;
    struct cancel cancel = {.bed = &bed};
    struct asked asked;

    bed_open(&bed, transport, NULL, NULL);
    cancel.call = bed_call(bed.channel, BED_TIMEOUT_MS);
    asked_init(&asked, 0, "");
    asked.step.stand = true;
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        pthread_t thread;

        cr_assert_eq(
            pthread_create(&thread, NULL, cancel_when_it_stands, &cancel), 0);
        expect_outcome(cancel.call, kind,
                       kind_call(cancel.call, kind_endless(kind), &asked),
                       &expected);
        (void)pthread_join(thread, NULL);
        bed_await(&bed.probe.n_standing, 0);
        bed_await(&bed.probe.n_hanging, 0);
    }
    rpcrt_call_free(cancel.call);
    bed_close(&bed);
}

EACH_TRANSPORT(codes, of_this_side_refuse_a_reply_that_cannot_be_read, 30)
{
    static const struct expected expected = {RPCRT_INTERNAL, RPCRT_ORIGIN_LOCAL,
                                             true, "can't be read"};
    static struct rpcrt_method others[N_KINDS];
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;
    uint8_t bytes[] = {0xff};

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    asked_init(&asked, 0, "");
    asked.step.n_replies = 1;
    asked.step.reply_size = 1000;
    request.payload.data = bytes;
    request.payload.len = 1;
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        struct rpcrt_method *other = &others[kind];
        enum rpcrt_code code;

        if (kind == UNARY) { /* bytes where text is expected */
            *other = probe_rpc.methods[PROBE_METHOD_ECHO];
            other->reply = &probe__v1__describe_reply__descriptor;
            code = rpcrt_call_unary(call, other, &request.base, &reply);
        } else { /* bytes, or a number, where a message is expected */
            *other = *kind_method(kind);
            other->reply = &probe__v1__script__descriptor;
            code = kind_call(call, other, &asked);
        }
        expect_outcome(call, kind, code, &expected);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(codes, of_this_side_refuse_the_wrong_function, 30)
{
    static const struct expected expected = {
        RPCRT_INVALID_ARGUMENT, RPCRT_ORIGIN_LOCAL, false, "stream"};
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;
    const ProtobufCMessage *reply = NULL;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    asked_init(&asked, 0, "");
    rpcrt_call_open(call, kind_method(UNARY), &asked.fail.base);
    cr_assert_not(rpcrt_call_send(call, &asked.fail.base));
    cr_assert_not(rpcrt_call_next(call, &reply));
    expect_outcome(call, UNARY, rpcrt_call_finish(call, NULL), &expected);
    for (enum kind kind = CLIENT_STREAM; kind <= BOTH; kind++) {
        expect_outcome(call, kind,
                       rpcrt_call_unary(call, kind_method(kind),
                                        &asked.script.base, &reply),
                       &expected);
    }
    bed_echo(call, 10);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(codes, of_this_side_name_the_memory_that_is_used_up, 30)
{
    static const struct expected expected = {
        RPCRT_RESOURCE_EXHAUSTED, RPCRT_ORIGIN_LOCAL, true, "memory"};
    const struct rpcrt_channel_options options = {.arena_size_max = 8192};
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;

    bed_open(&bed, transport, NULL, &options);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    asked_init(&asked, 0, "");
    asked.step.n_replies = 1;
    asked.step.reply_size = 10000;
    request.reply_size = 10000;
    expect_outcome(call, UNARY,
                   rpcrt_call_unary(call, &probe_rpc.methods[PROBE_METHOD_ECHO],
                                    &request.base, &reply),
                   &expected);
    for (enum kind kind = SERVER_STREAM; kind <= BOTH; kind++) {
        expect_outcome(call, kind, kind_call(call, kind_method(kind), &asked),
                       &expected);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}
