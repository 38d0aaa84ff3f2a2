/*
 * Connections that end at any byte of an exchange: the handshake, the first
 * messages, a request in two parts, its reply. Nothing runs that did not come
 * whole, each call ends, and nothing is left behind.
 */
#include "protocol/peer.h"
#include "transport/raw.h"

/* End the connection, in one of the two ways there are. */
static void
cut(int fd, size_t n)
{
    raw_reset(fd, n % 2 == 0);
}

static void
await_sessions(struct rpcrt_server *server, unsigned n)
{
    struct rpcrt_server_stats stats;
    int64_t end = now_ms() + PEER_PATIENCE_MS;

    do {
        rpcrt_server_get_stats(server, &stats);
    } while (stats.sessions > n && now_ms() < end);
    cr_assert_eq(stats.sessions, n, "%u sessions", stats.sessions);
}

/* -- the client leaves ----------------------------------------------------- */

/* What a client sends up to the answer to its HELLO. */
static struct bytes
beginning(const char *address)
{
    const uint8_t hand[8] = {0, 'S', 'P', 0, 0, RAW_REQ, 0, 0};
    struct peer peer = {.ipc = strncmp(address, "ipc", 3) == 0,
                        .request = 0x80000000u,
                        .session = 1};
    struct bytes message = peer_message(&peer, 1);
    struct bytes whole = {0};
    struct bytes wrapped;

    put_hello(&message, 4, 1000);
    put_method(&message, 0, "/probe.v1.Probe/Count");
    wrapped = peer_wrap(&peer, &message);
    bytes_put(&whole, hand, sizeof hand);
    bytes_put(&whole, wrapped.data, wrapped.size);
    bytes_free(&wrapped);
    bytes_free(&message);
    return whole;
}

/* A request of ten bytes in two messages. */
static struct bytes
call_in_parts(struct peer *peer)
{
    const uint8_t request[] = {0x0a, 8, 'p', 'a', 'y', 'l', 'o', 'a', 'd', '!'};
    struct bytes first = peer_message(peer, 2);
    struct bytes second = peer_message(peer, 2);
    struct bytes whole;
    struct bytes rest;

    put_call_part(&first, 1, COUNT, sizeof request, request, 4);
    put_frame(&second, DATA, 0, 0, 1, request + 4, sizeof request - 4);
    whole = peer_wrap(peer, &first);
    rest = peer_wrap(peer, &second);
    bytes_put(&whole, rest.data, rest.size);
    bytes_free(&first);
    bytes_free(&second);
    bytes_free(&rest);
    return whole;
}

static void
cut_the_beginning(struct bed *bed)
{
    struct bytes whole = beginning(bed->address);

    for (size_t n = 0; n <= whole.size; n++) {
        int fd = raw_connect(bed->address);

        raw_write(fd, whole.data, n);
        cut(fd, n);
    }
    bytes_free(&whole);
    await_sessions(bed->server, 1);
}

static void
cut_a_call(struct bed *bed)
{
    size_t size = 1;

    for (size_t n = 0; n < size; n++) {
        struct peer peer;
        struct bytes whole;

        peer_open(&peer, bed->address, 4);
        whole = call_in_parts(&peer);
        size = whole.size;
        raw_write(peer.fd, whole.data, n);
        cut(peer.fd, n);
        bytes_free(&whole);
    }
    await_sessions(bed->server, 1);
    cr_assert_eq(atomic_load(&bed->probe.n_counted), 0u);
}

/* All of it, to see that what was cut is a call that runs. */
static void
make_the_call(struct bed *bed)
{
    struct peer peer;
    struct bytes whole;
    struct bytes message;
    struct frame frame;

    peer_open(&peer, bed->address, 4);
    whole = call_in_parts(&peer);
    raw_write(peer.fd, whole.data, whole.size);
    cr_assert(peer_await(&peer, DATA, 1, &message, &frame));
    bytes_free(&whole);
    bytes_free(&message);
    peer_close(&peer);
    cr_assert_eq(atomic_load(&bed->probe.n_counted), 1u);
}

static void
cut_by_the_client(const char *transport)
{
    struct bed bed;
    struct rpcrt_call *good;
    struct census before;

    bed_open(&bed, transport, NULL, NULL);
    good = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(good, 10);
    before = census_take();
    cut_the_beginning(&bed);
    bed_echo(good, 10);
    cut_a_call(&bed);
    bed_echo(good, 10);
    make_the_call(&bed);
    await_sessions(bed.server, 1);
    census_check(&before);
    rpcrt_call_free(good);
    bed_close(&bed);
    raw_assert_no_leaks();
}

Test(cut, by_the_client_at_every_byte_runs_nothing_tcp, .timeout = 60)
{
    cut_by_the_client("tcp");
}

Test(cut, by_the_client_at_every_byte_runs_nothing_ipc, .timeout = 60)
{
    cut_by_the_client("ipc");
}

/* -- the server leaves ----------------------------------------------------- */

/* How many bytes a server writes before it leaves. */
struct script {
    atomic_size_t left;
    atomic_size_t size; /* of all that it would write */
};

/* Write what is still allowed; false once that is used up. */
static bool
write_some(struct script *script, int fd, const void *data, size_t size)
{
    size_t left = atomic_load(&script->left);
    size_t n = size < left ? size : left;

    (void)send(fd, data, n, MSG_NOSIGNAL);
    atomic_fetch_sub(&script->left, n);
    atomic_fetch_add(&script->size, size);
    return n == size;
}

static bool
answer_some(struct script *script, int fd, uint32_t request,
            struct bytes *message)
{
    struct peer peer = {.request = request - 1};
    struct bytes whole = peer_wrap(&peer, message);
    bool all = write_some(script, fd, whole.data, whole.size);

    bytes_free(&whole);
    bytes_free(message);
    return all;
}

static void
serve_one_call(struct host *host, int fd)
{
    const uint8_t hand[8] = {0, 'S', 'P', 0, 0, RAW_REP, 0, 0};
    struct script *script = host->arg;
    struct bytes message;
    struct bytes answer = {0};
    uint8_t other[8];
    uint32_t request;
    uint64_t session;

    if (!write_some(script, fd, hand, sizeof hand) ||
        recv(fd, other, sizeof other, MSG_WAITALL) != sizeof other ||
        !host_receive(host, fd, &request, &message)) {
        return;
    }
    session = bytes_number(message.data + 8, 8);
    bytes_free(&message);
    put_header(&answer, 0, session, 0);
    put_hello(&answer, 4, 1000);
    if (!answer_some(script, fd, request, &answer) ||
        !host_receive(host, fd, &request, &message)) {
        return;
    }
    bytes_free(&message);
    put_header(&answer, 0, session, 1);
    put_frame(&answer, DATA, START, 0, 1, "\x06\0\0\0\x0a\x04to", 8);
    put_frame(&answer, DATA, END, 0, 1, "fu", 2);
    if (answer_some(script, fd, request, &answer)) {
        host_hold(host, fd);
    }
}

/* One call to a server that leaves behind n bytes. */
static enum rpcrt_code
call_once(const char *address, bool *ret_may_have_run)
{
    static const struct rpcrt_channel_options options = {.contexts = 4};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    enum rpcrt_code code;

    cr_assert_eq(rpcrt_channel_new(address, &options, &channel), RPCRT_OK);
    call = bed_call(channel, 5000);
    code = probe_echo(call, &request, &reply);
    if (code == RPCRT_OK) {
        cr_assert_eq(reply->payload.len, 4);
        cr_assert_arr_eq(reply->payload.data, "tofu", 4);
    }
    *ret_may_have_run = rpcrt_call_may_have_run(call);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    return code;
}

Test(cut, by_the_server_at_every_byte_ends_the_call, .timeout = 60)
{
    const size_t hello_end = 8 + 12 + HEADER_SIZE + FRAME_SIZE + 20;
    struct script script = {.left = 0};
    enum rpcrt_code code = RPCRT_UNKNOWN;
    struct host host;

    host_open(&host, serve_one_call, &script);
    for (size_t n = 0; code != RPCRT_OK; n++) {
        bool may_have_run;

        atomic_store(&script.left, n);
        atomic_store(&script.size, 0);
        code = call_once(host.address, &may_have_run);
        if (code == RPCRT_OK) {
            cr_assert_eq(n, atomic_load(&script.size));
        } else {
            cr_assert_eq(code, RPCRT_UNAVAILABLE, "%s behind %zu bytes",
                         rpcrt_code_name(code), n);
            cr_assert_eq(may_have_run, n >= hello_end, "behind %zu bytes", n);
        }
    }
    host_close(&host);
    raw_assert_no_leaks();
}
