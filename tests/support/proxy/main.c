/*
 * rpcproxy: the proxy as a program. This file has its flags, and puts proxy and
 * control service together.
 */
#include "common/flags.h"
#include "common/log.h"
#include "support/proxy/control.h"

#include <rpcrt/rpcrt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HELP_SIZE 8192u
#define EXIT_USAGE 2
#define DRAIN_MS 1000u

struct rpcproxy {
    const char *listen;
    const char *target;
    const char *control;
    uint64_t seed;
    bool half_open;
    struct common_list words[PROXY_WAYS + 1]; /* the last: both ways */
    struct common_log log;
    struct proxy *proxy;
    struct rpcrt_server *server;
};

static int
fail(const char *text)
{
    (void)fprintf(stderr, "rpcproxy: %s\n", text);
    return EXIT_FAILURE;
}

/* -- flags ----------------------------------------------------------------- */

static int
help_print(const struct common_program *program)
{
    const struct proxy_fault_name *name;
    char text[HELP_SIZE];

    (void)common_flags_help(program, text, sizeof(text));
    (void)printf("%s\nFAULTS are NAME=NUMBER, several with commas between:\n",
                 text);
    for (name = proxy_fault_names; name->name != NULL; name++) {
        (void)printf("  %-22s %s\n", name->name, name->help);
    }
    (void)printf("Messages are nng's, of connections without TLS. All numbers "
                 "can be changed\nwhile it runs, by the service at --control "
                 "(tests/support/proxy.proto).\n");
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool
words_read(const struct common_list *words, struct proxy_faults *faults,
           struct common_error *ret_error)
{
    size_t i;

    for (i = 0; i < words->n_items; i++) {
        if (proxy_faults_read(faults, words->items[i], ret_error) != RPCRT_OK) {
            return false;
        }
    }
    return true;
}

/* What is said for one direction goes above what is said for both. */
static bool
plan_read(const struct rpcproxy *self, struct common_error *ret_error,
          struct proxy_plan *ret_plan)
{
    struct proxy_plan plan = {.half_open = self->half_open};
    unsigned way;

    for (way = 0; way < PROXY_WAYS; way++) {
        if (!words_read(&self->words[PROXY_WAYS], &plan.faults[way],
                        ret_error) ||
            !words_read(&self->words[way], &plan.faults[way], ret_error)) {
            return false;
        }
    }
    *ret_plan = plan;
    return true;
}

/* -- serving --------------------------------------------------------------- */

static bool
proxy_open(struct rpcproxy *self, int *ret_exit)
{
    struct proxy_options options = {
        .listen = self->listen, .target = self->target, .seed = self->seed};
    struct common_error error;
    enum rpcrt_code code;

    *ret_exit = EXIT_USAGE;
    if (self->listen == NULL || self->target == NULL) {
        (void)fail("--listen and --target are needed; see --help");
        return false;
    }
    if (!plan_read(self, &error, &options.plan)) {
        (void)fail(error.text);
        return false;
    }
    code = proxy_start(&options, &error, &self->proxy);
    if (code != RPCRT_OK) {
        (void)fail(error.text);
        *ret_exit = code == RPCRT_INVALID_ARGUMENT ? EXIT_USAGE : EXIT_FAILURE;
        return false;
    }
    return true;
}

static bool
server_open(struct rpcproxy *self)
{
    struct rpcrt_server_options options = {.drain_timeout_ms = DRAIN_MS,
                                           .log = common_log_line,
                                           .log_arg = &self->log,
                                           .call_log = common_log_call,
                                           .call_log_arg = &self->log};

    if (rpcrt_server_new(&options, &self->server) != RPCRT_OK ||
        proxy_control_offer(self->server, self->proxy) != RPCRT_OK ||
        (self->control != NULL &&
         rpcrt_server_listen(self->server, self->control, NULL) != RPCRT_OK)) {
        (void)fail(rpcrt_last_error());
        return false;
    }
    return true;
}

/* Whoever started the program waits for the last of these lines. */
static bool
addresses_print(const struct rpcproxy *self)
{
    const char *control = rpcrt_server_address(self->server, 0);

    (void)printf("rpcproxy: listening on %s\n", proxy_address(self->proxy));
    if (control != NULL) {
        (void)printf("rpcproxy: control on %s\n", control);
    }
    return fflush(stdout) == 0;
}

static int
run(struct rpcproxy *self)
{
    int exit_code = EXIT_FAILURE;

    if (proxy_open(self, &exit_code)) {
        exit_code = EXIT_FAILURE;
        if (server_open(self)) {
            exit_code = addresses_print(self)
                            ? rpcrt_server_run(self->server)
                            : fail("standard output is closed");
        }
    }
    rpcrt_server_free(self->server);
    proxy_stop(self->proxy);
    return exit_code;
}

/* Go on, or *ret_exit is the end. */
static bool
flags_read(const struct common_program *program, int argc, char **argv,
           int *ret_exit)
{
    enum common_go_on go_on = COMMON_GO_ON;
    struct common_error error;

    if (common_flags_read(program, argc, argv, &error, &go_on) != RPCRT_OK) {
        (void)fail(error.text);
        *ret_exit = EXIT_USAGE;
        return false;
    }
    if (go_on == COMMON_HELP) {
        *ret_exit = help_print(program);
    } else if (go_on == COMMON_VERSION) {
        *ret_exit =
            printf("rpcproxy %s\n", rpcrt_version()) < 0 || fflush(stdout) != 0;
    }
    return go_on == COMMON_GO_ON;
}

#define FLAG(text, shown, of_kind, where, words)                               \
    {                                                                          \
        .name = (text), .value = (shown), .help = (words), .kind = (of_kind),  \
        .target = (where)                                                      \
    }

int
main(int argc, char **argv)
{
    struct rpcproxy self = {.log = {.program = "rpcproxy",
                                    .fd = STDERR_FILENO,
                                    .level = RPCRT_LOG_WARNING}};
    const struct common_flag flags[] = {
        FLAG("listen", "ADDRESS", COMMON_FLAG_TEXT, &self.listen,
             "Take connections at tcp://HOST:PORT (port 0: a free one)."),
        FLAG("target", "ADDRESS", COMMON_FLAG_TEXT, &self.target,
             "The server, tcp://HOST:PORT."),
        FLAG("control", "ADDRESS", COMMON_FLAG_TEXT, &self.control,
             "Offer proxy.v1.Proxy at ipc://PATH or tcp://HOST:PORT;\n"
             "whoever reaches it may use it."),
        {.name = "seed",
         .value = "N",
         .help = "The same traffic meets the same faults (0).",
         .kind = COMMON_FLAG_NUMBER,
         .target = &self.seed,
         .max = UINT64_MAX},
        FLAG("both", "FAULTS", COMMON_FLAG_LIST, &self.words[PROXY_WAYS],
             "What happens in both directions; may be given several times."),
        FLAG("up", "FAULTS", COMMON_FLAG_LIST, &self.words[PROXY_UP],
             "On the way to the server."),
        FLAG("down", "FAULTS", COMMON_FLAG_LIST, &self.words[PROXY_DOWN],
             "On the way back."),
        FLAG("half-open", NULL, COMMON_FLAG_SWITCH, &self.half_open,
             "When one side ends its connection, do not tell the other."),
    };
    const struct common_program program = {
        .name = "rpcproxy",
        .summary = "a proxy on TCP that makes trouble, for tests",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0]),
    };
    int exit_code = EXIT_FAILURE;

    return flags_read(&program, argc, argv, &exit_code) ? run(&self)
                                                        : exit_code;
}
