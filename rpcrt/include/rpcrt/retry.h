/*
 * More than one attempt of a call, for methods that say in their .proto that
 * they may be executed again: idempotency_level, or (rpcrt.v1.once). Others are
 * sent once, whatever a policy says; so are streams. Only what certainly was
 * not executed moves to another connection by itself.
 *
 * A policy comes from the channel's service config, else from (rpcrt.v1.retry):
 *   - attempts_max of them at the most, RPCRT_ATTEMPTS_MAX in any case
 *   - after a code of its list; the time between two begins with
 *     backoff_ms_min, is multiplied by backoff_factor up to backoff_ms_max, and
 *     varies by a fifth either way
 *   - or side by side (hedging): the next one begins after hedging_ms while the
 *     others run, and at once after a code of its list; the first to end OK or
 *     with another code decides, and the others are cancelled
 *   - all within the deadline of the call; a cancel ends them all
 *   - not while throttling says that too many calls fail (gRFC A6)
 * The server says in the trailer RPCRT_RETRY_PUSHBACK, or by a
 * google.rpc.RetryInfo, when it wants another attempt. From the second attempt
 * on the metadata RPCRT_PREVIOUS_ATTEMPTS tells it how many there were.
 *
 * A method with (rpcrt.v1.once) carries RPCRT_IDEMPOTENCY_KEY, made for each
 * use unless the caller sets one, the same for all its attempts. The server
 * executes a key once, and answers a repeat as it answered the first; that
 * holds within one process of the server, so all attempts go there. If it is
 * gone the call ends with rpcrt_call_may_have_run(), unless the method is
 * idempotent too: then its handler keeps keys itself and any server may be
 * asked.
 *
 * The service config is JSON as gRPC has it:
 *
 *   { "methodConfig": [ {
 *       "name": [ { "service": "kv.v1.Kv" } ],
 *       "timeout": "2s", "waitForReady": true,
 *       "maxRequestMessageBytes": 65536, "maxResponseMessageBytes": 65536,
 *       "retryPolicy": {
 *         "maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s",
 *         "backoffMultiplier": 2, "retryableStatusCodes": [ "UNAVAILABLE" ] }
 *     } ],
 *     "retryThrottling": { "maxTokens": 10, "tokenRatio": 0.1 } }
 *
 * "hedgingPolicy" has "maxAttempts", "hedgingDelay", "nonFatalStatusCodes". A
 * timeout is a bound on the call's own; waitForReady holds where the caller has
 * not chosen. Members that are not known are passed over.
 */
#ifndef RPCRT_RETRY_H
#define RPCRT_RETRY_H

#include <rpcrt/ctx.h>
#include <stdint.h>

RPCRT_BEGIN_DECLS

/** Trailer: milliseconds to wait; negative, or no number: no other attempt. */
#define RPCRT_RETRY_PUSHBACK "retry-pushback-ms"
/** Metadata of a call: attempts before this one. */
#define RPCRT_PREVIOUS_ATTEMPTS "previous-attempts"
/** Metadata of a call: names what is to be executed once. */
#define RPCRT_IDEMPOTENCY_KEY "idempotency-key"
/** Metadata of a repeat of such a call: milliseconds since the first attempt.
 */
#define RPCRT_FIRST_ATTEMPT "first-attempt-ms"

/**
 * Say when the client may make another attempt, beside a failure that the
 * handler returns.
 *
 * ms       from now; negative: not at all
 * Returns  as rpcrt_ctx_set_metadata()
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_ctx_push_back(struct rpcrt_ctx *ctx, int32_t ms);

RPCRT_END_DECLS

#endif
