/*
 * Faults of messages, as a client and a server see them: a session goes on
 * unharmed or ends clearly, and no call gets the reply of another.
 */
#include "proxy/passage.h"

#include "transport/raw.h"

/* A silent peer is found soon. */
static const struct rpcrt_channel_options quick = {
    .keepalive_ms = 100,
    .keepalive_timeout_ms = 200,
    .backoff_ms_min = 1,
    .backoff_ms_max = 10,
};

#define CROWD 16u

/* Many calls at once, each with a payload of its own. */
struct crowd {
    struct rpcrt_call *calls[CROWD];
    uint32_t numbers[CROWD];
    atomic_uint n_done;
};

static void
crowd_run(struct passage *passage, struct crowd *crowd)
{
    atomic_init(&crowd->n_done, 0);
    for (uint32_t i = 0; i < CROWD; i++) {
        Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

        crowd->numbers[i] = i * 77;
        request.payload.data = (uint8_t *)&crowd->numbers[i];
        request.payload.len = sizeof(crowd->numbers[i]);
        crowd->calls[i] = bed_call(passage->channel, BED_TIMEOUT_MS);
        probe_echo_start(crowd->calls[i], &request, bed_done, &crowd->n_done);
    }
    bed_await(&crowd->n_done, CROWD);
    for (uint32_t i = 0; i < CROWD; i++) {
        const Probe__V1__EchoReply *reply;

        expect_ok(crowd->calls[i], probe_echo_take(crowd->calls[i], &reply));
        cr_assert_eq(reply->payload.len, sizeof(uint32_t));
        cr_assert_eq(
            memcmp(reply->payload.data, &crowd->numbers[i], sizeof(uint32_t)),
            0);
        rpcrt_call_free(crowd->calls[i]);
    }
}

/* One call through a passage that was in use, under faults. */
static enum rpcrt_code
echo_under(struct passage *passage, const char *up, const char *down,
           uint32_t timeout_ms)
{
    struct rpcrt_call *call = bed_call(passage->channel, BED_TIMEOUT_MS);
    enum rpcrt_code code;

    cr_assert_eq(passage_echo(call, 1), RPCRT_OK, "%s",
                 rpcrt_call_message(call));
    passage_set(passage, up, down);
    rpcrt_call_set_timeout(call, timeout_ms);
    code = passage_echo(call, 2);
    rpcrt_call_free(call);
    return code;
}

/* -- lost ------------------------------------------------------------------ */

Test(proxy_messages, a_lost_request_is_found_by_keepalive, .timeout = 60)
{
    struct passage passage;

    passage_open(&passage, 1, NULL, &quick);
    cr_assert_eq(
        echo_under(&passage, "drop=1000,harm-max=1", NULL, BED_TIMEOUT_MS),
        RPCRT_UNAVAILABLE);
    cr_assert_geq(passage_stats(&passage).ways[PROXY_UP].dropped, 1);
    passage_set(&passage, NULL, NULL);
    passage_recover(&passage);
    passage_close(&passage);
}

Test(proxy_messages, a_deadline_holds_when_a_reply_is_lost, .timeout = 60)
{
    struct passage passage;

    passage_open(&passage, 1, NULL, NULL);
    cr_assert_eq(echo_under(&passage, NULL, "drop=1000,harm-max=1", 200),
                 RPCRT_DEADLINE_EXCEEDED);
    cr_assert_eq(passage_stats(&passage).ways[PROXY_DOWN].dropped, 1);
    passage_set(&passage, NULL, NULL);
    (void)proxy_reset(passage.proxy, false);
    passage_recover(&passage);
    passage_close(&passage);
}

/* -- doubled --------------------------------------------------------------- */

Test(proxy_messages, a_doubled_request_is_not_executed_twice, .timeout = 60)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    struct passage passage;
    struct rpcrt_call *call;
    enum rpcrt_code code;

    passage_open(&passage, 1, NULL, NULL);
    call = bed_call(passage.channel, BED_TIMEOUT_MS);
    cr_assert_eq(passage_echo(call, 1), RPCRT_OK);
    passage_set(&passage, "duplicate=1000,harm-max=1", NULL);
    code = probe_count(call, &request, &reply);
    cr_assert(code == RPCRT_OK || code == RPCRT_UNAVAILABLE, "%s: %s",
              rpcrt_code_name(code), rpcrt_call_message(call));
    cr_assert_eq(passage_stats(&passage).ways[PROXY_UP].duplicated, 1);
    rpcrt_call_free(call);
    passage_set(&passage, NULL, NULL);
    passage_recover(&passage);
    cr_assert_leq(atomic_load(&passage.probe.n_counted), 1);
    passage_close(&passage);
}

Test(proxy_messages, doubled_replies_harm_nobody, .timeout = 60)
{
    struct passage passage;
    struct crowd crowd;

    passage_open(&passage, 1, NULL, NULL);
    passage_set(&passage, NULL, "duplicate=1000");
    for (unsigned i = 0; i < 10; i++) {
        crowd_run(&passage, &crowd);
    }
    cr_assert_eq(passage_stats(&passage).connections, 1);
    cr_assert_gt(passage_stats(&passage).ways[PROXY_DOWN].duplicated, 10);
    passage_close(&passage);
}

/* -- overtaken ------------------------------------------------------------- */

Test(proxy_messages, overtaken_messages_harm_nobody, .timeout = 60)
{
    struct passage passage;
    struct crowd crowd;
    struct proxy_stats stats;

    passage_open(&passage, 3, NULL, NULL);
    passage_set(&passage, "reorder=200,spare-messages=1",
                "reorder=200,spare-messages=1");
    for (unsigned i = 0; i < 10; i++) {
        crowd_run(&passage, &crowd);
    }
    stats = passage_stats(&passage);
    cr_assert_eq(stats.connections, 1);
    cr_assert_gt(stats.ways[PROXY_UP].reordered, 2);
    cr_assert_gt(stats.ways[PROXY_DOWN].reordered, 2);
    passage_close(&passage);
}

/* -- damaged --------------------------------------------------------------- */

/* Calls whose messages are damaged in what is nng's and the protocol's; what
 * belongs to a payload the protocol does not check: that is TLS's work. */
static void
damage(uint64_t seed)
{
    struct passage passage;
    struct rpcrt_call *call;

    passage_open(&passage, seed, NULL, &quick);
    passage_set(&passage, "corrupt=150,corrupt-within=28",
                "corrupt=150,corrupt-within=28");
    call = bed_call(passage.channel, 500);
    for (uint32_t number = 0; number < 20; number++) {
        enum rpcrt_code code = passage_echo(call, number);

        cr_assert(code == RPCRT_OK || code == RPCRT_UNAVAILABLE ||
                      code == RPCRT_DEADLINE_EXCEEDED,
                  "seed %u: %s: %s", (unsigned)seed, rpcrt_code_name(code),
                  rpcrt_call_message(call));
    }
    cr_assert_gt(passage_stats(&passage).ways[PROXY_UP].corrupted +
                     passage_stats(&passage).ways[PROXY_DOWN].corrupted,
                 0);
    passage_set(&passage, NULL, NULL);
    (void)proxy_reset(passage.proxy, false);
    rpcrt_call_free(call);
    passage_recover(&passage);
    passage_close(&passage);
}

Test(proxy_messages, damaged_heads_end_a_session_or_nothing, .timeout = 120)
{
    for (uint64_t seed = 0; seed < 6; seed++) {
        damage(seed);
    }
}

/* -- all of it ------------------------------------------------------------- */

Test(proxy_messages, a_server_stands_a_storm, .timeout = 120)
{
    static const char storm[] =
        "drop=30,duplicate=30,reorder=100,corrupt=100,spare-messages=1,"
        "jitter-ms=3,slice-bytes=1000";
    struct passage passage;
    struct rpcrt_channel *direct;
    struct rpcrt_call *call;
    struct rpcrt_call *beside;
    unsigned n_answered = 0;

    passage_open(&passage, 5, NULL, &quick);
    cr_assert_eq(rpcrt_channel_new(rpcrt_server_address(passage.server, 0),
                                   NULL, &direct),
                 RPCRT_OK);
    beside = bed_call(direct, BED_TIMEOUT_MS);
    passage_set(&passage, storm, storm);
    call = bed_call(passage.channel, 300);
    for (uint32_t number = 0; number < 100; number++) {
        Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
        const Probe__V1__EchoReply *reply;
        int64_t start_ms = raw_now_ms();

        request.reply_size = number * number;
        n_answered += probe_echo(call, &request, &reply) == RPCRT_OK;
        cr_assert_lt(raw_now_ms() - start_ms, 5000);
        cr_assert_eq(passage_echo(beside, number), RPCRT_OK, "%s",
                     rpcrt_call_message(beside));
    }
    cr_assert(n_answered > 10 && n_answered < 100, "%u answered", n_answered);
    rpcrt_call_free(beside);
    rpcrt_call_free(call);
    rpcrt_channel_free(direct);
    passage_close(&passage);
}
