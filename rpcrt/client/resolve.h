/*
 * The list of a channel's endpoints, and the thread that keeps it up to date
 * for names and files. A channel whose list never changes has no such thread.
 */
#ifndef RPCRT_CLIENT_RESOLVE_H
#define RPCRT_CLIENT_RESOLVE_H

#include "client/channel.h"
#include "client/target.h"

/* Make the list of a new channel: at once if it never changes, else start the
 * thread. The channel's address was checked, and is of this kind. */
enum rpcrt_code rpcrt__channel_resolve(struct rpcrt_channel *channel,
                                       enum rpcrt__target_kind kind,
                                       struct rpcrt__error *ret_error);

/* Wait for the threads of a channel that is closing to end. One that hangs in a
 * look-up is left behind, with a reference to the channel. */
void rpcrt__channel_join(struct rpcrt_channel *channel);

/* Free the endpoints, whose threads have been joined, and the resolver. */
void rpcrt__channel_free_endpoints(struct rpcrt_channel *channel);

#endif
