/*
 * The set of connections that a server link has, by number. The caller locks.
 */
#ifndef RPCRT_TRANSPORT_NNG_PEERS_H
#define RPCRT_TRANSPORT_NNG_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpcrt__peers {
    uint32_t *places; /* 0: free; numbers are never 0 */
    size_t mask;      /* places - 1, a power of two less one */
    size_t count;
};

void rpcrt__peers_fini(struct rpcrt__peers *peers);

/* False without memory. The number must not be in it. */
bool rpcrt__peers_add(struct rpcrt__peers *peers, uint32_t peer);
bool rpcrt__peers_has(const struct rpcrt__peers *peers, uint32_t peer);

/* False if it was not in it. */
bool rpcrt__peers_remove(struct rpcrt__peers *peers, uint32_t peer);

#endif
