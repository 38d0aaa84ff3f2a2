/*
 * Each allocation of a channel, a server and a call fails in turn: every
 * attempt ends with OK or RESOURCE_EXHAUSTED (UNAVAILABLE where the other end
 * was struck), nothing hangs, nothing is lost, and the next call works.
 */
#include "support/faulty_alloc.h"
#include "support/probe.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Of a call that may be lost together with its connection. */
#define PATIENCE_MS 10000u

static void
nap(void)
{
    struct timespec span = {.tv_nsec = 1000000};

    (void)nanosleep(&span, NULL);
}

/* -- making and freeing ---------------------------------------------------- */

static void
channel_new(const char *address, bool *ret_made)
{
    struct rpcrt_channel *channel;
    enum rpcrt_code code = rpcrt_channel_new(address, NULL, &channel);

    *ret_made = code == RPCRT_OK;
    if (code == RPCRT_OK) {
        rpcrt_channel_free(channel);
    } else {
        cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED, "%s: %s",
                     rpcrt_code_name(code), rpcrt_last_error());
        cr_assert_not_null(strstr(rpcrt_last_error(), "memory"), "%s",
                           rpcrt_last_error());
    }
}

Test(fault, of_memory_in_channel_new, .timeout = 60)
{
    bool made = false;

    faulty_alloc_install();
    for (uint64_t n = 0; !made; n++) {
        faulty_alloc_fail_at(n);
        channel_new("tcp://127.0.0.1:1", &made);
        cr_assert_eq(made, !faulty_alloc_failed());
        cr_assert_eq(faulty_alloc_live(), 0);
    }
    faulty_alloc_remove();
}

Test(fault, of_memory_in_call_new, .timeout = 60)
{
    struct rpcrt_channel *channel;
    bool made = false;

    faulty_alloc_install();
    cr_assert_eq(rpcrt_channel_new("tcp://127.0.0.1:1", NULL, &channel),
                 RPCRT_OK);
    for (uint64_t n = 0; !made; n++) {
        struct rpcrt_call *call;

        faulty_alloc_fail_at(n);
        made = rpcrt_call_new(channel, 0, &call) == RPCRT_OK;
        cr_assert_eq(made, !faulty_alloc_failed());
        if (made) {
            rpcrt_call_free(call);
        }
    }
    rpcrt_channel_free(channel);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}

/* A server with a service that listens; true if it came so far. */
static bool
serve(struct probe *probe, const char *address, const struct rpcrt_tls *tls)
{
    static const struct probe_service service = {.echo = NULL};
    struct rpcrt_server *server;
    enum rpcrt_code code = rpcrt_server_new(NULL, &server);

    if (code == RPCRT_OK) {
        code = probe_serve(server, &service, probe);
        if (code == RPCRT_OK) {
            code = rpcrt_server_listen(server, address, tls);
        }
        rpcrt_server_free(server);
    }
    cr_assert(code == RPCRT_OK || code == RPCRT_RESOURCE_EXHAUSTED, "%s: %s",
              rpcrt_code_name(code), rpcrt_last_error());
    return code == RPCRT_OK;
}

EACH_TRANSPORT(fault, of_memory_in_server_new_and_listen, 60)
{
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    const struct rpcrt_tls *tls = NULL;
    struct probe probe;
    bool made = false;
    const char *address = "tcp://127.0.0.1:0";

    if (strcmp(transport, "tls") == 0) {
        bed_tls(&server_tls, &client_tls);
        tls = &server_tls;
        address = "tls+tcp://127.0.0.1:0";
    } else if (strcmp(transport, "ipc") == 0) {
        address = "ipc:///tmp/rpcrt-fault-of-memory";
    } else if (strcmp(transport, "inproc") == 0) {
        address = "inproc://fault-of-memory";
    }
    faulty_alloc_install();
    for (uint64_t n = 0; !made; n++) {
        faulty_alloc_fail_at(n);
        made = serve(&probe, address, tls);
        cr_assert_eq(made, !faulty_alloc_failed(), "allocation %u",
                     (unsigned)n);
        cr_assert_eq(faulty_alloc_live(), 0, "allocation %u", (unsigned)n);
    }
    faulty_alloc_remove();
}

/* -- calls ----------------------------------------------------------------- */

/* One call of each kind, on a connection that is made for it or stands. Which
 * end an allocation belongs to can't be told: both live here. */
static bool
make_calls(struct rpcrt_call *call)
{
    static uint8_t payload[200000];
    Probe__V1__EchoRequest echo = PROBE__V1__ECHO_REQUEST__INIT;
    Probe__V1__WaitRequest wait = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *echoed;
    const Probe__V1__DescribeReply *described;
    enum rpcrt_code codes[4];
    bool all = true;

    codes[0] = probe_describe(call, &echo, &described);
    echo.payload.data = payload;
    echo.payload.len = sizeof payload;
    codes[1] = probe_echo(call, &echo, &echoed);
    codes[2] = probe_wait(call, &wait, &echoed);
    codes[3] = probe_later(call, &wait, &echoed);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert(codes[i] == RPCRT_OK ||
                      codes[i] == RPCRT_RESOURCE_EXHAUSTED ||
                      codes[i] == RPCRT_UNAVAILABLE,
                  "call %u: %s: %s", i, rpcrt_code_name(codes[i]),
                  rpcrt_call_message(call));
        all = all && codes[i] == RPCRT_OK;
    }
    return all;
}

/* -- streams --------------------------------------------------------------- */

#define N_MESSAGES 4u
#define MESSAGE_SIZE 70000u

static enum rpcrt_code
make_pour(struct rpcrt_call *call)
{
    Probe__V1__Script script = PROBE__V1__SCRIPT__INIT;
    Probe__V1__Step step = PROBE__V1__STEP__INIT;
    Probe__V1__Step *steps = &step;
    const Probe__V1__EchoReply *message;
    enum rpcrt_code code;
    unsigned n = 0;

    step.headers = true;
    step.n_replies = N_MESSAGES;
    step.reply_size = MESSAGE_SIZE;
    script.steps = &steps;
    script.n_steps = 1;
    probe_pour_open(call, &script);
    while (probe_pour_next(call, &message)) {
        cr_assert(probe_is_pattern(message->payload, n));
        n++;
    }
    code = probe_pour_finish(call);
    cr_assert(code != RPCRT_OK || n == N_MESSAGES);
    return code;
}

static enum rpcrt_code
make_sum(struct rpcrt_call *call)
{
    Probe__V1__Step step = PROBE__V1__STEP__INIT;
    const Probe__V1__SumReply *reply;
    enum rpcrt_code code;

    step.payload.len = MESSAGE_SIZE;
    probe_sum_open(call);
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        step.payload.data = probe_pattern(i);
        if (!probe_sum_send(call, &step)) {
            break;
        }
    }
    code = probe_sum_finish(call, &reply);
    cr_assert(code != RPCRT_OK ||
              (reply->count == N_MESSAGES && reply->n_wrong == 0));
    return code;
}

/* One message each way; then, unless `finish`, nobody cares for the rest. */
static enum rpcrt_code
make_chat(struct rpcrt_call *call, bool finish)
{
    Probe__V1__Step step = PROBE__V1__STEP__INIT;
    const Probe__V1__EchoReply *message;
    bool got;

    step.payload.data = probe_pattern(0);
    step.payload.len = MESSAGE_SIZE;
    probe_chat_open(call);
    got = probe_chat_send(call, &step) && probe_chat_next(call, &message);
    cr_assert(!got || probe_is_pattern(message->payload, 0));
    if (!got || finish || !probe_chat_send(call, &step)) {
        return probe_chat_finish(call);
    }
    return RPCRT_OK;
}

/* A stream of each kind. */
static bool
make_streams(struct rpcrt_call *call)
{
    enum rpcrt_code codes[4];
    bool all = true;

    codes[0] = make_pour(call);
    codes[1] = make_sum(call);
    codes[2] = make_chat(call, true);
    codes[3] = make_chat(call, false);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert(codes[i] == RPCRT_OK ||
                      codes[i] == RPCRT_RESOURCE_EXHAUSTED ||
                      codes[i] == RPCRT_UNAVAILABLE,
                  "stream %u: %s", i, rpcrt_code_name(codes[i]));
        all = all && codes[i] == RPCRT_OK;
    }
    return all;
}

/* -- each in turn, and all ------------------------------------------------- */

/* Who answers later has a thread of his own, which may still be at work. */
static void
await_live(size_t n_live)
{
    for (unsigned ms = 0; faulty_alloc_live() > n_live && ms < PATIENCE_MS;
         ms++) {
        nap();
    }
    cr_assert_eq(faulty_alloc_live(), n_live);
}

static const struct rpcrt_channel_options hasty = {.backoff_ms_min = 1,
                                                   .backoff_ms_max = 2};

/* Every allocation from the first dial to the last answer. */
static void
strike_each(const char *transport, bool (*use)(struct rpcrt_call *call))
{
    bool struck = true;
    unsigned n_good = 0;

    faulty_alloc_install();
    for (uint64_t n = 0; struck || n_good < 3; n++) {
        struct rpcrt_call *call;
        struct bed bed;

        bed_open(&bed, transport, NULL, &hasty);
        call = bed_call(bed.channel, PATIENCE_MS);
        cr_assert_eq(rpcrt_call_set_metadata_text(call, "probe-header", "x"),
                     RPCRT_OK);
        faulty_alloc_fail_at(n);
        if (use(call)) {
            n_good++;
        }
        struck = faulty_alloc_failed();
        faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
        /* And then it works again. */
        rpcrt_call_set_wait_for_ready(call, true);
        bed_echo(call, 100000);
        rpcrt_call_free(call);
        bed_close(&bed);
        await_live(0);
    }
    faulty_alloc_remove();
}

EACH_TRANSPORT(fault, of_memory_in_the_first_calls, 60)
{
    strike_each(transport, make_calls);
}

EACH_TRANSPORT(fault, of_memory_in_the_first_streams, 60)
{
    strike_each(transport, make_streams);
}

/* No memory at all, for a while. */
static void
strike_all(const char *transport, bool (*use)(struct rpcrt_call *call))
{
    faulty_alloc_install();
    for (uint64_t n = 0; n < 40; n++) {
        struct rpcrt_call *call;
        struct bed bed;

        bed_open(&bed, transport, NULL, &hasty);
        call = bed_call(bed.channel, PATIENCE_MS);
        if (n % 2 == 0) {
            bed_echo(call, 100); /* the connection stands */
        }
        faulty_alloc_fail_from(n / 2);
        (void)use(call);
        faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
        rpcrt_call_set_wait_for_ready(call, true);
        bed_echo(call, 100000);
        rpcrt_call_free(call);
        bed_close(&bed);
        await_live(0);
    }
    faulty_alloc_remove();
}

EACH_TRANSPORT(fault, of_all_memory, 60)
{
    strike_all(transport, make_calls);
}

EACH_TRANSPORT(fault, of_all_memory_in_streams, 60)
{
    strike_all(transport, make_streams);
}

/* -- metadata -------------------------------------------------------------- */

Test(fault, of_memory_in_metadata, .timeout = 60)
{
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    bool set = false;

    faulty_alloc_install();
    cr_assert_eq(rpcrt_channel_new("tcp://127.0.0.1:1", NULL, &channel),
                 RPCRT_OK);
    for (uint64_t n = 0; !set; n++) {
        set = true;
        cr_assert_eq(rpcrt_call_new(channel, 0, &call), RPCRT_OK);
        faulty_alloc_fail_at(n);
        for (unsigned i = 0; i < 10; i++) {
            char key[16];
            enum rpcrt_code code;

            (void)snprintf(key, sizeof key, "key-%u", i % 7);
            code = rpcrt_call_set_metadata_text(call, key, "value");
            cr_assert(code == RPCRT_OK || code == RPCRT_RESOURCE_EXHAUSTED);
            set = set && code == RPCRT_OK;
        }
        rpcrt_call_free(call);
    }
    rpcrt_channel_free(channel);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}
