/*
 * Servers that break the rules of streams: the call ends UNAVAILABLE with a
 * reason and the connection with it, or, if only a message is wrong, the call
 * alone.
 */
#include "protocol/lies.h"
#include "transport/raw.h"

/* Small enough to be filled by one message. */
#define WINDOW_SIZE 64u
#define LONG_SIZE 70u

/* A message of LONG_SIZE bytes, its size before it. */
static const uint8_t long_message[4 + LONG_SIZE] = {LONG_SIZE,    0, 0, 0, 0x0a,
                                                    LONG_SIZE - 2};

static void
add(const struct exchange *exchange, struct bytes *message, uint8_t type,
    uint8_t flags, const void *payload, size_t size)
{
    put_frame(message, type, flags, 0, exchange->call, payload, size);
}

/* -- lies that end the connection ------------------------------------------ */

static void
begin_inside(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, REPLY, REPLY_SIZE - 1);
    add(exchange, message, DATA, START, REPLY, REPLY_SIZE);
}

static void
bring_too_much(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, REPLY "x", REPLY_SIZE + 1);
}

static void
go_on_without_start(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, REPLY, REPLY_SIZE);
    add(exchange, message, DATA, 0, "x", 1);
}

static void
end_inside(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START | END, REPLY, REPLY_SIZE - 1);
}

static void
be_ok_inside(const struct exchange *exchange, struct bytes *message)
{
    static const uint8_t ok[16];

    lie_frame(exchange, message, DATA, START, REPLY, REPLY_SIZE - 1);
    add(exchange, message, STATUS, 0, ok, sizeof ok);
}

static void
overrun_the_window(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, long_message,
              sizeof long_message);
    add(exchange, message, DATA, START, REPLY, REPLY_SIZE);
}

static void
say_headers_twice(const struct exchange *exchange, struct bytes *message)
{
    static const uint8_t none[4];

    lie_frame(exchange, message, HEADERS, 0, none, sizeof none);
    add(exchange, message, HEADERS, 0, none, sizeof none);
}

static void
say_headers_late(const struct exchange *exchange, struct bytes *message)
{
    static const uint8_t none[4];

    lie_frame(exchange, message, DATA, START, REPLY, REPLY_SIZE);
    add(exchange, message, HEADERS, 0, none, sizeof none);
}

static void
say_bad_headers(const struct exchange *exchange, struct bytes *message)
{
    /* One entry, whose key is "A". */
    static const uint8_t bad[] = {1, 0, 0, 0, 1, 0, 0, 0, 'A'};

    lie_frame(exchange, message, HEADERS, 0, bad, sizeof bad);
}

static void
say_short_headers(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, HEADERS, 0, "\0\0", 2);
}

static void
grant(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, WINDOW, 0, "\1\0\0\0", 4);
}

static void
grant_too_much(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, WINDOW, 0, "\xff\xff\xff\x7f", 4);
}

static void
grant_three_bytes(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, WINDOW, 0, "\1\0\0", 3);
}

static void
answer_twice(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, REPLY, REPLY_SIZE);
    add(exchange, message, DATA, START | END, REPLY, REPLY_SIZE);
}

/* -- who hears them -------------------------------------------------------- */

static enum rpcrt_code
hear_echo(struct rpcrt_call *call)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    return probe_echo(call, &request, &reply);
}

static enum rpcrt_code
hear_pour(struct rpcrt_call *call)
{
    Probe__V1__Script script = PROBE__V1__SCRIPT__INIT;

    probe_pour_open(call, &script);
    /* Nobody takes a message: that would open the window again. */
    expect_ok(call, rpcrt_call_wait(call, 5000));
    return probe_pour_finish(call);
}

static enum rpcrt_code
hear_sum(struct rpcrt_call *call)
{
    const Probe__V1__SumReply *reply;

    probe_sum_open(call);
    return probe_sum_finish(call, &reply);
}

static enum rpcrt_code
hear_chat(struct rpcrt_call *call)
{
    const Probe__V1__EchoReply *message;

    probe_chat_open(call);
    while (probe_chat_next(call, &message)) {
    }
    return probe_chat_finish(call);
}

static const struct {
    struct lie lie;
    enum rpcrt_code (*hear)(struct rpcrt_call *call);
} cases[] = {
    {{"message inside of another", begin_inside}, hear_pour},
    {{"message too long", bring_too_much}, hear_pour},
    {{"message without a start", go_on_without_start}, hear_chat},
    {{"end inside of a message", end_inside}, hear_pour},
    {{"OK inside of a message", be_ok_inside}, hear_chat},
    {{"more than the window", overrun_the_window}, hear_pour},
    {{"headers twice", say_headers_twice}, hear_pour},
    {{"headers twice of a reply", say_headers_twice}, hear_echo},
    {{"headers behind a message", say_headers_late}, hear_chat},
    {{"headers behind a reply", say_headers_late}, hear_sum},
    {{"bad headers", say_bad_headers}, hear_pour},
    {{"short headers", say_short_headers}, hear_pour},
    {{"window of a call", grant}, hear_echo},
    {{"window of a stream of the server", grant}, hear_pour},
    {{"window too large", grant_too_much}, hear_sum},
    {{"window of three bytes", grant_three_bytes}, hear_chat},
    {{"two replies to a stream", answer_twice}, hear_sum},
};

static const struct rpcrt_channel_options options = {.backoff_ms_min = 1,
                                                     .backoff_ms_max = 2,
                                                     .message_size_max = 100,
                                                     .stream_window =
                                                         WINDOW_SIZE};

Test(lying_stream, loses_its_connection, .timeout = 60)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct plan plan = {.lie = &cases[i].lie};
        struct rpcrt_channel *channel;
        struct rpcrt_call *call;
        struct host host;
        enum rpcrt_code code;

        host_open(&host, lie_once, &plan);
        cr_assert_eq(rpcrt_channel_new(host.address, &options, &channel),
                     RPCRT_OK);
        call = bed_call(channel, 5000);
        code = cases[i].hear(call);
        cr_assert_eq(code, RPCRT_UNAVAILABLE, "%s: %s: %s", plan.lie->name,
                     rpcrt_code_name(code), rpcrt_call_message(call));
        cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_TRANSPORT);
        cr_assert(rpcrt_call_may_have_run(call));
        cr_assert(strstr(rpcrt_call_message(call), "protocol") != NULL ||
                      strstr(rpcrt_call_message(call), "metadata") != NULL,
                  "%s: %s", plan.lie->name, rpcrt_call_message(call));
        expect_tofu(call, plan.lie->name);
        cr_assert_eq(atomic_load(&host.n_connections), 2u);
        rpcrt_call_free(call);
        rpcrt_channel_free(channel);
        host_close(&host);
    }
    raw_assert_no_leaks();
}

/* -- messages that are wrong by themselves --------------------------------- */

static void
send_nonsense(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, REPLY, REPLY_SIZE);
    add(exchange, message, DATA, START | END, "\2\0\0\0\x0a\5", 6);
}

static void
send_too_large(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, REPLY, REPLY_SIZE);
    add(exchange, message, DATA, START, "\x65\0\0\0x", 5);
}

/* One good message, a bad one, and the connection stands. */
static void
expect_bad_message(const struct lie *lie, enum rpcrt_code expected,
                   const char *words)
{
    Probe__V1__Script script = PROBE__V1__SCRIPT__INIT;
    const Probe__V1__EchoReply *message;
    struct plan plan = {.lie = lie};
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct host host;

    host_open(&host, lie_once, &plan);
    cr_assert_eq(rpcrt_channel_new(host.address, &options, &channel), RPCRT_OK);
    call = bed_call(channel, 5000);
    probe_pour_open(call, &script);
    while (probe_pour_next(call, &message)) {
        cr_assert_eq(message->payload.len, 4);
    }
    expect_code(call, expected, probe_pour_finish(call));
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_LOCAL);
    cr_assert_not_null(strstr(rpcrt_call_message(call), words), "%s",
                       rpcrt_call_message(call));
    expect_tofu(call, lie->name);
    cr_assert_eq(atomic_load(&host.n_connections), 1u);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    host_close(&host);
}

Test(lying_stream, with_a_message_that_cant_be_read_fails_alone, .timeout = 60)
{
    static const struct lie lie = {"nonsense", send_nonsense};

    expect_bad_message(&lie, RPCRT_INTERNAL, "payload");
}

Test(lying_stream, with_a_message_too_large_fails_alone, .timeout = 60)
{
    static const struct lie lie = {"too large", send_too_large};

    expect_bad_message(&lie, RPCRT_RESOURCE_EXHAUSTED, "101 bytes");
}
