/*
 * What the links need of TLS, between link code and the engine: a
 * configuration for one dialer or listener, reports of failed handshakes, and
 * the name in the peer's certificate. The tls_*.c files implement it on
 * mbedTLS through nng's engine interface.
 *
 * nng is built with its TLS transport and no engine (NNG_TLS_ENGINE=none,
 * NNG_SUPP_TLS defined). nng's initialisation clears the engine, so each
 * rpcrt__tls_end_new() starts nng and registers ours again. For each dialer and
 * listener nng makes a configuration of its own before ours replaces it, so an
 * empty one must be possible, but never shakes hands. nng calls the engine's
 * conn fini also on a zeroed connection whose init never ran (a dial that was
 * refused).
 */
#ifndef RPCRT_TRANSPORT_NNG_TLS_H
#define RPCRT_TRANSPORT_NNG_TLS_H

#include "transport/link.h"
#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

/* Longest name of a peer, its end included. */
#define RPCRT__TLS_NAME_SIZE 256u

/* A handshake failed: `peer` is the address of the other side
 * ("127.0.0.1:40312") or NULL, `reason` says why in words. Runs on a thread of
 * nng under its locks: must not block nor call nng. */
typedef void rpcrt__tls_report_fn(void *arg, const char *peer,
                                  const char *reason);

/* The TLS side of one dialer or one listener. */
struct rpcrt__tls_end;

struct rpcrt__tls_end_options {
    struct rpcrt__tls_identity *identity;
    bool server;
    const char *server_name; /* client: what the certificate must carry, a name
                                or an IP address without brackets */
    rpcrt__tls_report_fn *report; /* NULL: nobody cares */
    void *arg;
};

/* Make a configuration that nng can use. RESOURCE_EXHAUSTED,
 * FAILED_PRECONDITION. The identity outlives the end; its own server_name, if
 * it has one, goes before that of the options. */
enum rpcrt_code rpcrt__tls_end_new(const struct rpcrt__tls_end_options *options,
                                   struct rpcrt__error *ret_error,
                                   struct rpcrt__tls_end **ret_end);

/* For NNG_OPT_TLS_CONFIG, set before dialing or listening. Borrowed. */
nng_tls_config *rpcrt__tls_end_config(struct rpcrt__tls_end *end);

/* Release; when it returns no report runs or will run, and nng uses nothing of
 * the identity any more: it waits for the connections that nng's reaper has not
 * freed yet. So after nng_close(), and neither from a report nor from a
 * callback of nng. NULL does nothing. */
void rpcrt__tls_end_free(struct rpcrt__tls_end *end);

/* The common name of the verified certificate of a pipe's peer. False if there
 * is none, or the pipe is gone or not TLS. Asks nng, so not from a report. */
bool rpcrt__tls_peer_name(nng_pipe pipe, char ret_name[RPCRT__TLS_NAME_SIZE]);

#endif
