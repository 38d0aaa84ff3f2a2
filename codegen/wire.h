/*
 * What protobuf-c leaves out: a check before unpacking, since it recurses as
 * deep as its input says, and the values of fields that it does not know,
 * which is how custom options arrive.
 */
#ifndef CODEGEN_WIRE_H
#define CODEGEN_WIRE_H

#include "memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data;
    size_t size;
};

/** Unpack a message; NULL if it is none, or nested deeper than 100. */
ProtobufCMessage *wire_unpack(struct pool *pool,
                              const ProtobufCMessageDescriptor *descriptor,
                              struct bytes bytes);

/** The last value of an unknown varint field; false if there is none. */
bool wire_unknown_number(const ProtobufCMessage *message, uint32_t field,
                         uint64_t *ret_number);

/** The same of a string. */
bool wire_unknown_bytes(const ProtobufCMessage *message, uint32_t field,
                        struct bytes *ret_bytes);

/** The same of a message: all occurrences in a row, which merges them. protoc
 * writes one for each `option (x).y = z`. Size 0 if there is none. */
struct bytes wire_unknown_message(struct pool *pool,
                                  const ProtobufCMessage *message,
                                  uint32_t field);

/** The last value of a field in the bytes of a message. */
bool wire_number(struct bytes message, uint32_t field, uint64_t *ret_number);
bool wire_double(struct bytes message, uint32_t field, double *ret_number);
bool wire_bytes(struct bytes message, uint32_t field, struct bytes *ret_bytes);

/** The next value of a repeated field in what is left of a message; false at
 * the end. */
bool wire_next_bytes(struct bytes *rest, uint32_t field,
                     struct bytes *ret_bytes);

#endif
