/*
 * Retries by a service config, hedging, and calls that are executed once: a
 * server that fails now and then, and its client, in one program. See "Retries"
 * and "Once" in the README.
 */
#include "hello.client.h"
#include "hello.server.h"
#include <rpcrt/retry.h>
#include <rpcrt/rpcrt.h>
#include <stdio.h>

static const char config[] =
    "{ \"methodConfig\": [ {"
    "    \"name\": [ { \"service\": \"hello.Hello\", \"method\": \"Greet\" } ],"
    "    \"timeout\": \"2s\","
    "    \"retryPolicy\": {"
    "      \"maxAttempts\": 4, \"backoffMultiplier\": 2,"
    "      \"initialBackoff\": \"0.01s\", \"maxBackoff\": \"1s\","
    "      \"retryableStatusCodes\": [ \"UNAVAILABLE\" ] } } ],"
    "  \"retryThrottling\": { \"maxTokens\": 10, \"tokenRatio\": 0.1 } }";

/* Tired twice; the third attempt of a call goes well. */
static enum rpcrt_code
greet(void *self, struct rpcrt_ctx *ctx, const Hello__GreetRequest *request,
      Hello__GreetReply *reply)
{
    const char *before = rpcrt_ctx_metadata(ctx, RPCRT_PREVIOUS_ATTEMPTS, NULL);

    (void)self, (void)request;
    if (before == NULL || before[0] < '2') {
        return rpcrt_ctx_fail(ctx, RPCRT_UNAVAILABLE, "tired");
    }
    reply->text = "Hello at last!";
    return RPCRT_OK;
}

static enum rpcrt_code
admit(void *self, struct rpcrt_ctx *ctx, const Hello__GreetRequest *request,
      Hello__GreetReply *reply)
{
    int *guests = self; /* calls of this program come one after the other */

    reply->text = rpcrt_ctx_alloc(ctx, 300);
    if (reply->text == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    (*guests)++;
    snprintf(reply->text, 300, "%s is guest %d", request->name, *guests);
    return RPCRT_OK;
}

static void
admit_twice(struct rpcrt_call *call, Hello__GreetRequest *request)
{
    const Hello__GreetReply *reply;
    int i;

    if (rpcrt_call_set_metadata_text(call, RPCRT_IDEMPOTENCY_KEY,
                                     "ticket 42") != RPCRT_OK) {
        return;
    }
    for (i = 0; i < 2; i++) {
        if (hello_admit(call, request, &reply) == RPCRT_OK) {
            puts(reply->text);
        }
    }
    request->name = "Mallory";
    if (hello_admit(call, request, &reply) != RPCRT_OK) {
        puts(rpcrt_call_message(call));
    }
}

int
main(void)
{
    static const struct hello_service service = {.greet = greet,
                                                 .admit = admit};
    struct rpcrt_channel_options options = {.service_config = config};
    Hello__GreetRequest request = HELLO__GREET_REQUEST__INIT;
    const Hello__GreetReply *reply;
    struct rpcrt_server *server = NULL;
    struct rpcrt_channel *channel = NULL;
    struct rpcrt_call *call = NULL;
    int guests = 0, failed = 1;

    request.name = "Ada";
    if (rpcrt_server_new(NULL, &server) != RPCRT_OK ||
        hello_serve(server, &service, &guests) != RPCRT_OK ||
        rpcrt_server_listen(server, "inproc://again", NULL) != RPCRT_OK ||
        rpcrt_channel_new("inproc://again", &options, &channel) != RPCRT_OK ||
        rpcrt_call_new(channel, 5000, &call) != RPCRT_OK) {
        fprintf(stderr, "again: %s\n", rpcrt_last_error());
    } else if (hello_greet(call, &request, &reply) != RPCRT_OK) {
        fprintf(stderr, "again: %s\n", rpcrt_call_message(call));
    } else {
        printf("%s (attempt %d)\n", reply->text,
               (int)rpcrt_call_attempts(call));
        admit_twice(call, &request);
        failed = 0;
    }
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
    return failed;
}
