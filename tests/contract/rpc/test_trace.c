/*
 * One trace through a chain of services, with and without somebody who reports
 * its spans.
 */
#include "support/probe.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

/* -- a shop, its payment service, and where that keeps its books ----------- */

enum { SHOP, PAYMENT, STORE, SERVICES };

struct service {
    struct rpcrt_server *server;
    struct rpcrt_channel *channel; /* to it */
    struct rpcrt_channel *next;    /* to the next; NULL: it is the last */
    bool has_trace;
    struct rpcrt_trace trace; /* of the last call */
    char state[64];
};

static struct service services[SERVICES];

static enum rpcrt_code
relay(void *self, struct rpcrt_ctx *ctx, const Probe__V1__RelayRequest *request,
      Probe__V1__EchoReply *reply)
{
    struct service *service = self;
    const Probe__V1__EchoReply *inner;
    struct rpcrt_call *call;
    enum rpcrt_code code;

    (void)reply;
    service->has_trace = rpcrt_ctx_trace(ctx, &service->trace);
    (void)snprintf(service->state, sizeof service->state, "%s",
                   service->has_trace && service->trace.state != NULL
                       ? service->trace.state
                       : "");
    if (service->next == NULL) {
        return RPCRT_OK;
    }
    if (rpcrt_call_new(service->next, 0, &call) != RPCRT_OK) {
        return rpcrt_ctx_no_memory(ctx);
    }
    rpcrt_call_set_parent(call, ctx);
    code = probe_relay(call, request, &inner);
    (void)rpcrt_ctx_fail(ctx, code, "%s", rpcrt_call_message(call));
    rpcrt_call_free(call);
    return code;
}

static const struct probe_service handlers = {.relay = relay};

/* A tracer is NULL where nobody reports. */
static void
start(unsigned i, struct rpcrt_tracer *tracer)
{
    struct service *service = &services[i];
    char address[32];

    (void)snprintf(address, sizeof address, "inproc://traced-%u", i);
    cr_assert_eq(rpcrt_server_new(NULL, &service->server), RPCRT_OK);
    cr_assert_eq(probe_serve(service->server, &handlers, service), RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new(address, NULL, &service->channel), RPCRT_OK);
    if (tracer != NULL) {
        struct rpcrt_server_interceptor served = rpcrt_tracer_server(tracer);
        struct rpcrt_client_interceptor called = rpcrt_tracer_client(tracer);

        cr_assert_eq(rpcrt_server_add_interceptor(service->server, &served),
                     RPCRT_OK);
        cr_assert_eq(rpcrt_channel_add_interceptor(service->channel, &called),
                     RPCRT_OK);
    }
    cr_assert_eq(rpcrt_server_listen(service->server, address, NULL), RPCRT_OK);
    if (i > 0) {
        services[i - 1].next = service->channel;
    }
}

static void
stop_all(void)
{
    for (unsigned i = 0; i < SERVICES; i++) {
        rpcrt_channel_free(services[i].channel);
        rpcrt_server_free(services[i].server);
    }
}

static void
buy(struct rpcrt_call *call)
{
    Probe__V1__RelayRequest request = PROBE__V1__RELAY_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    expect_ok(call, probe_relay(call, &request, &reply));
}

/* -- reports --------------------------------------------------------------- */

#define SPANS_MAX 16u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rpcrt_span spans[SPANS_MAX]; /* in the order of their ends */
static size_t n_spans;

static void
keep_span(void *arg, const struct rpcrt_span *span)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    cr_assert_lt(n_spans, SPANS_MAX);
    cr_assert_gt(span->start_us, INT64_C(1700000000000000));
    cr_assert_str_eq(span->method, "/probe.v1.Probe/Relay");
    spans[n_spans] = *span;
    spans[n_spans++].method = NULL; /* nothing that is borrowed */
    pthread_mutex_unlock(&lock);
}

static struct rpcrt_tracer tracer = {.fn = keep_span};

/* The spans of a chain end from the last server to the first client, each a
 * part of the one behind it. */
static void
expect_chain(void)
{
    pthread_mutex_lock(&lock);
    cr_assert_eq(n_spans, 2u * SERVICES);
    for (size_t i = 0; i < n_spans; i++) {
        cr_assert_eq(spans[i].server, i % 2 == 0);
        cr_assert_eq(spans[i].code, RPCRT_OK);
        cr_assert_arr_eq(spans[i].trace.trace_id, spans[0].trace.trace_id, 16);
        if (i > 0) {
            cr_assert_arr_eq(spans[i - 1].trace.parent_id,
                             spans[i].trace.span_id, 8);
            cr_assert_leq(spans[i].start_us, spans[i - 1].start_us + 2000);
        }
    }
    pthread_mutex_unlock(&lock);
}

Test(trace, goes_through_a_chain_of_services, .timeout = 30)
{
    struct rpcrt_call *call;

    for (unsigned i = 0; i < SERVICES; i++) {
        start(i, &tracer);
    }
    call = bed_call(services[SHOP].channel, BED_TIMEOUT_MS);
    buy(call);
    expect_chain();
    cr_assert_arr_eq(spans[2 * SERVICES - 1].trace.parent_id, ((uint8_t[8]){0}),
                     8);
    rpcrt_call_free(call);
    stop_all();
}

Test(trace, begins_anew_with_each_use_of_a_call, .timeout = 30)
{
    struct rpcrt_call *call;
    uint8_t first[16];

    for (unsigned i = 0; i < SERVICES; i++) {
        start(i, &tracer);
    }
    call = bed_call(services[STORE].channel, BED_TIMEOUT_MS);
    buy(call);
    memcpy(first, services[STORE].trace.trace_id, sizeof first);
    buy(call);
    cr_assert_neq(memcmp(first, services[STORE].trace.trace_id, sizeof first),
                  0);
    rpcrt_call_free(call);
    stop_all();
}

Test(trace, of_a_caller_goes_on, .timeout = 30)
{
    struct rpcrt_trace own;
    struct rpcrt_trace read;
    struct rpcrt_call *call;

    for (unsigned i = 0; i < SERVICES; i++) {
        start(i, &tracer);
    }
    rpcrt_trace_begin(NULL, &own);
    own.flags = RPCRT_TRACE_SAMPLED;
    own.state = "vendor=opaque";
    call = bed_call(services[SHOP].channel, BED_TIMEOUT_MS);
    cr_assert_eq(rpcrt_call_set_trace(call, &own), RPCRT_OK);
    for (unsigned i = 0; i < 2; i++) {
        n_spans = 0;
        buy(call);
        expect_chain();
        cr_assert_arr_eq(spans[2 * SERVICES - 1].trace.parent_id, own.span_id,
                         8);
        cr_assert_str_eq(services[STORE].state, "vendor=opaque");
    }
    cr_assert(rpcrt_call_trace(call, &read));
    cr_assert_arr_eq(read.span_id, own.span_id, 8);
    cr_assert_eq(rpcrt_call_set_trace(call, NULL), RPCRT_OK);
    cr_assert_not(rpcrt_call_trace(call, &read));
    buy(call);
    cr_assert_str_eq(services[STORE].state, "");
    rpcrt_call_free(call);
    stop_all();
}

Test(trace, passes_through_who_does_not_look, .timeout = 30)
{
    struct rpcrt_call *call;
    char text[RPCRT_TRACEPARENT_SIZE];

    for (unsigned i = 0; i < SERVICES; i++) {
        start(i, NULL);
    }
    call = bed_call(services[SHOP].channel, BED_TIMEOUT_MS);
    buy(call);
    cr_assert_not(services[STORE].has_trace);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "traceparent",
                                              "00-" TRACE "-" SPAN "-00"),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "tracestate", "a=1,b=2"),
                 RPCRT_OK);
    for (unsigned i = 0; i < 2; i++) {
        buy(call);
        cr_assert(services[STORE].has_trace);
        rpcrt_trace_format(&services[STORE].trace, text);
        cr_assert_str_eq(text, "00-" TRACE "-" SPAN "-00");
        cr_assert_str_eq(services[STORE].state, "a=1,b=2");
    }
    rpcrt_call_free(call);
    stop_all();
}

Test(trace, that_is_malformed_is_replaced_or_dropped, .timeout = 30)
{
    char text[RPCRT_TRACEPARENT_SIZE];
    struct rpcrt_call *call;

    start(SHOP, NULL);
    start(PAYMENT, NULL);
    start(STORE, &tracer);
    services[PAYMENT].next = NULL;
    call = bed_call(services[SHOP].channel, BED_TIMEOUT_MS);
    cr_assert_eq(
        rpcrt_call_set_metadata_text(call, "traceparent", "00-" TRACE "-" SPAN),
        RPCRT_OK);
    buy(call);
    cr_assert_not(services[SHOP].has_trace);
    cr_assert_not(services[PAYMENT].has_trace);
    services[PAYMENT].next = services[STORE].channel;
    buy(call);
    cr_assert_not(services[PAYMENT].has_trace);
    cr_assert(services[STORE].has_trace);
    rpcrt_trace_format(&services[STORE].trace, text);
    cr_assert_null(strstr(text, TRACE));
    rpcrt_call_free(call);
    stop_all();
}

Test(trace, that_is_not_sampled_is_not_told, .timeout = 30)
{
    static struct rpcrt_tracer seldom = {.fn = keep_span,
                                         .sample_one_in = UINT32_MAX};
    struct rpcrt_trace own;
    struct rpcrt_call *call;

    for (unsigned i = 0; i < SERVICES; i++) {
        start(i, &seldom);
    }
    call = bed_call(services[SHOP].channel, BED_TIMEOUT_MS);
    buy(call);
    cr_assert_eq(n_spans, 0);
    cr_assert(services[STORE].has_trace);
    cr_assert_eq(services[STORE].trace.flags, 0);
    rpcrt_trace_begin(NULL, &own);
    own.flags = RPCRT_TRACE_SAMPLED;
    cr_assert_eq(rpcrt_call_set_trace(call, &own), RPCRT_OK);
    buy(call);
    expect_chain();
    rpcrt_call_free(call);
    stop_all();
}
