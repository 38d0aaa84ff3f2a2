/*
 * Peers that misbehave: plain sockets that speak as much of nng's protocol as
 * a test wants, ways to hold nng's task threads, and waiting for things.
 */
#ifndef TESTS_TRANSPORT_RAW_H
#define TESTS_TRANSPORT_RAW_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <nng/nng.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* As long as anything may take before a test calls it lost. */
#define RAW_PATIENCE_MS 20000

enum { RAW_REQ = 0x30, RAW_REP = 0x31 }; /* what a peer says it speaks */

/* -- leaks ----------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
#define RAW_LEAKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RAW_LEAKS 1
#endif
#endif
#ifdef RAW_LEAKS
int __lsan_do_recoverable_leak_check(void);
#endif

/* Fail if memory was lost; criterion does not care what is said at exit. */
static inline void
raw_assert_no_leaks(void)
{
#ifdef RAW_LEAKS
    cr_assert_eq(__lsan_do_recoverable_leak_check(), 0);
#endif
}

/* -- time ------------------------------------------------------------------ */

static inline int64_t
raw_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void
raw_nap(void)
{
    struct timespec nap = {.tv_nsec = 1000000};
    (void)nanosleep(&nap, NULL);
}

/* Wait until a counter is at least so much; false if it takes too long. */
static inline bool
raw_await(atomic_int *counter, int value)
{
    int64_t end = raw_now_ms() + RAW_PATIENCE_MS;
    while (atomic_load(counter) < value) {
        if (raw_now_ms() > end) {
            return false;
        }
        raw_nap();
    }
    return true;
}

/* -- descriptors ----------------------------------------------------------- */

static inline int
raw_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;
    cr_assert_not_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count;
}

/* Wait until no more descriptors are open than that. */
static inline bool
raw_await_descriptors(int most)
{
    int64_t end = raw_now_ms() + RAW_PATIENCE_MS;
    while (raw_descriptors() > most) {
        if (raw_now_ms() > end) {
            return false;
        }
        raw_nap();
    }
    return true;
}

/* -- sockets --------------------------------------------------------------- */

/* A name for a socket file that nobody else uses. */
static inline void
raw_ipc_address(char address[64])
{
    static int number;
    (void)snprintf(address, 64, "ipc:///tmp/rpcrt-test-%ld-%d", (long)getpid(),
                   number++);
}

/* Connect to tcp://127.0.0.1:PORT or ipc://PATH. */
static inline int
raw_connect(const char *address)
{
    struct sockaddr_storage ss = {0};
    socklen_t length;
    int fd;
    if (strncmp(address, "ipc://", 6) == 0) {
        struct sockaddr_un *un = (struct sockaddr_un *)&ss;
        un->sun_family = AF_UNIX;
        (void)snprintf(un->sun_path, sizeof(un->sun_path), "%s", address + 6);
        length = sizeof(*un);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)&ss;
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in->sin_port =
            htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
        length = sizeof(*in);
    }
    fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&ss, length), 0,
                 "connect %s: %s", address, strerror(errno));
    return fd;
}

/* Listen on a free port of 127.0.0.1. */
static inline int
raw_listen(char address[64])
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t length = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    cr_assert_eq(listen(fd, 128), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &length), 0);
    (void)snprintf(address, 64, "tcp://127.0.0.1:%u", ntohs(in.sin_port));
    return fd;
}

static inline void
raw_write(int fd, const void *data, size_t size)
{
    cr_assert_eq(send(fd, data, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* Read so many bytes; false if the peer ends or takes too long. */
static inline bool
raw_read(int fd, void *data, size_t size)
{
    uint8_t *to = data;
    while (size > 0) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t n;
        if (poll(&ready, 1, RAW_PATIENCE_MS) != 1) {
            return false;
        }
        n = recv(fd, to, size, 0);
        if (n <= 0) {
            return false;
        }
        to += n;
        size -= (size_t)n;
    }
    return true;
}

/* Whether the peer ends the connection. */
static inline bool
raw_ended(int fd)
{
    char rest[4096];
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, RAW_PATIENCE_MS) != 1) {
            return false;
        }
        if (recv(fd, rest, sizeof(rest), 0) <= 0) {
            return true;
        }
    }
}

/* End a connection with a reset (TCP), after an orderly end if wanted. */
static inline void
raw_reset(int fd, bool orderly_first)
{
    struct linger linger = {.l_onoff = 1};
    if (orderly_first) {
        (void)shutdown(fd, SHUT_WR);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    (void)close(fd);
}

/* -- nng's protocol -------------------------------------------------------- */

/* Shake hands as somebody who speaks `protocol`. */
static inline bool
raw_handshake(int fd, uint8_t protocol)
{
    const uint8_t ours[8] = {0, 'S', 'P', 0, 0, protocol, 0, 0};
    uint8_t theirs[8];
    raw_write(fd, ours, sizeof(ours));
    return raw_read(fd, theirs, sizeof(theirs)) && theirs[1] == 'S';
}

/* Announce a message of a length; ipc puts a type before it. */
static inline void
raw_announce(int fd, const char *address, uint64_t length)
{
    uint8_t head[9] = {1};
    for (int i = 0; i < 8; i++) {
        head[1 + i] = (uint8_t)(length >> (56 - 8 * i));
    }
    if (strncmp(address, "ipc", 3) == 0) {
        raw_write(fd, head, 9);
    } else {
        raw_write(fd, head + 1, 8);
    }
}

/* A request with an id and a body. */
static inline void
raw_request(int fd, const char *address, uint32_t id, const void *body,
            size_t size)
{
    const uint8_t header[4] = {(uint8_t)(0x80 | (id >> 24)),
                               (uint8_t)(id >> 16), (uint8_t)(id >> 8),
                               (uint8_t)id};
    raw_announce(fd, address, size + 4);
    raw_write(fd, header, 4);
    raw_write(fd, body, size);
}

/* -- nng's task threads ---------------------------------------------------- */

/* More than nng starts. Callbacks come in order, so whatever nng wants to run
 * after raw_tasks_hold() runs after raw_tasks_release(). */
#define RAW_TASKS 32

struct raw_tasks {
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool released;
    atomic_int held;
    nng_aio *aios[RAW_TASKS];
};

static inline void
raw_task(void *arg)
{
    struct raw_tasks *tasks = arg;
    atomic_fetch_add(&tasks->held, 1);
    pthread_mutex_lock(&tasks->lock);
    while (!tasks->released) {
        pthread_cond_wait(&tasks->change, &tasks->lock);
    }
    pthread_mutex_unlock(&tasks->lock);
}

static inline void
raw_tasks_hold(struct raw_tasks *tasks)
{
    int64_t settled;
    int held = 0;
    memset(tasks, 0, sizeof(*tasks));
    pthread_mutex_init(&tasks->lock, NULL);
    pthread_cond_init(&tasks->change, NULL);
    for (int i = 0; i < RAW_TASKS; i++) {
        cr_assert_eq(nng_aio_alloc(&tasks->aios[i], raw_task, tasks), 0);
        nng_sleep_aio(0, tasks->aios[i]);
    }
    /* How many threads nng has is its secret: all are held when no more come
     * for a while. */
    for (settled = raw_now_ms() + 100; raw_now_ms() < settled; raw_nap()) {
        if (atomic_load(&tasks->held) != held) {
            held = atomic_load(&tasks->held);
            settled = raw_now_ms() + 100;
        }
    }
}

static inline void
raw_tasks_release(struct raw_tasks *tasks)
{
    pthread_mutex_lock(&tasks->lock);
    tasks->released = true;
    pthread_cond_broadcast(&tasks->change);
    pthread_mutex_unlock(&tasks->lock);
    for (int i = 0; i < RAW_TASKS; i++) {
        nng_aio_free(tasks->aios[i]);
    }
    pthread_cond_destroy(&tasks->change);
    pthread_mutex_destroy(&tasks->lock);
}

#endif
