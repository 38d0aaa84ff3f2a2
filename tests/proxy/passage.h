/*
 * What the tests of the proxy begin with: a server with the probe service, the
 * proxy before it, in this process, and a channel that goes through it.
 */
#ifndef TESTS_PROXY_PASSAGE_H
#define TESTS_PROXY_PASSAGE_H

#include "support/probe.h"
#include "support/proxy/proxy.h"

struct passage {
    struct probe probe;
    struct rpcrt_server *server;
    struct proxy *proxy;
    struct rpcrt_channel *channel;
};

/* Server options and channel options may be NULL. */
void passage_open(struct passage *passage, uint64_t seed,
                  const struct rpcrt_server_options *server_options,
                  const struct rpcrt_channel_options *channel_options);
void passage_close(struct passage *passage);

/* Replace the faults of both directions by texts; NULL: none. */
void passage_set(struct passage *passage, const char *up, const char *down);

struct proxy_stats passage_stats(struct passage *passage);

/* Wait until so many connections are open; the test fails after a while. */
void passage_await_open(struct passage *passage, uint64_t n);

/* Call Echo with a payload that no other call has; a reply must be its own.
 * Returns the code. */
enum rpcrt_code passage_echo(struct rpcrt_call *call, uint32_t number);

/* Calls until one is answered, as after a connection was lost; the test fails
 * after a while. */
void passage_recover(struct passage *passage);

#endif
