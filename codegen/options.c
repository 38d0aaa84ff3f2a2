/*
 * Custom options reach a plugin as fields that protobuf-c does not know.
 */
#include "options.h"

#include "wire.h"

/* idl/rpcrt/v1/options.proto */
#define C_PREFIX 58100
#define NONBLOCKING 58100
#define RETRY 58101
#define ONCE 58102
#define SENSITIVE 58100

/* protobuf-c/protobuf-c.proto: pb_c_file, pb_c_msg and pb_c_field */
#define PB_C 1019
#define PB_C_FILE_NO_GENERATE 1
#define PB_C_FILE_CONST_STRINGS 4
#define PB_C_FILE_USE_ONEOF_FIELD_NAME 5
#define PB_C_FILE_C_PACKAGE 6
#define PB_C_MSG_BASE_FIELD_NAME 3
#define PB_C_FIELD_STRING_AS_BYTES 1

static bool
is_set(struct bytes message, uint32_t field)
{
    uint64_t number;

    return wire_number(message, field, &number) && number != 0;
}

static bool
unknown_is_set(const ProtobufCMessage *message, uint32_t field)
{
    uint64_t number;

    return wire_unknown_number(message, field, &number) && number != 0;
}

static const char *
text_of(struct pool *pool, struct bytes message, uint32_t field)
{
    struct bytes value;

    return wire_bytes(message, field, &value)
               ? pool_copy(pool, (const char *)value.data, value.size)
               : NULL;
}

struct file_options
options_of_file(struct pool *pool, const Google__Protobuf__FileOptions *options)
{
    struct file_options result = {NULL, false, false, false};
    struct bytes message;

    if (options != NULL) {
        message = wire_unknown_message(pool, &options->base, PB_C);
        result.c_package = text_of(pool, message, PB_C_FILE_C_PACKAGE);
        result.no_generate = is_set(message, PB_C_FILE_NO_GENERATE);
        result.const_strings = is_set(message, PB_C_FILE_CONST_STRINGS);
        result.use_oneof_field_name =
            is_set(message, PB_C_FILE_USE_ONEOF_FIELD_NAME);
    }
    return result;
}

const char *
options_base_field(struct pool *pool,
                   const Google__Protobuf__MessageOptions *options)
{
    const char *name = NULL;

    if (options != NULL) {
        name = text_of(pool, wire_unknown_message(pool, &options->base, PB_C),
                       PB_C_MSG_BASE_FIELD_NAME);
    }
    return name == NULL ? "base" : name;
}

bool
options_string_as_bytes(struct pool *pool,
                        const Google__Protobuf__FieldOptions *options)
{
    return options != NULL &&
           is_set(wire_unknown_message(pool, &options->base, PB_C),
                  PB_C_FIELD_STRING_AS_BYTES);
}

bool
options_sensitive(const Google__Protobuf__FieldOptions *options)
{
    return options != NULL && unknown_is_set(&options->base, SENSITIVE);
}

const char *
options_c_prefix(struct pool *pool,
                 const Google__Protobuf__ServiceOptions *options)
{
    struct bytes value;

    return options != NULL &&
                   wire_unknown_bytes(&options->base, C_PREFIX, &value)
               ? pool_copy(pool, (const char *)value.data, value.size)
               : NULL;
}

bool
options_nonblocking(const Google__Protobuf__MethodOptions *options)
{
    return options != NULL && unknown_is_set(&options->base, NONBLOCKING);
}

bool
options_once(const Google__Protobuf__MethodOptions *options)
{
    return options != NULL && unknown_is_set(&options->base, ONCE);
}

struct retry *
options_retry(struct pool *pool, const Google__Protobuf__MethodOptions *options)
{
    struct bytes one;

    if (options == NULL || !wire_unknown_bytes(&options->base, RETRY, &one)) {
        return NULL;
    }
    return retry_read(pool, wire_unknown_message(pool, &options->base, RETRY));
}
