/*
 * Servers that break the rules of the protocol: the call ends at once with
 * UNAVAILABLE and a reason, never with a wrong reply, and the channel works
 * again as soon as somebody honest answers.
 */
#include "protocol/lies.h"
#include "transport/raw.h"

/* -- lies that end the connection ------------------------------------------ */

static void
name_another_session(const struct exchange *exchange, struct bytes *message)
{
    struct exchange other = *exchange;

    other.session ^= 2;
    lie_not(&other, message);
}

static void
repeat_seq(const struct exchange *exchange, struct bytes *message)
{
    struct exchange other = *exchange;

    other.seq = 0;
    lie_not(&other, message);
}

static void
jump_seq(const struct exchange *exchange, struct bytes *message)
{
    struct exchange other = *exchange;

    other.seq += RPCRT_CONTEXTS;
    lie_not(&other, message);
}

static void
speak_version_0(const struct exchange *exchange, struct bytes *message)
{
    lie_not(exchange, message);
    message->data[0] = 0;
}

static void
set_message_flag(const struct exchange *exchange, struct bytes *message)
{
    lie_not(exchange, message);
    message->data[1] = 0x82;
}

static void
be_short(const struct exchange *exchange, struct bytes *message)
{
    lie_not(exchange, message);
    message->size--;
}

static void
be_empty(const struct exchange *exchange, struct bytes *message)
{
    lie_not(exchange, message);
    message->size = 0;
}

static void
send_type_0(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, 0, 0, NULL, 0);
}

static void
send_type_200(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, 200, 0, NULL, 0);
}

static void
send_call(const struct exchange *exchange, struct bytes *message)
{
    static const uint8_t payload[16];

    lie_frame(exchange, message, CALL, END, payload, sizeof payload);
}

static void
send_cancel(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, CANCEL, 0, NULL, 0);
}

static void
set_frame_flag(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START | END | 0x40, REPLY, REPLY_SIZE);
}

static void
start_without_size(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START | END, "abc", 3);
}

static void
never_start(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, END, "tofu", 4);
}

static void
bring_too_much(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, REPLY "x", REPLY_SIZE + 1);
}

static void
bring_too_little(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START | END, REPLY, REPLY_SIZE - 1);
}

static void
start_twice(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, REPLY, REPLY_SIZE);
    put_frame(message, DATA, START | END, 0, exchange->call, REPLY, REPLY_SIZE);
}

static void
be_ok_without_reply(const struct exchange *exchange, struct bytes *message)
{
    static const uint8_t payload[16];

    lie_frame(exchange, message, STATUS, 0, payload, sizeof payload);
}

static void
claim_more_text(const struct exchange *exchange, struct bytes *message)
{
    const uint8_t payload[20] = {[0] = 5, [4] = 5};

    lie_frame(exchange, message, STATUS, 0, payload, sizeof payload);
}

static void
overflow_lengths(const struct exchange *exchange, struct bytes *message)
{
    uint8_t payload[20] = {[0] = 5, [4] = 4};

    memset(payload + 8, 0xff, 8);
    lie_frame(exchange, message, STATUS, 0, payload, sizeof payload);
}

static void
send_bad_metadata(const struct exchange *exchange, struct bytes *message)
{
    /* One entry, whose key is "A". */
    const uint8_t payload[21] = {
        [0] = 5, [2] = 1, [8] = 5, [16] = 1, [20] = 'A'};

    lie_frame(exchange, message, STATUS, 0, payload, sizeof payload);
}

static void
say_hello_again(const struct exchange *exchange, struct bytes *message)
{
    lie_begin(exchange, message);
    put_hello(message, RPCRT_CONTEXTS, 1000);
}

static const struct lie lies[] = {
    {"another session", name_another_session},
    {"sequence number again", repeat_seq},
    {"sequence number too far", jump_seq},
    {"version 0", speak_version_0},
    {"message flags", set_message_flag},
    {"short message", be_short},
    {"empty message", be_empty},
    {"frame type 0", send_type_0},
    {"frame type 200", send_type_200},
    {"CALL of a server", send_call},
    {"CANCEL of a server", send_cancel},
    {"frame flag", set_frame_flag},
    {"start without a size", start_without_size},
    {"reply without a start", never_start},
    {"reply too long", bring_too_much},
    {"reply too short", bring_too_little},
    {"two starts", start_twice},
    {"OK without a reply", be_ok_without_reply},
    {"text not there", claim_more_text},
    {"lengths above 32 bits", overflow_lengths},
    {"bad metadata", send_bad_metadata},
    {"second HELLO", say_hello_again},
};

static void
hear(const struct lie *lie)
{
    static const struct rpcrt_channel_options options = {.backoff_ms_min = 1,
                                                         .backoff_ms_max = 2};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct plan plan = {.lie = lie};
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct host host;
    enum rpcrt_code code;

    host_open(&host, lie_once, &plan);
    cr_assert_eq(rpcrt_channel_new(host.address, &options, &channel), RPCRT_OK);
    call = bed_call(channel, 5000);
    code = probe_echo(call, &request, &reply);
    cr_assert_eq(code, RPCRT_UNAVAILABLE, "%s: %s: %s", lie->name,
                 rpcrt_code_name(code), rpcrt_call_message(call));
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_TRANSPORT);
    cr_assert(rpcrt_call_may_have_run(call));
    cr_assert_not_null(strstr(rpcrt_call_message(call), host.address), "%s",
                       rpcrt_call_message(call));
    cr_assert(strstr(rpcrt_call_message(call), "protocol") != NULL ||
                  strstr(rpcrt_call_message(call), "metadata") != NULL,
              "%s: %s", lie->name, rpcrt_call_message(call));
    expect_tofu(call, lie->name);
    cr_assert_eq(atomic_load(&plan.n_lies), 1u);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    host_close(&host);
}

Test(lying_server, loses_its_connection, .timeout = 60)
{
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        hear(&lies[i]);
    }
    raw_assert_no_leaks();
}

/* A call that comes right behind, in the pause before the next attempt, must
 * not inherit the code of what went wrong. */
Test(lying_server, makes_the_next_call_unavailable_too, .timeout = 60)
{
    static const struct rpcrt_channel_options options = {
        .backoff_ms_min = 5000, .backoff_ms_max = 5000};
    static const struct lie lie = {"two starts", start_twice};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct plan plan = {.lie = &lie};
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct host host;

    host_open(&host, lie_once, &plan);
    cr_assert_eq(rpcrt_channel_new(host.address, &options, &channel), RPCRT_OK);
    call = bed_call(channel, 5000);
    for (unsigned i = 0; i < 3; i++) {
        expect_code(call, RPCRT_UNAVAILABLE,
                    probe_echo(call, &request, &reply));
        cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_TRANSPORT);
        cr_assert_eq(rpcrt_call_may_have_run(call), i == 0);
    }
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    host_close(&host);
}

/* -- the beginning --------------------------------------------------------- */

struct greeting {
    const char *name;
    void (*greet)(struct bytes *message);
    const char *text; /* in the call's message */
};

static void
begin_with_data(struct bytes *message)
{
    put_frame(message, DATA, START | END, 0, 1, REPLY, REPLY_SIZE);
}

static void
go_away_at_once(struct bytes *message)
{
    put_frame(message, GOAWAY, 0, RPCRT_UNAVAILABLE, 0, "too tired", 9);
}

static void
go_away_forbidden(struct bytes *message)
{
    put_frame(message, GOAWAY, 0, RPCRT_PERMISSION_DENIED, 0, "who are you?",
              12);
}

static void
hello_twice(struct bytes *message)
{
    put_hello(message, RPCRT_CONTEXTS, 1000);
    put_hello(message, RPCRT_CONTEXTS, 1000);
}

static void
short_hello(struct bytes *message)
{
    put_frame(message, HELLO, 0, 0, 0, "hello", 5);
}

static void
take_one_context(struct bytes *message)
{
    put_hello(message, 1, 1000);
}

static void
take_more_contexts(struct bytes *message)
{
    put_hello(message, RPCRT_CONTEXTS + 1, 1000);
}

static const struct greeting greetings[] = {
    {"one context", take_one_context, "contexts"},
    {"more contexts", take_more_contexts, "contexts"},
    {"data", begin_with_data, "HELLO"},
    {"goaway", go_away_at_once, "too tired"},
    {"forbidden", go_away_forbidden, "who are you?"},
    {"two", hello_twice, "HELLO"},
    {"short", short_hello, "HELLO"},
};

static void
greet(struct host *host, int fd)
{
    const struct greeting *greeting = host->arg;
    struct bytes message;
    struct bytes reply = {0};
    uint32_t request;

    if (host_shake(fd) && host_receive(host, fd, &request, &message)) {
        put_header(&reply, 0, bytes_number(message.data + 8, 8), 0);
        greeting->greet(&reply);
        bytes_free(&message);
        (void)host_reply(fd, request, &reply);
        host_hold(host, fd);
    }
}

Test(lying_server, must_begin_with_a_proper_hello, .timeout = 60)
{
    static const struct rpcrt_channel_options options = {.connect_timeout_ms =
                                                             3000};

    for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
        Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
        const Probe__V1__EchoReply *reply;
        struct greeting greeting = greetings[i];
        struct rpcrt_channel *channel;
        struct rpcrt_call *call;
        struct host host;
        int64_t began = now_ms();

        host_open(&host, greet, &greeting);
        cr_assert_eq(rpcrt_channel_new(host.address, &options, &channel),
                     RPCRT_OK);
        call = bed_call(channel, 5000);
        expect_code(call, RPCRT_UNAVAILABLE,
                    probe_echo(call, &request, &reply));
        cr_assert_not(rpcrt_call_may_have_run(call), "%s", greeting.name);
        cr_assert_not_null(strstr(rpcrt_call_message(call), greeting.text),
                           "%s: %s", greeting.name, rpcrt_call_message(call));
        cr_assert_lt(now_ms() - began, 2000, "%s", greeting.name);
        rpcrt_call_free(call);
        rpcrt_channel_free(channel);
        host_close(&host);
    }
}
