/*
 * See tls_pair.h.
 */
#include "transport/tls_pair.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS 4u
#define MESSAGE_SIZE_MAX (256u << 10)

/* -- certificates ---------------------------------------------------------- */

static const char *
certs_folder(void)
{
    static char folder[512];
    const char *build = getenv("BUILD");
    char command[1200];

    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof folder, "%s/certs",
                       build != NULL ? build : "build");
        (void)snprintf(command, sizeof command,
                       "sh tests/support/certs.sh '%s'", folder);
        cr_assert_eq(system(command), 0, "%s failed", command);
    }
    return folder;
}

const char *
tls_cert(const char *name)
{
    static char paths[16][640];
    static unsigned next;
    char *path = paths[next++ % 16];

    (void)snprintf(path, sizeof paths[0], "%s/%s", certs_folder(), name);
    return path;
}

struct rpcrt_tls
tls_files(const char *ca, const char *own)
{
    struct rpcrt_tls tls = {0};
    char name[128];

    if (ca != NULL) {
        (void)snprintf(name, sizeof name, "%s.pem", ca);
        tls.ca_file = tls_cert(name);
    }
    if (own != NULL) {
        (void)snprintf(name, sizeof name, "%s.pem", own);
        tls.cert_file = tls_cert(name);
        (void)snprintf(name, sizeof name, "%s.key", own);
        tls.key_file = tls_cert(name);
    }
    return tls;
}

/* -- what the links tell --------------------------------------------------- */

static void
note(struct tls_pair *pair, unsigned *counter)
{
    (*counter)++;
    (void)pthread_cond_broadcast(&pair->change);
    (void)pthread_mutex_unlock(&pair->lock);
}

static bool
server_peer(void *arg, uint32_t peer, const struct rpcrt__peer_info *info)
{
    struct tls_pair *pair = arg;

    (void)peer;
    (void)pthread_mutex_lock(&pair->lock);
    (void)snprintf(pair->peer_address, sizeof pair->peer_address, "%s",
                   info->address);
    (void)snprintf(pair->peer_name, sizeof pair->peer_name, "%s",
                   info->name != NULL ? info->name : "");
    note(pair, &pair->n_peers);
    return true;
}

static void
server_peer_gone(void *arg, uint32_t peer)
{
    (void)arg;
    (void)peer;
}

static void
server_request(void *arg, unsigned slot, uint32_t peer, struct rpcrt__msg *msg)
{
    struct tls_pair *pair = arg;

    (void)peer;
    rpcrt__server_link_reply(pair->server, slot, msg);
}

static void
server_sent(void *arg, unsigned slot, uint32_t peer)
{
    (void)arg;
    (void)slot;
    (void)peer;
}

static void
server_warning(void *arg, const char *line, bool handshake)
{
    struct tls_pair *pair = arg;

    (void)pthread_mutex_lock(&pair->lock);
    (void)snprintf(pair->warning, sizeof pair->warning, "%s", line);
    if (handshake) {
        pair->n_warnings++;
    }
    (void)pthread_cond_broadcast(&pair->change);
    (void)pthread_mutex_unlock(&pair->lock);
}

static uint8_t
sum(const uint8_t *bytes, size_t size)
{
    uint8_t all = 0;
    size_t i;

    for (i = 0; i < size; i++) {
        all = (uint8_t)(all * 31u + bytes[i]);
    }
    return all;
}

static void
client_reply(void *arg, unsigned slot, struct rpcrt__msg *msg)
{
    struct tls_pair *pair = arg;

    (void)slot;
    (void)pthread_mutex_lock(&pair->lock);
    pair->reply_size = rpcrt__msg_size(msg);
    pair->reply_sum = sum(rpcrt__msg_body(msg), rpcrt__msg_size(msg));
    rpcrt__msg_free(msg);
    note(pair, &pair->n_replies);
}

static void
client_down(void *arg, const struct rpcrt__error *why)
{
    struct tls_pair *pair = arg;

    (void)why;
    (void)pthread_mutex_lock(&pair->lock);
    note(pair, &pair->n_down);
}

bool
tls_pair_await(struct tls_pair *pair, const unsigned *counter, unsigned value)
{
    struct timespec end;
    int rc = 0;

    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += TLS_PAIR_PATIENCE_MS / 1000;
    (void)pthread_mutex_lock(&pair->lock);
    while (*counter < value && rc == 0) {
        rc = pthread_cond_timedwait(&pair->change, &pair->lock, &end);
    }
    (void)pthread_mutex_unlock(&pair->lock);
    return rc == 0;
}

/* -- both ends ------------------------------------------------------------- */

void
tls_pair_start(struct tls_pair *pair, const struct rpcrt_tls *tls)
{
    static const struct rpcrt__server_link_events events = {
        server_peer, server_peer_gone, server_request, server_sent,
        server_warning};
    static const struct rpcrt__server_link_options options = {
        .receiving_min = 4,
        .slots_max = 256,
        .message_size_max = MESSAGE_SIZE_MAX};
    const char *address = "tcp://127.0.0.1:0";
    struct rpcrt__error error;

    memset(pair, 0, sizeof *pair);
    (void)pthread_mutex_init(&pair->lock, NULL);
    (void)pthread_cond_init(&pair->change, NULL);
    if (tls != NULL) {
        address = "tls+tcp://127.0.0.1:0";
        cr_assert_eq(
            rpcrt__tls_identity_new(tls, true, &error, &pair->server_tls),
            RPCRT_OK, "%s", error.text);
    }
    cr_assert_eq(
        rpcrt__server_link_new(&options, &events, pair, &error, &pair->server),
        RPCRT_OK, "%s", error.text);
    cr_assert_eq(rpcrt__server_link_listen(pair->server, address,
                                           pair->server_tls, &error,
                                           pair->address),
                 RPCRT_OK, "%s", error.text);
}

void
tls_pair_stop(struct tls_pair *pair)
{
    rpcrt__server_link_free(pair->server);
    rpcrt__tls_identity_free(pair->server_tls);
    (void)pthread_cond_destroy(&pair->change);
    (void)pthread_mutex_destroy(&pair->lock);
}

enum rpcrt_code
tls_client_dial(struct tls_client *client, struct tls_pair *pair,
                const char *address, const struct rpcrt_tls *tls,
                const char *server_name)
{
    static const struct rpcrt__client_link_events events = {client_reply,
                                                            client_down};
    struct rpcrt__client_link_options options = {.address = address,
                                                 .server_name = server_name,
                                                 .slots = SLOTS,
                                                 .message_size_max =
                                                     MESSAGE_SIZE_MAX};
    enum rpcrt_code code;

    memset(client, 0, sizeof *client);
    if (tls != NULL) {
        cr_assert_eq(
            rpcrt__tls_identity_new(tls, false, &client->error, &client->tls),
            RPCRT_OK, "%s", client->error.text);
    }
    options.tls = client->tls;
    cr_assert_eq(rpcrt__client_link_new(&options, &events, pair, &client->error,
                                        &client->link),
                 RPCRT_OK, "%s", client->error.text);
    code = rpcrt__client_link_dial(client->link, &client->error);
    if (code != RPCRT_OK) {
        tls_client_stop(client);
    }
    return code;
}

void
tls_client_stop(struct tls_client *client)
{
    rpcrt__client_link_free(client->link);
    rpcrt__tls_identity_free(client->tls);
    client->link = NULL;
    client->tls = NULL;
}

void
tls_client_echo(struct tls_client *client, struct tls_pair *pair, unsigned slot,
                size_t size)
{
    struct rpcrt__msg *msg = rpcrt__msg_new(size);
    unsigned before = pair->n_replies;
    uint8_t *body;
    uint8_t expected;
    size_t i;

    cr_assert_not_null(msg);
    body = rpcrt__msg_body(msg);
    for (i = 0; i < size; i++) {
        body[i] = (uint8_t)(i * 7 + size);
    }
    expected = sum(body, size);
    rpcrt__client_link_send(client->link, slot, msg);
    cr_assert(tls_pair_await(pair, &pair->n_replies, before + 1),
              "no echo of %zu bytes", size);
    cr_assert_eq(pair->reply_size, size);
    cr_assert_eq(pair->reply_sum, expected);
}
