/*
 * A lock with a condition whose time-outs no setting of the clock disturbs.
 */
#ifndef SERVICES_COMMON_GATE_H
#define SERVICES_COMMON_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct common_gate {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* what the lock guards */
};

/* False without memory. */
bool common_gate_init(struct common_gate *gate);
void common_gate_fini(struct common_gate *gate);

void common_gate_lock(struct common_gate *gate);
void common_gate_unlock(struct common_gate *gate);

/* Wait for a signal, at most so long; false if none came. [locked] */
bool common_gate_wait(struct common_gate *gate, uint32_t wait_ms);

/* Wake all that wait. [locked] */
void common_gate_signal(struct common_gate *gate);

#endif
