/*
 * What the files of the nng transport share: messages as nng's own, addresses
 * taken apart, nng's error codes in words, and the gate that lets a link close
 * only when nobody is inside nng on its behalf.
 */
#ifndef RPCRT_TRANSPORT_NNG_LINK_NNG_H
#define RPCRT_TRANSPORT_NNG_LINK_NNG_H

#include "transport/link.h"
#include <nng/nng.h>
#include <pthread.h>
#include <stdatomic.h>

/* -- messages: an nng_msg under another name ------------------------------ */

struct rpcrt__msg *rpcrt__msg_from_nng(nng_msg *msg);
nng_msg *rpcrt__msg_to_nng(struct rpcrt__msg *msg);

/* Take the message out of an aio that is at rest; NULL if there is none. */
nng_msg *rpcrt__aio_take_msg(nng_aio *aio);

/* -- addresses ------------------------------------------------------------ */

enum rpcrt__scheme {
    RPCRT__INPROC,
    RPCRT__IPC,
    RPCRT__TCP,
    RPCRT__TLS_TCP,
};

struct rpcrt__address {
    enum rpcrt__scheme scheme;
    const char *rest;              /* behind "://", in the text given */
    char host[RPCRT_ADDRESS_SIZE]; /* tcp: without brackets; else empty */
    bool host_v6;                  /* it was in brackets */
    unsigned port;
};

/* Take an address apart; OK, or INVALID_ARGUMENT with a text that names it. */
enum rpcrt_code rpcrt__address_parse(const char *text, bool listening,
                                     struct rpcrt__error *ret_error,
                                     struct rpcrt__address *ret_address);

/* The address of a pipe's peer; `listener` is what it came through. */
void rpcrt__address_of_peer(nng_pipe pipe, const char *listener,
                            char ret_text[RPCRT_ADDRESS_SIZE]);

/* -- errors ---------------------------------------------------------------- */

/* Put an error of nng in words: "VERB ADDRESS: why". Returns the code. */
enum rpcrt_code rpcrt__nng_error(struct rpcrt__error *ret_error, int nng_code,
                                 const char *verb, const char *address);

/* -- the gate -------------------------------------------------------------- */

/* Counts who is inside nng. nng must not be called on a socket, context or aio
 * that is being closed, so closing waits until all have left. */
struct rpcrt__gate {
    atomic_uint inside; /* a count, and the flag that it is closed */
    pthread_mutex_t lock;
    pthread_cond_t empty;
};

bool rpcrt__gate_init(struct rpcrt__gate *gate); /* false without memory */
void rpcrt__gate_fini(struct rpcrt__gate *gate);

/* False when the gate is closed; then there is nothing to leave. */
bool rpcrt__gate_enter(struct rpcrt__gate *gate);
void rpcrt__gate_leave(struct rpcrt__gate *gate);
bool rpcrt__gate_closed(struct rpcrt__gate *gate);

/* Let nobody in any more; returns when all have left. */
void rpcrt__gate_close(struct rpcrt__gate *gate);

#endif
