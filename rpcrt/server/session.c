/*
 * The life of a session: NEW, UP, CLOSING, DEAD. Messages are taken in order;
 * methods that do not block run where their message came, the others are
 * handed to the executor, a message's worth at a time.
 */
#include "server/session.h"

#include "core/alloc.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How long a peer that broke the protocol has to read why, and to leave: if the
 * server left first, the reason could get lost on the way. */
#define CLOSING_MS 1000u
/* A message counts as being sent until that was noticed here, which other
 * threads can delay: so many more than 2 K may be held and sent. */
#define SENDING_SLACK 16u

/* -- making and freeing ---------------------------------------------------- */

struct rpcrt__session *
rpcrt__session_new(struct rpcrt_server *server, uint32_t peer,
                   const struct rpcrt__peer_info *info)
{
    struct rpcrt__session *session = rpcrt__calloc(1, sizeof *session);

    if (session == NULL) {
        return NULL;
    }
    if (info->name != NULL) {
        session->peer_name = rpcrt__strdup(info->name);
        if (session->peer_name == NULL) {
            rpcrt__free(session);
            return NULL;
        }
    }
    session->server = server;
    session->peer = peer;
    (void)snprintf(session->address, sizeof session->address, "%s",
                   info->address);
    atomic_init(&session->refs, 1);
    (void)pthread_mutex_init(&session->lock, NULL);
    (void)pthread_cond_init(&session->notified, NULL);
    rpcrt__list_init(&session->node);
    rpcrt__list_init(&session->live);
    rpcrt__list_init(&session->outbox);
    rpcrt__idmap_init(&session->calls);
    rpcrt__server_credits_init(&session->credits, RPCRT_CONTEXTS_MAX);
    /* Until HELLO nothing can come ahead of its turn. */
    rpcrt__reorder_init(&session->requests, 1);
    session->opened_ns = rpcrt__now_ns();
    session->heard_ns = session->opened_ns;
    rpcrt__session_begin_age(session);
    return session;
}

void
rpcrt__session_ref(struct rpcrt__session *session)
{
    atomic_fetch_add(&session->refs, 1);
}

void
rpcrt__session_unref(struct rpcrt__session *session)
{
    if (atomic_fetch_sub(&session->refs, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < session->n_methods; i++) {
        rpcrt__free(session->methods[i].path);
    }
    rpcrt__free(session->methods);
    rpcrt__free(session->control);
    rpcrt__idmap_fini(&session->calls);
    (void)pthread_cond_destroy(&session->notified);
    (void)pthread_mutex_destroy(&session->lock);
    rpcrt__free(session->peer_name);
    rpcrt__free(session);
}

/* -- the end --------------------------------------------------------------- */

void
rpcrt__session_cut(struct rpcrt__session *session, const char *why)
{
    struct rpcrt_server *server = session->server;

    if (session->state >= RPCRT__SESSION_CLOSING) {
        return; /* it has been cut, or will be as soon as it was told why */
    }
    rpcrt__server_log(server, RPCRT_LOG_WARNING,
                      "session cut: peer=%s reason=\"%s\"", session->address,
                      why);
    atomic_fetch_add(&server->counters.sessions_cut, 1);
    session->state = RPCRT__SESSION_CLOSING;
    session->cut_ns = RPCRT__NEVER;
    rpcrt__server_link_cut(server->link, session->peer);
}

/* Tell a peer what it did wrong, on the slot at hand, and cut it off when it
 * has been told. [locked] */
static void
complain(struct rpcrt__session *session, int slot,
         const struct rpcrt__error *error)
{
    struct rpcrt_server *server = session->server;
    struct rpcrt__header header = {.session = session->session};
    size_t text_size = strlen(error->text);
    struct rpcrt__msg *msg;
    uint8_t *at;

    if (slot < 0 && session->credits.n_held == 0) {
        rpcrt__session_cut(session, error->text);
        return;
    }
    msg = rpcrt__msg_new(RPCRT__HEADER_SIZE + RPCRT__FRAME_SIZE + text_size);
    if (msg == NULL) {
        if (slot >= 0) {
            rpcrt__server_link_forget(server->link, (unsigned)slot);
        }
        rpcrt__session_cut(session, error->text);
        return;
    }
    if (slot < 0) {
        slot = (int)rpcrt__server_credits_send(&session->credits, &header.seq);
    } else {
        header.seq = session->credits.next_seq++;
    }
    at = rpcrt__put_header(rpcrt__msg_body(msg), &header);
    at = rpcrt__put_frame(at, RPCRT__FRAME_GOAWAY, 0, (uint16_t)error->code, 0,
                          (uint32_t)text_size);
    memcpy(at, error->text, text_size);
    rpcrt__server_log(server, RPCRT_LOG_WARNING,
                      "session cut: peer=%s reason=\"%s\"", session->address,
                      error->text);
    atomic_fetch_add(&server->counters.sessions_cut, 1);
    session->state = RPCRT__SESSION_CLOSING;
    session->cut_ns = rpcrt__now_ns() + CLOSING_MS * RPCRT__MS;
    session->n_sending++;
    rpcrt__server_wake(server, session->cut_ns);
    rpcrt__server_link_reply(server->link, (unsigned)slot, msg);
}

void
rpcrt__session_kill(struct rpcrt__session *session)
{
    struct rpcrt__server_link *link = session->server->link;
    struct rpcrt__ctx_notices notices;
    struct rpcrt__arrival arrival;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    rpcrt__ctx_notices_init(&notices);
    pthread_mutex_lock(&session->lock);
    session->state = RPCRT__SESSION_DEAD;
    while (session->credits.n_held > 0) {
        uint64_t seq;

        rpcrt__server_link_forget(
            link, rpcrt__server_credits_send(&session->credits, &seq));
    }
    while (rpcrt__reorder_drop(&session->requests, &arrival)) {
        rpcrt__msg_free(arrival.msg);
        rpcrt__server_link_forget(link, arrival.slot);
    }
    RPCRT__LIST_EACH(node, following, &session->live)
    {
        struct rpcrt_ctx *ctx = RPCRT__ELEMENT(node, struct rpcrt_ctx, live);

        rpcrt__ctx_release(ctx, !rpcrt__repeat_outlives(ctx), &notices);
    }
    pthread_mutex_unlock(&session->lock);
    rpcrt__ctx_notices_run(&notices);
}

bool
rpcrt__session_put_goaway(struct rpcrt__session *session)
{
    static const char text[] = "the server is shutting down";

    return rpcrt__session_control(session, RPCRT__FRAME_GOAWAY, 0,
                                  RPCRT_UNAVAILABLE, 0, (const uint8_t *)text,
                                  sizeof text - 1);
}

void
rpcrt__session_goaway(struct rpcrt__session *session,
                      struct rpcrt__ctx_notices *notices)
{
    pthread_mutex_lock(&session->lock);
    if (session->state == RPCRT__SESSION_UP) {
        if (rpcrt__session_put_goaway(session)) {
            rpcrt__session_pump(session, notices);
        } else {
            rpcrt__session_cut(session, "no memory for a goaway");
        }
    }
    pthread_mutex_unlock(&session->lock);
}

/* -- receiving ------------------------------------------------------------- */

/* Check a message's header and put it in its place. [locked] */
static enum rpcrt_code
put_in_order(struct rpcrt__session *session, unsigned slot,
             struct rpcrt__msg *msg, struct rpcrt__error *ret_error)
{
    struct rpcrt__arrival arrival = {.msg = msg, .slot = slot};
    struct rpcrt__header header;
    enum rpcrt_code code =
        rpcrt__read_message(rpcrt__msg_body(msg), rpcrt__msg_size(msg),
                            RPCRT__CLIENT, &header, ret_error);

    if (code != RPCRT_OK) {
        return code;
    }
    if (session->session == 0) {
        session->session = header.session;
    }
    if (header.session == 0 || header.session != session->session) {
        return rpcrt__error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "protocol: stale session");
    }
    if (header.seq != session->requests.next_seq &&
        session->waiting_bytes + rpcrt__msg_size(msg) >
            session->server->options.session_bytes_max) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "protocol: too many bytes ahead of a message "
                                "that is missing");
    }
    if (!rpcrt__reorder_put(&session->requests, header.seq, arrival)) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: impossible sequence number %" PRIu64
                                ", expected %" PRIu64,
                                header.seq, session->requests.next_seq);
    }
    session->waiting_bytes += rpcrt__msg_size(msg);
    return RPCRT_OK;
}

/* Take a request as a credit. [locked] */
static enum rpcrt_code
take_credit(struct rpcrt__session *session, unsigned slot, uint16_t keep,
            struct rpcrt__error *ret_error)
{
    struct rpcrt__server_credits *credits = &session->credits;

    if (session->n_sending + credits->n_held >
        2 * credits->contexts + SENDING_SLACK) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "protocol: requests without reading replies");
    }
    if (!rpcrt__server_credits_request(credits, slot, keep)) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: keep %u with %u contexts, %u held",
                                keep, credits->contexts, credits->n_held);
    }
    return RPCRT_OK;
}

/* Take what is in order; of a message that breaks a rule, says on which slot
 * to complain, -1 for any that is held. [locked] */
static enum rpcrt_code
take_in_order(struct rpcrt__session *session, struct rpcrt__list *ready,
              struct rpcrt__ctx_notices *notices,
              struct rpcrt__error *ret_error, int *ret_slot)
{
    struct rpcrt__arrival arrival;
    enum rpcrt_code code = RPCRT_OK;
    bool moved = false;

    *ret_slot = -1;
    while (code == RPCRT_OK &&
           rpcrt__reorder_take(&session->requests, &arrival)) {
        const uint8_t *bytes = rpcrt__msg_body(arrival.msg);
        uint16_t keep = (uint16_t)(bytes[2] | (unsigned)bytes[3] << 8);

        moved = true;
        session->waiting_bytes -= rpcrt__msg_size(arrival.msg);
        code = take_credit(session, arrival.slot, keep, ret_error);
        if (code != RPCRT_OK) {
            *ret_slot = (int)arrival.slot;
        } else {
            code = rpcrt__session_apply(session, bytes,
                                        rpcrt__msg_size(arrival.msg), ready,
                                        notices, ret_error);
        }
        rpcrt__msg_free(arrival.msg);
    }
    if (session->requests.n_waiting == 0) {
        session->gap_ns = 0;
    } else if (moved || session->gap_ns == 0) {
        session->gap_ns = session->heard_ns;
        rpcrt__server_wake(session->server,
                           session->gap_ns +
                               RPCRT_STALL_TIMEOUT_MS * RPCRT__MS);
    }
    return code;
}

/* Run what does not block, hand over the rest, and have the answers sent
 * together. Without a lock. */
static void
run_ready(struct rpcrt__session *session, struct rpcrt__list *ready)
{
    struct rpcrt__ctx_notices notices;
    struct rpcrt__list batch;
    struct rpcrt__list inline_tasks;
    struct rpcrt__list answered;
    struct rpcrt__list *node;

    rpcrt__list_init(&batch);
    rpcrt__list_init(&inline_tasks);
    rpcrt__list_init(&answered);
    while ((node = rpcrt__list_take(ready)) != NULL) {
        struct rpcrt_ctx *ctx =
            RPCRT__ELEMENT(node, struct rpcrt_ctx, task.node);

        rpcrt__list_append(ctx->served->may_block ? &batch : &inline_tasks,
                           node);
    }
    rpcrt__overload_submit(session->server, &batch);
    if (rpcrt__list_empty(&inline_tasks)) {
        return;
    }
    while ((node = rpcrt__list_take(&inline_tasks)) != NULL) {
        if (rpcrt__ctx_run(RPCRT__ELEMENT(node, struct rpcrt_ctx, task.node))) {
            rpcrt__list_append(&answered, node);
        }
    }
    rpcrt__ctx_notices_init(&notices);
    pthread_mutex_lock(&session->lock);
    while ((node = rpcrt__list_take(&answered)) != NULL) {
        rpcrt__session_queue(RPCRT__ELEMENT(node, struct rpcrt_ctx, task.node),
                             &notices);
    }
    rpcrt__session_pump(session, &notices);
    pthread_mutex_unlock(&session->lock);
    rpcrt__ctx_notices_run(&notices);
}

static bool
any_inline(struct rpcrt__list *ready)
{
    for (struct rpcrt__list *node = ready->next; node != ready;
         node = node->next) {
        if (!RPCRT__ELEMENT(node, struct rpcrt_ctx, task.node)
                 ->served->may_block) {
            return true;
        }
    }
    return false;
}

void
rpcrt__session_receive(struct rpcrt__session *session, unsigned slot,
                       struct rpcrt__msg *msg)
{
    struct rpcrt__ctx_notices notices;
    struct rpcrt__list ready;
    struct rpcrt__error error;
    enum rpcrt_code code;
    int bad_slot = (int)slot;

    rpcrt__ctx_notices_init(&notices);
    rpcrt__list_init(&ready);
    pthread_mutex_lock(&session->lock);
    if (session->state >= RPCRT__SESSION_CLOSING) {
        rpcrt__server_link_forget(session->server->link, slot);
        pthread_mutex_unlock(&session->lock);
        rpcrt__msg_free(msg);
        return;
    }
    session->heard_ns = rpcrt__now_ns();
    code = put_in_order(session, slot, msg, &error);
    if (code != RPCRT_OK) {
        rpcrt__msg_free(msg);
    } else {
        code = take_in_order(session, &ready, &notices, &error, &bad_slot);
    }
    if (code != RPCRT_OK) {
        complain(session, bad_slot, &error);
    }
    if (!any_inline(&ready)) {
        rpcrt__session_pump(session, &notices);
    }
    pthread_mutex_unlock(&session->lock);
    /* First those who must be told: a handler may wait for one of them. */
    rpcrt__ctx_notices_run(&notices);
    run_ready(session, &ready);
}

void
rpcrt__session_sent(struct rpcrt__session *session)
{
    pthread_mutex_lock(&session->lock);
    session->n_sending--;
    session->moved_ns = session->n_sending > 0 ? rpcrt__now_ns() : 0;
    pthread_mutex_unlock(&session->lock);
}
