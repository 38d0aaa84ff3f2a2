/*
 * Both ends of a link for the tests of links.
 */
#include "transport/links.h"
#include "transport/raw.h"
#include "transport/tls_pair.h"

const char *const link_transports[LINK_TRANSPORTS] = {"inproc", "ipc", "tcp",
                                                      "tls"};

/* -- server ---------------------------------------------------------------- */

static bool
on_peer(void *arg, uint32_t peer, const struct rpcrt__peer_info *info)
{
    struct link_server *server = arg;
    pthread_mutex_lock(&server->lock);
    (void)snprintf(server->peer_address, sizeof(server->peer_address), "%s",
                   info->address);
    pthread_mutex_unlock(&server->lock);
    atomic_store(&server->peer, peer);
    atomic_fetch_add(&server->came, 1);
    return !server->refuse;
}

static void
on_peer_gone(void *arg, uint32_t peer)
{
    struct link_server *server = arg;
    (void)peer;
    atomic_fetch_add(&server->gone, 1);
}

static void
on_request(void *arg, unsigned slot, uint32_t peer, struct rpcrt__msg *msg)
{
    struct link_server *server = arg;
    bool held = false;
    (void)peer;
    if (server->hold) {
        pthread_mutex_lock(&server->lock);
        held = server->held_count < 64;
        if (held) {
            server->held[server->held_count].slot = slot;
            server->held[server->held_count++].msg = msg;
        }
        pthread_mutex_unlock(&server->lock);
    }
    atomic_fetch_add(&server->requests, 1);
    if (!held) {
        rpcrt__server_link_reply(server->link, slot, msg);
    }
}

static void
on_sent(void *arg, unsigned slot, uint32_t peer)
{
    struct link_server *server = arg;
    (void)slot;
    (void)peer;
    atomic_fetch_add(&server->sent, 1);
}

static void
on_warning(void *arg, const char *line, bool handshake)
{
    struct link_server *server = arg;
    (void)handshake;
    pthread_mutex_lock(&server->lock);
    (void)snprintf(server->warning, sizeof(server->warning), "%s", line);
    pthread_mutex_unlock(&server->lock);
    atomic_fetch_add(&server->warnings, 1);
}

struct rpcrt__server_link_options
link_server_options(void)
{
    return (struct rpcrt__server_link_options){
        .receiving_min = 4,
        .slots_max = 64,
        .message_size_max = LINK_MESSAGE_MAX,
    };
}

static struct rpcrt__tls_identity *
identity(bool server)
{
    struct rpcrt_tls files = tls_files("ca", server ? "server" : "client");
    struct rpcrt__tls_identity *tls = NULL;
    struct rpcrt__error error;
    files.server_name = NULL;
    cr_assert_eq(rpcrt__tls_identity_new(&files, server, &error, &tls),
                 RPCRT_OK, "%s", error.text);
    return tls;
}

void
link_server_start(struct link_server *server, const char *transport,
                  const struct rpcrt__server_link_options *options)
{
    static const struct rpcrt__server_link_events events = {
        .on_peer = on_peer,
        .on_peer_gone = on_peer_gone,
        .on_request = on_request,
        .on_sent = on_sent,
        .on_warning = on_warning,
    };
    static int number;
    struct rpcrt__server_link_options usual = link_server_options();
    struct rpcrt__error error;
    char address[64];
    memset(server, 0, sizeof(*server));
    pthread_mutex_init(&server->lock, NULL);
    if (strcmp(transport, "ipc") == 0) {
        raw_ipc_address(address);
    } else if (strcmp(transport, "inproc") == 0) {
        (void)snprintf(address, sizeof(address), "inproc://link-%d", number++);
    } else if (strcmp(transport, "tls") == 0) {
        (void)snprintf(address, sizeof(address), "tls+tcp://localhost:0");
        server->tls = identity(true);
    } else {
        (void)snprintf(address, sizeof(address), "tcp://127.0.0.1:0");
    }
    cr_assert_eq(rpcrt__server_link_new(options != NULL ? options : &usual,
                                        &events, server, &error, &server->link),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(rpcrt__server_link_listen(server->link, address, server->tls,
                                           &error, server->address),
                 RPCRT_OK, "%s", error.text);
}

void
link_server_reply_all(struct link_server *server)
{
    for (;;) {
        struct rpcrt__msg *msg = NULL;
        unsigned slot = 0;
        pthread_mutex_lock(&server->lock);
        if (server->held_count > 0) {
            server->held_count--;
            slot = server->held[server->held_count].slot;
            msg = server->held[server->held_count].msg;
        }
        pthread_mutex_unlock(&server->lock);
        if (msg == NULL) {
            return;
        }
        rpcrt__server_link_reply(server->link, slot, msg);
    }
}

void
link_server_stop(struct link_server *server)
{
    rpcrt__server_link_free(server->link);
    while (server->held_count > 0) {
        rpcrt__msg_free(server->held[--server->held_count].msg);
    }
    rpcrt__tls_identity_free(server->tls);
    pthread_mutex_destroy(&server->lock);
}

/* -- client ---------------------------------------------------------------- */

static void
on_reply(void *arg, unsigned slot, struct rpcrt__msg *msg)
{
    struct link_client *client = arg;
    if (atomic_load(&client->load)) {
        rpcrt__client_link_send(client->link, slot, msg);
    } else {
        pthread_mutex_lock(&client->lock);
        rpcrt__msg_free(client->last[slot]);
        client->last[slot] = msg;
        pthread_mutex_unlock(&client->lock);
    }
    atomic_fetch_add(&client->replies, 1);
}

static void
on_down(void *arg, const struct rpcrt__error *why)
{
    struct link_client *client = arg;
    pthread_mutex_lock(&client->lock);
    (void)snprintf(client->down, sizeof(client->down), "%s", why->text);
    pthread_mutex_unlock(&client->lock);
    atomic_fetch_add(&client->downs, 1);
}

enum rpcrt_code
link_client_dial(struct link_client *client, const char *address)
{
    static const struct rpcrt__client_link_events events = {on_reply, on_down};
    struct rpcrt__client_link_options options = {
        .address = address,
        .slots = LINK_SLOTS,
        .message_size_max = LINK_MESSAGE_MAX,
    };
    enum rpcrt_code code;
    memset(client, 0, sizeof(*client));
    pthread_mutex_init(&client->lock, NULL);
    if (strncmp(address, "tls", 3) == 0) {
        client->tls = identity(false);
        options.tls = client->tls;
    }
    code = rpcrt__client_link_new(&options, &events, client, &client->error,
                                  &client->link);
    if (code != RPCRT_OK) {
        client->link = NULL;
        return code;
    }
    return rpcrt__client_link_dial(client->link, &client->error);
}

void
link_client_start(struct link_client *client, const struct link_server *server)
{
    cr_assert_eq(link_client_dial(client, server->address), RPCRT_OK, "%s",
                 client->error.text);
}

void
link_client_send(struct link_client *client, unsigned slot, size_t size,
                 unsigned char fill)
{
    struct rpcrt__msg *msg = rpcrt__msg_new(size);
    cr_assert_not_null(msg);
    if (size > 0) {
        memset(rpcrt__msg_body(msg), fill, size);
    }
    rpcrt__client_link_send(client->link, slot, msg);
}

void
link_client_load(struct link_client *client)
{
    atomic_store(&client->load, true);
    for (unsigned i = 0; i < LINK_SLOTS; i++) {
        link_client_send(client, i, 100 + i * 1000, (unsigned char)i);
    }
}

void
link_client_echo(struct link_client *client, unsigned slot, size_t size)
{
    int before = atomic_load(&client->replies);
    unsigned char fill = (unsigned char)(size * 7 + slot);
    struct rpcrt__msg *msg;
    link_client_send(client, slot, size, fill);
    cr_assert(raw_await(&client->replies, before + 1));
    pthread_mutex_lock(&client->lock);
    msg = client->last[slot];
    client->last[slot] = NULL;
    pthread_mutex_unlock(&client->lock);
    cr_assert_not_null(msg);
    cr_assert_eq(rpcrt__msg_size(msg), size);
    for (size_t i = 0; i < size; i++) {
        if (rpcrt__msg_body(msg)[i] != fill) {
            cr_assert_fail("byte %zu of %zu differs", i, size);
        }
    }
    rpcrt__msg_free(msg);
}

void
link_client_stop(struct link_client *client)
{
    rpcrt__client_link_free(client->link);
    for (unsigned i = 0; i < LINK_SLOTS; i++) {
        rpcrt__msg_free(client->last[i]);
    }
    rpcrt__tls_identity_free(client->tls);
    pthread_mutex_destroy(&client->lock);
}
