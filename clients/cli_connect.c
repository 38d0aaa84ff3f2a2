/*
 * The connection of a tool, and bytes from files. How calls fail is told in
 * cli_failure.c.
 */
#include "cli.h"
#include "cli_inner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_SIZE 512u
#define BEARER "Bearer "

/* Put the token of the file into the call's metadata. */
static bool
token_send(const struct cli *cli, struct rpcrt_call *call)
{
    char value[sizeof(BEARER) + TOKEN_SIZE] = BEARER;
    char *token = value + strlen(BEARER);
    FILE *file = fopen(cli->token_file, "re");
    bool ok;

    if (file == NULL) {
        (void)cli_fail(cli, "--%s %s: %s%s", cli_token_flag(cli),
                       cli->token_file, strerror(errno),
                       cli->token_missing != NULL ? cli->token_missing : "");
        return false;
    }
    ok = fgets(token, TOKEN_SIZE, file) != NULL;
    (void)fclose(file);
    /* A longer one is not sent in part. */
    ok = ok && strlen(token) < TOKEN_SIZE - 1;
    token[strcspn(token, "\r\n")] = '\0';
    ok = ok && token[0] != '\0' &&
         rpcrt_call_set_metadata_text(call, "authorization", value) == RPCRT_OK;
    if (!ok) {
        (void)cli_fail(cli,
                       "--%s %s: its first line is no token of up to %u "
                       "characters",
                       cli_token_flag(cli), cli->token_file, TOKEN_SIZE - 3);
    }
    explicit_bzero(value, sizeof(value));
    return ok;
}

bool
cli_call_new(const struct cli *cli, struct rpcrt_call **ret_call)
{
    struct rpcrt_call *call = NULL;

    if (rpcrt_call_new(cli->channel, (uint32_t)cli->timeout_ms, &call) !=
        RPCRT_OK) {
        (void)cli_fail(cli, "%s", rpcrt_last_error());
        return false;
    }
    if (cli->token_file != NULL && !token_send(cli, call)) {
        rpcrt_call_free(call);
        return false;
    }
    *ret_call = call;
    return true;
}

bool
cli_connect(struct cli *cli, int *ret_exit)
{
    struct rpcrt_channel_options options = {0};

    if (cli->address == NULL) {
        *ret_exit = cli_usage(cli, "no address: give --address, or set it in "
                                   "the environment (see --help)");
        return false;
    }
    if (strncmp(cli->address, "tls+", 4) == 0) {
        options.tls = &cli->tls;
    }
    if (rpcrt_channel_new(cli->address, &options, &cli->channel) != RPCRT_OK) {
        *ret_exit = cli_fail(cli, "%s", rpcrt_last_error());
        return false;
    }
    if (!cli_call_new(cli, &cli->call)) {
        *ret_exit = CLI_EXIT_FAILED;
        return false;
    }
    return true;
}

bool
cli_page_keep(const struct cli *cli, const char *token,
              char ret_token[CLI_PAGE_TOKEN_SIZE])
{
    size_t length = strlen(token);

    if (length >= CLI_PAGE_TOKEN_SIZE) {
        (void)cli_fail(cli, "%s: a page token of %zu bytes", cli->address,
                       length);
        return false;
    }
    memcpy(ret_token, token, length + 1);
    return true;
}

/* Everything that a file has, up to a size. */
static bool
file_read(const struct cli *cli, const char *name, FILE *file, size_t size_max,
          struct cli_bytes *ret_bytes)
{
    uint8_t *data = malloc(size_max + 1);
    size_t size;

    if (data == NULL) {
        (void)cli_fail(cli, "%s: out of memory", name);
        return false;
    }
    size = fread(data, 1, size_max + 1, file);
    if (ferror(file) || size > size_max) {
        (void)cli_fail(cli, "%s: %s", name,
                       ferror(file) ? strerror(errno)
                                    : "the file is too large");
        free(data);
        return false;
    }
    *ret_bytes = (struct cli_bytes){data, size};
    return true;
}

bool
cli_value(const struct cli *cli, const char *argument, size_t size_max,
          struct cli_bytes *ret_bytes)
{
    size_t size;
    FILE *file;
    bool ok;

    if (strcmp(argument, "-") == 0) {
        return file_read(cli, "standard input", stdin, size_max, ret_bytes);
    }
    if (argument[0] == '@' && argument[1] != '@') {
        file = fopen(argument + 1, "rbe");
        if (file == NULL) {
            (void)cli_fail(cli, "%s: %s", argument + 1, strerror(errno));
            return false;
        }
        ok = file_read(cli, argument + 1, file, size_max, ret_bytes);
        (void)fclose(file);
        return ok;
    }
    argument += argument[0] == '@' ? 1 : 0;
    size = strlen(argument);
    ret_bytes->data = malloc(size + 1);
    if (ret_bytes->data == NULL) {
        (void)cli_fail(cli, "out of memory");
        return false;
    }
    memcpy(ret_bytes->data, argument, size + 1);
    ret_bytes->size = size;
    return true;
}
