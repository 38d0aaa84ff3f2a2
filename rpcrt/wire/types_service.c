/*
 * Services made at run time: their methods, with the flags that calls need.
 */
#include "wire/types.h"

#include <stdio.h>
#include <string.h>

/* Numbers of google/protobuf/descriptor.proto, and of our options. */
enum { SERVICE_METHOD = 2 };
enum { METHOD_NAME = 1, METHOD_REQUEST = 2, METHOD_REPLY = 3 };
enum { METHOD_OPTIONS = 4, METHOD_FROM_CLIENT = 5, METHOD_FROM_SERVER = 6 };
enum { OPTION_IDEMPOTENCY = 34, OPTION_ONCE = 58102 };
enum { NO_SIDE_EFFECTS = 1, IDEMPOTENT = 2 };

static void
options_read(struct rpcrt_types *types, struct rpcrt__fields options,
             struct rpcrt_method *method)
{
    struct rpcrt__wire_field option;

    while (rpcrt__types_next(types, &options, &option)) {
        if (option.type != RPCRT__WIRE_VARINT) {
            continue;
        }
        if (option.number == OPTION_IDEMPOTENCY) {
            method->flags |=
                option.value == NO_SIDE_EFFECTS
                    ? RPCRT_METHOD_NO_SIDE_EFFECTS | RPCRT_METHOD_IDEMPOTENT
                : option.value == IDEMPOTENT ? RPCRT_METHOD_IDEMPOTENT
                                             : 0;
        } else if (option.number == OPTION_ONCE && option.value != 0) {
            method->flags |= RPCRT_METHOD_ONCE;
        }
    }
}

/* "/kv.v1.Kv/Put" */
static const char *
path_make(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
          struct rpcrt__fields bytes)
{
    const char *name = rpcrt__types_name(types, symbol->name, bytes);
    size_t size = strlen(symbol->name) + 3;
    char *path;

    if (name == NULL) {
        return NULL;
    }
    size += strlen(name);
    if (size > RPCRT_METHOD_PATH_MAX + 1) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "%s: %s: a path of more than %u bytes",
                                symbol->file->own.name, symbol->name,
                                RPCRT_METHOD_PATH_MAX);
        return NULL;
    }
    path = rpcrt__types_alloc(types, size, 1);
    if (path != NULL) {
        (void)snprintf(path, size, "/%s/%s", symbol->name, name);
    }
    return path;
}

static const ProtobufCMessageDescriptor *
message_of(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
           struct rpcrt__fields reference)
{
    const struct rpcrt__types_symbol *found =
        rpcrt__types_resolve(types, symbol->file, symbol->name, reference);

    if (found != NULL && found->kind != RPCRT__TYPES_MESSAGE) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "%s: %s: a method that takes or returns no "
                                "message",
                                symbol->file->own.name, symbol->name);
        return NULL;
    }
    return found != NULL ? &found->made.message : NULL;
}

static void
method_make(struct rpcrt_types *types, const struct rpcrt__types_symbol *symbol,
            struct rpcrt__fields proto, struct rpcrt_method *method)
{
    struct rpcrt__fields name = {proto.at, proto.at};
    struct rpcrt__fields request = name;
    struct rpcrt__fields reply = name;
    struct rpcrt__wire_field field;

    while (rpcrt__types_next(types, &proto, &field)) {
        if (rpcrt__field_is(&field, METHOD_NAME)) {
            name = field.bytes;
        } else if (rpcrt__field_is(&field, METHOD_REQUEST)) {
            request = field.bytes;
        } else if (rpcrt__field_is(&field, METHOD_REPLY)) {
            reply = field.bytes;
        } else if (rpcrt__field_is(&field, METHOD_OPTIONS)) {
            options_read(types, field.bytes, method);
        } else if (field.type == RPCRT__WIRE_VARINT && field.value != 0) {
            method->flags |= field.number == METHOD_FROM_CLIENT
                                 ? RPCRT_METHOD_CLIENT_STREAMING
                             : field.number == METHOD_FROM_SERVER
                                 ? RPCRT_METHOD_SERVER_STREAMING
                                 : 0;
        }
    }
    if (rpcrt__types_ok(types)) {
        method->path = path_make(types, symbol, name);
        method->request = message_of(types, symbol, request);
        method->reply = message_of(types, symbol, reply);
    }
}

void
rpcrt__types_make_service(struct rpcrt_types *types,
                          struct rpcrt__types_symbol *symbol)
{
    struct rpcrt__fields fields = symbol->proto;
    size_t n_max = rpcrt__types_count(types, fields, SERVICE_METHOD);
    struct rpcrt_method *methods =
        rpcrt__types_alloc(types, n_max + 1, sizeof *methods);
    struct rpcrt__wire_field field;
    size_t n = 0;

    while (rpcrt__types_next(types, &fields, &field)) {
        if (rpcrt__field_is(&field, SERVICE_METHOD)) {
            method_make(types, symbol, field.bytes, &methods[n++]);
        }
    }
    symbol->made.service.name = symbol->name;
    symbol->made.service.methods = methods;
    symbol->made.service.n_methods = n;
    symbol->made.service.file = &symbol->file->file;
}
