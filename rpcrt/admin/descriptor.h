/*
 * What a serialized FileDescriptorProto declares, looked up in the bytes
 * themselves: asked seldom, they need no tables. Bytes that are no descriptor
 * declare nothing.
 */
#ifndef RPCRT_ADMIN_DESCRIPTOR_H
#define RPCRT_ADMIN_DESCRIPTOR_H

#include <rpcrt/gen.h>

/* Whether a file declares a symbol by its full name: a message, field, oneof,
 * enum or its value, service, method or extension: "kv.v1.Kv.Put". */
bool rpcrt__file_declares(const struct rpcrt_file *file, const char *symbol);

/* Told of an extension; false ends the walk. */
typedef bool rpcrt__extension_fn(void *arg, int32_t number);

/* See the extensions of a message type, by its full name, that a file
 * declares. False if the function said so. */
bool rpcrt__file_each_extension(const struct rpcrt_file *file, const char *type,
                                rpcrt__extension_fn *fn, void *arg);

#endif
