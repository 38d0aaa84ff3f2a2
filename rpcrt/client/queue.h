/*
 * Inside of a completion queue: what the start of a call and its freeing tell
 * it. The end of a call is told by rpcrt_queue_done().
 *
 * The lock of a queue guards its calls' places in it, and is never held
 * together with a channel's.
 */
#ifndef RPCRT_CLIENT_QUEUE_H
#define RPCRT_CLIENT_QUEUE_H

#include <rpcrt/queue.h>

/* A call is about to run, and its end will be told. */
void rpcrt__queue_join(struct rpcrt_queue *queue, struct rpcrt_call *call);

/* If the call is in a queue, it is not given to anybody; one that still runs is
 * forgotten when its end is told. */
void rpcrt__queue_leave(struct rpcrt_call *call);

#endif
