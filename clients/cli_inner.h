/*
 * Between the files of the command line: see cli.h for what tools use.
 */
#ifndef CLIENTS_CLI_INNER_H
#define CLIENTS_CLI_INNER_H

#include "cli.h"

/* The flags that every command has. */
struct cli_flags {
    const struct cli_flag *items;
    size_t n;
};
#define CLI_FLAGS_MAX 20u

/* Name of a flag's twin in the environment: KVCTL_ADDRESS. */
#define CLI_VARIABLE_SIZE 64u
void cli_variable(const struct cli *cli, const struct cli_flag *flag,
                  char ret_name[CLI_VARIABLE_SIZE]);

/* Take the connection's flags from the environment; 0 or the exit code. */
int cli_environment_read(struct cli *cli, const struct cli_flags *common);

/* The name of the flag for the token's file. */
const char *cli_token_flag(const struct cli *cli);

/* Print the help of the program, or of its command. */
void cli_help(const struct cli *cli, const struct cli_flags *common);

#endif
