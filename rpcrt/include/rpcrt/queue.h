/*
 * A completion queue: one thread starts thousands of calls, and waits for any
 * or all of them, or lets its own event loop tell it when one has ended. No
 * code of the caller runs on another thread.
 *
 *   kv_put_start(call, &request, rpcrt_queue_done, queue);
 *   ...
 *   while (rpcrt_queue_wait_any(queue, -1, &call) == RPCRT_OK)
 *       code = kv_put_take(call, &reply);
 *
 * A call is in the queue from its start until it is taken out, started again,
 * or freed. Nothing of that allocates memory. rpcrt_call_set_tag() tells calls
 * apart that are taken.
 */
#ifndef RPCRT_QUEUE_H
#define RPCRT_QUEUE_H

#include <rpcrt/call.h>

RPCRT_BEGIN_DECLS

struct rpcrt_queue;

/**
 * Make an empty queue. Its calls may be of any channels and methods.
 *
 * Returns  OK, or RESOURCE_EXHAUSTED without memory.
 * Owner    the caller, who frees it.
 * Threads  any number at once; each call that has ended is given to one of
 *          them. A call that may have ended must not be used, but for
 *          rpcrt_call_cancel(), while another thread takes calls.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_queue_new(struct rpcrt_queue **ret_queue);

/** Cancel the calls that run in the queue, wait for their ends, and free it.
 * The calls stay their owners', who may use them at once. Nobody else may be
 * using the queue or freeing its calls; not from a completion callback. NULL
 * does nothing. */
RPCRT_API void rpcrt_queue_free(struct rpcrt_queue *queue);

/** What x_start() is given as `done`, with the queue as `arg`, so that the call
 * ends in the queue. It is not for calling. */
RPCRT_API void rpcrt_queue_done(struct rpcrt_call *call, void *queue);

/**
 * Take a call that has ended, in the order in which they ended; x_take() then
 * says how. Does not wait.
 *
 * Returns  the call, which may be started again or freed at once; NULL if none
 *          waits to be taken.
 */
RPCRT_API struct rpcrt_call *rpcrt_queue_next(struct rpcrt_queue *queue);

/**
 * Wait until a call has ended, and take it. Not from a completion callback.
 *
 * timeout_ms  as for poll(2): negative: for ever; 0: do not wait
 * Returns     OK, whatever the outcome of the call; DEADLINE_EXCEEDED when the
 *             time is over; NOT_FOUND at once when no call is in the queue.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_queue_wait_any(struct rpcrt_queue *queue, int timeout_ms,
                     struct rpcrt_call **ret_call);

/**
 * Wait until no call of the queue runs any more. Then they can be taken out,
 * but need not be: x_take() works for those that are still in it. Not from a
 * completion callback.
 *
 * timeout_ms  as above
 * Returns     OK, whatever the outcomes of the calls; DEADLINE_EXCEEDED.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_queue_wait_all(struct rpcrt_queue *queue, int timeout_ms);

/**
 * A file descriptor for poll(2), epoll(7), libuv and the like: readable exactly
 * while calls that have ended wait to be taken. It is only to be polled; who
 * polls for edges must take until NULL.
 *
 * Returns  OK; RESOURCE_EXHAUSTED when the system has none left, and
 *          rpcrt_last_error() has the text.
 * Owner    the queue, which closes it; made by the first use.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_queue_fd(struct rpcrt_queue *queue, int *ret_fd);

/** Cancel the calls that run in the queue; they end in it, with CANCELLED.
 * Nobody else may be freeing them. */
RPCRT_API void rpcrt_queue_cancel(struct rpcrt_queue *queue);

/** How many calls are in the queue, running or waiting to be taken. */
RPCRT_API size_t rpcrt_queue_size(struct rpcrt_queue *queue);

RPCRT_END_DECLS

#endif
