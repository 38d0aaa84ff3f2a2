/*
 * A hash set of numbers, at most half full: a look-up for each message touches
 * one cache line. nng hands the numbers out in order, so their low bits spread
 * them well.
 */
#include "transport/nng/peers.h"
#include "core/alloc.h"

#define PLACES_MIN 64u

/* Where the number is, or where it would go. */
static size_t
place_of(const struct rpcrt__peers *peers, uint32_t peer)
{
    size_t i = peer & peers->mask;
    while (peers->places[i] != 0 && peers->places[i] != peer) {
        i = (i + 1) & peers->mask;
    }
    return i;
}

static bool
grow(struct rpcrt__peers *peers)
{
    struct rpcrt__peers bigger = {.count = peers->count};
    size_t now = peers->places == NULL ? 0 : peers->mask + 1;
    size_t size = now == 0 ? PLACES_MIN : now * 2;
    bigger.places = rpcrt__calloc(size, sizeof(*bigger.places));
    if (bigger.places == NULL) {
        return false;
    }
    bigger.mask = size - 1;
    for (size_t i = 0; i < now; i++) {
        if (peers->places[i] != 0) {
            size_t to = place_of(&bigger, peers->places[i]);
            bigger.places[to] = peers->places[i];
        }
    }
    rpcrt__free(peers->places);
    *peers = bigger;
    return true;
}

void
rpcrt__peers_fini(struct rpcrt__peers *peers)
{
    rpcrt__free(peers->places);
    peers->places = NULL;
    peers->mask = 0;
    peers->count = 0;
}

bool
rpcrt__peers_add(struct rpcrt__peers *peers, uint32_t peer)
{
    if ((peers->places == NULL || peers->count * 2 > peers->mask) &&
        !grow(peers)) {
        return false;
    }
    peers->places[place_of(peers, peer)] = peer;
    peers->count++;
    return true;
}

bool
rpcrt__peers_has(const struct rpcrt__peers *peers, uint32_t peer)
{
    return peers->places != NULL &&
           peers->places[place_of(peers, peer)] == peer;
}

bool
rpcrt__peers_remove(struct rpcrt__peers *peers, uint32_t peer)
{
    size_t hole;
    if (!rpcrt__peers_has(peers, peer)) {
        return false;
    }
    hole = place_of(peers, peer);
    peers->places[hole] = 0;
    peers->count--;
    /* What stands behind, up to the next free place, may have been pushed on by
     * the one that left: put it in again. */
    for (size_t i = (hole + 1) & peers->mask; peers->places[i] != 0;
         i = (i + 1) & peers->mask) {
        uint32_t moved = peers->places[i];
        peers->places[i] = 0;
        peers->places[place_of(peers, moved)] = moved;
    }
    return true;
}
