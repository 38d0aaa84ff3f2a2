/*
 * rpcctl call: one request, one reply. What has a stream goes to
 * rpcctl_stream.c.
 */
#include "rpcctl.h"

#include <stdlib.h>

#define STREAMING                                                              \
    (RPCRT_METHOD_CLIENT_STREAMING | RPCRT_METHOD_SERVER_STREAMING)

static int
call_unary(struct cli *cli, const struct rpcctl_method *what,
           const ProtobufCMessage *request)
{
    const ProtobufCMessage *reply = NULL;
    enum rpcrt_code code;
    int exit_code = CLI_EXIT_FAILED;

    if (!rpcctl_connect(cli, &exit_code)) {
        return exit_code;
    }
    rpcctl_tell_start(cli, what);
    rpcctl_tell_message(what, '>', request);
    rpcctl_interrupt_cancels(cli->call);
    code = rpcrt_call_unary(cli->call, what->method, request, &reply);
    rpcctl_interrupt_cancels(NULL);
    if (code == RPCRT_OK) {
        rpcctl_tell_message(what, '<', reply);
    }
    rpcctl_tell_end(cli->call);
    if (code != RPCRT_OK) {
        return rpcctl_failed(cli, cli->call);
    }
    return rpcctl_print(cli, reply, what->file, false) ? 0 : CLI_EXIT_FAILED;
}

static int
run_unary(struct cli *cli, const struct rpcctl_method *what, int argc,
          char **argv)
{
    ProtobufCMessage *request = NULL;
    struct cli_bytes text = {NULL, 0};
    int exit_code = CLI_EXIT_FAILED;

    if (!rpcctl_body_read(cli, argc, argv, &text, &exit_code)) {
        return exit_code;
    }
    if (rpcctl_body_parse(cli, what->method->request, what->file, "request",
                          (const char *)text.data, text.size, &request,
                          &exit_code)) {
        exit_code = call_unary(cli, what, request);
        protobuf_c_message_free_unpacked(request, NULL);
    }
    free(text.data);
    return exit_code;
}

int
rpcctl_call(struct cli *cli, int argc, char **argv)
{
    struct rpcctl_method what = {NULL, NULL, NULL};
    int exit_code = CLI_EXIT_FAILED;

    if (!rpcctl_method_load(cli, argv[0], &what, &exit_code)) {
        return exit_code;
    }
    exit_code = (what.method->flags & STREAMING) != 0
                    ? rpcctl_stream(cli, &what, argc - 1, argv + 1)
                    : run_unary(cli, &what, argc - 1, argv + 1);
    rpcrt_types_free(what.types);
    return exit_code;
}
