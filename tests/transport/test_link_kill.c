/*
 * Processes killed under load: whoever is left notices every one of them, frees
 * what they had, and can still close. This process only forks and kills; nng
 * runs in its children.
 */
#include "transport/links.h"
#include "transport/raw.h"
#include "transport/tls_pair.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* TSan starts no threads in a process that was forked off one with threads, as
 * criterion's are. */
#if defined(__SANITIZE_THREAD__)
#define CAN_FORK false
#else
#define CAN_FORK true
#endif

struct child {
    pid_t pid;
    int fd; /* to talk with it */
};

/* What a survivor says of itself. */
struct state {
    int came;
    int gone;
    int descriptors;
};

static struct child
spawn(void (*run)(int fd, const char *text), const char *text)
{
    struct child child;
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    child.fd = fds[0];
    child.pid = fork();
    cr_assert_geq(child.pid, 0);
    if (child.pid == 0) {
        (void)close(fds[0]);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* if the test fails */
        run(fds[1], text);
        _exit(0);
    }
    (void)close(fds[1]);
    return child;
}

static void
child_kill(struct child *child)
{
    (void)kill(child->pid, SIGKILL);
    cr_assert_eq(waitpid(child->pid, NULL, 0), child->pid);
    (void)close(child->fd);
}

/* The child has said that it is done; it ends by itself. */
static void
child_end(struct child *child)
{
    int status;
    cr_assert_eq(waitpid(child->pid, &status, 0), child->pid);
    cr_assert_eq(status, 0);
    (void)close(child->fd);
}

/* In a child: what the parent says, however long that takes. */
static bool
heard(int fd, void *data, size_t size)
{
    return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static void
hear(struct child *child, void *data, size_t size, const char *what)
{
    cr_assert(raw_read(child->fd, data, size), "%s", what);
}

/* Somewhere in the load that just began. */
static void
nap_at_random(void)
{
    static uint32_t random = 1;
    struct timespec nap = {0};
    random = random * 1664525u + 1013904223u;
    nap.tv_nsec = (random >> 8) % 4000000;
    (void)nanosleep(&nap, NULL);
}

/* -- what the children do -------------------------------------------------- */

/* Serve; tell the address, then the state whenever asked with 's'; close when
 * asked with 'q'. */
static void
serve(int fd, const char *transport)
{
    struct link_server server;
    char command;
    link_server_start(&server, transport, NULL);
    raw_write(fd, server.address, sizeof(server.address));
    while (heard(fd, &command, 1) && command == 's') {
        struct state state = {atomic_load(&server.came),
                              atomic_load(&server.gone), raw_descriptors()};
        raw_write(fd, &state, sizeof(state));
    }
    link_server_stop(&server);
    raw_write(fd, "q", 1);
}

/* Put a server under load, say so after a few replies, and be killed. */
static void
load_until_killed(int fd, const char *address)
{
    struct link_client client;
    const char *said = "l";
    if (link_client_dial(&client, address) != RPCRT_OK) {
        said = "d";
    } else {
        link_client_load(&client);
        if (!raw_await(&client.replies, 20)) {
            said = "r";
        }
    }
    raw_write(fd, said, 1);
    for (;;) {
        (void)pause();
    }
}

/* Put one server after the other under load, as their addresses come; notice
 * that each goes; end when there is no more. */
static void
load_many(int fd, const char *unused)
{
    char address[RPCRT_ADDRESS_SIZE];
    (void)unused;
    while (heard(fd, address, sizeof(address))) {
        struct link_client client;
        struct state state = {0};
        if (link_client_dial(&client, address) != RPCRT_OK) {
            _exit(1);
        }
        link_client_load(&client);
        if (!raw_await(&client.replies, 20)) {
            _exit(2);
        }
        raw_write(fd, "l", 1);
        if (!raw_await(&client.downs, 1)) {
            _exit(3);
        }
        link_client_stop(&client);
        state.descriptors = raw_descriptors();
        raw_write(fd, &state, sizeof(state));
    }
}

/* -- the claims ------------------------------------------------------------ */

static struct state
state_of(struct child *server)
{
    struct state state;
    raw_write(server->fd, "s", 1);
    hear(server, &state, sizeof(state), "the server is stuck");
    return state;
}

static void
kill_clients(const char *transport, int rounds)
{
    enum { AT_ONCE = 3 };
    char address[RPCRT_ADDRESS_SIZE];
    struct child server;
    struct child clients[AT_ONCE];
    int64_t end;
    int before;
    char said;
    if (!CAN_FORK) {
        cr_skip_test("not under TSan");
    }
    (void)tls_cert("ca.pem"); /* made once, before the children want it */
    server = spawn(serve, transport);
    hear(&server, address, sizeof(address), "no server");
    before = state_of(&server).descriptors;
    for (int i = 0; i < rounds; i++) {
        for (int c = 0; c < AT_ONCE; c++) {
            clients[c] = spawn(load_until_killed, address);
        }
        for (int c = 0; c < AT_ONCE; c++) {
            hear(&clients[c], &said, 1, "the client is stuck");
            cr_assert_eq(said, 'l', "%s",
                         said == 'd' ? "the client can't dial"
                                     : "the server does not reply");
        }
        nap_at_random();
        for (int c = 0; c < AT_ONCE; c++) {
            child_kill(&clients[c]);
        }
    }
    end = raw_now_ms() + RAW_PATIENCE_MS;
    for (;;) {
        struct state state = state_of(&server);
        if (state.came == rounds * AT_ONCE && state.gone == state.came &&
            state.descriptors <= before) {
            break;
        }
        cr_assert_lt(raw_now_ms(), end, "%d came, %d went, %d descriptors left",
                     state.came, state.gone, state.descriptors - before);
        raw_nap();
    }
    raw_write(server.fd, "q", 1);
    hear(&server, &said, 1, "the server does not close");
    child_end(&server);
}

static void
kill_servers(const char *transport, int rounds)
{
    struct child client;
    int before = 0;
    if (!CAN_FORK) {
        cr_skip_test("not under TSan");
    }
    (void)tls_cert("ca.pem");
    client = spawn(load_many, NULL);
    for (int i = 0; i < rounds; i++) {
        char address[RPCRT_ADDRESS_SIZE];
        struct child server = spawn(serve, transport);
        struct state state;
        char said;
        hear(&server, address, sizeof(address), "no server");
        raw_write(client.fd, address, sizeof(address));
        hear(&client, &said, 1, "no load: the client is stuck");
        nap_at_random();
        child_kill(&server);
        hear(&client, &state, sizeof(state), "the client noticed nothing");
        if (i == 0) {
            before = state.descriptors;
        }
        cr_assert_leq(state.descriptors, before + 2);
        if (strncmp(address, "ipc://", 6) == 0) {
            (void)unlink(address + 6);
        }
    }
    (void)shutdown(client.fd, SHUT_RDWR);
    child_end(&client);
}

Test(link_kill, clients_of_tcp, .timeout = 300)
{
    kill_clients("tcp", 40);
}

Test(link_kill, clients_of_ipc, .timeout = 300)
{
    kill_clients("ipc", 40);
}

Test(link_kill, clients_of_tls, .timeout = 300)
{
    kill_clients("tls", 15);
}

Test(link_kill, servers_of_tcp, .timeout = 300)
{
    kill_servers("tcp", 40);
}

Test(link_kill, servers_of_ipc, .timeout = 300)
{
    kill_servers("ipc", 40);
}

Test(link_kill, servers_of_tls, .timeout = 300)
{
    kill_servers("tls", 15);
}
