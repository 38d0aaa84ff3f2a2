/*
 * Subjects "rpcrt-inline", whose method is declared non-blocking and runs where
 * the request arrives, and "rpcrt-worker", whose method is handed to a worker.
 * Several calls in flight are made by the asynchronous stubs, a single one by
 * the blocking stub; "-async" behind the name makes the single one
 * asynchronous too. With "-queue" behind it one thread starts all calls and
 * takes them from a completion queue.
 */
#include "bench/subject.h"

#include "bench/echo.client.h"
#include "bench/echo.server.h"

#include <pthread.h>
#include <rpcrt/rpcrt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
must(enum rpcrt_code code)
{
    if (code != RPCRT_OK) {
        subject_fail("rpcrt: %s", rpcrt_last_error());
    }
}

/* -- server --------------------------------------------------------------- */

static enum rpcrt_code
echo(void *self, struct rpcrt_ctx *ctx, const Bench__EchoRequest *request,
     Bench__EchoReply *reply)
{
    (void)self;
    (void)ctx;
    reply->payload = request->payload;
    return RPCRT_OK;
}

static void
serve(const struct subject_args *args)
{
    static const struct echo_service service = {.here = echo, .worker = echo};
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

typedef enum rpcrt_code call_fn(struct rpcrt_call *call,
                                const Bench__EchoRequest *request,
                                const Bench__EchoReply **ret_reply);
typedef void start_fn(struct rpcrt_call *call,
                      const Bench__EchoRequest *request, rpcrt_done_fn *done,
                      void *arg);
typedef enum rpcrt_code take_fn(struct rpcrt_call *call,
                                const Bench__EchoReply **ret_reply);

/* The three stubs of a method. */
struct stubs {
    call_fn *call;
    start_fn *start;
    take_fn *take;
};

static const struct stubs here = {echo_here, echo_here_start, echo_here_take};
static const struct stubs worker = {echo_worker, echo_worker_start,
                                    echo_worker_take};

struct slot {
    struct client *client;
    unsigned number;
    struct rpcrt_call *call;
};

struct client {
    const struct stubs *stubs;
    struct load *load;
    struct rpcrt_channel *channel;
    unsigned depth;
    struct slot *slots;
    struct rpcrt_queue *queue; /* NULL: completions are called back */
    pthread_t taker;
    Bench__EchoRequest request; /* the same for all */
};

static void
check(const struct rpcrt_call *call, enum rpcrt_code code,
      const Bench__EchoReply *reply)
{
    if (code != RPCRT_OK || reply == NULL) {
        subject_fail("rpcrt: %s", rpcrt_call_message(call));
    }
    if (reply->payload.len != SUBJECT_PAYLOAD_SIZE) {
        subject_fail("rpcrt: a reply of %zu bytes", reply->payload.len);
    }
}

static void
answered(struct rpcrt_call *call, void *arg)
{
    struct slot *slot = arg;
    struct client *client = slot->client;
    const Bench__EchoReply *reply = NULL;

    enum rpcrt_code code = client->stubs->take(call, &reply);

    check(call, code, reply);
    if (load_answered(client->load, slot->number)) {
        client->stubs->start(call, &client->request, answered, slot);
    }
}

static void
call_start(void *arg, unsigned number)
{
    struct client *client = arg;
    struct slot *slot = &client->slots[number];

    client->stubs->start(slot->call, &client->request, answered, slot);
}

/* The thread that has all calls, until the load is over. */
static void *
take_calls(void *arg)
{
    struct client *client = arg;
    struct rpcrt_call *call;

    while (rpcrt_queue_wait_any(client->queue, -1, &call) == RPCRT_OK) {
        struct slot *slot = rpcrt_call_tag(call);
        const Bench__EchoReply *reply = NULL;
        enum rpcrt_code code = client->stubs->take(call, &reply);

        check(call, code, reply);
        if (load_answered(client->load, slot->number)) {
            client->stubs->start(call, &client->request, rpcrt_queue_done,
                                 client->queue);
        }
    }
    return NULL;
}

static void
queue_start(void *arg, unsigned number)
{
    struct client *client = arg;
    struct rpcrt_call *call = client->slots[number].call;

    rpcrt_call_set_tag(call, &client->slots[number]);
    client->stubs->start(call, &client->request, rpcrt_queue_done,
                         client->queue);
    if (number + 1 == client->depth &&
        pthread_create(&client->taker, NULL, take_calls, client) != 0) {
        subject_fail("rpcrt: no thread");
    }
}

static void
call_once(void *arg)
{
    struct client *client = arg;
    struct rpcrt_call *call = client->slots[0].call;
    const Bench__EchoReply *reply = NULL;

    enum rpcrt_code code = client->stubs->call(call, &client->request, &reply);

    check(call, code, reply);
}

static void
client_open(struct client *client, const struct subject_args *args)
{
    char address[64];

    snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", args->port);
    must(rpcrt_channel_new(address, NULL, &client->channel));
    client->slots = calloc(args->depth, sizeof(*client->slots));
    if (client->slots == NULL) {
        subject_fail("no memory");
    }
    for (unsigned i = 0; i < args->depth; i++) {
        struct slot *slot = &client->slots[i];

        slot->client = client;
        slot->number = i;
        must(rpcrt_call_new(client->channel, SUBJECT_TIMEOUT_MS, &slot->call));
    }
}

static void
client_close(struct client *client)
{
    for (unsigned i = 0; i < client->depth; i++) {
        rpcrt_call_free(client->slots[i].call);
    }
    rpcrt_queue_free(client->queue);
    rpcrt_channel_free(client->channel);
    free(client->slots);
    load_free(client->load);
}

static void
measure(const struct subject_args *args)
{
    static uint8_t payload[SUBJECT_PAYLOAD_SIZE];
    struct client client = {.stubs = &here,
                            .load = load_new(args->depth),
                            .depth = args->depth,
                            .request = BENCH__ECHO_REQUEST__INIT};

    if (strncmp(args->name, "rpcrt-worker", strlen("rpcrt-worker")) == 0) {
        client.stubs = &worker;
    }
    memset(payload, 'x', sizeof(payload));
    client.request.payload.data = payload;
    client.request.payload.len = sizeof(payload);
    client_open(&client, args);
    if (strstr(args->name, "-queue") != NULL) {
        must(rpcrt_queue_new(&client.queue));
        load_run(client.load, args->seconds, queue_start, &client);
        (void)pthread_join(client.taker, NULL);
    } else if (args->depth == 1 && strstr(args->name, "-async") == NULL) {
        load_run_blocking(client.load, args->seconds, call_once, &client);
    } else {
        load_run(client.load, args->seconds, call_start, &client);
    }
    load_print(client.load);
    client_close(&client);
}

int
main(int argc, char **argv)
{
    return subject_main(argc, argv, serve, measure);
}
