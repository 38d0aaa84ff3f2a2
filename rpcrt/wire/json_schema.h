/*
 * What JSON needs to know of a message beyond protobuf-c's descriptor: names,
 * maps and types with a form of their own. It comes from the .proto files that
 * are embedded in the tables of generated code.
 */
#ifndef RPCRT_WIRE_JSON_SCHEMA_H
#define RPCRT_WIRE_JSON_SCHEMA_H

#include "wire/fields.h"
#include "wire/json_buffer.h"
#include "wire/json_scan.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

struct rpcrt_file;

enum rpcrt__json_kind {
    RPCRT__JSON_ORDINARY,
    RPCRT__JSON_MAP_ENTRY,
    RPCRT__JSON_ANY,
    RPCRT__JSON_DURATION,
    RPCRT__JSON_TIMESTAMP,
    RPCRT__JSON_FIELD_MASK,
    RPCRT__JSON_STRUCT,
    RPCRT__JSON_VALUE,
    RPCRT__JSON_LIST_VALUE,
    RPCRT__JSON_WRAPPER,
    RPCRT__JSON_EMPTY
};

/* One message. */
struct rpcrt__json_type {
    const ProtobufCMessageDescriptor *descriptor;
    struct rpcrt__fields proto; /* its DescriptorProto; of ordinary ones */
    struct rpcrt__fields ahead; /* behind the field last asked for */
    enum rpcrt__json_kind kind;
};

#define RPCRT__JSON_TYPES 32u

struct rpcrt__json_schema {
    const struct rpcrt_file *file;
    struct rpcrt__json_type types[RPCRT__JSON_TYPES]; /* found lately */
};

void rpcrt__json_schema_init(struct rpcrt__json_schema *schema,
                             const struct rpcrt_file *file);

/* What is known of a message; false if the tables do not have it. */
bool rpcrt__json_type_get(struct rpcrt__json_schema *schema,
                          const ProtobufCMessageDescriptor *descriptor,
                          struct rpcrt__json_type *ret_type);

/* The message that a type URL ends with; NULL if the tables do not have it. */
const ProtobufCMessageDescriptor *
rpcrt__json_type_by_url(const struct rpcrt__json_schema *schema,
                        struct rpcrt__json_slice url);

/* Whether a field is a map; false also for what is not in the tables. */
bool rpcrt__json_is_map(struct rpcrt__json_schema *schema,
                        const ProtobufCFieldDescriptor *field);

/* The name of a field in JSON; fastest for one after the other. It may stand in
 * `scratch`, until that is used again. */
struct rpcrt__json_slice
rpcrt__json_field_name(struct rpcrt__json_type *type,
                       const ProtobufCFieldDescriptor *field,
                       struct rpcrt__json_buffer *scratch);

/* The field that has a name in JSON, or in the .proto; NULL if none has. */
const ProtobufCFieldDescriptor *
rpcrt__json_field_by_name(const struct rpcrt__json_type *type,
                          struct rpcrt__json_slice name);

#endif
