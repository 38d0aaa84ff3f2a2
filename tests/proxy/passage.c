/*
 * See passage.h.
 */
#include "proxy/passage.h"

#include "transport/raw.h"

void
passage_open(struct passage *passage, uint64_t seed,
             const struct rpcrt_server_options *server_options,
             const struct rpcrt_channel_options *channel_options)
{
    struct proxy_options options = {.listen = "tcp://127.0.0.1:0",
                                    .seed = seed};
    struct common_error error;

    memset(passage, 0, sizeof(*passage));
    passage->server =
        bed_serve(&passage->probe, "tcp://127.0.0.1:0", NULL, server_options);
    options.target = rpcrt_server_address(passage->server, 0);
    cr_assert_eq(proxy_start(&options, &error, &passage->proxy), RPCRT_OK, "%s",
                 error.text);
    cr_assert_eq(rpcrt_channel_new(proxy_address(passage->proxy),
                                   channel_options, &passage->channel),
                 RPCRT_OK, "%s", rpcrt_last_error());
}

void
passage_close(struct passage *passage)
{
    rpcrt_channel_free(passage->channel);
    proxy_stop(passage->proxy);
    rpcrt_server_free(passage->server);
}

void
passage_set(struct passage *passage, const char *up, const char *down)
{
    struct proxy_plan plan = {.half_open = false};
    struct common_error error;

    cr_assert_eq(
        proxy_faults_read(&plan.faults[PROXY_UP], up == NULL ? "" : up, &error),
        RPCRT_OK, "%s", error.text);
    cr_assert_eq(proxy_faults_read(&plan.faults[PROXY_DOWN],
                                   down == NULL ? "" : down, &error),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(proxy_set_plan(passage->proxy, &plan, &error), RPCRT_OK, "%s",
                 error.text);
}

struct proxy_stats
passage_stats(struct passage *passage)
{
    struct proxy_stats stats;

    proxy_get_stats(passage->proxy, &stats);
    return stats;
}

void
passage_await_open(struct passage *passage, uint64_t n)
{
    int64_t until_ms = raw_now_ms() + BED_TIMEOUT_MS;

    while (passage_stats(passage).open != n) {
        cr_assert_lt(raw_now_ms(), until_ms, "%u connections instead of %u",
                     (unsigned)passage_stats(passage).open, (unsigned)n);
        (void)poll(NULL, 0, 1);
    }
}

enum rpcrt_code
passage_echo(struct rpcrt_call *call, uint32_t number)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    uint32_t payload[40];
    enum rpcrt_code code;
    size_t i;

    for (i = 0; i < sizeof(payload) / sizeof(payload[0]); i++) {
        payload[i] = number * 1000 + (uint32_t)i;
    }
    request.payload.data = (uint8_t *)payload;
    request.payload.len = sizeof(payload);
    code = probe_echo(call, &request, &reply);
    if (code == RPCRT_OK) {
        cr_assert_eq(reply->payload.len, sizeof(payload));
        cr_assert_eq(memcmp(reply->payload.data, payload, sizeof(payload)), 0,
                     "call %u got a reply that is not its own", number);
    }
    return code;
}

void
passage_recover(struct passage *passage)
{
    struct rpcrt_call *call = bed_call(passage->channel, BED_TIMEOUT_MS);
    int64_t until_ms = raw_now_ms() + BED_TIMEOUT_MS;

    rpcrt_call_set_wait_for_ready(call, true);
    while (passage_echo(call, 1) != RPCRT_OK) {
        cr_assert_eq(rpcrt_call_code(call), RPCRT_UNAVAILABLE, "%s",
                     rpcrt_call_message(call));
        cr_assert_lt(raw_now_ms(), until_ms, "still %s",
                     rpcrt_call_message(call));
    }
    rpcrt_call_free(call);
}
