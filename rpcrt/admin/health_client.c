/*
 * Health as a client sees it.
 */
#include "grpc/health/v1/health.client.h"
#include <rpcrt/health.h>

enum rpcrt_code
rpcrt_health_check(struct rpcrt_call *call, const char *service,
                   enum rpcrt_health_status *ret_status)
{
    Grpc__Health__V1__HealthCheckRequest request;
    const Grpc__Health__V1__HealthCheckResponse *reply;
    enum rpcrt_code code;

    grpc__health__v1__health_check_request__init(&request);
    /* protobuf-c has no const for strings; a request is only read. */
    request.service = (char *)(uintptr_t)service;
    code = grpc_health_v1_health_check(call, &request, &reply);
    if (code == RPCRT_OK) {
        *ret_status = (enum rpcrt_health_status)reply->status;
    }
    return code;
}

const char *
rpcrt_health_status_name(enum rpcrt_health_status status)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &grpc__health__v1__health_check_response__serving_status__descriptor,
        (int)status);

    return value != NULL ? value->name : "UNKNOWN";
}
