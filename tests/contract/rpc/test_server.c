/*
 * What a program may expect of a server: listeners, registration, records of
 * calls.
 */
#define _GNU_SOURCE /* pthread_getname_np() */
#include "support/probe.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

Test(server, serves_on_several_addresses_at_once, .timeout = 30)
{
    struct probe probe = {.n_counted = 0};
    struct rpcrt_server *server =
        bed_serve(&probe, "tcp://127.0.0.1:0", NULL, NULL);
    const char *address;
    size_t n = 0;

    cr_assert_eq(rpcrt_server_listen(server, "inproc://second", NULL),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, "tcp://127.0.0.1:0", NULL),
                 RPCRT_OK);
    for (; (address = rpcrt_server_address(server, n)) != NULL; n++) {
        struct rpcrt_channel *channel;
        struct rpcrt_call *call;

        cr_assert_eq(rpcrt_channel_new(address, NULL, &channel), RPCRT_OK);
        call = bed_call(channel, BED_TIMEOUT_MS);
        bed_echo(call, 10);
        rpcrt_call_free(call);
        rpcrt_channel_free(channel);
    }
    cr_assert_eq(n, 3u);
    rpcrt_server_free(server);
}

Test(server, says_which_address_is_taken, .timeout = 30)
{
    struct probe probe = {.n_counted = 0};
    struct rpcrt_server *server =
        bed_serve(&probe, "tcp://127.0.0.1:0", NULL, NULL);
    const char *taken = rpcrt_server_address(server, 0);

    cr_assert_eq(rpcrt_server_listen(server, taken, NULL), RPCRT_UNAVAILABLE);
    cr_assert_not_null(strstr(rpcrt_last_error(), taken), "%s",
                       rpcrt_last_error());
    cr_assert_null(rpcrt_server_address(server, 1));
    rpcrt_server_free(server);
}

Test(server, refuses_addresses_that_can_not_be, .timeout = 30)
{
    static const char *const bad[] = {"",
                                      "tcp",
                                      "tcp://",
                                      "tcp://127.0.0.1",
                                      "tcp://127.0.0.1:99999",
                                      "carrier://pigeon",
                                      "tls+tcp://127.0.0.1:0"};
    struct rpcrt_server *server;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(rpcrt_server_listen(server, bad[i], NULL),
                     RPCRT_INVALID_ARGUMENT, "%s", bad[i]);
        cr_assert_not_null(strstr(rpcrt_last_error(), bad[i]), "%s",
                           rpcrt_last_error());
    }
    rpcrt_server_free(server);
}

Test(server, takes_registrations_only_before_it_listens, .timeout = 30)
{
    static const struct probe_service empty = {.echo = NULL};
    struct probe probe = {.n_counted = 0};
    struct rpcrt_server *server;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(
        rpcrt_server_set_blocking(server, "/probe.v1.Probe/Echo", true),
        RPCRT_NOT_FOUND);
    cr_assert_eq(probe_serve(server, &empty, &probe), RPCRT_OK);
    cr_assert_eq(probe_serve(server, &empty, &probe), RPCRT_ALREADY_EXISTS);
    cr_assert_not_null(strstr(rpcrt_last_error(), "/probe.v1.Probe/"));
    cr_assert_eq(
        rpcrt_server_set_blocking(server, "/probe.v1.Probe/Echo", true),
        RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, "inproc://server", NULL),
                 RPCRT_OK);
    cr_assert_eq(probe_serve(server, &empty, &probe),
                 RPCRT_FAILED_PRECONDITION);
    cr_assert_eq(
        rpcrt_server_set_blocking(server, "/probe.v1.Probe/Echo", true),
        RPCRT_FAILED_PRECONDITION);
    rpcrt_server_free(server);
}

/* -- where handlers run ---------------------------------------------------- */

static _Thread_local unsigned seen_here;

static enum rpcrt_code
name_thread(void *self, struct rpcrt_ctx *ctx,
            const Probe__V1__EchoRequest *request, Probe__V1__EchoReply *reply)
{
    pthread_t *thread = self;

    (void)ctx;
    (void)request;
    (void)reply;
    seen_here++;
    *thread = pthread_self();
    return RPCRT_OK;
}

/* Whether the handler of a method ran on a thread whose name is nng's. */
static bool
runs_on_the_transport(bool may_block)
{
    static const struct probe_service service = {.echo = name_thread};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_channel *channel;
    struct rpcrt_server *server;
    struct rpcrt_call *call;
    char name[32] = "";
    pthread_t thread;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(probe_serve(server, &service, &thread), RPCRT_OK);
    cr_assert_eq(
        rpcrt_server_set_blocking(server, "/probe.v1.Probe/Echo", may_block),
        RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, "inproc://where", NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new("inproc://where", NULL, &channel), RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    expect_ok(call, probe_echo(call, &request, &reply));
    cr_assert_eq(pthread_getname_np(thread, name, sizeof name), 0);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
    return strncmp(name, "nng:", 4) == 0;
}

Test(server, runs_a_method_where_registration_says, .timeout = 30)
{
    cr_assert(runs_on_the_transport(false));
    cr_assert_not(runs_on_the_transport(true));
}

/* -- records --------------------------------------------------------------- */

struct records {
    pthread_mutex_t lock;
    unsigned n;
    char text[512];
};

static void
record(void *arg, const struct rpcrt_call_record *call)
{
    struct records *records = arg;

    pthread_mutex_lock(&records->lock);
    records->n++;
    (void)snprintf(records->text, sizeof records->text, "%s %s %s %s",
                   call->method, call->call_id, rpcrt_code_name(call->code),
                   call->message);
    pthread_mutex_unlock(&records->lock);
}

Test(server, records_each_call_under_the_name_that_the_caller_gave,
     .timeout = 30)
{
    struct records records = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct rpcrt_server_options options = {.call_log = record,
                                           .call_log_arg = &records};
    Probe__V1__FailRequest request = PROBE__V1__FAIL_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_server_stats stats;
    struct rpcrt_call *call;
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "call-id", "order-7"),
                 RPCRT_OK);
    request.code = RPCRT_ABORTED;
    request.text = "too late";
    expect_code(call, RPCRT_ABORTED, probe_fail(call, &request, &reply));
    pthread_mutex_lock(&records.lock);
    cr_assert_eq(records.n, 1u);
    cr_assert_str_eq(records.text,
                     "/probe.v1.Probe/Fail order-7 ABORTED too late");
    pthread_mutex_unlock(&records.lock);
    rpcrt_server_get_stats(bed.server, &stats);
    cr_assert_eq(stats.calls_started, 1u);
    cr_assert_eq(stats.calls_finished, 1u);
    cr_assert_eq(stats.sessions, 1u);
    rpcrt_call_free(call);
    bed_close(&bed);
}
