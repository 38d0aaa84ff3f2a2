/*
 * Who gets in over TLS and who does not; the refused learn why, and so does the
 * server's operator.
 */
#include "support/probe.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the server logged, to look for a reason in. */
struct log {
    pthread_mutex_t lock;
    char text[8192];
};

static void
take_line(void *arg, enum rpcrt_log_level level, const char *line)
{
    struct log *log = arg;
    size_t used;

    (void)level;
    pthread_mutex_lock(&log->lock);
    used = strlen(log->text);
    (void)snprintf(log->text + used, sizeof log->text - used, "%s\n", line);
    pthread_mutex_unlock(&log->lock);
}

static bool
logged(struct log *log, const char *reason)
{
    bool found;

    pthread_mutex_lock(&log->lock);
    found = strstr(log->text, reason) != NULL;
    pthread_mutex_unlock(&log->lock);
    return found;
}

/* One attempt with the certificates given; what came of it stays here. */
struct attempt {
    struct rpcrt_tls server;
    struct rpcrt_tls client;
    const char *client_scheme; /* NULL: as the server's */
    const char *server_scheme;
    struct log log;
    enum rpcrt_code code;
    char message[RPCRT_TEXT_SIZE];
    uint64_t n_failed;
};

static void
begin(struct attempt *attempt)
{
    memset(attempt, 0, sizeof *attempt);
    (void)pthread_mutex_init(&attempt->log.lock, NULL);
    bed_tls(&attempt->server, &attempt->client);
    attempt->server_scheme = "tls+tcp";
    attempt->client_scheme = "tls+tcp";
}

/* The server notices a failed handshake on its own time. */
static void
await_failure(struct attempt *attempt, struct rpcrt_server *server)
{
    struct rpcrt_server_stats stats;

    for (unsigned i = 0; i < 400; i++) {
        rpcrt_server_get_stats(server, &stats);
        attempt->n_failed = stats.handshakes_failed;
        if (attempt->n_failed > 0) {
            break;
        }
        (void)usleep(5000);
    }
}

static void
try(struct attempt *attempt)
{
    bool server_tls = strcmp(attempt->server_scheme, "tls+tcp") == 0;
    bool client_tls = strcmp(attempt->client_scheme, "tls+tcp") == 0;
    struct rpcrt_server_options server_options = {.log = take_line,
                                                  .log_arg = &attempt->log};
    struct rpcrt_channel_options options = {.tls = client_tls ? &attempt->client
                                                              : NULL,
                                            .connect_timeout_ms = 3000};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct probe probe = {.n_counted = 0};
    struct rpcrt_channel *channel;
    struct rpcrt_server *server;
    struct rpcrt_call *call;
    char address[128];

    (void)snprintf(address, sizeof address, "%s://127.0.0.1:0",
                   attempt->server_scheme);
    server = bed_serve(&probe, address, server_tls ? &attempt->server : NULL,
                       &server_options);
    (void)snprintf(address, sizeof address, "%s%s", attempt->client_scheme,
                   strstr(rpcrt_server_address(server, 0), "://"));
    cr_assert_eq(rpcrt_channel_new(address, &options, &channel), RPCRT_OK, "%s",
                 rpcrt_last_error());
    call = bed_call(channel, 5000);
    attempt->code = probe_echo(call, &request, &reply);
    (void)snprintf(attempt->message, sizeof attempt->message, "%s",
                   rpcrt_call_message(call));
    if (attempt->code != RPCRT_OK) {
        cr_assert_not(rpcrt_call_may_have_run(call));
        cr_assert_not_null(strstr(attempt->message, address), "%s",
                           attempt->message);
        if (server_tls) {
            await_failure(attempt, server);
        }
    }
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
}

static void
expect_refused(struct attempt *attempt, const char *client_reason,
               const char *server_reason)
{
    try(attempt);
    cr_assert_eq(attempt->code, RPCRT_UNAVAILABLE, "%s: %s",
                 rpcrt_code_name(attempt->code), attempt->message);
    cr_assert_not_null(strstr(attempt->message, client_reason), "client: %s",
                       attempt->message);
    cr_assert_gt(attempt->n_failed, 0u);
    cr_assert(logged(&attempt->log, server_reason), "server: %s",
              attempt->log.text);
}

Test(tls, lets_in_who_has_a_certificate_of_the_authority, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    try(&attempt);
    cr_assert_eq(attempt.code, RPCRT_OK, "%s", attempt.message);
    cr_assert_eq(attempt.n_failed, 0u);
}

Test(tls, refuses_a_server_of_another_authority, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    attempt.server.cert_file = bed_cert("test/other-server.pem");
    attempt.server.key_file = bed_cert("test/other-server.key");
    expect_refused(&attempt, "signed by no authority", "handshake");
}

Test(tls, refuses_a_server_whose_certificate_expired, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    attempt.server.cert_file = bed_cert("test/expired-server.pem");
    attempt.server.key_file = bed_cert("test/expired-server.key");
    expect_refused(&attempt, "expired", "expired");
}

Test(tls, refuses_a_server_of_another_name, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    attempt.client.server_name = "elsewhere.example";
    expect_refused(&attempt, "elsewhere.example", "handshake");
}

Test(tls, refuses_a_client_without_a_certificate, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    attempt.client.cert_file = NULL;
    attempt.client.key_file = NULL;
    expect_refused(&attempt, "certificate", "no certificate");
}

Test(tls, refuses_a_client_of_another_authority, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    attempt.client.cert_file = bed_cert("test/other-client.pem");
    attempt.client.key_file = bed_cert("test/other-client.key");
    expect_refused(&attempt, "certificate", "signed by no authority");
}

Test(tls, refuses_a_client_whose_certificate_expired, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    attempt.client.cert_file = bed_cert("test/expired-client.pem");
    attempt.client.key_file = bed_cert("test/expired-client.key");
    expect_refused(&attempt, "expired", "expired");
}

Test(tls, refuses_plain_text, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    attempt.client_scheme = "tcp";
    try(&attempt);
    cr_assert_eq(attempt.code, RPCRT_UNAVAILABLE, "%s", attempt.message);
    cr_assert_gt(attempt.n_failed, 0u);
}

Test(tls, is_not_spoken_to_a_plain_server, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    attempt.server_scheme = "tcp";
    try(&attempt);
    cr_assert_eq(attempt.code, RPCRT_UNAVAILABLE, "%s", attempt.message);
    cr_assert_not_null(strstr(attempt.message, "TLS"), "%s", attempt.message);
}

Test(tls, takes_a_client_without_a_certificate_when_told_to, .timeout = 30)
{
    struct attempt attempt;

    begin(&attempt);
    attempt.client.cert_file = NULL;
    attempt.client.key_file = NULL;
    attempt.server.client_cert_optional = true;
    try(&attempt);
    cr_assert_eq(attempt.code, RPCRT_OK, "%s", attempt.message);
}

Test(tls, needs_files_that_can_be_read)
{
    struct rpcrt_tls server;
    struct rpcrt_tls client;
    struct rpcrt_channel_options options = {.tls = &client};
    struct rpcrt_channel *channel;

    bed_tls(&server, &client);
    client.ca_file = "/nowhere/ca.pem";
    cr_assert_eq(rpcrt_channel_new("tls+tcp://127.0.0.1:1", &options, &channel),
                 RPCRT_FAILED_PRECONDITION);
    cr_assert_not_null(strstr(rpcrt_last_error(), "/nowhere/ca.pem"), "%s",
                       rpcrt_last_error());
    cr_assert_eq(rpcrt_channel_new("tls+tcp://127.0.0.1:1", NULL, &channel),
                 RPCRT_INVALID_ARGUMENT);
    bed_tls(&server, &client);
    cr_assert_eq(rpcrt_channel_new("tcp://127.0.0.1:1", &options, &channel),
                 RPCRT_INVALID_ARGUMENT);
}
