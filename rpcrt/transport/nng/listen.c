/*
 * The listeners of a server link, and the connections that come through them.
 *
 * A listener is never closed by itself: that would end its connections, which
 * still have replies to get. It goes with the socket.
 */
#include "transport/nng/server_link.h"
#include "core/alloc.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* -- connections ----------------------------------------------------------- */

/* The address of the listener that a pipe came through. */
static void
listener_address(struct rpcrt__server_link *link, nng_pipe pipe,
                 char ret_address[RPCRT_ADDRESS_SIZE])
{
    int id = nng_listener_id(nng_pipe_listener(pipe));
    struct rpcrt__server_listener *listener;
    ret_address[0] = '\0';
    pthread_mutex_lock(&link->lock);
    for (listener = link->listeners; listener != NULL;
         listener = listener->next) {
        if (nng_listener_id(listener->listener) == id) {
            memcpy(ret_address, listener->address, RPCRT_ADDRESS_SIZE);
            break;
        }
    }
    pthread_mutex_unlock(&link->lock);
}

static void
peer_came(struct rpcrt__server_link *link, nng_pipe pipe)
{
    uint32_t peer = pipe.id;
    char listener[RPCRT_ADDRESS_SIZE];
    char address[RPCRT_ADDRESS_SIZE];
    char name[RPCRT__TLS_NAME_SIZE];
    struct rpcrt__peer_info info = {.address = address, .name = NULL};
    bool known;
    if (rpcrt__gate_closed(&link->gate)) {
        (void)nng_pipe_close(pipe);
        return;
    }
    listener_address(link, pipe, listener);
    rpcrt__address_of_peer(pipe, listener, address);
    if (strncmp(listener, "tls", 3) == 0 && rpcrt__tls_peer_name(pipe, name)) {
        info.name = name;
    }
    pthread_mutex_lock(&link->lock);
    known = rpcrt__peers_add(&link->peers, peer);
    pthread_mutex_unlock(&link->lock);
    if (!known) {
        (void)nng_pipe_close(pipe);
    } else if (!link->events.on_peer(link->arg, peer, &info)) {
        pthread_mutex_lock(&link->lock);
        (void)rpcrt__peers_remove(&link->peers, peer);
        pthread_mutex_unlock(&link->lock);
        (void)nng_pipe_close(pipe);
    }
}

static void
peer_went(struct rpcrt__server_link *link, nng_pipe pipe)
{
    uint32_t peer = pipe.id;
    bool known;
    pthread_mutex_lock(&link->lock);
    known = rpcrt__peers_remove(&link->peers, peer);
    pthread_mutex_unlock(&link->lock);
    if (known && !rpcrt__gate_closed(&link->gate)) {
        link->events.on_peer_gone(link->arg, peer);
    }
}

void
rpcrt__server_link_pipe_event(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    if (event == NNG_PIPE_EV_ADD_PRE) {
        peer_came(arg, pipe);
    } else {
        peer_went(arg, pipe);
    }
}

/* The address of a listener, with the port that it took. */
static void
address_copy(struct rpcrt__server_listener *listener,
             char ret_address[RPCRT_ADDRESS_SIZE])
{
    pthread_mutex_lock(&listener->link->lock);
    memcpy(ret_address, listener->address, RPCRT_ADDRESS_SIZE);
    pthread_mutex_unlock(&listener->link->lock);
}

static void
handshake_failed(void *arg, const char *peer, const char *reason)
{
    struct rpcrt__server_listener *listener = arg;
    struct rpcrt__server_link *link = listener->link;
    char address[RPCRT_ADDRESS_SIZE];
    char line[RPCRT_TEXT_SIZE];
    if (rpcrt__gate_closed(&link->gate)) {
        return;
    }
    address_copy(listener, address);
    (void)snprintf(line, sizeof(line), "%s: TLS handshake with %s failed: %s",
                   address, peer != NULL ? peer : "a client", reason);
    link->events.on_warning(link->arg, line, true);
}

#ifdef NNG_HAVE_LISTENER_NOTIFY_ERROR
/* Peers that just leave, like a health check's, are no news, and TLS tells of
 * its own. */
static void
accept_failed(nng_listener id, int rv, void *arg)
{
    struct rpcrt__server_listener *listener = arg;
    struct rpcrt__server_link *link = listener->link;
    char address[RPCRT_ADDRESS_SIZE];
    struct rpcrt__error error;
    (void)id;
    if ((rv != NNG_EPROTO && rv != NNG_ENOFILES && rv != NNG_ENOMEM) ||
        rpcrt__gate_closed(&link->gate)) {
        return;
    }
    address_copy(listener, address);
    (void)rpcrt__nng_error(&error, rv, "accept", address);
    link->events.on_warning(link->arg, error.text, rv == NNG_EPROTO);
}
#endif

/* -- listeners ------------------------------------------------------------- */

/* nng removes the socket file of a dead server by itself, but takes any file
 * for one. */
static enum rpcrt_code
check_path(const struct rpcrt__address *address, const char *text,
           struct rpcrt__error *ret_error)
{
    struct stat st;
    if (lstat(address->rest, &st) == 0 && !S_ISSOCK(st.st_mode)) {
        return rpcrt__error_set(
            ret_error, RPCRT_UNAVAILABLE,
            "listen %s: a file that is no socket is in the way", text);
    }
    return RPCRT_OK;
}

/* Write the address to dial: what was given, with the port that was taken. */
static void
bound_address(const struct rpcrt__server_listener *listener,
              const struct rpcrt__address *address,
              char ret_address[RPCRT_ADDRESS_SIZE])
{
    const char *scheme =
        address->scheme == RPCRT__TLS_TCP ? "tls+tcp://" : "tcp://";
    int port;
    if (address->host[0] == '\0' ||
        nng_listener_get_int(listener->listener, NNG_OPT_TCP_BOUND_PORT,
                             &port) != 0) {
        memcpy(ret_address, listener->address, RPCRT_ADDRESS_SIZE);
        return;
    }
    (void)snprintf(ret_address, RPCRT_ADDRESS_SIZE, "%s%s%.220s%s:%d", scheme,
                   address->host_v6 ? "[" : "", address->host,
                   address->host_v6 ? "]" : "", port);
}

/* Make nng's listener; `listener` is in the list already. */
static int
listener_start(struct rpcrt__server_link *link,
               struct rpcrt__server_listener *listener)
{
    nng_listener made;
    int rv = nng_listener_create(&made, link->socket, listener->address);
    if (rv != 0) {
        return rv;
    }
    pthread_mutex_lock(&link->lock);
    listener->listener = made;
    pthread_mutex_unlock(&link->lock);
    if (listener->tls != NULL) {
        rv = nng_listener_set_ptr(made, NNG_OPT_TLS_CONFIG,
                                  rpcrt__tls_end_config(listener->tls));
        if (rv != 0) {
            return rv;
        }
    }
#ifdef NNG_HAVE_LISTENER_NOTIFY_ERROR
    rv = nng_listener_notify_error(made, accept_failed, listener);
    if (rv != 0) {
        return rv;
    }
#endif
    return nng_listener_start(made, 0);
}

static enum rpcrt_code
listener_new(struct rpcrt__server_link *link, const char *address,
             struct rpcrt__tls_identity *tls, struct rpcrt__error *ret_error,
             struct rpcrt__server_listener **ret_listener)
{
    struct rpcrt__server_listener *listener;
    listener = rpcrt__calloc(1, sizeof(*listener));
    if (listener == NULL) {
        return rpcrt__nng_error(ret_error, NNG_ENOMEM, "listen", address);
    }
    listener->link = link;
    (void)snprintf(listener->address, sizeof(listener->address), "%s", address);
    if (tls != NULL) {
        struct rpcrt__tls_end_options end = {
            .identity = tls,
            .server = true,
            .report = handshake_failed,
            .arg = listener,
        };
        enum rpcrt_code code =
            rpcrt__tls_end_new(&end, ret_error, &listener->tls);
        if (code != RPCRT_OK) {
            rpcrt__free(listener);
            return code;
        }
    }
    *ret_listener = listener;
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__server_link_listen(struct rpcrt__server_link *link, const char *address,
                          struct rpcrt__tls_identity *tls,
                          struct rpcrt__error *ret_error, char *ret_address)
{
    struct rpcrt__address parsed;
    struct rpcrt__server_listener *listener = NULL;
    enum rpcrt_code code;
    int rv;
    code = rpcrt__address_check(address, tls != NULL, true, ret_error);
    if (code != RPCRT_OK) {
        return code;
    }
    (void)rpcrt__address_parse(address, true, ret_error, &parsed);
    if (parsed.scheme == RPCRT__IPC) {
        code = check_path(&parsed, address, ret_error);
        if (code != RPCRT_OK) {
            return code;
        }
    }
    if (!rpcrt__gate_enter(&link->gate)) {
        return rpcrt__nng_error(ret_error, NNG_ECLOSED, "listen", address);
    }
    code = listener_new(link, address, tls, ret_error, &listener);
    if (code == RPCRT_OK && listener != NULL) {
        /* A connection can come before nng_listener_start() returns. */
        pthread_mutex_lock(&link->lock);
        listener->next = link->listeners;
        link->listeners = listener;
        pthread_mutex_unlock(&link->lock);
        rv = listener_start(link, listener);
        if (rv != 0) {
            code = rpcrt__nng_error(ret_error, rv, "listen", address);
        } else {
            bound_address(listener, &parsed, ret_address);
            pthread_mutex_lock(&link->lock);
            memcpy(listener->address, ret_address, RPCRT_ADDRESS_SIZE);
            pthread_mutex_unlock(&link->lock);
        }
    }
    rpcrt__gate_leave(&link->gate);
    return code;
}

void
rpcrt__server_link_listeners_free(struct rpcrt__server_link *link)
{
    while (link->listeners != NULL) {
        struct rpcrt__server_listener *listener = link->listeners;
        link->listeners = listener->next;
        rpcrt__tls_end_free(listener->tls);
        rpcrt__free(listener);
    }
}
