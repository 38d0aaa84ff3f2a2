/*
 * A channel with several addresses, one of which nobody listens at; `server`
 * has the other. See "Several servers" in the README.
 */
#include "hello.client.h"
#include <rpcrt/rpcrt.h>
#include <stdio.h>

int
main(void)
{
    struct rpcrt_channel_options options = {.balancing = RPCRT_PICK_FIRST};
    Hello__GreetRequest request = HELLO__GREET_REQUEST__INIT;
    const Hello__GreetReply *reply;
    struct rpcrt_endpoint_stats servers[2];
    struct rpcrt_channel_stats stats;
    struct rpcrt_channel *channel = NULL;
    struct rpcrt_call *call = NULL;
    size_t i, n;
    int failed;

    request.name = "Ada";
    if (rpcrt_channel_new("ipc://nobody.socket,hello.socket", &options,
                          &channel) != RPCRT_OK ||
        rpcrt_call_new(channel, 5000, &call) != RPCRT_OK) {
        fprintf(stderr, "several: %s\n", rpcrt_last_error());
        return 1;
    }
    failed = hello_greet(call, &request, &reply) != RPCRT_OK;
    printf("%s\n", failed ? rpcrt_call_message(call) : rpcrt_call_peer(call));
    n = rpcrt_channel_get_stats(channel, &stats, servers, 2);
    for (i = 0; i < n; i++) {
        printf("%s: %d calls %s\n", servers[i].address, (int)servers[i].calls,
               servers[i].state == RPCRT_ENDPOINT_READY ? "on a connection"
                                                        : servers[i].error);
    }
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    return failed;
}
