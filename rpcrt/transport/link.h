/*
 * What the native protocol needs of a message transport, and all it may use of
 * it: no type of the library underneath shows here. transport/nng/ implements
 * it over REQ/REP.
 *
 * A client link is one connection: one REQ socket with `slots` contexts, no
 * resending, no redialing; when its pipe goes it is down for good. A server
 * link is one REP socket with any number of listeners, and contexts that it
 * opens as they are needed.
 *
 * Callbacks run on the library's few threads: they must not block, and they
 * overlap, also for one peer. A function of a link never runs a callback on
 * the caller's stack, so it may be called under the lock that the callback
 * takes.
 */
#ifndef RPCRT_TRANSPORT_LINK_H
#define RPCRT_TRANSPORT_LINK_H

#include "core/error.h"
#include <rpcrt/tls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- messages -------------------------------------------------------------- */

struct rpcrt__msg;

/* A message with a body of `size` bytes, not zeroed; NULL without memory. */
struct rpcrt__msg *rpcrt__msg_new(size_t size);
void rpcrt__msg_free(struct rpcrt__msg *msg); /* NULL does nothing */
uint8_t *rpcrt__msg_body(struct rpcrt__msg *msg);
size_t rpcrt__msg_size(const struct rpcrt__msg *msg);
/* Shorten the body. */
void rpcrt__msg_trim(struct rpcrt__msg *msg, size_t size);

/* -- addresses and TLS ----------------------------------------------------- */

/* Check an address and what it needs of TLS, without I/O. OK, or
 * INVALID_ARGUMENT with a text that names the address. `tls` says whether
 * certificates were given; tls+tcp:// needs them, others refuse them. */
enum rpcrt_code rpcrt__address_check(const char *address, bool tls,
                                     bool listening,
                                     struct rpcrt__error *ret_error);

/* Certificates, read and parsed; can serve several links. */
struct rpcrt__tls_identity;

/* Read the files. FAILED_PRECONDITION with a text that names the file and what
 * is wrong with it; INVALID_ARGUMENT if a file is missing that the role needs;
 * RESOURCE_EXHAUSTED. The strings are copied. */
enum rpcrt_code rpcrt__tls_identity_new(const struct rpcrt_tls *tls,
                                        bool server,
                                        struct rpcrt__error *ret_error,
                                        struct rpcrt__tls_identity **ret_tls);
void rpcrt__tls_identity_free(struct rpcrt__tls_identity *tls);

/* -- client ---------------------------------------------------------------- */

struct rpcrt__client_link;

struct rpcrt__client_link_events {
    /* The reply to what was sent on a slot; the slot is free again. Owner of
     * msg: the callee. */
    void (*on_reply)(void *arg, unsigned slot, struct rpcrt__msg *msg);
    /* The connection is gone; told once, and only if dialing succeeded. A
     * reply that was under way may overlap it or come late. */
    void (*on_down)(void *arg, const struct rpcrt__error *why);
};

struct rpcrt__client_link_options {
    const char *address;
    struct rpcrt__tls_identity *tls; /* NULL: none; outlives the link */
    const char *server_name;         /* for TLS; NULL: the address's host */
    unsigned slots;
    size_t message_size_max;
};

/* Prepare; no I/O. Owner: the caller. */
enum rpcrt_code
rpcrt__client_link_new(const struct rpcrt__client_link_options *options,
                       const struct rpcrt__client_link_events *events,
                       void *arg, struct rpcrt__error *ret_error,
                       struct rpcrt__client_link **ret_link);

/* Connect; blocks, so never on a callback. Once. UNAVAILABLE with a text like
 * "connect tcp://h:1: connection refused", which for TLS says why in words
 * ("the server's certificate has expired"). */
enum rpcrt_code rpcrt__client_link_dial(struct rpcrt__client_link *link,
                                        struct rpcrt__error *ret_error);

/* Send on a free slot; never blocks. Takes msg. If it can't be sent the link
 * goes down. */
void rpcrt__client_link_send(struct rpcrt__client_link *link, unsigned slot,
                             struct rpcrt__msg *msg);

/* End the connection, or a dial under way on another thread; on_down follows.
 * Any thread, also a callback. */
void rpcrt__client_link_cut(struct rpcrt__client_link *link);

/* Close and free; returns when no callback runs or will run. Not from a
 * callback, nor under a lock that one takes, nor beside another function of
 * the link but cut. NULL does nothing. */
void rpcrt__client_link_free(struct rpcrt__client_link *link);

/* -- server ---------------------------------------------------------------- */

struct rpcrt__server_link;

struct rpcrt__peer_info {
    const char *address; /* "tcp://127.0.0.1:40312"; never NULL */
    const char *name;    /* of a verified client certificate, or NULL */
};

struct rpcrt__server_link_events {
    /* A connection came; `peer` is its number, never used again. False refuses
     * it. Messages may arrive before it has returned. */
    bool (*on_peer)(void *arg, uint32_t peer,
                    const struct rpcrt__peer_info *info);
    /* It is gone. A message of it that is under way may still come late. */
    void (*on_peer_gone)(void *arg, uint32_t peer);
    /* A request. The slot is held until reply() or forget(). Owner of msg: the
     * callee. */
    void (*on_request)(void *arg, unsigned slot, uint32_t peer,
                       struct rpcrt__msg *msg);
    /* What reply() was given left, or its peer is gone; the slot receives
     * again. */
    void (*on_sent)(void *arg, unsigned slot, uint32_t peer);
    /* A line for the log: a TLS handshake that failed, with reason and peer;
     * an accept that failed. */
    void (*on_warning)(void *arg, const char *line, bool handshake);
};

struct rpcrt__server_link_options {
    unsigned receiving_min; /* contexts that always stand ready; R */
    unsigned slots_max;     /* contexts at the most */
    size_t message_size_max;
};

enum rpcrt_code
rpcrt__server_link_new(const struct rpcrt__server_link_options *options,
                       const struct rpcrt__server_link_events *events,
                       void *arg, struct rpcrt__error *ret_error,
                       struct rpcrt__server_link **ret_link);

/* Listen on one more address; may block for a name look-up. ret_address gets
 * RPCRT_ADDRESS_SIZE bytes at the most: the address to dial, with the port
 * that was taken. UNAVAILABLE with a text like "listen tcp://127.0.0.1:80:
 * permission denied". The identity outlives the link. */
enum rpcrt_code rpcrt__server_link_listen(struct rpcrt__server_link *link,
                                          const char *address,
                                          struct rpcrt__tls_identity *tls,
                                          struct rpcrt__error *ret_error,
                                          char *ret_address);

/* Answer the request that a slot holds; never blocks. Takes msg. */
void rpcrt__server_link_reply(struct rpcrt__server_link *link, unsigned slot,
                              struct rpcrt__msg *msg);

/* Drop the request that a slot holds, its peer being gone or cut. */
void rpcrt__server_link_forget(struct rpcrt__server_link *link, unsigned slot);

/* End a connection; on_peer_gone follows. Any thread, also a callback. */
void rpcrt__server_link_cut(struct rpcrt__server_link *link, uint32_t peer);

/* As for the client. Connections that are left are ended; on_peer_gone may or
 * may not be told for them. */
void rpcrt__server_link_free(struct rpcrt__server_link *link);

#endif
