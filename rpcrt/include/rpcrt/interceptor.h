/*
 * Interceptors: what is to happen around every call, in one place, whatever
 * kind of call it is. Those of a server stand around the handler, those of a
 * channel around the use of a call. They form a chain: each begins in the order
 * in which it was added, and ends in the opposite order.
 *
 *   static enum rpcrt_code
 *   only_at_night(void *arg, struct rpcrt_ctx *ctx)
 *   {
 *       return is_night()
 *                  ? RPCRT_OK
 *                  : rpcrt_ctx_fail(ctx, RPCRT_UNAVAILABLE, "too early");
 *   }
 *
 *   struct rpcrt_server_interceptor night = {.begin = only_at_night};
 *   code = rpcrt_server_add_interceptor(server, &night);
 *
 * logging.h, auth.h, metrics.h and trace.h have some that are ready.
 */
#ifndef RPCRT_INTERCEPTOR_H
#define RPCRT_INTERCEPTOR_H

#include <rpcrt/call.h>
#include <rpcrt/ctx.h>
#include <rpcrt/limits.h>
#include <rpcrt/server.h>

RPCRT_BEGIN_DECLS

/* -- servers --------------------------------------------------------------- */

/** Either function may be NULL; both may run on any thread, and on several at
 * once. */
struct rpcrt_server_interceptor {
    /**
     * Before the handler, on its thread; it must not block if the handler must
     * not. What is not OK refuses the call, "not executed": neither the rest of
     * the chain nor the handler sees it. The text is that of rpcrt_ctx_fail(),
     * and the origin is the handler's.
     */
    enum rpcrt_code (*begin)(void *arg, struct rpcrt_ctx *ctx);
    /**
     * When the answer is made, on the thread that made it; only if begin was
     * OK, or is NULL. The record is gone afterwards.
     */
    void (*end)(void *arg, struct rpcrt_ctx *ctx,
                const struct rpcrt_call_record *record);
    void *arg;
};

/**
 * Add an interceptor to those that a server has.
 *
 * interceptor  copied
 * Returns      OK; FAILED_PRECONDITION once the server listens;
 *              RESOURCE_EXHAUSTED above RPCRT_INTERCEPTORS_MAX.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code rpcrt_server_add_interceptor(
    struct rpcrt_server *server,
    const struct rpcrt_server_interceptor *interceptor);

/**
 * Memory of an interceptor's own with a call: for what begin has to tell end,
 * or a handler. The same for the same key, until the answer is sent.
 *
 * key      an address that nobody else uses, of a static variable say
 * size     zeroed bytes to be had when there are none yet; 0: only look
 * Returns  the memory; NULL if there is none.
 * Threads  one at a time.
 */
RPCRT_API void *rpcrt_ctx_slot(struct rpcrt_ctx *ctx, const void *key,
                               size_t size);

/* -- clients --------------------------------------------------------------- */

/** Either function may be NULL; both may run on any thread, and on several at
 * once. */
struct rpcrt_client_interceptor {
    /**
     * When a use of the call starts, on the thread that starts it. It may set
     * metadata and the timeout, which stay with the call; or end the use with
     * rpcrt_call_refuse(). `method` lives as long as the program.
     */
    enum rpcrt_code (*begin)(void *arg, struct rpcrt_call *call,
                             const char *method);
    /**
     * When the use is over, before its owner is told, on the thread that will
     * tell; only if begin was OK, or is NULL. It reads the outcome, must
     * not block, nor use the call in any other way.
     */
    void (*end)(void *arg, struct rpcrt_call *call, const char *method);
    void *arg;
};

/**
 * Add an interceptor to those that a channel has. Before the first call.
 *
 * interceptor  copied
 * Returns      OK; FAILED_PRECONDITION when calls run or it is connected;
 *              RESOURCE_EXHAUSTED above RPCRT_INTERCEPTORS_MAX.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code rpcrt_channel_add_interceptor(
    struct rpcrt_channel *channel,
    const struct rpcrt_client_interceptor *interceptor);

/** Say in begin why a call is not made; hands back the code. */
RPCRT_API enum rpcrt_code rpcrt_call_refuse(struct rpcrt_call *call,
                                            enum rpcrt_code code,
                                            const char *format, ...)
    RPCRT_PRINTF(3, 4);

/** As rpcrt_ctx_slot(), until the next use of the call. */
RPCRT_API void *rpcrt_call_slot(struct rpcrt_call *call, const void *key,
                                size_t size);

RPCRT_END_DECLS

#endif
