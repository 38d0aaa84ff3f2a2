/*
 * The guard before protobuf_c_message_unpack(): looks through a serialized
 * message first, as protobuf-c bounds no depth, checks no string and tells no
 * reason. What passes, protobuf-c can unpack if it gets the memory; how much
 * it gets is the arena's business.
 */
#ifndef RPCRT_WIRE_GUARD_H
#define RPCRT_WIRE_GUARD_H

#include "core/error.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Check a message. The text of an error names message, field and offset:
 * "kv.v1.PutRequest.key: invalid UTF-8 at byte 17".
 *
 * Returns  OK; INVALID_ARGUMENT for what is malformed: a wrong tag, length,
 *          varint or wire type, a group, a string that is not UTF-8 or has a
 *          zero byte, a required field that is missing, a field that holds one
 *          message and comes twice (to be merged, which protobuf-c gets wrong);
 *          RESOURCE_EXHAUSTED for messages nested deeper than
 *          RPCRT_MESSAGE_DEPTH_MAX, more than RPCRT_UNKNOWN_FIELDS_MAX unknown
 *          fields, and 2 GiB or more.
 */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__guard_check(const ProtobufCMessageDescriptor *descriptor,
                   const uint8_t *data, size_t size,
                   struct rpcrt__error *ret_error);

#endif
