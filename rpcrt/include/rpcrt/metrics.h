/*
 * An interceptor that counts calls and measures their time, for both sides, by
 * method and code; printed in the text format of Prometheus.
 */
#ifndef RPCRT_METRICS_H
#define RPCRT_METRICS_H

#include <rpcrt/interceptor.h>

RPCRT_BEGIN_DECLS

struct rpcrt_metrics;

/** Make counters; OK, or RESOURCE_EXHAUSTED. Any number of servers and channels
 * may share them. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_metrics_new(struct rpcrt_metrics **ret_metrics);

/** Free them, after the servers and channels that use them. NULL does
 * nothing. */
RPCRT_API void rpcrt_metrics_free(struct rpcrt_metrics *metrics);

RPCRT_API struct rpcrt_server_interceptor
rpcrt_metrics_server(struct rpcrt_metrics *metrics);
RPCRT_API struct rpcrt_client_interceptor
rpcrt_metrics_client(struct rpcrt_metrics *metrics);

/** Takes a piece of text, which no zero byte ends. */
typedef void rpcrt_text_fn(void *arg, const char *text, size_t size);

/**
 * Print all counters, line by line:
 *
 *   rpcrt_server_calls_running{method="/kv.v1.Kv/Put"} 1
 *   rpcrt_server_calls_total{method="/kv.v1.Kv/Put",code="OK"} 12
 *   rpcrt_server_call_seconds_bucket{method="/kv.v1.Kv/Put",le="0.000512"} 9
 *
 * Any thread, while calls run.
 */
RPCRT_API void rpcrt_metrics_print(struct rpcrt_metrics *metrics,
                                   rpcrt_text_fn *fn, void *arg);

/**
 * The time that a share of the calls of a method took at most, up to an eighth
 * too high; 0 without calls.
 *
 * server  of served calls, else of those made
 * share   0.5 for the median, 0.99
 */
RPCRT_API uint64_t rpcrt_metrics_quantile_us(struct rpcrt_metrics *metrics,
                                             bool server, const char *method,
                                             double share);

RPCRT_END_DECLS

#endif
