/*
 * Inside of a health table: services with their status, and the calls that
 * watch them. One lock guards all of it; nothing of the runtime is called
 * while it is held.
 */
#ifndef RPCRT_ADMIN_HEALTH_STATE_H
#define RPCRT_ADMIN_HEALTH_STATE_H

#include "grpc/health/v1/health.server.h"
#include <pthread.h>
#include <rpcrt/health.h>

struct rpcrt__health_service {
    struct rpcrt__health_service *next;
    enum rpcrt_health_status status; /* as it was set */
    char name[];
};

/* A call to Watch. It lives in the memory of the call, which only the teller
 * finishes. */
struct rpcrt__health_watcher {
    struct rpcrt__health_watcher *next;
    struct rpcrt_health *health;
    struct rpcrt_ctx *ctx;
    const char *service;
    enum rpcrt_health_status sent; /* the last one that the client was told */
    bool told;                     /* there was one */
    bool full;                     /* the client must read first */
    bool lost;                     /* it was cancelled */
};

struct rpcrt_health {
    pthread_mutex_t lock;
    struct rpcrt__health_service *services;
    bool shut;  /* everything is NOT_SERVING */
    bool ended; /* watching is over */

    /* The teller is the thread that sends to watchers, and takes them out of
     * the list. */
    pthread_t teller;
    pthread_cond_t woken;
    bool awake; /* there may be something to tell */
    bool closing;
    struct rpcrt__health_watcher *watchers;
};

/* What is to be told of a service now. [locked] */
enum rpcrt_health_status
rpcrt__health_status_of(const struct rpcrt_health *health, const char *service);

/* Let the teller look. [locked] */
void rpcrt__health_wake(struct rpcrt_health *health);

/* The teller: arg is the table. */
void *rpcrt__health_tell(void *arg);

/* The handler of Watch. */
enum rpcrt_code
rpcrt__health_watch(void *self, struct rpcrt_ctx *ctx,
                    const Grpc__Health__V1__HealthCheckRequest *request);

#endif
