/*
 * What --help prints, and the environment's twins of flags.
 */
#include "cli_inner.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
cli_variable(const struct cli *cli, const struct cli_flag *flag,
             char ret_name[CLI_VARIABLE_SIZE])
{
    char *c;

    (void)snprintf(ret_name, CLI_VARIABLE_SIZE, "%s_%s", cli->program,
                   flag->name);
    for (c = ret_name; *c != '\0'; c++) {
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    }
}

int
cli_environment_read(struct cli *cli, const struct cli_flags *common)
{
    size_t i;

    for (i = 0; i < common->n; i++) {
        const struct cli_flag *flag = &common->items[i];
        char name[CLI_VARIABLE_SIZE];
        const char *value;

        if (flag->kind != CLI_FLAG_TEXT || flag->name[1] == '\0') {
            continue;
        }
        cli_variable(cli, flag, name);
        value = getenv(name);
        if (value != NULL && value[0] != '\0') {
            *(const char **)flag->target = value;
        }
    }
    return 0;
}

static void
print_flags(const struct cli *cli, const struct cli_flag *flags, size_t n_flags,
            bool variables)
{
    char name[CLI_VARIABLE_SIZE];
    char flag[64];
    size_t i;

    for (i = 0; i < n_flags; i++) {
        (void)snprintf(flag, sizeof(flag), "%s%s%s%s",
                       flags[i].name[1] == '\0' ? "-" : "--", flags[i].name,
                       flags[i].value == NULL ? "" : " ",
                       flags[i].value == NULL ? "" : flags[i].value);
        (void)printf("  %-20s %s", flag, flags[i].help);
        if (variables && flags[i].kind == CLI_FLAG_TEXT) {
            cli_variable(cli, &flags[i], name);
            (void)printf("\n  %20s (%s)", "", name);
        }
        (void)putchar('\n');
    }
}

static void
print_command(const struct cli *cli)
{
    const struct cli_command *command = cli->command;

    (void)printf("%s %s %s\n\n%s\n", cli->program, command->name,
                 command->arguments, command->summary);
    if (command->help != NULL) {
        (void)printf("\n%s\n", command->help);
    }
    if (command->n_flags > 0) {
        (void)printf("\n");
        print_flags(cli, command->flags, command->n_flags, false);
    }
    (void)printf("\nFlags of all commands: %s --help\n", cli->program);
}

void
cli_help(const struct cli *cli, const struct cli_flags *common)
{
    int width = 7;
    size_t i;

    if (cli->command != NULL) {
        print_command(cli);
        return;
    }
    for (i = 0; i < cli->n_commands; i++) {
        int length = (int)strlen(cli->commands[i].name);

        width = length > width ? length : width;
    }
    (void)printf("%s: %s\n\nUsage: %s %s[FLAG]... COMMAND [FLAG]... "
                 "[ARGUMENT]...\n\nCommands:\n",
                 cli->program, cli->summary, cli->program,
                 cli->address_first ? "[ADDRESS] " : "");
    for (i = 0; i < cli->n_commands; i++) {
        const struct cli_command *command = &cli->commands[i];

        (void)printf("  %-*s %-27s %s\n", width, command->name,
                     command->arguments, command->summary);
    }
    (void)printf("\nFlags; in brackets their twins in the environment:\n");
    print_flags(cli, common->items, common->n, true);
    (void)printf("\nExit code: 0, 64 + status code of a call that failed, "
                 "2 for a wrong command line,\n1 for other trouble.\n");
}
