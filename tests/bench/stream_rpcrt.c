/*
 * Subjects "rpcrt-pour", a stream of the server, and "rpcrt-sink", one of the
 * client: one stream at a time, through the stubs that wait.
 */
#include "bench/meter.h"
#include "bench/subject.h"

#include "bench/echo.client.h"
#include "bench/echo.server.h"

#include <rpcrt/rpcrt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t payload[SUBJECT_DEPTH_MAX];

static void
must(enum rpcrt_code code)
{
    if (code != RPCRT_OK) {
        subject_fail("rpcrt: %s", rpcrt_last_error());
    }
}

/* -- server --------------------------------------------------------------- */

static enum rpcrt_code
pour(void *self, struct rpcrt_ctx *ctx, const Bench__PourRequest *request)
{
    Bench__EchoReply message = BENCH__ECHO_REPLY__INIT;
    enum rpcrt_code code = RPCRT_OK;

    (void)self;
    message.payload.data = payload;
    message.payload.len = request->size;
    while (code == RPCRT_OK) {
        code = echo_pour_reply(ctx, &message);
    }
    return code;
}

static enum rpcrt_code
sink(void *self, struct rpcrt_ctx *ctx, Bench__SinkReply *reply)
{
    const Bench__EchoRequest *message;
    enum rpcrt_code code;

    (void)self;
    while ((code = echo_sink_receive(ctx, &message)) == RPCRT_OK &&
           message != NULL) {
        reply->messages++;
    }
    return code;
}

static void
serve(const struct subject_args *args)
{
    static const struct echo_service service = {.pour = pour, .sink = sink};
    struct rpcrt_server *server;
    const char *address;

    (void)args;
    must(rpcrt_server_new(NULL, &server));
    must(echo_serve(server, &service, NULL));
    must(rpcrt_server_listen(server, "tcp://127.0.0.1:0", NULL));
    address = rpcrt_server_address(server, 0);
    subject_serve((unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10));
    rpcrt_server_free(server);
}

/* -- client --------------------------------------------------------------- */

static void
take_all(struct rpcrt_call *call, struct meter *meter, unsigned size)
{
    Bench__PourRequest request = BENCH__POUR_REQUEST__INIT;
    const Bench__EchoReply *message;

    request.size = size;
    echo_pour_open(call, &request);
    do {
        if (!echo_pour_next(call, &message) || message->payload.len != size) {
            subject_fail("rpcrt: %s", rpcrt_call_message(call));
        }
    } while (meter_count(meter));
    rpcrt_call_cancel(call);
    if (echo_pour_finish(call) != RPCRT_CANCELLED) {
        subject_fail("rpcrt: %s", rpcrt_call_message(call));
    }
}

static void
send_all(struct rpcrt_call *call, struct meter *meter, unsigned size)
{
    Bench__EchoRequest message = BENCH__ECHO_REQUEST__INIT;
    const Bench__SinkReply *reply;

    message.payload.data = payload;
    message.payload.len = size;
    echo_sink_open(call);
    do {
        if (!echo_sink_send(call, &message)) {
            subject_fail("rpcrt: %s", rpcrt_call_message(call));
        }
    } while (meter_count(meter));
    if (echo_sink_finish(call, &reply) != RPCRT_OK ||
        reply->messages != meter->n_messages) {
        subject_fail("rpcrt: messages are missing: %s",
                     rpcrt_call_message(call));
    }
}

static void
measure(const struct subject_args *args)
{
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct meter meter;
    char address[64];

    snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", args->port);
    must(rpcrt_channel_new(address, NULL, &channel));
    must(rpcrt_call_new(channel, 0, &call));
    meter_start(&meter, args->seconds);
    if (strcmp(args->name, "rpcrt-pour") == 0) {
        take_all(call, &meter, args->depth);
    } else {
        send_all(call, &meter, args->depth);
    }
    meter_print(&meter);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
}

int
main(int argc, char **argv)
{
    return subject_main(argc, argv, serve, measure);
}
