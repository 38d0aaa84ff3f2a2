/*
 * The handlers of probe.proto's methods with streams.
 */
#ifndef TESTS_PROBE_STREAM_H
#define TESTS_PROBE_STREAM_H

#include "support/probe.server.h"

enum rpcrt_code probe_pour(void *self, struct rpcrt_ctx *ctx,
                           const Probe__V1__Script *request);
enum rpcrt_code probe_sum(void *self, struct rpcrt_ctx *ctx,
                          Probe__V1__SumReply *reply);
enum rpcrt_code probe_chat(void *self, struct rpcrt_ctx *ctx);
enum rpcrt_code probe_pour_later(void *self, struct rpcrt_ctx *ctx,
                                 const Probe__V1__Script *request);
enum rpcrt_code probe_chat_later(void *self, struct rpcrt_ctx *ctx);
enum rpcrt_code probe_trickle(void *self, struct rpcrt_ctx *ctx,
                              const Probe__V1__Script *request);

#endif
