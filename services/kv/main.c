/*
 * kvd: the key-value server. This file has its flags and puts engine, tokens,
 * service and server together.
 */
#include "common/daemon.h"
#include "kv/service.h"

#include <rpcrt/rpcrt.h>
#include <stdio.h>
#include <stdlib.h>

struct kvd {
    struct common_daemon daemon;
    const char *engine_name;
    const char *data;
    uint64_t map_size;
    uint64_t history;
    const char *tokens_file;
    bool no_auth;

    struct kvs_engine *engine;
    struct kvs_tokens *tokens;
    struct kvs_service service;
    struct rpcrt_server *server;
};

static void
warn(void *arg, const char *line)
{
    const struct kvd *kvd = arg;

    common_log_text(&kvd->daemon.log, RPCRT_LOG_WARNING, line);
}

/* 0, or the exit code of what is missing or wrong. */
static int
flags_check(const struct kvd *kvd)
{
    const struct kvs_engine_ops *ops = kvs_engine_find(kvd->engine_name);

    if (kvd->tokens_file != NULL && kvd->no_auth) {
        return common_daemon_usage(&kvd->daemon,
                                   "--tokens and --no-auth exclude each other");
    }
    if (kvd->tokens_file == NULL && !kvd->no_auth) {
        return common_daemon_usage(
            &kvd->daemon, "--tokens FILE says who may come in ('kvctl token' "
                          "makes lines for it); --no-auth lets everybody in");
    }
    if (ops == NULL) {
        return common_daemon_usage(&kvd->daemon,
                                   "--engine: expected memory or lmdb");
    }
    if (!ops->immediate && kvd->data == NULL) {
        return common_daemon_usage(&kvd->daemon,
                                   "--data DIRECTORY: this engine needs it");
    }
    return EXIT_SUCCESS;
}

/* Who may come in. False: nothing may be served like this. */
static bool
tokens_open(struct kvd *kvd)
{
    struct common_error error;

    if (kvd->no_auth) {
        warn(kvd, "NO AUTHENTICATION: whoever reaches this server may read "
                  "and change everything (--no-auth)");
        return true;
    }
    if (kvs_tokens_load(kvd->tokens_file, &error, &kvd->tokens) != RPCRT_OK) {
        (void)common_daemon_fail(&kvd->daemon, error.text);
        return false;
    }
    return true;
}

static bool
engine_open(struct kvd *kvd)
{
    const struct kvs_engine_ops *ops = kvs_engine_find(kvd->engine_name);
    struct kvs_engine_options options = {.directory = kvd->data,
                                         .size_max = kvd->map_size,
                                         .history = kvd->history,
                                         .warn = warn,
                                         .warn_arg = kvd};
    struct common_error error;

    if (kvs_engine_open(ops, &options, &error, &kvd->engine) != RPCRT_OK) {
        (void)common_daemon_fail(&kvd->daemon, error.text);
        return false;
    }
    return true;
}

static bool
server_open(struct kvd *kvd)
{
    struct rpcrt_server_options options =
        common_daemon_server_options(&kvd->daemon);

    kvd->service.engine = kvd->engine;
    kvd->service.tokens = kvd->tokens;
    if (rpcrt_server_new(&options, &kvd->server) != RPCRT_OK) {
        (void)common_daemon_fail(&kvd->daemon, rpcrt_last_error());
        return false;
    }
    if (kvs_service_serve(kvd->server, &kvd->service) != RPCRT_OK) {
        (void)common_daemon_fail(&kvd->daemon, "can't serve: no memory");
        return false;
    }
    return true;
}

static int
run(struct kvd *kvd)
{
    int exit_code = flags_check(kvd);

    if (exit_code != EXIT_SUCCESS) {
        return exit_code;
    }
    exit_code = EXIT_FAILURE;
    if (tokens_open(kvd) && engine_open(kvd) && server_open(kvd)) {
        exit_code = common_daemon_run(&kvd->daemon, kvd->server);
    }
    rpcrt_server_free(kvd->server);
    common_daemon_free(&kvd->daemon);
    kvs_engine_close(kvd->engine);
    kvs_tokens_free(kvd->tokens);
    return exit_code;
}

static const struct kvd defaults = {.engine_name = "lmdb",
                                    .history = KVS_HISTORY_DEFAULT};

int
main(int argc, char **argv)
{
    struct kvd kvd = defaults;
    const struct common_flag flags[] = {
        COMMON_DAEMON_FLAGS(&kvd.daemon),
        COMMON_TEXT_FLAG("engine", "NAME",
                         "lmdb: on disk, kept through a crash (the default);\n"
                         "memory: gone when the server ends.",
                         &kvd.engine_name),
        COMMON_TEXT_FLAG("data", "DIRECTORY",
                         "Where lmdb keeps its files; made if missing.",
                         &kvd.data),
        {.name = "map-size",
         .value = "BYTES",
         .help = "The most that the store may hold, history included\n"
                 "(lmdb 64G, memory 1G); K, M, G or T may follow.",
         .kind = COMMON_FLAG_BYTES,
         .target = &kvd.map_size,
         .min = 1,
         .max = UINT64_C(1) << 46},
        {.name = "history",
         .value = "N",
         .help = "Revisions that stay readable (10000).",
         .kind = COMMON_FLAG_NUMBER,
         .target = &kvd.history,
         .max = KVS_HISTORY_MAX},
        COMMON_TEXT_FLAG(
            "tokens", "FILE",
            "Who may come in: lines of namespace, SHA-256 of a token,\n"
            "and maybe read-only.",
            &kvd.tokens_file),
        {.name = "no-auth",
         .help = "Let everybody do everything, in the namespace \"default\".",
         .kind = COMMON_FLAG_SWITCH,
         .target = &kvd.no_auth},
    };
    const struct common_program program = {
        .name = "kvd",
        .summary = "a key-value server",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0]),
    };
    int exit_code = EXIT_FAILURE;

    common_daemon_init(&kvd.daemon, program.name);
    if (!common_daemon_start(&kvd.daemon, &program, argc, argv, &exit_code)) {
        return exit_code;
    }
    return run(&kvd);
}
