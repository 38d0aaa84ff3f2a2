/*
 * The arithmetic of wire/flow.h. What a message costs is taken from the window
 * when it begins, on both sides, so that both always agree on it.
 */
#include "wire/flow.h"

#include "core/alloc.h"
#include <inttypes.h>
#include <string.h>

/* Less than this of a large message is not worth a frame. */
#define CHUNK_MIN 1024u

static struct rpcrt__piece *
piece_of(struct rpcrt__list *node)
{
    return RPCRT__ELEMENT(node, struct rpcrt__piece, node);
}

static size_t
cost_of(const struct rpcrt__piece *piece)
{
    return (size_t)piece->size + RPCRT__MESSAGE_COST;
}

static void
free_all(struct rpcrt__list *pieces)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(pieces)) != NULL) {
        rpcrt__free(piece_of(node));
    }
}

struct rpcrt__piece *
rpcrt__piece_new(uint32_t size)
{
    struct rpcrt__piece *piece = rpcrt__alloc(sizeof *piece + (size_t)size);

    if (piece != NULL) {
        rpcrt__list_init(&piece->node);
        piece->size = size;
        piece->done = 0;
        piece->begun = false;
    }
    return piece;
}

/* -- sending --------------------------------------------------------------- */

void
rpcrt__outflow_init(struct rpcrt__outflow *flow, uint32_t window,
                    size_t queued_max)
{
    rpcrt__list_init(&flow->pieces);
    flow->window = window < RPCRT__WINDOW_MAX ? window : RPCRT__WINDOW_MAX;
    flow->queued = 0;
    flow->queued_max = queued_max;
    flow->closed = false;
    flow->end_sent = false;
}

void
rpcrt__outflow_fini(struct rpcrt__outflow *flow)
{
    free_all(&flow->pieces);
    flow->queued = 0;
}

void
rpcrt__outflow_add(struct rpcrt__outflow *flow, struct rpcrt__piece *piece)
{
    rpcrt__list_append(&flow->pieces, &piece->node);
    flow->queued += cost_of(piece);
}

size_t
rpcrt__outflow_room(const struct rpcrt__outflow *flow)
{
    return flow->closed || flow->queued >= flow->queued_max
               ? 0
               : flow->queued_max - flow->queued;
}

enum rpcrt_code
rpcrt__outflow_grant(struct rpcrt__outflow *flow, uint32_t bytes,
                     struct rpcrt__error *ret_error)
{
    if ((int64_t)bytes > RPCRT__WINDOW_MAX - flow->window) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: a window above %u bytes",
                                (unsigned)RPCRT__WINDOW_MAX);
    }
    flow->window += bytes;
    return RPCRT_OK;
}

bool
rpcrt__outflow_ready(const struct rpcrt__outflow *flow, bool with_end)
{
    if (rpcrt__list_empty(&flow->pieces)) {
        return with_end && flow->closed && !flow->end_sent;
    }
    return flow->window > 0 || piece_of(flow->pieces.next)->begun;
}

/* The frame's header and what stands before a message; *size is what of the
 * message fits. NULL if that is not worth it. */
static uint8_t *
put_head(const struct rpcrt__piece *piece, uint64_t call, bool end_behind,
         uint8_t *at, const uint8_t *end, uint32_t *size)
{
    uint32_t start = piece->begun ? 0 : 4;
    uint32_t rest = piece->size - piece->done;
    size_t room = (size_t)(end - at);
    unsigned flags = piece->begun ? 0 : RPCRT__START;

    if (room < RPCRT__FRAME_SIZE + start +
                   (rest < CHUNK_MIN ? rest : (size_t)CHUNK_MIN)) {
        return NULL;
    }
    room -= RPCRT__FRAME_SIZE + start;
    *size = rest < RPCRT_DATA_FRAME_MAX ? rest : RPCRT_DATA_FRAME_MAX;
    if (*size > room) {
        *size = (uint32_t)room;
    }
    if (*size == rest && end_behind) {
        flags |= RPCRT__END;
    }
    at = rpcrt__put_frame(at, RPCRT__FRAME_DATA, (uint8_t)flags, 0, call,
                          start + *size);
    return start > 0 ? rpcrt__put_u32(at, piece->size) : at;
}

uint8_t *
rpcrt__outflow_put(struct rpcrt__outflow *flow, uint64_t call, bool with_end,
                   uint8_t *at, const uint8_t *end)
{
    bool end_due = with_end && flow->closed;
    struct rpcrt__piece *piece;
    uint32_t size;

    if (rpcrt__list_empty(&flow->pieces)) {
        if ((size_t)(end - at) < RPCRT__FRAME_SIZE) {
            return NULL;
        }
        flow->end_sent = true;
        return rpcrt__put_frame(at, RPCRT__FRAME_DATA, RPCRT__END, 0, call, 0);
    }
    piece = piece_of(flow->pieces.next);
    end_due = end_due && piece->node.next == &flow->pieces;
    at = put_head(piece, call, end_due, at, end, &size);
    if (at == NULL) {
        return NULL;
    }
    if (!piece->begun) {
        piece->begun = true;
        flow->window -= (int64_t)cost_of(piece);
    }
    memcpy(at, piece->bytes + piece->done, size);
    piece->done += size;
    flow->queued -= size;
    if (piece->done == piece->size) {
        flow->queued -= RPCRT__MESSAGE_COST;
        flow->end_sent = end_due;
        rpcrt__list_remove(&piece->node);
        rpcrt__free(piece);
    }
    return at + size;
}

/* -- receiving ------------------------------------------------------------- */

void
rpcrt__inflow_init(struct rpcrt__inflow *flow, uint32_t window)
{
    rpcrt__list_init(&flow->pieces);
    flow->partial = NULL;
    flow->buffered = 0;
    flow->window = window;
    flow->left = window;
    flow->owed = 0;
    flow->ended = false;
}

void
rpcrt__inflow_fini(struct rpcrt__inflow *flow)
{
    free_all(&flow->pieces);
    rpcrt__free(flow->partial);
    flow->partial = NULL;
    flow->buffered = 0;
}

/* What a DATA frame can't be, as things stand; NULL if it can. */
static const char *
find_fault(const struct rpcrt__inflow *flow, const struct rpcrt__frame *frame)
{
    const struct rpcrt__piece *partial = flow->partial;
    bool start = (frame->flags & RPCRT__START) != 0;

    if (flow->ended) {
        return "is behind the end";
    }
    if (start) {
        return partial != NULL   ? "begins a message inside of another"
               : flow->left <= 0 ? "begins a message beyond the window"
                                 : NULL;
    }
    if (frame->size > (partial == NULL ? 0 : partial->size - partial->done)) {
        return "has more bytes than were announced";
    }
    return NULL;
}

static enum rpcrt_code
begin(struct rpcrt__inflow *flow, uint32_t size, size_t size_max,
      struct rpcrt__error *ret_error)
{
    if (size > size_max) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "message of %u bytes, %zu are taken",
                                (unsigned)size, size_max);
    }
    flow->partial = rpcrt__piece_new(size);
    if (flow->partial == NULL) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "no memory for a message of %u bytes",
                                (unsigned)size);
    }
    flow->left -= (int64_t)cost_of(flow->partial);
    flow->buffered += cost_of(flow->partial);
    return RPCRT_OK;
}

static enum rpcrt_code
refuse_frame(const struct rpcrt__frame *frame, const char *why,
             struct rpcrt__error *ret_error)
{
    return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                            "protocol: DATA of call %" PRIu64 " %s",
                            frame->call, why);
}

enum rpcrt_code
rpcrt__inflow_data(struct rpcrt__inflow *flow, const struct rpcrt__frame *frame,
                   size_t size_max, struct rpcrt__error *ret_error)
{
    const uint8_t *bytes = frame->payload;
    uint32_t size = frame->size;
    const char *fault = find_fault(flow, frame);
    struct rpcrt__piece *piece;
    enum rpcrt_code code;

    if (fault == NULL && (frame->flags & RPCRT__START) != 0) {
        code = begin(flow, rpcrt__get_u32(bytes), size_max, ret_error);
        if (code != RPCRT_OK) {
            return code;
        }
        bytes += 4;
        size -= 4;
    }
    piece = flow->partial;
    if (fault == NULL && piece != NULL) {
        if (size > piece->size - piece->done) {
            return refuse_frame(frame, "has more bytes than it announces",
                                ret_error);
        }
        memcpy(piece->bytes + piece->done, bytes, size);
        piece->done += size;
        if (piece->done == piece->size) {
            rpcrt__list_append(&flow->pieces, &piece->node);
            flow->partial = NULL;
        }
    }
    if (fault == NULL && (frame->flags & RPCRT__END) != 0) {
        flow->ended = true;
        fault = flow->partial != NULL ? "ends inside of a message" : NULL;
    }
    return fault == NULL ? RPCRT_OK : refuse_frame(frame, fault, ret_error);
}

struct rpcrt__piece *
rpcrt__inflow_take(struct rpcrt__inflow *flow)
{
    struct rpcrt__list *node = rpcrt__list_take(&flow->pieces);

    if (node == NULL) {
        return NULL;
    }
    flow->buffered -= cost_of(piece_of(node));
    flow->owed += (uint32_t)cost_of(piece_of(node));
    return piece_of(node);
}

/* From half a window on: a sender that stands still has used up all of it, so
 * it has messages here that are yet to be taken, or at least that is owed. */
bool
rpcrt__inflow_owes(const struct rpcrt__inflow *flow)
{
    return !flow->ended && flow->owed > 0 && flow->owed >= flow->window / 2;
}

uint8_t *
rpcrt__inflow_put_grant(struct rpcrt__inflow *flow, uint64_t call, uint8_t *at,
                        const uint8_t *end)
{
    if ((size_t)(end - at) < RPCRT__FRAME_SIZE + 4) {
        return NULL;
    }
    at = rpcrt__put_frame(at, RPCRT__FRAME_WINDOW, 0, 0, call, 4);
    at = rpcrt__put_u32(at, flow->owed);
    flow->left += flow->owed;
    flow->owed = 0;
    return at;
}
