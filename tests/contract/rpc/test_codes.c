/*
 * Codes that the server makes, through each kind of call: code, origin, text,
 * details and whether the handler may have run arrive as they were meant. A
 * handler may make any of the 17, the server's runtime five of them.
 */
#include "contract/rpc/codes.h"

#include <string.h>

/* -- handlers -------------------------------------------------------------- */

EACH_TRANSPORT(codes, of_a_handler_arrive_with_text_and_details, 60)
{
    static const char text[] = "t\xc3\xa9xt";
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (unsigned code = 0; code <= RPCRT_UNAUTHENTICATED; code++) {
        struct expected expected = {(enum rpcrt_code)code, RPCRT_ORIGIN_HANDLER,
                                    true, code == 0 ? "" : text};

        asked_init(&asked, code, text);
        for (enum kind kind = UNARY; kind <= BOTH; kind++) {
            size_t size = 0;
            const char *details;

            expect_outcome(call, kind,
                           kind_call(call, kind_method(kind), &asked),
                           &expected);
            details = rpcrt_call_details(call, &size);
            cr_assert_eq(size, code == 0 ? 0 : 4);
            cr_assert(code == 0 || memcmp(details, "\x08\x05\0\xff", 4) == 0);
        }
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(codes, that_are_none_become_internal, 30)
{
    static const struct expected expected = {RPCRT_INTERNAL,
                                             RPCRT_ORIGIN_HANDLER, true, "77"};
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    asked_init(&asked, 77, "nonsense");
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        expect_outcome(call, kind, kind_call(call, kind_method(kind), &asked),
                       &expected);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- the server's runtime -------------------------------------------------- */

EACH_TRANSPORT(codes, of_the_runtime_say_unimplemented, 30)
{
    static const struct expected expected = {
        RPCRT_UNIMPLEMENTED, RPCRT_ORIGIN_RUNTIME, false, "Missing"};
    static const struct expected unknown = {
        RPCRT_UNIMPLEMENTED, RPCRT_ORIGIN_RUNTIME, false, "/no.Such/Method"};
    static struct rpcrt_method nowhere[N_KINDS]; /* outlives the channel */
    static const enum probe_method missing[N_KINDS] = {
        PROBE_METHOD_MISSING, PROBE_METHOD_MISSING_SUM,
        PROBE_METHOD_MISSING_POUR, PROBE_METHOD_MISSING_CHAT};
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    asked_init(&asked, 0, "");
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        expect_outcome(
            call, kind,
            kind_call(call, &probe_rpc.methods[missing[kind]], &asked),
            &expected);
        nowhere[kind] = *kind_method(kind);
        nowhere[kind].path = "/no.Such/Method";
        expect_outcome(call, kind, kind_call(call, &nowhere[kind], &asked),
                       &unknown);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* A client and a server that were generated from other versions of a file. */
EACH_TRANSPORT(codes, of_the_runtime_refuse_another_kind_of_call, 30)
{
    static const struct expected expected = {
        RPCRT_UNIMPLEMENTED, RPCRT_ORIGIN_RUNTIME, false, "stream"};
    static struct rpcrt_method wrong[N_KINDS];
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    asked_init(&asked, 0, "");
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        wrong[kind] = *kind_method(kind);
        wrong[kind].flags ^= RPCRT_METHOD_CLIENT_STREAMING;
        expect_outcome(call, kind, kind_call(call, &wrong[kind], &asked),
                       &expected);
    }
    bed_echo(call, 10);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(codes, of_the_runtime_refuse_what_cannot_be_read, 30)
{
    static const struct expected expected = {
        RPCRT_INVALID_ARGUMENT, RPCRT_ORIGIN_RUNTIME, true, "text"};
    static const struct expected unary = {RPCRT_INVALID_ARGUMENT,
                                          RPCRT_ORIGIN_RUNTIME, false, "text"};
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    asked_init(&asked, 9, "no UTF-8: \xff");
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        /* the handler of a client's stream runs before the message comes */
        expect_outcome(call, kind, kind_call(call, kind_method(kind), &asked),
                       kind == UNARY || kind == SERVER_STREAM ? &unary
                                                              : &expected);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(codes, of_the_runtime_name_the_limit_that_is_reached, 30)
{
    static const struct expected expected = {
        RPCRT_RESOURCE_EXHAUSTED, RPCRT_ORIGIN_RUNTIME, false, "in flight"};
    const struct rpcrt_server_options options = {.session_calls_max = 1};
    struct bed bed;
    struct rpcrt_call *call, *running;
    struct asked asked;

    bed_open(&bed, transport, &options, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    running = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_chat_open(running);
    bed_await(&bed.probe.n_streaming, 1);
    asked_init(&asked, 0, "");
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        expect_outcome(call, kind, kind_call(call, kind_method(kind), &asked),
                       &expected);
    }
    expect_ok(running, probe_chat_finish(running));
    rpcrt_call_free(running);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(codes, of_the_runtime_heed_the_limit_of_the_client, 30)
{
    static const struct expected expected = {RPCRT_RESOURCE_EXHAUSTED,
                                             RPCRT_ORIGIN_RUNTIME, true, NULL};
    const struct rpcrt_channel_options options = {.message_size_max = 1};
    struct bed bed;
    struct rpcrt_call *call;
    struct asked asked;

    bed_open(&bed, transport, NULL, &options);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    asked_init(&asked, 0, "");
    asked.step.n_replies = 1;
    asked.step.reply_size = 1000;
    for (enum kind kind = UNARY; kind <= BOTH; kind++) {
        expect_outcome(call, kind,
                       kind_call(call,
                                 kind == UNARY
                                     ? &probe_rpc.methods[PROBE_METHOD_COUNT]
                                     : kind_method(kind),
                                 &asked),
                       &expected);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}
