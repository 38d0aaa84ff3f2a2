/*
 * What a server offers: a table of methods, sorted by path, that is complete
 * before it listens.
 */
#include "server/server.h"

#include "core/alloc.h"
#include <string.h>

#define STREAMING                                                              \
    (RPCRT_METHOD_CLIENT_STREAMING | RPCRT_METHOD_SERVER_STREAMING)

static int
compare_path(const char *path, size_t size, const char *other)
{
    size_t other_size = strlen(other);
    int order = memcmp(path, other, size < other_size ? size : other_size);

    if (order == 0 && size != other_size) {
        order = size < other_size ? -1 : 1;
    }
    return order;
}

/* The place of a path in the sorted table, there or not. */
static size_t
place_of(const struct rpcrt_server *server, const char *path, size_t size,
         bool *ret_found)
{
    size_t low = 0;
    size_t high = server->n_methods;

    *ret_found = false;
    while (low < high && !*ret_found) {
        size_t middle = low + (high - low) / 2;
        int order =
            compare_path(path, size, server->methods[middle].method->path);

        if (order == 0) {
            *ret_found = true;
            low = middle;
        } else if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

const struct rpcrt__served *
rpcrt__server_find(const struct rpcrt_server *server, const char *path,
                   size_t size)
{
    bool found;
    size_t place = place_of(server, path, size, &found);

    return found ? &server->methods[place] : NULL;
}

static enum rpcrt_code
check_addition(const struct rpcrt_server *server,
               const struct rpcrt_service *service, struct rpcrt__error *error)
{
    if (server->listening) {
        return rpcrt__error_set(error, RPCRT_FAILED_PRECONDITION,
                                "service %s: the server listens already",
                                service->name);
    }
    for (size_t i = 0; i < service->n_methods; i++) {
        const char *path = service->methods[i].path;

        if (strlen(path) > RPCRT_METHOD_PATH_MAX) {
            return rpcrt__error_set(error, RPCRT_INVALID_ARGUMENT,
                                    "method %s: a path has %u bytes at the "
                                    "most",
                                    path, RPCRT_METHOD_PATH_MAX);
        }
        if (rpcrt__server_find(server, path, strlen(path)) != NULL) {
            return rpcrt__error_set(error, RPCRT_ALREADY_EXISTS,
                                    "method %s is served already", path);
        }
    }
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt_server_add(struct rpcrt_server *server,
                 const struct rpcrt_service *service,
                 rpcrt_glue_fn *const *glue, const void *table, void *self)
{
    struct rpcrt__error error;
    struct rpcrt__served *larger;

    if (check_addition(server, service, &error) != RPCRT_OK) {
        return rpcrt__last_error_set(&error);
    }
    larger = rpcrt__calloc(server->n_methods + service->n_methods + 1,
                           sizeof larger[0]);
    if (larger == NULL) {
        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                               "service %s: no memory", service->name);
        return rpcrt__last_error_set(&error);
    }
    if (server->n_methods > 0) {
        memcpy(larger, server->methods, server->n_methods * sizeof larger[0]);
    }
    rpcrt__free(server->methods);
    server->methods = larger;
    for (size_t i = 0; i < service->n_methods; i++) {
        const struct rpcrt_method *method = &service->methods[i];
        bool found;
        size_t place =
            place_of(server, method->path, strlen(method->path), &found);

        memmove(&larger[place + 1], &larger[place],
                (server->n_methods - place) * sizeof larger[0]);
        larger[place] = (struct rpcrt__served){
            .method = method,
            .glue = glue[i],
            .table = table,
            .self = self,
            .may_block = (method->flags & RPCRT_METHOD_NONBLOCKING) == 0 ||
                         (method->flags & STREAMING) != 0};
        server->n_methods++;
    }
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt_server_set_blocking(struct rpcrt_server *server, const char *path,
                          bool may_block)
{
    struct rpcrt__error error;
    bool found;
    size_t place = place_of(server, path, strlen(path), &found);

    if (server->listening) {
        (void)rpcrt__error_set(&error, RPCRT_FAILED_PRECONDITION,
                               "method %s: the server listens already", path);
        return rpcrt__last_error_set(&error);
    }
    if (!found) {
        (void)rpcrt__error_set(&error, RPCRT_NOT_FOUND,
                               "method %s is not served", path);
        return rpcrt__last_error_set(&error);
    }
    if (!may_block && (server->methods[place].method->flags & STREAMING) != 0) {
        (void)rpcrt__error_set(&error, RPCRT_INVALID_ARGUMENT,
                               "method %s has streams, so it may block", path);
        return rpcrt__last_error_set(&error);
    }
    server->methods[place].may_block = may_block;
    return RPCRT_OK;
}
