/*
 * The members of the structs that protoc-gen-c makes, by their descriptors: how
 * many values a field has, where they are, and whether they are secret.
 */
#ifndef RPCRT_CORE_MEMBER_H
#define RPCRT_CORE_MEMBER_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct rpcrt_file;

/* How many values a field has; for a repeated one, of its array. A field that
 * tells no presence has none when it has its default. */
size_t rpcrt__member_count(const ProtobufCFieldDescriptor *field,
                           const ProtobufCMessage *message);

/* Where value number i of a field is, as the generated struct has it. */
const void *rpcrt__member_at(const ProtobufCFieldDescriptor *field,
                             const ProtobufCMessage *message, size_t i);

/* Give a message its defaults; also one whose type was made at run time, and so
 * has no function for it. */
void rpcrt__member_init_all(const ProtobufCMessageDescriptor *descriptor,
                            ProtobufCMessage *message);

/* Whether a .proto, the file's own or one it imports, says that nobody may see
 * the field. When in doubt it does. */
bool rpcrt__member_is_sensitive(const struct rpcrt_file *file,
                                const ProtobufCMessageDescriptor *message,
                                uint32_t number);

#endif
