/*
 * What all daemons do: listen on the addresses of their flags, say so when
 * they serve, tell their health and, by reflection, their interface, log, and
 * end by SIGTERM or SIGINT after the running calls.
 */
#ifndef SERVICES_COMMON_DAEMON_H
#define SERVICES_COMMON_DAEMON_H

#include "common/flags.h"
#include "common/log.h"

#include <rpcrt/health.h>

struct common_daemon {
    struct common_log log;
    struct common_list listen;
    const char *tls_cert;
    const char *tls_key;
    const char *tls_ca;
    const char *log_level;
    uint64_t drain_ms;
    bool no_reflection;
    struct rpcrt_health *health; /* while it runs */
};

/* The flags that all daemons have, for the table of one. */
#define COMMON_DAEMON_FLAGS(daemon)                                            \
    {.name = "listen",                                                         \
     .value = "ADDRESS",                                                       \
     .help = "Serve at tcp://HOST:PORT (port 0: a free one), "                 \
             "tls+tcp://HOST:PORT\n"                                           \
             "or ipc://PATH; may be given several times.",                     \
     .kind = COMMON_FLAG_LIST,                                                 \
     .target = &(daemon)->listen},                                             \
        {.name = "tls-cert",                                                   \
         .value = "FILE",                                                      \
         .help = "Certificate with its chain (PEM), for tls+tcp://.",          \
         .kind = COMMON_FLAG_TEXT,                                             \
         .target = &(daemon)->tls_cert},                                       \
        {.name = "tls-key",                                                    \
         .value = "FILE",                                                      \
         .help = "Its private key (PEM).",                                     \
         .kind = COMMON_FLAG_TEXT,                                             \
         .target = &(daemon)->tls_key},                                        \
        {.name = "tls-ca",                                                     \
         .value = "FILE",                                                      \
         .help = "Take only clients with a certificate of these authorities.", \
         .kind = COMMON_FLAG_TEXT,                                             \
         .target = &(daemon)->tls_ca},                                         \
        {.name = "log-level",                                                  \
         .value = "LEVEL",                                                     \
         .help = "error, warning, info (the default) or debug.",               \
         .kind = COMMON_FLAG_TEXT,                                             \
         .target = &(daemon)->log_level},                                      \
        {.name = "log-calls",                                                  \
         .help = "Log every call, not only those that fail.",                  \
         .kind = COMMON_FLAG_SWITCH,                                           \
         .target = &(daemon)->log.calls},                                      \
        {.name = "no-reflection",                                              \
         .help = "Do not tell clients what the interface looks like.",         \
         .kind = COMMON_FLAG_SWITCH,                                           \
         .target = &(daemon)->no_reflection},                                  \
    {                                                                          \
        .name = "drain-ms", .value = "N",                                      \
        .help = "Wait so long for running calls after SIGTERM (10000).",       \
        .kind = COMMON_FLAG_NUMBER, .target = &(daemon)->drain_ms, .min = 1,   \
        .max = 3600000                                                         \
    }

/* Set what flags then change: standard error, level info. */
void common_daemon_init(struct common_daemon *daemon, const char *program);

/**
 * Read flags and environment, and answer --help and --version. To be called
 * first of all in main(): it also takes SIGTERM and SIGINT, which end the
 * program at once, with exit code 0, until common_daemon_run() serves.
 *
 * Returns  true to go on; else *ret_exit is the exit code.
 */
RPCRT_MUST_CHECK bool common_daemon_start(struct common_daemon *daemon,
                                          const struct common_program *program,
                                          int argc, char **argv, int *ret_exit);

/* Let no core file be made of this process, and no other of the same user look
 * into it; for those that hold secrets, before they read them. False, and why
 * on standard error, if that can't be had. */
RPCRT_MUST_CHECK bool common_daemon_no_core(const struct common_daemon *daemon);

/* Options for a server that logs here; the caller may change others of them,
 * such as workers_max. */
struct rpcrt_server_options
common_daemon_server_options(struct common_daemon *daemon);

/**
 * Add health and reflection to the services of the server, which are SERVING
 * until it drains; both need no token: they tell nothing that is stored, and
 * who looks after a server need not be let into it. Listen, print "kvd:
 * listening on ADDRESS" for each address on standard output, serve until a
 * signal comes, and drain. When it returns the running calls have been answered
 * or cancelled, but some of the latter may still be in their handlers: end what
 * these wait for, then free the server, then this with common_daemon_free().
 *
 * Returns  the exit code for main().
 */
RPCRT_MUST_CHECK int common_daemon_run(struct common_daemon *daemon,
                                       struct rpcrt_server *server);

/* After the server. Also if it never ran. */
void common_daemon_free(struct common_daemon *daemon);

/* Say on standard error why the program can't start; returns the exit code
 * for main(). */
int common_daemon_fail(const struct common_daemon *daemon, const char *text);

/* The same for flags that are missing or wrong, which has a code of its own. */
int common_daemon_usage(const struct common_daemon *daemon, const char *text);

#endif
