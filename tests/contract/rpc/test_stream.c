/*
 * What both sides may expect of a stream, over every transport: all that is
 * sent arrives, in order, and the end is the one that was meant.
 */
#include "contract/rpc/stream.h"

#include <stdio.h>
#include <string.h>

/* -- the kinds ------------------------------------------------------------- */

EACH_TRANSPORT(stream, of_a_server_arrives_in_order, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (uint32_t seed = 0; seed < 4; seed++) {
        script_init(&script, 1000, 5000, seed);
        probe_pour_open(call, &script.message);
        expect_messages(call, probe_pour_next, &script, 0, 1000);
        expect_no_more(call, probe_pour_next);
        expect_ok(call, probe_pour_finish(call));
        expect_no_more(call, probe_pour_next); /* also afterwards */
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, of_a_client_arrives_in_order, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    const Probe__V1__SumReply *reply = NULL;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (uint32_t seed = 0; seed < 4; seed++) {
        uint64_t n_bytes = 0;

        for (uint64_t i = 0; i < 1000; i++) {
            n_bytes += seed == 0 ? 5000 : probe_size(seed, i, 5000);
        }
        probe_sum_open(call);
        send_messages(call, probe_sum_send, 0, 1000, 5000, seed);
        probe_sum_close_send(call);
        expect_ok(call, probe_sum_finish(call, &reply));
        cr_assert_eq(reply->count, 1000);
        cr_assert_eq(reply->bytes, n_bytes);
        cr_assert_eq(reply->n_wrong, 0);
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, of_both_answers_each_message, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 0, 20000, 7);
    probe_chat_open(call);
    for (uint64_t i = 0; i < 300; i++) {
        send_messages(call, probe_chat_send, i, i + 1, 20000, 7);
        expect_messages(call, probe_chat_next, &script, i, i + 1);
    }
    probe_chat_close_send(call);
    probe_chat_close_send(call); /* again does nothing */
    expect_no_more(call, probe_chat_next);
    expect_ok(call, probe_chat_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, carries_messages_of_any_size_up_to_the_limit, 120)
{
    const uint32_t max = (4u << 20) - 16;
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    const Probe__V1__SumReply *reply = NULL;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 100, max, 3);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 100);
    expect_ok(call, probe_pour_finish(call));
    script_init(&script, 4, max, 0);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 4);
    expect_ok(call, probe_pour_finish(call));
    probe_sum_open(call);
    send_messages(call, probe_sum_send, 0, 100, max, 5);
    send_messages(call, probe_sum_send, 100, 104, max, 0);
    expect_ok(call, probe_sum_finish(call, &reply));
    cr_assert_eq(reply->count, 104);
    cr_assert_eq(reply->n_wrong, 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, may_be_empty_or_made_of_empty_messages, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    const Probe__V1__SumReply *reply = NULL;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (uint32_t n = 0; n <= 100; n += 100) {
        script_init(&script, n, 0, 0);
        probe_pour_open(call, &script.message);
        expect_messages(call, probe_pour_next, &script, 0, n);
        expect_no_more(call, probe_pour_next);
        expect_ok(call, probe_pour_finish(call));

        probe_sum_open(call);
        send_messages(call, probe_sum_send, 0, n, 0, 0);
        expect_ok(call, probe_sum_finish(call, &reply));
        cr_assert_eq(reply->count, n);

        probe_chat_open(call);
        send_messages(call, probe_chat_send, 0, n, 0, 0);
        probe_chat_close_send(call);
        expect_messages(call, probe_chat_next, &script, 0, n);
        expect_no_more(call, probe_chat_next);
        expect_ok(call, probe_chat_finish(call));
    }
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, says_where_it_went_and_how_long_it_took, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 2, 10, 0);
    script.step.pause_ms = 20;
    probe_pour_open(call, &script.message);
    cr_assert_eq(rpcrt_call_wait(call, 0), RPCRT_DEADLINE_EXCEEDED);
    cr_assert_eq(rpcrt_call_wait(call, -1), RPCRT_OK);
    expect_messages(call, probe_pour_next, &script, 0, 2);
    expect_ok(call, probe_pour_finish(call));
    cr_assert_str_eq(rpcrt_call_peer(call), bed.address);
    cr_assert_eq(rpcrt_call_attempts(call), 1);
    cr_assert_geq(rpcrt_call_duration_us(call), 20000);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- ends of one direction ------------------------------------------------- */

EACH_TRANSPORT(stream, goes_on_after_the_client_has_sent_all, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 500, 3000, 0);
    script.step.pause_ms = 20;
    probe_chat_open(call);
    cr_assert(probe_chat_send(call, &script.step));
    probe_chat_close_send(call);
    expect_messages(call, probe_chat_next, &script, 0, 500);
    expect_no_more(call, probe_chat_next);
    expect_ok(call, probe_chat_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, that_the_server_ends_early_takes_no_more, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__Step stop = PROBE__V1__STEP__INIT;
    Probe__V1__Step step = step_of(0, 1000);
    const Probe__V1__SumReply *reply = NULL;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    stop.stop = true;
    probe_sum_open(call);
    cr_assert(probe_sum_send(call, &stop));
    while (probe_sum_send(call, &step)) {
    }
    cr_assert_not(probe_sum_send(call, &step)); /* and stays so */
    expect_ok(call, probe_sum_finish(call, &reply));
    cr_assert_eq(reply->count, 1);

    stop.code = RPCRT_FAILED_PRECONDITION;
    stop.text = "enough";
    probe_chat_open(call);
    cr_assert(probe_chat_send(call, &stop));
    expect_no_more(call, probe_chat_next);
    cr_assert_not(probe_chat_send(call, &step));
    expect_code(call, RPCRT_FAILED_PRECONDITION, probe_chat_finish(call));
    cr_assert_str_eq(rpcrt_call_message(call), "enough");
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_HANDLER);
    bed_await(&bed.probe.n_streaming, 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, brings_what_was_sent_before_its_failure, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 200, 1000, 0);
    script.step.stop = true;
    script.step.code = RPCRT_ABORTED;
    script.step.text = "that was all";
    probe_pour_open(call, &script.message);
    bed_await(&bed.probe.n_streaming, 0);
    expect_messages(call, probe_pour_next, &script, 0, 200);
    expect_no_more(call, probe_pour_next);
    expect_code(call, RPCRT_ABORTED, probe_pour_finish(call));
    cr_assert_str_eq(rpcrt_call_message(call), "that was all");
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, need_not_be_read, 60)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 64, 1u << 20, 0);
    probe_pour_open(call, &script.message);
    expect_ok(call, probe_pour_finish(call)); /* drops the messages */
    cr_assert_eq(atomic_load(&bed.probe.n_poured), 64);
    script_init(&script, UINT32_MAX, 1000, 0);
    probe_pour_open(call, &script.message);
    bed_await(&bed.probe.n_streaming, 1);
    rpcrt_call_free(call); /* ends the call */
    bed_await(&bed.probe.n_streaming, 0);
    bed_close(&bed);
}

/* -- headers and trailers -------------------------------------------------- */

static void
expect_metadata(struct rpcrt_call *call)
{
    size_t size = 0;
    const char *value = rpcrt_call_header(call, "probe-header", &size);

    cr_assert_str_eq(value, "seen");
    cr_assert_eq(size, 4);
    cr_assert_str_eq(rpcrt_call_metadata(call, "probe-trailer", NULL), "seen");
    cr_assert_null(rpcrt_call_header(call, "probe-trailer", NULL));
    cr_assert_null(rpcrt_call_metadata(call, "probe-header", NULL));
}

EACH_TRANSPORT(stream, has_headers_and_trailers, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    const Probe__V1__SumReply *reply = NULL;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "probe-header", "seen"),
                 RPCRT_OK);
    for (uint32_t n = 0; n < 3; n++) {
        script_init(&script, n, 10, 0);
        probe_pour_open(call, &script.message);
        expect_messages(call, probe_pour_next, &script, 0, n);
        expect_ok(call, probe_pour_finish(call));
        expect_metadata(call);

        probe_sum_open(call);
        send_messages(call, probe_sum_send, 0, n, 10, 0);
        expect_ok(call, probe_sum_finish(call, &reply));
        expect_metadata(call);

        probe_chat_open(call);
        send_messages(call, probe_chat_send, 0, n, 10, 0);
        expect_messages(call, probe_chat_next, &script, 0, n);
        expect_ok(call, probe_chat_finish(call));
        expect_metadata(call);
    }
    script_init(&script, 0, 0, 0);
    script.step.stop = true;
    script.step.code = RPCRT_NOT_FOUND;
    probe_pour_open(call, &script.message);
    expect_code(call, RPCRT_NOT_FOUND, probe_pour_finish(call));
    expect_metadata(call);
    rpcrt_call_free(call);
    bed_close(&bed);
}

static void
collect(void *arg, const char *key, const char *value, size_t size)
{
    char *text = arg;

    cr_assert_eq(value[size], '\0');
    (void)snprintf(text + strlen(text), 200 - strlen(text), "%s=%s;", key,
                   value);
}

EACH_TRANSPORT(stream, shows_its_headers_before_its_first_message, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    char text[200] = "";

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "probe-header", "early"),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_call_set_metadata(call, "probe-b-bin", "\0\xff", 2),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "probe-a", "1"), RPCRT_OK);
    script_init(&script, 1, 10, 0);
    script.step.headers = true;
    script.step.stand = true;
    probe_pour_open(call, &script.message);
    cr_assert_eq(rpcrt_call_wait_headers(call, (int)BED_TIMEOUT_MS), RPCRT_OK);
    cr_assert_str_eq(rpcrt_call_header(call, "probe-header", NULL), "early");
    cr_assert_eq(rpcrt_call_wait_next(call, 0), RPCRT_DEADLINE_EXCEEDED);
    atomic_store(&bed.probe.go_on, true);
    cr_assert_eq(rpcrt_call_wait_next(call, -1), RPCRT_OK);
    expect_messages(call, probe_pour_next, &script, 0, 1);
    expect_ok(call, probe_pour_finish(call));
    rpcrt_call_each_header(call, collect, text);
    cr_assert_str_eq(text, "probe-header=early;probe-b-bin=;probe-a=1;");
    cr_assert_arr_eq(rpcrt_call_header(call, "probe-b-bin", NULL), "\0\xff", 3);
    text[0] = '\0';
    rpcrt_call_each_trailer(call, collect, text);
    cr_assert_str_eq(text, "probe-trailer=early;");
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, takes_no_headers_once_they_were_sent, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 1, 10, 0);
    script.step.late_header = true;
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 1);
    expect_ok(call, probe_pour_finish(call));
    cr_assert_str_eq(rpcrt_call_header(call, "probe-late", NULL), "x");
    script.step.headers = true;
    probe_pour_open(call, &script.message);
    expect_no_more(call, probe_pour_next);
    expect_code(call, RPCRT_FAILED_PRECONDITION, probe_pour_finish(call));
    cr_assert_null(rpcrt_call_header(call, "probe-late", NULL));
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- limits ---------------------------------------------------------------- */

EACH_TRANSPORT(stream, ends_at_a_message_above_the_limit, 60)
{
    const struct rpcrt_server_options server = {.message_size_max = 100000};
    const struct rpcrt_channel_options channel = {.message_size_max = 100000};
    struct bed bed;
    struct rpcrt_call *call, *other;
    struct script script;
    const Probe__V1__SumReply *reply = NULL;
    Probe__V1__Step step = step_of(0, 200000);

    bed_open(&bed, transport, &server, &channel);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    other = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_chat_open(other);
    send_messages(other, probe_chat_send, 0, 1, 10, 0);

    script_init(&script, 1, 200000, 0);
    probe_pour_open(call, &script.message);
    expect_no_more(call, probe_pour_next);
    expect_code(call, RPCRT_RESOURCE_EXHAUSTED, probe_pour_finish(call));

    probe_sum_open(call);
    send_messages(call, probe_sum_send, 0, 3, 90000, 0);
    while (probe_sum_send(call, &step)) {
    }
    expect_code(call, RPCRT_RESOURCE_EXHAUSTED, probe_sum_finish(call, &reply));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "100000"), "%s",
                       rpcrt_call_message(call));
    bed_await(&bed.probe.n_streaming, 1);

    script_init(&script, 0, 10, 0); /* the other one has not noticed */
    expect_messages(other, probe_chat_next, &script, 0, 1);
    expect_ok(other, probe_chat_finish(other));
    rpcrt_call_free(other);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(stream, of_a_method_that_nobody_serves_is_unimplemented, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    const Probe__V1__SumReply *reply = NULL;

    bed_open(&bed, transport, NULL, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 1, 1, 0);
    probe_missing_pour_open(call, &script.message);
    expect_no_more(call, probe_missing_pour_next);
    expect_code(call, RPCRT_UNIMPLEMENTED, probe_missing_pour_finish(call));
    cr_assert_not_null(strstr(rpcrt_call_message(call), "MissingPour"));
    probe_missing_sum_open(call);
    expect_code(call, RPCRT_UNIMPLEMENTED,
                probe_missing_sum_finish(call, &reply));
    probe_missing_chat_open(call);
    expect_no_more(call, probe_missing_chat_next);
    expect_code(call, RPCRT_UNIMPLEMENTED, probe_missing_chat_finish(call));
    rpcrt_call_free(call);
    bed_close(&bed);
}
