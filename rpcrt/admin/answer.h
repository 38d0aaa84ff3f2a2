/*
 * One answer of reflection, with the memory that it needs until it is sent.
 */
#ifndef RPCRT_ADMIN_ANSWER_H
#define RPCRT_ADMIN_ANSWER_H

#include "admin/files.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

struct rpcrt__answer {
    Grpc__Reflection__V1__ServerReflectionResponse message;

    /* what the message has one of */
    Grpc__Reflection__V1__FileDescriptorResponse files;
    Grpc__Reflection__V1__ExtensionNumberResponse numbers;
    Grpc__Reflection__V1__ListServiceResponse services;
    Grpc__Reflection__V1__ErrorResponse error;
    Grpc__Reflection__V1__ServiceResponse *items; /* of services */
    char text[320];
    size_t numbers_room;
};

/**
 * Answer a request.
 *
 * files    all that the server has
 * request  part of the answer
 * Returns  false without memory. The answer is to be freed in any case.
 */
bool rpcrt__answer_make(
    struct rpcrt__answer *answer, const struct rpcrt_server *server,
    const struct rpcrt__files *files,
    const Grpc__Reflection__V1__ServerReflectionRequest *request);

void rpcrt__answer_fini(struct rpcrt__answer *answer);

#endif
