/*
 * Servers whose answers are strange but break no rule, and those that fall
 * silent: the call ends as it should, and the connection is kept or noticed to
 * be lost.
 */
#include "protocol/lies.h"
#include "transport/raw.h"

/* -- answers that are strange, not wrong ----------------------------------- */

static void
status_with(const struct exchange *exchange, struct bytes *message,
            uint8_t flags, uint8_t code, uint8_t origin, const void *text,
            uint32_t text_size, uint32_t details_size)
{
    struct bytes payload = {0};

    bytes_put_number(&payload, code, 1);
    bytes_put_number(&payload, origin, 1);
    bytes_put_number(&payload, 0, 2);
    bytes_put_number(&payload, text_size, 4);
    bytes_put_number(&payload, 0, 4);
    bytes_put_number(&payload, details_size, 4);
    bytes_put(&payload, text, text_size);
    while (details_size-- > 0) {
        bytes_put_number(&payload, 'd', 1);
    }
    lie_frame(exchange, message, STATUS, flags, payload.data, payload.size);
    bytes_free(&payload);
}

static void
use_code_77(const struct exchange *exchange, struct bytes *message)
{
    status_with(exchange, message, 0, 77, 200, "odd", 3, 0);
}

static void
refuse(const struct exchange *exchange, struct bytes *message)
{
    status_with(exchange, message, REFUSED, RPCRT_UNAVAILABLE, 1, "no", 2, 0);
}

static void
colour_the_text(const struct exchange *exchange, struct bytes *message)
{
    status_with(exchange, message, 0, 5, 0, "\x1b[31mred\0dead", 12, 0);
}

static void
write_a_novel(const struct exchange *exchange, struct bytes *message)
{
    static char text[60000];

    memset(text, 'a', sizeof text);
    /* A character of two bytes where a text is cut. */
    for (size_t i = 401; i + 1 < sizeof text; i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    status_with(exchange, message, 0, 5, 0, text, sizeof text, 0);
}

static void
detail_too_much(const struct exchange *exchange, struct bytes *message)
{
    status_with(exchange, message, 0, 5, 0, "long", 4,
                RPCRT_DETAILS_SIZE_MAX + 1);
}

static void
answer_strangers_first(const struct exchange *exchange, struct bytes *message)
{
    lie_begin(exchange, message);
    put_frame(message, DATA, START | END, 0, exchange->call + 1, REPLY,
              REPLY_SIZE);
    put_status(message, 0, exchange->call + 2, 5, "who?");
    put_frame(message, PONG, 0, 0, 0, NULL, 0);
    put_frame(message, PING, 0, 0, 0, "ping", 4);
    put_frame(message, DATA, START | END, 0, exchange->call, REPLY, REPLY_SIZE);
    put_frame(message, DATA, START | END, 0, exchange->call, REPLY, REPLY_SIZE);
}

static void
send_no_protobuf(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START | END, "\x02\0\0\0\x0a\x05", 6);
}

static void
announce_too_much(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, "\x01\0\x40\0abcd", 8);
}

static void
fail_behind_half_a_reply(const struct exchange *exchange, struct bytes *message)
{
    lie_frame(exchange, message, DATA, START, REPLY, REPLY_SIZE - 2);
    put_status(message, 0, exchange->call, RPCRT_DATA_LOSS, "half");
}

struct strange {
    struct lie lie;
    enum rpcrt_code code;
    enum rpcrt_origin origin;
    bool may_have_run;
    const char *text;
};

static const struct strange strange[] = {
    {{"code 77", use_code_77},
     RPCRT_UNKNOWN,
     RPCRT_ORIGIN_RUNTIME,
     true,
     "odd"},
    {{"refusal", refuse}, RPCRT_UNAVAILABLE, RPCRT_ORIGIN_RUNTIME, false, "no"},
    {{"colours", colour_the_text},
     RPCRT_NOT_FOUND,
     RPCRT_ORIGIN_HANDLER,
     true,
     "?[31mred"},
    {{"a novel", write_a_novel},
     RPCRT_NOT_FOUND,
     RPCRT_ORIGIN_HANDLER,
     true,
     "aaa"},
    {{"details", detail_too_much},
     RPCRT_NOT_FOUND,
     RPCRT_ORIGIN_HANDLER,
     true,
     "long"},
    {{"strangers", answer_strangers_first},
     RPCRT_OK,
     RPCRT_ORIGIN_HANDLER,
     true,
     "ok"},
    {{"no protobuf", send_no_protobuf},
     RPCRT_INTERNAL,
     RPCRT_ORIGIN_LOCAL,
     true,
     "payload"},
    {{"4 MiB and 1", announce_too_much},
     RPCRT_RESOURCE_EXHAUSTED,
     RPCRT_ORIGIN_LOCAL,
     true,
     "4194305"},
    {{"half a reply", fail_behind_half_a_reply},
     RPCRT_DATA_LOSS,
     RPCRT_ORIGIN_RUNTIME,
     true,
     "half"},
};

static void
hear_strange(const struct strange *expected)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct plan plan = {.lie = &expected->lie};
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct host host;
    size_t size;

    host_open(&host, lie_once, &plan);
    cr_assert_eq(rpcrt_channel_new(host.address, NULL, &channel), RPCRT_OK);
    call = bed_call(channel, 5000);
    expect_code(call, expected->code, probe_echo(call, &request, &reply));
    cr_assert_eq(rpcrt_call_origin(call), expected->origin, "%s",
                 expected->lie.name);
    cr_assert_eq(rpcrt_call_may_have_run(call), expected->may_have_run);
    cr_assert_not_null(strstr(rpcrt_call_message(call), expected->text),
                       "%s: %s", expected->lie.name, rpcrt_call_message(call));
    cr_assert_leq(strlen(rpcrt_call_message(call)), RPCRT_TEXT_SIZE - 1);
    cr_assert_null(rpcrt_call_details(call, &size));
    cr_assert_eq(size, 0);
    expect_tofu(call, expected->lie.name);
    cr_assert_eq(atomic_load(&host.n_connections), 1u, "%s",
                 expected->lie.name);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    host_close(&host);
}

Test(strange_server, may_answer_strangely, .timeout = 60)
{
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        hear_strange(&strange[i]);
    }
}

/* A server that takes two requests at once gets no third. */
struct few {
    atomic_uint n_requests;
    atomic_bool answering;
};

static void
take_two_contexts(struct host *host, int fd)
{
    struct exchange exchange = {.seq = 1};
    struct few *few = host->arg;
    struct bytes messages[2];
    struct bytes reply = {0};
    uint32_t requests[2];

    if (!host_shake(fd) ||
        !host_receive(host, fd, &requests[0], &messages[0])) {
        return;
    }
    exchange.session = bytes_number(messages[0].data + 8, 8);
    bytes_free(&messages[0]);
    put_header(&reply, 0, exchange.session, 0);
    put_hello(&reply, 2, 4u << 20);
    (void)host_reply(fd, requests[0], &reply);
    for (unsigned i = 0; i < 2; i++) {
        if (!host_receive(host, fd, &requests[i], &messages[i])) {
            return;
        }
        atomic_fetch_add(&few->n_requests, 1);
    }
    while (!atomic_load(&few->answering) && !atomic_load(&host->ending)) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};

        if (poll(&poller, 1, 5) == 1) {
            atomic_fetch_add(&few->n_requests, 1);
            break;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)lie_answer(fd, requests[i], &messages[i], &exchange, lie_not);
        bytes_free(&messages[i]);
    }
    host_hold(host, fd);
}

Test(strange_server, may_take_fewer_contexts, .timeout = 60)
{
    static uint8_t payload[300000];
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct few few = {.n_requests = 0};
    struct rpcrt_channel *channel;
    struct rpcrt_call *calls[6];
    atomic_uint n_done = 0;
    struct host host;

    host_open(&host, take_two_contexts, &few);
    cr_assert_eq(rpcrt_channel_new(host.address, NULL, &channel), RPCRT_OK);
    request.payload.data = payload;
    request.payload.len = sizeof payload;
    for (unsigned i = 0; i < 6; i++) {
        calls[i] = bed_call(channel, 0);
        probe_echo_start(calls[i], &request, bed_done, &n_done);
    }
    bed_await(&few.n_requests, 2);
    nap_ms(50);
    cr_assert_eq(atomic_load(&few.n_requests), 2u);
    atomic_store(&few.answering, true);
    while (atomic_load(&n_done) == 0) {
        nap_ms(1);
    }
    for (unsigned i = 0; i < 6; i++) {
        rpcrt_call_free(calls[i]);
    }
    rpcrt_channel_free(channel);
    host_close(&host);
}

/* -- silence --------------------------------------------------------------- */

static void
hold_calls(struct host *host, int fd)
{
    uint64_t session;

    if (host_hello(host, fd, &session)) {
        host_hold(host, fd);
    }
}

/* Answer with numbers that leave a hole for ever. */
static void
leave_a_gap(struct host *host, int fd)
{
    struct exchange exchange = {.seq = 2};
    struct bytes message;
    struct bytes reply = {0};
    uint32_t request;
    bool alive = host_hello(host, fd, &exchange.session);

    while (alive && host_receive(host, fd, &request, &message)) {
        bytes_free(&message);
        lie_begin(&exchange, &reply);
        exchange.seq++;
        alive = host_reply(fd, request, &reply);
    }
}

/* Announce a reply, and never send it. */
static void
stop_in_a_reply(struct host *host, int fd)
{
    const uint8_t head[12] = {0, 0, 0, 0, 0, 4, 0, 0, 0x80};
    struct bytes message;
    uint32_t request;
    uint64_t session;

    if (host_hello(host, fd, &session) &&
        host_receive(host, fd, &request, &message)) {
        bytes_free(&message);
        (void)send(fd, head, sizeof head, MSG_NOSIGNAL);
        host_hold(host, fd);
    }
}

static void
expect_lost(void (*script)(struct host *host, int fd))
{
    static const struct rpcrt_channel_options options = {
        .keepalive_ms = 50, .keepalive_timeout_ms = 50};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct host host;

    host_open(&host, script, NULL);
    cr_assert_eq(rpcrt_channel_new(host.address, &options, &channel), RPCRT_OK);
    call = bed_call(channel, 0);
    expect_code(call, RPCRT_UNAVAILABLE, probe_echo(call, &request, &reply));
    cr_assert(rpcrt_call_may_have_run(call));
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    host_close(&host);
}

Test(strange_server, that_falls_silent_is_noticed, .timeout = 60)
{
    expect_lost(hold_calls);
    expect_lost(leave_a_gap);
    expect_lost(stop_in_a_reply);
}

/* The connection came up for a call that is gone: it is looked after as well.
 * Nothing tells the program; the server sees a ping. */
static void
wait_for_ping(struct host *host, int fd)
{
    atomic_bool *pinged = host->arg;
    struct bytes message;
    struct frame frame;
    uint32_t request;
    uint64_t session;

    nap_ms(30); /* the call is cancelled meanwhile */
    if (!host_hello(host, fd, &session)) {
        return;
    }
    while (host_receive(host, fd, &request, &message)) {
        if (find_frame(&message, PING, 0, &frame)) {
            atomic_store(pinged, true);
        }
        bytes_free(&message);
    }
}

Test(strange_server, is_pinged_even_without_calls, .timeout = 60)
{
    static const struct rpcrt_channel_options options = {
        .keepalive_ms = 20, .keepalive_timeout_ms = 5000};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    atomic_bool pinged = false;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    atomic_uint n_done = 0;
    struct host host;
    int64_t end = now_ms() + PEER_PATIENCE_MS;

    host_open(&host, wait_for_ping, &pinged);
    cr_assert_eq(rpcrt_channel_new(host.address, &options, &channel), RPCRT_OK);
    call = bed_call(channel, 0);
    probe_echo_start(call, &request, bed_done, &n_done);
    while (atomic_load(&host.n_connections) == 0) {
        nap_ms(1);
    }
    rpcrt_call_free(call);
    while (!atomic_load(&pinged) && now_ms() < end) {
        nap_ms(1);
    }
    cr_assert(atomic_load(&pinged));
    rpcrt_channel_free(channel);
    host_close(&host);
}
