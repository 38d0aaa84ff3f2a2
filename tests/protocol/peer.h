/*
 * Peers that speak the native protocol by hand, over a plain TCP or ipc socket,
 * as client or as server: they can lie, stall and break off at any byte.
 *
 * Nothing here fails the test but the functions that say so: peers also run on
 * threads, where criterion can't.
 */
#ifndef TESTS_PROTOCOL_PEER_H
#define TESTS_PROTOCOL_PEER_H

#include "protocol/bytes.h"
#include "support/probe.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As long as anything may take before a test calls it lost. */
#define PEER_PATIENCE_MS 10000

/* -- a client -------------------------------------------------------------- */

/* The numbers of the methods that peer_open() tells the server. */
enum { ECHO, COUNT, HANG, MISSING, POUR, SUM, CHAT };

struct peer {
    int fd;
    bool ipc;
    uint32_t request; /* nng's number of the last one */
    uint64_t session;
    uint64_t seq; /* of the next message */
};

/* Connect and shake hands as REQ. Fails the test. */
void peer_connect(struct peer *peer, const char *address);

/* The same and begin a session with K contexts. Fails the test. */
void peer_open(struct peer *peer, const char *address, uint32_t contexts);
void peer_close(struct peer *peer);

/* Begin a message of the session, with the next sequence number. */
struct bytes peer_message(struct peer *peer, uint16_t keep);

/* Send a message as one request, and free it. False if the connection is
 * gone. */
bool peer_send(struct peer *peer, struct bytes *message);

/* The bytes that peer_send() would write. */
struct bytes peer_wrap(struct peer *peer, const struct bytes *message);

/* Write bytes as they are; false if the connection is gone or full. */
bool peer_write(struct peer *peer, const void *data, size_t size);

/* The next message of the server; false when the connection ends or nothing
 * comes for that long. ret_message is to be freed. */
bool peer_receive(struct peer *peer, int patience_ms,
                  struct bytes *ret_message);

/* Take what comes until there is a frame of a type; false as above. The
 * frame's payload stands in ret_message. */
bool peer_await(struct peer *peer, uint8_t type, uint64_t call,
                struct bytes *ret_message, struct frame *ret_frame);

/* Whether the server ends the connection; takes what comes until then. */
bool peer_ended(struct peer *peer);

/* -- a server -------------------------------------------------------------- */

/* Serves one connection after the other on a thread of its own, each by the
 * script, which begins with the handshake; when it returns the connection is
 * closed. */
struct host {
    int fd;
    char address[64];
    pthread_t thread;
    atomic_uint n_connections;
    atomic_bool ending;
    void (*script)(struct host *host, int fd);
    void *arg; /* of the script */
};

/* Fails the test. */
void host_open(struct host *host, void (*script)(struct host *host, int fd),
               void *arg);
void host_close(struct host *host);

/* Shake hands as REP. */
bool host_shake(int fd);

/* The next request: nng's number of it, and its body, to be freed. Waits until
 * something comes, the client leaves or the host ends: then false. */
bool host_receive(struct host *host, int fd, uint32_t *ret_request,
                  struct bytes *ret_message);

/* Answer a request, and free the message. False if the client has left. */
bool host_reply(int fd, uint32_t request, struct bytes *message);

/* Shake hands, take the first request and answer HELLO. ret_session is the
 * client's number for the session. */
bool host_hello(struct host *host, int fd, uint64_t *ret_session);

/* Take requests and answer none, until the client leaves. */
void host_hold(struct host *host, int fd);

/* A script: shake hands, but never say HELLO. */
void host_mute(struct host *host, int fd);

/* -- what is used ---------------------------------------------------------- */

struct census {
    unsigned n_descriptors;
    unsigned n_threads;
};

/* Count; nng keeps some of both from its first use on, so a test makes a
 * round of what it does before it counts. */
struct census census_take(void);

/* Threads that run handlers; a census does not count them. */
unsigned census_workers(void);

/* Wait until no more is in use than before. Fails the test. */
void census_check(const struct census *before);

/* Milliseconds on the monotonic clock, and a short sleep. */
int64_t now_ms(void);
void nap_ms(unsigned ms);

#endif
