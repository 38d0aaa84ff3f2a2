/*
 * The options of a .proto that change what is generated: rpcrt's own, see
 * idl/rpcrt/v1/options.proto, and those of protobuf-c that change names.
 */
#ifndef CODEGEN_OPTIONS_H
#define CODEGEN_OPTIONS_H

#include "memory.h"
#include "retry.h"

#include <google/protobuf/descriptor.pb-c.h>
#include <stdbool.h>

/* (pb_c_file) */
struct file_options {
    const char *c_package; /* NULL: the package itself */
    bool no_generate;
    bool const_strings;
    bool use_oneof_field_name;
};

/* All functions take NULL for a descriptor without options. */

struct file_options
options_of_file(struct pool *pool,
                const Google__Protobuf__FileOptions *options);

/** Name of the member that makes a struct a message: "base". */
const char *options_base_field(struct pool *pool,
                               const Google__Protobuf__MessageOptions *options);

bool options_string_as_bytes(struct pool *pool,
                             const Google__Protobuf__FieldOptions *options);

bool options_sensitive(const Google__Protobuf__FieldOptions *options);

/** NULL without the option. */
const char *options_c_prefix(struct pool *pool,
                             const Google__Protobuf__ServiceOptions *options);

bool options_nonblocking(const Google__Protobuf__MethodOptions *options);

bool options_once(const Google__Protobuf__MethodOptions *options);

/** NULL without the option. */
struct retry *options_retry(struct pool *pool,
                            const Google__Protobuf__MethodOptions *options);

#endif
