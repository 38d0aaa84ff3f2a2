/*
 * A server with the methods of hello.Hello that stream, and with health and
 * reflection; guest.c calls it. See "Streams" in the README.
 */
#include "hello.server.h"
#include <rpcrt/health.h>
#include <rpcrt/reflection.h>
#include <rpcrt/rpcrt.h>
#include <stdio.h>

static enum rpcrt_code
cheer(void *self, struct rpcrt_ctx *ctx, const Hello__GreetRequest *request)
{
    Hello__GreetReply reply = HELLO__GREET_REPLY__INIT;
    enum rpcrt_code code = RPCRT_OK;
    char text[300];
    int i;

    (void)self;
    reply.text = text;
    for (i = 1; i <= 3 && code == RPCRT_OK; i++) {
        snprintf(text, sizeof(text), "Cheer %d for %s!", i, request->name);
        code = hello_cheer_reply(ctx, &reply); /* waits for a slow reader */
    }
    return code;
}

static enum rpcrt_code
greet_all(void *self, struct rpcrt_ctx *ctx, Hello__GreetReply *reply)
{
    const Hello__GreetRequest *guest;
    enum rpcrt_code code;
    int guests = 0;

    (void)self;
    while ((code = hello_greet_all_receive(ctx, &guest)) == RPCRT_OK &&
           guest != NULL) {
        guests++;
    }
    if (code == RPCRT_OK && (reply->text = rpcrt_ctx_alloc(ctx, 40)) == NULL) {
        code = rpcrt_ctx_no_memory(ctx);
    }
    if (code == RPCRT_OK) {
        snprintf(reply->text, 40, "Hello, %d of you!", guests);
    }
    return code;
}

static enum rpcrt_code
greet_each(void *self, struct rpcrt_ctx *ctx)
{
    Hello__GreetReply reply = HELLO__GREET_REPLY__INIT;
    const Hello__GreetRequest *guest;
    enum rpcrt_code code;
    char text[300];

    (void)self;
    reply.text = text;
    while ((code = hello_greet_each_receive(ctx, &guest)) == RPCRT_OK &&
           guest != NULL) {
        snprintf(text, sizeof(text), "Hello, %s!", guest->name);
        code = hello_greet_each_reply(ctx, &reply);
        if (code != RPCRT_OK) {
            break;
        }
    }
    return code;
}

int
main(void)
{
    static const struct hello_service service = {
        .cheer = cheer, .greet_all = greet_all, .greet_each = greet_each};
    struct rpcrt_server *server = NULL;
    struct rpcrt_health *health = NULL;
    int failed = 1;

    if (rpcrt_server_new(NULL, &server) != RPCRT_OK ||
        hello_serve(server, &service, NULL) != RPCRT_OK ||
        rpcrt_health_new(&health) != RPCRT_OK ||
        rpcrt_health_serve(server, health) != RPCRT_OK ||
        rpcrt_reflection_serve(server) != RPCRT_OK ||
        rpcrt_server_listen(server, "ipc://party.socket", NULL) != RPCRT_OK) {
        fprintf(stderr, "party: %s\n", rpcrt_last_error());
    } else {
        failed = rpcrt_server_run(server);
    }
    rpcrt_server_free(server);
    rpcrt_health_free(health);
    return failed;
}
