/*
 * The way from a daemon to a service behind it: where that is, with which token
 * and certificates, as flags. Who opens it gives it all to the channel.
 */
#ifndef SERVICES_COMMON_LINK_H
#define SERVICES_COMMON_LINK_H

#include "common/flags.h"

#include <rpcrt/tls.h>

struct common_link {
    const char *address; /* NULL: the flag is missing */
    const char *token_file;
    struct rpcrt_tls tls; /* for tls+tcp:// alone */
};

/* Five flags for the table of a daemon. `service` is a literal, its name in the
 * flags ("kv": --kv, --kv-token-file, ...), `who` another, for their help. */
#define COMMON_LINK_FLAGS(service, who, link)                                  \
    COMMON_TEXT_FLAG(service, "ADDRESS", "Where " who " serves.",              \
                     &(link)->address),                                        \
        COMMON_TEXT_FLAG(service "-token-file", "FILE",                        \
                         "Its first line is the token for " who ".",           \
                         &(link)->token_file),                                 \
        COMMON_TEXT_FLAG(service "-tls-ca", "FILE",                            \
                         "Who signs the certificate of " who " (PEM).",        \
                         &(link)->tls.ca_file),                                \
        COMMON_TEXT_FLAG(service "-tls-cert", "FILE",                          \
                         "Certificate to show to " who " (PEM).",              \
                         &(link)->tls.cert_file),                              \
        COMMON_TEXT_FLAG(service "-tls-key", "FILE", "Its private key (PEM).", \
                         &(link)->tls.key_file)

#endif
