/*
 * The attempts of one use of a call: whether there is another one after a
 * failure, when it begins, and what it tells the server. Ways of attempts: one
 * after the other (retry.c) or side by side (hedge.c). Streams have one.
 *
 * Source of the rules: gRFC A6, but for methods that carry an idempotency key:
 * their attempts go to one instance of the server only, because no other one
 * knows the key.
 */
#ifndef RPCRT_CLIENT_RETRY_H
#define RPCRT_CLIENT_RETRY_H

#include "client/config.h"
#include "core/list.h"

#include <stdbool.h>
#include <stdint.h>

struct rpcrt__connection;
struct rpcrt__delivery;
struct rpcrt_call;
struct rpcrt_channel;

/* Room for the metadata of attempts, as it stands on the wire. */
#define RPCRT__EXTRA_SIZE 128u

/* Of the list channel->attempts_due: what happens to the call then. */
enum rpcrt__next {
    RPCRT__NEXT_NONE,
    RPCRT__NEXT_RETRY, /* another attempt; nothing of it runs meanwhile */
    RPCRT__NEXT_AGAIN, /* the same attempt, which a server refused */
    RPCRT__NEXT_HEDGE  /* another attempt beside those that run */
};

struct rpcrt__attempts {
    const struct rpcrt_retry_policy *policy; /* NULL: this attempt only */
    uint32_t n;                              /* that were begun */
    uint32_t n_elsewhere;   /* begun again because a server was going away */
    struct rpcrt__list due; /* in channel->attempts_due */
    enum rpcrt__next next;
    uint64_t due_ns;
    bool may_have_run;    /* one that is over */
    bool bound;           /* to the one instance that may know the key */
    uint64_t instance;    /* which that is */
    enum rpcrt_code code; /* of the last that failed */
    enum rpcrt_origin origin;
    const char *text; /* in the call's memory; NULL: none failed */

    /* Metadata besides the caller's, encoded. */
    uint8_t extra[RPCRT__EXTRA_SIZE];
    uint32_t extra_size;
    uint32_t key_size; /* of it, the idempotency key, which stands first */
    uint16_t n_extra;

    struct rpcrt__list hedges;  /* further attempts, calls of their own */
    struct rpcrt__list hedge;   /* of such a one, in primary's hedges */
    struct rpcrt_call *primary; /* of such a one; NULL: it is of no use */
    bool hedged;                /* there are, or were, such ones */
    bool idle;                  /* hedged, and this attempt is over */
    bool stopped;               /* hedged, and the server wants no more */
};

/* Whether failures are so many that none is tried again (gRFC A6). */
struct rpcrt__throttle {
    uint32_t tokens_max; /* thousandths; 0: no throttling */
    uint32_t token_ratio;
    uint32_t tokens;
};

void rpcrt__attempts_init(struct rpcrt__attempts *attempts);

/* Forget the last use. */
void rpcrt__attempts_reset(struct rpcrt__attempts *attempts);

/* Begin a use whose request is serialized and whose deadline is set: apply the
 * channel's service config, choose the policy, make the idempotency key. On
 * failure the call's outcome says why. */
void rpcrt__attempts_begin(struct rpcrt_call *call);

/* The first attempt was handed over. [locked] */
void rpcrt__attempts_launched(struct rpcrt_call *call);

/* An attempt is over, with a text in the outcome. True: the call goes on, and
 * has forgotten it. [locked] */
bool rpcrt__attempts_go_on(struct rpcrt_call *call, enum rpcrt_code code,
                           enum rpcrt_origin origin);

/* Say in the outcome's text what attempts were made. [locked] */
void rpcrt__attempts_tell(struct rpcrt_call *call);

/* Whether a connection leads to a server that may have the call: one that knows
 * its idempotency key, if one does. [locked] */
bool rpcrt__attempts_fit(const struct rpcrt_call *call,
                         const struct rpcrt__connection *connection);

/* End a call whose server is gone. [locked] */
void rpcrt__attempts_end_stray(struct rpcrt_call *call,
                               struct rpcrt__delivery *delivery);

/* Begin what is due; returns when to look again. [locked] */
uint64_t rpcrt__attempts_tick(struct rpcrt_channel *channel, uint64_t now_ns,
                              struct rpcrt__delivery *delivery);

/* -- between the files of it; [locked] ------------------------------------- */

/* Have something done at that time. */
void rpcrt__attempts_schedule(struct rpcrt_call *call, enum rpcrt__next next,
                              uint64_t due_ns);

/* Keep why an attempt failed and be ready for another one. */
void rpcrt__attempts_forget(struct rpcrt_call *call, enum rpcrt_code code,
                            enum rpcrt_origin origin);

/* How many attempts a policy allows. */
uint32_t rpcrt__attempts_max(const struct rpcrt_retry_policy *policy);

/* Whether the policy has another attempt for a code. */
bool rpcrt__attempts_want(const struct rpcrt_retry_policy *policy,
                          enum rpcrt_code code);

/* Whether throttling lets another attempt be made. */
bool rpcrt__throttle_open(const struct rpcrt__throttle *throttle);
void rpcrt__throttle_failed(struct rpcrt__throttle *throttle);
void rpcrt__throttle_succeeded(struct rpcrt__throttle *throttle);

/* What the server says about another attempt. */
enum rpcrt__pushback {
    RPCRT__PUSHBACK_NONE,
    RPCRT__PUSHBACK_NEVER,
    RPCRT__PUSHBACK_AFTER /* so many milliseconds */
};
enum rpcrt__pushback rpcrt__pushback_get(const struct rpcrt_call *call,
                                         uint32_t *ret_ms);

/* -- retry_extra.c: metadata of attempts ----------------------------------- */

/* Make an idempotency key, unless the caller gave one. On failure the call's
 * outcome says why. */
void rpcrt__extra_begin(struct rpcrt_call *call);

/* Bytes of it that go with an attempt that leaves now. */
uint32_t rpcrt__extra_size(struct rpcrt_call *call);

#endif
