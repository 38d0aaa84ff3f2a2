/*
 * Both ends of a link over any transport, and what they were told: a server
 * that echoes or holds, a client that can keep all its slots busy.
 */
#ifndef TESTS_TRANSPORT_LINKS_H
#define TESTS_TRANSPORT_LINKS_H

#include "transport/link.h"
#include <pthread.h>
#include <stdatomic.h>

#define LINK_SLOTS 16u
#define LINK_MESSAGE_MAX (256u << 10)

/* "inproc", "ipc", "tcp", "tls". */
#define LINK_TRANSPORTS 4
extern const char *const link_transports[LINK_TRANSPORTS];

struct link_server {
    struct rpcrt__server_link *link;
    struct rpcrt__tls_identity *tls;
    char address[RPCRT_ADDRESS_SIZE]; /* to dial */
    bool refuse;                      /* whoever comes */
    bool hold;                        /* requests, instead of echoing them */
    atomic_int came, gone, requests, sent, warnings;
    atomic_uint peer; /* the last that came */

    pthread_mutex_t lock; /* of the rest */
    char peer_address[RPCRT_ADDRESS_SIZE];
    char warning[RPCRT_TEXT_SIZE];
    unsigned held_count;
    struct {
        unsigned slot;
        struct rpcrt__msg *msg;
    } held[64];
};

struct link_client {
    struct rpcrt__client_link *link;
    struct rpcrt__tls_identity *tls;
    struct rpcrt__error error; /* of new or dial */
    atomic_bool load;          /* send again whatever comes back */
    atomic_int replies, downs;

    pthread_mutex_t lock; /* of the rest */
    char down[RPCRT_TEXT_SIZE];
    struct rpcrt__msg *last[LINK_SLOTS]; /* replies, unless under load */
};

/* Options with which everything above works. */
struct rpcrt__server_link_options link_server_options(void);

/* Open and listen; `options` may be NULL. */
void link_server_start(struct link_server *server, const char *transport,
                       const struct rpcrt__server_link_options *options);
/* Reply to what is held, newest first. */
void link_server_reply_all(struct link_server *server);
void link_server_stop(struct link_server *server);

/* Dial an address that some server listens on; OK or an error. */
enum rpcrt_code link_client_dial(struct link_client *client,
                                 const char *address);
/* Dial what must be there. */
void link_client_start(struct link_client *client,
                       const struct link_server *server);
/* Send a message of a size, filled with a byte, on a slot. */
void link_client_send(struct link_client *client, unsigned slot, size_t size,
                      unsigned char fill);
/* Send on every slot, again and again. */
void link_client_load(struct link_client *client);
/* One round trip on a slot, compared. */
void link_client_echo(struct link_client *client, unsigned slot, size_t size);
void link_client_stop(struct link_client *client);

#endif
