/*
 * Limits: above one a call ends in RESOURCE_EXHAUSTED at once, was not
 * executed, and everybody else keeps working.
 */
#include "protocol/peer.h"
#include "transport/raw.h"

/* At once: much less than anybody waits for something. */
#define AT_ONCE_MS 3000u

/* An echo of a payload, or for a reply, of so many bytes. */
static enum rpcrt_code
echo(struct rpcrt_call *call, size_t size, uint32_t reply_size)
{
    static uint8_t payload[5u << 20];
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    request.payload.data = payload;
    request.payload.len = size;
    request.reply_size = reply_size;
    return probe_echo(call, &request, &reply);
}

static void
expect_exhausted(struct rpcrt_call *call, enum rpcrt_code code,
                 enum rpcrt_origin origin, bool may_have_run)
{
    cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED, "%s: %s",
                 rpcrt_code_name(code), rpcrt_call_message(call));
    cr_assert_eq(rpcrt_call_origin(call), origin, "%s: %s",
                 rpcrt_origin_text(rpcrt_call_origin(call)),
                 rpcrt_call_message(call));
    cr_assert_eq(rpcrt_call_may_have_run(call), may_have_run, "%s",
                 rpcrt_call_message(call));
    cr_assert_str_neq(rpcrt_call_message(call), "resource exhausted",
                      "there is no text");
}

/* -- sizes of messages ----------------------------------------------------- */

EACH_TRANSPORT(limits, of_requests, 30)
{
    static const struct rpcrt_server_options options = {.message_size_max =
                                                            100000};
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, &options, NULL);
    call = bed_call(bed.channel, AT_ONCE_MS);
    /* The server's limit is known before anything leaves. */
    expect_exhausted(call, echo(call, 100000, 1), RPCRT_ORIGIN_LOCAL, false);
    expect_exhausted(call, echo(call, 100000, 1), RPCRT_ORIGIN_LOCAL, false);
    expect_exhausted(call, echo(call, 5u << 20, 1), RPCRT_ORIGIN_LOCAL, false);
    bed_echo(call, 99990);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(limits, of_replies, 30)
{
    static const struct rpcrt_channel_options options = {.message_size_max =
                                                             100000};
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, &options);
    call = bed_call(bed.channel, AT_ONCE_MS);
    bed_echo(call, 99990);
    expect_exhausted(call, echo(call, 0, 100000), RPCRT_ORIGIN_RUNTIME, true);
    expect_exhausted(call, echo(call, 0, 50u << 20), RPCRT_ORIGIN_RUNTIME,
                     true);
    bed_echo(call, 99990);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- memory of a call ------------------------------------------------------ */

EACH_TRANSPORT(limits, of_a_call_s_memory_at_the_server, 30)
{
    static const struct rpcrt_server_options options = {.arena_size_max =
                                                            100000};
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, &options, NULL);
    call = bed_call(bed.channel, AT_ONCE_MS);
    bed_echo(call, 100);
    /* Not even the request, only the request, not the reply. */
    expect_exhausted(call, echo(call, 100001, 1), RPCRT_ORIGIN_RUNTIME, false);
    expect_exhausted(call, echo(call, 60000, 1), RPCRT_ORIGIN_RUNTIME, false);
    expect_exhausted(call, echo(call, 0, 100001), RPCRT_ORIGIN_HANDLER, true);
    expect_exhausted(call, echo(call, 0, 60000), RPCRT_ORIGIN_HANDLER, true);
    bed_echo(call, 100);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(limits, of_a_call_s_memory_at_the_client, 30)
{
    static const struct rpcrt_channel_options options = {.arena_size_max =
                                                             100000};
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, transport, NULL, &options);
    call = bed_call(bed.channel, AT_ONCE_MS);
    bed_echo(call, 100);
    expect_exhausted(call, echo(call, 100001, 1), RPCRT_ORIGIN_LOCAL, false);
    expect_exhausted(call, echo(call, 0, 100001), RPCRT_ORIGIN_LOCAL, true);
    expect_exhausted(call, echo(call, 0, 60000), RPCRT_ORIGIN_LOCAL, true);
    bed_echo(call, 100);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- calls in flight ------------------------------------------------------- */

struct crowd {
    struct rpcrt_call *calls[4];
    atomic_uint n_done;
};

static void
crowd_open(struct crowd *crowd, struct bed *bed)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    atomic_init(&crowd->n_done, 0);
    for (unsigned i = 0; i < 4; i++) {
        crowd->calls[i] = bed_call(bed->channel, 0);
        probe_hang_start(crowd->calls[i], &request, bed_done, &crowd->n_done);
    }
    bed_await(&bed->probe.n_hanging, 4);
}

static void
crowd_close(struct crowd *crowd, struct bed *bed)
{
    for (unsigned i = 0; i < 4; i++) {
        rpcrt_call_free(crowd->calls[i]);
    }
    cr_assert_eq(atomic_load(&crowd->n_done), 4u);
    bed_await(&bed->probe.n_hanging, 0);
}

static void
await_no_calls(struct rpcrt_server *server)
{
    struct rpcrt_server_stats stats;
    int64_t end = now_ms() + PEER_PATIENCE_MS;

    do {
        rpcrt_server_get_stats(server, &stats);
    } while (stats.calls_running > 0 && now_ms() < end);
    cr_assert_eq(stats.calls_running, 0u);
}

Test(limits, of_calls_of_a_connection, .timeout = 30)
{
    static const struct rpcrt_server_options options = {.session_calls_max = 4};
    struct rpcrt_channel *other;
    struct rpcrt_call *call;
    struct rpcrt_call *good;
    struct crowd crowd;
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    cr_assert_eq(rpcrt_channel_new(bed.address, NULL, &other), RPCRT_OK);
    call = bed_call(bed.channel, AT_ONCE_MS);
    good = bed_call(other, AT_ONCE_MS);
    for (unsigned i = 0; i < 3; i++) {
        crowd_open(&crowd, &bed);
        expect_exhausted(call, echo(call, 10, 0), RPCRT_ORIGIN_RUNTIME, false);
        bed_echo(good, 10);
        crowd_close(&crowd, &bed);
        await_no_calls(bed.server);
        bed_echo(call, 10);
    }
    rpcrt_call_free(good);
    rpcrt_call_free(call);
    rpcrt_channel_free(other);
    bed_close(&bed);
}

Test(limits, of_calls_of_the_server, .timeout = 30)
{
    static const struct rpcrt_server_options options = {.server_calls_max = 4};
    struct rpcrt_channel *other;
    struct rpcrt_call *call;
    struct crowd crowd;
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    cr_assert_eq(rpcrt_channel_new(bed.address, NULL, &other), RPCRT_OK);
    call = bed_call(other, AT_ONCE_MS);
    for (unsigned i = 0; i < 3; i++) {
        crowd_open(&crowd, &bed);
        expect_exhausted(call, echo(call, 10, 0), RPCRT_ORIGIN_RUNTIME, false);
        crowd_close(&crowd, &bed);
        await_no_calls(bed.server);
        bed_echo(call, 10);
        /* An answer arrives a moment before its call counts no more. */
        await_no_calls(bed.server);
    }
    rpcrt_call_free(call);
    rpcrt_channel_free(other);
    bed_close(&bed);
}

/* -- connections ----------------------------------------------------------- */

Test(limits, of_connections, .timeout = 30)
{
    static const struct rpcrt_server_options options = {.sessions_max = 2};
    struct rpcrt_channel *channels[4];
    struct rpcrt_call *calls[4];
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(rpcrt_channel_new(bed.address, NULL, &channels[i]),
                     RPCRT_OK);
        calls[i] = bed_call(channels[i], AT_ONCE_MS);
    }
    bed_echo(calls[0], 10);
    bed_echo(calls[1], 10);
    for (unsigned i = 2; i < 4; i++) {
        enum rpcrt_code code = echo(calls[i], 10, 0);

        cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED, "%s: %s",
                     rpcrt_code_name(code), rpcrt_call_message(calls[i]));
        cr_assert_not(rpcrt_call_may_have_run(calls[i]));
    }
    bed_echo(calls[0], 10);
    bed_echo(calls[1], 10);
    /* Room again, for who waits for it. */
    rpcrt_call_free(calls[0]);
    rpcrt_channel_free(channels[0]);
    rpcrt_call_set_wait_for_ready(calls[2], true);
    rpcrt_call_set_timeout(calls[2], BED_TIMEOUT_MS);
    bed_echo(calls[2], 10);
    for (unsigned i = 1; i < 4; i++) {
        rpcrt_call_free(calls[i]);
        rpcrt_channel_free(channels[i]);
    }
    bed_close(&bed);
}

/* Those that never say HELLO count too, and are not waited for. */
Test(limits, of_connections_hold_for_mute_ones, .timeout = 30)
{
    static const struct rpcrt_server_options options = {.sessions_max = 2};
    struct rpcrt_call *call;
    struct peer mute[2];
    struct bed bed;
    enum rpcrt_code code;

    bed_open(&bed, "tcp", &options, NULL);
    peer_connect(&mute[0], bed.address);
    peer_connect(&mute[1], bed.address);
    call = bed_call(bed.channel, AT_ONCE_MS);
    code = echo(call, 10, 0);
    cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED, "%s", rpcrt_code_name(code));
    peer_close(&mute[0]);
    rpcrt_call_set_wait_for_ready(call, true);
    rpcrt_call_set_timeout(call, BED_TIMEOUT_MS);
    bed_echo(call, 10);
    peer_close(&mute[1]);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- bytes of a connection ------------------------------------------------- */

/* A call that announces so many bytes and brings none. */
static void
announce(struct peer *peer, uint64_t call, uint32_t size)
{
    struct bytes message = peer_message(peer, 2);

    put_call_part(&message, call, COUNT, size, NULL, 0);
    cr_assert(peer_send(peer, &message));
}

static void
expect_status(struct peer *peer, uint64_t call, enum rpcrt_code code)
{
    struct bytes message;
    struct frame frame;

    cr_assert(peer_await(peer, STATUS, call, &message, &frame));
    cr_assert_eq((enum rpcrt_code)frame.payload[0], code);
    cr_assert_eq(frame.flags, REFUSED);
    bytes_free(&message);
}

Test(limits, of_bytes_that_requests_of_a_connection_announce, .timeout = 30)
{
    static const struct rpcrt_server_options options = {.session_bytes_max =
                                                            1000000};
    struct rpcrt_call *good;
    struct bytes message;
    struct frame frame;
    struct peer peer;
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    good = bed_call(bed.channel, AT_ONCE_MS);
    peer_open(&peer, bed.address, 4);
    announce(&peer, 1, 900000);
    announce(&peer, 2, 100001);
    expect_status(&peer, 2, RPCRT_RESOURCE_EXHAUSTED);
    bed_echo(good, 500000);
    message = peer_message(&peer, 2);
    put_frame(&message, CANCEL, 0, 0, 1, NULL, 0);
    put_call_part(&message, 3, COUNT, 900000, NULL, 0);
    put_call(&message, 4, ECHO, 0, NULL, 0);
    cr_assert(peer_send(&peer, &message));
    cr_assert(peer_await(&peer, DATA, 4, &message, &frame));
    cr_assert_not(find_frame(&message, STATUS, 3, &frame));
    bytes_free(&message);
    peer_close(&peer);
    rpcrt_call_free(good);
    bed_close(&bed);
}

Test(limits, of_bytes_that_replies_of_a_connection_wait_with, .timeout = 30)
{
    static const struct rpcrt_server_options options = {.session_bytes_max =
                                                            300000};
    const uint8_t large[] = {0x10, 0xc0, 0x9a, 0x0c}; /* a reply of 200000 */
    struct rpcrt_call *good;
    struct bytes message;
    struct frame frame;
    struct peer peer;
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    good = bed_call(bed.channel, AT_ONCE_MS);
    peer_open(&peer, bed.address, 4);
    message = peer_message(&peer, 1);
    put_call(&message, 1, ECHO, 0, large, sizeof large);
    put_call(&message, 2, ECHO, 0, large, sizeof large);
    cr_assert(peer_send(&peer, &message));
    cr_assert(peer_receive(&peer, PEER_PATIENCE_MS, &message));
    cr_assert(find_frame(&message, STATUS, 2, &frame));
    cr_assert_eq((enum rpcrt_code)frame.payload[0], RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(frame.flags, 0, "it has run");
    cr_assert_gt(bytes_number(frame.payload + 4, 4), 0, "there is no text");
    cr_assert(find_frame(&message, DATA, 1, &frame));
    bytes_free(&message);
    bed_echo(good, 100000);
    peer_close(&peer);
    rpcrt_call_free(good);
    bed_close(&bed);
}

/* -- metadata -------------------------------------------------------------- */

static void
put_call_with_metadata(struct bytes *message, uint64_t call, unsigned n_entries,
                       size_t value_size)
{
    struct bytes payload = {0};
    size_t entry_size = 4 + 3 + value_size;

    bytes_put_number(&payload, 0, 4);
    bytes_put_number(&payload, 0, 4);
    bytes_put_number(&payload, n_entries * entry_size, 4);
    bytes_put_number(&payload, n_entries, 2);
    bytes_put_number(&payload, 0, 2);
    for (unsigned i = 0; i < n_entries; i++) {
        char key[4];

        (void)snprintf(key, sizeof key, "k%c%c", 'a' + i % 26, 'a' + i / 26);
        bytes_put_number(&payload, 3, 2);
        bytes_put_number(&payload, value_size, 2);
        bytes_put(&payload, key, 3);
        for (size_t j = 0; j < value_size; j++) {
            bytes_put(&payload, "v", 1);
        }
    }
    put_frame(message, CALL, END, ECHO, call, payload.data, payload.size);
    bytes_free(&payload);
}

Test(limits, of_metadata, .timeout = 30)
{
    struct bytes message;
    struct frame frame;
    struct peer peer;
    struct bed bed;

    bed_open(&bed, "tcp", NULL, NULL);
    peer_open(&peer, bed.address, 4);
    message = peer_message(&peer, 2);
    put_call_with_metadata(&message, 1, 65, 1);
    put_call_with_metadata(&message, 2, 1, 8186);
    put_call_with_metadata(&message, 3, 64, 120);
    cr_assert(peer_send(&peer, &message));
    cr_assert(peer_await(&peer, DATA, 3, &message, &frame));
    for (uint64_t call = 1; call <= 2; call++) {
        cr_assert(find_frame(&message, STATUS, call, &frame));
        cr_assert_eq((enum rpcrt_code)frame.payload[0],
                     RPCRT_RESOURCE_EXHAUSTED);
        cr_assert_eq(frame.flags, REFUSED);
    }
    bytes_free(&message);
    peer_close(&peer);
    bed_close(&bed);
}

/* -- options --------------------------------------------------------------- */

Test(limits, that_cannot_be_are_refused, .timeout = 30)
{
    const struct rpcrt_server_options servers[] = {
        {.message_size_max = SIZE_MAX}, {.sessions_max = 1u << 23},
        {.sessions_max = UINT32_MAX},   {.workers_max = UINT32_MAX},
        {.stream_window = UINT32_MAX},  {.streams_max = UINT32_MAX},
    };
    const struct rpcrt_channel_options channels[] = {
        {.message_size_max = SIZE_MAX},
        {.contexts = 1},
        {.contexts = RPCRT_CONTEXTS_MAX + 1},
        {.contexts = UINT32_MAX},
    };
    struct rpcrt_channel *channel;
    struct rpcrt_server *server;

    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        cr_assert_eq(rpcrt_server_new(&servers[i], &server),
                     RPCRT_INVALID_ARGUMENT, "server %zu", i);
    }
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        cr_assert_eq(
            rpcrt_channel_new("tcp://127.0.0.1:1", &channels[i], &channel),
            RPCRT_INVALID_ARGUMENT, "channel %zu", i);
    }
    cr_assert_eq(rpcrt_channel_new(NULL, NULL, &channel),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, NULL, NULL),
                 RPCRT_INVALID_ARGUMENT);
    rpcrt_server_free(server);
}
