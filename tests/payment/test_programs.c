/*
 * paymentd as a process: where it listens and for whom, what it refuses to
 * start with, and that it leaves no core file.
 */
#include "payment/v1/payment.client.h"
#include "tests/support/daemon.h"
#include "tests/support/probe.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct counter {
    struct daemon kv;
    struct daemon_result result;
    char folder[64];
    char tokens[80];
    char secrets[80];
    char log[80];
};

static void
file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file, "%s", path);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

/* A store, and the files that paymentd needs. */
static void
counter_open(struct counter *counter)
{
    static const char *const arguments[] = {"--engine",          "memory",
                                            "--no-auth",         "--listen",
                                            "tcp://127.0.0.1:0", NULL};
    uint8_t hash[crypto_hash_sha256_BYTES];
    char digits[2 * sizeof(hash) + 1];
    char line[128];

    daemon_folder_make(counter->folder);
    (void)snprintf(counter->tokens, sizeof(counter->tokens), "%s/tokens",
                   counter->folder);
    (void)snprintf(counter->secrets, sizeof(counter->secrets), "%s/secrets",
                   counter->folder);
    (void)snprintf(counter->log, sizeof(counter->log), "%s/log",
                   counter->folder);
    (void)crypto_hash_sha256(hash, (const uint8_t *)"red", 3);
    (void)sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
    (void)snprintf(line, sizeof(line), "merchant red %s\n", digits);
    file_write(counter->tokens, line);
    (void)snprintf(line, sizeof(line), "one %s\n", digits);
    file_write(counter->secrets, line);
    cr_assert(daemon_start(&counter->kv, "KVD", arguments, NULL));
}

static void
counter_close(struct counter *counter)
{
    cr_assert_eq(daemon_end(&counter->kv, SIGTERM), 0);
    daemon_folder_remove(counter->folder);
}

/* Words of a command line with all that is needed besides. */
#define ARGUMENTS(counter, ...)                                                \
    ((const char *[]){"--kv", (counter)->kv.address, "--tokens",               \
                      (counter)->tokens, "--secrets", (counter)->secrets,      \
                      __VA_ARGS__, NULL})

/* As a server that has its certificate. */
#define SECURE(counter, ...)                                                   \
    ARGUMENTS(counter, "--tls-cert", bed_cert("server.pem"), "--tls-key",      \
              bed_cert("server.key"), "--listen", "tls+tcp://127.0.0.1:0",     \
              __VA_ARGS__)

/* Run it; it must end by itself. */
static int
run(struct counter *counter, const char *const *words)
{
    daemon_run("PAYMENTD", words, NULL, &counter->result);
    return counter->result.exit_code;
}

#define EXPECT_IN(text, part)                                                  \
    cr_assert_not_null(strstr(text, part), "'%s' is not in '%s'", part, text)

Test(paymentd, explains_itself, .timeout = 60)
{
    static const char *const flags[] = {"--kv ADDRESS", "PAYMENTD_SECRETS",
                                        "--tokens",     "--tls-ca",
                                        "--hold-for",   "--insecure-plaintext"};
    const char *const help[] = {"--help", NULL};
    const char *const version[] = {"--version", NULL};
    const char *const nothing[] = {NULL};
    struct counter counter;
    size_t i;

    cr_assert_eq(run(&counter, help), 0);
    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        EXPECT_IN(counter.result.out, flags[i]);
    }
    cr_assert_eq(run(&counter, version), 0);
    EXPECT_IN(counter.result.out, "paymentd ");
    cr_assert_eq(run(&counter, nothing), 2);
    EXPECT_IN(counter.result.err, "--listen");
}

/* Whether it says that this flag is missing. */
static bool
lacks(struct counter *counter, const char *flag, const char *const *words)
{
    return run(counter, words) == 2 &&
           strstr(counter->result.err, flag) != NULL;
}

Test(paymentd, names_the_flag_that_is_missing, .timeout = 60)
{
    struct counter counter;

    cr_assert(lacks(&counter, "--kv ADDRESS",
                    (const char *[]){"--listen", "tcp://127.0.0.1:0", NULL}));
    cr_assert(lacks(&counter, "--tokens FILE",
                    (const char *[]){"--listen", "tcp://127.0.0.1:0", "--kv",
                                     "tcp://127.0.0.1:1", NULL}));
    cr_assert(lacks(&counter, "--secrets FILE",
                    (const char *[]){"--listen", "tcp://127.0.0.1:0", "--kv",
                                     "tcp://127.0.0.1:1", "--tokens",
                                     "/nowhere", NULL}));
}

Test(paymentd, listens_in_plaintext_only_where_it_is_told_loudly, .timeout = 60)
{
    struct daemon_options options = {.log = NULL};
    struct counter counter;
    struct daemon payment;
    char log[4096] = "";
    char path[96];
    FILE *file;

    counter_open(&counter);
    cr_assert_eq(
        run(&counter, ARGUMENTS(&counter, "--listen", "tcp://127.0.0.1:0")), 2);
    EXPECT_IN(counter.result.err, "--insecure-plaintext");
    (void)snprintf(path, sizeof(path), "ipc://%s/socket", counter.folder);
    cr_assert_eq(run(&counter, ARGUMENTS(&counter, "--listen", path)), 2);
    EXPECT_IN(counter.result.err, "--insecure-plaintext");
    cr_assert_eq(run(&counter, SECURE(&counter, "--tls-ca", bed_cert("ca.pem"),
                                      "--listen", path)),
                 2);
    EXPECT_IN(counter.result.err, "--insecure-plaintext");

    options.log = counter.log;
    cr_assert(daemon_start(&payment, "PAYMENTD",
                           ARGUMENTS(&counter, "--listen", "tcp://127.0.0.1:0",
                                     "--insecure-plaintext"),
                           &options));
    cr_assert_eq(daemon_end(&payment, SIGTERM), 0);
    file = fopen(counter.log, "r");
    cr_assert_not_null(file);
    cr_assert_gt(fread(log, 1, sizeof(log) - 1, file), 0);
    (void)fclose(file);
    EXPECT_IN(log, "level=warning");
    EXPECT_IN(log, "PLAINTEXT");
    counter_close(&counter);
}

/* Try a call without a token; the service itself must refuse it (true), or
 * nothing may get so far. */
static bool
gets_in(const struct daemon *payment, const char *ca, const char *cert,
        const char *key)
{
    struct rpcrt_tls tls = {.ca_file = ca, .cert_file = cert, .key_file = key};
    struct rpcrt_channel_options options = {.tls = &tls};
    Payment__V1__GetPaymentRequest request =
        PAYMENT__V1__GET_PAYMENT_REQUEST__INIT;
    const Payment__V1__GetPaymentReply *reply;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    enum rpcrt_code code;
    bool in;

    cr_assert_eq(rpcrt_channel_new(payment->address, &options, &channel),
                 RPCRT_OK, "%s", rpcrt_last_error());
    call = bed_call(channel, BED_TIMEOUT_MS);
    code = payment_get_payment(call, &request, &reply);
    in = code == RPCRT_UNAUTHENTICATED;
    cr_assert(in || code == RPCRT_UNAVAILABLE, "%s: %s", rpcrt_code_name(code),
              rpcrt_call_message(call));
    cr_assert_eq(in, rpcrt_call_origin(call) == RPCRT_ORIGIN_HANDLER);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    return in;
}

Test(paymentd, takes_only_clients_with_a_certificate_of_its_ca, .timeout = 60)
{
    struct counter counter;
    struct daemon payment;
    const char *ca = bed_cert("ca.pem");

    counter_open(&counter);
    cr_assert_neq(run(&counter, SECURE(&counter, "--log-calls")), 0);
    EXPECT_IN(counter.result.err, "--tls-ca");

    cr_assert(daemon_start(&payment, "PAYMENTD",
                           SECURE(&counter, "--tls-ca", ca), NULL));
    cr_assert(
        gets_in(&payment, ca, bed_cert("client.pem"), bed_cert("client.key")));
    cr_assert_not(gets_in(&payment, ca, NULL, NULL));
    cr_assert_not(gets_in(&payment, ca, bed_cert("test/other-client.pem"),
                          bed_cert("test/other-client.key")));
    cr_assert_not(gets_in(&payment, ca, bed_cert("test/expired-client.pem"),
                          bed_cert("test/expired-client.key")));
    cr_assert(
        gets_in(&payment, ca, bed_cert("client.pem"), bed_cert("client.key")));
    cr_assert_eq(daemon_end(&payment, SIGTERM), 0);
    counter_close(&counter);
}

Test(paymentd, names_what_it_can_not_start_with, .timeout = 60)
{
    struct counter counter;
    const char *ca = bed_cert("ca.pem");

    counter_open(&counter);
    cr_assert_neq(run(&counter, SECURE(&counter, "--tls-ca", "/nowhere/ca")),
                  0);
    EXPECT_IN(counter.result.err, "/nowhere/ca");
    cr_assert_neq(run(&counter, SECURE(&counter, "--tls-ca", ca, "--tokens",
                                       "/nowhere/tokens")),
                  0);
    EXPECT_IN(counter.result.err, "/nowhere/tokens");
    cr_assert_neq(run(&counter, SECURE(&counter, "--tls-ca", ca, "--secrets",
                                       "/nowhere/secrets")),
                  0);
    EXPECT_IN(counter.result.err, "/nowhere/secrets");
    cr_assert_neq(run(&counter, SECURE(&counter, "--tls-ca", ca, "--secrets",
                                       counter.tokens)),
                  0);
    EXPECT_IN(counter.result.err, counter.tokens);
    counter_close(&counter);
}

Test(paymentd, leaves_no_core, .timeout = 60)
{
    struct counter counter;
    struct daemon payment;

    counter_open(&counter);
    daemon_allow_cores();
    cr_assert(daemon_start(&payment, "PAYMENTD",
                           SECURE(&counter, "--tls-ca", bed_cert("ca.pem")),
                           NULL));
    daemon_expect_no_core(&payment);
    counter_close(&counter);
}
