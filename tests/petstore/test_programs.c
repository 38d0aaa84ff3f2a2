/*
 * petstored as a process: its flags, what it refuses to start with, and its
 * end.
 */
#include "common/ids.h"
#include "petstore/v1/petstore.client.h"
#include "tests/support/daemon.h"
#include "tests/support/probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct daemon kv;
    struct daemon_result result;
    char folder[64];
    char staff[80];
};

static void
bench_open(struct bench *bench)
{
    static const char *const arguments[] = {"--engine",          "memory",
                                            "--no-auth",         "--listen",
                                            "tcp://127.0.0.1:0", NULL};
    FILE *file;

    daemon_folder_make(bench->folder);
    (void)snprintf(bench->staff, sizeof(bench->staff), "%s/staff",
                   bench->folder);
    file = fopen(bench->staff, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs("keeper password of the keeper\n", file), 0);
    cr_assert_eq(fclose(file), 0);
    cr_assert(daemon_start(&bench->kv, "KVD", arguments, NULL));
}

static void
bench_close(struct bench *bench)
{
    cr_assert_eq(daemon_end(&bench->kv, SIGTERM), 0);
    daemon_folder_remove(bench->folder);
}

#define ARGUMENTS(bench, ...)                                                  \
    {                                                                          \
        "--listen", "tcp://127.0.0.1:0", "--kv", (bench)->kv.address,          \
            "--payment", "tcp://127.0.0.1:1", "--hash-memory", "8K",           \
            __VA_ARGS__, NULL                                                  \
    }

/* Run it with words; it must end by itself. */
#define RUN(bench, ...)                                                        \
    run(bench, (const char *[])ARGUMENTS(bench, __VA_ARGS__))

static int
run(struct bench *bench, const char *const *words)
{
    daemon_run("PETSTORED", words, NULL, &bench->result);
    return bench->result.exit_code;
}

#define EXPECT_IN(text, part)                                                  \
    cr_assert_not_null(strstr(text, part), "'%s' is not in '%s'", part, text)

Test(petstored, explains_itself, .timeout = 60)
{
    static const char *const flags[] = {"--kv ADDRESS", "PETSTORED_PAYMENT",
                                        "--currency",   "--staff",
                                        "--hash-jobs",  "--drain-ms"};
    const char *const help[] = {"--help", NULL};
    const char *const version[] = {"--version", NULL};
    const char *const nothing[] = {NULL};
    struct bench bench;
    size_t i;

    cr_assert_eq(run(&bench, help), 0);
    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        EXPECT_IN(bench.result.out, flags[i]);
    }
    cr_assert_eq(run(&bench, version), 0);
    EXPECT_IN(bench.result.out, "petstored ");
    cr_assert_eq(run(&bench, nothing), 2);
    EXPECT_IN(bench.result.err, "--listen");
}

Test(petstored, names_what_it_can_not_start_with, .timeout = 60)
{
    const char *const alone[] = {"--listen", "tcp://127.0.0.1:0", NULL};
    struct bench bench;
    struct daemon shop;

    bench_open(&bench);
    cr_assert_eq(run(&bench, alone), 2);
    EXPECT_IN(bench.result.err, "--kv ADDRESS");
    cr_assert_eq(RUN(&bench, "--currency", "euro"), 1);
    EXPECT_IN(bench.result.err, "currency");
    cr_assert_eq(RUN(&bench, "--staff", "/nowhere/staff"), 1);
    EXPECT_IN(bench.result.err, "/nowhere/staff");
    cr_assert_eq(RUN(&bench, "--kv-token-file", "/nowhere/token"), 1);
    EXPECT_IN(bench.result.err, "/nowhere/token");
    cr_assert_eq(RUN(&bench, "--hash-memory", "1"), 2);
    EXPECT_IN(bench.result.err, "--hash-memory");

    cr_assert(daemon_start(
        &shop, "PETSTORED",
        (const char *[])ARGUMENTS(&bench, "--currency", "JPY"), NULL));
    cr_assert_eq(daemon_end(&shop, SIGTERM), 0);
    cr_assert_eq(RUN(&bench, "--currency", "EUR"), 1);
    EXPECT_IN(bench.result.err, "JPY");
    bench_close(&bench);
}

static char *
login(struct rpcrt_channel *channel)
{
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__LoginReply *reply;
    struct rpcrt_call *call = bed_call(channel, BED_TIMEOUT_MS);
    char bearer[128];

    request.user = "keeper";
    request.password = "password of the keeper";
    expect_ok(call, petstore_login(call, &request, &reply));
    cr_assert(reply->staff);
    (void)snprintf(bearer, sizeof(bearer), "Bearer %s", reply->token);
    rpcrt_call_free(call);
    return strdup(bearer);
}

/* A session of one process is good in the other, before and after SIGKILL: they
 * keep nothing. */
Test(petstored, keeps_nothing_of_its_own, .timeout = 60)
{
    Petstore__V1__GetCartRequest request = PETSTORE__V1__GET_CART_REQUEST__INIT;
    const Petstore__V1__GetCartReply *reply;
    struct bench bench;
    struct daemon shops[2];
    struct rpcrt_channel *channels[2];
    struct rpcrt_call *call;
    char *bearer;
    size_t i;

    bench_open(&bench);
    for (i = 0; i < 2; i++) {
        cr_assert(daemon_start(
            &shops[i], "PETSTORED",
            (const char *[])ARGUMENTS(&bench, "--staff", bench.staff), NULL));
        cr_assert_eq(rpcrt_channel_new(shops[i].address, NULL, &channels[i]),
                     RPCRT_OK);
    }
    bearer = login(channels[0]);
    cr_assert_not_null(bearer);
    (void)daemon_end(&shops[0], SIGKILL);
    call = bed_call(channels[1], BED_TIMEOUT_MS);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "authorization", bearer),
                 RPCRT_OK);
    expect_ok(call, petstore_get_cart(call, &request, &reply));
    rpcrt_call_free(call);
    cr_assert_eq(daemon_end(&shops[1], SIGTERM), 0);
    rpcrt_channel_free(channels[0]);
    rpcrt_channel_free(channels[1]);
    free(bearer);
    bench_close(&bench);
}

Test(petstored, leaves_no_core, .timeout = 60)
{
    struct bench bench;
    struct daemon shop;

    bench_open(&bench);
    daemon_allow_cores();
    cr_assert(daemon_start(
        &shop, "PETSTORED",
        (const char *[])ARGUMENTS(&bench, "--hash-passes", "1"), NULL));
    daemon_expect_no_core(&shop);
    bench_close(&bench);
}

/* It waits for its store; nothing must be waited for to end that. */
Test(petstored, ends_while_it_starts, .timeout = 60)
{
    static const char *const words[] = {
        "-c",
        "\"$PETSTORED\" --listen tcp://127.0.0.1:0 --kv tcp://127.0.0.1:1 "
        "--payment tcp://127.0.0.1:1 --hash-memory 8K & "
        "until grep -q 'SigCgt:.*[4-7c-f]...$' /proc/$!/status; do :; done; "
        "kill -TERM $!; wait $!",
        NULL};
    struct bench bench;
    int64_t began = common_monotonic_ms();

    cr_assert_eq(setenv("SHELL_PROGRAM", "/bin/sh", 1), 0);
    daemon_run("SHELL_PROGRAM", words, NULL, &bench.result);
    cr_assert_eq(bench.result.exit_code, 0, "%s", bench.result.err);
    cr_assert_lt(common_monotonic_ms() - began, 8000);
}
