/*
 * What all command-line tools do: commands with flags and help, the connection
 * to a server, errors and exit codes.
 *
 *   kvctl [FLAG]... COMMAND [FLAG]... [ARGUMENT]...
 *
 * Exit codes: 0; 64 + status code when a call failed (69: NOT_FOUND); 2 for a
 * command line that makes no sense; 1 for everything else.
 */
#ifndef CLIENTS_CLI_H
#define CLIENTS_CLI_H

#include <rpcrt/rpcrt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_EXIT_FAILED 1
#define CLI_EXIT_USAGE 2
#define CLI_EXIT_STATUS 64

#define CLI_LIST_MAX 128u

/* What a flag that may come several times has been given. */
struct cli_list {
    const char *items[CLI_LIST_MAX];
    size_t n_items;
};

enum cli_flag_kind {
    CLI_FLAG_SWITCH, /* target: bool */
    CLI_FLAG_TEXT,   /* const char * */
    CLI_FLAG_LIST,   /* struct cli_list */
    CLI_FLAG_NUMBER, /* uint64_t */
    CLI_FLAG_TIME    /* uint64_t, milliseconds: "500ms", "5s", "1m" */
};

struct cli_flag {
    const char *name;
    const char *value; /* NULL for a switch */
    const char *help;
    enum cli_flag_kind kind;
    void *target;
};

struct cli;

struct cli_command {
    const char *name;
    const char *arguments; /* "KEY [END]" */
    const char *summary;   /* one line */
    const char *help;      /* more, for its --help; NULL: nothing */
    int n_arguments_min;
    int n_arguments_max;
    const struct cli_flag *flags;
    size_t n_flags;
    int (*run)(struct cli *cli, int argc, char **argv); /* exit code */
};

struct cli {
    const char *program; /* "kvctl" */
    const char *summary;
    const struct cli_command *commands;
    size_t n_commands;

    const struct cli_command *command; /* that runs */
    const char *address;
    const char *token_file;
    struct rpcrt_tls tls;
    uint64_t timeout_ms;
    bool json;
    bool help;
    bool version;

    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
};

/* Read the command line, run the command; returns the exit code for main().
 * The first four members of cli are set, the others zero. */
int cli_main(struct cli *cli, int argc, char **argv);

/* Connect as the flags say, with the token in the metadata of the call. False:
 * the reason has been printed, and the command returns *ret_exit. */
bool cli_connect(struct cli *cli, int *ret_exit);

/* Print why the last call failed; returns the exit code. */
int cli_call_failed(const struct cli *cli);

/* Print why the command can't go on, after "kvctl: get: "; returns the exit
 * code, CLI_EXIT_FAILED or CLI_EXIT_USAGE. */
int cli_fail(const struct cli *cli, const char *format, ...) RPCRT_PRINTF(2, 3);
int cli_usage(const struct cli *cli, const char *format, ...)
    RPCRT_PRINTF(2, 3);

/* Bytes from the command line or a file. */
struct cli_bytes {
    uint8_t *data; /* free() */
    size_t size;
};

/* What an argument stands for: "-" is standard input, "@FILE" a file, "@@x"
 * the text "@x", everything else itself. At most size_max bytes. False: the
 * reason has been printed. */
bool cli_value(const struct cli *cli, const char *argument, size_t size_max,
               struct cli_bytes *ret_bytes);

#endif
