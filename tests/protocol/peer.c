/*
 * The peers of protocol/peer.h. On the wire nng puts eight bytes of length
 * before each message (and one of type over ipc), and four bytes with the
 * request's number before the body, all big endian.
 */
#include "protocol/peer.h"

#include "core/executor.h"
#include "transport/raw.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* -- numbers of nng -------------------------------------------------------- */

static void
put_big_endian(struct bytes *bytes, uint64_t value, unsigned n_bytes)
{
    for (unsigned i = n_bytes; i > 0; i--) {
        bytes_put_number(bytes, value >> (8 * (i - 1)), 1);
    }
}

static uint64_t
big_endian(const uint8_t *at, unsigned n_bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n_bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

/* -- sockets --------------------------------------------------------------- */

/* Wait until something can be read; false when nothing comes. */
static bool
readable(int fd, int patience_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    return poll(&poller, 1, patience_ms) == 1;
}

static bool
read_all(int fd, int patience_ms, void *data, size_t size)
{
    uint8_t *at = data;

    while (size > 0) {
        ssize_t n;

        if (!readable(fd, patience_ms)) {
            return false;
        }
        n = recv(fd, at, size, 0);
        if (n <= 0) {
            return false;
        }
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static bool
write_all(int fd, const void *data, size_t size)
{
    const uint8_t *at = data;

    while (size > 0) {
        struct pollfd poller = {.fd = fd, .events = POLLOUT};
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            at += n;
            size -= (size_t)n;
        } else if (n == 0 || errno != EAGAIN ||
                   poll(&poller, 1, PEER_PATIENCE_MS) != 1) {
            return false;
        }
    }
    return true;
}

/* A message of nng: its number of the request, and the body. */
static bool
read_message(int fd, bool ipc, int patience_ms, uint32_t *ret_request,
             struct bytes *ret_message)
{
    uint8_t head[13];
    size_t head_size = ipc ? 13 : 12;
    uint64_t size;
    struct bytes message = {0};

    if (!read_all(fd, patience_ms, head, head_size)) {
        return false;
    }
    size = big_endian(head + head_size - 12, 8);
    if (size < 4 || size > (1u << 20)) {
        return false;
    }
    message.size = (size_t)size - 4;
    message.room = message.size + 1;
    message.data = malloc(message.room);
    if (message.data == NULL ||
        !read_all(fd, PEER_PATIENCE_MS, message.data, message.size)) {
        bytes_free(&message);
        return false;
    }
    *ret_request = (uint32_t)big_endian(head + head_size - 4, 4);
    *ret_message = message;
    return true;
}

static struct bytes
wrap(bool ipc, uint32_t request, const struct bytes *message)
{
    struct bytes whole = {0};

    if (ipc) {
        bytes_put_number(&whole, 1, 1);
    }
    put_big_endian(&whole, message->size + 4, 8);
    put_big_endian(&whole, request, 4);
    bytes_put(&whole, message->data, message->size);
    return whole;
}

/* -- a client -------------------------------------------------------------- */

void
peer_connect(struct peer *peer, const char *address)
{
    static atomic_uint n_sessions;

    memset(peer, 0, sizeof *peer);
    peer->ipc = strncmp(address, "ipc", 3) == 0;
    peer->request = 0x80000000u;
    peer->session = 0x5e55000000000001u + atomic_fetch_add(&n_sessions, 1);
    peer->fd = raw_connect(address);
    cr_assert(raw_handshake(peer->fd, RAW_REQ));
}

void
peer_open(struct peer *peer, const char *address, uint32_t contexts)
{
    struct bytes message;
    struct frame frame;

    peer_connect(peer, address);
    message = peer_message(peer, 1);
    put_hello(&message, contexts, 4u << 20);
    put_method(&message, ECHO, "/probe.v1.Probe/Echo");
    put_method(&message, COUNT, "/probe.v1.Probe/Count");
    put_method(&message, HANG, "/probe.v1.Probe/Hang");
    put_method(&message, MISSING, "/no.Such/Method");
    put_method(&message, POUR, "/probe.v1.Probe/Pour");
    put_method(&message, SUM, "/probe.v1.Probe/Sum");
    put_method(&message, CHAT, "/probe.v1.Probe/Chat");
    cr_assert(peer_send(peer, &message));
    cr_assert(peer_await(peer, HELLO, 0, &message, &frame));
    cr_assert_eq(bytes_number(frame.payload, 4), contexts);
    bytes_free(&message);
}

void
peer_close(struct peer *peer)
{
    (void)close(peer->fd);
}

struct bytes
peer_message(struct peer *peer, uint16_t keep)
{
    struct bytes message = {0};

    put_header(&message, keep, peer->session, peer->seq++);
    return message;
}

struct bytes
peer_wrap(struct peer *peer, const struct bytes *message)
{
    return wrap(peer->ipc, ++peer->request, message);
}

bool
peer_write(struct peer *peer, const void *data, size_t size)
{
    return write_all(peer->fd, data, size);
}

bool
peer_send(struct peer *peer, struct bytes *message)
{
    struct bytes whole = peer_wrap(peer, message);
    bool sent = peer_write(peer, whole.data, whole.size);

    bytes_free(&whole);
    bytes_free(message);
    return sent;
}

bool
peer_receive(struct peer *peer, int patience_ms, struct bytes *ret_message)
{
    uint32_t request;

    return read_message(peer->fd, peer->ipc, patience_ms, &request,
                        ret_message);
}

bool
peer_await(struct peer *peer, uint8_t type, uint64_t call,
           struct bytes *ret_message, struct frame *ret_frame)
{
    while (peer_receive(peer, PEER_PATIENCE_MS, ret_message)) {
        if (find_frame(ret_message, type, call, ret_frame)) {
            return true;
        }
        bytes_free(ret_message);
    }
    return false;
}

bool
peer_ended(struct peer *peer)
{
    return raw_ended(peer->fd);
}

/* -- a server -------------------------------------------------------------- */

static void *
host_main(void *arg)
{
    struct host *host = arg;

    while (!atomic_load(&host->ending)) {
        int fd;

        if (!readable(host->fd, 5)) {
            continue;
        }
        fd = accept(host->fd, NULL, NULL);
        if (fd < 0) {
            continue;
        }
        atomic_fetch_add(&host->n_connections, 1);
        host->script(host, fd);
        (void)close(fd);
    }
    return NULL;
}

void
host_open(struct host *host, void (*script)(struct host *host, int fd),
          void *arg)
{
    memset(host, 0, sizeof *host);
    host->script = script;
    host->arg = arg;
    host->fd = raw_listen(host->address);
    cr_assert_eq(pthread_create(&host->thread, NULL, host_main, host), 0);
}

void
host_close(struct host *host)
{
    atomic_store(&host->ending, true);
    (void)pthread_join(host->thread, NULL);
    (void)close(host->fd);
}

bool
host_shake(int fd)
{
    const uint8_t hand[8] = {0, 'S', 'P', 0, 0, RAW_REP, 0, 0};
    uint8_t other[8];

    return write_all(fd, hand, sizeof hand) &&
           read_all(fd, PEER_PATIENCE_MS, other, sizeof other);
}

bool
host_receive(struct host *host, int fd, uint32_t *ret_request,
             struct bytes *ret_message)
{
    while (!readable(fd, 5)) {
        if (atomic_load(&host->ending)) {
            return false;
        }
    }
    return read_message(fd, false, PEER_PATIENCE_MS, ret_request, ret_message);
}

bool
host_reply(int fd, uint32_t request, struct bytes *message)
{
    struct bytes whole = wrap(false, request, message);
    bool sent = write_all(fd, whole.data, whole.size);

    bytes_free(&whole);
    bytes_free(message);
    return sent;
}

bool
host_hello(struct host *host, int fd, uint64_t *ret_session)
{
    struct bytes message;
    struct frame frame;
    uint32_t request;
    bool good;

    if (!host_shake(fd) || !host_receive(host, fd, &request, &message)) {
        return false;
    }
    good = find_frame(&message, HELLO, 0, &frame);
    *ret_session = bytes_number(message.data + 8, 8);
    if (good) {
        struct bytes answer = {0};

        put_header(&answer, 0, *ret_session, 0);
        put_hello(&answer, (uint32_t)bytes_number(frame.payload, 4), 4u << 20);
        good = host_reply(fd, request, &answer);
    }
    bytes_free(&message);
    return good;
}

void
host_hold(struct host *host, int fd)
{
    struct bytes message;
    uint32_t request;

    while (host_receive(host, fd, &request, &message)) {
        bytes_free(&message);
    }
}

void
host_mute(struct host *host, int fd)
{
    if (host_shake(fd)) {
        host_hold(host, fd);
    }
}

/* -- what is used ---------------------------------------------------------- */

static unsigned
entries_of(const char *path)
{
    DIR *dir = opendir(path);
    unsigned n = 0;

    cr_assert_not_null(dir);
    while (readdir(dir) != NULL) {
        n++;
    }
    (void)closedir(dir);
    return n;
}

static bool
is_worker(const char *task)
{
    char path[300];
    char name[32] = "";
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/self/task/%s/comm", task);
    file = fopen(path, "r");
    if (file != NULL) {
        (void)!fgets(name, sizeof name, file);
        (void)fclose(file);
    }
    return strncmp(name, RPCRT__WORKER_NAME, strlen(RPCRT__WORKER_NAME)) == 0;
}

/* Without workers: how many of those there are depends on how busy the machine
 * is. */
static unsigned
count_threads(bool workers)
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;
    unsigned n = 0;

    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        n += entry->d_name[0] != '.' && is_worker(entry->d_name) == workers;
    }
    (void)closedir(dir);
    return n;
}

struct census
census_take(void)
{
    struct census census = {.n_descriptors = entries_of("/proc/self/fd"),
                            .n_threads = count_threads(false)};

    return census;
}

unsigned
census_workers(void)
{
    return count_threads(true);
}

void
census_check(const struct census *before)
{
    int64_t end = now_ms() + PEER_PATIENCE_MS;
    struct census now = census_take();

    /* Sockets of nng are closed a moment after their end. */
    while ((now.n_descriptors > before->n_descriptors ||
            now.n_threads > before->n_threads) &&
           now_ms() < end) {
        nap_ms(2);
        now = census_take();
    }
    cr_assert_leq(now.n_descriptors, before->n_descriptors, "%u became %u",
                  before->n_descriptors, now.n_descriptors);
    cr_assert_leq(now.n_threads, before->n_threads, "%u threads became %u",
                  before->n_threads, now.n_threads);
}

int64_t
now_ms(void)
{
    return raw_now_ms();
}

void
nap_ms(unsigned ms)
{
    struct timespec nap = {.tv_sec = ms / 1000,
                           .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&nap, NULL);
}
