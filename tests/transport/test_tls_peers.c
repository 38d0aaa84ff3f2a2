/*
 * TLS with peers that are not ours: OpenSSL's programs as client and server,
 * plain sockets that are silent, leave, or talk of something else.
 */
#include "transport/raw.h"
#include "transport/tls_pair.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- OpenSSL as client ----------------------------------------------------- */

/* Connect by `openssl s_client`, which is given more arguments; what it says is
 * left in `output`. */
static void
openssl_client(const struct tls_pair *pair, const char *arguments, char *output,
               size_t size)
{
    char command[2048];
    FILE *pipe;
    size_t n;

    (void)snprintf(command, sizeof command,
                   "echo | timeout 20 openssl s_client -connect %s -CAfile '%s'"
                   " -verify_hostname localhost -brief %s 2>&1",
                   strstr(pair->address, "://") + 3, tls_cert("ca.pem"),
                   arguments);
    pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    n = fread(output, 1, size - 1, pipe);
    output[n] = '\0';
    (void)pclose(pipe);
}

static void
openssl_client_refused(const char *arguments, const char *output_words,
                       const char *warning_words)
{
    struct rpcrt_tls tls = tls_files("ca", "server");
    struct tls_pair pair;
    char output[4096];

    tls_pair_start(&pair, &tls);
    openssl_client(&pair, arguments, output, sizeof output);
    cr_expect_not_null(strstr(output, output_words), "%s", output);
    cr_assert(tls_pair_await(&pair, &pair.n_warnings, 1), "no warning");
    cr_expect_not_null(strstr(pair.warning, warning_words), "%s", pair.warning);
    tls_pair_stop(&pair);
}

Test(tls_peers, openssl_client_gets_tls_1_2_with_forward_secrecy, .timeout = 60)
{
    struct rpcrt_tls tls = tls_files(NULL, "server");
    struct tls_pair pair;
    char output[4096];

    tls_pair_start(&pair, &tls);
    openssl_client(&pair, "", output, sizeof output);
    cr_expect_not_null(strstr(output, "Protocol version: TLSv1.2"), "%s",
                       output);
    cr_expect_not_null(strstr(output, "Ciphersuite: ECDHE-ECDSA-"), "%s",
                       output);
    cr_expect_not_null(strstr(output, "Verification: OK"), "%s", output);
    tls_pair_stop(&pair);
}

Test(tls_peers, client_of_tls_1_3_only_is_refused, .timeout = 60)
{
    openssl_client_refused("-tls1_3", "alert handshake failure",
                           "no cipher suite of TLS 1.2 in common");
}

Test(tls_peers, client_of_tls_1_1_only_is_refused, .timeout = 60)
{
    openssl_client_refused("-tls1_1 -cipher ALL:@SECLEVEL=0", "alert",
                           "the client does not offer TLS 1.2");
}

Test(tls_peers, cipher_without_forward_secrecy_is_refused, .timeout = 60)
{
    openssl_client_refused("-tls1_2 -cipher AES128-GCM-SHA256",
                           "alert handshake failure",
                           "no cipher suite of TLS 1.2 in common");
}

Test(tls_peers, cipher_without_authentication_is_refused, .timeout = 60)
{
    openssl_client_refused("-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA",
                           "alert handshake failure",
                           "no cipher suite of TLS 1.2 in common");
}

Test(tls_peers, certificate_for_the_other_role_is_refused, .timeout = 60)
{
    char arguments[1400];

    (void)snprintf(arguments, sizeof arguments, "-cert '%s' -key '%s'",
                   tls_cert("server.pem"), tls_cert("server.key"));
    openssl_client_refused(arguments, "alert unsupported certificate",
                           "the client's certificate is not made for a client");
}

/* -- OpenSSL as server ----------------------------------------------------- */

static void
openssl_server_refuses(const char *own, const char *arguments,
                       const char *words)
{
    struct rpcrt_tls files = tls_files("ca", own);
    struct rpcrt_tls client_tls = tls_files("ca", NULL);
    struct tls_pair pair;
    struct tls_client end;
    char command[2048];
    char line[256] = "";
    char address[64];
    FILE *pipe;

    (void)snprintf(command, sizeof command,
                   "exec timeout 20 openssl s_server -accept 127.0.0.1:0 -cert "
                   "'%s' -key '%s' -CAfile '%s' -naccept 1 %s 2>/dev/null",
                   files.cert_file, files.key_file, files.ca_file, arguments);
    pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    while (strncmp(line, "ACCEPT ", 7) != 0) {
        cr_assert_not_null(fgets(line, sizeof line, pipe));
    }
    (void)snprintf(address, sizeof address, "tls+tcp://127.0.0.1:%ld",
                   strtol(strrchr(line, ':') + 1, NULL, 10));
    tls_pair_start(&pair, NULL);
    cr_assert_eq(tls_client_dial(&end, &pair, address, &client_tls, NULL),
                 RPCRT_UNAVAILABLE);
    cr_expect_not_null(strstr(end.error.text, words), "%s", end.error.text);
    tls_pair_stop(&pair);
    (void)pclose(pipe);
}

Test(tls_peers, server_of_tls_1_3_only_is_refused, .timeout = 60)
{
    openssl_server_refuses("server", "-tls1_3",
                           "the server ended the handshake: it does not accept "
                           "TLS 1.2 (alert 70)");
}

Test(tls_peers, server_with_a_client_certificate_is_refused, .timeout = 60)
{
    openssl_server_refuses("client", "",
                           "the server's certificate is not made for a server");
}

Test(tls_peers, server_that_requires_a_certificate_is_understood, .timeout = 60)
{
    openssl_server_refuses("server", "-Verify 1 -verify_return_error",
                           "the server asked for a client certificate, and "
                           "none is configured (alert 40)");
}

/* -- plain sockets --------------------------------------------------------- */

static void
says(const void *bytes, size_t size, const char *words)
{
    struct rpcrt_tls tls = tls_files(NULL, "server");
    struct tls_pair pair;
    int fd;

    tls_pair_start(&pair, &tls);
    fd = raw_connect(pair.address);
    raw_write(fd, bytes, size);
    if (words == NULL) {
        (void)close(fd);
    } else {
        cr_assert(tls_pair_await(&pair, &pair.n_warnings, 1), "no warning");
        cr_expect_not_null(strstr(pair.warning, words), "%s", pair.warning);
        (void)close(fd);
    }
    tls_pair_stop(&pair);
}

Test(tls_peers, http_client_is_recognised, .timeout = 60)
{
    says("GET / HTTP/1.1\r\n\r\n", 18,
         "the client does not speak TLS: it began with "
         "\"GET / HTTP/1.1\\x0d\\x0a\"");
}

Test(tls_peers, bytes_without_sense_are_shown, .timeout = 60)
{
    says("\1\2\\\"\xff zzzzzzzzzzzzzzzzzzzzz", 27,
         "it began with \"\\x01\\x02\\x5c\\x22\\xff zz");
}

Test(tls_peers, record_without_sense_is_refused, .timeout = 60)
{
    says("\x16\3\1\0\x20zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 40,
         "TLS handshake failed");
    says("\x17\3\3\xff\xff", 5, "TLS handshake failed");
}

Test(tls_peers, client_that_leaves_in_the_middle_is_told_of, .timeout = 60)
{
    struct rpcrt_tls tls = tls_files(NULL, "server");
    struct tls_pair pair;
    unsigned i;
    int fd;

    tls_pair_start(&pair, &tls);
    fd = raw_connect(pair.address);
    raw_write(fd, "\x16\3\1\2", 4);
    (void)close(fd);
    cr_assert(tls_pair_await(&pair, &pair.n_warnings, 1), "no warning");
    cr_expect_not_null(
        strstr(pair.warning, "the client left or stalled during the handshake"),
        "%s", pair.warning);
    /* One that says nothing may be a probe, and is not. */
    for (i = 0; i < 30; i++) {
        (void)close(raw_connect(pair.address));
    }
    fd = raw_connect(pair.address);
    raw_write(fd, "HELLO", 5);
    cr_assert(tls_pair_await(&pair, &pair.n_warnings, 2), "no warning");
    cr_expect_not_null(strstr(pair.warning, "HELLO"), "%s", pair.warning);
    cr_expect_eq(pair.n_warnings, 2);
    (void)close(fd);
    tls_pair_stop(&pair);
}

/* A server may be freed while peers are in every state of a handshake. */
Test(tls_peers, server_is_freed_beside_handshakes, .timeout = 60)
{
    static const char *const starts[] = {"", "\x16\3\1", "GET / HTTP/1.1\r\n"};
    struct rpcrt_tls tls = tls_files("ca", "server");
    struct tls_pair pair;
    int fds[12];
    size_t i;
    unsigned round;

    for (round = 0; round < 10; round++) {
        tls_pair_start(&pair, &tls);
        for (i = 0; i < 12; i++) {
            fds[i] = raw_connect(pair.address);
            raw_write(fds[i], starts[i % 3], strlen(starts[i % 3]));
        }
        tls_pair_stop(&pair);
        for (i = 0; i < 12; i++) {
            (void)close(fds[i]);
        }
    }
}

/* Needs patches/13-tls-timeout.patch: ten seconds are what nng gives. */
Test(tls_peers, silence_ends_after_ten_seconds, .timeout = 60)
{
    struct rpcrt_tls server_tls = tls_files(NULL, "server");
    struct rpcrt_tls client_tls = tls_files("ca", NULL);
    struct tls_pair pair;
    struct tls_client end;
    char address[64 + 8];
    char plain[64];
    int64_t begun;
    int listening;
    int silent;

    tls_pair_start(&pair, &server_tls);
    listening = raw_listen(plain);
    (void)snprintf(address, sizeof address, "tls+%s", plain);
    begun = raw_now_ms();
    silent = raw_connect(pair.address);
    cr_assert_eq(tls_client_dial(&end, &pair, address, &client_tls, NULL),
                 RPCRT_UNAVAILABLE);
    cr_expect_not_null(strstr(end.error.text, "timed out"), "%s",
                       end.error.text);
    cr_assert(raw_ended(silent));
    cr_expect_lt(raw_now_ms() - begun, 14000);
    (void)close(silent);
    (void)close(listening);
    tls_pair_stop(&pair);
}
