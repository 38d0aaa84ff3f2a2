/*
 * The rules of kv.proto for requests: sizes, numbers of things, writes that
 * would touch a key twice. Done before an engine sees a request, so that all
 * engines are alike.
 */
#ifndef KV_CHECK_H
#define KV_CHECK_H

#include "kv/model.h"

/* OK, INVALID_ARGUMENT or RESOURCE_EXHAUSTED. Keys are still as asked. */
enum rpcrt_code kvs_check_range(const struct kvs_range *range,
                                struct common_error *ret_error);
enum rpcrt_code kvs_check_write(const struct kvs_write *write,
                                struct common_error *ret_error);

#endif
