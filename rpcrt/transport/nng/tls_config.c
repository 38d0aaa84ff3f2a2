/*
 * The settings that every connection of an identity shares: TLS 1.2 with
 * forward secrecy and authenticated encryption only, no renegotiation, no
 * session kept. Which certificates there are is left to tls_identity.c.
 */
#include "transport/nng/tls_engine.h"

#include <errno.h>
#include <mbedtls/entropy.h>
#include <sys/random.h>
#include <sys/types.h>

static const int suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};

/* Of key exchange and of keys in certificates. P-256 is mbedTLS's fastest. */
static const mbedtls_ecp_group_id curves[] = {
    MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519,
    MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_SECP521R1,
    MBEDTLS_ECP_DP_NONE,
};

static const int hashes[] = {
    MBEDTLS_MD_SHA256,
    MBEDTLS_MD_SHA384,
    MBEDTLS_MD_SHA512,
    MBEDTLS_MD_NONE,
};

/* The kernel's generator is seeded, safe to use from many threads and after a
 * fork, and leaves no state with us. */
static int
kernel_random(void *arg, unsigned char *bytes, size_t size)
{
    size_t n = 0;
    ssize_t got;

    (void)arg;
    while (n < size) {
        got = getrandom(bytes + n, size - n, 0);
        if (got < 0 && errno != EINTR) {
            return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
        }
        n += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static int
auth_mode(const struct rpcrt__tls_identity *identity, bool client_cert_optional)
{
    if (!identity->server) {
        return MBEDTLS_SSL_VERIFY_REQUIRED;
    }
    if (!identity->has_ca) {
        return MBEDTLS_SSL_VERIFY_NONE; /* asks for no certificate */
    }
    return client_cert_optional ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                : MBEDTLS_SSL_VERIFY_REQUIRED;
}

int
rpcrt__tls_config_init(struct rpcrt__tls_identity *identity,
                       bool client_cert_optional)
{
    mbedtls_ssl_config *config = &identity->config;
    int rc;

    rc = mbedtls_ssl_config_defaults(
        config,
        identity->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (rc != 0) {
        return rc;
    }
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_curves(config, curves);
    mbedtls_ssl_conf_sig_hashes(config, hashes);
    mbedtls_ssl_conf_cert_profile(config, &mbedtls_x509_crt_profile_next);
    mbedtls_ssl_conf_rng(config, kernel_random, NULL);
    mbedtls_ssl_conf_authmode(config,
                              auth_mode(identity, client_cert_optional));
    mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
    mbedtls_ssl_conf_legacy_renegotiation(config,
                                          MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION);
    mbedtls_ssl_conf_extended_master_secret(config,
                                            MBEDTLS_SSL_EXTENDED_MS_ENABLED);
    if (!identity->server) {
        mbedtls_ssl_conf_session_tickets(config,
                                         MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    }
    if (identity->has_ca) {
        mbedtls_ssl_conf_ca_chain(config, &identity->ca, NULL);
    }
    if (identity->has_cert) {
        return mbedtls_ssl_conf_own_cert(config, &identity->cert,
                                         &identity->key);
    }
    return 0;
}
