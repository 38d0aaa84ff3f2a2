/*
 * Which endpoint a call goes to, which are dialed for calls that wait, and what
 * is said when none can be had. All is [locked].
 */
#ifndef RPCRT_CLIENT_BALANCE_H
#define RPCRT_CLIENT_BALANCE_H

#include "client/endpoint.h"

/* Give the call to a connection, let it wait for one, or end it. */
void rpcrt__channel_place(struct rpcrt_call *call,
                          struct rpcrt__delivery *delivery);

/* Place the calls that wait, as far as there are connections; those for whom
 * there is none go on waiting. */
void rpcrt__channel_place_waiting(struct rpcrt_channel *channel,
                                  struct rpcrt__delivery *delivery);

/* Dial what calls wait for; returns when to look again. */
uint64_t rpcrt__channel_dial(struct rpcrt_channel *channel, uint64_t now_ns);

/* An attempt failed: if no other can be made now, end the calls that do not
 * wait for one. */
void rpcrt__channel_give_up(struct rpcrt_channel *channel,
                            struct rpcrt__delivery *delivery);

/* Why there is no connection. False if there is one. */
bool rpcrt__channel_why(const struct rpcrt_channel *channel,
                        struct rpcrt__error *ret_why);

#endif
