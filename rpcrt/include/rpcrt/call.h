/*
 * A call: one use of a method. The object holds the deadline and metadata
 * given to it, the memory of its reply, and its outcome; it may be used again
 * and again, one use at a time.
 *
 *   struct rpcrt_call *call;
 *   const Kv__V1__LoadReply *reply;
 *
 *   if (kv_load(call, &request, &reply) != RPCRT_OK)
 *       fprintf(stderr, "%s\n", rpcrt_call_message(call));
 */
#ifndef RPCRT_CALL_H
#define RPCRT_CALL_H

#include <rpcrt/channel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

RPCRT_BEGIN_DECLS

struct rpcrt_call;
struct rpcrt_ctx;

/**
 * Prepare a call on a channel.
 *
 * timeout_ms  budget of each use, from start to the last byte of the reply;
 *             0: no deadline
 * Returns     OK, or RESOURCE_EXHAUSTED without memory.
 * Owner       the caller, who frees it.
 * Threads     one at a time; only rpcrt_call_cancel() from any.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_new(struct rpcrt_channel *channel, uint32_t timeout_ms,
               struct rpcrt_call **ret_call);

/** Free a call with its replies. One that runs is cancelled first, and its
 * completion is waited for; so from a completion callback only its own call may
 * be freed. NULL does nothing. */
RPCRT_API void rpcrt_call_free(struct rpcrt_call *call);

/** Change the budget of the next uses. */
RPCRT_API void rpcrt_call_set_timeout(struct rpcrt_call *call,
                                      uint32_t timeout_ms);

/**
 * Make the next uses end no later than a call that this program is serving,
 * whatever their own budget says, and be cancelled when it is. The context is
 * used when a use starts, so it must still be there; NULL undoes it.
 */
RPCRT_API void rpcrt_call_set_parent(struct rpcrt_call *call,
                                     struct rpcrt_ctx *parent);

/** While no connection can be made, wait for one until the deadline (true)
 * instead of failing with UNAVAILABLE at once (false, the default). */
RPCRT_API void rpcrt_call_set_wait_for_ready(struct rpcrt_call *call,
                                             bool wait);

/** Keep something of the caller's with the call, through all its uses, for who
 * gets the call back: NULL at first. */
RPCRT_API void rpcrt_call_set_tag(struct rpcrt_call *call, void *tag);
RPCRT_API void *rpcrt_call_tag(const struct rpcrt_call *call);

/**
 * Send metadata with the next uses; the same key again replaces its value.
 *
 * key      lower-case letters, digits, "_", "-", "."; ends in "-bin" if the
 *          value is not printable ASCII
 * Returns  OK, INVALID_ARGUMENT for a bad key or value, RESOURCE_EXHAUSTED
 *          above RPCRT_METADATA_BYTES_MAX or without memory.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_set_metadata(struct rpcrt_call *call, const char *key,
                        const void *value, size_t size);

/** As above with a string. */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_set_metadata_text(struct rpcrt_call *call, const char *key,
                             const char *value);

/** End the use that runs, with CANCELLED; nothing if none does. Any thread. */
RPCRT_API void rpcrt_call_cancel(struct rpcrt_call *call);

/**
 * Wait until a use that was started is over and its completion, if it has one,
 * has returned; x_take() then says how it ended, or x_finish() of a stream: one
 * that brings more than its window does not end while nobody takes messages. A
 * call of a completion queue is taken out of it. Not from a completion
 * callback.
 *
 * timeout_ms  as for poll(2): negative: for ever; 0: do not wait
 * Returns     OK, whatever the outcome, and if none was started; or
 *             DEADLINE_EXCEEDED: the use goes on.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_wait(struct rpcrt_call *call, int timeout_ms);

/* -- the outcome of the last use; texts live until the next use ------------ */

RPCRT_API enum rpcrt_code rpcrt_call_code(const struct rpcrt_call *call);

/** What happened, for people, with the address where that matters. Never
 * NULL. */
RPCRT_API const char *rpcrt_call_message(const struct rpcrt_call *call);

/** Who ended it. */
RPCRT_API enum rpcrt_origin rpcrt_call_origin(const struct rpcrt_call *call);

/** Whether the server may have run the handler. False is certain: the call
 * can be made again without doing anything twice. */
RPCRT_API bool rpcrt_call_may_have_run(const struct rpcrt_call *call);

/** Details that the handler attached, serialized google.rpc.Status; NULL and
 * size 0 if there are none. */
RPCRT_API const void *rpcrt_call_details(const struct rpcrt_call *call,
                                         size_t *ret_size);

/** Metadata that came at the end, the trailers; NULL if the key is absent. The
 * value is followed by a zero byte that does not count. */
RPCRT_API const char *rpcrt_call_metadata(const struct rpcrt_call *call,
                                          const char *key, size_t *ret_size);

/** Metadata that came before the first reply, the headers; as above. Also while
 * a stream runs, once x_next() has returned or rpcrt_call_wait_headers(). */
RPCRT_API const char *rpcrt_call_header(const struct rpcrt_call *call,
                                        const char *key, size_t *ret_size);

/** Wait until the headers of a stream have come, or anything else has; without
 * a stream, until the use is over. OK, or DEADLINE_EXCEEDED; timeout_ms as for
 * rpcrt_call_wait(). */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_call_wait_headers(struct rpcrt_call *call, int timeout_ms);

/** Told of one entry of metadata; the value is followed by a zero byte. */
typedef void rpcrt_metadata_fn(void *arg, const char *key, const char *value,
                               size_t size);

/** See all headers, or all trailers, in the order in which they came. */
RPCRT_API void rpcrt_call_each_header(const struct rpcrt_call *call,
                                      rpcrt_metadata_fn *fn, void *arg);
RPCRT_API void rpcrt_call_each_trailer(const struct rpcrt_call *call,
                                       rpcrt_metadata_fn *fn, void *arg);

/** The address of the server that the last use went to, or was to go to;
 * which attempt it was, from 1; and its time from start to end so far. */
RPCRT_API const char *rpcrt_call_peer(const struct rpcrt_call *call);
RPCRT_API uint32_t rpcrt_call_attempts(const struct rpcrt_call *call);
RPCRT_API uint64_t rpcrt_call_duration_us(const struct rpcrt_call *call);

RPCRT_END_DECLS

#endif
