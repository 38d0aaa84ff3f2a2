/*
 * Attempts side by side: further ones start after a delay while the first still
 * runs, each as a call of its own that shares the request. The first to end OK,
 * or with a code that no other attempt would change, decides; its memory
 * becomes that of the call, the others are cancelled.
 */
#ifndef RPCRT_CLIENT_HEDGE_H
#define RPCRT_CLIENT_HEDGE_H

#include "client/retry.h"

/* Whether attempts of a call run side by side. */
bool rpcrt__hedge_is_on(const struct rpcrt_call *call);

/* An attempt of the call itself failed, which others may outlive. True: the
 * call goes on. [locked] */
bool rpcrt__hedge_go_on(struct rpcrt_call *call, enum rpcrt_code code,
                        enum rpcrt_origin origin);

/* Begin the next one. [locked] */
void rpcrt__hedge_start(struct rpcrt_call *call, uint64_t now_ns,
                        struct rpcrt__delivery *delivery);

/* Cancel those that are left of a call that is over, before its owner is told.
 * Without the lock. */
void rpcrt__hedge_end(struct rpcrt_call *call);

#endif
