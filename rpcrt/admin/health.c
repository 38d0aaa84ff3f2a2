/*
 * The table of services and their status: set by the program, told by Check
 * and List. Watch is in health_watch.c.
 */
#include "admin/health_state.h"

#include <stdlib.h>
#include <string.h>

/* -- the table ------------------------------------------------------------- */

static struct rpcrt__health_service *
find_service(const struct rpcrt_health *health, const char *name)
{
    struct rpcrt__health_service *service = health->services;

    while (service != NULL && strcmp(service->name, name) != 0) {
        service = service->next;
    }
    return service;
}

static enum rpcrt_health_status
told_status(const struct rpcrt_health *health,
            const struct rpcrt__health_service *service)
{
    if (service == NULL || service->status == RPCRT_HEALTH_SERVICE_UNKNOWN) {
        return RPCRT_HEALTH_SERVICE_UNKNOWN;
    }
    return health->shut ? RPCRT_HEALTH_NOT_SERVING : service->status;
}

enum rpcrt_health_status
rpcrt__health_status_of(const struct rpcrt_health *health, const char *service)
{
    return told_status(health, find_service(health, service));
}

/* NULL without memory. [locked] */
static struct rpcrt__health_service *
add_service(struct rpcrt_health *health, const char *name)
{
    size_t size = strlen(name) + 1;
    struct rpcrt__health_service *service = malloc(sizeof *service + size);

    if (service != NULL) {
        service->status = RPCRT_HEALTH_SERVICE_UNKNOWN;
        memcpy(service->name, name, size);
        service->next = health->services;
        health->services = service;
    }
    return service;
}

enum rpcrt_code
rpcrt_health_set(struct rpcrt_health *health, const char *service,
                 enum rpcrt_health_status status)
{
    struct rpcrt__health_service *found;

    if ((unsigned)status > RPCRT_HEALTH_SERVICE_UNKNOWN) {
        return RPCRT_INVALID_ARGUMENT;
    }
    pthread_mutex_lock(&health->lock);
    found = find_service(health, service);
    if (found == NULL) {
        found = add_service(health, service);
    }
    if (found != NULL) {
        found->status = status;
        rpcrt__health_wake(health);
    }
    pthread_mutex_unlock(&health->lock);
    return found != NULL ? RPCRT_OK : RPCRT_RESOURCE_EXHAUSTED;
}

/* What the program has not spoken of is SERVING. */
static enum rpcrt_code
set_unspoken(struct rpcrt_health *health, const char *service)
{
    bool spoken;

    pthread_mutex_lock(&health->lock);
    spoken = find_service(health, service) != NULL;
    pthread_mutex_unlock(&health->lock);
    return spoken ? RPCRT_OK
                  : rpcrt_health_set(health, service, RPCRT_HEALTH_SERVING);
}

void
rpcrt_health_shutdown(struct rpcrt_health *health)
{
    pthread_mutex_lock(&health->lock);
    health->shut = true;
    rpcrt__health_wake(health);
    pthread_mutex_unlock(&health->lock);
}

/* Watchers would keep the server from draining. */
static void
on_drain(void *arg)
{
    struct rpcrt_health *health = arg;

    pthread_mutex_lock(&health->lock);
    health->shut = true;
    health->ended = true;
    rpcrt__health_wake(health);
    pthread_mutex_unlock(&health->lock);
}

/* -- handlers: neither waits ----------------------------------------------- */

static enum rpcrt_code
check(void *self, struct rpcrt_ctx *ctx,
      const Grpc__Health__V1__HealthCheckRequest *request,
      Grpc__Health__V1__HealthCheckResponse *reply)
{
    struct rpcrt_health *health = self;
    enum rpcrt_health_status status;

    pthread_mutex_lock(&health->lock);
    status = rpcrt__health_status_of(health, request->service);
    pthread_mutex_unlock(&health->lock);
    if (status == RPCRT_HEALTH_SERVICE_UNKNOWN) {
        return rpcrt_ctx_fail(ctx, RPCRT_NOT_FOUND,
                              "nothing is known of a service '%s'",
                              request->service);
    }
    reply->status =
        (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    return RPCRT_OK;
}

/* One entry of List, with all that belongs to it. */
struct listed {
    Grpc__Health__V1__HealthListResponse__StatusesEntry entry;
    Grpc__Health__V1__HealthCheckResponse value;
};

static Grpc__Health__V1__HealthListResponse__StatusesEntry *
list_entry(struct rpcrt_ctx *ctx, const char *name,
           enum rpcrt_health_status status)
{
    struct listed *listed = rpcrt_ctx_alloc(ctx, sizeof *listed);

    if (listed == NULL) {
        return NULL;
    }
    grpc__health__v1__health_list_response__statuses_entry__init(
        &listed->entry);
    grpc__health__v1__health_check_response__init(&listed->value);
    listed->value.status =
        (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    listed->entry.value = &listed->value;
    listed->entry.key = rpcrt_ctx_copy(ctx, name, strlen(name));
    return listed->entry.key != NULL ? &listed->entry : NULL;
}

static enum rpcrt_code
list(void *self, struct rpcrt_ctx *ctx,
     const Grpc__Health__V1__HealthListRequest *request,
     Grpc__Health__V1__HealthListResponse *reply)
{
    struct rpcrt_health *health = self;
    const struct rpcrt__health_service *service;
    size_t n = 0;
    bool room;

    (void)request;
    pthread_mutex_lock(&health->lock);
    for (service = health->services; service != NULL; service = service->next) {
        n++;
    }
    reply->statuses = rpcrt_ctx_alloc(ctx, n * sizeof reply->statuses[0]);
    room = reply->statuses != NULL;
    for (service = health->services; room && service != NULL;
         service = service->next) {
        enum rpcrt_health_status status = told_status(health, service);

        if (status != RPCRT_HEALTH_SERVICE_UNKNOWN) {
            reply->statuses[reply->n_statuses] =
                list_entry(ctx, service->name, status);
            room = reply->statuses[reply->n_statuses] != NULL;
            reply->n_statuses += room ? 1 : 0;
        }
    }
    pthread_mutex_unlock(&health->lock);
    return room || n == 0 ? RPCRT_OK : rpcrt_ctx_no_memory(ctx);
}

static const struct grpc_health_v1_health_service handlers = {
    .check = check, .list = list, .watch = rpcrt__health_watch};

/* -- the life of a table --------------------------------------------------- */

enum rpcrt_code
rpcrt_health_new(struct rpcrt_health **ret_health)
{
    struct rpcrt_health *health = calloc(1, sizeof *health);

    if (health == NULL) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    (void)pthread_mutex_init(&health->lock, NULL);
    (void)pthread_cond_init(&health->woken, NULL);
    if (pthread_create(&health->teller, NULL, rpcrt__health_tell, health) !=
        0) {
        (void)pthread_cond_destroy(&health->woken);
        (void)pthread_mutex_destroy(&health->lock);
        free(health);
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    *ret_health = health;
    return RPCRT_OK;
}

void
rpcrt_health_free(struct rpcrt_health *health)
{
    if (health == NULL) {
        return;
    }
    pthread_mutex_lock(&health->lock);
    health->closing = true;
    rpcrt__health_wake(health);
    pthread_mutex_unlock(&health->lock);
    (void)pthread_join(health->teller, NULL);
    while (health->services != NULL) {
        struct rpcrt__health_service *next = health->services->next;

        free(health->services);
        health->services = next;
    }
    (void)pthread_cond_destroy(&health->woken);
    (void)pthread_mutex_destroy(&health->lock);
    free(health);
}

enum rpcrt_code
rpcrt_health_serve(struct rpcrt_server *server, struct rpcrt_health *health)
{
    static const enum grpc_health_v1_health_method quick[] = {
        GRPC_HEALTH_V1_HEALTH_METHOD_CHECK, GRPC_HEALTH_V1_HEALTH_METHOD_LIST};
    const struct rpcrt_service *service;
    enum rpcrt_code code = set_unspoken(health, "");
    size_t i;

    for (i = 0; code == RPCRT_OK &&
                (service = rpcrt_server_service(server, i)) != NULL;
         i++) {
        code = set_unspoken(health, service->name);
    }
    if (code == RPCRT_OK) {
        code = grpc_health_v1_health_serve(server, &handlers, health);
    }
    for (i = 0; code == RPCRT_OK && i < sizeof quick / sizeof quick[0]; i++) {
        code = rpcrt_server_set_blocking(
            server, grpc_health_v1_health_rpc.methods[quick[i]].path, false);
    }
    if (code == RPCRT_OK) {
        code = rpcrt_server_on_drain(server, on_drain, health);
    }
    return code;
}
