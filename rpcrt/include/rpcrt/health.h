/*
 * Health of a server, told to load balancers, supervisors and people by gRPC's
 * protocol grpc.health.v1 (Check, List, Watch). Link with rpcrt-admin.
 *
 *   rpcrt_health_new(&health);
 *   rpcrt_health_serve(server, health);     before listening
 *   rpcrt_health_set(health, "kv.v1.Kv", RPCRT_HEALTH_NOT_SERVING);
 *   rpcrt_server_free(server);
 *   rpcrt_health_free(health);
 *
 * While the server drains everything is NOT_SERVING.
 */
#ifndef RPCRT_HEALTH_H
#define RPCRT_HEALTH_H

#include <rpcrt/call.h>
#include <rpcrt/server.h>

RPCRT_BEGIN_DECLS

struct rpcrt_health;

/* Numbers of the protocol. */
enum rpcrt_health_status {
    RPCRT_HEALTH_UNKNOWN = 0,
    RPCRT_HEALTH_SERVING = 1,
    RPCRT_HEALTH_NOT_SERVING = 2,
    RPCRT_HEALTH_SERVICE_UNKNOWN = 3 /* no such service */
};

/**
 * Make a table of services and their status; it has a thread that tells the
 * watchers.
 *
 * Returns  OK, or RESOURCE_EXHAUSTED without memory or thread.
 * Owner    the caller, who frees it after the server.
 * Threads  any, for what follows.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_health_new(struct rpcrt_health **ret_health);

/** Free it; the server that serves it must be gone. NULL does nothing. */
RPCRT_API void rpcrt_health_free(struct rpcrt_health *health);

/**
 * Serve the table. What the server offers by now, and the server as a whole,
 * is SERVING, unless rpcrt_health_set() has said something else of it. Check
 * and List are answered also while all workers are busy. One table to a
 * server.
 *
 * Returns  as rpcrt_server_add(): OK; ALREADY_EXISTS; FAILED_PRECONDITION once
 *          the server listens; RESOURCE_EXHAUSTED.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_health_serve(struct rpcrt_server *server, struct rpcrt_health *health);

/**
 * Set the status of a service and tell who watches it; waits for nobody.
 *
 * service  its full name, "kv.v1.Kv"; "" is the server as a whole
 * status   SERVICE_UNKNOWN forgets the service
 * Returns  OK, RESOURCE_EXHAUSTED without memory, or INVALID_ARGUMENT for a
 *          status that is none.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_health_set(struct rpcrt_health *health, const char *service,
                 enum rpcrt_health_status status);

/** Make everything NOT_SERVING for good; rpcrt_server_drain() does so by
 * itself. For who wants load balancers to look elsewhere some time before. */
RPCRT_API void rpcrt_health_shutdown(struct rpcrt_health *health);

/**
 * For clients: ask a server for the status of a service, "" for the server as
 * a whole.
 *
 * Returns  how the call ended: NOT_FOUND if the server knows no such service,
 *          UNIMPLEMENTED if it does not tell.
 * Threads  as for any use of a call.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_health_check(struct rpcrt_call *call, const char *service,
                   enum rpcrt_health_status *ret_status);

/** A status for people and logs: "SERVING". Static text. */
RPCRT_API const char *rpcrt_health_status_name(enum rpcrt_health_status status);

RPCRT_END_DECLS

#endif
