/*
 * Counters of rpcrt/metrics.h: a series a method and side, in a table that is
 * never locked, as series only come.
 */
#include <rpcrt/metrics.h>

#include "core/alloc.h"
#include "core/hash.h"
#include "interceptors/histogram.h"
#include <rpcrt/limits.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CODES (RPCRT_UNAUTHENTICATED + 1)
/* The bounds that are printed: 16 us to 67 s. */
#define BITS_MIN RPCRT__HISTOGRAM_BITS_MIN
#define BITS_MAX 26u
#define LINE_SIZE (RPCRT_METHOD_PATH_MAX + 128u)

struct series {
    char method[RPCRT_METHOD_PATH_MAX + 1];
    atomic_llong n_running;
    atomic_ullong n_codes[CODES];
    struct rpcrt__histogram times;
};

/* One side. */
struct side {
    const char *name;
    _Atomic(struct series *) series[RPCRT_METRICS_METHODS_MAX];
    struct series other;
};

struct rpcrt_metrics {
    struct side server;
    struct side client;
};

/* -- making ---------------------------------------------------------------- */

static void
side_init(struct side *side, const char *name)
{
    side->name = name;
    (void)snprintf(side->other.method, sizeof side->other.method, "other");
}

static void
side_fini(struct side *side)
{
    for (size_t i = 0; i < RPCRT_METRICS_METHODS_MAX; i++) {
        rpcrt__free(atomic_load(&side->series[i]));
    }
}

enum rpcrt_code
rpcrt_metrics_new(struct rpcrt_metrics **ret_metrics)
{
    struct rpcrt_metrics *metrics = rpcrt__calloc(1, sizeof *metrics);

    if (metrics == NULL) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    side_init(&metrics->server, "server");
    side_init(&metrics->client, "client");
    *ret_metrics = metrics;
    return RPCRT_OK;
}

void
rpcrt_metrics_free(struct rpcrt_metrics *metrics)
{
    if (metrics != NULL) {
        side_fini(&metrics->server);
        side_fini(&metrics->client);
        rpcrt__free(metrics);
    }
}

/* -- finding --------------------------------------------------------------- */

/* Find the series of a method, whose place is behind the one that its hash
 * says, if that is taken; with `make`, one that is not there yet comes in. */
static struct series *
find(struct side *side, const char *method, bool make)
{
    static const struct rpcrt__hash_key no_key;
    uint32_t start = (uint32_t)rpcrt__hash(&no_key, method, strlen(method));
    struct series *fresh = NULL;
    struct series *found = NULL;

    for (uint32_t i = 0; i < RPCRT_METRICS_METHODS_MAX; i++) {
        _Atomic(struct series *) *place =
            &side->series[(start + i) % RPCRT_METRICS_METHODS_MAX];

        found = atomic_load(place);
        if (found == NULL && make && fresh == NULL) {
            fresh = rpcrt__calloc(1, sizeof *fresh);
            if (fresh != NULL) {
                (void)snprintf(fresh->method, sizeof fresh->method, "%s",
                               method);
            }
        }
        if (found == NULL && (fresh == NULL || atomic_compare_exchange_strong(
                                                   place, &found, fresh))) {
            return fresh != NULL || !make ? fresh : &side->other;
        }
        if (strcmp(found->method, method) == 0) {
            break;
        }
        found = NULL;
    }
    rpcrt__free(fresh);
    return found != NULL || !make ? found : &side->other;
}

/* -- counting -------------------------------------------------------------- */

static void
count_begin(struct side *side, const char *method)
{
    atomic_fetch_add(&find(side, method, true)->n_running, 1);
}

static void
count_end(struct side *side, const char *method, enum rpcrt_code code,
          uint64_t duration_us)
{
    struct series *series = find(side, method, true);

    atomic_fetch_sub(&series->n_running, 1);
    atomic_fetch_add(&series->n_codes[code], 1);
    rpcrt__histogram_add(&series->times, duration_us);
}

static enum rpcrt_code
begin_served(void *arg, struct rpcrt_ctx *ctx)
{
    struct rpcrt_metrics *metrics = arg;

    count_begin(&metrics->server, rpcrt_ctx_method(ctx));
    return RPCRT_OK;
}

static void
end_served(void *arg, struct rpcrt_ctx *ctx,
           const struct rpcrt_call_record *record)
{
    struct rpcrt_metrics *metrics = arg;

    (void)ctx;
    count_end(&metrics->server, record->method, record->code,
              record->duration_us);
}

static enum rpcrt_code
begin_called(void *arg, struct rpcrt_call *call, const char *method)
{
    struct rpcrt_metrics *metrics = arg;

    (void)call;
    count_begin(&metrics->client, method);
    return RPCRT_OK;
}

static void
end_called(void *arg, struct rpcrt_call *call, const char *method)
{
    struct rpcrt_metrics *metrics = arg;

    count_end(&metrics->client, method, rpcrt_call_code(call),
              rpcrt_call_duration_us(call));
}

struct rpcrt_server_interceptor
rpcrt_metrics_server(struct rpcrt_metrics *metrics)
{
    return (struct rpcrt_server_interceptor){
        .begin = begin_served, .end = end_served, .arg = metrics};
}

struct rpcrt_client_interceptor
rpcrt_metrics_client(struct rpcrt_metrics *metrics)
{
    return (struct rpcrt_client_interceptor){
        .begin = begin_called, .end = end_called, .arg = metrics};
}

/* -- printing -------------------------------------------------------------- */

struct printer {
    rpcrt_text_fn *fn;
    void *arg;
    const char *side;
};

static void RPCRT_PRINTF(2, 3)
    print(const struct printer *printer, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0) {
        printer->fn(printer->arg, line,
                    (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
    }
}

static void
print_running(const struct printer *printer, struct series *series)
{
    long long n = atomic_load(&series->n_running);

    /* One that ends may be counted down before it is counted up elsewhere. */
    print(printer, "rpcrt_%s_calls_running{method=\"%s\"} %lld\n",
          printer->side, series->method, n < 0 ? 0 : n);
}

static void
print_codes(const struct printer *printer, struct series *series)
{
    for (int code = RPCRT_OK; code < CODES; code++) {
        unsigned long long n = atomic_load(&series->n_codes[code]);

        if (n > 0) {
            print(printer,
                  "rpcrt_%s_calls_total{method=\"%s\",code=\"%s\"} %llu\n",
                  printer->side, series->method,
                  rpcrt_code_name((enum rpcrt_code)code), n);
        }
    }
}

static void
print_times(const struct printer *printer, struct series *series)
{
    uint64_t total = rpcrt__histogram_total(&series->times);
    uint64_t sum_us = atomic_load(&series->times.sum_us);

    for (unsigned bits = BITS_MIN; bits <= BITS_MAX; bits++) {
        uint64_t bound_us = UINT64_C(1) << bits;
        uint64_t n = rpcrt__histogram_below(&series->times, bits);

        print(printer,
              "rpcrt_%s_call_seconds_bucket{method=\"%s\",le=\"%" PRIu64
              ".%06" PRIu64 "\"} %" PRIu64 "\n",
              printer->side, series->method, bound_us / 1000000,
              bound_us % 1000000, n < total ? n : total);
    }
    print(printer,
          "rpcrt_%s_call_seconds_bucket{method=\"%s\",le=\"+Inf\"} %" PRIu64
          "\n",
          printer->side, series->method, total);
    print(printer,
          "rpcrt_%s_call_seconds_sum{method=\"%s\"} %" PRIu64 ".%06" PRIu64
          "\n",
          printer->side, series->method, sum_us / 1000000, sum_us % 1000000);
    print(printer, "rpcrt_%s_call_seconds_count{method=\"%s\"} %" PRIu64 "\n",
          printer->side, series->method, total);
}

/* All series of a side in turn: those of one metric must stand together. */
static void
print_each(const struct printer *printer, struct side *side, const char *metric,
           const char *type,
           void (*fn)(const struct printer *printer, struct series *series))
{
    print(printer, "# TYPE rpcrt_%s_%s %s\n", side->name, metric, type);
    for (size_t i = 0; i < RPCRT_METRICS_METHODS_MAX; i++) {
        struct series *series = atomic_load(&side->series[i]);

        if (series != NULL) {
            fn(printer, series);
        }
    }
    if (rpcrt__histogram_total(&side->other.times) > 0) {
        fn(printer, &side->other);
    }
}

static void
print_side(struct side *side, rpcrt_text_fn *fn, void *arg)
{
    struct printer printer = {.fn = fn, .arg = arg, .side = side->name};

    print_each(&printer, side, "calls_running", "gauge", print_running);
    print_each(&printer, side, "calls_total", "counter", print_codes);
    print_each(&printer, side, "call_seconds", "histogram", print_times);
}

void
rpcrt_metrics_print(struct rpcrt_metrics *metrics, rpcrt_text_fn *fn, void *arg)
{
    print_side(&metrics->server, fn, arg);
    print_side(&metrics->client, fn, arg);
}

uint64_t
rpcrt_metrics_quantile_us(struct rpcrt_metrics *metrics, bool server,
                          const char *method, double share)
{
    struct series *series =
        find(server ? &metrics->server : &metrics->client, method, false);
    double count;

    if (series == NULL || rpcrt__histogram_total(&series->times) == 0) {
        return 0;
    }
    count = share * (double)rpcrt__histogram_total(&series->times);
    return rpcrt__histogram_bound_us(&series->times,
                                     count < 1 ? 1 : (uint64_t)(count + 0.5));
}
