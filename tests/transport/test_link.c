/*
 * Links over every transport: messages get there, ends are told, and closing
 * always returns.
 */
#include "transport/links.h"
#include "transport/raw.h"

/* Run a claim over each transport in turn. */
#define OVER_EACH(transport)                                                   \
    for (int over = 0; over < LINK_TRANSPORTS; over++)                         \
        for (const char *transport = link_transports[over]; transport != NULL; \
             transport = NULL)

/* -- messages -------------------------------------------------------------- */

Test(link, round_trips_keep_every_byte, .timeout = 60)
{
    static const size_t sizes[] = {0,    1,     3,     1023,  1024,
                                   4096, 16385, 65536, 99999, LINK_MESSAGE_MAX};
    OVER_EACH(transport)
    {
        struct link_server server;
        struct link_client client;
        link_server_start(&server, transport, NULL);
        link_client_start(&client, &server);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            link_client_echo(&client, (unsigned)i, sizes[i]);
        }
        cr_assert(raw_await(&server.sent, 10));
        link_client_stop(&client);
        link_server_stop(&server);
    }
    raw_assert_no_leaks();
}

/* The server keeps all slots, which takes more contexts than it opened first.
 */
Test(link, all_slots_can_be_held_at_once, .timeout = 60)
{
    struct rpcrt__server_link_options options = link_server_options();
    options.receiving_min = 2;
    options.slots_max = LINK_SLOTS + 2;
    OVER_EACH(transport)
    {
        struct link_server server;
        struct link_client client;
        link_server_start(&server, transport, &options);
        server.hold = true;
        link_client_start(&client, &server);
        for (int round = 1; round <= 3; round++) {
            for (unsigned i = 0; i < LINK_SLOTS; i++) {
                link_client_send(&client, i, 10 + i, (unsigned char)i);
            }
            cr_assert(raw_await(&server.requests, round * (int)LINK_SLOTS));
            link_server_reply_all(&server);
            cr_assert(raw_await(&client.replies, round * (int)LINK_SLOTS));
            for (unsigned i = 0; i < LINK_SLOTS; i++) {
                cr_assert_eq(rpcrt__msg_size(client.last[i]), 10 + i);
                cr_assert_eq(rpcrt__msg_body(client.last[i])[0], i);
            }
        }
        link_client_stop(&client);
        link_server_stop(&server);
    }
}

Test(link, too_large_a_request_ends_its_connection_only, .timeout = 60)
{
    struct rpcrt__server_link_options options = link_server_options();
    options.message_size_max = 1000;
    OVER_EACH(transport)
    {
        struct link_server server;
        struct link_client bad;
        struct link_client good;
        link_server_start(&server, transport, &options);
        link_client_start(&bad, &server);
        link_client_start(&good, &server);
        link_client_echo(&bad, 0, 1000);
        link_client_send(&bad, 0, 1001, 1);
        cr_assert(raw_await(&bad.downs, 1));
        cr_assert(raw_await(&server.gone, 1));
        link_client_echo(&good, 0, 1000);
        cr_assert_eq(atomic_load(&server.requests), 2);
        link_client_stop(&bad);
        link_client_stop(&good);
        link_server_stop(&server);
    }
}

Test(link, too_large_a_reply_ends_the_connection, .timeout = 60)
{
    struct rpcrt__server_link_options options = link_server_options();
    options.message_size_max = LINK_MESSAGE_MAX + 1;
    OVER_EACH(transport)
    {
        struct link_server server;
        struct link_client client;
        link_server_start(&server, transport, &options);
        link_client_start(&client, &server);
        link_client_send(&client, 0, LINK_MESSAGE_MAX + 1, 1);
        cr_assert(raw_await(&client.downs, 1));
        cr_assert_eq(atomic_load(&client.replies), 0);
        link_client_stop(&client);
        link_server_stop(&server);
    }
}

Test(link, forgotten_slot_receives_again, .timeout = 60)
{
    struct rpcrt__server_link_options options = link_server_options();
    options.receiving_min = 1;
    options.slots_max = 1;
    OVER_EACH(transport)
    {
        struct link_server server;
        struct link_client client;
        link_server_start(&server, transport, &options);
        server.hold = true;
        link_client_start(&client, &server);
        for (int i = 0; i < 5; i++) {
            link_client_send(&client, (unsigned)i, 1, 1);
            cr_assert(raw_await(&server.requests, i + 1));
            server.held_count = 0;
            rpcrt__msg_free(server.held[0].msg);
            rpcrt__server_link_forget(server.link, server.held[0].slot);
        }
        server.hold = false;
        link_client_echo(&client, 5, 10);
        link_client_stop(&client);
        link_server_stop(&server);
    }
}

/* -- ends ------------------------------------------------------------------ */

Test(link, client_learns_that_the_server_went, .timeout = 60)
{
    OVER_EACH(transport)
    {
        struct link_server server;
        struct link_client client;
        link_server_start(&server, transport, NULL);
        link_client_start(&client, &server);
        link_client_echo(&client, 0, 10);
        cr_assert_eq(atomic_load(&client.downs), 0);
        link_server_stop(&server);
        cr_assert(raw_await(&client.downs, 1));
        cr_assert_not_null(strstr(client.down, server.address), "%s",
                           client.down);
        link_client_send(&client, 1, 10, 1); /* goes nowhere, harms nobody */
        link_client_stop(&client);
        cr_assert_eq(atomic_load(&client.downs), 1);
    }
    raw_assert_no_leaks();
}

Test(link, server_learns_that_a_client_went, .timeout = 60)
{
    OVER_EACH(transport)
    {
        struct link_server server;
        struct link_client client;
        link_server_start(&server, transport, NULL);
        link_client_start(&client, &server);
        link_client_stop(&client);
        cr_assert(raw_await(&server.gone, 1));
        cr_assert_eq(atomic_load(&server.came), 1);
        link_server_stop(&server);
    }
}

Test(link, either_end_can_cut, .timeout = 60)
{
    OVER_EACH(transport)
    {
        struct link_server server;
        struct link_client client;
        link_server_start(&server, transport, NULL);
        link_client_start(&client, &server);
        rpcrt__client_link_cut(client.link);
        rpcrt__client_link_cut(client.link);
        cr_assert(raw_await(&client.downs, 1));
        cr_assert(raw_await(&server.gone, 1));
        link_client_stop(&client);
        link_client_start(&client, &server);
        cr_assert(raw_await(&server.came, 2));
        rpcrt__server_link_cut(server.link, atomic_load(&server.peer));
        cr_assert(raw_await(&client.downs, 1));
        cr_assert(raw_await(&server.gone, 2));
        link_client_stop(&client);
        link_server_stop(&server);
    }
}

Test(link, refused_client_goes_down, .timeout = 60)
{
    OVER_EACH(transport)
    {
        struct link_server server;
        struct link_client client;
        link_server_start(&server, transport, NULL);
        server.refuse = true;
        if (link_client_dial(&client, server.address) == RPCRT_OK) {
            cr_assert(raw_await(&client.downs, 1));
        }
        cr_assert_eq(atomic_load(&server.came), 1);
        link_client_stop(&client);
        link_server_stop(&server);
        cr_assert_eq(atomic_load(&server.gone), 0);
    }
}

/* Replies to a peer that is gone are dropped, and their slots receive again. */
Test(link, slots_of_a_client_that_went_receive_again, .timeout = 60)
{
    struct rpcrt__server_link_options options = link_server_options();
    options.slots_max = LINK_SLOTS + options.receiving_min;
    OVER_EACH(transport)
    {
        struct link_server server;
        link_server_start(&server, transport, &options);
        server.hold = true;
        for (int round = 1; round <= 5; round++) {
            struct link_client client;
            link_client_start(&client, &server);
            for (unsigned i = 0; i < LINK_SLOTS; i++) {
                link_client_send(&client, i, 10, 1);
            }
            cr_assert(raw_await(&server.requests, round * (int)LINK_SLOTS));
            link_client_stop(&client);
            cr_assert(raw_await(&server.gone, round));
            link_server_reply_all(&server);
            cr_assert(raw_await(&server.sent, round * (int)LINK_SLOTS));
        }
        link_server_stop(&server);
    }
}

/* -- closing --------------------------------------------------------------- */

/* Handshakes of TLS take their time. */
static int
rounds(const char *transport)
{
    return strcmp(transport, "tls") == 0 ? 10 : 50;
}

Test(link, client_can_be_freed_under_load, .timeout = 120)
{
    OVER_EACH(transport)
    {
        struct link_server server;
        link_server_start(&server, transport, NULL);
        for (int i = 0; i < rounds(transport); i++) {
            struct link_client client;
            link_client_start(&client, &server);
            link_client_load(&client);
            cr_assert(raw_await(&client.replies, i % 10 * 30));
            link_client_stop(&client);
        }
        cr_assert(raw_await(&server.gone, rounds(transport)));
        link_server_stop(&server);
    }
    raw_assert_no_leaks();
}

Test(link, server_can_be_freed_under_load, .timeout = 120)
{
    OVER_EACH(transport)
    {
        for (int i = 0; i < rounds(transport); i++) {
            struct link_server server;
            struct link_client clients[3];
            link_server_start(&server, transport, NULL);
            for (int c = 0; c < 3; c++) {
                link_client_start(&clients[c], &server);
                link_client_load(&clients[c]);
            }
            cr_assert(raw_await(&clients[0].replies, i % 10 * 20));
            link_server_stop(&server);
            for (int c = 0; c < 3; c++) {
                cr_assert(raw_await(&clients[c].downs, 1));
                link_client_stop(&clients[c]);
            }
        }
    }
    raw_assert_no_leaks();
}

Test(link, leaves_no_descriptor, .timeout = 60)
{
    struct link_server server;
    struct link_client client;
    int before;
    link_server_start(&server, "tcp", NULL); /* nng starts */
    link_server_stop(&server);
    before = raw_descriptors();
    OVER_EACH(transport)
    {
        for (int i = 0; i < 10; i++) {
            link_server_start(&server, transport, NULL);
            link_client_start(&client, &server);
            link_client_load(&client);
            link_server_stop(&server);
            link_client_stop(&client);
        }
    }
    cr_assert(raw_await_descriptors(before));
}

/* -- bad peers ------------------------------------------------------------- */

static void
misbehave(const char *address, int way)
{
    int fd = raw_connect(address);
    switch (way) {
    case 0: /* speaks another protocol of nng's */
        (void)raw_handshake(fd, 0x10);
        break;
    case 1: /* claims more than anybody may send */
        cr_assert(raw_handshake(fd, RAW_REQ));
        raw_announce(fd, address, 1ull << 40);
        break;
    case 2: /* no request id */
        cr_assert(raw_handshake(fd, RAW_REQ));
        raw_announce(fd, address, 3);
        raw_write(fd, "abc", 3);
        break;
    case 3: /* no handshake */
        raw_write(fd, "GET / HTTP/1.1\r\n\r\n", 18);
        break;
    default: /* one byte of a message after the other, then gone */
        cr_assert(raw_handshake(fd, RAW_REQ));
        raw_announce(fd, address, 100);
        for (int i = 0; i < 50; i++) {
            raw_write(fd, "x", 1);
        }
        (void)shutdown(fd, SHUT_WR);
        break;
    }
    cr_assert(raw_ended(fd), "the server keeps it, way %d", way);
    (void)close(fd);
}

Test(link, bad_peers_are_cut_off_and_others_unharmed, .timeout = 60)
{
    static const char *const transports[] = {"tcp", "ipc"};
    for (int t = 0; t < 2; t++) {
        struct link_server server;
        struct link_client client;
        link_server_start(&server, transports[t], NULL);
        link_client_start(&client, &server);
        for (int way = 0; way < 5; way++) {
            misbehave(server.address, way);
            link_client_echo(&client, 0, 1000);
        }
        cr_assert_eq(atomic_load(&server.requests), 5);
        /* Of the one without a handshake. */
        cr_assert(raw_await(&server.warnings, 1));
        cr_assert_eq(atomic_load(&server.warnings), 1);
        cr_assert_not_null(strstr(server.warning, "does not speak this"));
        cr_assert_not_null(strstr(server.warning, server.address), "%s",
                           server.warning);
        link_client_stop(&client);
        link_server_stop(&server);
    }
}

/* Takes nothing that the server sends; the server's other work goes on. */
Test(link, peer_that_does_not_read_holds_up_nobody, .timeout = 60)
{
    static const char body[200000];
    struct link_server server;
    struct link_client client;
    int fd;
    link_server_start(&server, "tcp", NULL);
    fd = raw_connect(server.address);
    cr_assert(raw_handshake(fd, RAW_REQ));
    for (uint32_t i = 0; i < 40; i++) {
        raw_request(fd, server.address, i, body, sizeof(body));
    }
    link_client_start(&client, &server);
    link_client_echo(&client, 0, 100);
    rpcrt__server_link_cut(server.link, 0); /* nobody: does nothing */
    (void)close(fd);
    cr_assert(raw_await(&server.gone, 1));
    link_client_stop(&client);
    link_server_stop(&server);
    raw_assert_no_leaks();
}
