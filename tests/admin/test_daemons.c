/*
 * Health and reflection of the project's own servers, as programs.
 */
#include "grpc/health/v1/health.client.h"
#include "grpc/reflection/v1/reflection.client.h"
#include "tests/admin/ground.h"
#include "tests/support/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

TestSuite(daemons, .timeout = 30);

static struct rpcrt_channel *
dial(const char *address, const struct rpcrt_tls *tls)
{
    struct rpcrt_channel_options options = {.tls = tls};
    struct rpcrt_channel *channel;

    cr_assert_eq(rpcrt_channel_new(address, &options, &channel), RPCRT_OK, "%s",
                 rpcrt_last_error());
    return channel;
}

/* A kvd that lets nobody do anything without a token, with one more flag. */
static struct rpcrt_channel *
start(struct daemon *daemon, const char *folder, const char *flag)
{
    char tokens[128];
    const char *arguments[] = {"--listen", "tcp://127.0.0.1:0",
                               "--engine", "memory",
                               "--tokens", tokens,
                               flag,       NULL};
    FILE *file;

    (void)snprintf(tokens, sizeof tokens, "%s/tokens", folder);
    file = fopen(tokens, "w");
    cr_assert_not_null(file);
    cr_assert(fprintf(file, "red %064d\n", 7) > 0);
    cr_assert_eq(fclose(file), 0);
    cr_assert(daemon_start(daemon, "KVD", arguments, NULL));
    return dial(daemon->address, NULL);
}

static void
expect_serving(struct rpcrt_channel *channel, const char *service)
{
    enum rpcrt_health_status status = RPCRT_HEALTH_UNKNOWN;
    struct rpcrt_call *call = bed_call(channel, BED_TIMEOUT_MS);

    expect_ok(call, rpcrt_health_check(call, service, &status));
    cr_assert_eq(status, RPCRT_HEALTH_SERVING);
    rpcrt_call_free(call);
}

/* Ask for the list of services, and count them; the code tells how the stream
 * ended. */
static size_t
count_services(struct rpcrt_channel *channel, enum rpcrt_code *ret_code)
{
    Grpc__Reflection__V1__ServerReflectionRequest question;
    const Grpc__Reflection__V1__ServerReflectionResponse *answer;
    struct rpcrt_call *call = bed_call(channel, BED_TIMEOUT_MS);
    size_t n = 0;

    grpc__reflection__v1__server_reflection_request__init(&question);
    question.message_request_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
    question.list_services = (char *)(uintptr_t) "";
    grpc_reflection_v1_server_reflection_server_reflection_info_open(call);
    if (grpc_reflection_v1_server_reflection_server_reflection_info_send(
            call, &question) &&
        grpc_reflection_v1_server_reflection_server_reflection_info_next(
            call, &answer)) {
        n = answer->list_services_response->n_service;
    }
    *ret_code =
        grpc_reflection_v1_server_reflection_server_reflection_info_finish(
            call);
    rpcrt_call_free(call);
    return n;
}

Test(daemons, tell_health_and_interface_without_a_token)
{
    enum rpcrt_code code;
    struct rpcrt_channel *channel;
    struct daemon daemon;
    char folder[64];

    daemon_folder_make(folder);
    channel = start(&daemon, folder, NULL);
    expect_serving(channel, "");
    expect_serving(channel, "kv.v1.Kv");
    cr_assert_eq(count_services(channel, &code), 4);
    cr_assert_eq(code, RPCRT_OK);
    rpcrt_channel_free(channel);
    cr_assert_eq(daemon_end(&daemon, SIGTERM), 0);
    daemon_folder_remove(folder);
}

Test(daemons, keep_the_interface_to_themselves_when_told_so)
{
    enum rpcrt_code code;
    struct rpcrt_channel *channel;
    struct daemon daemon;
    char folder[64];

    daemon_folder_make(folder);
    channel = start(&daemon, folder, "--no-reflection");
    expect_serving(channel, "");
    cr_assert_eq(count_services(channel, &code), 0);
    cr_assert_eq(code, RPCRT_UNIMPLEMENTED);
    rpcrt_channel_free(channel);
    cr_assert_eq(daemon_end(&daemon, SIGTERM), 0);
    daemon_folder_remove(folder);
}

Test(daemons, say_that_they_shut_down_and_are_not_kept_from_it)
{
    Grpc__Health__V1__HealthCheckRequest request;
    const Grpc__Health__V1__HealthCheckResponse *message;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct daemon daemon;
    char folder[64];

    grpc__health__v1__health_check_request__init(&request);
    daemon_folder_make(folder);
    channel = start(&daemon, folder, NULL);
    call = bed_call(channel, BED_TIMEOUT_MS);
    grpc_health_v1_health_watch_open(call, &request);
    cr_assert(grpc_health_v1_health_watch_next(call, &message));
    cr_assert_eq((int)message->status, RPCRT_HEALTH_SERVING);
    cr_assert_eq(kill(daemon.pid, SIGTERM), 0);
    cr_assert(grpc_health_v1_health_watch_next(call, &message));
    cr_assert_eq((int)message->status, RPCRT_HEALTH_NOT_SERVING);
    cr_assert_not(grpc_health_v1_health_watch_next(call, &message));
    expect_code(call, RPCRT_UNAVAILABLE,
                grpc_health_v1_health_watch_finish(call));
    /* Exit code 0: no call had to be cancelled. */
    cr_assert_eq(daemon_end(&daemon, 0), 0);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    daemon_folder_remove(folder);
}

Test(daemons, ask_for_certificates_before_telling_anything)
{
    struct rpcrt_tls server;
    struct rpcrt_tls client;
    struct rpcrt_tls stranger;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    enum rpcrt_health_status status;
    struct daemon daemon;

    bed_tls(&server, &client);
    {
        const char *arguments[] = {"--listen",         "tls+tcp://127.0.0.1:0",
                                   "--engine",         "memory",
                                   "--no-auth",        "--tls-cert",
                                   server.cert_file,   "--tls-key",
                                   server.key_file,    "--tls-ca",
                                   bed_cert("ca.pem"), NULL};

        cr_assert(daemon_start(&daemon, "KVD", arguments, NULL));
    }
    stranger = client;
    stranger.cert_file = NULL;
    stranger.key_file = NULL;
    channel = dial(daemon.address, &stranger);
    call = bed_call(channel, BED_TIMEOUT_MS);
    expect_code(call, RPCRT_UNAVAILABLE, rpcrt_health_check(call, "", &status));
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    channel = dial(daemon.address, &client);
    expect_serving(channel, "");
    rpcrt_channel_free(channel);
    cr_assert_eq(daemon_end(&daemon, SIGTERM), 0);
}
