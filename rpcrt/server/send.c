/*
 * From answers to the bytes of a message: control frames first, then the calls
 * that have something to send, in turns of one frame.
 */
#include "server/session.h"

#include "core/alloc.h"
#include "server/stream.h"
#include <string.h>

/* Bytes of control frames that may wait: some ten thousand refusals. */
#define CONTROL_MAX (1u << 20)
/* A buffer for them that is larger is given back once it is empty. */
#define CONTROL_KEPT (64u << 10)

/* -- control frames -------------------------------------------------------- */

/* Room for more bytes; false without memory, or when the peer has let too many
 * of them wait. */
static bool
reserve(struct rpcrt__session *session, size_t size)
{
    size_t pending = session->control_size - session->control_sent;
    size_t room;
    uint8_t *larger;

    if (pending + size > CONTROL_MAX) {
        return false;
    }
    if (session->control_sent > 0) {
        memmove(session->control, session->control + session->control_sent,
                pending);
        session->control_size = pending;
        session->control_sent = 0;
    }
    if (pending + size <= session->control_room) {
        return true;
    }
    room = (pending + size) * 2;
    larger = rpcrt__alloc(room);
    if (larger == NULL) {
        return false;
    }
    if (pending > 0) {
        memcpy(larger, session->control, pending);
    }
    rpcrt__free(session->control);
    session->control = larger;
    session->control_room = room;
    return true;
}

bool
rpcrt__session_control(struct rpcrt__session *session, uint8_t type,
                       uint8_t flags, uint16_t aux, uint64_t call,
                       const uint8_t *payload, size_t size)
{
    uint8_t *at;

    if (!reserve(session, RPCRT__FRAME_SIZE + size)) {
        return false;
    }
    at = rpcrt__put_frame(session->control + session->control_size, type, flags,
                          aux, call, (uint32_t)size);
    if (size > 0) {
        memcpy(at, payload, size);
    }
    session->control_size += RPCRT__FRAME_SIZE + size;
    return true;
}

bool
rpcrt__session_refuse(struct rpcrt__session *session, uint64_t call,
                      uint8_t flags, enum rpcrt_code code, const char *text)
{
    uint8_t payload[RPCRT__STATUS_SIZE + RPCRT_TEXT_SIZE];
    struct rpcrt__status status = {.code = (uint8_t)code,
                                   .origin = RPCRT_ORIGIN_RUNTIME};
    size_t size = strlen(text);
    uint8_t *at;

    if (size > RPCRT_TEXT_SIZE) {
        size = RPCRT_TEXT_SIZE;
    }
    status.text_size = (uint32_t)size;
    at = rpcrt__put_status(payload, &status);
    memcpy(at, text, size);
    return rpcrt__session_control(session, RPCRT__FRAME_STATUS, flags, 0, call,
                                  payload, RPCRT__STATUS_SIZE + size);
}

static uint8_t *
put_control(struct rpcrt__session *session, uint8_t *at, const uint8_t *end)
{
    while (session->control_sent < session->control_size) {
        const uint8_t *frame = session->control + session->control_sent;
        size_t size = RPCRT__FRAME_SIZE + rpcrt__get_u32(frame + 4);

        if (size > (size_t)(end - at)) {
            break;
        }
        memcpy(at, frame, size);
        at += size;
        session->control_sent += size;
    }
    if (session->control_sent == session->control_size) {
        session->control_sent = 0;
        session->control_size = 0;
        if (session->control_room > CONTROL_KEPT) {
            rpcrt__free(session->control);
            session->control = NULL;
            session->control_room = 0;
        }
    }
    return at;
}

/* -- messages -------------------------------------------------------------- */

static size_t
compose(struct rpcrt__session *session, uint8_t *body, size_t size,
        struct rpcrt__ctx_notices *notices)
{
    uint8_t *at = body + RPCRT__HEADER_SIZE;
    const uint8_t *end = body + size;

    at = put_control(session, at, end);
    while (!rpcrt__list_empty(&session->outbox)) {
        struct rpcrt_ctx *ctx =
            RPCRT__ELEMENT(session->outbox.next, struct rpcrt_ctx, outbox);
        bool last;
        uint8_t *next = rpcrt__ctx_put_frame(ctx, at, end, &last);

        if (next == NULL) {
            break;
        }
        at = next;
        rpcrt__list_remove(&ctx->outbox);
        if (last) {
            rpcrt__ctx_release(ctx, false, notices);
        } else {
            rpcrt__session_refresh(ctx);
        }
    }
    return (size_t)(at - body);
}

/* How large the next message can become at the most. */
static size_t
estimate(const struct rpcrt__session *session)
{
    size_t size =
        RPCRT__HEADER_SIZE + session->control_size - session->control_sent;
    const struct rpcrt__list *node;

    for (node = session->outbox.next;
         node != &session->outbox && size < RPCRT_TRANSPORT_MESSAGE_MAX;
         node = node->next) {
        const struct rpcrt_ctx *ctx =
            (const struct rpcrt_ctx *)(const void *)((const char *)node -
                                                     offsetof(struct rpcrt_ctx,
                                                              outbox));
        size += rpcrt__ctx_frames_size(ctx);
    }
    return size < RPCRT_TRANSPORT_MESSAGE_MAX ? size
                                              : RPCRT_TRANSPORT_MESSAGE_MAX;
}

static bool
outbox_waits(const struct rpcrt__session *session)
{
    return session->control_sent < session->control_size ||
           !rpcrt__list_empty(&session->outbox);
}

/* -- sending --------------------------------------------------------------- */

static void
reply(struct rpcrt__session *session, unsigned slot, struct rpcrt__msg *msg)
{
    if (session->n_sending++ == 0) {
        session->moved_ns = rpcrt__now_ns();
    }
    atomic_fetch_add(&session->server->counters.messages_sent, 1);
    rpcrt__server_link_reply(session->server->link, slot, msg);
}

void
rpcrt__session_pump(struct rpcrt__session *session,
                    struct rpcrt__ctx_notices *notices)
{
    while (session->state == RPCRT__SESSION_UP &&
           rpcrt__server_credits_must_send(
               &session->credits, outbox_waits(session), session->n_live > 0)) {
        struct rpcrt__header header = {.session = session->session};
        struct rpcrt__msg *msg = rpcrt__msg_new(estimate(session));
        unsigned slot;
        size_t size;

        if (msg == NULL) {
            rpcrt__session_cut(session, "no memory for a message");
            return;
        }
        size = compose(session, rpcrt__msg_body(msg), rpcrt__msg_size(msg),
                       notices);
        if (size == RPCRT__HEADER_SIZE) {
            atomic_fetch_add(&session->server->counters.messages_empty, 1);
        }
        slot = rpcrt__server_credits_send(&session->credits, &header.seq);
        header.flags = outbox_waits(session) ? RPCRT__MORE : 0;
        (void)rpcrt__put_header(rpcrt__msg_body(msg), &header);
        rpcrt__msg_trim(msg, size);
        reply(session, slot, msg);
    }
}

void
rpcrt__session_refresh(struct rpcrt_ctx *ctx)
{
    bool queued = !rpcrt__list_empty(&ctx->outbox);
    bool due = !ctx->released && rpcrt__ctx_has_frame(ctx);

    if (due && !queued) {
        rpcrt__list_append(&ctx->session->outbox, &ctx->outbox);
    } else if (queued && !due) {
        rpcrt__list_remove(&ctx->outbox);
    }
}

/* Count a reply in place of its request; false if that would burst the
 * session's budget. */
static bool
charge(struct rpcrt__session *session, struct rpcrt_ctx *ctx)
{
    size_t size = ctx->out_size;

    session->bytes -= ctx->charged;
    ctx->charged = 0;
    if (session->bytes + size > session->server->options.session_bytes_max) {
        return false;
    }
    session->bytes += size;
    ctx->charged = size;
    return true;
}

void
rpcrt__session_queue(struct rpcrt_ctx *ctx, struct rpcrt__ctx_notices *notices)
{
    struct rpcrt__session *session = ctx->session;

    rpcrt__ctx_await_notices(ctx);
    rpcrt__ctx_handled(ctx, notices);
    if (ctx->released) {
        return;
    }
    if (ctx->stream != NULL) {
        rpcrt__stream_close(ctx->stream);
    }
    if (charge(session, ctx)) {
        rpcrt__ctx_close_headers(ctx);
        ctx->answered = true;
        rpcrt__session_refresh(ctx);
        return;
    }
    if (!rpcrt__session_refuse(session, ctx->by_id.id, 0,
                               RPCRT_RESOURCE_EXHAUSTED,
                               "replies that wait for this connection fill "
                               "what the server keeps for it")) {
        rpcrt__session_cut(session, "replies that nobody reads");
    }
    rpcrt__ctx_release(ctx, false, notices);
}

void
rpcrt__session_answer(struct rpcrt_ctx *ctx)
{
    struct rpcrt__session *session = ctx->session;
    struct rpcrt__ctx_notices notices;

    rpcrt__ctx_notices_init(&notices);
    rpcrt__session_ref(session);
    pthread_mutex_lock(&session->lock);
    rpcrt__session_queue(ctx, &notices);
    rpcrt__session_pump(session, &notices);
    pthread_mutex_unlock(&session->lock);
    rpcrt__ctx_notices_run(&notices);
    rpcrt__session_unref(session);
}
