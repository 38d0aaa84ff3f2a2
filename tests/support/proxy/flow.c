/*
 * See flow.h. Whatever was decided for a chunk when it came stays so;
 * blackhole, bandwidth, slices and close-after count when it is written.
 */
#include "support/proxy/flow.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000
#define NS_PER_S UINT64_C(1000000000)
/* A bandwidth is spread over so many writes; how late one may be without being
 * lost for it. */
#define PACES_PER_S 100u
#define LATE_NS (200 * (int64_t)NS_PER_MS)
/* What dice are thrown for. */
#define WHAT_BIT 0u
#define WHAT_JITTER 1u

struct proxy_chunk {
    struct proxy_chunk *next;
    struct proxy_piece piece;
    size_t n_written;
    int64_t due_ns;
};

void
proxy_flow_init(struct proxy_flow *flow, const struct proxy_place *place,
                const struct proxy_faults *faults, struct proxy_counts *counts)
{
    *flow = (struct proxy_flow){
        .place = *place, .faults = faults, .counts = counts};
}

/* -- chunks ---------------------------------------------------------------- */

static size_t
chunk_cost(const struct proxy_chunk *chunk)
{
    return sizeof(*chunk) + chunk->piece.size;
}

static void
chunk_free(struct proxy_chunk *chunk)
{
    if (chunk != NULL) {
        free(chunk->piece.data);
        free(chunk);
    }
}

/* Takes the piece over, also without memory. */
static struct proxy_chunk *
chunk_new(struct proxy_flow *flow, const struct proxy_piece *piece,
          int64_t due_ns)
{
    struct proxy_chunk *chunk = calloc(1, sizeof(*chunk));

    if (chunk == NULL) {
        free(piece->data);
        return NULL;
    }
    chunk->piece = *piece;
    chunk->due_ns = due_ns;
    flow->kept += chunk_cost(chunk);
    return chunk;
}

/* Nothing overtakes what stands before it, whatever the jitter says. */
static void
chunk_append(struct proxy_flow *flow, struct proxy_chunk *chunk)
{
    if (chunk->due_ns < flow->due_ns) {
        chunk->due_ns = flow->due_ns;
    }
    flow->due_ns = chunk->due_ns;
    if (flow->last == NULL) {
        /* What was not used while there was nothing is no credit. */
        if (flow->paced_ns < chunk->due_ns) {
            flow->paced_ns = chunk->due_ns;
        }
        flow->first = chunk;
    } else {
        flow->last->next = chunk;
    }
    flow->last = chunk;
}

static void
chunk_remove_first(struct proxy_flow *flow)
{
    struct proxy_chunk *chunk = flow->first;

    flow->first = chunk->next;
    if (flow->first == NULL) {
        flow->last = NULL;
    }
    flow->kept -= chunk_cost(chunk);
    chunk_free(chunk);
}

static void
held_release(struct proxy_flow *flow)
{
    if (flow->held != NULL) {
        chunk_append(flow, flow->held);
        flow->held = NULL;
    }
}

void
proxy_flow_fini(struct proxy_flow *flow)
{
    held_release(flow);
    while (flow->first != NULL) {
        chunk_remove_first(flow);
    }
    proxy_framing_fini(&flow->framing);
}

/* -- what comes ------------------------------------------------------------ */

static int64_t
due_of(struct proxy_flow *flow, int64_t now_ns, bool message)
{
    uint64_t what = message ? WHAT_JITTER : WHAT_JITTER + ++flow->n_plain;
    uint64_t ms = flow->faults->latency_ms;

    if (flow->faults->jitter_ms > 0) {
        ms += proxy_dice(&flow->place, what, flow->faults->jitter_ms + 1);
    }
    return now_ns + (int64_t)ms * NS_PER_MS;
}

/* Flip one bit of the body. */
static bool
corrupt(const struct proxy_flow *flow, const struct proxy_piece *piece)
{
    uint64_t n = piece->size - PROXY_HEAD_SIZE;
    uint64_t bit;

    if (flow->faults->corrupt_within > 0 && flow->faults->corrupt_within < n) {
        n = flow->faults->corrupt_within;
    }
    if (n == 0) {
        return false;
    }
    bit = proxy_dice(&flow->place, WHAT_BIT, n * 8);
    piece->data[PROXY_HEAD_SIZE + bit / 8] ^= (uint8_t)(1u << bit % 8);
    return true;
}

static bool
copy_append(struct proxy_flow *flow, const struct proxy_piece *piece,
            int64_t due_ns)
{
    struct proxy_piece copy = *piece;
    struct proxy_chunk *chunk;

    copy.data = malloc(piece->size);
    if (copy.data == NULL) {
        return false;
    }
    memcpy(copy.data, piece->data, piece->size);
    chunk = chunk_new(flow, &copy, due_ns);
    if (chunk == NULL) {
        return false;
    }
    chunk_append(flow, chunk);
    return true;
}

/* Takes the piece over. */
static bool
piece_append(struct proxy_flow *flow, const struct proxy_piece *piece,
             int64_t due_ns, bool hold)
{
    struct proxy_chunk *chunk = chunk_new(flow, piece, due_ns);

    if (chunk == NULL) {
        return false;
    }
    if (hold && flow->held == NULL) {
        flow->held = chunk;
        return true;
    }
    chunk_append(flow, chunk);
    held_release(flow);
    return true;
}

/* A message meets its fate. Takes the piece over. */
static bool
message_take(struct proxy_flow *flow, int64_t now_ns,
             const struct proxy_piece *piece)
{
    int64_t due_ns = due_of(flow, now_ns, true);
    enum proxy_fate fate = proxy_fate_of(flow->faults, &flow->place);
    bool copied = true;

    if (flow->faults->harm_max > 0 &&
        flow->n_harmed >= flow->faults->harm_max) {
        fate = PROXY_PASS;
    }
    if (fate == PROXY_CORRUPT && !corrupt(flow, piece)) {
        fate = PROXY_PASS;
    }
    flow->counts->messages++;
    flow->counts->dropped += fate == PROXY_DROP;
    flow->counts->duplicated += fate == PROXY_DUPLICATE;
    flow->counts->reordered += fate == PROXY_REORDER;
    flow->counts->corrupted += fate == PROXY_CORRUPT;
    flow->n_harmed += fate != PROXY_PASS;
    flow->place.message++;
    if (fate == PROXY_DROP) {
        free(piece->data);
        return true;
    }
    if (fate == PROXY_DUPLICATE) {
        copied = copy_append(flow, piece, due_ns);
    }
    return piece_append(flow, piece, due_ns, fate == PROXY_REORDER) && copied;
}

/* Takes the piece over. */
static bool
piece_take(struct proxy_flow *flow, int64_t now_ns,
           const struct proxy_piece *piece)
{
    if (piece->kind == PROXY_MESSAGE) {
        return message_take(flow, now_ns, piece);
    }
    flow->counts->plain +=
        piece->kind == PROXY_BYTES && flow->n_plain == 0 && flow->framing.plain;
    return piece_append(flow, piece, due_of(flow, now_ns, false), false);
}

bool
proxy_flow_take(struct proxy_flow *flow, int64_t now_ns, const uint8_t *data,
                size_t size)
{
    flow->counts->bytes_taken += size;
    while (size > 0) {
        struct proxy_piece piece;
        size_t used = 0;
        enum proxy_framing_result result =
            proxy_framing_take(&flow->framing, data, size, &used, &piece);

        if (result == PROXY_FRAMING_NO_MEMORY ||
            (result == PROXY_FRAMING_PIECE &&
             !piece_take(flow, now_ns, &piece))) {
            return false;
        }
        data += used;
        size -= used;
    }
    return true;
}

bool
proxy_flow_end(struct proxy_flow *flow, int64_t now_ns)
{
    struct proxy_piece piece;
    bool ok = true;

    if (flow->ended) {
        return true;
    }
    flow->ended = true;
    held_release(flow);
    if (proxy_framing_end(&flow->framing, &piece)) {
        ok = piece_take(flow, now_ns, &piece);
    }
    return ok;
}

bool
proxy_flow_wants(const struct proxy_flow *flow)
{
    return !flow->ended && flow->kept + proxy_framing_kept(&flow->framing) <
                               PROXY_FLOW_KEEP_MAX;
}

/* -- what goes ------------------------------------------------------------- */

static bool
is_reached(uint64_t limit, uint64_t count)
{
    return limit > 0 && count >= limit;
}

bool
proxy_flow_cut(const struct proxy_flow *flow)
{
    return is_reached(flow->faults->close_after_bytes, flow->bytes_written) ||
           is_reached(flow->faults->close_after_messages,
                      flow->messages_written);
}

static int64_t
held_until_ns(const struct proxy_flow *flow)
{
    return flow->held->due_ns + (int64_t)PROXY_REORDER_MS * NS_PER_MS;
}

int64_t
proxy_flow_due_ns(const struct proxy_flow *flow)
{
    int64_t due_ns = PROXY_NEVER;

    if (flow->faults->blackhole != 0 || proxy_flow_cut(flow)) {
        return PROXY_NEVER;
    }
    if (flow->first != NULL) {
        due_ns = flow->first->due_ns;
        if (flow->faults->bytes_per_s > 0 && flow->paced_ns > due_ns) {
            due_ns = flow->paced_ns;
        }
    }
    if (flow->held != NULL && held_until_ns(flow) < due_ns) {
        due_ns = held_until_ns(flow);
    }
    return due_ns;
}

/* The most that may be written at once; limit 0: no limit. */
static void
size_limit(size_t *size, uint64_t limit)
{
    if (limit > 0 && *size > limit) {
        *size = (size_t)limit;
    }
}

bool
proxy_flow_next(struct proxy_flow *flow, int64_t now_ns,
                const uint8_t **ret_data, size_t *ret_size)
{
    const struct proxy_faults *faults = flow->faults;
    const struct proxy_chunk *chunk;
    size_t size;

    if (flow->held != NULL && held_until_ns(flow) <= now_ns) {
        held_release(flow);
    }
    if (flow->first == NULL || proxy_flow_due_ns(flow) > now_ns) {
        return false;
    }
    chunk = flow->first;
    size = chunk->piece.size - chunk->n_written;
    size_limit(&size, faults->slice_bytes);
    if (faults->bytes_per_s > 0) {
        size_limit(&size, faults->bytes_per_s / PACES_PER_S + 1);
    }
    if (faults->close_after_bytes > 0) {
        size_limit(&size, faults->close_after_bytes - flow->bytes_written);
    }
    *ret_data = chunk->piece.data + chunk->n_written;
    *ret_size = size;
    return true;
}

void
proxy_flow_written(struct proxy_flow *flow, int64_t now_ns, size_t size)
{
    uint64_t bytes_per_s = flow->faults->bytes_per_s;
    struct proxy_chunk *chunk = flow->first;
    bool was_cut = proxy_flow_cut(flow);

    if (bytes_per_s > 0) {
        if (flow->paced_ns < now_ns - LATE_NS) {
            flow->paced_ns = now_ns - LATE_NS;
        }
        flow->paced_ns += (int64_t)(size * NS_PER_S / bytes_per_s);
    }
    flow->bytes_written += size;
    flow->counts->bytes_written += size;
    chunk->n_written += size;
    if (chunk->n_written == chunk->piece.size) {
        flow->messages_written += chunk->piece.kind == PROXY_MESSAGE;
        chunk_remove_first(flow);
    }
    flow->counts->cut += !was_cut && proxy_flow_cut(flow);
}

bool
proxy_flow_done(const struct proxy_flow *flow)
{
    return flow->ended && flow->first == NULL && flow->held == NULL;
}
