/*
 * Reflection: a stream of questions and answers, in two versions that differ in
 * the name of their package alone. What is told are the descriptors in the
 * generated code of the services.
 */
#include <rpcrt/reflection.h>

#include "admin/answer.h"
#include "grpc/reflection/v1/reflection.server.h"
#include "grpc/reflection/v1alpha/reflection.rpc.h"

static bool
collect(const struct rpcrt_server *server, struct rpcrt__files *files)
{
    const struct rpcrt_service *service;
    bool ok = true;
    size_t i;

    for (i = 0; ok && (service = rpcrt_server_service(server, i)) != NULL;
         i++) {
        ok = service->file == NULL || rpcrt__files_add(files, service->file);
    }
    return ok;
}

static enum rpcrt_code
answer_one(const struct rpcrt_server *server, const struct rpcrt__files *files,
           struct rpcrt_ctx *ctx,
           const Grpc__Reflection__V1__ServerReflectionRequest *request)
{
    struct rpcrt__answer answer;
    enum rpcrt_code code;

    if (rpcrt__answer_make(&answer, server, files, request)) {
        code =
            grpc_reflection_v1_server_reflection_server_reflection_info_reply(
                ctx, &answer.message);
    } else {
        code = rpcrt_ctx_no_memory(ctx);
    }
    rpcrt__answer_fini(&answer);
    return code;
}

/* The handler of both versions. */
static enum rpcrt_code
answer_all(void *self, struct rpcrt_ctx *ctx)
{
    const struct rpcrt_server *server = self;
    const Grpc__Reflection__V1__ServerReflectionRequest *request;
    struct rpcrt__files files = {NULL, 0, 0};
    enum rpcrt_code code = RPCRT_OK;

    if (!collect(server, &files)) {
        code = rpcrt_ctx_no_memory(ctx);
    }
    while (code == RPCRT_OK) {
        code =
            grpc_reflection_v1_server_reflection_server_reflection_info_receive(
                ctx, &request);
        if (code != RPCRT_OK || request == NULL) {
            break;
        }
        code = answer_one(server, &files, ctx, request);
    }
    rpcrt__files_fini(&files);
    return code;
}

static const struct grpc_reflection_v1_server_reflection_service handlers = {
    .server_reflection_info = answer_all};

/* -- v1alpha: its file, with the messages of v1 ---------------------------- */

static const struct rpcrt_method alpha_method = {
    .path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    .request = &grpc__reflection__v1__server_reflection_request__descriptor,
    .reply = &grpc__reflection__v1__server_reflection_response__descriptor,
    .flags = RPCRT_METHOD_CLIENT_STREAMING | RPCRT_METHOD_SERVER_STREAMING};

static const struct rpcrt_service alpha = {
    .name = "grpc.reflection.v1alpha.ServerReflection",
    .methods = &alpha_method,
    .n_methods = 1,
    .file = &grpc_reflection_v1alpha_reflection_proto};

static enum rpcrt_code
alpha_glue(const void *table, void *self, struct rpcrt_ctx *ctx,
           const ProtobufCMessage *request, ProtobufCMessage *reply)
{
    (void)table;
    (void)request;
    (void)reply;
    return answer_all(self, ctx);
}

static rpcrt_glue_fn *const alpha_glues[] = {alpha_glue};

enum rpcrt_code
rpcrt_reflection_serve(struct rpcrt_server *server)
{
    enum rpcrt_code code =
        grpc_reflection_v1_server_reflection_serve(server, &handlers, server);

    return code == RPCRT_OK
               ? rpcrt_server_add(server, &alpha, alpha_glues, NULL, server)
               : code;
}
