/*
 * Values that JSON text is turned into: fields as they stand on the wire. The
 * bytes are checked and unpacked by others.
 */
#ifndef RPCRT_WIRE_JSON_SCALAR_H
#define RPCRT_WIRE_JSON_SCALAR_H

#include "wire/json_buffer.h"
#include "wire/json_scan.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

/* A value of JSON that is no object, array or null. */
struct rpcrt__json_token {
    struct rpcrt__json_slice text; /* decoded, without quotes */
    bool quoted;
    bool is_key; /* of a map: everything is in quotes */
};

/* Add a field of any type but a message. Returns NULL, or why it cannot be; an
 * enum that does not have the name is `rpcrt__json_no_name`. */
const char *rpcrt__json_scalar_add(const ProtobufCFieldDescriptor *field,
                                   const struct rpcrt__json_token *token,
                                   struct rpcrt__json_buffer *out);

extern const char rpcrt__json_no_name[];

/* Add a field of type int64, int32 or enum, or one of text. */
void rpcrt__json_add_varint(uint32_t number, uint64_t value,
                            struct rpcrt__json_buffer *out);
void rpcrt__json_add_bytes(uint32_t number, struct rpcrt__json_slice bytes,
                           struct rpcrt__json_buffer *out);

/* Begin a field whose length is not known yet; returns what its end takes. */
size_t rpcrt__json_begin(uint32_t number, struct rpcrt__json_buffer *out);
void rpcrt__json_finish(size_t mark, struct rpcrt__json_buffer *out);

#endif
