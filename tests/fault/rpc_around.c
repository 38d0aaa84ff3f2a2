/*
 * Each allocation around a call fails in turn: of interceptors, traces,
 * counters and overload control. The call ends with OK or RESOURCE_EXHAUSTED,
 * nothing is lost, and the next one works.
 */
#include "support/faulty_alloc.h"
#include "support/probe.h"

#include <rpcrt/metrics.h>
#include <rpcrt/trace.h>
#include <time.h>

#define PATIENCE_MS 10000u

static const struct rpcrt_server_options controlled = {.queue_target_ms = 5};
static const struct rpcrt_channel_options hasty = {.backoff_ms_min = 1,
                                                   .backoff_ms_max = 2};
static struct rpcrt_tracer tracer;
static struct rpcrt_metrics *metrics;

static void
add_served(struct rpcrt_server *server)
{
    struct rpcrt_server_interceptor trace = rpcrt_tracer_server(&tracer);
    struct rpcrt_server_interceptor count = rpcrt_metrics_server(metrics);

    cr_assert_eq(rpcrt_server_add_interceptor(server, &trace), RPCRT_OK);
    cr_assert_eq(rpcrt_server_add_interceptor(server, &count), RPCRT_OK);
}

static void
open_around(struct bed *bed)
{
    struct rpcrt_client_interceptor trace = rpcrt_tracer_client(&tracer);
    struct rpcrt_client_interceptor count;

    cr_assert_eq(rpcrt_metrics_new(&metrics), RPCRT_OK);
    count = rpcrt_metrics_client(metrics);
    bed_before_listening = add_served;
    bed_open(bed, "tcp", &controlled, &hasty);
    cr_assert_eq(rpcrt_channel_add_interceptor(bed->channel, &trace), RPCRT_OK);
    cr_assert_eq(rpcrt_channel_add_interceptor(bed->channel, &count), RPCRT_OK);
}

static void
close_around(struct bed *bed)
{
    struct timespec span = {.tv_nsec = 1000000};

    bed_close(bed);
    rpcrt_metrics_free(metrics);
    for (unsigned ms = 0; faulty_alloc_live() > 0 && ms < PATIENCE_MS; ms++) {
        (void)nanosleep(&span, NULL);
    }
    cr_assert_eq(faulty_alloc_live(), 0);
}

/* In a trace that was set, whose state is kept. */
static enum rpcrt_code
make_call(struct rpcrt_call *call)
{
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_trace trace;
    enum rpcrt_code code;

    rpcrt_trace_begin(NULL, &trace);
    trace.state = "a=1";
    code = rpcrt_call_set_trace(call, &trace);
    return code == RPCRT_OK ? probe_wait(call, &request, &reply) : code;
}

Test(fault, of_memory_around_a_call, .timeout = 60)
{
    bool struck = true;
    unsigned n_good = 0;

    faulty_alloc_install();
    for (uint64_t n = 0; struck || n_good < 3; n++) {
        struct rpcrt_call *call;
        struct bed bed;
        enum rpcrt_code code;

        open_around(&bed);
        call = bed_call(bed.channel, PATIENCE_MS);
        faulty_alloc_fail_at(n);
        code = make_call(call);
        struck = faulty_alloc_failed();
        n_good += code == RPCRT_OK ? 1 : 0;
        cr_assert(code == RPCRT_OK || code == RPCRT_RESOURCE_EXHAUSTED ||
                      code == RPCRT_UNAVAILABLE,
                  "%s", rpcrt_code_name(code));
        faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
        rpcrt_call_set_wait_for_ready(call, true);
        expect_ok(call, make_call(call));
        rpcrt_call_free(call);
        close_around(&bed);
    }
    faulty_alloc_remove();
}

Test(fault, of_memory_in_a_server_with_overload_control, .timeout = 60)
{
    struct rpcrt_server *server;
    bool made = false;

    faulty_alloc_install();
    for (uint64_t n = 0; !made; n++) {
        faulty_alloc_fail_at(n);
        made = rpcrt_server_new(&controlled, &server) == RPCRT_OK;
        cr_assert_eq(made, !faulty_alloc_failed());
        if (made) {
            rpcrt_server_free(server);
        }
        cr_assert_eq(faulty_alloc_live(), 0);
    }
    faulty_alloc_remove();
}

Test(fault, of_memory_in_metrics_new, .timeout = 60)
{
    faulty_alloc_install();
    faulty_alloc_fail_at(0);
    cr_assert_eq(rpcrt_metrics_new(&metrics), RPCRT_RESOURCE_EXHAUSTED);
    faulty_alloc_remove();
}
