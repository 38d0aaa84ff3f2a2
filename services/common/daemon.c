/*
 * The life of a daemon: see daemon.h.
 */
#include "common/daemon.h"

#include <rpcrt/channel.h>
#include <rpcrt/reflection.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define HELP_SIZE 8192u
#define EXIT_USAGE 2
#define DRAIN_MS_DEFAULT 10000u

/* What a signal is about. */
static volatile sig_atomic_t starting = 1;
static struct rpcrt_server *volatile serving;

/* Before it serves a program has nothing to end, and may wait long for what it
 * needs. rpcrt_server_stop() only writes to a pipe. */
static void
on_signal(int number)
{
    (void)number;
    if (starting) {
        _exit(EXIT_SUCCESS);
    }
    if (serving != NULL) {
        rpcrt_server_stop(serving);
    }
}

static void
take_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    (void)sigemptyset(&action.sa_mask);
    action.sa_handler = on_signal;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    /* A file that may not grow is a full disk, not the end. */
    (void)sigaction(SIGXFSZ, &action, NULL);
}

void
common_daemon_init(struct common_daemon *daemon, const char *program)
{
    *daemon = (struct common_daemon){
        .log = {.program = program,
                .fd = STDERR_FILENO,
                .level = RPCRT_LOG_INFO},
        .log_level = "info",
        .drain_ms = DRAIN_MS_DEFAULT,
    };
}

int
common_daemon_fail(const struct common_daemon *daemon, const char *text)
{
    (void)fprintf(stderr, "%s: %s\n", daemon->log.program, text);
    return EXIT_FAILURE;
}

int
common_daemon_usage(const struct common_daemon *daemon, const char *text)
{
    (void)common_daemon_fail(daemon, text);
    return EXIT_USAGE;
}

static int
print_help(const struct common_program *program)
{
    char text[HELP_SIZE];

    (void)common_flags_help(program, text, sizeof(text));
    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILURE
                                                          : EXIT_SUCCESS;
}

static int
print_version(const struct common_program *program)
{
    return printf("%s %s\n", program->name, rpcrt_version()) < 0 ||
                   fflush(stdout) != 0
               ? EXIT_FAILURE
               : EXIT_SUCCESS;
}

bool
common_daemon_start(struct common_daemon *daemon,
                    const struct common_program *program, int argc, char **argv,
                    int *ret_exit)
{
    enum common_go_on go_on = COMMON_GO_ON;
    struct common_error error;

    take_signals();
    if (common_flags_read(program, argc, argv, &error, &go_on) != RPCRT_OK) {
        *ret_exit = common_daemon_usage(daemon, error.text);
        return false;
    }
    if (go_on != COMMON_GO_ON) {
        *ret_exit =
            go_on == COMMON_HELP ? print_help(program) : print_version(program);
        return false;
    }
    if (!common_log_level_find(daemon->log_level, &daemon->log.level)) {
        *ret_exit = common_daemon_usage(
            daemon, "--log-level: expected error, warning, info or debug");
        return false;
    }
    if (daemon->listen.n_items == 0) {
        *ret_exit =
            common_daemon_usage(daemon, "--listen: no address; see --help");
        return false;
    }
    return true;
}

bool
common_daemon_no_core(const struct common_daemon *daemon)
{
    struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0 ||
        prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) != 0) {
        (void)common_daemon_fail(daemon, "can't turn core dumps off");
        return false;
    }
    return true;
}

struct rpcrt_server_options
common_daemon_server_options(struct common_daemon *daemon)
{
    return (struct rpcrt_server_options){
        .drain_timeout_ms = (uint32_t)daemon->drain_ms,
        .log = common_log_line,
        .log_arg = &daemon->log,
        .call_log = common_log_call,
        .call_log_arg = &daemon->log,
    };
}

static bool
listen_all(const struct common_daemon *daemon, struct rpcrt_server *server)
{
    struct rpcrt_tls tls = {.ca_file = daemon->tls_ca,
                            .cert_file = daemon->tls_cert,
                            .key_file = daemon->tls_key};
    size_t i;

    for (i = 0; i < daemon->listen.n_items; i++) {
        const char *address = daemon->listen.items[i];
        bool secure = strncmp(address, "tls+", 4) == 0;

        if (secure && (tls.cert_file == NULL || tls.key_file == NULL)) {
            (void)fprintf(stderr,
                          "%s: --listen %s needs --tls-cert and "
                          "--tls-key\n",
                          daemon->log.program, address);
            return false;
        }
        if (rpcrt_server_listen(server, address, secure ? &tls : NULL) !=
            RPCRT_OK) {
            (void)common_daemon_fail(daemon, rpcrt_last_error());
            return false;
        }
    }
    return true;
}

/* Whoever started the program waits for these lines. */
static bool
print_addresses(const struct common_daemon *daemon,
                const struct rpcrt_server *server)
{
    const char *address;
    size_t i;

    for (i = 0; (address = rpcrt_server_address(server, i)) != NULL; i++) {
        if (printf("%s: listening on %s\n", daemon->log.program, address) < 0) {
            return false;
        }
        common_log_format(&daemon->log, RPCRT_LOG_INFO, "listening on %s",
                          address);
    }
    return fflush(stdout) == 0;
}

/* What every server has beside its services. */
static bool
serve_admin(struct common_daemon *daemon, struct rpcrt_server *server)
{
    bool ok =
        rpcrt_health_new(&daemon->health) == RPCRT_OK &&
        rpcrt_health_serve(server, daemon->health) == RPCRT_OK &&
        (daemon->no_reflection || rpcrt_reflection_serve(server) == RPCRT_OK);

    if (!ok) {
        (void)common_daemon_fail(daemon, "can't serve: no memory");
    }
    return ok;
}

int
common_daemon_run(struct common_daemon *daemon, struct rpcrt_server *server)
{
    int exit_code;

    if (!serve_admin(daemon, server) || !listen_all(daemon, server)) {
        return EXIT_FAILURE;
    }
    serving = server;
    starting = 0;
    if (!print_addresses(daemon, server)) {
        serving = NULL;
        return common_daemon_fail(daemon, "standard output is closed");
    }
    exit_code = rpcrt_server_run(server);
    serving = NULL;
    common_log_text(&daemon->log, RPCRT_LOG_INFO,
                    exit_code == 0 ? "all calls finished"
                                   : "calls were cancelled");
    return exit_code;
}

void
common_daemon_free(struct common_daemon *daemon)
{
    rpcrt_health_free(daemon->health);
    daemon->health = NULL;
}
