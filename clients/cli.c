/*
 * Command lines: see cli.h. The connection is in cli_connect.c, help in
 * cli_help.c.
 */
#include "cli.h"
#include "cli_inner.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS_DEFAULT 10000u
#define TIMEOUT_MS_MAX (24u * 3600u * 1000u)

/* -- saying no ------------------------------------------------------------- */

static void RPCRT_PRINTF(2, 0)
    print_problem(const struct cli *cli, const char *format, va_list args)
{
    (void)fprintf(stderr, "%s: ", cli->program);
    if (cli->command != NULL) {
        (void)fprintf(stderr, "%s: ", cli->command->name);
    }
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
}

int
cli_fail(const struct cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_problem(cli, format, args);
    va_end(args);
    return CLI_EXIT_FAILED;
}

int
cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_problem(cli, format, args);
    va_end(args);
    return CLI_EXIT_USAGE;
}

/* -- time ------------------------------------------------------------------ */

uint64_t
cli_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* -- flags ----------------------------------------------------------------- */

static bool
number_read(const char *text, uint64_t *ret_number, const char **ret_end)
{
    char *end = NULL;
    unsigned long long number;

    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    *ret_number = number;
    *ret_end = end;
    return errno == 0;
}

static bool
time_read(const char *text, uint64_t *ret_ms)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
    const char *end = NULL;
    uint64_t number = 0;
    size_t i;

    if (!number_read(text, &number, &end)) {
        return false;
    }
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].name) == 0 && number > 0 &&
            number <= TIMEOUT_MS_MAX / units[i].ms) {
            *ret_ms = number * units[i].ms;
            return true;
        }
    }
    return false;
}

/* Set a flag; NULL, or what its value should have been. */
static const char *
flag_set(const struct cli_flag *flag, const char *text)
{
    const char *end = "";
    struct cli_list *list = flag->target;

    switch (flag->kind) {
    case CLI_FLAG_SWITCH:
        *(bool *)flag->target = true;
        return NULL;
    case CLI_FLAG_TEXT:
        *(const char **)flag->target = text;
        return NULL;
    case CLI_FLAG_LIST:
        if (list->n_items == CLI_LIST_MAX) {
            return "given fewer times";
        }
        list->items[list->n_items++] = text;
        return NULL;
    case CLI_FLAG_NUMBER:
        return number_read(text, flag->target, &end) && *end == '\0'
                   ? NULL
                   : "a number";
    case CLI_FLAG_TIME:
        return time_read(text, flag->target) ? NULL
                                             : "a time like 500ms, 5s or 1m";
    }
    return "something else";
}

static const struct cli_flag *
flag_find(const struct cli_flag *flags, size_t n_flags, const char *name)
{
    size_t length = strcspn(name, "=");
    size_t i;

    for (i = 0; i < n_flags; i++) {
        if (strlen(flags[i].name) == length &&
            strncmp(flags[i].name, name, length) == 0) {
            return &flags[i];
        }
    }
    return NULL;
}

/* A flag of every command, or of the one that was named. */
static const struct cli_flag *
flag_known(const struct cli *cli, const struct cli_flags *common,
           const char *name)
{
    const struct cli_flag *flag = flag_find(common->items, common->n, name);

    if (flag == NULL && cli->command != NULL) {
        flag = flag_find(cli->command->flags, cli->command->n_flags, name);
    }
    return flag;
}

/* Whether an argument is "--flag", or "-f" if there is such a flag. */
static bool
is_flag(const struct cli *cli, const struct cli_flags *common, const char *text)
{
    return strncmp(text, "--", 2) == 0 ||
           (text[0] == '-' && text[1] != '\0' && text[2] == '\0' &&
            flag_known(cli, common, text + 1) != NULL);
}

/* Read the flag at argv[*i]; 0 or the exit code. */
static int
flag_read(struct cli *cli, const struct cli_flags *common, int argc,
          char **argv, int *i)
{
    const char *name = argv[*i] + (argv[*i][1] == '-' ? 2 : 1);
    const struct cli_flag *flag = flag_known(cli, common, name);
    const char *value = strchr(name, '=');
    const char *expected;

    if (flag == NULL) {
        return cli_usage(cli, "unknown flag %s; see --help", argv[*i]);
    }
    if (flag->kind == CLI_FLAG_SWITCH && value != NULL) {
        return cli_usage(cli, "--%s takes no value", flag->name);
    }
    if (flag->kind != CLI_FLAG_SWITCH) {
        value = value != NULL ? value + 1 : *i + 1 < argc ? argv[++*i] : NULL;
        if (value == NULL) {
            return cli_usage(cli, "--%s needs a value", flag->name);
        }
    }
    expected = flag_set(flag, value);
    return expected == NULL
               ? 0
               : cli_usage(cli, "--%s: expected %s", flag->name, expected);
}

static const struct cli_command *
command_find(const struct cli *cli, const char *name)
{
    size_t i;

    for (i = 0; i < cli->n_commands; i++) {
        if (strcmp(cli->commands[i].name, name) == 0) {
            return &cli->commands[i];
        }
    }
    return NULL;
}

/* Sort the command line: flags are set, the command is found, its arguments
 * are moved to the front of argv. 0 or the exit code. */
static int
arguments_read(struct cli *cli, const struct cli_flags *common, int argc,
               char **argv, int *ret_argc)
{
    bool flags_end = false;
    int n = 0;
    int i;

    for (i = 1; i < argc; i++) {
        if (!flags_end && strcmp(argv[i], "--") == 0) {
            flags_end = true;
        } else if (!flags_end && is_flag(cli, common, argv[i])) {
            int exit_code = flag_read(cli, common, argc, argv, &i);

            if (exit_code != 0) {
                return exit_code;
            }
        } else if (cli->command == NULL && cli->address_first &&
                   strstr(argv[i], "://") != NULL) {
            cli->address = argv[i];
        } else if (cli->command == NULL) {
            cli->command = command_find(cli, argv[i]);
            if (cli->command == NULL) {
                return cli_usage(cli, "unknown command '%s'; see --help",
                                 argv[i]);
            }
        } else {
            argv[n++] = argv[i];
        }
    }
    *ret_argc = n;
    return 0;
}

/* -- running --------------------------------------------------------------- */

static int
run_command(struct cli *cli, int argc, char **argv)
{
    int exit_code;

    if (cli->command == NULL) {
        return cli_usage(cli, "which command? See --help");
    }
    if (argc < cli->command->n_arguments_min ||
        argc > cli->command->n_arguments_max) {
        return cli_usage(cli, "usage: %s %s %s", cli->program,
                         cli->command->name, cli->command->arguments);
    }
    exit_code = cli->command->run(cli, argc, argv);
    if (fflush(stdout) != 0 && exit_code == 0) {
        exit_code = cli_fail(cli, "standard output: %s", strerror(errno));
    }
    return exit_code;
}

const char *
cli_token_flag(const struct cli *cli)
{
    return cli->token_flag != NULL ? cli->token_flag : "token-file";
}

/* The flags of every command: the connection's, and the program's own. False:
 * too many. */
static bool
flags_collect(struct cli *cli, struct cli_flag items[CLI_FLAGS_MAX],
              struct cli_flags *ret_flags)
{
    const struct cli_flag all[] = {
        {"address", "ADDRESS",
         "Of the server: tcp://HOST:PORT, ipc://PATH, ...", CLI_FLAG_TEXT,
         &cli->address},
        {cli_token_flag(cli), "FILE", cli->token_help, CLI_FLAG_TEXT,
         &cli->token_file},
        {"tls-ca", "FILE",
         "Authorities that may have signed the server's "
         "certificate.",
         CLI_FLAG_TEXT, &cli->tls.ca_file},
        {"tls-cert", "FILE", "Own certificate.", CLI_FLAG_TEXT,
         &cli->tls.cert_file},
        {"tls-key", "FILE", "Its private key.", CLI_FLAG_TEXT,
         &cli->tls.key_file},
        {"tls-name", "NAME",
         "Name in the server's certificate, if it is not "
         "the host's.",
         CLI_FLAG_TEXT, &cli->tls.server_name},
        {"timeout", "TIME", "Give up after 500ms, 5s, 1m (10s).", CLI_FLAG_TIME,
         &cli->timeout_ms},
        {"json", NULL, "Write JSON, for programs.", CLI_FLAG_SWITCH,
         &cli->json},
        {"help", NULL, "Explain, also a command.", CLI_FLAG_SWITCH, &cli->help},
        {"version", NULL, "Tell the version.", CLI_FLAG_SWITCH, &cli->version}};
    size_t n = sizeof(all) / sizeof(all[0]);
    size_t i;

    if (n + cli->n_flags > CLI_FLAGS_MAX) {
        return false;
    }
    memcpy(items, all, sizeof(all));
    for (i = 0; i < cli->n_flags; i++) {
        items[n++] = cli->flags[i];
    }
    *ret_flags = (struct cli_flags){items, n};
    return true;
}

/* A socket that takes the number of a standard file that is closed would be
 * read and written as that. What stands there instead fails as it would. */
static bool
standard_files_hold(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd >= 0 && fd <= STDERR_FILENO) {
            (void)close(fd);
            fd = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    } while (fd >= 0 && fd <= STDERR_FILENO);
    return fd >= 0 && close(fd) == 0;
}

int
cli_main(struct cli *cli, int argc, char **argv)
{
    struct cli_flag items[CLI_FLAGS_MAX];
    struct cli_flags common = {NULL, 0};
    int n_arguments = 0;
    int exit_code;

    if (!standard_files_hold()) {
        return cli_fail(cli, "/dev/null can't be opened");
    }
    if (!flags_collect(cli, items, &common)) {
        return cli_usage(cli, "too many flags in this program");
    }
    cli->timeout_ms = TIMEOUT_MS_DEFAULT;
    exit_code = cli_environment_read(cli, &common);
    if (exit_code == 0) {
        exit_code = arguments_read(cli, &common, argc, argv, &n_arguments);
    }
    if (exit_code == 0 && (cli->help || cli->version)) {
        if (cli->help) {
            cli_help(cli, &common);
        } else {
            (void)printf("%s %s\n", cli->program, rpcrt_version());
        }
        return fflush(stdout) == 0 ? 0 : CLI_EXIT_FAILED;
    }
    if (exit_code == 0) {
        exit_code = run_command(cli, n_arguments, argv);
    }
    rpcrt_call_free(cli->call);
    rpcrt_channel_free(cli->channel);
    return exit_code;
}
