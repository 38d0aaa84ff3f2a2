/*
 * The pumps here are those of client/connection.c and server/send.c without
 * bytes and calls; all arithmetic is the real one.
 */
#include "sim/credits_model.h"

#include <string.h>

/* What a message says. Messages are told apart by their place in the table, so
 * that a pointer to one can be packed. */
struct words {
    uint8_t keep;
    uint8_t calls;
    uint8_t cancels;
    uint8_t more;
};

#define N_WORDS (CONTEXTS_MAX * (CALLS_MAX + 1) * 2 * 2)

static struct words *
words_at(unsigned index)
{
    static struct words table[N_WORDS];
    struct words *words = &table[index];

    words->more = index % 2;
    words->cancels = index / 2 % 2;
    words->calls = (uint8_t)(index / 4 % (CALLS_MAX + 1));
    words->keep = (uint8_t)(index / 4 / (CALLS_MAX + 1));
    return words;
}

static struct words *
words_of(unsigned keep, unsigned calls, unsigned cancels, bool more)
{
    return words_at(((keep * (CALLS_MAX + 1) + calls) * 2 + cancels) * 2 +
                    more);
}

static unsigned
words_index(const void *msg)
{
    return (unsigned)((const struct words *)msg - words_at(0));
}

static void
blame(struct world *world, const char *fault)
{
    if (world->fault == NULL) {
        world->fault = fault;
    }
}

/* -- the two ends -----------------------------------------------------------*/

static void
client_send(struct world *world, unsigned calls, unsigned cancels)
{
    struct flight *flight = &world->to_server[world->n_to_server];

    if (world->n_to_server == world->rules.contexts) {
        blame(world, "more requests in flight than contexts");
        return;
    }
    world->n_to_server++;
    world->n_sent++;
    world->calls_waiting -= calls;
    world->cancels_waiting -= cancels;
    flight->msg = words_of(world->client.keep, calls, cancels, false);
    flight->slot = rpcrt__client_credits_send(&world->client, &flight->seq);
}

static void
client_pump(struct world *world)
{
    while (rpcrt__client_credits_can_send(&world->client) &&
           world->fault == NULL) {
        unsigned calls = world->calls_waiting;
        unsigned cancels = world->cancels_waiting;

        if (calls + cancels == 0 &&
            (!rpcrt__client_credits_must_send(&world->client) ||
             world->rules.fault == FAULT_NO_STANDING)) {
            return;
        }
        if (world->rules.one_frame_a_message && calls + cancels > 1) {
            calls = cancels > 0 ? 0 : 1;
        }
        client_send(world, calls, cancels);
    }
    if (world->calls_waiting + world->cancels_waiting > 0) {
        rpcrt__client_credits_starved(&world->client);
    }
}

static bool
outbox_waits(const struct world *world)
{
    return world->calls_done + world->controls_waiting > 0;
}

static void
server_compose(struct world *world)
{
    if (!world->rules.one_frame_a_message) {
        world->calls_done = 0;
        world->controls_waiting = 0;
    } else if (world->controls_waiting > 0) {
        world->controls_waiting--;
    } else if (world->calls_done > 0) {
        world->calls_done--;
    }
}

static void
server_pump(struct world *world)
{
    while (rpcrt__server_credits_must_send(
               &world->server, outbox_waits(world),
               world->calls_open + world->calls_done > 0) &&
           world->fault == NULL) {
        struct flight *flight = &world->to_client[world->n_to_client];

        if (world->n_to_client == world->rules.contexts) {
            blame(world, "more replies in flight than contexts");
            return;
        }
        server_compose(world);
        world->n_to_client++;
        world->n_sent++;
        flight->msg = words_of(0, 0, 0, outbox_waits(world));
        flight->slot = rpcrt__server_credits_send(&world->server, &flight->seq);
    }
}

/* -- events -----------------------------------------------------------------*/

/* Take a message out of the air. */
static struct flight
land(struct flight *flights, unsigned *n, unsigned which)
{
    struct flight flight = flights[which];

    (*n)--;
    memmove(&flights[which], &flights[which + 1],
            (*n - which) * sizeof flights[0]);
    return flight;
}

/* Put a message in its place; what is ahead of its turn must fit below K. */
static void
put(struct world *world, struct rpcrt__reorder *reorder,
    const struct flight *flight)
{
    struct rpcrt__arrival arrival = {.msg = flight->msg, .slot = flight->slot};

    if (!rpcrt__reorder_put(reorder, flight->seq, arrival)) {
        blame(world, "a message outside of the reorder buffer");
    }
}

static void
request_apply(struct world *world, const struct rpcrt__arrival *arrival,
              bool answer_now)
{
    const struct words *words = arrival->msg;

    if (!rpcrt__server_credits_request(&world->server, arrival->slot,
                                       words->keep)) {
        blame(world, "the server refuses a request");
        return;
    }
    if (world->rules.fault == FAULT_HOLD_ALL) {
        world->server.keep = (uint16_t)world->rules.contexts;
    }
    if (words->cancels > 0 && world->calls_open > 0) {
        world->calls_open--;
    }
    if (answer_now) {
        world->calls_done += words->calls;
    } else {
        world->calls_open += words->calls;
    }
}

static void
request_arrives(struct world *world, unsigned which, bool answer_now)
{
    struct flight flight = land(world->to_server, &world->n_to_server, which);
    struct rpcrt__arrival arrival;

    put(world, &world->requests, &flight);
    while (world->fault == NULL &&
           rpcrt__reorder_take(&world->requests, &arrival)) {
        request_apply(world, &arrival, answer_now);
    }
    if (world->requests.n_waiting >= world->rules.contexts) {
        blame(world, "K requests wait for their turn");
    }
    server_pump(world);
}

static void
reply_arrives(struct world *world, unsigned which)
{
    struct flight flight = land(world->to_client, &world->n_to_client, which);
    bool early = world->rules.fault == FAULT_FREE_EARLY;
    struct rpcrt__arrival arrival;

    put(world, &world->replies, &flight);
    if (early) {
        rpcrt__client_credits_reply(&world->client, flight.slot, false);
    }
    while (world->fault == NULL &&
           rpcrt__reorder_take(&world->replies, &arrival)) {
        const struct words *words = arrival.msg;

        if (!early) {
            rpcrt__client_credits_reply(&world->client, arrival.slot,
                                        words->more != 0);
        }
    }
    if (world->replies.n_waiting >= world->rules.contexts) {
        blame(world, "K replies wait for their turn");
    }
    client_pump(world);
}

/* Calls that can still end, wherever they are. */
static unsigned
calls_under_way(const struct world *world)
{
    unsigned n = world->calls_waiting + world->calls_open + world->calls_done;
    unsigned i;

    for (i = 0; i < world->n_to_server; i++) {
        n += ((const struct words *)world->to_server[i].msg)->calls;
    }
    for (i = 0; i < world->rules.contexts; i++) {
        const struct words *words = world->requests.waiting[i].msg;

        n += words != NULL ? words->calls : 0;
    }
    return n;
}

unsigned
world_event_count(const struct world *world, enum event_kind kind)
{
    switch (kind) {
    case EVENT_REQUEST:
    case EVENT_REQUEST_INLINE:
        return world->n_to_server;
    case EVENT_REPLY:
        return world->n_to_client;
    case EVENT_START:
        return calls_under_way(world) < world->rules.n_calls;
    case EVENT_CANCEL:
        return world->cancels_waiting == 0;
    case EVENT_FINISH:
        return world->calls_open > 0;
    case EVENT_CONTROL:
        return world->controls_waiting == 0;
    case N_EVENT_KINDS:
    default:
        return 0;
    }
}

/* Every slot must be in one place. */
static void
check_slots(struct world *world)
{
    unsigned ring = sizeof world->server.held / sizeof world->server.held[0];
    unsigned seen[CONTEXTS_MAX] = {0};
    unsigned n = 0;
    unsigned i;

#define SEE(slot) (n++, seen[(slot) % CONTEXTS_MAX]++)
    for (i = 0; i < world->client.n_free; i++) {
        SEE(world->client.free_slots[i]);
    }
    for (i = 0; i < world->n_to_server; i++) {
        SEE(world->to_server[i].slot);
    }
    for (i = 0; i < world->n_to_client; i++) {
        SEE(world->to_client[i].slot);
    }
    for (i = 0; i < world->server.n_held; i++) {
        SEE(world->server.held[(world->server.oldest + i) % ring]);
    }
    for (i = 0; i < world->rules.contexts; i++) {
        if (world->requests.waiting[i].msg != NULL) {
            SEE(world->requests.waiting[i].slot);
        }
        if (world->replies.waiting[i].msg != NULL) {
            SEE(world->replies.waiting[i].slot);
        }
    }
#undef SEE
    for (i = 0; i < world->rules.contexts; i++) {
        if (seen[i] != 1 || n != world->rules.contexts) {
            blame(world, "a slot is nowhere, or in two places");
        }
    }
}

void
world_event(struct world *world, enum event_kind kind, unsigned which)
{
    switch (kind) {
    case EVENT_REQUEST:
    case EVENT_REQUEST_INLINE:
        request_arrives(world, which, kind == EVENT_REQUEST_INLINE);
        break;
    case EVENT_REPLY:
        reply_arrives(world, which);
        break;
    case EVENT_START:
        world->calls_waiting++;
        client_pump(world);
        break;
    case EVENT_CANCEL:
        world->cancels_waiting++;
        client_pump(world);
        break;
    case EVENT_FINISH:
        world->calls_open--;
        world->calls_done++;
        server_pump(world);
        break;
    case EVENT_CONTROL:
        world->controls_waiting++;
        server_pump(world);
        break;
    case N_EVENT_KINDS:
    default:
        break;
    }
    if (world->client.next_seq - world->requests.next_seq >
            world->rules.contexts ||
        world->server.next_seq - world->replies.next_seq >
            world->rules.contexts) {
        blame(world, "a sender is ahead of the reorder buffer");
    }
    if (world->rules.fault != FAULT_FREE_EARLY) {
        check_slots(world);
    }
    if (world->rules.fault != FAULT_NO_STANDING &&
        rpcrt__client_credits_must_send(&world->client)) {
        blame(world, "the client owes an empty message");
    }
}

bool
world_is_quiet(const struct world *world)
{
    return world->n_to_server + world->n_to_client == 0;
}

const char *
world_quiet_fault(const struct world *world)
{
    unsigned keep = world->calls_open > 0 ? world->server.keep : 1;

    if (world->requests.n_waiting + world->replies.n_waiting > 0) {
        return "a message waits for one that does not come";
    }
    if (world->calls_waiting + world->cancels_waiting > 0) {
        return "a call or cancel cannot leave the client";
    }
    if (outbox_waits(world)) {
        return "something cannot leave the server";
    }
    if (world->client.n_free == 0) {
        return "the next call would have to wait";
    }
    if (world->server.n_held == 0) {
        return "the server has no credit";
    }
    return world->server.n_held > keep ? "the server keeps too much" : NULL;
}

/* -- packing ----------------------------------------------------------------*/

void
world_init(struct world *world, const struct model_rules *rules)
{
    memset(world, 0, sizeof *world);
    world->rules = *rules;
    rpcrt__client_credits_init(&world->client, rules->contexts);
    rpcrt__server_credits_init(&world->server, rules->contexts);
    rpcrt__reorder_init(&world->requests, rules->contexts);
    rpcrt__reorder_init(&world->replies, rules->contexts);
    client_pump(world);
}

/* One direction: where the receiver is, then what was sent and not taken, each
 * by what it says, and whether it is in the air or has come. */
static uint8_t *
direction_pack(const struct rpcrt__reorder *reorder, uint64_t sent,
               const struct flight *flights, unsigned n, uint8_t *out)
{
    uint64_t first = reorder->next_seq;
    unsigned i;

    *out++ = (uint8_t)(first % reorder->window);
    *out++ = (uint8_t)(sent - first);
    for (i = 0; i < sent - first; i++) {
        const void *msg = reorder->waiting[(first + i) % reorder->window].msg;

        out[i] = msg != NULL ? (uint8_t)(words_index(msg) * 2 + 1) : 0;
    }
    for (i = 0; i < n; i++) {
        out[flights[i].seq - first] =
            (uint8_t)(words_index(flights[i].msg) * 2);
    }
    return out + CONTEXTS_MAX;
}

static const uint8_t *
direction_unpack(struct rpcrt__reorder *reorder, uint64_t *ret_sent,
                 struct flight *flights, unsigned *ret_n, unsigned *slot,
                 const uint8_t *in)
{
    uint64_t first = *in++;
    unsigned count = *in++;
    unsigned i;

    reorder->next_seq = first;
    *ret_sent = first + count;
    *ret_n = 0;
    for (i = 0; i < count; i++) {
        void *msg = words_at(in[i] / 2);
        uint64_t seq = first + i;

        if (in[i] % 2 == 0) {
            flights[*ret_n].msg = msg;
            flights[*ret_n].seq = seq;
            flights[*ret_n].slot = *slot;
            (*ret_n)++;
        } else {
            reorder->waiting[seq % reorder->window].msg = msg;
            reorder->waiting[seq % reorder->window].slot = *slot;
            reorder->n_waiting++;
        }
        (*slot)++;
    }
    return in + CONTEXTS_MAX;
}

void
world_pack(const struct world *world, struct packed *ret_packed)
{
    uint8_t *out = ret_packed->bytes;
    uint8_t *requests;
    uint8_t *replies;

    memset(ret_packed, 0, sizeof *ret_packed);
    *out++ = (uint8_t)world->client.n_free;
    *out++ = (uint8_t)world->client.keep;
    *out++ = (uint8_t)world->client.more;
    *out++ = (uint8_t)world->server.n_held;
    *out++ = (uint8_t)world->server.keep;
    *out++ = (uint8_t)world->calls_waiting;
    *out++ = (uint8_t)world->cancels_waiting;
    *out++ = (uint8_t)world->calls_open;
    *out++ = (uint8_t)world->calls_done;
    *out++ = (uint8_t)world->controls_waiting;
    requests = out;
    out = direction_pack(&world->requests, world->client.next_seq,
                         world->to_server, world->n_to_server, out);
    replies = out;
    (void)direction_pack(&world->replies, world->server.next_seq,
                         world->to_client, world->n_to_client, out);
    if (world->rules.from_zero) {
        *requests = 0;
        *replies = 0;
    }
}

void
world_unpack(struct world *world, const struct model_rules *rules,
             const struct packed *packed)
{
    const uint8_t *in = packed->bytes;
    unsigned slot = 0;
    unsigned i;

    /* Not the whole of it, most of which is never used: this runs often. */
    memset(world->requests.waiting, 0,
           rules->contexts * sizeof world->requests.waiting[0]);
    memset(world->replies.waiting, 0,
           rules->contexts * sizeof world->replies.waiting[0]);
    world->requests.n_waiting = 0;
    world->replies.n_waiting = 0;
    world->server.oldest = 0;
    world->n_sent = 0;
    world->fault = NULL;
    world->rules = *rules;
    world->client.contexts = rules->contexts;
    world->server.contexts = rules->contexts;
    world->requests.window = rules->contexts;
    world->replies.window = rules->contexts;
    world->client.n_free = *in++;
    world->client.keep = *in++;
    world->client.more = *in++ != 0;
    world->server.n_held = *in++;
    world->server.keep = *in++;
    world->calls_waiting = *in++;
    world->cancels_waiting = *in++;
    world->calls_open = *in++;
    world->calls_done = *in++;
    world->controls_waiting = *in++;
    for (i = 0; i < world->client.n_free; i++) {
        world->client.free_slots[i] = (uint16_t)slot++;
    }
    for (i = 0; i < world->server.n_held; i++) {
        world->server.held[i] = (uint16_t)slot++;
    }
    in = direction_unpack(&world->requests, &world->client.next_seq,
                          world->to_server, &world->n_to_server, &slot, in);
    (void)direction_unpack(&world->replies, &world->server.next_seq,
                           world->to_client, &world->n_to_client, &slot, in);
}
