/*
 * The service Kv of kv.proto on an engine: who may call, what a call asks of
 * the engine, what it answers.
 */
#ifndef KV_SERVICE_H
#define KV_SERVICE_H

#include "kv/engine.h"
#include "kv/tokens.h"

#include <rpcrt/auth.h>
#include <rpcrt/server.h>

/* The namespace of everybody where there are no tokens. */
#define KVS_SPACE_DEFAULT "default"

struct kvs_service {
    struct kvs_engine *engine;
    const struct kvs_tokens *tokens; /* NULL: everybody may do everything */
    struct rpcrt_auth auth;          /* by them; kvs_service_serve() fills it */
};

/**
 * Serve. Before the server listens. What does not wait for a disk is declared
 * non-blocking.
 *
 * service  kept; it and the engine outlive the server
 * Returns  what kv_serve() and rpcrt_server_set_blocking() return.
 */
RPCRT_MUST_CHECK enum rpcrt_code kvs_service_serve(struct rpcrt_server *server,
                                                   struct kvs_service *service);

#endif
