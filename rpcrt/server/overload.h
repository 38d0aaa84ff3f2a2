/*
 * Overload control: of the calls that have come, which may run now, which wait
 * for their turn, and which had better be refused at once. Without it, as by
 * default, all go to the executor.
 *
 * A server that is asked for more than it can do must not spend its time on
 * calls whose callers have given up: what it does finish would shrink to
 * nothing. So what waits too long is shed, "not executed", while the rest is
 * served in time.
 */
#ifndef RPCRT_SERVER_OVERLOAD_H
#define RPCRT_SERVER_OVERLOAD_H

#include "core/list.h"
#include <rpcrt/server.h>

struct rpcrt__overload;
struct rpcrt__served;

/* Make what the server's options ask for, which may be nothing. OK, or
 * RESOURCE_EXHAUSTED. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__overload_new(struct rpcrt_server *server);
void rpcrt__overload_free(struct rpcrt__overload *overload);

/* Whether a call of this method finds no place to wait. Under any lock. */
bool rpcrt__overload_is_full(const struct rpcrt_server *server,
                             const struct rpcrt__served *served);

/* Let calls, by ctx->task, run when it is their turn; the list is empty
 * afterwards. Without a lock. */
void rpcrt__overload_submit(struct rpcrt_server *server,
                            struct rpcrt__list *tasks);

/* The answer of a governed call is made: let the next run. Without a lock. */
void rpcrt__overload_done(struct rpcrt_ctx *ctx);

/* Calls that wait, and how many may run. */
void rpcrt__overload_look(struct rpcrt_server *server,
                          struct rpcrt_server_stats *stats);

#endif
