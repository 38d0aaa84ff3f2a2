/*
 * What time does to a session: deadlines of its calls, a peer that is silent,
 * does not read or leaves a gap.
 */
#include "server/session.h"

/* End the calls whose time is over; returns the first deadline of the rest. */
static uint64_t
expire_calls(struct rpcrt__session *session, uint64_t now_ns,
             struct rpcrt__ctx_notices *notices)
{
    uint64_t next_ns = RPCRT__NEVER;
    struct rpcrt__list *node;
    struct rpcrt__list *following;

    RPCRT__LIST_EACH(node, following, &session->live)
    {
        struct rpcrt_ctx *ctx = RPCRT__ELEMENT(node, struct rpcrt_ctx, live);

        if (rpcrt__ctx_due_ns(ctx) > now_ns) {
            if (rpcrt__ctx_due_ns(ctx) < next_ns) {
                next_ns = rpcrt__ctx_due_ns(ctx);
            }
            continue;
        }
        if (!rpcrt__session_refuse(
                session, ctx->by_id.id,
                ctx->request_got < ctx->request_size ? RPCRT__REFUSED : 0,
                RPCRT_DEADLINE_EXCEEDED, "the deadline passed at the server")) {
            rpcrt__session_cut(session, "no memory for a refusal");
            return RPCRT__NEVER;
        }
        rpcrt__ctx_release(ctx, true, notices);
    }
    return next_ns;
}

/* What is too old: returns why, and else NULL and when to look again. */
static const char *
find_stall(const struct rpcrt__session *session, uint64_t now_ns,
           uint64_t *next_ns)
{
    const struct {
        uint64_t since_ns; /* 0: not running */
        uint64_t timeout_ms;
        const char *why;
    } clocks[] = {
        {session->state == RPCRT__SESSION_NEW ? session->opened_ns : 0,
         RPCRT_HELLO_TIMEOUT_MS, "no HELLO in time"},
        {session->n_sending > 0 ? session->moved_ns : 0, RPCRT_STALL_TIMEOUT_MS,
         "the peer does not read"},
        {session->gap_ns, RPCRT_STALL_TIMEOUT_MS, "a message is missing"},
        {session->pinged_ns, session->server->options.keepalive_timeout_ms,
         "no sign of life"},
    };

    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        uint64_t due_ns = clocks[i].since_ns + clocks[i].timeout_ms * RPCRT__MS;

        if (clocks[i].since_ns == 0) {
            continue;
        }
        if (due_ns <= now_ns) {
            return clocks[i].why;
        }
        if (due_ns < *next_ns) {
            *next_ns = due_ns;
        }
    }
    return NULL;
}

/* Ask a silent peer for a sign of life; returns when to look again. */
static uint64_t
keep_alive(struct rpcrt__session *session, uint64_t now_ns,
           struct rpcrt__ctx_notices *notices)
{
    uint64_t due_ns =
        session->heard_ns + session->server->options.keepalive_ms * RPCRT__MS;

    if (session->heard_ns >= session->pinged_ns) {
        session->pinged_ns = 0;
    }
    if (now_ns < due_ns) {
        return due_ns;
    }
    if (session->pinged_ns == 0) {
        session->pinged_ns = now_ns;
        if (!rpcrt__session_control(session, RPCRT__FRAME_PING, 0, 0, 0, NULL,
                                    0)) {
            rpcrt__session_cut(session, "no memory for a ping");
        }
        rpcrt__session_pump(session, notices);
        return now_ns +
               session->server->options.keepalive_timeout_ms * RPCRT__MS;
    }
    return RPCRT__NEVER; /* find_stall() looks after it */
}

uint64_t
rpcrt__session_tick(struct rpcrt__session *session, uint64_t now_ns,
                    struct rpcrt__ctx_notices *notices)
{
    uint64_t next_ns = RPCRT__NEVER;
    const char *why = NULL;

    pthread_mutex_lock(&session->lock);
    if (session->state == RPCRT__SESSION_CLOSING) {
        if (now_ns >= session->cut_ns) {
            rpcrt__server_link_cut(session->server->link, session->peer);
        } else {
            next_ns = session->cut_ns;
        }
    } else if (session->state != RPCRT__SESSION_DEAD) {
        next_ns = expire_calls(session, now_ns, notices);
        if (session->state == RPCRT__SESSION_UP) {
            uint64_t alive_ns = keep_alive(session, now_ns, notices);
            uint64_t age_ns = rpcrt__session_age(session, now_ns);

            next_ns = alive_ns < next_ns ? alive_ns : next_ns;
            next_ns = age_ns < next_ns ? age_ns : next_ns;
        }
        why = find_stall(session, now_ns, &next_ns);
        if (why != NULL) {
            rpcrt__session_cut(session, why);
        }
        rpcrt__session_pump(session, notices);
    }
    pthread_mutex_unlock(&session->lock);
    return next_ns;
}
