/*
 * See sockets.h.
 */
#include "support/proxy/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "tcp://"
#define HOST_SIZE 256u
#define BACKLOG 128

/* -- addresses ------------------------------------------------------------- */

/* Host and port of tcp://HOST:PORT or tcp://[HOST]:PORT. */
static bool
address_split(const char *address, char ret_host[HOST_SIZE],
              const char **ret_port)
{
    const char *host = address + strlen(SCHEME);
    const char *colon = strrchr(address, ':');
    size_t size;

    if (strncmp(address, SCHEME, strlen(SCHEME)) != 0 || colon <= host) {
        return false;
    }
    size = (size_t)(colon - host);
    if (host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    }
    if (size == 0 || size >= HOST_SIZE || colon[1] == '\0') {
        return false;
    }
    memcpy(ret_host, host, size);
    ret_host[size] = '\0';
    *ret_port = colon + 1;
    return true;
}

enum rpcrt_code
proxy_target_find(const char *address, struct common_error *ret_error,
                  struct proxy_target *ret_target)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[HOST_SIZE];
    const char *port;
    int rc;

    if (!address_split(address, host, &port)) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%s: expected tcp://HOST:PORT", address);
    }
    rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        return common_error_set(ret_error, RPCRT_UNAVAILABLE, "%s: %s", address,
                                gai_strerror(rc));
    }
    memcpy(&ret_target->address, found->ai_addr, found->ai_addrlen);
    ret_target->size = found->ai_addrlen;
    freeaddrinfo(found);
    return RPCRT_OK;
}

/* The address of a socket of ours. */
static bool
address_print(int fd, char *text, size_t size)
{
    struct proxy_target own = {.size = sizeof(own.address)};
    char host[HOST_SIZE];
    char port[16];
    bool v6;

    if (getsockname(fd, (struct sockaddr *)&own.address, &own.size) != 0 ||
        getnameinfo((struct sockaddr *)&own.address, own.size, host,
                    sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return false;
    }
    v6 = own.address.ss_family == AF_INET6;
    return snprintf(text, size, SCHEME "%s%s%s:%s", v6 ? "[" : "", host,
                    v6 ? "]" : "", port) < (int)size;
}

/* -- sockets --------------------------------------------------------------- */

/* Nothing waits here, and no small write for a larger one. */
static void
socket_prepare(int fd)
{
    int on = 1;

    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

enum rpcrt_code
proxy_socket_listen(const char *address, struct common_error *ret_error,
                    int *ret_fd, char *ret_address, size_t size)
{
    struct proxy_target own;
    enum rpcrt_code code = proxy_target_find(address, ret_error, &own);
    int on = 1;
    int fd;

    if (code != RPCRT_OK) {
        return code;
    }
    fd = socket(own.address.ss_family, SOCK_STREAM, 0);
    if (fd < 0) {
        return common_error_errno(ret_error, RPCRT_UNAVAILABLE, errno,
                                  "can't listen on %s", address);
    }
    socket_prepare(fd);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&own.address, own.size) != 0 ||
        listen(fd, BACKLOG) != 0 || !address_print(fd, ret_address, size)) {
        code = common_error_errno(ret_error, RPCRT_UNAVAILABLE, errno,
                                  "can't listen on %s", address);
        (void)close(fd);
        return code;
    }
    *ret_fd = fd;
    return RPCRT_OK;
}

int
proxy_socket_connect(const struct proxy_target *target)
{
    int fd = socket(target->address.ss_family, SOCK_STREAM, 0);

    if (fd < 0) {
        return -1;
    }
    socket_prepare(fd);
    if (connect(fd, (const struct sockaddr *)&target->address, target->size) !=
            0 &&
        errno != EINPROGRESS) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

int
proxy_socket_accept(int listen_fd)
{
    int fd = accept(listen_fd, NULL, NULL);

    if (fd >= 0) {
        socket_prepare(fd);
    }
    return fd;
}
