/*
 * Calls in which one side, or both, send any number of messages. The functions
 * with types are generated: for a client
 *
 *   kv_watch_open(call, &request);
 *   while (kv_watch_next(call, &event))
 *       ...
 *   if (kv_watch_finish(call) != RPCRT_OK)
 *       fprintf(stderr, "%s\n", rpcrt_call_message(call));
 *
 * with x_send() and x_close_send() where the client sends, and for a server
 *
 *   while ((code = kv_load_all_receive(ctx, &item)) == RPCRT_OK && item)
 *       ...
 *   if (code == RPCRT_OK)
 *       code = kv_load_all_reply(ctx, &reply);
 *
 * Each direction of each stream has a window of its own, in bytes: who sends
 * faster than the other side takes waits in x_send() or x_reply(), and nobody
 * else notices. What is here is for who must not wait.
 */
#ifndef RPCRT_STREAM_H
#define RPCRT_STREAM_H

#include <rpcrt/call.h>
#include <rpcrt/ctx.h>

RPCRT_BEGIN_DECLS

/* -- clients --------------------------------------------------------------- */

/**
 * Wait until x_next() would not wait: a message is there, or the call is over.
 *
 * timeout_ms  as for poll(2): negative: for ever; 0: do not wait
 * Returns     OK, or DEADLINE_EXCEEDED: the call goes on.
 * Threads     the one that receives.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_wait_next(struct rpcrt_call *call, int timeout_ms);

/** Bytes that x_send() takes at once without waiting; a message may be larger
 * than that as long as it is not 0. 0 also when the call is over. */
RPCRT_API size_t rpcrt_call_room(struct rpcrt_call *call);

/**
 * Be told, on a thread of the runtime or the one that closes the channel, when
 * x_next() would no longer wait or rpcrt_call_room() has turned from 0 to more:
 * for programs with a loop of their own. It must not block, nor use the call
 * but for rpcrt_call_cancel(). It may be called without need. Before x_open();
 * it stays for the uses that follow. NULL undoes it, and waits for a function
 * that runs on another thread.
 */
typedef void rpcrt_event_fn(struct rpcrt_call *call, void *arg);
RPCRT_API void rpcrt_call_on_event(struct rpcrt_call *call, rpcrt_event_fn *fn,
                                   void *arg);

/* -- servers --------------------------------------------------------------- */

/** Bytes that x_reply() takes at once without waiting, as above. Any thread
 * until the call is finished. */
RPCRT_API size_t rpcrt_ctx_room(struct rpcrt_ctx *ctx);

/**
 * Be told, on a thread of the runtime, when rpcrt_ctx_room() has turned from 0
 * to more: for handlers that have returned RPCRT_LATER and send from a thread
 * that must not wait. It must not block. Not called any more once the call is
 * finished; fn NULL undoes it and waits for one that runs on another thread.
 */
typedef void rpcrt_room_fn(void *arg);
RPCRT_API void rpcrt_ctx_on_room(struct rpcrt_ctx *ctx, rpcrt_room_fn *fn,
                                 void *arg);

RPCRT_END_DECLS

#endif
