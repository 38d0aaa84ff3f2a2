/*
 * The service proxy.v1.Proxy: a proxy's controls for other processes.
 */
#ifndef TESTS_SUPPORT_PROXY_CONTROL_H
#define TESTS_SUPPORT_PROXY_CONTROL_H

#include "support/proxy/proxy.h"

#include <rpcrt/server.h>

/* Offer the service; the proxy must outlive the server. OK, or what
 * proxy_control_serve() returns. */
RPCRT_MUST_CHECK enum rpcrt_code
proxy_control_offer(struct rpcrt_server *server, struct proxy *proxy);

#endif
