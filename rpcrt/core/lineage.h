/*
 * Which calls were made on behalf of which served call, and what they inherit:
 * cancellation, deadline, the name in logs. Either side may end first.
 */
#ifndef RPCRT_CORE_LINEAGE_H
#define RPCRT_CORE_LINEAGE_H

#include "core/list.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of a served call. */
struct rpcrt__parent {
    uint64_t deadline_ns;
    const char *call_id;
    struct rpcrt__list children;
    atomic_bool cancelled;
    atomic_bool used; /* ever had a child: most calls never do, and take no
                         lock */
};

/* Of a call that is made. */
struct rpcrt__child {
    struct rpcrt__list node;
    void (*cancel)(void *arg); /* must not come back here */
    void *arg;
};

/* What a served call is as a parent; server/ctx.c has it. */
struct rpcrt_ctx;
struct rpcrt__parent *rpcrt__ctx_parent(struct rpcrt_ctx *ctx);

/* Start without children; deadline and name are the owner's to set. */
void rpcrt__parent_init(struct rpcrt__parent *parent);
/* Let the children go on alone. */
void rpcrt__parent_fini(struct rpcrt__parent *parent);
/* From now on no child can begin. True if there may be some that began before:
 * then rpcrt__parent_cancel() must follow. */
bool rpcrt__parent_close(struct rpcrt__parent *parent);
/* Cancel the children that run. */
void rpcrt__parent_cancel(struct rpcrt__parent *parent);

/* Begin to depend on a parent; false, and nothing begun, if it is cancelled
 * already. */
bool rpcrt__child_begin(struct rpcrt__child *child,
                        struct rpcrt__parent *parent, void (*cancel)(void *arg),
                        void *arg);
/* Depend on nobody; nothing if it does not. Its function does not run any more
 * on return. */
void rpcrt__child_end(struct rpcrt__child *child);
void rpcrt__child_init(struct rpcrt__child *child);

#endif
