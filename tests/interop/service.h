/*
 * gRPC's test service, as its description of the interoperation tests asks for
 * it; a server for peers of any kind.
 */
#ifndef TESTS_INTEROP_SERVICE_H
#define TESTS_INTEROP_SERVICE_H

#include "grpc/testing/test.server.h"

/* Metadata that the server sends back: as a header, and as a trailer. */
#define ECHO_INITIAL "x-grpc-test-echo-initial"
#define ECHO_TRAILING "x-grpc-test-echo-trailing-bin"

/* Add it to a server. */
enum rpcrt_code interop_serve(struct rpcrt_server *server, void *self);

#endif
