/*
 * One client connection as the server sees it: credits, the calls that are
 * open, and what waits to be sent. It begins and ends with its pipe.
 */
#ifndef RPCRT_SERVER_SESSION_H
#define RPCRT_SERVER_SESSION_H

#include "server/ctx.h"
#include "wire/credits.h"
#include "wire/native.h"

enum rpcrt__session_state {
    RPCRT__SESSION_NEW, /* has not said HELLO */
    RPCRT__SESSION_UP,
    RPCRT__SESSION_CLOSING, /* told why, will be cut */
    RPCRT__SESSION_DEAD
};

/* What a client calls by number. */
struct rpcrt__numbered {
    struct rpcrt__served *served; /* NULL: not served */
    char *path;                   /* then this, for the refusal */
};

struct rpcrt__session {
    struct rpcrt__idnode by_peer; /* in server->by_peer */
    struct rpcrt__list node;      /* in server->sessions */
    struct rpcrt_server *server;
    uint32_t peer;
    char address[RPCRT_ADDRESS_SIZE];
    char *peer_name; /* of its certificate, or NULL */
    bool surplus;    /* above the limit of sessions: to be refused */
    atomic_uint refs;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t notified;
    enum rpcrt__session_state state;
    uint64_t session;          /* the client's number for it */
    uint32_t message_size_max; /* that the client takes */
    uint32_t stream_window;    /* that a stream to it has at first */
    struct rpcrt__server_credits credits;
    struct rpcrt__reorder requests;
    struct rpcrt__numbered *methods;
    size_t n_methods;
    struct rpcrt__idmap calls;
    struct rpcrt__list live; /* calls that are open, oldest first */
    size_t n_live;
    uint64_t last_call;
    size_t bytes;              /* charged by calls */
    size_t waiting_bytes;      /* of messages ahead of their turn */
    struct rpcrt__list outbox; /* calls that have something to send */
    uint8_t *control;          /* frames that belong to no context */
    size_t control_size;
    size_t control_sent;
    size_t control_room;
    unsigned n_sending;  /* messages that have not left */
    uint64_t moved_ns;   /* when one left last, or the first began */
    uint64_t gap_ns;     /* since when a message is missing; 0: none is */
    uint64_t cut_ns;     /* CLOSING: no later than this */
    uint64_t age_due_ns; /* too old then, or to be cut for it */
    bool aged;           /* the client was told */
    uint64_t opened_ns;
    uint64_t heard_ns;
    uint64_t pinged_ns; /* 0: no answer is owed */
};

/* Make the session of a new peer, with one reference; NULL without memory. */
struct rpcrt__session *rpcrt__session_new(struct rpcrt_server *server,
                                          uint32_t peer,
                                          const struct rpcrt__peer_info *info);
void rpcrt__session_ref(struct rpcrt__session *session);
void rpcrt__session_unref(struct rpcrt__session *session);

/* A request came on a slot. Owner of msg: the session. */
void rpcrt__session_receive(struct rpcrt__session *session, unsigned slot,
                            struct rpcrt__msg *msg);

/* A message left. */
void rpcrt__session_sent(struct rpcrt__session *session);

/* The connection is gone: give all slots back, cancel all calls. */
void rpcrt__session_kill(struct rpcrt__session *session);

/* Say that no new calls are taken. Notices are the caller's to run behind its
 * own lock. */
void rpcrt__session_goaway(struct rpcrt__session *session,
                           struct rpcrt__ctx_notices *notices);

/* A call was answered and serialized: have it sent. */
void rpcrt__session_answer(struct rpcrt_ctx *ctx);

/* Look after deadlines and silence; returns when to look again. Notices are
 * the caller's to run behind its own lock. */
uint64_t rpcrt__session_tick(struct rpcrt__session *session, uint64_t now_ns,
                             struct rpcrt__ctx_notices *notices);

/* -- between the files of a session; [session's lock] ---------------------- */

/* Send what waits for as long as there are credits. */
void rpcrt__session_pump(struct rpcrt__session *session,
                         struct rpcrt__ctx_notices *notices);

/* Have a call in the outbox if, and only if, it has something to send. */
void rpcrt__session_refresh(struct rpcrt_ctx *ctx);

/* Queue the answer of a call that is handled. */
void rpcrt__session_queue(struct rpcrt_ctx *ctx,
                          struct rpcrt__ctx_notices *notices);

/* Add a frame to the control queue. False: no memory, or the peer does not
 * read; the session must end. */
bool rpcrt__session_control(struct rpcrt__session *session, uint8_t type,
                            uint8_t flags, uint16_t aux, uint64_t call,
                            const uint8_t *payload, size_t size);

/* Queue the word that no new calls are taken. False as above. */
bool rpcrt__session_put_goaway(struct rpcrt__session *session);

/* Choose when a new session will be too old. */
void rpcrt__session_begin_age(struct rpcrt__session *session);

/* Ask the client of one that is to make another, or end it; returns when to
 * look again. */
uint64_t rpcrt__session_age(struct rpcrt__session *session, uint64_t now_ns);

/* Refuse or end a call by its number, with a text. False as above. */
bool rpcrt__session_refuse(struct rpcrt__session *session, uint64_t call,
                           uint8_t flags, enum rpcrt_code code,
                           const char *text);

/* What a message does. Calls whose request is complete go to `ready`. An error
 * ends the session. */
enum rpcrt_code rpcrt__session_apply(struct rpcrt__session *session,
                                     const uint8_t *bytes, size_t size,
                                     struct rpcrt__list *ready,
                                     struct rpcrt__ctx_notices *notices,
                                     struct rpcrt__error *ret_error);

/* End the connection, for a reason that the log gets. */
void rpcrt__session_cut(struct rpcrt__session *session, const char *why);

#endif
