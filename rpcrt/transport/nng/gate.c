/*
 * The gate in front of nng: a counter that costs one atomic operation each way
 * while it is open, and a lock only when it closes.
 */
#include "transport/nng/link_nng.h"

#define CLOSED 0x80000000u

bool
rpcrt__gate_init(struct rpcrt__gate *gate)
{
    atomic_init(&gate->inside, 0);
    if (pthread_mutex_init(&gate->lock, NULL) != 0) {
        return false;
    }
    if (pthread_cond_init(&gate->empty, NULL) != 0) {
        pthread_mutex_destroy(&gate->lock);
        return false;
    }
    return true;
}

void
rpcrt__gate_fini(struct rpcrt__gate *gate)
{
    pthread_cond_destroy(&gate->empty);
    pthread_mutex_destroy(&gate->lock);
}

bool
rpcrt__gate_enter(struct rpcrt__gate *gate)
{
    unsigned inside = atomic_load(&gate->inside);
    do {
        if ((inside & CLOSED) != 0) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&gate->inside, &inside, inside + 1));
    return true;
}

void
rpcrt__gate_leave(struct rpcrt__gate *gate)
{
    unsigned inside = atomic_load(&gate->inside);
    while ((inside & CLOSED) == 0) {
        if (atomic_compare_exchange_weak(&gate->inside, &inside, inside - 1)) {
            return;
        }
    }
    /* The closer may free the gate as soon as it sees the last one leave: it
     * must not see that before we are done with the lock. */
    pthread_mutex_lock(&gate->lock);
    if (atomic_fetch_sub(&gate->inside, 1) == (CLOSED | 1)) {
        pthread_cond_broadcast(&gate->empty);
    }
    pthread_mutex_unlock(&gate->lock);
}

bool
rpcrt__gate_closed(struct rpcrt__gate *gate)
{
    return (atomic_load(&gate->inside) & CLOSED) != 0;
}

void
rpcrt__gate_close(struct rpcrt__gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    atomic_fetch_or(&gate->inside, CLOSED);
    while (atomic_load(&gate->inside) != CLOSED) {
        pthread_cond_wait(&gate->empty, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
}
