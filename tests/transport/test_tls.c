/*
 * TLS between two links: who is accepted, who is refused, and that both ends
 * are told why in words that name what is wrong.
 */
#include "transport/tls_pair.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* -- accepted -------------------------------------------------------------- */

/* A server and a client that like each other; returns the client's name. */
static void
accepted(const char *server_ca, const char *server, bool optional,
         const char *client, const char *name, const char *expected_name)
{
    struct rpcrt_tls server_tls = tls_files(server_ca, server);
    struct rpcrt_tls client_tls = tls_files("ca", client);
    struct tls_pair pair;
    struct tls_client end;

    server_tls.client_cert_optional = optional;
    tls_pair_start(&pair, &server_tls);
    cr_assert_eq(tls_client_dial(&end, &pair, pair.address, &client_tls, name),
                 RPCRT_OK, "%s", end.error.text);
    tls_client_echo(&end, &pair, 0, 64);
    cr_assert_str_eq(pair.peer_name, expected_name);
    cr_assert_eq(strncmp(pair.peer_address, "tls+tcp://127.0.0.1:", 20), 0,
                 "%s", pair.peer_address);
    cr_assert_eq(pair.n_warnings, 0, "%s", pair.warning);
    tls_client_stop(&end);
    tls_pair_stop(&pair);
}

Test(tls, client_is_known_by_its_common_name, .timeout = 60)
{
    accepted("ca", "server", false, "client", "localhost", "dev-client");
}

Test(tls, address_of_the_url_matches_an_ip_in_the_certificate, .timeout = 60)
{
    accepted(NULL, "server", false, NULL, NULL, "");
}

Test(tls, ipv6_address_matches, .timeout = 60)
{
    accepted(NULL, "server", false, NULL, "::1", "");
    accepted(NULL, "server", false, NULL, "0:0:0:0:0:0:0:1", "");
}

Test(tls, common_name_serves_where_no_other_name_is, .timeout = 60)
{
    accepted(NULL, "test/cn-server", false, NULL, "localhost", "");
}

Test(tls, certificate_is_not_asked_for_without_ca_file, .timeout = 60)
{
    accepted(NULL, "server", false, "client", "localhost", "");
}

Test(tls, optional_certificate_may_be_missing, .timeout = 60)
{
    accepted("ca", "server", true, NULL, "localhost", "");
}

Test(tls, optional_certificate_gives_the_name, .timeout = 60)
{
    accepted("ca", "server", true, "client", "localhost", "dev-client");
}

Test(tls, intermediate_authority_is_sent_along, .timeout = 60)
{
    accepted(NULL, "test/chain-server", false, NULL, "localhost", "");
}

Test(tls, rsa_key_works, .timeout = 60)
{
    accepted(NULL, "test/rsa-server", false, NULL, "localhost", "");
}

Test(tls, name_with_a_line_end_is_no_name, .timeout = 60)
{
    accepted("ca", "server", false, "test/newline-client", "localhost", "");
}

Test(tls, messages_of_all_sizes_pass, .timeout = 60)
{
    static const size_t sizes[] = {0,     1,     7,     4080,  4083,
                                   4084,  4085,  4096,  16383, 16384,
                                   16385, 32768, 65536, 262144};
    struct rpcrt_tls server_tls = tls_files("ca", "server");
    struct rpcrt_tls client_tls = tls_files("ca", "client");
    struct tls_pair pair;
    struct tls_client end;
    size_t i;

    tls_pair_start(&pair, &server_tls);
    cr_assert_eq(tls_client_dial(&end, &pair, pair.address, &client_tls, NULL),
                 RPCRT_OK, "%s", end.error.text);
    for (i = 0; i < 3 * sizeof sizes / sizeof sizes[0]; i++) {
        tls_client_echo(&end, &pair, (unsigned)i % 4,
                        sizes[i % (sizeof sizes / sizeof sizes[0])]);
    }
    tls_client_stop(&end);
    tls_pair_stop(&pair);
}

/* -- refused --------------------------------------------------------------- */

struct refusal {
    const char *server_ca;
    const char *server;
    bool optional;
    const char *client_ca;
    const char *client;
    const char *name;
    const char *client_words; /* in the client's error */
    const char *server_words; /* in the server's warning */
};

static void
refused(const struct refusal *refusal)
{
    struct rpcrt_tls server_tls =
        tls_files(refusal->server_ca, refusal->server);
    struct rpcrt_tls client_tls =
        tls_files(refusal->client_ca, refusal->client);
    struct tls_pair pair;
    struct tls_client end;

    server_tls.client_cert_optional = refusal->optional;
    tls_pair_start(&pair, &server_tls);
    cr_assert_eq(
        tls_client_dial(&end, &pair, pair.address, &client_tls, refusal->name),
        RPCRT_UNAVAILABLE);
    cr_expect_not_null(strstr(end.error.text, pair.address), "%s",
                       end.error.text);
    cr_expect_not_null(strstr(end.error.text, refusal->client_words), "%s",
                       end.error.text);
    cr_assert(tls_pair_await(&pair, &pair.n_warnings, 1), "no warning");
    cr_expect_not_null(strstr(pair.warning, " with 127.0.0.1:"), "%s",
                       pair.warning);
    cr_expect_not_null(strstr(pair.warning, refusal->server_words), "%s",
                       pair.warning);
    cr_expect_eq(pair.n_warnings, 1);
    cr_expect_eq(pair.n_peers, 0);
    tls_pair_stop(&pair);
}

Test(tls, server_of_another_authority_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        NULL, "test/other-server", false, "ca", NULL, "localhost",
        "the server's certificate (kvd) is signed by no authority in ",
        "the client refused the server's certificate: it is signed by an "
        "unknown authority (alert 48)"});
}

Test(tls, expired_server_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        NULL, "test/expired-server", false, "ca", NULL, "localhost",
        "the server's certificate (kvd) has expired on 2021-01-01 00:00:00 UTC",
        "the client refused the server's certificate: it has expired on "
        "2021-01-01 00:00:00 UTC (alert 45)"});
}

Test(tls, server_of_the_future_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        NULL, "test/future-server", false, "ca", NULL, "localhost",
        "the server's certificate (kvd) is not yet valid, but from 2048-01-01",
        "the client refused the server's certificate: it is not yet valid, "
        "but from 2048-01-01 00:00:00 UTC (alert 46)"});
}

Test(tls, server_of_another_name_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        NULL, "test/elsewhere-server", false, "ca", NULL, "localhost",
        "does not carry the name localhost, only DNS:elsewhere.example, "
        "IP:192.0.2.7",
        "carries the wrong name (alert 42)"});
}

Test(tls, server_of_another_address_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        NULL, "test/elsewhere-server", false, "ca", NULL, NULL,
        "does not carry the address 127.0.0.1, only DNS:elsewhere.example, "
        "IP:192.0.2.7",
        "carries the wrong name (alert 42)"});
}

Test(tls, address_written_as_a_name_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        NULL, "test/textual-server", false, "ca", NULL, NULL,
        "does not carry the address 127.0.0.1, only DNS:127.0.0.1",
        "carries the wrong name (alert 42)"});
}

Test(tls, everything_wrong_is_said, .timeout = 60)
{
    refused(&(struct refusal){
        NULL, "test/expired-server", false, "test/other-ca", NULL, "elsewhere",
        " UTC and is signed by no authority in ", "it has expired"});
    refused(&(struct refusal){
        NULL, "test/expired-server", false, "test/other-ca", NULL, "elsewhere",
        "and does not carry the name elsewhere, only DNS:localhost, "
        "IP:127.0.0.1, IP:::1",
        "the client refused the server's certificate"});
}

Test(tls, weak_key_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        NULL, "test/weak-server", false, "ca", NULL, "localhost",
        "uses a key or hash that is too weak", "(alert 43)"});
}

Test(tls, client_without_certificate_is_refused, .timeout = 60)
{
    refused(&(struct refusal){"ca", "server", false, "ca", NULL, "localhost",
                              "the server asked for a client certificate, and "
                              "none is configured (alert 40)",
                              "the client showed no certificate"});
}

Test(tls, client_of_another_authority_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        "ca", "server", false, "ca", "test/other-client", "localhost",
        "the server refused the client's certificate: it is signed by an "
        "unknown authority (alert 48)",
        "the client's certificate (intruder) is signed by no authority in "});
}

Test(tls, expired_client_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        "ca", "server", false, "ca", "test/expired-client", "localhost",
        "the server refused the client's certificate: it has expired on "
        "2021-01-01 00:00:00 UTC (alert 45)",
        "the client's certificate (dev-client) has expired on 2021-01-01"});
}

Test(tls, client_of_the_future_is_refused, .timeout = 60)
{
    refused(&(struct refusal){
        "ca", "server", false, "ca", "test/future-client", "localhost",
        "the server refused the client's certificate: it is not yet valid, "
        "but from 2048-01-01 00:00:00 UTC (alert 46)",
        "the client's certificate (dev-client) is not yet valid, but from "});
}

Test(tls, optional_certificate_must_be_good_when_shown, .timeout = 60)
{
    refused(&(struct refusal){
        "ca", "server", true, "ca", "test/other-client", "localhost",
        "it is signed by an unknown authority (alert 48)",
        "the client's certificate (intruder) is signed by no authority in "});
    refused(&(struct refusal){
        "ca", "server", true, "ca", "test/expired-client", "localhost",
        "it has expired on 2021-01-01 00:00:00 UTC (alert 45)",
        "the client's certificate (dev-client) has expired on 2021-01-01"});
}

/* The alert must not be lost to a reset, whoever is quicker. */
Test(tls, reason_always_arrives, .timeout = 120)
{
    struct rpcrt_tls server_tls = tls_files("ca", "server");
    struct rpcrt_tls no_cert = tls_files("ca", NULL);
    struct rpcrt_tls wrong_ca = tls_files("test/other-ca", "client");
    struct tls_pair pair;
    struct tls_client end;
    unsigned i;

    tls_pair_start(&pair, &server_tls);
    for (i = 0; i < 50; i++) {
        cr_assert_eq(tls_client_dial(&end, &pair, pair.address, &no_cert, NULL),
                     RPCRT_UNAVAILABLE);
        cr_assert_not_null(strstr(end.error.text, "(alert 40)"), "%u: %s", i,
                           end.error.text);
        cr_assert(tls_pair_await(&pair, &pair.n_warnings, 2 * i + 1));
        cr_assert_eq(
            tls_client_dial(&end, &pair, pair.address, &wrong_ca, NULL),
            RPCRT_UNAVAILABLE);
        cr_assert(tls_pair_await(&pair, &pair.n_warnings, 2 * i + 2));
        cr_assert_not_null(strstr(pair.warning, "(alert 48)"), "%u: %s", i,
                           pair.warning);
    }
    cr_expect_eq(pair.n_warnings, 100);
    tls_pair_stop(&pair);
}

/* -- TLS on one side only -------------------------------------------------- */

Test(tls, client_without_tls_is_refused_at_once, .timeout = 60)
{
    struct rpcrt_tls server_tls = tls_files("ca", "server");
    struct tls_pair pair;
    struct tls_client end;

    tls_pair_start(&pair, &server_tls);
    cr_assert_eq(
        tls_client_dial(&end, &pair, strchr(pair.address, '+') + 1, NULL, NULL),
        RPCRT_UNAVAILABLE);
    cr_expect_not_null(strstr(end.error.text, "only with TLS (tls+tcp://)"),
                       "%s", end.error.text);
    cr_assert(tls_pair_await(&pair, &pair.n_warnings, 1));
    cr_expect_not_null(
        strstr(pair.warning, "the client speaks without TLS, as for tcp://"),
        "%s", pair.warning);
    tls_pair_stop(&pair);
}

Test(tls, server_without_tls_is_refused_at_once, .timeout = 60)
{
    struct rpcrt_tls client_tls = tls_files("ca", "client");
    char address[RPCRT_ADDRESS_SIZE + 8];
    struct tls_pair pair;
    struct tls_client end;

    tls_pair_start(&pair, NULL);
    (void)snprintf(address, sizeof address, "tls+%s", pair.address);
    cr_assert_eq(tls_client_dial(&end, &pair, address, &client_tls, NULL),
                 RPCRT_UNAVAILABLE);
    cr_expect_not_null(
        strstr(end.error.text, "the server speaks without TLS, as for tcp://"),
        "%s", end.error.text);
    tls_pair_stop(&pair);
}

Test(tls, listening_in_vain_can_be_undone, .timeout = 60)
{
    struct rpcrt_tls tls = tls_files("ca", "server");
    char address[RPCRT_ADDRESS_SIZE];
    struct rpcrt__error error;
    struct tls_pair pair;

    tls_pair_start(&pair, &tls);
    cr_expect_eq(rpcrt__server_link_listen(pair.server, pair.address,
                                           pair.server_tls, &error, address),
                 RPCRT_UNAVAILABLE);
    cr_expect_not_null(strstr(error.text, "in use"), "%s", error.text);
    tls_pair_stop(&pair);
}

/* -- many at once ---------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 15 };

struct dialer {
    struct tls_pair *pair;
    struct rpcrt__tls_identity *tls;
    pthread_barrier_t *start;
    bool failed;
};

static void
ignore_reply(void *arg, unsigned slot, struct rpcrt__msg *msg)
{
    (void)arg;
    (void)slot;
    rpcrt__msg_free(msg);
}

static void
ignore_down(void *arg, const struct rpcrt__error *why)
{
    (void)arg;
    (void)why;
}

static void *
dial_once(void *arg)
{
    static const struct rpcrt__client_link_events events = {ignore_reply,
                                                            ignore_down};
    struct dialer *dialer = arg;
    struct rpcrt__client_link_options options = {.address =
                                                     dialer->pair->address,
                                                 .tls = dialer->tls,
                                                 .slots = 2,
                                                 .message_size_max = 4096};
    struct rpcrt__client_link *link = NULL;
    struct rpcrt__error error;

    (void)pthread_barrier_wait(dialer->start);
    dialer->failed = rpcrt__client_link_new(&options, &events, dialer, &error,
                                            &link) != RPCRT_OK;
    if (!dialer->failed) {
        dialer->failed = rpcrt__client_link_dial(link, &error) != RPCRT_OK;
        rpcrt__client_link_free(link);
    }
    return NULL;
}

/* All at once, each round with certificates that were never used before. */
static void
dial_round(const struct rpcrt_tls *server_tls,
           const struct rpcrt_tls *client_tls)
{
    struct rpcrt__tls_identity *tls = NULL;
    struct dialer dialers[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    struct rpcrt__error error;
    struct tls_pair pair;
    unsigned i;

    tls_pair_start(&pair, server_tls);
    cr_assert_eq(rpcrt__tls_identity_new(client_tls, false, &error, &tls),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (i = 0; i < THREADS; i++) {
        dialers[i] = (struct dialer){&pair, tls, &start, false};
        cr_assert_eq(pthread_create(&threads[i], NULL, dial_once, &dialers[i]),
                     0);
    }
    for (i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        cr_expect_not(dialers[i].failed);
    }
    cr_expect_eq(pair.n_warnings, 0, "%s", pair.warning);
    (void)pthread_barrier_destroy(&start);
    rpcrt__tls_identity_free(tls);
    tls_pair_stop(&pair);
}

/* One identity serves many links, made and dialed by many threads. */
Test(tls, identity_is_shared_by_threads, .timeout = 120)
{
    struct rpcrt_tls server_tls = tls_files("ca", "server");
    struct rpcrt_tls client_tls = tls_files("ca", "client");
    unsigned i;

    for (i = 0; i < ROUNDS; i++) {
        dial_round(&server_tls, &client_tls);
    }
}
