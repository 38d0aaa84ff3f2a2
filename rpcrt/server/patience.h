/*
 * Whether a call has waited too long, judged by how long all of them wait: a
 * queue that empties now and then is healthy, however long it gets; in one
 * whose shortest wait stays above a target calls only grow old. That is CoDel's
 * idea (Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5),
 * 2012), in the form that Facebook gave it for requests: shed what waited twice
 * the target as long as that lasts ("Fail at Scale", ACM Queue 13(8), 2015).
 *
 * No clock and no lock of its own.
 */
#ifndef RPCRT_SERVER_PATIENCE_H
#define RPCRT_SERVER_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

struct rpcrt__patience {
    uint64_t target_ns; /* 0: endless */
    uint64_t interval_ns;
    uint64_t until_ns; /* when the present interval ends */
    uint64_t least_ns; /* shortest wait in it so far */
    bool is_short;     /* the shortest wait of the last one was too long */
};

void rpcrt__patience_init(struct rpcrt__patience *patience, uint64_t target_ns,
                          uint64_t interval_ns);

/* It is the turn of a call that has waited so long: true if it is to be
 * shed. */
bool rpcrt__patience_is_over(struct rpcrt__patience *patience, uint64_t now_ns,
                             uint64_t waited_ns);

#endif
