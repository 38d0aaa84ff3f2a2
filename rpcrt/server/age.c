/*
 * The age of a session: a client of an old connection is asked to make a new
 * one, which may lead it to another server. Calls that cross that word are
 * still served.
 */
#include "server/session.h"

static const char text[] = "the connection has reached its age";

void
rpcrt__session_begin_age(struct rpcrt__session *session)
{
    uint64_t age_ns = session->server->options.connection_age_ms * RPCRT__MS;
    uint64_t spread_ns = age_ns / 5;

    session->age_due_ns = RPCRT__NEVER;
    if (age_ns > 0) {
        session->age_due_ns = session->opened_ns + age_ns - spread_ns / 2 +
                              rpcrt__random() % (spread_ns + 1);
    }
}

uint64_t
rpcrt__session_age(struct rpcrt__session *session, uint64_t now_ns)
{
    const struct rpcrt_server_options *options = &session->server->options;

    if (now_ns < session->age_due_ns) {
        return session->age_due_ns;
    }
    if (session->aged) {
        rpcrt__session_cut(session, "its calls have outlived the connection");
        return RPCRT__NEVER;
    }
    if (!rpcrt__session_control(session, RPCRT__FRAME_GOAWAY, 0,
                                RPCRT_UNAVAILABLE, 0, (const uint8_t *)text,
                                sizeof text - 1)) {
        rpcrt__session_cut(session, "no memory for a goaway");
        return RPCRT__NEVER;
    }
    session->aged = true;
    session->age_due_ns = now_ns + options->connection_age_grace_ms * RPCRT__MS;
    return session->age_due_ns;
}
