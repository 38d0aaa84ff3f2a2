/*
 * What a handler sees of the call that it serves. A handler reads the request,
 * fills the reply and returns a code:
 *
 *   static enum rpcrt_code
 *   load(void *self, struct rpcrt_ctx *ctx, const Kv__V1__LoadRequest *request,
 *        Kv__V1__LoadReply *reply)
 *
 * Request, reply and everything from rpcrt_ctx_alloc() live in one arena that
 * dies after the answer is sent; nothing is freed by hand. Pointers placed in
 * the reply must point into that arena, the request, or memory that outlives
 * the answer.
 *
 * Where the client streams there is no request, but x_receive(ctx, &message);
 * where the server streams no reply, but x_reply(ctx, &message): see stream.h.
 *
 * To answer later, return RPCRT_LATER, and call rpcrt_ctx_finish() from any
 * thread; until then request and reply stay.
 */
#ifndef RPCRT_CTX_H
#define RPCRT_CTX_H

#include <rpcrt/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

RPCRT_BEGIN_DECLS

struct rpcrt_ctx;

/**
 * Take zeroed memory that lasts until the answer is sent, aligned for
 * anything; never free it. Returns NULL at the call's limit: return
 * rpcrt_ctx_no_memory(ctx).
 */
RPCRT_API void *rpcrt_ctx_alloc(struct rpcrt_ctx *ctx, size_t size);

/** Copy bytes into the call's memory; a zero byte that does not count follows.
 * NULL at the limit. */
RPCRT_API void *rpcrt_ctx_copy(struct rpcrt_ctx *ctx, const void *data,
                               size_t size);

/**
 * Build the text of a failure and hand back its code:
 *
 *   return rpcrt_ctx_fail(ctx, RPCRT_NOT_FOUND, "no key '%s'", key);
 */
RPCRT_API enum rpcrt_code rpcrt_ctx_fail(struct rpcrt_ctx *ctx,
                                         enum rpcrt_code code,
                                         const char *format, ...)
    RPCRT_PRINTF(3, 4);

/** RESOURCE_EXHAUSTED with a text that names the limit. */
RPCRT_API enum rpcrt_code rpcrt_ctx_no_memory(struct rpcrt_ctx *ctx);

/** Attach details to the failure of the rpcrt_ctx_fail() before: serialized
 * google.rpc.Status, copied; a later failure drops them. OK, or
 * RESOURCE_EXHAUSTED above RPCRT_DETAILS_SIZE_MAX. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_ctx_set_details(struct rpcrt_ctx *ctx, const void *details, size_t size);

/**
 * Answer a call whose handler returned RPCRT_LATER. Once, from any thread,
 * also before the handler has returned; ctx, request and reply are gone
 * afterwards. A text set by rpcrt_ctx_fail() goes with it.
 */
RPCRT_API void rpcrt_ctx_finish(struct rpcrt_ctx *ctx, enum rpcrt_code code);

/** Metadata that the client sent; NULL if the key is absent. The value is
 * followed by a zero byte that does not count; ret_size may be NULL. */
RPCRT_API const char *rpcrt_ctx_metadata(const struct rpcrt_ctx *ctx,
                                         const char *key, size_t *ret_size);

/** See all metadata that the client sent; rpcrt_metadata_fn is in call.h. */
RPCRT_API void rpcrt_ctx_each_metadata(const struct rpcrt_ctx *ctx,
                                       void (*fn)(void *arg, const char *key,
                                                  const char *value,
                                                  size_t size),
                                       void *arg);

/** Send metadata before the first reply: headers. FAILED_PRECONDITION once they
 * have been sent; else as rpcrt_call_set_metadata(). */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_ctx_set_header(struct rpcrt_ctx *ctx, const char *key, const void *value,
                     size_t size);

/** Send the headers now, without waiting for the first reply; again does
 * nothing. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_ctx_send_headers(struct rpcrt_ctx *ctx);

/** Send metadata at the end of the answer: trailers; as
 * rpcrt_call_set_metadata(). */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_ctx_set_metadata(struct rpcrt_ctx *ctx, const char *key,
                       const void *value, size_t size);

/** True once the client has left, cancelled, or the deadline has passed:
 * whatever is returned, nobody reads it. Any thread. */
RPCRT_API bool rpcrt_ctx_cancelled(const struct rpcrt_ctx *ctx);

/**
 * Be told when rpcrt_ctx_cancelled() turns true: once, on a thread of the
 * runtime, at once if it already has. It must not block, nor call
 * rpcrt_ctx_finish() on a thread that holds a lock of its own. Not called any
 * more once the call is finished. fn NULL undoes it and, when the function is
 * running on another thread, waits for its end.
 */
typedef void rpcrt_cancel_fn(void *arg);
RPCRT_API void rpcrt_ctx_on_cancel(struct rpcrt_ctx *ctx, rpcrt_cancel_fn *fn,
                                   void *arg);

/** Milliseconds until the deadline, 0 if it has passed, -1 without one. */
RPCRT_API int64_t rpcrt_ctx_time_left_ms(const struct rpcrt_ctx *ctx);

/** The method: "/kv.v1.Kv/Put". */
RPCRT_API const char *rpcrt_ctx_method(const struct rpcrt_ctx *ctx);

/** Where the call came from: "tcp://127.0.0.1:40312". */
RPCRT_API const char *rpcrt_ctx_peer(const struct rpcrt_ctx *ctx);

/** Common name of the client's verified certificate; NULL without one. */
RPCRT_API const char *rpcrt_ctx_peer_name(const struct rpcrt_ctx *ctx);

/** Names the call in logs, the same through all services that it caused:
 * metadata "call-id" if the client sent one, else made by the server. */
RPCRT_API const char *rpcrt_ctx_call_id(struct rpcrt_ctx *ctx);

RPCRT_END_DECLS

#endif
