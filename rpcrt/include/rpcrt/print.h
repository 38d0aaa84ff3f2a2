/*
 * Messages as text, for logs and tools. Fields that their .proto declares
 * sensitive are shown as [redacted].
 */
#ifndef RPCRT_PRINT_H
#define RPCRT_PRINT_H

#include <protobuf-c/protobuf-c.h>
#include <rpcrt/api.h>
#include <stddef.h>

RPCRT_BEGIN_DECLS

struct rpcrt_file;

/**
 * Write a message on one line: `key: "color" value: "blue" lease { id: 7 }`.
 * Bytes and strings are escaped as in C.
 *
 * file     the generated table of the message's .proto, for what is sensitive
 * text     receives at most size bytes, its end included
 * Returns  the length that the whole text has, as snprintf() does.
 */
RPCRT_API size_t rpcrt_print(const ProtobufCMessage *message,
                             const struct rpcrt_file *file, char *text,
                             size_t size);

RPCRT_END_DECLS

#endif
