/*
 * Addresses, dialing and listening: what is refused and in which words, and
 * that a dial can be given up.
 */
#include "support/faulty_alloc.h"
#include "transport/links.h"
#include "transport/raw.h"
#include <fcntl.h>
#include <sys/stat.h>

/* -- addresses ------------------------------------------------------------- */

Test(address, good_ones_pass)
{
    static const char *const good[] = {
        "inproc://x",        "ipc:///run/kvd.sock",       "ipc://relative",
        "tcp://127.0.0.1:1", "tcp://localhost:80",        "tcp://a-b.c_d:65535",
        "tcp://[::1]:5000",  "tcp://[fe80::1%eth0]:5000",
    };
    struct rpcrt__error error;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_expect_eq(rpcrt__address_check(good[i], false, false, &error),
                     RPCRT_OK, "%s", error.text);
        cr_expect_eq(rpcrt__address_check(good[i], false, true, &error),
                     RPCRT_OK, "%s", error.text);
    }
    cr_expect_eq(rpcrt__address_check("tcp://0.0.0.0:0", false, true, &error),
                 RPCRT_OK);
    cr_expect_eq(
        rpcrt__address_check("tls+tcp://localhost:1", true, false, &error),
        RPCRT_OK);
}

Test(address, bad_ones_are_refused_by_name)
{
    static const struct {
        const char *address;
        const char *why;
    } bad[] = {
        {"", "missing"},
        {"localhost:80", "begins with none"},
        {"http://localhost:80", "begins with none"},
        {"TCP://localhost:80", "begins with none"},
        {"inproc://", "name is missing"},
        {"ipc://", "path is missing"},
        {"tcp://localhost", "port is missing"},
        {"tcp://:80", "host is missing"},
        {"tcp://*:80", "0.0.0.0"},
        {"tcp://localhost:", "port must be"},
        {"tcp://localhost:http", "port must be"},
        {"tcp://localhost:65536", "port must be"},
        {"tcp://localhost:100000", "port must be"},
        {"tcp://localhost:80/", "port must be"},
        {"tcp://localhost:0", "port 0"},
        {"tcp://eth0;localhost:80", "host is not valid"},
        {"tcp://me@localhost:80", "host is not valid"},
        {"tcp://::1:80", "brackets"},
        {"tcp://[::1:80", "']' is missing"},
        {"tcp://[]:80", "host is not valid"},
        {"tcp://[x]:80", "host is not valid"},
        {"tcp://a b:80", "host is not valid"},
        {"tcp://a\nb:80", "control character"},
        {"tls+tcp://localhost:80", "needs certificates"},
    };
    struct rpcrt__error error;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(rpcrt__address_check(bad[i].address, false, false, &error),
                     RPCRT_INVALID_ARGUMENT, "%s", bad[i].address);
        cr_expect_not_null(strstr(error.text, bad[i].why), "%s: %s",
                           bad[i].address, error.text);
    }
    cr_expect_eq(rpcrt__address_check(NULL, false, false, &error),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_eq(
        rpcrt__address_check("tcp://localhost:80", true, false, &error),
        RPCRT_INVALID_ARGUMENT);
}

Test(address, too_long_ones_are_refused)
{
    struct rpcrt__error error;
    char address[400] = "ipc:///";
    memset(address + 7, 'x', 120);
    cr_expect_eq(rpcrt__address_check(address, false, false, &error),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, "107 bytes"), "%s", error.text);
    memset(address + 7, 'x', 300);
    cr_expect_eq(rpcrt__address_check(address, false, false, &error),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, "longer than"), "%s", error.text);
}

/* -- dialing --------------------------------------------------------------- */

static void
dial_fails(const char *address, const char *text)
{
    struct link_client client;
    cr_expect_eq(link_client_dial(&client, address), RPCRT_UNAVAILABLE);
    cr_expect_str_eq(client.error.text, text);
    link_client_stop(&client);
    cr_expect_eq(atomic_load(&client.downs), 0);
}

Test(link_dial, nobody_there_is_told_by_address, .timeout = 60)
{
    char address[64];
    char text[256];
    (void)close(raw_listen(address));
    (void)snprintf(text, sizeof(text), "connect %s: connection refused",
                   address);
    dial_fails(address, text);
    dial_fails("inproc://nobody",
               "connect inproc://nobody: connection refused");
    dial_fails("ipc:///tmp/rpcrt-test-nobody",
               "connect ipc:///tmp/rpcrt-test-nobody: connection refused");
    dial_fails("tcp://no-such-host.invalid:1",
               "connect tcp://no-such-host.invalid:1: no such address");
}

struct dial {
    struct link_client client;
    const char *address;
    enum rpcrt_code code;
    atomic_int begun;
};

static void *
dial_thread(void *arg)
{
    static const struct rpcrt__client_link_events none = {.on_reply = NULL};
    struct dial *dial = arg;
    struct rpcrt__client_link_options options = {
        .address = dial->address, .slots = 1, .message_size_max = 1000};
    cr_assert_eq(rpcrt__client_link_new(&options, &none, NULL,
                                        &dial->client.error,
                                        &dial->client.link),
                 RPCRT_OK);
    atomic_store(&dial->begun, 1);
    dial->code =
        rpcrt__client_link_dial(dial->client.link, &dial->client.error);
    return NULL;
}

Test(link_dial, silent_peer_can_be_given_up, .timeout = 60)
{
    char address[64];
    char text[256];
    int silent = raw_listen(address);
    (void)snprintf(text, sizeof(text), "connect %s: given up", address);
    for (int i = 0; i < 100; i++) {
        struct dial dial = {.address = address};
        int64_t begin = raw_now_ms();
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, dial_thread, &dial), 0);
        cr_assert(raw_await(&dial.begun, 1));
        if (i % 3 > 0) {
            (void)close(accept(silent, NULL, NULL)); /* of the round before */
        }
        for (int naps = 0; naps < i % 5; naps++) {
            raw_nap();
        }
        rpcrt__client_link_cut(dial.client.link);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        cr_assert_lt(raw_now_ms() - begin, 3000);
        cr_assert_eq(dial.code, RPCRT_UNAVAILABLE);
        if (i % 3 == 0) {
            cr_assert_str_eq(dial.client.error.text, text);
        }
        rpcrt__client_link_free(dial.client.link);
    }
    (void)close(silent);
    raw_assert_no_leaks();
}

/* Answers a connection with something, once. */
static void *
answer_wrongly(void *arg)
{
    int *fds = arg;
    int fd = accept(fds[0], NULL, NULL);
    raw_write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    cr_assert(raw_ended(fd));
    (void)close(fd);
    return NULL;
}

Test(link_dial, wrong_protocol_is_told, .timeout = 60)
{
    char address[64];
    char text[256];
    pthread_t thread;
    int server = raw_listen(address);
    cr_assert_eq(pthread_create(&thread, NULL, answer_wrongly, &server), 0);
    (void)snprintf(text, sizeof(text),
                   "connect %s: the peer does not speak this protocol, or only "
                   "with TLS (tls+tcp://)",
                   address);
    dial_fails(address, text);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    (void)close(server);
}

/* Each allocation of ours fails in turn. */
Test(link_dial, client_survives_without_memory, .timeout = 60)
{
    struct link_client client;
    enum rpcrt_code code = RPCRT_RESOURCE_EXHAUSTED;
    faulty_alloc_install();
    for (uint64_t n = 0; code == RPCRT_RESOURCE_EXHAUSTED; n++) {
        faulty_alloc_fail_at(n);
        code = link_client_dial(&client, "inproc://nobody");
        link_client_stop(&client);
        cr_assert_eq(faulty_alloc_live(), 0);
    }
    cr_assert_eq(code, RPCRT_UNAVAILABLE);
    faulty_alloc_remove();
}

/* -- listening ------------------------------------------------------------- */

static bool
take_peer(void *arg, uint32_t peer, const struct rpcrt__peer_info *info)
{
    (void)arg;
    (void)peer;
    (void)info;
    return true;
}

static void
drop_peer(void *arg, uint32_t peer)
{
    (void)arg;
    (void)peer;
}

static const struct rpcrt__server_link_events idle = {
    .on_peer = take_peer, .on_peer_gone = drop_peer};

static enum rpcrt_code
try_listen(const char *address, struct rpcrt__error *error,
           struct rpcrt__server_link **ret_link)
{
    struct rpcrt__server_link_options options = link_server_options();
    char bound[RPCRT_ADDRESS_SIZE];
    enum rpcrt_code code =
        rpcrt__server_link_new(&options, &idle, NULL, error, ret_link);
    if (code != RPCRT_OK) {
        *ret_link = NULL;
        return code;
    }
    return rpcrt__server_link_listen(*ret_link, address, NULL, error, bound);
}

Test(link_listen, address_in_use_is_told, .timeout = 60)
{
    static const char *const transports[] = {"inproc", "ipc", "tcp"};
    for (int t = 0; t < 3; t++) {
        struct link_server first;
        struct rpcrt__server_link *second;
        struct rpcrt__error error;
        char text[400];
        link_server_start(&first, transports[t], NULL);
        cr_assert_eq(try_listen(first.address, &error, &second),
                     RPCRT_UNAVAILABLE);
        (void)snprintf(text, sizeof(text), "listen %s: address already in use",
                       first.address);
        cr_assert_str_eq(error.text, text);
        rpcrt__server_link_free(second);
        link_server_stop(&first);
    }
}

Test(link_listen, several_addresses_serve_at_once, .timeout = 60)
{
    struct link_server server;
    struct link_client clients[4];
    link_server_start(&server, "tcp", NULL);
    for (int i = 0; i < 4; i++) {
        struct rpcrt__error error;
        char wanted[64];
        char bound[RPCRT_ADDRESS_SIZE];
        if (i == 0) {
            (void)snprintf(wanted, sizeof(wanted), "inproc://several");
        } else if (i == 1) {
            raw_ipc_address(wanted);
        } else {
            (void)snprintf(wanted, sizeof(wanted), "tcp://%s:0",
                           i == 2 ? "localhost" : "0.0.0.0");
        }
        cr_assert_eq(
            rpcrt__server_link_listen(server.link, wanted, NULL, &error, bound),
            RPCRT_OK, "%s", error.text);
        cr_assert_eq(link_client_dial(&clients[i], bound), RPCRT_OK, "%s",
                     clients[i].error.text);
        link_client_echo(&clients[i], 0, 100);
        cr_assert_eq(strncmp(server.peer_address, bound, 3), 0);
        if (i >= 2) {
            cr_assert_not_null(strstr(server.peer_address, "127.0.0.1:"));
        } else {
            cr_assert_str_eq(server.peer_address, bound);
        }
    }
    for (int i = 0; i < 4; i++) {
        link_client_stop(&clients[i]);
    }
    link_server_stop(&server);
}

Test(link_listen, socket_file_of_a_dead_server_is_taken_over, .timeout = 60)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct rpcrt__server_link *link;
    struct rpcrt__error error;
    char address[64];
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    raw_ipc_address(address);
    (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", address + 6);
    cr_assert_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    (void)close(fd); /* the file stays */
    cr_assert_eq(try_listen(address, &error, &link), RPCRT_OK, "%s",
                 error.text);
    (void)close(raw_connect(address));
    rpcrt__server_link_free(link);
    cr_assert_neq(stat(address + 6, &st), 0);
}

Test(link_listen, file_that_is_no_socket_is_left_alone, .timeout = 60)
{
    struct rpcrt__server_link *link;
    struct rpcrt__error error;
    char address[64];
    struct stat st;
    int fd;
    raw_ipc_address(address);
    fd = open(address + 6, O_CREAT | O_WRONLY, 0600);
    cr_assert_geq(fd, 0);
    (void)close(fd);
    cr_assert_eq(try_listen(address, &error, &link), RPCRT_UNAVAILABLE);
    cr_assert_not_null(strstr(error.text, "a file that is no socket"));
    rpcrt__server_link_free(link);
    cr_assert_eq(stat(address + 6, &st), 0);
    (void)unlink(address + 6);
}

Test(link_listen, server_survives_without_memory, .timeout = 60)
{
    enum rpcrt_code code = RPCRT_RESOURCE_EXHAUSTED;
    faulty_alloc_install();
    for (uint64_t n = 0; code == RPCRT_RESOURCE_EXHAUSTED; n++) {
        struct rpcrt__server_link *link;
        struct rpcrt__error error;
        faulty_alloc_fail_at(n);
        code = try_listen("inproc://memory", &error, &link);
        rpcrt__server_link_free(link);
        cr_assert_eq(faulty_alloc_live(), 0);
    }
    cr_assert_eq(code, RPCRT_OK);
    faulty_alloc_remove();
}
