/*
 * An identity: certificates and key read from files, checked as far as they
 * can be without a peer, and made ready to be shared by many threads. What is
 * negotiated with them is in tls_config.c.
 */
#include "transport/nng/tls_engine.h"

#include "core/alloc.h"

#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <string.h>

/* Say that a file can't be used, with mbedTLS's reason. */
static enum rpcrt_code
refuse(struct rpcrt__error *error, enum rpcrt__pem_kind kind, const char *path,
       int rc)
{
    char reason[128];

    mbedtls_strerror(rc, reason, sizeof reason);
    return rpcrt__error_set(error, RPCRT_FAILED_PRECONDITION, "%s %s: %s",
                            rpcrt__pem_kind_text(kind), path, reason);
}

static enum rpcrt_code
no_memory(struct rpcrt__error *error)
{
    return rpcrt__error_set(error, RPCRT_RESOURCE_EXHAUSTED,
                            "TLS certificates: out of memory");
}

static enum rpcrt_code
read_certs(enum rpcrt__pem_kind kind, const char *path, mbedtls_x509_crt *chain,
           struct rpcrt__error *error)
{
    struct rpcrt__pem pem = {NULL, 0};
    enum rpcrt_code code;
    int rc;

    code = rpcrt__pem_read(kind, path, error, &pem);
    if (code != RPCRT_OK) {
        return code;
    }
    rc = mbedtls_x509_crt_parse(chain, pem.text, pem.size);
    if (rc < 0) {
        code = refuse(error, kind, path, rc);
    } else if (rc > 0) {
        /* Half a bundle would refuse peers without anybody knowing why. */
        code = rpcrt__error_set(error, RPCRT_FAILED_PRECONDITION,
                                "%s %s: %d of its certificates can't be read",
                                rpcrt__pem_kind_text(kind), path, rc);
    }
    rpcrt__pem_wipe(&pem);
    return code;
}

static enum rpcrt_code
read_key(const char *path, mbedtls_pk_context *key, struct rpcrt__error *error)
{
    struct rpcrt__pem pem = {NULL, 0};
    enum rpcrt_code code;
    int rc;

    code = rpcrt__pem_read(RPCRT__PEM_KEY, path, error, &pem);
    if (code != RPCRT_OK) {
        return code;
    }
    rc = mbedtls_pk_parse_key(key, pem.text, pem.size, NULL, 0);
    if (rc != 0) {
        code = refuse(error, RPCRT__PEM_KEY, path, rc);
    }
    rpcrt__pem_wipe(&pem);
    return code;
}

static enum rpcrt_code
check_files(const struct rpcrt_tls *tls, bool server,
            struct rpcrt__error *error)
{
    const char *what = NULL;

    if (server && tls->cert_file == NULL) {
        what = "a server needs cert_file";
    } else if (!server && tls->ca_file == NULL) {
        what = "a client needs ca_file, which its servers are verified by";
    } else if (tls->cert_file != NULL && tls->key_file == NULL) {
        what = "cert_file needs key_file";
    } else if (tls->cert_file == NULL && tls->key_file != NULL) {
        what = "key_file needs cert_file";
    }
    if (what != NULL) {
        return rpcrt__error_set(error, RPCRT_INVALID_ARGUMENT, "TLS: %s", what);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
copy_strings(struct rpcrt__tls_identity *identity, const struct rpcrt_tls *tls,
             struct rpcrt__error *error)
{
    if (tls->ca_file != NULL) {
        identity->ca_file = rpcrt__strdup(tls->ca_file);
        if (identity->ca_file == NULL) {
            return no_memory(error);
        }
    }
    if (tls->server_name != NULL) {
        identity->server_name = rpcrt__strdup(tls->server_name);
        if (identity->server_name == NULL) {
            return no_memory(error);
        }
    }
    return RPCRT_OK;
}

/* What the peer would refuse anyhow, and mbedTLS not offer, is refused where
 * the file can be named. */
static bool
is_for(const mbedtls_x509_crt *crt, bool server)
{
    const char *use =
        server ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH;

    return mbedtls_x509_crt_check_extended_key_usage(
               crt, use, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0 &&
           mbedtls_x509_crt_check_key_usage(
               crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0;
}

static enum rpcrt_code
read_own(struct rpcrt__tls_identity *identity, const struct rpcrt_tls *tls,
         struct rpcrt__error *error)
{
    enum rpcrt_code code;

    code = read_certs(RPCRT__PEM_CERT, tls->cert_file, &identity->cert, error);
    if (code != RPCRT_OK) {
        return code;
    }
    if (!is_for(&identity->cert, identity->server)) {
        return rpcrt__error_set(error, RPCRT_FAILED_PRECONDITION,
                                "%s %s: is not made for a %s (key usage)",
                                rpcrt__pem_kind_text(RPCRT__PEM_CERT),
                                tls->cert_file,
                                identity->server ? "server" : "client");
    }
    code = read_key(tls->key_file, &identity->key, error);
    if (code != RPCRT_OK) {
        return code;
    }
    if (mbedtls_pk_check_pair(&identity->cert.pk, &identity->key) != 0) {
        return rpcrt__error_set(error, RPCRT_FAILED_PRECONDITION,
                                "key file %s: is not the key of the "
                                "certificate in %s",
                                tls->key_file, tls->cert_file);
    }
    identity->has_cert = true;
    return RPCRT_OK;
}

static enum rpcrt_code
identity_fill(struct rpcrt__tls_identity *identity, const struct rpcrt_tls *tls,
              struct rpcrt__error *error)
{
    enum rpcrt_code code;
    int rc;

    code = copy_strings(identity, tls, error);
    if (code != RPCRT_OK) {
        return code;
    }
    if (tls->ca_file != NULL) {
        code = read_certs(RPCRT__PEM_CA, tls->ca_file, &identity->ca, error);
        if (code != RPCRT_OK) {
            return code;
        }
        identity->has_ca = true;
    }
    if (tls->cert_file != NULL) {
        code = read_own(identity, tls, error);
        if (code != RPCRT_OK) {
            return code;
        }
    }
    rc = rpcrt__tls_config_init(identity, tls->client_cert_optional);
    return rc == 0 ? RPCRT_OK : no_memory(error);
}

enum rpcrt_code
rpcrt__tls_identity_new(const struct rpcrt_tls *tls, bool server,
                        struct rpcrt__error *ret_error,
                        struct rpcrt__tls_identity **ret_tls)
{
    struct rpcrt__tls_identity *identity;
    enum rpcrt_code code;

    code = check_files(tls, server, ret_error);
    if (code != RPCRT_OK) {
        return code;
    }
    identity = rpcrt__calloc(1, sizeof *identity);
    if (identity == NULL) {
        return no_memory(ret_error);
    }
    identity->server = server;
    mbedtls_x509_crt_init(&identity->ca);
    mbedtls_x509_crt_init(&identity->cert);
    mbedtls_pk_init(&identity->key);
    mbedtls_ssl_config_init(&identity->config);

    code = identity_fill(identity, tls, ret_error);
    if (code != RPCRT_OK) {
        rpcrt__tls_identity_free(identity);
        return code;
    }
    *ret_tls = identity;
    return RPCRT_OK;
}

/* mbedTLS wipes the key. */
void
rpcrt__tls_identity_free(struct rpcrt__tls_identity *tls)
{
    if (tls == NULL) {
        return;
    }
    mbedtls_ssl_config_free(&tls->config);
    mbedtls_pk_free(&tls->key);
    mbedtls_x509_crt_free(&tls->cert);
    mbedtls_x509_crt_free(&tls->ca);
    rpcrt__free(tls->ca_file);
    rpcrt__free(tls->server_name);
    mbedtls_platform_zeroize(tls, sizeof *tls);
    rpcrt__free(tls);
}
