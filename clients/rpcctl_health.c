/*
 * rpcctl health: whether a server, or one of its services, says that it serves:
 * grpc.health.v1.
 */
#include "output.h"
#include "rpcctl.h"

#include "grpc/health/v1/health.pb-c.h"

static const struct rpcrt_method check = {
    .path = "/grpc.health.v1.Health/Check",
    .request = &grpc__health__v1__health_check_request__descriptor,
    .reply = &grpc__health__v1__health_check_response__descriptor};

static const struct rpcrt_method watch = {
    .path = "/grpc.health.v1.Health/Watch",
    .request = &grpc__health__v1__health_check_request__descriptor,
    .reply = &grpc__health__v1__health_check_response__descriptor,
    .flags = RPCRT_METHOD_SERVER_STREAMING};

/* Print what the server says; the exit code that it means. */
static int
print_status(const struct cli *cli, const char *service,
             const ProtobufCMessage *message)
{
    const Grpc__Health__V1__HealthCheckResponse *reply =
        (const Grpc__Health__V1__HealthCheckResponse *)message;
    const char *status = output_enum(
        &grpc__health__v1__health_check_response__serving_status__descriptor,
        (int)reply->status);
    bool serves =
        reply->status ==
        GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;

    if (cli->json) {
        struct output_json json;

        output_json_begin(&json);
        output_json_text(&json, "service", service);
        output_json_text(&json, "status", status);
        output_json_end(&json);
        (void)putchar('\n');
    } else {
        rpcctl_colour(stdout, serves ? RPCCTL_TEXT : RPCCTL_BAD);
        (void)fputs(status, stdout);
        rpcctl_colour(stdout, RPCCTL_PLAIN);
        (void)putchar('\n');
    }
    if (fflush(stdout) != 0) {
        return cli_fail(cli, "standard output can't be written");
    }
    return serves ? 0 : CLI_EXIT_FAILED;
}

static int
run_check(const struct cli *cli, const ProtobufCMessage *request,
          const char *service)
{
    const ProtobufCMessage *reply = NULL;

    return rpcrt_call_unary(cli->call, &check, request, &reply) == RPCRT_OK
               ? print_status(cli, service, reply)
               : rpcctl_failed(cli, cli->call);
}

/* Until Ctrl-C, which is the way to end it. */
static int
run_watch(const struct cli *cli, const ProtobufCMessage *request,
          const char *service)
{
    const ProtobufCMessage *reply = NULL;
    int exit_code = 0;

    rpcrt_call_set_timeout(cli->call, (uint32_t)rpcctl_options.deadline_ms);
    rpcrt_call_open(cli->call, &watch, request);
    while (!ferror(stdout) && rpcrt_call_next(cli->call, &reply)) {
        exit_code = print_status(cli, service, reply);
    }
    if (ferror(stdout)) {
        return exit_code; /* nobody reads what comes */
    }
    if (rpcrt_call_finish(cli->call, NULL) != RPCRT_OK &&
        !rpcctl_interrupted()) {
        return rpcctl_failed(cli, cli->call);
    }
    return exit_code;
}

int
rpcctl_health_try(struct cli *cli)
{
    Grpc__Health__V1__HealthCheckRequest request;
    const ProtobufCMessage *reply = NULL;

    grpc__health__v1__health_check_request__init(&request);
    (void)!rpcrt_call_unary(cli->call, &check, &request.base, &reply);
    return rpcrt_call_code(cli->call) == RPCRT_OK ||
                   rpcrt_call_origin(cli->call) == RPCRT_ORIGIN_HANDLER ||
                   rpcrt_call_origin(cli->call) == RPCRT_ORIGIN_RUNTIME
               ? 0
               : rpcctl_failed(cli, cli->call);
}

int
rpcctl_health(struct cli *cli, int argc, char **argv)
{
    Grpc__Health__V1__HealthCheckRequest request;
    int exit_code = CLI_EXIT_FAILED;

    grpc__health__v1__health_check_request__init(&request);
    if (argc > 0) {
        request.service = argv[0];
    }
    if (!rpcctl_connect(cli, &exit_code)) {
        return exit_code;
    }
    rpcctl_interrupt_cancels(cli->call);
    exit_code = rpcctl_options.watch
                    ? run_watch(cli, &request.base, request.service)
                    : run_check(cli, &request.base, request.service);
    rpcctl_interrupt_cancels(NULL);
    return exit_code;
}
