/*
 * What all command-line tools do: commands with flags and help, the connection
 * to a server, errors and exit codes.
 *
 *   kvctl [FLAG]... COMMAND [FLAG]... [ARGUMENT]...
 *
 * Money and cards on a command line are in money.h and card.h.
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
    const char *name;  /* one of a single letter stands behind one dash */
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
    const struct cli_flag *flags; /* of all commands of this program; those of
                                     text have twins in the environment */
    size_t n_flags;
    bool address_first;        /* the address may stand before the command */
    const char *token_flag;    /* another name for "token-file", or NULL */
    const char *token_help;    /* what the token is good for */
    const char *token_missing; /* said where the file is missing, or NULL */
    const char *token_file;    /* may be set to a default before */

    const struct cli_command *command; /* that runs */
    const char *address;
    struct rpcrt_tls tls;
    uint64_t timeout_ms;
    bool json;
    bool help;
    bool version;

    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
};

/* Read the command line, run the command; returns the exit code for main(). The
 * members of cli before `command` are set as needed, the others zero. */
int cli_main(struct cli *cli, int argc, char **argv);

/* Connect as the flags say, with the token in the metadata of the call. False:
 * the reason has been printed, and the command returns *ret_exit. */
bool cli_connect(struct cli *cli, int *ret_exit);

/* Make one more call on the channel, with the token. False: as above. */
bool cli_call_new(const struct cli *cli, struct rpcrt_call **ret_call);

/* Print why the last call failed, with the reason that programs read if there
 * is one; returns the exit code. */
int cli_call_failed(const struct cli *cli);

/* The same for a call with an idempotency key: if nobody knows what it has
 * done, also how to repeat it. */
int cli_call_failed_key(const struct cli *cli, const char *key);

/* What went wrong with a call, as printed: "REASON: text". */
#define CLI_FAILURE_SIZE 1024u
void cli_failure_text(const struct cli *cli, const struct rpcrt_call *call,
                      char ret_text[CLI_FAILURE_SIZE]);

/* Whether a call that failed has no answer: made again, it may succeed. */
bool cli_failure_is_passing(const struct rpcrt_call *call);

/* The idempotency key that was given, or if that is NULL one that is made up
 * in `made`; NULL: the reason has been printed. */
#define CLI_KEY_SIZE 33u
const char *cli_key(const struct cli *cli, const char *given,
                    char made[CLI_KEY_SIZE]);

/* Print why the command can't go on, after "kvctl: get: "; returns the exit
 * code, CLI_EXIT_FAILED or CLI_EXIT_USAGE. */
int cli_fail(const struct cli *cli, const char *format, ...) RPCRT_PRINTF(2, 3);
int cli_usage(const struct cli *cli, const char *format, ...)
    RPCRT_PRINTF(2, 3);

/* Keep the page token of a reply for the next request. False: it is too long to
 * be one, and that has been printed. */
#define CLI_PAGE_TOKEN_SIZE 1024u
bool cli_page_keep(const struct cli *cli, const char *token,
                   char ret_token[CLI_PAGE_TOKEN_SIZE]);

/* A clock that is never set, in milliseconds. */
uint64_t cli_now_ms(void);

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
