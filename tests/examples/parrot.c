/*
 * Metadata, headers, trailers and error details: a server and its client in one
 * program. See "Metadata and error details" in the README.
 */
#include "hello.client.h"
#include "hello.server.h"
#include <rpcrt/rpcrt.h>
#include <stdio.h>
#include <string.h>

static enum rpcrt_code
greet(void *self, struct rpcrt_ctx *ctx, const Hello__GreetRequest *request,
      Hello__GreetReply *reply)
{
    const char *language = rpcrt_ctx_metadata(ctx, "language", NULL);
    enum rpcrt_code code;

    (void)self;
    if (rpcrt_ctx_set_header(ctx, "bird", "parrot", 6) != RPCRT_OK ||
        rpcrt_ctx_set_metadata(ctx, "feather-bin", "\1\2\3", 3) != RPCRT_OK) {
        return rpcrt_ctx_no_memory(ctx);
    }
    if (request->name[0] == '\0') {
        code = rpcrt_ctx_fail(ctx, RPCRT_INVALID_ARGUMENT, "who are you?");
        rpcrt_ctx_add_violation(ctx, "name", "is empty");
        return code;
    }
    if (language == NULL || strcmp(language, "fr") != 0) {
        code = rpcrt_ctx_refuse(ctx, RPCRT_FAILED_PRECONDITION, "hello",
                                "LANGUAGE", "this parrot speaks French only");
        rpcrt_ctx_add_retry_info(ctx, 86400000);
        return code;
    }
    reply->text = "Bonjour!";
    return RPCRT_OK;
}

static void
ask(struct rpcrt_call *call, char *name)
{
    Hello__GreetRequest request = HELLO__GREET_REQUEST__INIT;
    const Hello__GreetReply *reply;
    struct rpcrt_error_info info;
    struct rpcrt_violation wrong;
    uint64_t delay_ms;
    size_t size;

    request.name = name;
    if (hello_greet(call, &request, &reply) == RPCRT_OK) {
        (void)rpcrt_call_metadata(call, "feather-bin", &size);
        printf("%s (a %s, %zu bytes of feather)\n", reply->text,
               rpcrt_call_header(call, "bird", NULL), size);
        return;
    }
    printf("%s: %s\n", rpcrt_code_name(rpcrt_call_code(call)),
           rpcrt_call_message(call));
    if (rpcrt_call_violations(call, &wrong, 1) > 0) {
        printf("  %s %s\n", wrong.field, wrong.text);
    }
    if (rpcrt_call_error_info(call, &info) &&
        rpcrt_call_retry_info(call, &delay_ms)) {
        printf("  %s of %s, again in %d s\n", info.reason, info.domain,
               (int)(delay_ms / 1000));
    }
}

int
main(void)
{
    static const struct hello_service service = {.greet = greet};
    struct rpcrt_server *server = NULL;
    struct rpcrt_channel *channel = NULL;
    struct rpcrt_call *call = NULL;
    int failed = 1;

    if (rpcrt_server_new(NULL, &server) != RPCRT_OK ||
        hello_serve(server, &service, NULL) != RPCRT_OK ||
        rpcrt_server_listen(server, "inproc://parrot", NULL) != RPCRT_OK ||
        rpcrt_channel_new("inproc://parrot", NULL, &channel) != RPCRT_OK ||
        rpcrt_call_new(channel, 5000, &call) != RPCRT_OK) {
        fprintf(stderr, "parrot: %s\n", rpcrt_last_error());
    } else {
        ask(call, "");
        ask(call, "Ada");
        failed =
            rpcrt_call_set_metadata_text(call, "language", "fr") != RPCRT_OK;
        ask(call, "Ada");
    }
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
    return failed;
}
