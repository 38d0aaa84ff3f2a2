/*
 * Reflection: a server tells clients that have no generated code, as rpcctl or
 * grpcurl, which services it offers and what their messages look like
 * (grpc.reflection.v1 and v1alpha). Link with rpcrt-admin.
 */
#ifndef RPCRT_REFLECTION_H
#define RPCRT_REFLECTION_H

#include <rpcrt/server.h>

RPCRT_BEGIN_DECLS

/**
 * Tell of every service of the server, also of those added later. Before
 * listening.
 *
 * Returns  as rpcrt_server_add(): OK; ALREADY_EXISTS; FAILED_PRECONDITION once
 *          the server listens; RESOURCE_EXHAUSTED.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_reflection_serve(struct rpcrt_server *server);

RPCRT_END_DECLS

#endif
