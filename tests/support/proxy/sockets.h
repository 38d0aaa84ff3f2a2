/*
 * Sockets of the proxy: addresses like tcp://HOST:PORT, and the few options
 * that a socket needs to pass bytes on as they come.
 */
#ifndef TESTS_SUPPORT_PROXY_SOCKETS_H
#define TESTS_SUPPORT_PROXY_SOCKETS_H

#include "common/error.h"

#include <stddef.h>
#include <sys/socket.h>

struct proxy_target {
    struct sockaddr_storage address;
    socklen_t size;
};

/* Look tcp://HOST:PORT up; may wait for a name server. INVALID_ARGUMENT or
 * UNAVAILABLE. */
RPCRT_MUST_CHECK enum rpcrt_code
proxy_target_find(const char *address, struct common_error *ret_error,
                  struct proxy_target *ret_target);

/* Listen there (port 0: a free one), and the address as a client dials it. */
RPCRT_MUST_CHECK enum rpcrt_code
proxy_socket_listen(const char *address, struct common_error *ret_error,
                    int *ret_fd, char *ret_address, size_t size);

/* Begin to connect; -1 if that fails at once. */
int proxy_socket_connect(const struct proxy_target *target);

/* Take a connection; -1 if there is none. */
int proxy_socket_accept(int listen_fd);

#endif
