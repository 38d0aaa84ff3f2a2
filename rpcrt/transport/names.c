/*
 * Host names by getaddrinfo(3).
 */
#include "transport/names.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

enum rpcrt_code
rpcrt__names_look_up(const char *host, rpcrt__name_fn *fn, void *arg,
                     struct rpcrt__error *ret_error)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(host, NULL, &hints, &found);

    if (failed != 0) {
        return rpcrt__error_set(ret_error,
                                failed == EAI_MEMORY ? RPCRT_RESOURCE_EXHAUSTED
                                                     : RPCRT_UNAVAILABLE,
                                "%s: %s", host, gai_strerror(failed));
    }
    ret_error->code = RPCRT_OK;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        char text[NI_MAXHOST];
        char quoted[NI_MAXHOST + 2];

        if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) != 0) {
            continue;
        }
        (void)snprintf(quoted, sizeof quoted,
                       at->ai_family == AF_INET6 ? "[%s]" : "%s", text);
        if (!fn(arg, quoted)) {
            break;
        }
    }
    freeaddrinfo(found);
    return ret_error->code;
}
