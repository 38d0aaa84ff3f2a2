/*
 * Calls each kind of stream of party.c. See "Streams" in the README.
 */
#include "hello.client.h"
#include <rpcrt/rpcrt.h>
#include <stdio.h>

static char *const names[] = {"Ada", "Alan", "Grace"};

static enum rpcrt_code
cheer(struct rpcrt_call *call)
{
    Hello__GreetRequest request = HELLO__GREET_REQUEST__INIT;
    const Hello__GreetReply *reply;

    request.name = names[0];
    hello_cheer_open(call, &request);
    while (hello_cheer_next(call, &reply)) { /* false: the call is over */
        puts(reply->text);
    }
    return hello_cheer_finish(call);
}

static enum rpcrt_code
greet_all(struct rpcrt_call *call)
{
    Hello__GreetRequest request = HELLO__GREET_REQUEST__INIT;
    const Hello__GreetReply *reply;
    enum rpcrt_code code;
    size_t i;

    hello_greet_all_open(call);
    for (i = 0; i < 3; i++) {
        request.name = names[i];
        if (!hello_greet_all_send(call, &request)) {
            break;
        }
    }
    hello_greet_all_close_send(call);
    code = hello_greet_all_finish(call, &reply);
    if (code == RPCRT_OK) {
        puts(reply->text);
    }
    return code;
}

static enum rpcrt_code
greet_each(struct rpcrt_call *call)
{
    Hello__GreetRequest request = HELLO__GREET_REQUEST__INIT;
    const Hello__GreetReply *reply;
    size_t i;

    hello_greet_each_open(call);
    for (i = 0; i < 3; i++) {
        request.name = names[i];
        if (!hello_greet_each_send(call, &request) ||
            !hello_greet_each_next(call, &reply)) {
            break;
        }
        puts(reply->text);
    }
    hello_greet_each_close_send(call);
    return hello_greet_each_finish(call);
}

int
main(void)
{
    struct rpcrt_channel *channel = NULL;
    struct rpcrt_call *call = NULL;
    int failed = 1;

    if (rpcrt_channel_new("ipc://party.socket", NULL, &channel) != RPCRT_OK ||
        rpcrt_call_new(channel, 5000, &call) != RPCRT_OK) {
        fprintf(stderr, "guest: %s\n", rpcrt_last_error());
    } else if (cheer(call) != RPCRT_OK || greet_all(call) != RPCRT_OK ||
               greet_each(call) != RPCRT_OK) {
        fprintf(stderr, "guest: %s\n", rpcrt_call_message(call));
    } else {
        failed = 0;
    }
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    return failed;
}
