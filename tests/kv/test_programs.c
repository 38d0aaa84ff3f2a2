/*
 * kvd and kvctl as programs: flags, exit codes, output, errors. What the store
 * does is tested elsewhere.
 */
#include "support/daemon.h"

#include <criterion/criterion.h>
#include <rpcrt/status.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct bench {
    struct daemon daemon;
    char folder[64];
    char data[96];
    char listen[96];
    char log[96];
    struct daemon_result result;
};

static void
bench_open(struct bench *bench)
{
    const struct daemon_options options = {.log = bench->log};
    const char *const arguments[] = {
        "--data",      bench->data,   "--no-auth", "--listen", bench->listen,
        "--log-calls", "--log-level", "debug",     NULL};

    daemon_folder_make(bench->folder);
    (void)snprintf(bench->data, sizeof(bench->data), "%s/data", bench->folder);
    (void)snprintf(bench->listen, sizeof(bench->listen), "ipc://%s/socket",
                   bench->folder);
    (void)snprintf(bench->log, sizeof(bench->log), "%s/log", bench->folder);
    cr_assert(daemon_start(&bench->daemon, "KVD", arguments, &options));
    cr_assert_eq(setenv("KVCTL_ADDRESS", bench->daemon.address, 1), 0);
}

static void
bench_close(struct bench *bench)
{
    cr_assert_eq(daemon_end(&bench->daemon, SIGTERM), 0);
    daemon_folder_remove(bench->folder);
}

/* Run a program with words; returns the exit code. */
#define RUN(bench, program, ...)                                               \
    run_words(bench, program, (const char *const[]){__VA_ARGS__, NULL})

static int
run_words(struct bench *bench, const char *program, const char *const *words)
{
    daemon_run(program, words, NULL, &bench->result);
    return bench->result.exit_code;
}

#define EXPECT_OUT(bench, text)                                                \
    cr_assert_str_eq((bench)->result.out, text, "'%s' '%s'",                   \
                     (bench)->result.out, (bench)->result.err)
#define EXPECT_IN(text, part)                                                  \
    cr_assert_not_null(strstr(text, part), "'%s' is not in '%s'", part, text)

/* -- kvd ------------------------------------------------------------------- */

Test(kvd, explains_itself, .timeout = 60)
{
    struct bench bench;

    cr_assert_eq(RUN(&bench, "KVD", "--help"), 0);
    EXPECT_IN(bench.result.out, "--listen ADDRESS  (KVD_LISTEN)");
    EXPECT_IN(bench.result.out, "--no-auth");
    cr_assert_str_eq(bench.result.err, "");
    cr_assert_eq(RUN(&bench, "KVD", "--version"), 0);
    EXPECT_OUT(&bench, "kvd " RPCRT_VERSION_TEXT "\n");
}

Test(kvd, refuses_a_command_line_that_makes_no_sense, .timeout = 60)
{
    struct bench bench;

    cr_assert_eq(RUN(&bench, "KVD", "--lissen", "x"), 2);
    EXPECT_IN(bench.result.err, "kvd: unknown argument '--lissen'");
    cr_assert_eq(RUN(&bench, "KVD", "--no-auth"), 2);
    EXPECT_IN(bench.result.err, "--listen");
    cr_assert_eq(RUN(&bench, "KVD", "--listen", "tcp://127.0.0.1:0",
                     "--log-level", "loud"),
                 2);
    EXPECT_IN(bench.result.err, "--log-level");
}

Test(kvd, does_not_start_without_saying_who_may_come_in, .timeout = 60)
{
    struct bench bench;

    cr_assert_eq(RUN(&bench, "KVD", "--listen", "tcp://127.0.0.1:0", "--engine",
                     "memory"),
                 2);
    EXPECT_IN(bench.result.err, "--tokens");
    EXPECT_IN(bench.result.err, "--no-auth");
    cr_assert_neq(RUN(&bench, "KVD", "--listen", "tcp://127.0.0.1:0",
                      "--engine", "memory", "--tokens", "/nowhere"),
                  0);
    EXPECT_IN(bench.result.err, "/nowhere");
    cr_assert_eq(RUN(&bench, "KVD", "--listen", "tcp://127.0.0.1:0", "--engine",
                     "memory", "--tokens", "/dev/null", "--no-auth"),
                 2);
    EXPECT_IN(bench.result.err, "exclude each other");
}

Test(kvd, names_what_it_can_not_use, .timeout = 60)
{
    struct bench bench;

    cr_assert_eq(RUN(&bench, "KVD", "--listen", "tcp://127.0.0.1:0",
                     "--no-auth", "--engine", "paper"),
                 2);
    EXPECT_IN(bench.result.err, "--engine");
    cr_assert_eq(
        RUN(&bench, "KVD", "--listen", "tcp://127.0.0.1:0", "--no-auth"), 2);
    EXPECT_IN(bench.result.err, "--data");
    cr_assert_neq(RUN(&bench, "KVD", "--listen", "tcp://127.0.0.1:0",
                      "--no-auth", "--data", "/dev/null/x"),
                  0);
    EXPECT_IN(bench.result.err, "/dev/null/x");
    cr_assert_neq(RUN(&bench, "KVD", "--listen", "smoke://signals", "--no-auth",
                      "--engine", "memory"),
                  0);
    EXPECT_IN(bench.result.err, "smoke://signals");
    cr_assert_neq(RUN(&bench, "KVD", "--listen", "tls+tcp://127.0.0.1:0",
                      "--no-auth", "--engine", "memory"),
                  0);
    EXPECT_IN(bench.result.err, "tls+tcp://127.0.0.1:0");
}

Test(kvd, shares_its_data_with_nobody, .timeout = 60)
{
    struct bench bench;

    bench_open(&bench);
    cr_assert_neq(RUN(&bench, "KVD", "--listen", "tcp://127.0.0.1:0",
                      "--no-auth", "--data", bench.data),
                  0);
    EXPECT_IN(bench.result.err, bench.data);
    EXPECT_IN(bench.result.err, "in use by another process (pid ");
    bench_close(&bench);
}

Test(kvd, takes_its_flags_from_the_environment, .timeout = 60)
{
    const char *const none[] = {NULL};
    struct daemon daemon;

    setenv("KVD_LISTEN", "tcp://127.0.0.1:0 tcp://127.0.0.1:0", 1);
    setenv("KVD_ENGINE", "memory", 1);
    setenv("KVD_NO_AUTH", "1", 1);
    cr_assert(daemon_start(&daemon, "KVD", none, NULL));
    cr_assert_eq(strncmp(daemon.address, "tcp://127.0.0.1:", 16), 0);
    cr_assert_eq(daemon_end(&daemon, SIGINT), 0);
}

static void
file_read(const char *path, char *ret_text, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t n;

    cr_assert_not_null(file);
    n = fread(ret_text, 1, size - 1, file);
    ret_text[n] = '\0';
    (void)fclose(file);
}

Test(kvd, logs_calls_with_their_id_and_warns_without_tokens, .timeout = 60)
{
    struct bench bench;
    char text[8192];

    bench_open(&bench);
    cr_assert_eq(RUN(&bench, "KVCTL", "put", "a", "very secret value"), 0);
    cr_assert_eq(RUN(&bench, "KVCTL", "store", "x"), 0);
    bench.result.out[strcspn(bench.result.out, "\n")] = '\0';
    file_read(bench.log, text, sizeof(text));
    EXPECT_IN(text, "level=warning program=kvd msg=\"NO AUTHENTICATION");
    EXPECT_IN(text, "level=info program=kvd call_id=\"");
    EXPECT_IN(text, "method=\"/kv.v1.Kv/Put\"");
    EXPECT_IN(text, "code=OK");
    cr_assert_null(strstr(text, "very secret value"));
    cr_assert_null(strstr(text, bench.result.out), "a stored key in the log");
    bench_close(&bench);
}

/* -- kvctl ----------------------------------------------------------------- */

Test(kvctl, explains_itself, .timeout = 60)
{
    struct bench bench;

    cr_assert_eq(RUN(&bench, "KVCTL", "--help"), 0);
    EXPECT_IN(bench.result.out, "put     KEY VALUE");
    EXPECT_IN(bench.result.out, "KVCTL_ADDRESS");
    cr_assert_eq(RUN(&bench, "KVCTL", "txn", "--help"), 0);
    EXPECT_IN(bench.result.out, "--if COMPARE");
    cr_assert_eq(RUN(&bench, "KVCTL", "--version"), 0);
    EXPECT_OUT(&bench, "kvctl " RPCRT_VERSION_TEXT "\n");
}

Test(kvctl, writes_and_reads_keys, .timeout = 60)
{
    struct bench bench;

    bench_open(&bench);
    cr_assert_eq(RUN(&bench, "KVCTL", "put", "pet/1", "a red cat"), 0);
    EXPECT_OUT(&bench, "revision 1\n");
    cr_assert_eq(RUN(&bench, "KVCTL", "put", "pet/2", "@@home"), 0);
    cr_assert_eq(RUN(&bench, "KVCTL", "get", "pet/1"), 0);
    EXPECT_OUT(&bench, "a red cat");
    cr_assert_eq(RUN(&bench, "KVCTL", "range", "--prefix", "pet/"), 0);
    EXPECT_OUT(&bench, "pet/1\ta red cat\t1\t1\npet/2\t@home\t1\t2\n");
    cr_assert_eq(RUN(&bench, "KVCTL", "range", "pet/1", "pet/2"), 0);
    EXPECT_OUT(&bench, "pet/1\ta red cat\t1\t1\n");
    cr_assert_eq(RUN(&bench, "KVCTL", "range", "--from", "pet/2"), 0);
    EXPECT_OUT(&bench, "pet/2\t@home\t1\t2\n");
    cr_assert_eq(
        RUN(&bench, "KVCTL", "range", "--keys-only", "--reverse", "--limit=1"),
        0);
    EXPECT_OUT(&bench, "pet/2\t1\t2\n");
    cr_assert_eq(RUN(&bench, "KVCTL", "range", "--revision", "1"), 0);
    EXPECT_OUT(&bench, "pet/1\ta red cat\t1\t1\n");
    cr_assert_eq(RUN(&bench, "KVCTL", "del", "--prefix", "pet/"), 0);
    EXPECT_OUT(&bench, "deleted 2\n");
    bench_close(&bench);
}

Test(kvctl, reads_values_from_files_and_standard_input, .timeout = 60)
{
    const char *const put[] = {"put", "in", "-", NULL};
    struct bench bench;
    char path[128];
    FILE *file;

    bench_open(&bench);
    daemon_run("KVCTL", put, "line one\nline two\n", &bench.result);
    cr_assert_eq(bench.result.exit_code, 0);
    cr_assert_eq(RUN(&bench, "KVCTL", "get", "in"), 0);
    EXPECT_OUT(&bench, "line one\nline two\n");
    (void)snprintf(path, sizeof(path), "@%s/value", bench.folder);
    file = fopen(path + 1, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite("\0\377x", 1, 3, file), 3);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(RUN(&bench, "KVCTL", "put", "bin", path), 0);
    cr_assert_eq(RUN(&bench, "KVCTL", "range", "bin"), 0);
    EXPECT_OUT(&bench, "bin\t\\x00\\xffx\t1\t2\n");
    cr_assert_eq(RUN(&bench, "KVCTL", "range", "bin", "--json"), 0);
    EXPECT_IN(bench.result.out, "\"key\":\"bin\",\"value_base64\":\"AP94\"");
    cr_assert_eq(RUN(&bench, "KVCTL", "put", "x", "@/nowhere/file"), 1);
    EXPECT_IN(bench.result.err, "kvctl: put: /nowhere/file: ");
    bench_close(&bench);
}

Test(kvctl, stores_and_loads, .timeout = 60)
{
    struct bench bench;
    char key[64];

    bench_open(&bench);
    cr_assert_eq(RUN(&bench, "KVCTL", "store", "for good"), 0);
    cr_assert_eq(strlen(bench.result.out), 33);
    (void)snprintf(key, sizeof(key), "%.32s", bench.result.out);
    cr_assert_eq(RUN(&bench, "KVCTL", "load", key), 0);
    EXPECT_OUT(&bench, "for good");
    cr_assert_eq(RUN(&bench, "KVCTL", "load", key, "--json"), 0);
    EXPECT_IN(bench.result.out, "\"value\":\"for good\"}");
    cr_assert_eq(
        RUN(&bench, "KVCTL", "load", "0123456789abcdef0123456789abcdef"),
        64 + RPCRT_NOT_FOUND);
    bench_close(&bench);
}

Test(kvctl, does_transactions, .timeout = 60)
{
    struct bench bench;

    bench_open(&bench);
    cr_assert_eq(RUN(&bench, "KVCTL", "txn", "--if", "version seat = 0",
                     "--then", "put seat taken by me", "--else", "get seat"),
                 0);
    EXPECT_OUT(&bench, "then, revision 1\n");
    cr_assert_eq(RUN(&bench, "KVCTL", "txn", "--if", "version seat = 0",
                     "--then", "put seat taken by me", "--else", "get seat"),
                 0);
    EXPECT_OUT(&bench, "else, revision 1\nseat\ttaken by me\t1\t1\n");
    cr_assert_eq(RUN(&bench, "KVCTL", "txn", "--if", "value seat = taken by me",
                     "--then", "del seat", "--then", "put done 1", "--json"),
                 0);
    EXPECT_IN(bench.result.out,
              "\"succeeded\":true,\"replies\":[{\"deleted\":1},{}]}\n");
    cr_assert_eq(RUN(&bench, "KVCTL", "txn", "--if", "version seat"), 2);
    EXPECT_IN(bench.result.err, "--if: can't read 'version seat'");
    cr_assert_eq(RUN(&bench, "KVCTL", "txn", "--then", "jump high"), 2);
    bench_close(&bench);
}

Test(kvctl, lists_more_than_a_page, .timeout = 60)
{
    struct bench bench;
    char value[64];
    const char *line;
    unsigned n = 0;
    unsigned i;

    bench_open(&bench);
    for (i = 0; i < 11; i++) {
        char at[128];
        FILE *file;

        (void)snprintf(value, sizeof(value), "k%02u", i);
        (void)snprintf(at, sizeof(at), "@%s/value", bench.folder);
        file = fopen(at + 1, "w");
        cr_assert_not_null(file);
        cr_assert_geq(fprintf(file, "%0200000u", i), 0);
        cr_assert_eq(fclose(file), 0);
        cr_assert_eq(RUN(&bench, "KVCTL", "put", value, at), 0);
    }
    cr_assert_eq(RUN(&bench, "KVCTL", "range", "--keys-only"), 0);
    cr_assert_eq(RUN(&bench, "KVCTL", "range", "--keys-only", "--json"), 0);
    for (line = bench.result.out; (line = strstr(line, "\"key\"")) != NULL;
         line++) {
        n++;
    }
    cr_assert_eq(n, 11);
    bench_close(&bench);
}

Test(kvctl, names_address_and_cause_of_a_failure, .timeout = 60)
{
    struct bench bench;

    bench_open(&bench);
    cr_assert_eq(RUN(&bench, "KVCTL", "get", "nothing"), 64 + RPCRT_NOT_FOUND);
    EXPECT_IN(bench.result.err, "kvctl: get: ");
    EXPECT_IN(bench.result.err, bench.daemon.address);
    EXPECT_IN(bench.result.err, "nothing");
    cr_assert_eq(RUN(&bench, "KVCTL", "get", "a", "--revision", "99"),
                 64 + RPCRT_OUT_OF_RANGE);
    EXPECT_IN(bench.result.err, bench.daemon.address);
    EXPECT_IN(bench.result.err, "revision 99");
    cr_assert_eq(
        RUN(&bench, "KVCTL", "--address", "tcp://127.0.0.1:1", "get", "a"),
        64 + RPCRT_UNAVAILABLE);
    EXPECT_IN(bench.result.err, "tcp://127.0.0.1:1");
    EXPECT_IN(bench.result.err, "refused");
    cr_assert_eq(RUN(&bench, "KVCTL", "--token-file", "/nowhere", "get", "a"),
                 1);
    EXPECT_IN(bench.result.err, "/nowhere");
    bench_close(&bench);
}

Test(kvctl, refuses_a_command_line_that_makes_no_sense, .timeout = 60)
{
    struct bench bench;

    unsetenv("KVCTL_ADDRESS");
    cr_assert_eq(RUN(&bench, "KVCTL", "jump"), 2);
    EXPECT_IN(bench.result.err, "unknown command 'jump'");
    cr_assert_eq(RUN(&bench, "KVCTL", "put", "a"), 2);
    EXPECT_IN(bench.result.err, "usage: kvctl put KEY VALUE");
    cr_assert_eq(RUN(&bench, "KVCTL", "get", "a", "--colour"), 2);
    EXPECT_IN(bench.result.err, "kvctl: get: unknown flag --colour");
    cr_assert_eq(RUN(&bench, "KVCTL", "get", "a", "--timeout", "soon"), 2);
    EXPECT_IN(bench.result.err, "--timeout");
    cr_assert_eq(RUN(&bench, "KVCTL", "get", "a"), 2);
    EXPECT_IN(bench.result.err, "--address");
    cr_assert_eq(RUN(&bench, "KVCTL", "--json"), 2);
    cr_assert_eq(RUN(&bench, "KVCTL", "range", "a", "b", "--prefix",
                     "--address", "tcp://127.0.0.1:1"),
                 2);
    EXPECT_IN(bench.result.err, "exclude each other");
}

Test(kvctl, makes_tokens_that_open_a_namespace, .timeout = 60)
{
    struct bench bench;
    struct daemon daemon;
    char token_file[128];
    char tokens[128];
    char listen[128];
    const char *const arguments[] = {"--engine", "memory", "--tokens", tokens,
                                     "--listen", listen,   NULL};
    char token[128];
    FILE *file;

    daemon_folder_make(bench.folder);
    (void)snprintf(token_file, sizeof(token_file), "%s/token", bench.folder);
    (void)snprintf(tokens, sizeof(tokens), "%s/tokens", bench.folder);
    (void)snprintf(listen, sizeof(listen), "ipc://%s/socket", bench.folder);
    cr_assert_eq(RUN(&bench, "KVCTL", "token", "new", "red"), 0);
    cr_assert_eq(sscanf(bench.result.out, "%100[^\n]", token), 1);
    cr_assert_null(strstr(bench.result.out + strlen(token), token));
    file = fopen(token_file, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fprintf(file, "%s\n", token), 0);
    cr_assert_eq(fclose(file), 0);
    file = fopen(tokens, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(bench.result.out + strlen(token) + 1, file), 0);
    cr_assert_eq(fclose(file), 0);
    cr_assert(daemon_start(&daemon, "KVD", arguments, NULL));
    cr_assert_eq(RUN(&bench, "KVCTL", "--address", daemon.address,
                     "--token-file", token_file, "put", "a", "1"),
                 0);
    cr_assert_eq(RUN(&bench, "KVCTL", "--address", daemon.address, "get", "a"),
                 64 + RPCRT_UNAUTHENTICATED);
    cr_assert_eq(daemon_end(&daemon, SIGTERM), 0);
    daemon_folder_remove(bench.folder);
}
