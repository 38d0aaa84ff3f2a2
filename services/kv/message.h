/*
 * Between the messages of kv.proto and the structs of model.h. Bytes are not
 * copied: what a request points to lives as long as the call.
 */
#ifndef KV_MESSAGE_H
#define KV_MESSAGE_H

#include "kv/model.h"
#include "kv/v1/kv.pb-c.h"

#include <rpcrt/ctx.h>

/* Memory of a call, for an engine's answers. */
struct kvs_memory kvs_message_memory(struct rpcrt_ctx *ctx);

/* What is asked. OK; INVALID_ARGUMENT with a text; RESOURCE_EXHAUSTED. */
void kvs_message_range(const Kv__V1__RangeRequest *request,
                       struct kvs_range *ret_range);
void kvs_message_span(const ProtobufCBinaryData *key,
                      const ProtobufCBinaryData *end,
                      struct kvs_span *ret_span);
enum rpcrt_code kvs_message_txn(struct rpcrt_ctx *ctx,
                                const Kv__V1__TxnRequest *request,
                                struct kvs_write *ret_write);

/* What is answered; NULL or false without memory. */
Kv__V1__Header *kvs_message_header(struct rpcrt_ctx *ctx,
                                   const struct kvs_header *header);
bool kvs_message_entries(struct rpcrt_ctx *ctx, const struct kvs_result *result,
                         Kv__V1__RangeReply *ret_reply);
bool kvs_message_results(struct rpcrt_ctx *ctx, const struct kvs_write *write,
                         Kv__V1__TxnReply *ret_reply);

#endif
