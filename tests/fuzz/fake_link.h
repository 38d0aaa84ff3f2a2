/*
 * A transport for fuzzers, in place of transport/nng: messages are blocks of
 * memory, and the fuzzer is the other end. Defines what transport/link.h
 * declares, so one file of a program includes it. What a link may rely on (a
 * slot is answered once, a message can be read by the other side) is checked
 * here, with abort().
 */
#ifndef TESTS_FUZZ_FAKE_LINK_H
#define TESTS_FUZZ_FAKE_LINK_H

#include "transport/link.h"
#include "transport/names.h"
#include "wire/native.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* -- messages -------------------------------------------------------------- */

struct rpcrt__msg {
    size_t size;
    uint8_t *body; /* a block of its own, so that ASan sees its end */
};

struct rpcrt__msg *
rpcrt__msg_new(size_t size)
{
    struct rpcrt__msg *msg = malloc(sizeof *msg);

    if (msg == NULL) {
        abort();
    }
    msg->size = size;
    msg->body = malloc(size > 0 ? size : 1);
    if (msg->body == NULL) {
        abort();
    }
    return msg;
}

void
rpcrt__msg_free(struct rpcrt__msg *msg)
{
    if (msg != NULL) {
        free(msg->body);
        free(msg);
    }
}

uint8_t *
rpcrt__msg_body(struct rpcrt__msg *msg)
{
    return msg->body;
}

size_t
rpcrt__msg_size(const struct rpcrt__msg *msg)
{
    return msg->size;
}

void
rpcrt__msg_trim(struct rpcrt__msg *msg, size_t size)
{
    if (size < msg->size) {
        msg->size = size;
    }
}

/* What one side writes the other can read. */
static inline void
fake_check(const struct rpcrt__msg *msg, enum rpcrt__side sender)
{
    struct rpcrt__header header;
    struct rpcrt__error error;

    if (rpcrt__read_message(msg->body, msg->size, sender, &header, &error) !=
        RPCRT_OK) {
        abort();
    }
}

/* -- addresses and TLS: any, and none -------------------------------------- */

enum rpcrt_code
rpcrt__address_check(const char *address, bool tls, bool listening,
                     struct rpcrt__error *ret_error)
{
    (void)address;
    (void)tls;
    (void)listening;
    (void)ret_error;
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__tls_identity_new(const struct rpcrt_tls *tls, bool server,
                        struct rpcrt__error *ret_error,
                        struct rpcrt__tls_identity **ret_tls)
{
    (void)tls;
    (void)server;
    (void)ret_tls;
    return rpcrt__error_set(ret_error, RPCRT_UNIMPLEMENTED, "no TLS");
}

void
rpcrt__tls_identity_free(struct rpcrt__tls_identity *tls)
{
    (void)tls;
}

/* -- a server's link ------------------------------------------------------- */

#define FAKE_SLOTS 512u

enum fake_slot_state { FAKE_FREE, FAKE_HELD, FAKE_SENDING };

struct fake_slot {
    enum fake_slot_state state;
    uint32_t peer;
};

struct rpcrt__server_link {
    struct rpcrt__server_link_events events;
    void *arg;
    pthread_mutex_t lock; /* guards all below */
    struct fake_slot slots[FAKE_SLOTS];
    uint32_t cut; /* the peer that was cut last */
};

static struct rpcrt__server_link fake_server = {.lock =
                                                    PTHREAD_MUTEX_INITIALIZER};

enum rpcrt_code
rpcrt__server_link_new(const struct rpcrt__server_link_options *options,
                       const struct rpcrt__server_link_events *events,
                       void *arg, struct rpcrt__error *ret_error,
                       struct rpcrt__server_link **ret_link)
{
    (void)options;
    (void)ret_error;
    fake_server.events = *events;
    fake_server.arg = arg;
    *ret_link = &fake_server;
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__server_link_listen(struct rpcrt__server_link *link, const char *address,
                          struct rpcrt__tls_identity *tls,
                          struct rpcrt__error *ret_error, char *ret_address)
{
    (void)link;
    (void)tls;
    (void)ret_error;
    memcpy(ret_address, address, strlen(address) + 1);
    return RPCRT_OK;
}

/* Take a slot for a request; false if all are taken. */
static inline bool
fake_hold(uint32_t peer, unsigned *ret_slot)
{
    bool found = false;

    pthread_mutex_lock(&fake_server.lock);
    for (unsigned i = 0; i < FAKE_SLOTS && !found; i++) {
        if (fake_server.slots[i].state == FAKE_FREE) {
            fake_server.slots[i].state = FAKE_HELD;
            fake_server.slots[i].peer = peer;
            *ret_slot = i;
            found = true;
        }
    }
    pthread_mutex_unlock(&fake_server.lock);
    return found;
}

static inline void
fake_move(unsigned slot, enum fake_slot_state from, enum fake_slot_state to)
{
    pthread_mutex_lock(&fake_server.lock);
    if (slot >= FAKE_SLOTS || fake_server.slots[slot].state != from) {
        abort();
    }
    fake_server.slots[slot].state = to;
    pthread_mutex_unlock(&fake_server.lock);
}

void
rpcrt__server_link_reply(struct rpcrt__server_link *link, unsigned slot,
                         struct rpcrt__msg *msg)
{
    (void)link;
    fake_check(msg, RPCRT__SERVER);
    rpcrt__msg_free(msg);
    fake_move(slot, FAKE_HELD, FAKE_SENDING);
}

void
rpcrt__server_link_forget(struct rpcrt__server_link *link, unsigned slot)
{
    (void)link;
    fake_move(slot, FAKE_HELD, FAKE_FREE);
}

void
rpcrt__server_link_cut(struct rpcrt__server_link *link, uint32_t peer)
{
    pthread_mutex_lock(&link->lock);
    link->cut = peer;
    pthread_mutex_unlock(&link->lock);
}

void
rpcrt__server_link_free(struct rpcrt__server_link *link)
{
    (void)link;
}

/* -- a client's link ------------------------------------------------------- */

struct rpcrt__client_link {
    struct rpcrt__client_link_events events;
    void *arg;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    unsigned n_slots;
    unsigned n_sent;
    bool cut;
    bool sent[RPCRT_CONTEXTS_MAX];
    uint64_t session; /* of the messages that came */
    unsigned n_users; /* the channel, and the fuzzer */
};

/* The link that was made last, for the fuzzer; NULL: none since. */
static struct rpcrt__client_link *fake_client;
static pthread_mutex_t fake_client_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fake_client_came = PTHREAD_COND_INITIALIZER;

enum rpcrt_code
rpcrt__client_link_new(const struct rpcrt__client_link_options *options,
                       const struct rpcrt__client_link_events *events,
                       void *arg, struct rpcrt__error *ret_error,
                       struct rpcrt__client_link **ret_link)
{
    struct rpcrt__client_link *link = calloc(1, sizeof *link);

    (void)ret_error;
    if (link == NULL) {
        abort();
    }
    link->events = *events;
    link->arg = arg;
    link->n_slots = options->slots;
    link->n_users = 1;
    (void)pthread_mutex_init(&link->lock, NULL);
    (void)pthread_cond_init(&link->changed, NULL);
    *ret_link = link;
    return RPCRT_OK;
}

/* Give up a link; the last user frees it. */
static inline void
fake_leave(struct rpcrt__client_link *link)
{
    bool last;

    pthread_mutex_lock(&link->lock);
    last = --link->n_users == 0;
    pthread_mutex_unlock(&link->lock);
    if (last) {
        (void)pthread_cond_destroy(&link->changed);
        (void)pthread_mutex_destroy(&link->lock);
        free(link);
    }
}

enum rpcrt_code
rpcrt__client_link_dial(struct rpcrt__client_link *link,
                        struct rpcrt__error *ret_error)
{
    (void)ret_error;
    pthread_mutex_lock(&link->lock);
    link->n_users++; /* the fuzzer */
    pthread_mutex_unlock(&link->lock);
    pthread_mutex_lock(&fake_client_lock);
    if (fake_client != NULL) {
        fake_leave(fake_client);
    }
    fake_client = link;
    pthread_cond_signal(&fake_client_came);
    pthread_mutex_unlock(&fake_client_lock);
    return RPCRT_OK;
}

void
rpcrt__client_link_send(struct rpcrt__client_link *link, unsigned slot,
                        struct rpcrt__msg *msg)
{
    fake_check(msg, RPCRT__CLIENT);
    pthread_mutex_lock(&link->lock);
    if (slot >= link->n_slots || link->sent[slot]) {
        abort();
    }
    link->sent[slot] = true;
    link->n_sent++;
    memcpy(&link->session, msg->body + 8, sizeof link->session);
    pthread_cond_signal(&link->changed);
    pthread_mutex_unlock(&link->lock);
    rpcrt__msg_free(msg);
}

void
rpcrt__client_link_cut(struct rpcrt__client_link *link)
{
    pthread_mutex_lock(&link->lock);
    link->cut = true;
    pthread_cond_signal(&link->changed);
    pthread_mutex_unlock(&link->lock);
}

void
rpcrt__client_link_free(struct rpcrt__client_link *link)
{
    if (link != NULL) {
        fake_leave(link);
    }
}

/* -- names ----------------------------------------------------------------- */

enum rpcrt_code
rpcrt__names_look_up(const char *host, rpcrt__name_fn *fn, void *arg,
                     struct rpcrt__error *ret_error)
{
    ret_error->code = RPCRT_OK;
    (void)fn(arg, host);
    return ret_error->code;
}

#endif
