/*
 * The interceptors that are ready: lines of a log, tokens, counters.
 */
#include "support/probe.h"

#include <pthread.h>
#include <rpcrt/auth.h>
#include <rpcrt/logging.h>
#include <rpcrt/metrics.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rpcrt_server_interceptor interceptor; /* of the next server */

static void
add_one(struct rpcrt_server *server)
{
    cr_assert_eq(rpcrt_server_add_interceptor(server, &interceptor), RPCRT_OK);
}

static void
open_with(struct bed *bed, struct rpcrt_server_interceptor served)
{
    interceptor = served;
    bed_before_listening = add_one;
    bed_open(bed, "tcp", NULL, NULL);
}

static void
fail_with(struct rpcrt_call *call, enum rpcrt_code code, const char *text)
{
    Probe__V1__FailRequest request = PROBE__V1__FAIL_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    request.code = (uint32_t)code;
    request.text = text;
    expect_code(call, code, probe_fail(call, &request, &reply));
}

/* -- the log --------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char lines[4][1100];
static enum rpcrt_log_level levels[4];
static size_t n_lines;

static void
keep_line(void *arg, enum rpcrt_log_level level, const char *line)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    cr_assert_lt(n_lines, 4);
    levels[n_lines] = level;
    (void)snprintf(lines[n_lines++], sizeof lines[0], "%s", line);
    pthread_mutex_unlock(&lock);
}

static void
expect_line(size_t i, enum rpcrt_log_level level, const char *begin,
            const char *end)
{
    pthread_mutex_lock(&lock);
    cr_assert_lt(i, n_lines);
    cr_assert_eq(levels[i], level);
    cr_assert_eq(strncmp(lines[i], begin, strlen(begin)), 0, "%s", lines[i]);
    cr_assert_geq(strlen(lines[i]), strlen(end));
    cr_assert_str_eq(lines[i] + strlen(lines[i]) - strlen(end), end);
    pthread_mutex_unlock(&lock);
}

Test(logging, writes_a_line_a_call_that_cannot_be_forged, .timeout = 30)
{
    struct rpcrt_logger logger = {.fn = keep_line, .level = RPCRT_LOG_INFO};
    struct bed bed;
    struct rpcrt_call *call;

    open_with(&bed, rpcrt_logger_server(&logger));
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "call-id", "x y"),
                 RPCRT_OK);
    bed_echo(call, 10);
    expect_line(0, RPCRT_LOG_INFO,
                "served /probe.v1.Probe/Echo code=OK us=", " call_id=x_y");
    fail_with(call, RPCRT_DATA_LOSS, "a \"b\"\nc\\");
    expect_line(1, RPCRT_LOG_ERROR,
                "served /probe.v1.Probe/Fail code=DATA_LOSS us=",
                " msg=\"a \\\"b\\\"\\x0ac\\\\\"");
    rpcrt_call_free(call);
    bed_close(&bed);
}

Test(logging, leaves_out_what_matters_less, .timeout = 30)
{
    struct rpcrt_logger logger = {.fn = keep_line, .level = RPCRT_LOG_WARNING};
    struct rpcrt_client_interceptor called = rpcrt_logger_client(&logger);
    struct bed bed;
    struct rpcrt_call *call;

    bed_open(&bed, "tcp", NULL, NULL);
    cr_assert_eq(rpcrt_channel_add_interceptor(bed.channel, &called), RPCRT_OK);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 10);
    fail_with(call, RPCRT_NOT_FOUND, "no");
    fail_with(call, RPCRT_UNAVAILABLE, "not now");
    cr_assert_eq(n_lines, 1);
    expect_line(
        0, RPCRT_LOG_WARNING,
        "called /probe.v1.Probe/Fail code=UNAVAILABLE us=", " msg=\"not now\"");
    rpcrt_call_free(call);
    bed_close(&bed);
}

Test(logging, ends_a_long_line_in_time, .timeout = 30)
{
    struct rpcrt_logger logger = {.fn = keep_line, .level = RPCRT_LOG_INFO};
    struct bed bed;
    struct rpcrt_call *call;
    char text[400];

    open_with(&bed, rpcrt_logger_server(&logger));
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    memset(text, '\1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    fail_with(call, RPCRT_INTERNAL, text);
    expect_line(0, RPCRT_LOG_ERROR, "served ", "\\x01\"");
    cr_assert_geq(strlen(lines[0]), 1015);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- tokens ---------------------------------------------------------------- */

static const char red[] = "red's";

static enum rpcrt_code
look_up(void *arg, struct rpcrt_ctx *ctx, const char *token, size_t size,
        const void **ret_identity)
{
    (void)arg;
    if (size != 6 || memcmp(token, "secret", 7) != 0) {
        return rpcrt_ctx_fail(ctx, RPCRT_UNAUTHENTICATED,
                              "the token is unknown");
    }
    *ret_identity = red;
    return RPCRT_OK;
}

static const char *const open_methods[] = {"/probe.v1.Probe/Echo",
                                           "/other.v1.Other/", NULL};

/* Says who calls, as a handler sees it. */
static enum rpcrt_code
say_identity(void *self, struct rpcrt_ctx *ctx,
             const Probe__V1__EchoRequest *request, Probe__V1__EchoReply *reply)
{
    const char *identity = rpcrt_ctx_identity(ctx);

    (void)self;
    (void)request;
    identity = identity == NULL ? "nobody" : identity;
    reply->payload.len = strlen(identity);
    reply->payload.data = rpcrt_ctx_copy(ctx, identity, reply->payload.len);
    return RPCRT_OK;
}

static const struct probe_service service = {.echo = say_identity,
                                             .meet = say_identity};

static void
expect_identity(struct rpcrt_call *call, const char *expected,
                enum rpcrt_code code, const Probe__V1__EchoReply *reply)
{
    expect_ok(call, code);
    cr_assert_eq(reply->payload.len, strlen(expected));
    cr_assert_arr_eq(reply->payload.data, expected, reply->payload.len);
}

static void
expect_closed(struct rpcrt_call *call, const char *header, const char *text)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    if (header != NULL) {
        cr_assert_eq(
            rpcrt_call_set_metadata_text(call, "authorization", header),
            RPCRT_OK);
    }
    expect_code(call, RPCRT_UNAUTHENTICATED,
                probe_meet(call, &request, &reply));
    cr_assert_not_null(strstr(rpcrt_call_message(call), text));
    cr_assert_not(rpcrt_call_may_have_run(call));
}

static void
try_tokens(struct rpcrt_call *call)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply = NULL;
    enum rpcrt_code code;

    expect_closed(call, NULL, "no token");
    code = probe_echo(call, &request, &reply);
    expect_identity(call, "nobody", code, reply);
    expect_closed(call, "Bearer ", "no token");
    expect_closed(call, "Basic secret", "no token");
    expect_closed(call, "Bearer secreT", "unknown");
    expect_closed(call, "Bearer secret ", "unknown");
    cr_assert_eq(
        rpcrt_call_set_metadata_text(call, "authorization", "bearer secret"),
        RPCRT_OK);
    code = probe_meet(call, &request, &reply);
    expect_identity(call, red, code, reply);
    code = probe_echo(call, &request, &reply);
    expect_identity(call, "nobody", code, reply);
}

Test(auth, lets_in_who_has_a_token, .timeout = 30)
{
    struct rpcrt_auth auth = {.fn = look_up, .open = open_methods};
    struct rpcrt_server_interceptor served = rpcrt_auth_server(&auth);
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(probe_serve(server, &service, NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_server_add_interceptor(server, &served), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, "inproc://auth", NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new("inproc://auth", NULL, &channel), RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    try_tokens(call);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    rpcrt_server_free(server);
}

/* -- counters -------------------------------------------------------------- */

struct page {
    char text[2 << 20];
    size_t size;
};

static void
keep_text(void *arg, const char *text, size_t size)
{
    struct page *page = arg;

    cr_assert_lt(page->size + size, sizeof page->text);
    memcpy(page->text + page->size, text, size);
    page->size += size;
    page->text[page->size] = '\0';
}

static void
expect_text(struct rpcrt_metrics *metrics, const char *expected)
{
    static struct page page;

    page.size = 0;
    rpcrt_metrics_print(metrics, keep_text, &page);
    cr_assert_not_null(strstr(page.text, expected), "%s\nis not in\n%s",
                       expected, page.text);
}

#define ECHO "{method=\"/probe.v1.Probe/Echo\""
#define WAIT "{method=\"/probe.v1.Probe/Wait\""
#define FAIL "{method=\"/probe.v1.Probe/Fail\""

Test(metrics, count_and_time_each_method, .timeout = 30)
{
    struct rpcrt_client_interceptor called;
    struct rpcrt_metrics *metrics;
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    cr_assert_eq(rpcrt_metrics_new(&metrics), RPCRT_OK);
    open_with(&bed, rpcrt_metrics_server(metrics));
    called = rpcrt_metrics_client(metrics);
    cr_assert_eq(rpcrt_channel_add_interceptor(bed.channel, &called), RPCRT_OK);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    for (unsigned i = 0; i < 7; i++) {
        bed_echo(call, 10);
    }
    fail_with(call, RPCRT_NOT_FOUND, "no");
    request.ms = 30;
    expect_ok(call, probe_wait(call, &request, &reply));
    expect_text(metrics, "# TYPE rpcrt_server_calls_total counter\n");
    expect_text(metrics, "\nrpcrt_server_calls_total" ECHO ",code=\"OK\"} 7\n");
    expect_text(metrics,
                "\nrpcrt_client_calls_total" FAIL ",code=\"NOT_FOUND\"} 1\n");
    expect_text(metrics, "\nrpcrt_server_calls_running" ECHO "} 0\n");
    expect_text(metrics, "\nrpcrt_server_call_seconds_bucket" WAIT
                         ",le=\"0.016384\"} 0\n");
    expect_text(metrics,
                "\nrpcrt_server_call_seconds_bucket" WAIT ",le=\"+Inf\"} 1\n");
    expect_text(metrics, "\nrpcrt_client_call_seconds_count" WAIT "} 1\n");
    cr_assert_geq(
        rpcrt_metrics_quantile_us(metrics, true, "/probe.v1.Probe/Wait", 0.5),
        29000);
    cr_assert_geq(
        rpcrt_metrics_quantile_us(metrics, false, "/probe.v1.Probe/Wait", 1),
        rpcrt_metrics_quantile_us(metrics, true, "/probe.v1.Probe/Wait", 0));
    cr_assert_eq(rpcrt_metrics_quantile_us(metrics, true, "/no.such", 0.5), 0);
    rpcrt_call_free(call);
    bed_close(&bed);
    rpcrt_metrics_free(metrics);
}

/* As many methods as no server has, from several threads. */
static void *
name_methods(void *arg)
{
    const struct rpcrt_client_interceptor *called = arg;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    char method[32];

    cr_assert_eq(rpcrt_channel_new("inproc://nobody", NULL, &channel),
                 RPCRT_OK);
    call = bed_call(channel, 0);
    for (unsigned i = 0; i < RPCRT_METRICS_METHODS_MAX + 20; i++) {
        (void)snprintf(method, sizeof method, "/many.v1.Many/M%u", i);
        cr_assert_eq(called->begin(called->arg, call, method), RPCRT_OK);
        called->end(called->arg, call, method);
    }
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    return NULL;
}

/* Each call is in exactly one series. */
static void
count_all(struct rpcrt_metrics *metrics)
{
    static struct page page;
    unsigned long long n_calls = 0;
    unsigned long long n_series = 0;
    static const char name[] = "\nrpcrt_client_calls_total{";

    page.size = 0;
    rpcrt_metrics_print(metrics, keep_text, &page);
    for (const char *at = strstr(page.text, name); at != NULL;
         at = strstr(at + 1, name)) {
        n_calls += strtoull(strstr(at, "} ") + 2, NULL, 10);
        n_series++;
    }
    cr_assert_eq(n_calls, 3 * (RPCRT_METRICS_METHODS_MAX + 20));
    cr_assert_eq(n_series, RPCRT_METRICS_METHODS_MAX + 1);
    cr_assert_not_null(strstr(page.text, "{method=\"other\""));
}

Test(metrics, count_together_what_is_too_much, .timeout = 30)
{
    struct rpcrt_client_interceptor called;
    struct rpcrt_metrics *metrics;
    pthread_t threads[3];

    cr_assert_eq(rpcrt_metrics_new(&metrics), RPCRT_OK);
    called = rpcrt_metrics_client(metrics);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, name_methods, &called),
                     0);
    }
    for (size_t i = 0; i < 3; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    count_all(metrics);
    rpcrt_metrics_free(metrics);
}
