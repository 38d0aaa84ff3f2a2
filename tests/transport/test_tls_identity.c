/*
 * Reading certificates and keys: what is wrong with a file is said, with its
 * name, before anybody connects.
 */
#include "support/faulty_alloc.h"
#include "transport/nng/tls.h"
#include "transport/tls_pair.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
refused(const struct rpcrt_tls *tls, bool server, enum rpcrt_code code,
        const char *words)
{
    struct rpcrt__tls_identity *identity = NULL;
    struct rpcrt__error error = {RPCRT_OK, ""};

    cr_expect_eq(rpcrt__tls_identity_new(tls, server, &error, &identity), code,
                 "%s", words);
    cr_expect_not_null(strstr(error.text, words), "\"%s\" is not in \"%s\"",
                       words, error.text);
    cr_expect_eq(error.code, code);
    cr_expect_null(identity);
}

static void
key_refused(const char *key, const char *words)
{
    struct rpcrt_tls tls = tls_files("ca", "server");

    tls.key_file = tls_cert(key);
    refused(&tls, true, RPCRT_FAILED_PRECONDITION, words);
    refused(&tls, true, RPCRT_FAILED_PRECONDITION, key);
    refused(&tls, true, RPCRT_FAILED_PRECONDITION, "key file ");
}

static void
cert_refused(const char *cert, const char *words)
{
    struct rpcrt_tls tls = tls_files("ca", "server");

    tls.cert_file = tls_cert(cert);
    refused(&tls, true, RPCRT_FAILED_PRECONDITION, words);
    refused(&tls, true, RPCRT_FAILED_PRECONDITION, cert);
    refused(&tls, true, RPCRT_FAILED_PRECONDITION, "certificate file ");
}

static void
ca_refused(const char *ca, const char *words)
{
    struct rpcrt_tls tls = tls_files("ca", NULL);

    tls.ca_file = tls_cert(ca);
    refused(&tls, false, RPCRT_FAILED_PRECONDITION, words);
    refused(&tls, false, RPCRT_FAILED_PRECONDITION, ca);
    refused(&tls, false, RPCRT_FAILED_PRECONDITION, "CA file ");
}

Test(tls_identity, files_that_a_role_needs_are_missed, .timeout = 60)
{
    struct rpcrt_tls tls = tls_files("ca", NULL);

    refused(&tls, true, RPCRT_INVALID_ARGUMENT, "a server needs cert_file");
    tls = tls_files(NULL, "client");
    refused(&tls, false, RPCRT_INVALID_ARGUMENT, "a client needs ca_file");
    tls = tls_files("ca", "client");
    tls.key_file = NULL;
    refused(&tls, false, RPCRT_INVALID_ARGUMENT, "cert_file needs key_file");
    tls = tls_files("ca", "client");
    tls.cert_file = NULL;
    refused(&tls, false, RPCRT_INVALID_ARGUMENT, "key_file needs cert_file");
}

Test(tls_identity, file_that_is_not_there, .timeout = 60)
{
    key_refused("nothing.key", ": no such file");
    cert_refused("nothing.pem", ": no such file");
    ca_refused("nothing.pem", ": no such file");
}

Test(tls_identity, file_that_is_no_file, .timeout = 60)
{
    key_refused("test", ": is not a regular file");
    ca_refused("test", ": is not a regular file");
}

Test(tls_identity, file_that_may_not_be_read, .timeout = 60)
{
    bool root = geteuid() == 0;

    (void)tls_cert("ca.pem"); /* makes it while we may */
    if (root) {
        cr_assert_eq(seteuid(65534), 0);
    } else {
        cr_assert_eq(chmod(tls_cert("test/dns-server.pem"), 0), 0);
    }
    ca_refused("test/dns-server.pem", ": permission denied");
    if (root) {
        cr_assert_eq(seteuid(0), 0);
    } else {
        cr_assert_eq(chmod(tls_cert("test/dns-server.pem"), 0600), 0);
    }
}

Test(tls_identity, file_that_is_not_pem, .timeout = 60)
{
    key_refused("test/server.der", ": is not in PEM format");
    cert_refused("test/server.der", ": is not in PEM format");
    cert_refused("test/text.pem", ": is not in PEM format");
    cert_refused("test/empty.pem", ": is empty");
    ca_refused("test/text.pem", ": is not in PEM format");
}

Test(tls_identity, files_taken_for_each_other, .timeout = 60)
{
    cert_refused("server.key", ": holds a key and no certificate");
    ca_refused("ca.key", ": holds a key and no certificate");
    key_refused("test/cert.key", ": holds a certificate and no private key");
}

Test(tls_identity, key_of_another_certificate, .timeout = 60)
{
    key_refused("client.key", ": is not the key of the certificate in ");
    key_refused("test/rsa-server.key",
                ": is not the key of the certificate in ");
}

Test(tls_identity, key_with_a_passphrase, .timeout = 60)
{
    key_refused("test/encrypted.key", ": the key is encrypted");
    key_refused("test/encrypted-old.key", ": the key is encrypted");
}

Test(tls_identity, key_that_everybody_may_read, .timeout = 60)
{
    key_refused("test/open.key", ": everybody on this machine has access");
}

Test(tls_identity, certificate_that_makes_no_sense, .timeout = 60)
{
    ca_refused("test/broken.pem", ": 1 of its certificates can't be read");
}

Test(tls_identity, certificate_for_the_other_role, .timeout = 60)
{
    struct rpcrt_tls tls = tls_files("ca", "client");

    refused(&tls, true, RPCRT_FAILED_PRECONDITION,
            ": is not made for a server (key usage)");
    tls = tls_files("ca", "server");
    refused(&tls, false, RPCRT_FAILED_PRECONDITION,
            ": is not made for a client (key usage)");
}

Test(tls_identity, is_for_one_role, .timeout = 60)
{
    struct rpcrt_tls tls = tls_files("ca", "client");
    struct rpcrt__tls_identity *identity = NULL;
    struct rpcrt__tls_end *end = NULL;
    struct rpcrt__error error;
    struct rpcrt__tls_end_options options = {.server = true};

    cr_assert_eq(rpcrt__tls_identity_new(&tls, false, &error, &identity),
                 RPCRT_OK, "%s", error.text);
    options.identity = identity;
    cr_expect_eq(rpcrt__tls_end_new(&options, &error, &end),
                 RPCRT_FAILED_PRECONDITION);
    options.server = false; /* and without a name to verify */
    cr_expect_eq(rpcrt__tls_end_new(&options, &error, &end),
                 RPCRT_FAILED_PRECONDITION);
    rpcrt__tls_identity_free(identity);
    rpcrt__tls_identity_free(NULL);
    rpcrt__tls_end_free(NULL);
}

Test(tls_identity, each_allocation_may_fail, .timeout = 60)
{
    struct rpcrt_tls tls = tls_files("ca", "client");
    struct rpcrt__tls_identity *identity;
    struct rpcrt__tls_end_options options = {.server_name = "localhost"};
    struct rpcrt__tls_end *end;
    struct rpcrt__error error;
    enum rpcrt_code code;
    unsigned n;

    tls.server_name = "localhost";
    faulty_alloc_install();
    for (n = 0;; n++) {
        identity = NULL;
        end = NULL;
        faulty_alloc_fail_at(n);
        code = rpcrt__tls_identity_new(&tls, false, &error, &identity);
        if (code == RPCRT_OK) {
            options.identity = identity;
            code = rpcrt__tls_end_new(&options, &error, &end);
        }
        cr_assert_eq(code, faulty_alloc_failed() ? RPCRT_RESOURCE_EXHAUSTED
                                                 : RPCRT_OK);
        rpcrt__tls_end_free(end);
        rpcrt__tls_identity_free(identity);
        cr_assert_eq(faulty_alloc_live(), 0);
        if (code == RPCRT_OK) {
            break;
        }
    }
    cr_expect_geq(n, 8);
    faulty_alloc_remove();
}
