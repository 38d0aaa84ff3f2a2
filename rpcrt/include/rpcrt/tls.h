/*
 * What TLS needs, on both ends: certificates by file, in PEM. A connection is
 * TLS 1.2 by mbedTLS; certificates are always verified.
 */
#ifndef RPCRT_TLS_H
#define RPCRT_TLS_H

#include <rpcrt/api.h>
#include <stdbool.h>

RPCRT_BEGIN_DECLS

/** Files are read when the channel is made or the server listens. */
struct rpcrt_tls {
    const char *ca_file;     /* who may have signed the peer's certificate */
    const char *cert_file;   /* own certificate with its chain; a server's is
                                obligatory */
    const char *key_file;    /* own key, without passphrase */
    const char *server_name; /* client: the name or IP address that the server's
                                certificate must carry; NULL: the host of the
                                address */
    bool client_cert_optional; /* server with ca_file: also take clients that
                                  show no certificate */
};

RPCRT_END_DECLS

#endif
