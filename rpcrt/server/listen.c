/*
 * The addresses of a server.
 */
#include "server/server.h"

#include "core/alloc.h"

static enum rpcrt_code
listen_on(struct rpcrt_server *server, struct rpcrt__listener *listener,
          const char *address, const struct rpcrt_tls *tls,
          struct rpcrt__error *ret_error)
{
    enum rpcrt_code code =
        rpcrt__address_check(address, tls != NULL, true, ret_error);

    if (code == RPCRT_OK && tls != NULL) {
        code = rpcrt__tls_identity_new(tls, true, ret_error, &listener->tls);
    }
    if (code == RPCRT_OK) {
        server->listening = true;
        code = rpcrt__server_link_listen(server->link, address, listener->tls,
                                         ret_error, listener->address);
        server->listening = code == RPCRT_OK || server->listeners != NULL;
    }
    return code;
}

enum rpcrt_code
rpcrt_server_listen(struct rpcrt_server *server, const char *address,
                    const struct rpcrt_tls *tls)
{
    struct rpcrt__listener *listener = rpcrt__calloc(1, sizeof *listener);
    struct rpcrt__listener **last = &server->listeners;
    struct rpcrt__error error;

    if (listener == NULL || address == NULL) {
        enum rpcrt_code code =
            address == NULL ? RPCRT_INVALID_ARGUMENT : RPCRT_RESOURCE_EXHAUSTED;

        rpcrt__free(listener);
        (void)rpcrt__error_set(&error, code, "listen: %s",
                               address == NULL ? "no address" : "no memory");
        return rpcrt__last_error_set(&error);
    }
    if (listen_on(server, listener, address, tls, &error) != RPCRT_OK) {
        rpcrt__tls_identity_free(listener->tls);
        rpcrt__free(listener);
        return rpcrt__last_error_set(&error);
    }
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = listener;
    return RPCRT_OK;
}

const char *
rpcrt_server_address(const struct rpcrt_server *server, size_t i)
{
    const struct rpcrt__listener *listener = server->listeners;

    while (listener != NULL && i-- > 0) {
        listener = listener->next;
    }
    return listener == NULL ? NULL : listener->address;
}
