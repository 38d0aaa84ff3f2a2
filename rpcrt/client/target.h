/*
 * The address of a channel as a text, and the list of servers that it stands
 * for. No locks: whoever has a list owns it.
 */
#ifndef RPCRT_CLIENT_TARGET_H
#define RPCRT_CLIENT_TARGET_H

#include "core/error.h"
#include <stdbool.h>

/* One server. */
struct rpcrt__server {
    char address[RPCRT_ADDRESS_SIZE];     /* as for rpcrt__client_link_new() */
    char server_name[RPCRT_ADDRESS_SIZE]; /* for TLS; empty: the address's */
};

struct rpcrt__servers {
    struct rpcrt__server *list;
    size_t n;
    size_t room;
};

/* How the list comes about, and so whether it changes. */
enum rpcrt__target_kind {
    RPCRT__TARGET_FIXED,
    RPCRT__TARGET_NAMES, /* names are looked up */
    RPCRT__TARGET_FILE
};

void rpcrt__servers_init(struct rpcrt__servers *servers);
void rpcrt__servers_fini(struct rpcrt__servers *servers);

/* Check the text, without I/O. INVALID_ARGUMENT with a text that names what is
 * wrong. `tls` says whether certificates were given. */
enum rpcrt_code rpcrt__target_check(const char *target, bool tls,
                                    struct rpcrt__error *ret_error,
                                    enum rpcrt__target_kind *ret_kind);

/* The servers that it stands for now, each once; looks names up and reads
 * files, which may take long. Besides the above: UNAVAILABLE for a name or a
 * file that is not to be had or names no server, RESOURCE_EXHAUSTED. What was
 * found is to be freed in any case. */
enum rpcrt_code rpcrt__target_resolve(const char *target, bool tls,
                                      struct rpcrt__error *ret_error,
                                      struct rpcrt__servers *servers);

#endif
