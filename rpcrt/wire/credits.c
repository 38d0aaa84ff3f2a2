/*
 * The arithmetic of wire/credits.h.
 */
#include "wire/credits.h"

#include <string.h>

/* -- order ----------------------------------------------------------------- */

void
rpcrt__reorder_init(struct rpcrt__reorder *reorder, unsigned window)
{
    memset(reorder, 0, sizeof *reorder);
    reorder->window = window;
}

bool
rpcrt__reorder_put(struct rpcrt__reorder *reorder, uint64_t seq,
                   struct rpcrt__arrival arrival)
{
    struct rpcrt__arrival *place = &reorder->waiting[seq % reorder->window];

    if (seq < reorder->next_seq || seq - reorder->next_seq >= reorder->window ||
        place->msg != NULL) {
        return false;
    }
    *place = arrival;
    reorder->n_waiting++;
    return true;
}

bool
rpcrt__reorder_take(struct rpcrt__reorder *reorder,
                    struct rpcrt__arrival *ret_arrival)
{
    struct rpcrt__arrival *place =
        &reorder->waiting[reorder->next_seq % reorder->window];

    if (place->msg == NULL) {
        return false;
    }
    *ret_arrival = *place;
    place->msg = NULL;
    reorder->next_seq++;
    reorder->n_waiting--;
    return true;
}

bool
rpcrt__reorder_drop(struct rpcrt__reorder *reorder,
                    struct rpcrt__arrival *ret_arrival)
{
    for (unsigned i = 0; reorder->n_waiting > 0 && i < reorder->window; i++) {
        if (reorder->waiting[i].msg != NULL) {
            *ret_arrival = reorder->waiting[i];
            reorder->waiting[i].msg = NULL;
            reorder->n_waiting--;
            return true;
        }
    }
    return false;
}

/* -- client ---------------------------------------------------------------- */

void
rpcrt__client_credits_init(struct rpcrt__client_credits *credits,
                           unsigned contexts)
{
    memset(credits, 0, sizeof *credits);
    credits->contexts = contexts;
    credits->keep = (uint16_t)(contexts / 4 > 0 ? contexts / 4 : 1);
    for (unsigned slot = contexts; slot > 0; slot--) {
        credits->free_slots[credits->n_free++] = (uint16_t)(slot - 1);
    }
}

void
rpcrt__client_credits_shrink(struct rpcrt__client_credits *credits,
                             unsigned contexts)
{
    uint64_t next_seq = credits->next_seq;

    rpcrt__client_credits_init(credits, contexts);
    credits->next_seq = next_seq;
}

bool
rpcrt__client_credits_can_send(const struct rpcrt__client_credits *credits)
{
    return credits->n_free > 0;
}

bool
rpcrt__client_credits_must_send(const struct rpcrt__client_credits *credits)
{
    unsigned n_out = credits->contexts - credits->n_free;

    return n_out == 0 || (credits->more && n_out < credits->keep);
}

unsigned
rpcrt__client_credits_send(struct rpcrt__client_credits *credits,
                           uint64_t *ret_seq)
{
    *ret_seq = credits->next_seq++;
    return credits->free_slots[--credits->n_free];
}

void
rpcrt__client_credits_reply(struct rpcrt__client_credits *credits,
                            unsigned slot, bool more)
{
    credits->free_slots[credits->n_free++] = (uint16_t)slot;
    credits->more = more;
    if (more && credits->keep < credits->contexts - 1) {
        credits->keep++;
    }
}

void
rpcrt__client_credits_starved(struct rpcrt__client_credits *credits)
{
    if (credits->keep > 1) {
        credits->keep--;
    }
}

/* -- server ---------------------------------------------------------------- */

void
rpcrt__server_credits_init(struct rpcrt__server_credits *credits,
                           unsigned contexts)
{
    memset(credits, 0, sizeof *credits);
    credits->contexts = contexts;
    credits->keep = 1;
}

bool
rpcrt__server_credits_request(struct rpcrt__server_credits *credits,
                              unsigned slot, uint16_t keep)
{
    unsigned size = sizeof credits->held / sizeof credits->held[0];

    if (keep < 1 || keep >= credits->contexts ||
        credits->n_held >= credits->contexts) {
        return false;
    }
    credits->held[(credits->oldest + credits->n_held) % size] = (uint16_t)slot;
    credits->n_held++;
    credits->keep = keep;
    return true;
}

bool
rpcrt__server_credits_must_send(const struct rpcrt__server_credits *credits,
                                bool outbox, bool calls_open)
{
    unsigned keep = calls_open ? credits->keep : 1;

    return credits->n_held > (outbox ? 0 : keep);
}

unsigned
rpcrt__server_credits_send(struct rpcrt__server_credits *credits,
                           uint64_t *ret_seq)
{
    unsigned size = sizeof credits->held / sizeof credits->held[0];
    unsigned slot = credits->held[credits->oldest];

    credits->oldest = (credits->oldest + 1) % size;
    credits->n_held--;
    *ret_seq = credits->next_seq++;
    return slot;
}
