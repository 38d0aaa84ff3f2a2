/*
 * A server with health and reflection beside services that do little, on one
 * transport, and a channel to it.
 */
#ifndef TESTS_ADMIN_GROUND_H
#define TESTS_ADMIN_GROUND_H

#include "tests/support/probe.h"
#include <rpcrt/health.h>
#include <rpcrt/reflection.h>

struct ground {
    struct rpcrt_server *server;
    struct rpcrt_health *health;
    struct rpcrt_channel *channel;
    atomic_uint n_waiting; /* handlers of admin.zoo.Zoo/Wait */
};

/* The default is what matters to nobody. */
struct ground_options {
    struct rpcrt_server_options server;
    struct rpcrt_channel_options channel;
    bool no_health;
};

/* transport is "inproc" or "tcp"; options may be NULL. Serves admin.zoo.Zoo,
 * petstore.v1.Petstore, reflection, and health, in this order. */
void ground_open(struct ground *ground, const char *transport,
                 const struct ground_options *options);
void ground_close(struct ground *ground);

/* Both transports. */
#define EACH_GROUND(suite, name, seconds)                                      \
    static void name##_body(const char *transport);                            \
    Test(suite, name##_inproc, .timeout = (seconds))                           \
    {                                                                          \
        name##_body("inproc");                                                 \
    }                                                                          \
    Test(suite, name##_tcp, .timeout = (seconds))                              \
    {                                                                          \
        name##_body("tcp");                                                    \
    }                                                                          \
    static void name##_body(const char *transport)

#endif
