/*
 * rpcctl and the reflection of others: an old server that has v1alpha only, and
 * servers that answer nonsense.
 */
#include "grpc/reflection/v1alpha/reflection.server.h"
#include "rpcctl/desk.h"

#include <rpcrt/gen.h>
#include <stdatomic.h>

#define REQUEST(which)                                                         \
    GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##which
#define RESPONSE(which)                                                        \
    GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##which

/* What a server answers when it is asked for a file. */
enum manner { HONEST, MALFORMED, LISTS, ENDS };

static enum rpcrt_code
send_list(struct rpcrt_ctx *ctx)
{
    static const char name[] = "probe.v1.Probe";
    Grpc__Reflection__V1alpha__ServerReflectionResponse response;
    Grpc__Reflection__V1alpha__ListServiceResponse list;
    Grpc__Reflection__V1alpha__ServiceResponse service;
    Grpc__Reflection__V1alpha__ServiceResponse *services[] = {&service};

    grpc__reflection__v1alpha__server_reflection_response__init(&response);
    grpc__reflection__v1alpha__list_service_response__init(&list);
    grpc__reflection__v1alpha__service_response__init(&service);
    service.name = rpcrt_ctx_copy(ctx, name, sizeof name - 1);
    list.n_service = 1;
    list.service = services;
    response.message_response_case = RESPONSE(LIST_SERVICES_RESPONSE);
    response.list_services_response = &list;
    return grpc_reflection_v1alpha_server_reflection_server_reflection_info_reply(
        ctx, &response);
}

static enum rpcrt_code
send_file(struct rpcrt_ctx *ctx, const void *data, size_t size)
{
    Grpc__Reflection__V1alpha__ServerReflectionResponse response;
    Grpc__Reflection__V1alpha__FileDescriptorResponse files;
    ProtobufCBinaryData file = {size, rpcrt_ctx_copy(ctx, data, size)};

    grpc__reflection__v1alpha__server_reflection_response__init(&response);
    grpc__reflection__v1alpha__file_descriptor_response__init(&files);
    files.n_file_descriptor_proto = 1;
    files.file_descriptor_proto = &file;
    response.message_response_case = RESPONSE(FILE_DESCRIPTOR_RESPONSE);
    response.file_descriptor_response = &files;
    return grpc_reflection_v1alpha_server_reflection_server_reflection_info_reply(
        ctx, &response);
}

/* That a file or symbol is not there. */
static enum rpcrt_code
send_error(struct rpcrt_ctx *ctx)
{
    Grpc__Reflection__V1alpha__ServerReflectionResponse response;
    Grpc__Reflection__V1alpha__ErrorResponse error;

    grpc__reflection__v1alpha__server_reflection_response__init(&response);
    grpc__reflection__v1alpha__error_response__init(&error);
    error.error_code = RPCRT_NOT_FOUND;
    response.message_response_case = RESPONSE(ERROR_RESPONSE);
    response.error_response = &error;
    return grpc_reflection_v1alpha_server_reflection_server_reflection_info_reply(
        ctx, &response);
}

/* The file of a symbol alone: what it imports is asked for by name. */
static enum rpcrt_code
answer(enum manner manner, struct rpcrt_ctx *ctx,
       const Grpc__Reflection__V1alpha__ServerReflectionRequest *request)
{
    const struct rpcrt_file *file = &support_probe_proto;

    if (request->message_request_case == REQUEST(LIST_SERVICES) ||
        manner == LISTS) {
        return send_list(ctx);
    }
    if (request->message_request_case != REQUEST(FILE_CONTAINING_SYMBOL) ||
        strncmp(request->file_containing_symbol, "probe.v1", 8) != 0) {
        return send_error(ctx);
    }
    switch (manner) {
    case ENDS:
        return rpcrt_ctx_fail(ctx, RPCRT_ABORTED, "no more");
    case MALFORMED:
        return send_file(ctx, "\x0a\x7f", 2);
    case HONEST:
    case LISTS:
    default:
        return send_file(ctx, file->descriptor, file->descriptor_size);
    }
}

static enum rpcrt_code
reflect(void *self, struct rpcrt_ctx *ctx)
{
    const Grpc__Reflection__V1alpha__ServerReflectionRequest *request;
    enum rpcrt_code code;

    for (;;) {
        code =
            grpc_reflection_v1alpha_server_reflection_server_reflection_info_receive(
                ctx, &request);
        if (code != RPCRT_OK || request == NULL) {
            return code;
        }
        code =
            answer((enum manner)atomic_load((atomic_int *)self), ctx, request);
        if (code != RPCRT_OK) {
            return code;
        }
    }
}

static enum rpcrt_code
serve_old(struct rpcrt_server *server, void *self)
{
    static const struct grpc_reflection_v1alpha_server_reflection_service
        service = {.server_reflection_info = reflect};

    return grpc_reflection_v1alpha_server_reflection_serve(server, &service,
                                                           self);
}

Test(reflected, an_old_server_is_asked_in_its_own_version, .timeout = 60)
{
    atomic_int manner = HONEST;
    struct desk desk;

    memset(&desk, 0, sizeof desk);
    bed_open_with(&desk.bed, "ipc", serve_old, &manner);
    EXPECT_EXIT(&desk, 0, RPCCTL_REFLECTED(&desk, "ls"));
    EXPECT_OUT(&desk, "probe.v1.Probe\n");
    EXPECT_EXIT(
        &desk, 0,
        RPCCTL_REFLECTED(&desk, "call", "Echo", "payload=aGk=", "--json"));
    EXPECT_OUT(&desk, "{\"payload\":\"aGk=\"}\n");
    bed_close(&desk.bed);
}

Test(reflected, nonsense_is_told_and_harms_nobody, .timeout = 60)
{
    atomic_int manner = MALFORMED;
    struct desk desk;

    memset(&desk, 0, sizeof desk);
    bed_open_with(&desk.bed, "ipc", serve_old, &manner);
    EXPECT_EXIT(&desk, 1, RPCCTL_REFLECTED(&desk, "ls"));
    EXPECT_IN(desk.result.err, "its reflection: a descriptor");
    atomic_store(&manner, ENDS);
    EXPECT_EXIT(&desk, 64 + RPCRT_ABORTED, RPCCTL_REFLECTED(&desk, "ls"));
    EXPECT_IN(desk.result.err, "ABORTED: no more");
    atomic_store(&manner, LISTS);
    EXPECT_EXIT(&desk, 0, RPCCTL_REFLECTED(&desk, "ls"));
    EXPECT_OUT(&desk, "");
    bed_close(&desk.bed);
}
