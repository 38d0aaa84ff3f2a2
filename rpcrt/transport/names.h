/*
 * Looking up the addresses of a host: the system's resolver, which may take its
 * time.
 */
#ifndef RPCRT_TRANSPORT_NAMES_H
#define RPCRT_TRANSPORT_NAMES_H

#include "core/error.h"
#include <stdbool.h>

/* Told of an address as it stands in front of a port: "10.0.0.1", "[::1]".
 * False: no more are wanted, the error has been set. */
typedef bool rpcrt__name_fn(void *arg, const char *host);

/* Look up all addresses of a host, in the order in which they are to be tried.
 * Blocks. UNAVAILABLE with a text that names the host, RESOURCE_EXHAUSTED, or
 * what the callee has set. */
enum rpcrt_code rpcrt__names_look_up(const char *host, rpcrt__name_fn *fn,
                                     void *arg, struct rpcrt__error *ret_error);

#endif
