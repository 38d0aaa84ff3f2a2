/*
 * How a call failed, for people: the reason, whether it may have been done all
 * the same, and how to repeat it under its idempotency key.
 */
#include "cli.h"

#include <rpcrt/details.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

void
cli_failure_text(const struct cli *cli, const struct rpcrt_call *call,
                 char ret_text[CLI_FAILURE_SIZE])
{
    const char *message = rpcrt_call_message(call);
    bool has_address = strstr(message, cli->address) != NULL;
    struct rpcrt_error_info info;

    if (rpcrt_call_error_info(call, &info)) {
        (void)snprintf(ret_text, CLI_FAILURE_SIZE, "%s: %s", info.reason,
                       message);
        return;
    }
    (void)snprintf(
        ret_text, CLI_FAILURE_SIZE, "%s%s%s%s", has_address ? "" : cli->address,
        has_address ? "" : ": ", message,
        rpcrt_call_code(call) != RPCRT_OK && rpcrt_call_may_have_run(call) &&
                rpcrt_call_origin(call) != RPCRT_ORIGIN_HANDLER
            ? " (it may have been done)"
            : "");
}

int
cli_call_failed(const struct cli *cli)
{
    char text[CLI_FAILURE_SIZE];

    cli_failure_text(cli, cli->call, text);
    (void)cli_fail(cli, "%s", text);
    return CLI_EXIT_STATUS + (int)rpcrt_call_code(cli->call);
}

bool
cli_failure_is_passing(const struct rpcrt_call *call)
{
    struct rpcrt_error_info info;

    switch (rpcrt_call_code(call)) {
    case RPCRT_CANCELLED:
    case RPCRT_UNKNOWN:
    case RPCRT_DEADLINE_EXCEEDED:
    case RPCRT_INTERNAL:
    case RPCRT_UNAVAILABLE:
        return true;
    case RPCRT_ABORTED:
        /* With a reason it is an answer. */
        return !rpcrt_call_error_info(call, &info);
    default:
        return false;
    }
}

int
cli_call_failed_key(const struct cli *cli, const char *key)
{
    int exit_code = cli_call_failed(cli);

    if (cli_failure_is_passing(cli->call) &&
        rpcrt_call_may_have_run(cli->call)) {
        (void)cli_fail(cli,
                       "this is no refusal; the same command with --key '%s' "
                       "finds out, and does nothing twice",
                       key);
    }
    return exit_code;
}

const char *
cli_key(const struct cli *cli, const char *given, char made[CLI_KEY_SIZE])
{
    unsigned char random[(CLI_KEY_SIZE - 1) / 2];
    size_t i;

    if (given != NULL) {
        return given;
    }
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        (void)cli_fail(cli, "no source of random numbers");
        return NULL;
    }
    for (i = 0; i < sizeof(random); i++) {
        (void)snprintf(made + 2 * i, 3, "%02x", random[i]);
    }
    return made;
}
